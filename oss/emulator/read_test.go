package emulator_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRanges(t *testing.T) {
	const ten = "0123456789"
	for _, tc := range []struct {
		header   string
		lenient  string // "first-last", "whole" or "416"
		standard string
	}{
		{"bytes=0-0", "0-0", "0-0"},
		{"bytes=2-5", "2-5", "2-5"},
		{"bytes=9-9", "9-9", "9-9"},
		{"bytes=3-", "3-9", "3-9"},
		{"bytes=-1", "9-9", "9-9"},
		{"bytes=-10", "0-9", "0-9"},
		{"bytes=0-9", "0-9", "0-9"},
		{"bytes=0-10", "whole", "0-9"},
		{"bytes=5-100", "whole", "5-9"},
		{"bytes=10-", "whole", "416"},
		{"bytes=10-20", "whole", "416"},
		{"bytes=-11", "whole", "0-9"},
		{"bytes=-0", "416", "416"},
		{"bytes=5-2", "whole", "whole"},
		{"bytes=a-b", "whole", "whole"},
		{"bytes=-", "whole", "whole"},
		{"bytes=1-2,4-5", "whole", "whole"},
		{"bytes=+1-2", "whole", "whole"},
		{"bytes=99999999999999999999-", "whole", "whole"},
		{"chars=1-2", "whole", "whole"},
		{"1-2", "whole", "whole"},
		{"", "whole", "whole"},
	} {
		t.Run(tc.header, func(t *testing.T) {
			c := newClient(t)
			c.put("k", ten)
			for behaviour, want := range map[string]string{"": tc.lenient, "standard": tc.standard} {
				a := c.get("k", "Range", tc.header, "x-oss-range-behavior", behaviour)
				switch want {
				case "416":
					c.want(a, 416, "InvalidRange")
					if a.element("ActualObjectSize") != "10" || a.element("RangeRequested") != tc.header {
						t.Error(a.body)
					}
				case "whole":
					c.want(a, 200, "")
					if a.body != ten || a.header.Get("Content-Range") != "" {
						t.Errorf("%q: %q %q", behaviour, a.body, a.header.Get("Content-Range"))
					}
				default:
					c.want(a, 206, "")
					first, last, _ := strings.Cut(want, "-")
					i, _ := strconv.Atoi(first)
					j, _ := strconv.Atoi(last)
					if a.body != ten[i:j+1] || a.header.Get("Content-Range") != "bytes "+want+"/10" {
						t.Errorf("%q: %q %q", behaviour, a.body, a.header.Get("Content-Range"))
					}
				}
				if want != "416" && a.header.Get("x-oss-hash-crc64ecma") == "" {
					t.Error("no checksum")
				}
			}
		})
	}
}

func TestRangesOfEmptyObject(t *testing.T) {
	c := newClient(t)
	c.put("k", "")
	c.want(c.get("k", "Range", "bytes=0-1"), 200, "")
	c.want(c.get("k", "Range", "bytes=0-1", "x-oss-range-behavior", "standard"), 416, "InvalidRange")
}

func TestConditions(t *testing.T) {
	etag := md5Hex("x")
	at := func(d time.Duration) string { return testTime.Add(d).Format(time.RFC1123)[:26] + "GMT" }
	for _, tc := range []struct {
		name   string
		header []string
		status int
		detail string
	}{
		{"match", []string{"If-Match", `"` + etag + `"`}, 200, ""},
		{"match unquoted", []string{"If-Match", etag}, 200, ""},
		{"match lower case", []string{"If-Match", strings.ToLower(etag)}, 200, ""},
		{"match any", []string{"If-Match", "*"}, 200, ""},
		{"match list", []string{"If-Match", `"A", "` + etag + `"`}, 200, ""},
		{"no match", []string{"If-Match", `"A"`}, 412, "If-Match"},
		{"none match", []string{"If-None-Match", etag}, 304, ""},
		{"none match other", []string{"If-None-Match", `"A"`}, 200, ""},
		{"modified since before", []string{"If-Modified-Since", at(-time.Second)}, 200, ""},
		{"not modified since", []string{"If-Modified-Since", at(0)}, 304, ""},
		{"modified since the future", []string{"If-Modified-Since", at(time.Hour)}, 304, ""},
		{"modified since nonsense", []string{"If-Modified-Since", "x"}, 200, ""},
		{"unmodified since", []string{"If-Unmodified-Since", at(0)}, 200, ""},
		{"not unmodified since", []string{"If-Unmodified-Since", at(-time.Second)}, 412, "If-Unmodified-Since"},
		{"match wins over none match", []string{"If-Match", "A", "If-None-Match", etag}, 412, "If-Match"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			c.put("k", "x")
			for _, method := range []string{"GET", "HEAD"} {
				a := c.do(method, target(testBucket, "k", ""), "", tc.header...)
				if a.status != tc.status {
					t.Fatalf("%s is %d, want %d", method, a.status, tc.status)
				}
				if tc.status == 304 && a.body != "" {
					t.Error("304 has a body")
				}
				if tc.status == 412 {
					c.want(a, 412, "PreconditionFailed")
				}
				if method == "GET" && tc.detail != "" && a.element("Condition") != tc.detail {
					t.Error(a.body)
				}
			}
		})
	}
}

func TestResponseOverrides(t *testing.T) {
	c := newClient(t)
	c.put("k", "x", "Content-Type", "text/plain")
	a := c.want(c.do("GET", target(testBucket, "k", "response-content-type=a%2Fb&response-content-language=zh&response-expires=never"+
		"&response-cache-control=no&response-content-disposition=attachment&response-content-encoding=br"), ""), 200, "")
	for name, want := range map[string]string{
		"Content-Type": "a/b", "Content-Language": "zh", "Expires": "never", "Cache-Control": "no",
		"Content-Disposition": "attachment", "Content-Encoding": "br",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestHeadErrors(t *testing.T) {
	c := newClient(t)
	a := c.want(c.do("HEAD", target(testBucket, "missing", ""), ""), 404, "NoSuchKey")
	if a.body != "" || a.header.Get("x-oss-ec") != "0026-00000001" {
		t.Errorf("body %q, ec %q", a.body, a.header.Get("x-oss-ec"))
	}
}

func TestObjectMeta(t *testing.T) {
	c := newClient(t)
	c.put("k", "hello", "x-oss-meta-a", "b")
	a := c.want(c.do("HEAD", target(testBucket, "k", "objectMeta"), ""), 200, "")
	if a.header.Get("Content-Length") != "5" || a.header.Get("ETag") == "" || a.header.Get("x-oss-hash-crc64ecma") == "" ||
		a.header.Get("Last-Modified") == "" || a.header.Get("x-oss-meta-a") != "" {
		t.Error(a.header)
	}
	if v := a.header.Get("x-oss-last-access-time"); v != "" {
		t.Errorf("last accessed at %s, with nobody watching", v)
	}
	c.want(c.config("PUT", "accessmonitor", configDoc("accessmonitor")), 200, "")
	a = c.do("HEAD", target(testBucket, "k", "objectMeta"), "")
	if v := a.header.Get("x-oss-last-access-time"); v == "" || v != a.header.Get("Last-Modified") {
		t.Errorf("last accessed at %q, want the time of its last change", v)
	}
}

func TestUnknownOperations(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	for _, tc := range []struct {
		method, key, query string
		status             int
		code               string
	}{
		{"GET", "", "vpcip", 501, "NotImplemented"},
		{"PUT", "", "vpcip", 501, "NotImplemented"},
		{"POST", "", "vpcip", 501, "NotImplemented"},
		{"GET", "", "somethingNew", 501, "NotImplemented"},
		{"PUT", "k", "x-oss-process=image%2Finfo", 501, "NotImplemented"},
		{"PUT", "k", "objectMeta", 501, "NotImplemented"},
		{"PUT", "k", "callback=abc", 400, "InvalidArgument"},
		{"POST", "k", "", 405, "MethodNotAllowed"},
		{"PATCH", "k", "", 405, "MethodNotAllowed"},
		{"GET", "k", "unknown=1", 200, ""},
		{"DELETE", "k", "symlink", 204, ""},
	} {
		t.Run(tc.method+" "+tc.key+"?"+tc.query, func(t *testing.T) {
			c.want(c.do(tc.method, target(testBucket, tc.key, tc.query), ""), tc.status, tc.code)
		})
	}
	c.want(c.do("PUT", target(testBucket, "k", ""), "", "x-oss-callback", "x"), 400, "InvalidArgument")
	c.want(c.do("PUT", target(testBucket, "k", ""), "", "If-None-Match", "x"), 400, "NotImplemented")
	c.want(c.get("k"), 404, "NoSuchKey")
}
