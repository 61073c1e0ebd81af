package emulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSignedByV1(t *testing.T) {
	c := newClient(t)
	r := httptest.NewRequestWithContext(t.Context(), "PUT", "http://127.0.0.1"+target(testBucket, "a b", ""), strings.NewReader("x"))
	r.Header.Set("x-oss-meta-a", "b")
	signV1(r, testTime)
	c.want(c.send(r), 200, "")
	r = httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+target(testBucket, "a b", "acl&other=1"), nil)
	signV1(r, testTime, "acl")
	c.want(c.send(r), 200, "")
}

// TestEmptyValues: "k=" and "k" on the wire are signed alike.
func TestEmptyValues(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	for _, query := range []string{"acl", "acl=", "acl&x-oss-foo=", "&acl&&"} {
		c.want(c.do("GET", target(testBucket, "k", query), ""), 200, "")
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+target(testBucket, "k", query), nil)
		signV1(r, testTime, "acl", "x-oss-foo")
		c.want(c.send(r), 200, "")
	}
}

// signed makes a GET of an object that exists.
func (c *client) signed(now time.Time) *http.Request {
	r := httptest.NewRequestWithContext(c.t.Context(), "GET", "http://127.0.0.1"+target(testBucket, "k", ""), nil)
	signV4(r, now)
	return r
}

func TestAuthErrors(t *testing.T) {
	for _, tc := range []struct {
		name     string
		change   func(*http.Request)
		status   int
		code     string
		elements map[string]string
	}{
		{"fine", func(*http.Request) {}, 200, "", nil},
		{"header changed", func(r *http.Request) { r.Header.Set("x-oss-meta-a", "b") }, 403, "SignatureDoesNotMatch", map[string]string{"OSSAccessKeyId": testID, "EC": "0002-00000201"}},
		{"unknown key", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), testID, "nobody", 1))
		}, 403, "InvalidAccessKeyId", map[string]string{"OSSAccessKeyId": "nobody", "EC": "0002-00000902"}},
		{"skewed", func(r *http.Request) { signV4(r, testTime.Add(-16*time.Minute)) }, 403, "RequestTimeTooSkewed", map[string]string{
			"ServerTime": "2024-06-12T08:15:30.000Z", "RequestTime": "2024-06-12T07:59:30.000Z", "MaxAllowedSkewMilliseconds": "900000",
		}},
		{"other region", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "cn-hangzhou", "cn-beijing", 1))
		}, 400, "InvalidArgument", map[string]string{"EC": "0002-00000226"}},
		{"header and query", func(r *http.Request) { r.URL.RawQuery = "Signature=x" }, 400, "InvalidArgument", nil},
		{"anonymous", func(r *http.Request) { r.Header.Del("Authorization") }, 403, "AccessDenied", nil},
		{"missing bucket, wrong key", func(r *http.Request) {
			r.URL.Path = "/missing/k"
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), testID, "nobody", 1))
		}, 404, "NoSuchBucket", map[string]string{"BucketName": "missing", "EC": "0015-00000101"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			c.put("k", "x")
			r := c.signed(testTime)
			tc.change(r)
			a := c.want(c.send(r), tc.status, tc.code)
			for name, want := range tc.elements {
				if got := a.element(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if tc.code != "" && a.element("RequestId") != a.header.Get("x-oss-request-id") {
				t.Error("request ids differ")
			}
		})
	}
}

func TestAnonymousByACL(t *testing.T) {
	for _, tc := range []struct {
		bucket, object string
		allowed        string // read, write, list
	}{
		{"private", "default", ""},
		{"private", "public-read", "r"},
		{"private", "public-read-write", "rw"},
		{"public-read", "default", "rl"},
		{"public-read", "private", "l"},
		{"public-read-write", "default", "rwl"},
		{"public-read-write", "private", "l"},
	} {
		t.Run(tc.bucket+" "+tc.object, func(t *testing.T) {
			c := newClient(t)
			c.put("k", "x", "x-oss-object-acl", tc.object)
			c.want(c.do("PUT", target(testBucket, "", "acl"), "", "x-oss-acl", tc.bucket), 200, "")
			c.anonymous = true
			expect := func(what, method, target string, success int) {
				t.Helper()
				a := c.do(method, target, "y")
				if strings.Contains(tc.allowed, what) {
					c.want(a, success, "")
				} else {
					c.want(a, 403, "AccessDenied")
				}
			}
			expect("r", "GET", target(testBucket, "k", ""), 200)
			expect("l", "GET", target(testBucket, "", ""), 200)
			expect("w", "PUT", target(testBucket, "k", ""), 200)
			c.want(c.do("PUT", target(testBucket, "k", "acl"), "", "x-oss-object-acl", "private"), 403, "AccessDenied")
			c.want(c.do("GET", "/", ""), 403, "AccessDenied")
			c.want(c.do("PUT", "/newbucket/", ""), 403, "AccessDenied")
		})
	}
}

func TestSignedPayload(t *testing.T) {
	c := newClient(t)
	sum := sha256.Sum256([]byte("hello"))
	hash := hex.EncodeToString(sum[:])
	c.want(c.do("PUT", target(testBucket, "k", ""), "hello", "x-oss-content-sha256", hash), 200, "")
	c.want(c.do("PUT", target(testBucket, "l", ""), "hallo", "x-oss-content-sha256", hash), 400, "InvalidArgument")
	c.want(c.get("l"), 404, "NoSuchKey")
}

// TestAnonymousDetours: what an anonymous caller is led to by a version's id, a
// link or a website is judged by its own ACL.
func TestAnonymousDetours(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target(testBucket, "", "acl"), "", "x-oss-acl", "public-read"), 200, "")
	c.want(c.do("PUT", target(testBucket, "", "website"),
		"<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>"), 200, "")
	c.want(c.do("PUT", target(testBucket, "", "versioning"), fmt.Sprintf(versioned, "Enabled")), 200, "")
	old := c.put("k", "secret", "x-oss-object-acl", "private").header.Get("x-oss-version-id")
	c.put("k", "open")
	c.put("index.html", "secret", "x-oss-object-acl", "private")
	link := func(key, to string) {
		c.want(c.do("PUT", target(testBucket, key, "symlink"), "", "x-oss-symlink-target", to), 200, "")
	}
	link("to-open", "k")
	link("to-secret", "index.html")
	c.anonymous = true
	for _, tc := range []struct {
		key, query string
		status     int
		code       string
	}{
		{"k", "", 200, ""},
		{"k", "versionId=" + old, 403, "AccessDenied"},
		{"k", "versionId=%2F", 400, "InvalidArgument"},
		{"to-open", "", 200, ""},
		{"to-secret", "", 403, "AccessDenied"},
		{"folder/", "", 403, "AccessDenied"},
	} {
		t.Run(tc.key+"?"+tc.query, func(t *testing.T) {
			c.t = t
			for _, method := range []string{"GET", "HEAD"} {
				c.want(c.do(method, target(testBucket, tc.key, tc.query), ""), tc.status, tc.code)
			}
		})
	}
	c.t, c.anonymous = t, false
	c.want(c.get("to-secret"), 200, "")
}
