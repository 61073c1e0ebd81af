package emulator_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// vectorParts are the parts of the known multipart ETag and checksum.
func vectorParts() (first, second string) {
	a, b := make([]byte, 102400), make([]byte, 65536)
	for i := range a {
		a[i] = byte(i)
	}
	for i := range b {
		b[i] = byte((7*i + 3) % 251)
	}
	return string(a), string(b)
}

func TestMultipart(t *testing.T) {
	for _, disk := range []bool{false, true} {
		c := newClientOptions(t, storeOptions(t, disk))
		first, second := vectorParts()
		id := c.initiate("big", "x-oss-meta-a", "b", "Content-Type", "text/plain")
		a := c.want(c.part("big", id, 7, second), 200, "")
		if a.header.Get("Content-MD5") != md5Base64(second) || a.header.Get("x-oss-hash-crc64ecma") != "589892188828161447" {
			t.Error(a.header)
		}
		e2 := a.header.Get("ETag")
		c.want(c.part("big", id, 3, "to be replaced"), 200, "")
		e1 := c.want(c.part("big", id, 3, first), 200, "").header.Get("ETag")
		c.want(c.part("big", id, 9, "not listed"), 200, "")
		a = c.want(c.complete("big", id, partList(3, strings.ToLower(e1), 7, strings.Trim(e2, `"`))), 200, "")
		if got, want := a.element("ETag"), `"4264F439D93FB17122D031787A045450-2"`; got != want {
			t.Errorf("etag is %s, want %s", got, want)
		}
		for _, a := range []*answer{a, c.get("big"), c.do("HEAD", target(testBucket, "big", ""), "")} {
			if got := a.header.Get("x-oss-hash-crc64ecma"); got != "9184982257980251422" {
				t.Errorf("crc is %s", got)
			}
		}
		a = c.get("big")
		if a.body != first+second {
			t.Error("body differs")
		}
		if a.header.Get("x-oss-object-type") != "Multipart" || a.header.Get("x-oss-meta-a") != "b" ||
			a.header.Get("Content-Type") != "text/plain" || a.header.Get("Content-MD5") != "" {
			t.Error(a.header)
		}
		a = c.get("big", "Range", "bytes=102390-102410")
		if want := (first + second)[102390:102411]; a.status != 206 || a.body != want {
			t.Errorf("range over the seam: %d, %x, want %x", a.status, a.body, want)
		}
	}
}

func TestKnownMultipartETag(t *testing.T) {
	// The digests of the real sample cannot be turned into bytes; its rule
	// can be checked with parts of any content.
	c := newClient(t)
	id := c.initiate("k")
	var tags strings.Builder
	var list []any
	for i := range 3 {
		e := c.part("k", id, i+1, strings.Repeat(fmt.Sprint(i), 102400)).header.Get("ETag")
		tags.WriteString(strings.Trim(e, `"`))
		list = append(list, i+1, e)
	}
	a := c.want(c.complete("k", id, partList(list...)), 200, "")
	if got, want := a.element("ETag"), `"`+md5Hex(tags.String())+`-3"`; got != want {
		t.Errorf("etag is %s, want %s", got, want)
	}
}

func TestCompleteRefusals(t *testing.T) {
	c := newClient(t)
	id := c.initiate("k")
	big := strings.Repeat("x", 102400)
	e1 := c.part("k", id, 1, big).header.Get("ETag")
	e2 := c.part("k", id, 2, "small").header.Get("ETag")
	e3 := c.part("k", id, 3, "last").header.Get("ETag")
	for _, tc := range []struct {
		name, id, list string
		header         []string
		status         int
		code           string
	}{
		{"unknown number", id, partList(1, e1, 4, e1), nil, 400, "InvalidPart"},
		{"other etag", id, partList(1, e2), nil, 400, "InvalidPart"},
		{"order", id, partList(2, e2, 1, e1), nil, 400, "InvalidPartOrder"},
		{"twice", id, partList(1, e1, 1, e1), nil, 400, "InvalidPartOrder"},
		{"too small", id, partList(1, e1, 2, e2, 3, e3), nil, 400, "EntityTooSmall"},
		{"no document", id, "", nil, 400, "MalformedXML"},
		{"other document", id, "<a/>", nil, 400, "MalformedXML"},
		{"no number", id, "<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>", nil, 400, "MalformedXML"},
		{"unknown id", strings.Repeat("A", 32), partList(1, e1), nil, 404, "NoSuchUpload"},
		{"all and a list", id, partList(1, e1), []string{"x-oss-complete-all", "yes"}, 400, "InvalidArgument"},
		{"all too small", id, "", []string{"x-oss-complete-all", "yes"}, 400, "EntityTooSmall"},
		{"all maybe", id, "", []string{"x-oss-complete-all", "maybe"}, 400, "InvalidArgument"},
	} {
		t.Run(tc.name, func(t *testing.T) { c.want(c.complete("k", tc.id, tc.list, tc.header...), tc.status, tc.code) })
	}
	c.want(c.get("k"), 404, "NoSuchKey")
	c.want(c.complete("k", id, partList(1, e1, 3, e3)), 200, "") // a gap is fine
}

func TestCompleteAll(t *testing.T) {
	c := newClient(t)
	id := c.initiate("k")
	big := strings.Repeat("x", 102400)
	c.want(c.part("k", id, 9, "end"), 200, "")
	c.want(c.part("k", id, 2, big), 200, "")
	c.want(c.complete("k", id, "", "x-oss-complete-all", "yes"), 200, "")
	if got := c.get("k").body; got != big+"end" {
		t.Errorf("%d bytes", len(got))
	}
}

func TestCompleteNothing(t *testing.T) {
	c := newClient(t)
	id := c.initiate("k")
	c.part("k", id, 1, "dropped")
	c.want(c.complete("k", id, partList()), 200, "")
	a := c.want(c.get("k"), 200, "")
	if a.body != "" || a.header.Get("x-oss-hash-crc64ecma") != "0" {
		t.Errorf("%q %v", a.body, a.header)
	}
}

func TestUploadsThatAreGone(t *testing.T) {
	c := newClient(t)
	c.put("source", "x")
	aborted, done := c.initiate("k"), c.initiate("k")
	c.part("k", aborted, 1, "x")
	c.want(c.do("DELETE", target(testBucket, "k", "uploadId="+aborted), ""), 204, "")
	c.want(c.complete("k", done, partList()), 200, "")
	for name, id := range map[string]string{"aborted": aborted, "completed": done, "unknown": "X", "of another key": c.initiate("other")} {
		t.Run(name, func(t *testing.T) {
			q := "uploadId=" + id
			for op, tc := range map[string]struct {
				a  *answer
				ec string
			}{
				"part":     {c.part("k", id, 1, "x"), "0042-00000104"},
				"copy":     {c.do("PUT", target(testBucket, "k", "partNumber=1&"+q), "", "x-oss-copy-source", "/examplebucket/source"), "0042-00000311"},
				"list":     {c.do("GET", target(testBucket, "k", q), ""), "0042-00000002"},
				"complete": {c.complete("k", id, partList()), "0042-00000002"},
				"abort":    {c.do("DELETE", target(testBucket, "k", q), ""), "0042-00000002"},
			} {
				c.want(tc.a, 404, "NoSuchUpload")
				if got := tc.a.element("EC"); got != tc.ec {
					t.Errorf("EC of %s is %s, want %s", op, got, tc.ec)
				}
			}
		})
	}
}

func TestPartRefusals(t *testing.T) {
	c := newClient(t)
	id := c.initiate("k")
	for _, n := range []string{"0", "10001", "-1", "x"} {
		c.want(c.do("PUT", target(testBucket, "k", "partNumber="+n+"&uploadId="+id), "x"), 400, "InvalidArgument")
	}
	c.want(c.do("PUT", target(testBucket, "k", "uploadId="+id), "x"), 400, "MissingArgument")
	c.want(c.do("PUT", target(testBucket, "k", "partNumber=1&uploadId="+id), "x", "Content-MD5", md5Base64("y")), 400, "InvalidDigest")
	c.want(c.part("k", id, 10000, "x"), 200, "")
}

func TestSequential(t *testing.T) {
	c := newClient(t)
	id := c.want(c.do("POST", target(testBucket, "k", "uploads&sequential"), ""), 200, "").element("UploadId")
	c.want(c.part("k", id, 2, "x"), 400, "PartNotSequential")
	c.want(c.part("k", id, 1, "x"), 200, "")
	c.want(c.part("k", id, 3, "x"), 400, "PartNotSequential")
	a := c.want(c.part("k", id, 2, "yz"), 200, "")
	c.want(c.complete("k", id, partList(2, a.header.Get("ETag"))), 200, "")
	if got := c.get("k").header.Get("Content-MD5"); got != md5Base64("yz") {
		t.Errorf("Content-MD5 is %s", got)
	}
}

func TestListParts(t *testing.T) {
	c := newClient(t)
	id := c.initiate("a b", "x-oss-meta-client-side-encryption-key", "K", "x-oss-meta-client-side-encryption-data-size", "300")
	for _, n := range []int{5, 1, 9000, 3} {
		c.want(c.part("a b", id, n, strings.Repeat("a", n%7)), 200, "")
	}
	list := func(query string) *answer {
		return c.do("GET", target(testBucket, "a b", "uploadId="+id+query), "")
	}
	a := c.want(list("&encoding-type=url"), 200, "")
	if got := fmt.Sprint(a.elements("PartNumber"), a.elements("Size"), a.element("IsTruncated"), a.element("Key"), a.element("NextPartNumberMarker"),
		a.element("ClientEncryptionKey"), a.element("ClientEncryptionDataSize"), a.element("ClientEncryptionStart")); got != "[1 3 5 9000] [1 3 5 5]falsea%20b9000K300" {
		t.Error(got)
	}
	if a.elements("HashCrc64ecma")[0] != "3675645893302102789" || a.elements("ETag")[0] != `"`+md5Hex("a")+`"` || a.elements("LastModified")[0] != "2024-06-12T08:15:30.000Z" {
		t.Error(a.body)
	}
	a = c.want(list("&max-parts=2&part-number-marker=1"), 200, "")
	if got := fmt.Sprint(a.elements("PartNumber"), a.element("IsTruncated"), a.element("NextPartNumberMarker"), a.element("PartNumberMarker")); got != "[3 5]true51" {
		t.Error(got)
	}
	if a = c.want(list("&part-number-marker=9000"), 200, ""); !strings.Contains(a.body, "<NextPartNumberMarker></NextPartNumberMarker>") {
		t.Error(a.body)
	}
	c.want(list("&max-parts=0"), 400, "InvalidArgument")
	c.want(list("&max-parts=1001"), 400, "InvalidArgument")
}

func TestUploadPartCopy(t *testing.T) {
	for _, disk := range []bool{false, true} {
		c := newClientOptions(t, storeOptions(t, disk))
		body := pattern(300_000)
		c.put("src dir/a+b", body)
		c.put("tiny", "0123456789")
		id := c.initiate("k")
		copyPart := func(n int, source string, header ...string) *answer {
			return c.do("PUT", target(testBucket, "k", fmt.Sprintf("partNumber=%d&uploadId=%s", n, id)), "", append(header, "x-oss-copy-source", source)...)
		}
		const source = "/examplebucket/src%20dir%2Fa%2Bb"
		a := c.want(copyPart(1, source, "x-oss-copy-source-range", "bytes=100-199999"), 200, "")
		if a.header.Get("Content-Range") != "bytes 100-199999/300000" || a.header.Get("ETag") != a.element("ETag") || a.element("ETag") != `"`+md5Hex(body[100:200000])+`"` {
			t.Error(a.header, a.body)
		}
		e1 := a.element("ETag")
		e2 := c.want(copyPart(2, source, "x-oss-copy-source-range", "bytes=0-300000"), 200, "").element("ETag") // does not fit: all
		e3 := c.want(copyPart(3, "/examplebucket/tiny", "x-oss-copy-source-range", "bytes=3-5"), 200, "").element("ETag")
		etag := `"` + md5Hex(body) + `"`
		if got := c.want(copyPart(4, source, "x-oss-copy-source-range", "bytes=-0"), 200, "").element("ETag"); got != e2 {
			t.Errorf("etag %s, of all %s", got, e2)
		}
		c.want(copyPart(4, source, "x-oss-copy-source-if-match", `"A"`), 412, "PreconditionFailed")
		if a := copyPart(4, source, "x-oss-copy-source-if-none-match", etag); a.status != 304 {
			t.Error(a.status)
		}
		c.want(copyPart(4, "/examplebucket/missing"), 404, "NoSuchKey")
		c.want(copyPart(4, "/missing/k"), 404, "NoSuchBucket")
		c.want(copyPart(4, "k"), 400, "InvalidArgument")
		c.want(c.do("DELETE", target(testBucket, "src dir/a+b", ""), ""), 204, "")
		c.want(c.complete("k", id, partList(1, e1, 2, e2, 3, e3)), 200, "")
		want := body[100:200000] + body + "345"
		if a := c.get("k"); a.body != want {
			t.Errorf("%d bytes, want %d", len(a.body), len(want))
		}
		c.put("same", want)
		if a, b := c.get("k").header.Get("x-oss-hash-crc64ecma"), c.get("same").header.Get("x-oss-hash-crc64ecma"); a != b {
			t.Errorf("checksum %s, of the same bytes %s", a, b)
		}
	}
}

func TestListUploads(t *testing.T) {
	c := newClient(t)
	ids := map[string][]string{}
	for _, k := range []string{"b", "a", "dir/1", "dir/2", "b", "c", "\x01"} {
		ids[k] = append(ids[k], c.initiate(k))
		slices.Sort(ids[k])
	}
	list := func(query string) string {
		a := c.want(c.do("GET", target(testBucket, "", "uploads"+query), ""), 200, "")
		keys := a.elements("Key")
		for i, id := range a.elements("UploadId") {
			if key, err := url.PathUnescape(keys[i]); err != nil || !slices.Contains(ids[key], id) {
				t.Errorf("id %s of %s", id, keys[i])
			}
		}
		return fmt.Sprint(keys, a.elements("Prefix")[1:], " ", a.element("IsTruncated"), " ", a.element("NextKeyMarker"), " ", slices.Index(ids[a.element("NextKeyMarker")], a.element("NextUploadIdMarker")))
	}
	for _, tc := range []struct{ query, want string }{
		{"&encoding-type=url", "[%01 a b b c dir%2F1 dir%2F2] [] false dir%2F2 -1"},
		{"&key-marker=a", "[b b c dir/1 dir/2] [] false dir/2 0"},
		{"&key-marker=a&max-uploads=1", "[b] [] true b 0"},
		{"&key-marker=b&upload-id-marker=" + ids["b"][0], "[b c dir/1 dir/2] [] false dir/2 0"},
		{"&key-marker=b&upload-id-marker=" + ids["b"][1], "[c dir/1 dir/2] [] false dir/2 0"},
		{"&upload-id-marker=" + ids["b"][1] + "&key-marker=bb", "[c dir/1 dir/2] [] false dir/2 0"},
		{"&key-marker=b&delimiter=%2F", "[c] [dir/] false dir/ -1"},
		{"&key-marker=dir%2F&delimiter=%2F", "[] [] false  -1"},
		{"&prefix=dir%2F&delimiter=%2F", "[dir/1 dir/2] [] false dir/2 0"},
	} {
		t.Run(tc.query, func(t *testing.T) {
			if got := list(tc.query); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	c.want(c.do("GET", target(testBucket, "", "uploads&max-uploads=0"), ""), 400, "InvalidArgument")
}
