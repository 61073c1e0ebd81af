package checkpoint

import (
	"encoding/binary"
	"maps"
	"slices"
	"unicode/utf8"
)

// The payloads of records. Their fields are written and read in one order;
// what is not in the payload is in the key.

// maxCause bounds the text of a Failure, in bytes.
const maxCause = 1024

// Bits of the mask that says which fields of an Identity follow.
const (
	hasSize = 1 << iota
	hasModTime
	hasChangeTime
	hasDevice
	hasInode
	hasETag
	hasVersionID
	hasCRC64
	crc64Counts
	identityBits
)

func (e *encoder) identity(id Identity) {
	at := len(e.b)
	e.b = append(e.b, 0, 0)
	mask := uint16(0)
	field := func(bit uint16, there bool, write func()) {
		if there {
			mask |= bit
			write()
		}
	}
	field(hasSize, id.Size != 0, func() { e.int(id.Size) })
	field(hasModTime, id.ModTime != 0, func() { e.int(id.ModTime) })
	field(hasChangeTime, id.ChangeTime != 0, func() { e.int(id.ChangeTime) })
	field(hasDevice, id.Device != 0, func() { e.uint(id.Device) })
	field(hasInode, id.Inode != 0, func() { e.uint(id.Inode) })
	field(hasETag, id.ETag != "", func() { e.etag(id.ETag) })
	field(hasVersionID, id.VersionID != "", func() { e.string(id.VersionID) })
	field(hasCRC64, id.CRC64 != 0, func() { e.fixed(id.CRC64) })
	field(crc64Counts, id.HasCRC64, func() {})
	binary.LittleEndian.PutUint16(e.b[at:], mask)
}

func (d *decoder) identity() Identity {
	var id Identity
	head := d.take(2)
	if head == nil {
		return id
	}
	mask := binary.LittleEndian.Uint16(head)
	if mask >= identityBits {
		d.bad = true
		return id
	}
	if mask&hasSize != 0 {
		id.Size = d.int()
	}
	if mask&hasModTime != 0 {
		id.ModTime = d.int()
	}
	if mask&hasChangeTime != 0 {
		id.ChangeTime = d.int()
	}
	if mask&hasDevice != 0 {
		id.Device = d.uint()
	}
	if mask&hasInode != 0 {
		id.Inode = d.uint()
	}
	if mask&hasETag != 0 {
		id.ETag = d.etag()
	}
	if mask&hasVersionID != 0 {
		id.VersionID = d.string()
	}
	if mask&hasCRC64 != 0 {
		id.CRC64 = d.fixed()
	}
	id.HasCRC64 = mask&crc64Counts != 0
	return id
}

func encodeJob(j Job) []byte {
	var e encoder
	e.string(j.ID)
	e.string(j.Kind)
	e.string(j.Source)
	e.string(j.Destination)
	e.time(j.Created)
	e.string(j.State)
	e.uint(uint64(len(j.Options)))
	for _, name := range slices.Sorted(maps.Keys(j.Options)) {
		e.string(name)
		e.string(j.Options[name])
	}
	e.string(j.Spec)
	return e.b
}

func decodeJob(payload []byte) (Job, error) {
	d := decoder{b: payload}
	j := Job{ID: d.string(), Kind: d.string(), Source: d.string(), Destination: d.string(), Created: d.time(), State: d.string()}
	n := d.uint()
	for range n {
		if d.bad {
			break
		}
		if j.Options == nil {
			j.Options = make(map[string]string)
		}
		name := d.string()
		j.Options[name] = d.string()
	}
	if d.more() { // since schema 2
		j.Spec = d.string()
	}
	return j, d.end()
}

func encodeObject(o Object) []byte {
	var e encoder
	e.uint(uint64(o.State))
	e.identity(o.Source)
	e.int(o.PartSize)
	e.string(o.UploadID)
	e.string(o.TempName)
	e.string(o.Nonce)
	e.fixed(o.CRC64)
	e.time(o.Started)
	e.string(o.Material)
	e.string(o.Bucket)
	e.string(o.Target)
	e.identity(o.Before)
	return e.b
}

func decodeObject(key string, payload []byte) (Object, error) {
	d := decoder{b: payload}
	o := Object{Key: key}
	state := d.uint()
	if state > 255 {
		return Object{}, errRecord
	}
	o.State = State(state)
	o.Source = d.identity()
	o.PartSize = d.int()
	o.UploadID = d.string()
	o.TempName = d.string()
	o.Nonce = d.string()
	o.CRC64 = d.fixed()
	o.Started = d.time()
	if d.more() { // since schema 2
		o.Material = d.string()
	}
	if d.more() { // since schema 5
		o.Bucket, o.Target, o.Before = d.string(), d.string(), d.identity()
	}
	return o, d.end()
}

func encodeSettled(s Settled) []byte {
	e := encoder{b: make([]byte, 0, 96)}
	e.identity(s.Source)
	e.identity(s.Dest)
	e.time(s.At)
	return e.b
}

func decodeSettled(key string, payload []byte) (Settled, error) {
	d := decoder{b: payload}
	s := Settled{Key: key, Source: d.identity(), Dest: d.identity(), At: d.time()}
	return s, d.end()
}

func encodeFailure(f Failure) []byte {
	var e encoder
	e.string(f.Operation)
	e.string(truncate(f.Cause, maxCause))
	e.int(int64(f.Status))
	e.string(f.Code)
	e.string(f.RequestID)
	e.int(int64(f.Attempts))
	e.bool(f.Retryable)
	e.time(f.At)
	return e.b
}

func decodeFailure(key string, payload []byte) (Failure, error) {
	d := decoder{b: payload}
	f := Failure{
		Key: key, Operation: d.string(), Cause: d.string(), Status: int(d.int()), Code: d.string(),
		RequestID: d.string(), Attempts: int(d.int()), Retryable: d.bool(), At: d.time(),
	}
	return f, d.end()
}

func encodeChange(c Change) []byte {
	var e encoder
	e.identity(c.Before)
	e.string(c.Kept)
	e.time(c.At)
	for _, id := range c.After {
		e.identity(id)
	}
	return e.b
}

func decodeChange(key string, payload []byte) (Change, error) {
	d := decoder{b: payload}
	c := Change{Key: key, Before: d.identity(), Kept: d.string(), At: d.time()}
	for d.more() { // since schema 4
		c.After = append(c.After, d.identity())
	}
	return c, d.end()
}

// truncate cuts s to at most n bytes and leaves no half character behind.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// partsPerBlock is how many parts share a record: with 16-byte ETags such a
// record has at most 2.4 KB, so a commit rewrites one page for it.
const partsPerBlock = 64

// blockOf returns the block a part number falls into.
func blockOf(number int) uint32 { return uint32(number-1) / partsPerBlock }

// encodeBlock writes the parts of one block, ascending.
func encodeBlock(block uint32, parts []Part) []byte {
	var e encoder
	e.uint(uint64(len(parts)))
	for _, p := range parts {
		e.uint(uint64(p.Number-1) - uint64(block)*partsPerBlock)
		e.int(p.Size)
		e.fixed(p.CRC64)
		e.etag(p.ETag)
	}
	return e.b
}

func decodeBlock(block uint32, payload []byte) ([]Part, error) {
	d := decoder{b: payload}
	n := d.uint()
	if n == 0 || n > partsPerBlock || block > blockOf(MaxPartNumber) {
		return nil, errRecord
	}
	parts := make([]Part, 0, n)
	last := -1
	for range n {
		at := d.uint()
		if d.bad || at >= partsPerBlock || int(at) <= last {
			return nil, errRecord
		}
		last = int(at)
		parts = append(parts, Part{Number: int(block)*partsPerBlock + last + 1, Size: d.int(), CRC64: d.fixed(), ETag: d.etag()})
	}
	return parts, d.end()
}
