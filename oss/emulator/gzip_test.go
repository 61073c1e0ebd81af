package emulator_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
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

// TestGzipChunked: on the wire a compressed answer has no length, however short
// it comes out.
func TestGzipChunked(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	hc := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer hc.CloseIdleConnections()
	send := func(method, body string, header ...string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, endpoint+target(testBucket, "page", ""), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		signV4(r, time.Now())
		res, err := hc.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	text := strings.Repeat("a", 1<<10)
	_ = send("PUT", text, "Content-Type", "text/plain").Body.Close()
	res := send("GET", "", "Accept-Encoding", "gzip")
	defer res.Body.Close()
	if res.ContentLength != -1 || !slices.Equal(res.TransferEncoding, []string{"chunked"}) {
		t.Errorf("length %d, transfer encoding %q", res.ContentLength, res.TransferEncoding)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
