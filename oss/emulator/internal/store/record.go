package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Bucket is a bucket's record.
type Bucket struct {
	Name       string
	Created    time.Time
	ACL        string
	Class      string
	Redundancy string
	Versioning string // see the constants
}

// Segment is a piece of a blob, or a few bytes of its own.
type Segment struct {
	Blob     uint64 // 0 if the bytes are in Data
	Off, Len int64
	Data     []byte
}

// Inline returns p as segments. What is small is cheapest inside the record
// that refers to it: a commit writes it along, and no file is synced.
func Inline(p []byte) []Segment {
	if len(p) == 0 {
		return nil
	}
	return []Segment{{Len: int64(len(p)), Data: p}}
}

// SameBytes reports whether two segments are the same piece of the same blob,
// or equal bytes.
func SameBytes(a, b Segment) bool {
	return a.Blob == b.Blob && a.Off == b.Off && a.Len == b.Len && bytes.Equal(a.Data, b.Data)
}

// Header is a stored header; names are in lower case.
type Header struct{ Name, Value string }

// Type says how an object came to be.
type Type byte

// The types of objects.
const (
	Normal Type = iota
	Multipart
	Appendable
	Symlink
)

func (t Type) String() string {
	return [...]string{"Normal", "Multipart", "Appendable", "Symlink"}[t&3]
}

// Object is an object's record. Times have the precision of a millisecond.
type Object struct {
	Key      string
	Type     Type
	Size     int64
	Modified time.Time
	ETag     string // without quotes
	MD5      string // base64, empty if it is not known
	CRC64    uint64
	Class    string
	ACL      string
	Tags     string   // k=v&k=v, encoded
	Target   string   // of a symlink
	Headers  []Header // content headers and metadata
	Segments []Segment

	VersionID string // "" is the version that the protocol calls null
	Seq       uint64 // the place among the key's versions, rising with time
	Marker    bool   // a delete marker
	Sealed    time.Time

	// Restore says how far an archived object has been brought back.
	Restore Restore

	// Lock is what keeps this version from being deleted.
	Lock Lock
}

// Lock protects one version of an object; zero: nothing does.
type Lock struct {
	Mode  string // of the retention; "" for none
	Until time.Time
	Hold  bool // a legal hold, until it is taken off
}

// Holds says whether the version must stay.
func (l Lock) Holds(now time.Time) bool { return l.Hold || now.Before(l.Until) }

// Restore is the last restoration of an archived object; zero: there is none.
type Restore struct {
	Asked, Ready, Expires time.Time
}

// Upload is the record of a multipart upload in progress: what the object
// will be, but for its bytes.
type Upload struct {
	Key, ID    string
	Initiated  time.Time
	Class      string
	ACL        string
	Tags       string
	Sequential bool
	Forbid     bool // overwriting, from the start on
	Headers    []Header
}

// Part is the record of an uploaded part.
type Part struct {
	Number   int
	Size     int64
	Modified time.Time
	ETag     string // without quotes: the MD5 in upper hex
	CRC64    uint64
	Segments []Segment
}

// recordVersion begins every record. A record of another version is refused.
const recordVersion = 1

var errRecord = errors.New("record is damaged")

type encoder []byte

func newEncoder() encoder { return encoder{recordVersion} }

func (e *encoder) uint(v uint64)    { *e = binary.AppendUvarint(*e, v) }
func (e *encoder) time(t time.Time) { e.uint(uint64(t.UnixMilli())) }

// optional writes a time that may be zero.
func (e *encoder) optional(t time.Time) {
	if t.IsZero() {
		e.uint(0)
	} else {
		e.uint(uint64(t.UnixMilli()) + 1)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) bool(b bool) {
	if b {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *encoder) headers(hs []Header) {
	e.uint(uint64(len(hs)))
	for _, h := range hs {
		e.string(h.Name)
		e.string(h.Value)
	}
}

func (e *encoder) segments(ss []Segment) {
	e.uint(uint64(len(ss)))
	for _, s := range ss {
		e.uint(s.Blob)
		if s.Blob == 0 {
			e.string(string(s.Data))
			continue
		}
		e.uint(uint64(s.Off))
		e.uint(uint64(s.Len))
	}
}

// decoder reads what encoder wrote; its first error sticks.
type decoder struct {
	b   []byte
	err error
}

func newDecoder(b []byte) *decoder {
	if len(b) == 0 {
		return &decoder{err: errRecord}
	}
	if b[0] != recordVersion {
		return &decoder{err: fmt.Errorf("record version %d is not supported", b[0])}
	}
	return &decoder{b: b[1:]}
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b, d.err = nil, errRecord
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v := int64(d.uint())
	if v < 0 {
		d.err = errRecord
		return 0
	}
	return v
}

func (d *decoder) time() time.Time { return time.UnixMilli(int64(d.uint())).UTC() }
func (d *decoder) bool() bool      { return d.uint() != 0 }
func (d *decoder) more() bool      { return d.err == nil && len(d.b) > 0 }

func (d *decoder) optional() time.Time {
	if v := d.uint(); v > 0 {
		return time.UnixMilli(int64(v - 1)).UTC()
	}
	return time.Time{}
}

func (d *decoder) string() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errRecord
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// count reads the length of a list whose elements take at least min bytes.
func (d *decoder) count(minBytes uint64) int {
	n := d.uint()
	if n > uint64(len(d.b))/minBytes {
		d.b, d.err = nil, errRecord
		return 0
	}
	return int(n)
}

func (d *decoder) headers() []Header {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	hs := make([]Header, n)
	for i := range hs {
		hs[i] = Header{d.string(), d.string()}
	}
	return hs
}

func (d *decoder) segments() []Segment {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	ss := make([]Segment, n)
	for i := range ss {
		if blob := d.uint(); blob != 0 {
			ss[i] = Segment{Blob: blob, Off: d.int(), Len: d.int()}
		} else {
			data := []byte(d.string())
			ss[i] = Segment{Len: int64(len(data)), Data: data}
		}
	}
	return ss
}

func (d *decoder) end(what, name string) error {
	if d.err == nil && len(d.b) > 0 {
		d.err = errRecord
	}
	if d.err != nil {
		return fmt.Errorf("read %s %q: %w", what, name, d.err)
	}
	return nil
}

func encodeBucket(b *Bucket) []byte {
	e := newEncoder()
	e.time(b.Created)
	e.string(b.ACL)
	e.string(b.Class)
	e.string(b.Redundancy)
	if b.Versioning != "" {
		e.string(b.Versioning)
	}
	return e
}

func decodeBucket(name string, v []byte) (*Bucket, error) {
	d := newDecoder(v)
	b := &Bucket{Name: name, Created: d.time(), ACL: d.string(), Class: d.string(), Redundancy: d.string()}
	if d.more() { // older records end here
		if b.Versioning = d.string(); b.Versioning == "" {
			d.err = errRecord
		}
	}
	return b, d.end("bucket", name)
}

func encodeObject(o *Object) []byte {
	e := newEncoder()
	e.uint(uint64(o.Type))
	e.uint(uint64(o.Size))
	e.time(o.Modified)
	e.string(o.ETag)
	e.string(o.MD5)
	e.uint(o.CRC64)
	e.string(o.Class)
	e.string(o.ACL)
	e.string(o.Tags)
	e.string(o.Target)
	e.headers(o.Headers)
	e.segments(o.Segments)
	if o.VersionID == "" && o.Seq == 0 && !o.Marker && o.Sealed.IsZero() && o.Restore == (Restore{}) && o.Lock == (Lock{}) {
		return e
	}
	e.string(o.VersionID)
	e.uint(o.Seq)
	e.bool(o.Marker)
	for _, t := range []time.Time{o.Sealed, o.Restore.Asked, o.Restore.Ready, o.Restore.Expires} {
		e.optional(t)
	}
	if o.Lock != (Lock{}) {
		e.string(o.Lock.Mode)
		e.optional(o.Lock.Until)
		e.bool(o.Lock.Hold)
	}
	return e
}

func decodeObject(key string, v []byte) (*Object, error) {
	d := newDecoder(v)
	o := decodeInfo(key, d)
	o.ACL, o.Tags, o.Target, o.Headers, o.Segments = d.string(), d.string(), d.string(), d.headers(), d.segments()
	if d.more() { // what most objects have not
		o.VersionID, o.Seq, o.Marker = d.string(), d.uint(), d.bool()
		for _, t := range []*time.Time{&o.Sealed, &o.Restore.Asked, &o.Restore.Ready, &o.Restore.Expires} {
			*t = d.optional()
		}
	}
	if d.more() { // and most of the others, too
		o.Lock = Lock{d.string(), d.optional(), d.bool()}
	}
	return o, d.end("object", key)
}

// decodeInfo reads what listings show of an object, which comes first.
func decodeInfo(key string, d *decoder) *Object {
	return &Object{
		Key: key, Type: Type(d.uint()), Size: d.int(), Modified: d.time(), ETag: d.string(), MD5: d.string(),
		CRC64: d.uint(), Class: d.string(),
	}
}

func encodeUpload(u *Upload) []byte {
	e := newEncoder()
	e.time(u.Initiated)
	e.string(u.Class)
	e.string(u.ACL)
	e.string(u.Tags)
	e.bool(u.Sequential)
	e.bool(u.Forbid)
	e.headers(u.Headers)
	return e
}

func decodeUpload(key, id string, v []byte) (*Upload, error) {
	d := newDecoder(v)
	u := &Upload{
		Key: key, ID: id, Initiated: d.time(), Class: d.string(), ACL: d.string(), Tags: d.string(),
		Sequential: d.bool(), Forbid: d.bool(), Headers: d.headers(),
	}
	return u, d.end("upload", id)
}

func encodePart(p *Part) []byte {
	e := newEncoder()
	e.uint(uint64(p.Size))
	e.time(p.Modified)
	e.string(p.ETag)
	e.uint(p.CRC64)
	e.segments(p.Segments)
	return e
}

func decodePart(number int, v []byte) (*Part, error) {
	d := newDecoder(v)
	p := &Part{
		Number: number, Size: d.int(), Modified: d.time(), ETag: d.string(), CRC64: d.uint(),
		Segments: d.segments(),
	}
	return p, d.end("part", fmt.Sprint(number))
}
