package oss

import (
	"bytes"
	"hash/crc64"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestEncodedPathSurvives: what is signed is what net/http sends, and decodes to
// the key.
func TestEncodedPathSurvives(t *testing.T) {
	c, err := New("http://127.0.0.1:1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, -1, 200).Draw(t, "key")
		_, path := c.endpoint.locate("bucket", key)
		u := c.urlOf("127.0.0.1:1", path, key, "")
		if u.RequestURI() != path {
			t.Fatalf("%q goes out as %s, signed as %s", key, u.RequestURI(), path)
		}
		if got, err := url.PathUnescape(encodePath(key)); err != nil || got != key {
			t.Fatalf("%q decodes to %q, %v", key, got, err)
		}
		if got, err := decodeKey(encode(key)); err != nil || got != key {
			t.Fatalf("%q decodes to %q, %v", key, got, err)
		}
	})
}

func TestQueryIsSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var query []param
		want := make(url.Values)
		for _, name := range rapid.SliceOfNDistinct(rapid.StringN(1, 5, 20), 0, 8, rapid.ID[string]).Draw(t, "names") {
			value := rapid.String().Draw(t, "value")
			query, want[name] = append(query, param{name, value}), []string{value}
		}
		text := string(appendQuery(nil, query))
		got, err := url.ParseQuery(text)
		if err != nil || got.Encode() != want.Encode() {
			t.Fatalf("%s is read as %v, %v, want %v", text, got, err, want)
		}
		var names []string
		for _, p := range query {
			names = append(names, encode(p.name))
		}
		if !slices.IsSorted(names) {
			t.Fatalf("%s is not sorted", text)
		}
	})
}

func TestPartsCombine(t *testing.T) {
	table := crc64.MakeTable(crc64.ECMA)
	rapid.Check(t, func(t *rapid.T) {
		var whole []byte
		var parts []Part
		for _, p := range rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 6).Draw(t, "parts") {
			whole = append(whole, p...)
			parts = append(parts, Part{Size: int64(len(p)), CRC64: crc64.Checksum(p, table), HasCRC64: true})
		}
		if sum, ok := combineParts(parts); !ok || sum != crc64.Checksum(whole, table) {
			t.Fatalf("got %d, %v", sum, ok)
		}
		parts[len(parts)-1].HasCRC64 = false
		if _, ok := combineParts(parts); ok {
			t.Fatal("combined without knowing every part")
		}
	})
}

// TestRangeWithin holds Range against slicing.
func TestRangeWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 50).Draw(t, "total")
		data := bytes.Repeat([]byte{0}, int(total))
		for i := range data {
			data[i] = byte(i)
		}
		a := rapid.Int64Range(0, total-1).Draw(t, "a")
		b := rapid.Int64Range(a, 80).Draw(t, "b")
		n := rapid.Int64Range(1, 80).Draw(t, "n")
		for _, v := range []struct {
			rng  Range
			want []byte
		}{
			{Range{}, data},
			{RangeBetween(a, b), data[a:min(b+1, total)]},
			{RangeFrom(a), data[a:]},
			{RangeLast(n), data[max(0, total-n):]},
		} {
			first, last := v.rng.within(total)
			if !bytes.Equal(data[first:last+1], v.want) {
				t.Fatalf("%v of %d is %d to %d", v.rng, total, first, last)
			}
			if again, err := ParseRange(v.rng.String()); err != nil || again != v.rng {
				t.Fatalf("%v comes back as %v, %v", v.rng, again, err)
			}
		}
	})
}

// FuzzAnswerHeaders: no header of an answer may upset the client.
func FuzzAnswerHeaders(f *testing.F) {
	f.Add("bytes 0-1/2", "2", "\"E\"", "Wed, 12 Jun 2024 08:15:30 GMT", "PEVycm9yLz4=")
	f.Fuzz(func(_ *testing.T, contentRange, crc, etag, modified, x string) {
		h := http.Header{
			"Content-Range": {contentRange}, "X-Oss-Hash-Crc64ecma": {crc}, "Etag": {etag},
			"Last-Modified": {modified}, "X-Oss-Err": {x}, "Location": {x}, "Retry-After": {x}, "Date": {modified},
		}
		newObjectMeta(&http.Response{Header: h})
		parseContentRange(contentRange)
		r := &call{op: "GetObject", bucket: "bucket", key: "key"}
		e := r.serverError(&http.Response{StatusCode: 404, Header: h, Body: http.NoBody})
		_ = e.Error()
		Classify(e)
		RetryAfter(e)
	})
}
