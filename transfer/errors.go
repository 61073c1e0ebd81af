package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
)

var (
	// ErrIncomplete is matched by the error of a job that reached its end
	// with some objects failed. The report lists them.
	ErrIncomplete = errors.New("some objects failed")

	// ErrChanged is matched when a source was not the same from the first
	// byte to the last, or somebody else wrote to the destination meanwhile.
	// Nothing became visible at the destination.
	ErrChanged = errors.New("changed during the transfer")

	// ErrCorrupt is matched when what arrived is not what was sent, again
	// and again. Nothing of it became visible under a local name.
	ErrCorrupt = errors.New("checksum mismatch")

	// ErrNoMatch is the error of a copy whose source has nothing in it: a
	// mistyped prefix looks the same as an empty one. NoPartError matches it too.
	ErrNoMatch = errors.New("nothing matches the source")

	// ErrUnsafe is matched by a job that would have deleted what it should
	// not have. Nothing more was deleted.
	ErrUnsafe = errors.New("deleting is not safe")

	// ErrStale is matched when the world is not as a plan has seen it: of an
	// object that was left alone, and of the job that has such objects.
	ErrStale = errors.New("the plan is stale")

	// ErrParked is for the cause of a context to match that ends a job at a bound
	// of its caller's, such as a time of the day: its State is StateParked then, in
	// place of StateInterrupted.
	ErrParked = errors.New("parked")

	// ErrNoJob is the error of a Resume whose job is not there.
	ErrNoJob = errors.New("no such job")

	// ErrJobHeld is matched when another process runs the same job.
	ErrJobHeld = errors.New("job is held by another process")
)

// IncompleteError is the error of a job that went through all its objects and
// could not do some of them. It matches ErrIncomplete.
type IncompleteError struct {
	JobID  string
	Failed int64   // objects; may be 0 with Left
	Stale  int64   // of the failed: not as the plan had seen them
	First  Failure // one of them
	Left   *Left   // that of the report
}

func (e *IncompleteError) Error() string {
	switch {
	case e.Failed == 0:
		return fmt.Sprintf("the part is done, but not the job: %s", e.Left)
	case e.Left != nil:
		return fmt.Sprintf("%s; the first of those that failed: %s", e.Left, e.First)
	case e.Failed == 1:
		return fmt.Sprintf("1 object failed: %s", e.First)
	}
	return fmt.Sprintf("%d objects failed, the first: %s", e.Failed, e.First)
}

// Is makes errors.Is(err, ErrIncomplete) true, and with ErrStale if any is.
func (e *IncompleteError) Is(target error) bool {
	return target == ErrIncomplete || target == ErrStale && e.Stale > 0
}

// StaleError says that an object was left alone since it is not as the plan has
// seen it, or its destination is not. It matches ErrStale.
type StaleError struct {
	Key  string // or path
	What string // is not as it was
	Err  error  // how it showed; may be nil
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s is not as the plan has seen it (%s): it is left alone", printable(e.Key), e.What)
}

// Is makes errors.Is(err, ErrStale) true.
func (e *StaleError) Is(target error) bool { return target == ErrStale }

func (e *StaleError) Unwrap() error { return e.Err }

// StateError says that the state folder cannot be used, so that nothing was
// begun.
type StateError struct {
	Dir string
	Err error
}

func stateError(dir string, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		return err
	}
	return &StateError{Dir: dir, Err: err}
}

func (e *StateError) Error() string {
	return fmt.Sprintf("the state folder %s cannot be used: %v", printable(e.Dir), e.Err)
}

func (e *StateError) Unwrap() error { return e.Err }

// UnsafeError says why a Sync with Delete deleted nothing, or no more. It
// matches ErrUnsafe.
type UnsafeError struct {
	Cause   UnsafeCause
	Reason  string
	Err     error // what else was wrong; may be nil
	Deleted int64 // what was, before it was noticed
}

// UnsafeCause is what stands in the way of deleting.
type UnsafeCause string

// The causes.
const (
	UnsafeUnread  UnsafeCause = "source not read whole"
	UnsafeEmpty   UnsafeCause = "source is empty"
	UnsafeFailed  UnsafeCause = "objects failed"
	UnsafeTooMany UnsafeCause = "too many to delete"
	UnsafeListing UnsafeCause = "listing is wrong"
)

func unsafe(cause UnsafeCause, format string, args ...any) error {
	return &UnsafeError{Cause: cause, Reason: fmt.Sprintf(format, args...)}
}

func (e *UnsafeError) Error() string {
	text := "nothing is deleted: "
	if e.Deleted > 0 {
		text = "nothing more is deleted: "
	}
	text += e.Reason
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is makes errors.Is(err, ErrUnsafe) true.
func (e *UnsafeError) Is(target error) bool { return target == ErrUnsafe }

func (e *UnsafeError) Unwrap() error { return e.Err }

// ChangedError says that a source moved while it was read, or that somebody
// else wrote to a destination. It matches ErrChanged.
type ChangedError struct {
	Name        string // key or path
	What        string // what was seen to differ
	Destination bool   // it is not the source
	Hint        string // what to do, if not to run the job again when it rests
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s changed during the transfer (%s); %s", printable(e.Name), e.What, cmp.Or(e.Hint, "run the job again when it rests"))
}

// Is makes errors.Is(err, ErrChanged) true.
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// CorruptError says that the whole object's CRC-64 is not its source's. It
// matches ErrCorrupt.
type CorruptError struct {
	Name           string // key or path
	Expected, Have uint64
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s arrived damaged: CRC-64 is %016x, should be %016x; run the job again, and suspect memory, disk or a proxy if it stays so",
		printable(e.Name), e.Have, e.Expected)
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// HeldError says who runs the job that was asked for. It matches ErrJobHeld.
type HeldError struct {
	JobID string
	PID   int    // 0 = not known
	Path  string // where another job writes to, if it is not this one that runs
}

func (e *HeldError) Error() string {
	by := "another process"
	if e.PID != 0 {
		by = "process " + strconv.Itoa(e.PID)
	}
	if e.Path != "" {
		return fmt.Sprintf("another job, of %s, writes to %s", by, printable(e.Path))
	}
	return fmt.Sprintf("job %s is held by %s", e.JobID, by)
}

// Is makes errors.Is(err, ErrJobHeld) true.
func (e *HeldError) Is(target error) bool { return target == ErrJobHeld }

// ListingError says that the service's listing cannot be right, so that the
// job must not act on it.
type ListingError struct{ Key, After string }

func (e *ListingError) Error() string {
	if e.Key == "" {
		return "the bucket's listing does not go on after " + strconv.Quote(e.After) + "; nothing more is done by it"
	}
	return "the bucket's listing has " + printable(e.Key) + " after " + printable(e.After) + "; nothing more is done by it"
}

// heldError turns checkpoint's error into ours, other errors into themselves.
func heldError(id string, err error) error {
	if held, ok := errors.AsType[*checkpoint.HeldError](err); ok {
		return &HeldError{JobID: id, PID: held.PID}
	}
	return err
}

func claimError(id, path string, err error) error {
	held, ok := errors.AsType[*HeldError](heldError(id, err))
	if !ok {
		return err
	}
	held.Path = path
	return held
}

// UsageError says that a job cannot be run as asked. Nothing was done.
type UsageError struct{ Reason string }

func (e *UsageError) Error() string { return e.Reason }

func usagef(format string, args ...any) error {
	return &UsageError{Reason: fmt.Sprintf(format, args...)}
}

func diskFull(err error) bool { return localfs.IsDiskFull(err) }
