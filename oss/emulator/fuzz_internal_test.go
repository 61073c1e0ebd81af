package emulator

import (
	"bufio"
	"bytes"
	"hash/crc64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// These tests reach inside, to give the parsers more inputs per second than
// whole requests could.

func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		"<Delete><Quiet>true</Quiet><Object><Key>a&#x01;&amp;</Key><VersionId>null</VersionId></Object></Delete>",
		`<?xml version="1.0"?><a:Delete xmlns:a="b"><!-- c --><Object><Key><![CDATA[<k>]]></Key></Object><x/></a:Delete>`,
		"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"A\"</ETag></Part></CompleteMultipartUpload>",
		"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>",
		"<a", "<a>&", "</a>", "<!DOCTYPE a>", strings.Repeat("<a>", 100),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, _, err := parseDelete(b); err == nil {
			for _, k := range keys {
				if !validKey(k.key) {
					t.Fatalf("key %q", k.key)
				}
			}
		}
		if list, err := parseCompletion(b); err == nil {
			for i := 1; i < len(list); i++ {
				if list[i].number <= list[i-1].number {
					t.Fatal("not ascending")
				}
			}
		}
		if tags, err := parseTagging(b); err == nil {
			if again, err := parseTagHeader(tags); err != nil || again != tags {
				t.Fatalf("%q becomes %q, %v", tags, again, err)
			}
		}
	})
}

// TestEscapeRoundTrip writes texts as documents and reads them back.
func TestEscapeRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 })).Draw(rt, "text")
		var d document
		d.open("a")
		d.text("b", text)
		d.close("a")
		root, err := parseDocument(append([]byte(prolog), d.b...), "a")
		if err != nil {
			rt.Fatal(err)
		}
		if got, _ := root.child("b"); got != text {
			rt.Fatalf("%q came back as %q", text, got)
		}
	})
}

func TestDocumentLimits(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		ok        bool
	}{
		{"depth 32", strings.Repeat("<a>", 32) + strings.Repeat("</a>", 32), true},
		{"depth 33", strings.Repeat("<a>", 33) + strings.Repeat("</a>", 33), false},
		{"50,000 elements", "<a>" + strings.Repeat("<b/>", 49_999) + "</a>", true},
		{"50,001 elements", "<a>" + strings.Repeat("<b/>", 50_000) + "</a>", false},
		{"2 MiB", "<a>" + strings.Repeat("x", 2<<20-7) + "</a>", true},
		{"over 2 MiB", "<a>" + strings.Repeat("x", 2<<20-6) + "</a>", false},
		{"300,000 comments", "<a>" + strings.Repeat("<!---->", 299_000) + "</a>", true},
		{"two roots", "<a></a><a></a>", false},
		{"text behind", "<a></a>x", false},
		{"byte order mark", "\ufeff<a></a>", true},
		{"not UTF-8", "<a>\xff</a>", false},
		{"reference to NUL", "<a>&#0;</a>", false},
		{"reference to a surrogate", "<a>&#xD800;</a>", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parseDocument([]byte(tc.doc), "a"); (err == nil) != tc.ok {
				t.Errorf("error is %v, want success %v", err, tc.ok)
			}
		})
	}
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=9223372036854775807-9223372036854775807", "bytes=--1"} {
		f.Add(s, int64(10), true)
	}
	f.Fuzz(func(t *testing.T, header string, size int64, standard bool) {
		if size < 0 {
			return
		}
		rg, err := resolveRange(header, size, standard)
		if err != nil {
			return
		}
		if rg.off < 0 || rg.len < 0 || rg.off+rg.len > size || rg.off+rg.len < 0 {
			t.Fatalf("%q of %d bytes is %+v", header, size, rg)
		}
		if rg.status == http.StatusOK && (rg.off != 0 || rg.len != size) || rg.status == http.StatusPartialContent && rg.len == 0 {
			t.Fatalf("%q of %d bytes is %+v", header, size, rg)
		}
	})
}

func TestCombineCRC64(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := rapid.SliceOf(rapid.Byte()).Draw(rt, "a")
		b := rapid.SliceOf(rapid.Byte()).Draw(rt, "b")
		sum := func(p []byte) uint64 { return crc64.Checksum(p, crcTable) }
		if got, want := combineCRC64(sum(a), sum(b), int64(len(b))), sum(append(a, b...)); got != want {
			rt.Fatalf("combined %x, want %x", got, want)
		}
	})
	if got := combineCRC64(7233985612489857427, 589892188828161447, 65536); got != 9184982257980251422 {
		t.Errorf("known pair gives %d", got)
	}
}

// FuzzServeHTTP sends arbitrary requests, as if the owner had signed them.
func FuzzServeHTTP(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /bucket/a%2Fb HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nx-oss-tagging: a=b\r\n\r\nabc",
		"PUT /bucket/k?partNumber=1&uploadId=A HTTP/1.1\r\nHost: h\r\nx-oss-copy-source: /bucket/k\r\n\r\n",
		"POST /bucket/?delete HTTP/1.1\r\nHost: bucket.h.x\r\nContent-Length: 9\r\n\r\n<Delete/>",
		"GET /bucket/?list-type=2&continuation-token=AAAAAA&delimiter=/ HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /bucket/k HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nAuthorization: OSS4-HMAC-SHA256 a=b\r\n\r\n",
		"POST /bucket/k?append&position=0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"GET /bucket/?uploads&prefix=%FF&key-marker=a HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT /bucket/k?symlink HTTP/1.1\r\nHost: h\r\nx-oss-symlink-target: k\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	s, err := Open(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	if err := s.CreateBucket("bucket"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, signed := range []bool{false, true} {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
			if err != nil {
				return
			}
			w := httptest.NewRecorder()
			authenticate := (*request).authenticate
			if signed {
				authenticate = func(rq *request, route *route) error {
					rq.signed = true
					return rq.needRoutedBucket(route)
				}
			}
			newRequest(s, w, r).run(authenticate)
			if w.Code == http.StatusInternalServerError {
				t.Fatalf("internal error: %s", w.Body)
			}
			if len(w.Header().Get("x-oss-request-id")) != 24 {
				t.Fatal("no request id")
			}
		}
	})
}
