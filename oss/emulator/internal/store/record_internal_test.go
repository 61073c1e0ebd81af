package store

import (
	"math"
	"reflect"
	"testing"
	"time"
)

func TestRecords(t *testing.T) {
	at := time.UnixMilli(1718180130123).UTC()
	headers := []Header{{"content-type", "text/plain"}, {"x-oss-meta-a", ""}}
	segments := []Segment{{Blob: math.MaxUint64, Off: 1, Len: math.MaxInt64}, {Len: 3, Data: []byte("abc")}}
	o := &Object{
		Key: "k", Type: Symlink, Size: math.MaxInt64, Modified: at, ETag: "E", MD5: "M", CRC64: math.MaxUint64, Class: "C",
		ACL: "A", Tags: "a=b", Target: "T", Headers: headers, Segments: segments,
	}
	u := &Upload{Key: "k", ID: "U", Initiated: at, Class: "C", ACL: "A", Tags: "T", Sequential: true, Forbid: true, Headers: headers}
	p := &Part{Number: 7, Size: 1, Modified: at, ETag: "E", CRC64: 9, Segments: segments}
	b := &Bucket{Name: "b", Created: at, ACL: "A", Class: "C", Redundancy: "R"}
	for _, tc := range []struct {
		name   string
		record any
		bytes  []byte
		decode func([]byte) (any, error)
	}{
		{"object", o, encodeObject(o), func(v []byte) (any, error) { return decodeObject("k", v) }},
		{"upload", u, encodeUpload(u), func(v []byte) (any, error) { return decodeUpload("k", "U", v) }},
		{"part", p, encodePart(p), func(v []byte) (any, error) { return decodePart(7, v) }},
		{"bucket", b, encodeBucket(b), func(v []byte) (any, error) { return decodeBucket("b", v) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.decode(tc.bytes)
			if err != nil || !reflect.DeepEqual(got, tc.record) {
				t.Errorf("got %+v, %v", got, err)
			}
			for n := range tc.bytes {
				if _, err := tc.decode(tc.bytes[:n]); err == nil {
					t.Errorf("accepted when cut to %d bytes", n)
				}
			}
			if _, err := tc.decode(append(tc.bytes, 0)); err == nil {
				t.Error("accepted with a byte too many")
			}
			if _, err := tc.decode(append([]byte{recordVersion + 1}, tc.bytes[1:]...)); err == nil {
				t.Error("accepted with another version")
			}
		})
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(encodeObject(&Object{Headers: []Header{{"a", "b"}}, Segments: []Segment{{Blob: 1, Len: 2}, {Len: 1, Data: []byte("x")}}}))
	f.Add(encodePart(&Part{}))
	f.Add([]byte{recordVersion, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, v []byte) {
		if o, err := decodeObject("k", v); err == nil {
			again, err := decodeObject("k", encodeObject(o))
			if err != nil || !reflect.DeepEqual(again, o) {
				t.Fatalf("%+v becomes %+v, %v", o, again, err)
			}
		}
		_, _ = decodeUpload("k", "U", v)
		_, _ = decodePart(1, v)
		_, _ = decodeBucket("b", v)
	})
}
