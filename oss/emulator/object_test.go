package emulator_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestPutGetRoundTrip(t *testing.T) {
	c := newClient(t)
	a := c.put("dir/hello world+.txt", "hello world", "Content-Type", "text/plain", "x-oss-meta-Author", "me",
		"Cache-Control", "no-cache", "x-oss-storage-class", "IA", "x-oss-tagging", "a=b&c=d")
	if got := a.header.Get("x-oss-hash-crc64ecma"); got != "5981764153023615706" {
		t.Errorf("crc is %s", got)
	}
	if got, want := a.header.Get("ETag"), `"`+md5Hex("hello world")+`"`; got != want {
		t.Errorf("etag is %s, want %s", got, want)
	}
	for _, method := range []string{"GET", "HEAD"} {
		a = c.want(c.do(method, target(testBucket, "dir/hello world+.txt", ""), ""), 200, "")
		for name, want := range map[string]string{
			"Content-Type": "text/plain", "x-oss-meta-author": "me", "Cache-Control": "no-cache",
			"x-oss-storage-class": "IA", "x-oss-tagging-count": "2", "x-oss-object-type": "Normal",
			"x-oss-hash-crc64ecma": "5981764153023615706", "Content-MD5": md5Base64("hello world"),
			"Content-Length": "11", "Accept-Ranges": "bytes", "Last-Modified": "Wed, 12 Jun 2024 08:15:30 GMT",
			"Server": "AliyunOSS", "Date": "Wed, 12 Jun 2024 08:15:30 GMT", "ETag": `"` + md5Hex("hello world") + `"`,
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s %s is %q, want %q", method, name, got, want)
			}
		}
	}
}

func TestMultipart(t *testing.T) {
	c := newClient(t)
	var first, second strings.Builder
	for i := range 102400 {
		first.WriteByte(byte(i))
	}
	for i := range 65536 {
		second.WriteByte(byte((7*i + 3) % 251))
	}
	id := c.initiate("big")
	e2 := c.want(c.part("big", id, 7, second.String()), 200, "").header.Get("ETag")
	e1 := c.want(c.part("big", id, 3, first.String()), 200, "").header.Get("ETag")
	a := c.want(c.complete("big", id, partList(3, e1, 7, e2)), 200, "")
	if got, want := a.element("ETag"), `"4264F439D93FB17122D031787A045450-2"`; got != want {
		t.Errorf("etag is %s, want %s", got, want)
	}
	for _, a := range []*answer{a, c.get("big")} {
		if got := a.header.Get("x-oss-hash-crc64ecma"); got != "9184982257980251422" {
			t.Errorf("crc is %s", got)
		}
	}
	if got := c.get("big").body; got != first.String()+second.String() {
		t.Error("body differs")
	}
	a = c.get("big", "Range", "bytes=102390-102410")
	if want := (first.String() + second.String())[102390:102411]; a.status != 206 || a.body != want {
		t.Errorf("range over the seam: %d, %x, want %x", a.status, a.body, want)
	}
	c.want(c.complete("big", id, partList(3, e1)), 404, "NoSuchUpload")
}

func TestListDelimiter(t *testing.T) {
	c := newClient(t)
	for i := range 5 {
		c.put(fmt.Sprintf("a/%d", i), "x")
		c.put(fmt.Sprintf("b%d", i), "x")
	}
	a := c.want(c.do("GET", target(testBucket, "", "delimiter=%2F&max-keys=2"), ""), 200, "")
	if got := fmt.Sprint(a.elements("Key"), a.elements("NextMarker"), a.element("IsTruncated")); got != "[b0] [b0]true" {
		t.Error(got, a.body)
	}
}
