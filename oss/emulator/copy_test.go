package emulator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func (c *client) copy(key, source string, header ...string) *answer {
	c.t.Helper()
	return c.do("PUT", target(testBucket, key, ""), "", append(header, "x-oss-copy-source", source)...)
}

func TestCopy(t *testing.T) {
	for _, disk := range []bool{false, true} {
		for _, size := range []int{0, 10, 100_000} {
			t.Run(fmt.Sprintf("disk=%v size=%d", disk, size), func(t *testing.T) {
				c := newClientOptions(t, storeOptions(t, disk))
				body := pattern(size)
				c.put("a+b c", body)
				for _, source := range []string{"/examplebucket/a%2Bb%20c", "examplebucket/a%2Bb%20c?versionId=null"} {
					a := c.want(c.copy("copy", source), 200, "")
					if a.element("ETag") != `"`+md5Hex(body)+`"` || a.element("LastModified") != "2024-06-12T08:15:30.000Z" {
						t.Error(a.body)
					}
				}
				c.want(c.do("DELETE", target(testBucket, "a+b c", ""), ""), 204, "")
				if got := c.want(c.get("copy"), 200, "").body; got != body {
					t.Errorf("%d bytes", len(got))
				}
			})
		}
	}
}

// TestCopySourcePlus: a client that writes spaces as plus escapes a plus.
func TestCopySourcePlus(t *testing.T) {
	c := newClient(t)
	c.put("a b+c", "x")
	c.want(c.copy("k", "/"+testBucket+"/a+b%2Bc"), 200, "")
	c.want(c.copy("k", "/"+testBucket+"/a%20b%2Bc", "If-Match", "x", "If-None-Match", "*"), 200, "") // which are about no source
	c.want(c.copy("k", "/"+testBucket+"/a+b+c"), 404, "NoSuchKey")
}

func TestCopyMetadata(t *testing.T) {
	for _, tc := range []struct {
		name, key string
		header    []string
		typ, meta string
		tags      string
	}{
		{"copy", "dst", []string{"x-oss-meta-a", "new", "Content-Type", "text/new"}, "text/old", "old", "1"},
		{"replace", "dst", []string{"x-oss-metadata-directive", "REPLACE", "x-oss-meta-a", "new", "Content-Type", "text/new"}, "text/new", "new", "1"},
		{"replace without type", "dst", []string{"x-oss-metadata-directive", "replace"}, "text/old", "", "1"},
		{"onto itself", "src", []string{"x-oss-meta-a", "new"}, "text/old", "new", "1"},
		{"tags copied", "dst", []string{"x-oss-tagging", "a=b&c=d"}, "text/old", "old", "1"},
		{"tags replaced", "dst", []string{"x-oss-tagging-directive", "Replace", "x-oss-tagging", "a=b&c=d"}, "text/old", "old", "2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			c.put("src", "hello", "Content-Type", "text/old", "x-oss-meta-a", "old", "x-oss-meta-client-side-encryption-key", "K", "x-oss-tagging", "k=v", "x-oss-storage-class", "IA")
			c.want(c.copy(tc.key, "/examplebucket/src", tc.header...), 200, "")
			a := c.want(c.get(tc.key), 200, "")
			got := []string{a.body, a.header.Get("Content-Type"), a.header.Get("x-oss-meta-a"), a.header.Get("x-oss-tagging-count"), a.header.Get("x-oss-storage-class"), a.header.Get("x-oss-meta-client-side-encryption-key")}
			if want := []string{"hello", tc.typ, tc.meta, tc.tags, "Standard", "K"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCopyRefusals(t *testing.T) {
	c := newClient(t)
	c.put("src", "x")
	etag := md5Hex("x")
	earlier := testTime.Add(-time.Hour).Format("Mon, 02 Jan 2006 15:04:05 GMT")
	now := testTime.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	later := testTime.Add(time.Hour).Format("Mon, 02 Jan 2006 15:04:05 GMT")
	const p = "x-oss-copy-source-"
	for _, tc := range []struct {
		name, source string
		header       []string
		status       int
		code         string
	}{
		{"missing source", "/examplebucket/missing", nil, 404, "NoSuchKey"},
		{"missing source bucket", "/missing/src", nil, 404, "NoSuchBucket"},
		{"empty", "", nil, 400, "InvalidArgument"},
		{"no key", "/examplebucket", nil, 400, "InvalidArgument"},
		{"bad escape", "/examplebucket/%zz", nil, 400, "InvalidArgument"},
		{"unknown version", "/examplebucket/src?versionId=CAEQabc", nil, 404, "NoSuchVersion"},
		{"directive", "/examplebucket/src", []string{"x-oss-metadata-directive", "MERGE"}, 400, "InvalidArgument"},
		{"if-match", "/examplebucket/src", []string{p + "if-match", "A"}, 412, "PreconditionFailed"},
		{"if-unmodified-since", "/examplebucket/src", []string{p + "if-unmodified-since", earlier}, 412, "PreconditionFailed"},
		{"if-none-match", "/examplebucket/src", []string{p + "if-none-match", etag}, 304, ""},
		{"if-modified-since", "/examplebucket/src", []string{p + "if-modified-since", now}, 304, ""},
		{"if-modified-since in the future", "/examplebucket/src", []string{p + "if-modified-since", later}, 304, ""},
		{"all fine", "/examplebucket/src", []string{p + "if-match", etag, p + "if-modified-since", earlier}, 200, ""},
	} {
		t.Run(tc.name, func(t *testing.T) { c.want(c.copy("dst", tc.source, tc.header...), tc.status, tc.code) })
	}
}

func TestAppend(t *testing.T) {
	for _, disk := range []bool{false, true} {
		c := newClientOptions(t, storeOptions(t, disk))
		appendAt := func(position int, body string, header ...string) *answer {
			return c.do("POST", target(testBucket, "log", fmt.Sprintf("append&position=%d", position)), body, header...)
		}
		a := c.want(appendAt(0, "12345", "x-oss-meta-a", "first", "Content-Type", "text/plain"), 200, "")
		if a.header.Get("x-oss-next-append-position") != "5" || a.header.Get("x-oss-hash-crc64ecma") != "6748440630437108969" {
			t.Error(a.header)
		}
		a = c.want(appendAt(5, "6789", "x-oss-meta-a", "second", "x-oss-object-acl", "public-read"), 200, "")
		if a.header.Get("x-oss-next-append-position") != "9" || a.header.Get("x-oss-hash-crc64ecma") != "11051210869376104954" {
			t.Error(a.header)
		}
		for _, position := range []int{0, 5, 10} {
			a = c.want(appendAt(position, "x"), 409, "PositionNotEqualToLength")
			if a.header.Get("x-oss-next-append-position") != "9" || a.element("EC") != "0026-00000016" {
				t.Error(a.header, a.body)
			}
		}
		a = c.want(c.get("log"), 200, "")
		if a.body != "123456789" || a.header.Get("x-oss-object-type") != "Appendable" || a.header.Get("x-oss-meta-a") != "first" ||
			a.header.Get("x-oss-next-append-position") != "9" || len(a.header.Get("ETag")) != 34 {
			t.Error(a.body, a.header)
		}
		if got := c.do("GET", target(testBucket, "log", "acl"), "").element("Grant"); got != "public-read" {
			t.Errorf("acl is %s", got)
		}
		c.put("plain", "x")
		a = c.want(c.do("POST", target(testBucket, "plain", "append&position=1"), "x"), 409, "ObjectNotAppendable")
		if a.header.Get("x-oss-next-append-position") != "1" {
			t.Error(a.header)
		}
		c.want(c.do("POST", target(testBucket, "log", "append"), "x"), 400, "MissingArgument")
		c.want(c.do("POST", target(testBucket, "log", "append&position=-1"), "x"), 400, "InvalidArgument")
		c.want(c.do("POST", target(testBucket, "log", "append&position=9"), "x", "Content-MD5", md5Base64("y")), 400, "InvalidDigest")
	}
}
