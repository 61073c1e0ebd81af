package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A record on disk: version, CRC-32C (4 bytes, over bucket, key and all that
// follows), length of the payload (uvarint), payload. Fields of the payload
// stand in a fixed order; a change of that order is a new version.
const (
	recordVersion = 1
	sumOffset     = 1
	payloadOffset = sumOffset + 4

	// maxPayload bounds a record, in bytes. bbolt keeps a value in one run of
	// pages, and a commit rewrites each page it touches.
	maxPayload = 64 << 10

	// maxKey bounds keys, in bytes: an object's have at most 1,023, a path
	// of the local system 4,096.
	maxKey = 4096

	maxCause = 1024
)

var errRecord = errors.New("damaged record")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// frame wraps a payload for the place it will be stored at.
func frame(b bucketID, key string, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("checkpoint: record of %d bytes, at most %d allowed", len(payload), maxPayload)
	}
	rec := make([]byte, payloadOffset, payloadOffset+binary.MaxVarintLen32+len(payload))
	rec[0] = recordVersion
	rec = binary.AppendUvarint(rec, uint64(len(payload)))
	rec = append(rec, payload...)
	binary.LittleEndian.PutUint32(rec[sumOffset:], checksum(b, key, rec))
	return rec, nil
}

// unframe returns the payload of a record found under b and key.
func unframe(b bucketID, key string, rec []byte) ([]byte, error) {
	if len(rec) <= payloadOffset || rec[0] != recordVersion {
		return nil, errRecord
	}
	if recordSum(rec) != checksum(b, key, rec) {
		return nil, errRecord
	}
	n, width := binary.Uvarint(rec[payloadOffset:])
	payload := rec[payloadOffset:]
	if width <= 0 || n > maxPayload || uint64(len(payload)-width) != n {
		return nil, errRecord
	}
	return payload[width:], nil
}

// recordSum returns the checksum a record carries; the record may be damaged.
func recordSum(rec []byte) uint32 {
	if len(rec) < payloadOffset {
		return 0
	}
	return binary.LittleEndian.Uint32(rec[sumOffset:])
}

func checksum(b bucketID, key string, rec []byte) uint32 {
	var head [2 + binary.MaxVarintLen64]byte
	table := castagnoli()
	place := binary.AppendUvarint(append(head[:0], byte(b), rec[0]), uint64(len(key)))
	sum := crc32.Update(0, table, place)
	sum = crc32.Update(sum, table, []byte(key))
	return crc32.Update(sum, table, rec[payloadOffset:])
}

// encoder appends fields to its bytes.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) fixed(v uint64) {
	e.b = binary.LittleEndian.AppendUint64(e.b, v)
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) bool(v bool) {
	if v {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *encoder) time(t time.Time) {
	e.int(t.Unix())
	e.uint(uint64(t.Nanosecond()))
}

// etag halves the usual form, 32 upper-case hex digits: a length of 0 with
// 16 raw bytes behind it. Any other string follows its length plus one.
func (e *encoder) etag(s string) {
	if raw, ok := hexETag(s); ok {
		e.uint(0)
		e.b = append(e.b, raw...)
		return
	}
	e.uint(uint64(len(s)) + 1)
	e.b = append(e.b, s...)
}

func hexETag(s string) ([]byte, bool) {
	if len(s) != 32 || strings.ToUpper(s) != s {
		return nil, false
	}
	raw, err := hex.DecodeString(s)
	return raw, err == nil
}

// decoder takes fields off its bytes; after the first that does not fit, bad
// is set and all others are zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) fixed() uint64 {
	if v := d.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (d *decoder) string() string { return string(d.take(d.uint())) }
func (d *decoder) bool() bool     { return d.uint() == 1 }

func (d *decoder) time() time.Time {
	sec, nsec := d.int(), d.uint()
	if nsec >= 1e9 {
		d.bad = true
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (d *decoder) etag() string {
	n := d.uint()
	if d.bad {
		return ""
	}
	if n == 0 {
		return strings.ToUpper(hex.EncodeToString(d.take(16)))
	}
	return string(d.take(n - 1))
}

// end reports whether every byte was used and every field was there.
func (d *decoder) end() error {
	if d.bad || len(d.b) > 0 {
		return errRecord
	}
	return nil
}

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
	e.identity(o.Publish)
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
	o.Publish = d.identity()
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

// blockKey is where a block of an object's parts is stored. The length in
// front keeps the blocks of one key together and apart from all others'.
func blockKey(key string, block uint32) string {
	return string(binary.BigEndian.AppendUint32(blockPrefix(key), block))
}

func blockPrefix(key string) []byte {
	b := make([]byte, 0, 2+len(key)+4)
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	return append(b, key...)
}

// splitBlockKey undoes blockKey.
func splitBlockKey(b []byte) (key string, block uint32, ok bool) {
	if len(b) < 6 || int(binary.BigEndian.Uint16(b)) != len(b)-6 {
		return "", 0, false
	}
	return string(b[2 : len(b)-4]), binary.BigEndian.Uint32(b[len(b)-4:]), true
}
