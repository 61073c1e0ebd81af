package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

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
