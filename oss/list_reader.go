package oss

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// reader decodes a listing: fields are read only as far as no error occurred.
type reader struct {
	scanner
	err     error
	encoded bool   // encoding-type=url was honoured
	class   string // the last StorageClass and Type read
	kind    string
}

// children calls f for each child of the open element, which it must read.
func (r *reader) children(f func(name []byte)) {
	for r.err == nil {
		name, ok, err := r.child()
		if err != nil {
			r.err = err
		}
		if err != nil || !ok {
			return
		}
		f(name)
	}
}

func (r *reader) str() string {
	s, err := r.text()
	if r.err == nil {
		r.err = err
	}
	return s
}

// key is a field that encoding-type=url encodes.
func (r *reader) key() string {
	s := r.str()
	if r.err == nil && r.encoded {
		s, r.err = decodeKey(s)
	}
	return s
}

func (r *reader) int() int64 {
	b, err := r.bytes()
	if r.err == nil {
		r.err = err
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if r.err == nil {
		r.err = err
	}
	return n
}

func (r *reader) bool() bool { return r.str() == "true" }

func (r *reader) etag() string { return unquoteETag(r.str()) }

func (r *reader) pass() {
	if err := r.skip(); r.err == nil {
		r.err = err
	}
}

// word is str for a field of few values: the last value is shared.
func (r *reader) word(last *string) string {
	b, err := r.bytes()
	if r.err == nil {
		r.err = err
	}
	if string(b) != *last {
		*last = string(b)
	}
	return *last
}

func (r *reader) time() time.Time {
	b, err := r.bytes()
	if r.err == nil {
		r.err = err
	}
	return parseXMLTime(string(b))
}

// open enters the root. Whether keys are encoded is found beforehand: the
// element that says so may come after the first key. A key cannot hold it, since
// XML text has no '<'.
func (r *reader) open(root string) {
	r.encoded = bytes.Contains(r.data, []byte("<EncodingType>url</EncodingType>"))
	r.err = r.root(root)
}

func newReader(body []byte) *reader { return &reader{scanner: scanner{data: body}} }

func (r *reader) owner() (o Owner) {
	r.children(func(name []byte) {
		switch string(name) {
		case "ID":
			o.ID = r.str()
		case "DisplayName":
			o.DisplayName = r.str()
		default:
			r.pass()
		}
	})
	return o
}

func (r *reader) prefixes(dst []string) []string {
	r.children(func(name []byte) {
		if string(name) == "Prefix" {
			dst = append(dst, r.key())
			return
		}
		r.pass()
	})
	return dst
}

// done is the verdict over a whole page. One without IsTruncated could be half
// a listing.
func (r *reader) done(truncated bool) error {
	if r.err == nil && !truncated {
		return errors.New("no IsTruncated")
	}
	return r.err
}
