package checkpoint

import (
	"encoding/binary"
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

// etagSize is the length of the usual ETag: an MD5 in upper-case hex.
const etagSize = 32

const hexDigits = "0123456789ABCDEF"

// etag halves the usual form: a length of 0 with 16 raw bytes behind it. Any
// other string follows its length plus one.
func (e *encoder) etag(s string) {
	at := len(e.b)
	if len(s) == etagSize {
		e.b = append(e.b, 0)
		for i := 0; i < etagSize; i += 2 {
			high, low := strings.IndexByte(hexDigits, s[i]), strings.IndexByte(hexDigits, s[i+1])
			if high < 0 || low < 0 {
				break
			}
			e.b = append(e.b, byte(high<<4|low))
		}
		if len(e.b) == at+1+etagSize/2 {
			return
		}
		e.b = e.b[:at]
	}
	e.uint(uint64(len(s)) + 1)
	e.b = append(e.b, s...)
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
		var text [etagSize]byte
		raw := d.take(etagSize / 2)
		for i, c := range raw {
			text[2*i], text[2*i+1] = hexDigits[c>>4], hexDigits[c&15]
		}
		return string(text[:2*len(raw)])
	}
	return string(d.take(n - 1))
}

// more reports whether there is a further field.
func (d *decoder) more() bool { return !d.bad && len(d.b) > 0 }

// end reports whether every byte was used and every field was there.
func (d *decoder) end() error {
	if d.bad || len(d.b) > 0 {
		return errRecord
	}
	return nil
}
