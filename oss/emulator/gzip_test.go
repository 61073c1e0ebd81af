package emulator_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestGzip(t *testing.T) {
	c := newClient(t)
	text := strings.Repeat("some text ", 200)
	c.put("page", text, "Content-Type", "text/html; charset=utf-8")
	c.put("small", "x", "Content-Type", "text/html")
	c.put("binary", text, "Content-Type", "application/octet-stream")
	c.put("packed", text, "Content-Type", "text/html", "Content-Encoding", "br")
	for _, test := range []struct {
		key, accept, rng string
		packed           bool
	}{
		{"page", "deflate, gzip", "", true},
		{"page", "gzip;q=0", "", false},
		{"page", "identity", "", false},
		{"page", "", "", false},
		{"page", "gzip", "bytes=0-1999", false},
		{"small", "gzip", "", false},
		{"binary", "gzip", "", false},
		{"packed", "gzip", "", false},
	} {
		header := []string{"Accept-Encoding", test.accept}
		if test.rng != "" {
			header = append(header, "Range", test.rng)
		}
		a := c.get(test.key, header...)
		packed := a.header.Get("Content-Encoding") == "gzip"
		if packed != test.packed || packed == (a.header.Get("ETag") != "") || packed == (a.header.Get("Content-Length") != "") ||
			packed == (a.header.Get("x-oss-hash-crc64ecma") != "") {
			t.Errorf("%v: %v", test, a.header)
		}
		if packed {
			z, err := gzip.NewReader(strings.NewReader(a.body))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || string(got) != text {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
	}
}
