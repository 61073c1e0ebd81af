package emulator_test

import (
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestPutGetRoundTrip(t *testing.T) {
	c := newClient(t)
	const key = "dir/hello world+.txt"
	c.put(key, "hello world", "Content-Type", "text/plain", "x-oss-meta-Author", "me", "Cache-Control", "no-cache",
		"Content-Disposition", "inline", "Content-Encoding", "identity", "Content-Language", "en", "Expires", "soon",
		"x-oss-server-side-encryption", "AES256", "x-oss-storage-class", "IA", "x-oss-tagging", "a=b&c=d%20e")
	for _, method := range []string{"GET", "HEAD"} {
		a := c.want(c.do(method, target(testBucket, key, ""), ""), 200, "")
		for name, want := range map[string]string{
			"Content-Type": "text/plain", "x-oss-meta-author": "me", "Cache-Control": "no-cache",
			"Content-Disposition": "inline", "Content-Encoding": "identity", "Content-Language": "en", "Expires": "soon",
			"x-oss-server-side-encryption": "AES256", "x-oss-storage-class": "IA", "x-oss-tagging-count": "2",
			"x-oss-object-type": "Normal", "x-oss-hash-crc64ecma": "5981764153023615706",
			"Content-MD5": md5Base64("hello world"), "ETag": `"` + md5Hex("hello world") + `"`,
			"Content-Length": "11", "Accept-Ranges": "bytes", "Last-Modified": "Wed, 12 Jun 2024 08:15:30 GMT",
			"Server": "AliyunOSS", "Date": "Wed, 12 Jun 2024 08:15:30 GMT",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s %s is %q, want %q", method, name, got, want)
			}
		}
		if _, err := strconv.Atoi(a.header.Get("x-oss-server-time")); err != nil {
			t.Errorf("server time: %v", err)
		}
		if id := a.header.Get("x-oss-request-id"); len(id) != 24 || strings.Trim(id, "0123456789ABCDEF") != "" {
			t.Errorf("request id is %q", id)
		}
	}
}

// TestSizes goes over the places where bytes are kept in another way.
func TestSizes(t *testing.T) {
	for _, disk := range []bool{false, true} {
		c := newClientOptions(t, storeOptions(t, disk))
		for _, size := range []int{0, 1, 4095, 4096, 4097, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20} {
			body := pattern(size)
			c.put("k", body)
			if a := c.want(c.get("k"), 200, ""); a.body != body {
				t.Errorf("%d bytes came back as %d", size, len(a.body))
			}
		}
	}
}

// pattern makes bytes whose place can be told.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)
	}
	return string(b)
}

func TestContentMD5(t *testing.T) {
	c := newClient(t)
	c.put("k", "old")
	c.put("k", "x", "Content-MD5", md5Base64("x"))
	for _, size := range []int{1, 100_000} {
		body := pattern(size)
		for _, bad := range []string{md5Base64("y"), "no base64", "YWJj"} {
			c.want(c.do("PUT", target(testBucket, "k", ""), body, "Content-MD5", bad), 400, "InvalidDigest")
		}
	}
	if got := c.get("k").body; got != "x" {
		t.Errorf("body is %q", got)
	}
}

func TestPutRefusals(t *testing.T) {
	c := newClient(t)
	for _, tc := range []struct{ name, header, value, code string }{
		{"class", "x-oss-storage-class", "Gold", "InvalidArgument"},
		{"acl", "x-oss-object-acl", "everybody", "InvalidArgument"},
		{"encryption", "x-oss-server-side-encryption", "ROT13", "InvalidEncryptionAlgorithmError"},
		{"forbid", "x-oss-forbid-overwrite", "maybe", "InvalidArgument"},
		{"tags", "x-oss-tagging", "a=b&a=c", "InvalidTag"},
		{"metadata", "x-oss-meta-a", strings.Repeat("a", 8<<10), "InvalidArgument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.want(c.do("PUT", target(testBucket, "k", ""), "x", tc.header, tc.value), 400, tc.code)
			c.want(c.get("k"), 404, "NoSuchKey")
		})
	}
}

func TestForbidOverwrite(t *testing.T) {
	c := newClient(t)
	const forbid = "x-oss-forbid-overwrite"
	c.put("k", "old", forbid, "true")
	id := c.initiate("late", forbid, "true")
	plain := c.initiate("k2")
	c.put("late", "old")
	c.put("k2", "old")
	for _, tc := range []struct {
		name string
		do   func() *answer
	}{
		{"put", func() *answer { return c.do("PUT", target(testBucket, "k", ""), "x", forbid, "true") }},
		{"copy", func() *answer {
			return c.do("PUT", target(testBucket, "k", ""), "", "x-oss-copy-source", "/examplebucket/late", forbid, "true")
		}},
		{"append", func() *answer {
			c.want(c.do("POST", target(testBucket, "log", "append&position=0"), "x"), 200, "")
			return c.do("POST", target(testBucket, "log", "append&position=0"), "x", forbid, "true")
		}},
		{"symlink", func() *answer {
			return c.do("PUT", target(testBucket, "k", "symlink"), "", "x-oss-symlink-target", "late", forbid, "true")
		}},
		{"initiate", func() *answer { return c.do("POST", target(testBucket, "k", "uploads"), "", forbid, "true") }},
		{"complete of a forbidding upload", func() *answer { return c.complete("late", id, partList()) }},
		{"complete", func() *answer { return c.complete("k2", plain, partList(), forbid, "true") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.want(tc.do(), 409, "FileAlreadyExists")
		})
	}
	if got := c.get("k").body; got != "old" {
		t.Errorf("body is %q", got)
	}
	c.put("k", "new", forbid, "false")
}

// TestForbidOverwriteRace lets another request make the object while the body
// of the first is on its way.
func TestForbidOverwriteRace(t *testing.T) {
	c := newClient(t)
	pr, pw := io.Pipe()
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "http://127.0.0.1"+target(testBucket, "k", ""), pr)
	r.ContentLength = -1
	r.Header.Set("x-oss-forbid-overwrite", "true")
	signV4(r, c.now)
	done := make(chan *answer)
	go func() { done <- c.send(r) }()
	if _, err := io.WriteString(pw, "late"); err != nil { // returns when the server has read it
		t.Fatal(err)
	}
	c.put("k", "first")
	if err := pw.Close(); err != nil {
		t.Fatal(err)
	}
	c.want(<-done, 409, "FileAlreadyExists")
	if got := c.get("k").body; got != "first" {
		t.Errorf("body is %q", got)
	}
}

// TestPromisedLength: in process, nobody but the server counts.
func TestPromisedLength(t *testing.T) {
	c := newClient(t)
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "http://127.0.0.1"+target(testBucket, "k", ""), strings.NewReader("abc"))
	r.ContentLength = 4
	signV4(r, c.now)
	c.want(c.send(r), 400, "RequestTimeout")
	c.want(c.get("k"), 404, "NoSuchKey")
}

func TestDelete(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	c.want(c.do("DELETE", target(testBucket, "k", "versionId=CAEQabc"), ""), 204, "")
	c.want(c.get("k"), 200, "")
	for range 2 { // a missing key is as good
		c.want(c.do("DELETE", target(testBucket, "k", "versionId=null"), ""), 204, "")
	}
	c.want(c.get("k"), 404, "NoSuchKey")
	c.want(c.do("DELETE", target("missing", "k", ""), ""), 404, "NoSuchBucket")
}

func (c *client) deleteObjects(query, body string) *answer {
	c.t.Helper()
	return c.do("POST", target(testBucket, "", "delete"+query), body, "Content-MD5", md5Base64(body))
}

func TestDeleteMultiple(t *testing.T) {
	c := newClient(t)
	for _, k := range []string{"a", "b c", "\x01", "\x0c", "&<>", "stay"} {
		c.put(k, "x")
	}
	a := c.want(c.deleteObjects("&encoding-type=url", `<?xml version="1.0"?><!-- x --><Delete><Quiet>false</Quiet>`+
		`<Object><Key>a</Key></Object><Object><Key>b c</Key><VersionId>null</VersionId></Object><Object><Key>missing</Key></Object>`+
		`<Object><Key>&#x01;</Key></Object><Object><Key>`+"\x0c"+`</Key></Object><Object><Key>&amp;&lt;&gt;</Key></Object></Delete>`), 200, "")
	if got := strings.Join(a.elements("Key"), " "); got != "a b%20c missing %01 %0C %26%3C%3E" || a.element("EncodingType") != "url" {
		t.Errorf("deleted %s", got)
	}
	if got := c.do("GET", target(testBucket, "", ""), "").elements("Key"); len(got) != 1 || got[0] != "stay" {
		t.Errorf("left are %q", got)
	}
	a = c.want(c.deleteObjects("", "<Delete><Quiet>true</Quiet><Object><Key>stay</Key></Object></Delete>"), 200, "")
	if a.body != "" {
		t.Errorf("quiet answer is %q", a.body)
	}
	c.want(c.get("stay"), 404, "NoSuchKey")
}

// The vendor's Java client asks in a header for keys to be encoded.
func TestDeleteMultipleEncodingHeader(t *testing.T) {
	c := newClient(t)
	body := "<Delete><Object><Key>a&#1;</Key></Object></Delete>"
	a := c.want(c.do("POST", target(testBucket, "", "delete"), body, "Content-MD5", md5Base64(body), "Encoding-Type", "url"), 200, "")
	if a.element("Key") != "a%01" || a.element("EncodingType") != "url" {
		t.Error(a.body)
	}
}

func TestDeleteMultipleRefusals(t *testing.T) {
	c := newClient(t)
	one := "<Object><Key>k</Key></Object>"
	for _, tc := range []struct{ name, body, code string }{
		{"empty", "", "MalformedXML"},
		{"no keys", "<Delete></Delete>", "MalformedXML"},
		{"too many", "<Delete>" + strings.Repeat(one, 1001) + "</Delete>", "MalformedXML"},
		{"odd quiet", "<Delete><Quiet>maybe</Quiet>" + one + "</Delete>", "MalformedXML"},
		{"other root", "<Remove>" + one + "</Remove>", "MalformedXML"},
		{"not closed", "<Delete>" + one, "MalformedXML"},
		{"crossed", "<Delete><Object><Key>k</Object></Key></Delete>", "MalformedXML"},
		{"entity", "<Delete><Object><Key>&x;</Key></Object></Delete>", "MalformedXML"},
		{"document type", "<!DOCTYPE a [<!ENTITY x 'y'>]><Delete>" + one + "</Delete>", "MalformedXML"},
		{"no key", "<Delete><Object></Object></Delete>", "MalformedXML"},
		{"too deep", strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50), "MalformedXML"},
		{"too large", "<Delete>" + one + strings.Repeat(" ", 2<<20) + "</Delete>", "MalformedXML"},
		{"bad key", "<Delete><Object><Key>/k</Key></Object></Delete>", "InvalidObjectName"},
	} {
		t.Run(tc.name, func(t *testing.T) { c.want(c.deleteObjects("", tc.body), 400, tc.code) })
	}
	full := "<Delete>" + strings.Repeat(one, 1000) + "</Delete>"
	c.want(c.deleteObjects("", full), 200, "")
	c.want(c.do("POST", target(testBucket, "", "delete"), full), 400, "MissingArgument")
	c.want(c.do("POST", target(testBucket, "", "delete"), full, "Content-MD5", md5Base64("x")), 400, "InvalidDigest")
}
