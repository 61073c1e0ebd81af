package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Identity says which version of a source or destination was seen. The zero
// value matches nothing: it is what an unknown version looks like.
type Identity struct {
	Size int64 // bytes

	// Local files. Times are nanoseconds since 1970; for an object ModTime is
	// its Last-Modified.
	ModTime       int64
	ChangeTime    int64
	Device, Inode uint64

	// Objects. CRC64 counts only if HasCRC64 is set, for 0 is a valid sum.
	ETag, VersionID string
	CRC64           uint64
	HasCRC64        bool
}

// Change is what a job is about to do to a name at its destination: it will be
// written, replaced or removed.
type Change struct {
	Key string

	// Before is what was there, zero if nothing was, and Kept where that is
	// kept, of a folder its permissions in octal.
	Before Identity
	Kept   string

	// After is what will be there, as far as its maker knows that before: after
	// a crash it tells whether what is there is the job's own. Runs that came to
	// it with different contents have one each, the latest last, at most
	// MaxAfter. A removal has none.
	After []Identity

	At time.Time
}

// MaxAfter bounds Change.After: of more the earliest is forgotten.
const MaxAfter = 8

// follow adds to a change what a later one of the same key would leave there.
func (c Change) follow(later Change) Change {
	after := slices.Clone(c.After)
	for _, id := range later.After {
		after = append(slices.DeleteFunc(after, func(known Identity) bool { return known == id }), id)
	}
	c.After = after[max(0, len(after)-MaxAfter):]
	return c
}

// Job is the header of a checkpoint.
type Job struct {
	// ID names the file: 16 lower-case hex digits. Empty means the JobID of
	// the fields below.
	ID string

	Kind, Source, Destination string

	// Options are those that shape the result, such as the part size. Two
	// runs with different ones are different jobs.
	Options map[string]string

	// Created, State and Spec belong to the first run and to SetState; Open
	// ignores what it is given here if the job exists already.
	Created time.Time
	State   string

	// Updated is when the job's file was last written. Jobs fills it in.
	Updated time.Time

	// Spec is whatever else its owner needs to run the job again. It does not
	// make two runs different jobs, and is not looked at here.
	Spec string
}

// JobID digests what makes two runs the same job into 16 hex digits. Every
// string is written with its length, so that no two jobs look alike.
func JobID(kind, source, destination string, options map[string]string) string {
	var b []byte
	add := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	add(kind)
	add(source)
	add(destination)
	for _, name := range slices.Sorted(maps.Keys(options)) {
		add(name)
		add(options[name])
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// same reports whether two headers describe the same job.
func (j Job) same(other Job) bool {
	return j.Kind == other.Kind && j.Source == other.Source &&
		j.Destination == other.Destination && maps.Equal(j.Options, other.Options)
}

// clone keeps the caller's map out of the checkpoint, and the other way round.
func (j Job) clone() Job {
	j.Options = maps.Clone(j.Options)
	return j
}

// State is how far an object in flight has come. The numbers are stored.
type State uint8

const (
	// StateIntent is recorded before anything is made at the destination: no
	// upload, no temporary file; but a crash may have come after it was made.
	StateIntent State = 1
	// StateActive has its UploadID or its temporary file; parts may exist.
	StateActive State = 2
	// StateCompleting has all parts and the CRC64 of the whole; Complete may
	// have been sent, or the temporary file renamed.
	StateCompleting State = 3
)

// String returns the state's name.
func (s State) String() string {
	names := [...]string{"", "intent", "active", "completing"}
	if s == 0 || int(s) >= len(names) {
		return "state " + strconv.Itoa(int(s))
	}
	return names[s]
}

// Object is one object in flight.
type Object struct {
	Key      string
	State    State
	Source   Identity
	PartSize int64 // bytes; a part's place is (Number-1) × PartSize

	UploadID string // uploads and copies
	TempName string // downloads: relative to the destination's folder
	Nonce    string // marks what was made for this object and no other

	// Material is what the object is encrypted with, wrapped: no secret.
	Material string

	// Bucket and Target say where it is made, if that is not where Key says: a
	// copy beside the job's own objects, under a Key that none of those has.
	Bucket, Target string

	// Before is what was at the destination when it began, of an append, which
	// adds the Source to that. Its parts are the pieces added, in their order.
	Before Identity

	CRC64   uint64 // of the whole object, once known
	Started time.Time
}

// Part is one finished part or range. Its bytes were durable at their
// destination before it was recorded.
type Part struct {
	Number int   // from 1 to MaxPartNumber
	Size   int64 // bytes
	CRC64  uint64
	ETag   string
}

// MaxPartNumber bounds Part.Number: far above the 10,000 parts of an upload,
// for ranges of a download have no such limit.
const MaxPartNumber = 1 << 24

// Settled is what is known of an object that is done: both sides as they were
// when they were equal.
type Settled struct {
	Key          string
	Source, Dest Identity
	At           time.Time
}

// Failure says why an object is not done. There is one for each key, the last.
type Failure struct {
	Key, Operation string

	// Cause is cut to 1 KiB.
	Cause string

	Status          int // of HTTP; 0 = none
	Code, RequestID string
	Attempts        int
	Retryable       bool
	At              time.Time
}
