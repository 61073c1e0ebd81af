package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// oddKeys are legal keys that careless servers change.
var oddKeys = []string{
	"a", "a//b", "./a", "../a", "a/../b", "a/./b", "a/", "..", ".", "a b", "a+b", "a%2Fb", "a%b", "100%", "?", "#", "a?b=c",
	"\x01", "\x0b", "a\nb", "\x1f", "\x7f", "文件/ü", "a&b<c>\"'", "\u202e", "*", "~", "a:b", strings.Repeat("k", 1023),
}

func TestKeysSurvive(t *testing.T) {
	for _, style := range []string{"slash", "%2F", "virtual host"} {
		t.Run(style, func(t *testing.T) {
			c := newClient(t)
			path := func(key string) string {
				switch style {
				case "%2F":
					return "/" + testBucket + "/" + escape(key, false)
				default:
					return target(testBucket, key, "")
				}
			}
			send := func(method, key, body string) *answer {
				r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path(key), strings.NewReader(body))
				signV4(r, c.now)
				if style == "virtual host" {
					r.Host = testBucket + ".oss.localtest:80"
					p := "/" + escape(key, true)
					u, err := r.URL.Parse("http://h" + p)
					if err != nil {
						t.Fatal(err)
					}
					u.RawPath, u.Path = p, key
					r.URL.Path, r.URL.RawPath = "/"+key, p
				}
				return c.send(r)
			}
			for _, k := range oddKeys {
				c.want(send("PUT", k, "body of "+k), 200, "")
			}
			for _, k := range oddKeys {
				if a := c.want(send("GET", k, ""), 200, ""); a.body != "body of "+k {
					t.Errorf("key %q has body %q", k, a.body)
				}
			}
			a := c.want(c.do("GET", target(testBucket, "", "encoding-type=url&max-keys=1000"), ""), 200, "")
			var want []string
			for _, k := range slices.Sorted(slices.Values(oddKeys)) {
				want = append(want, escape(k, false))
			}
			if got := a.elements("Key"); !slices.Equal(got, want) {
				t.Errorf("listed %q\nwant %q", got, want)
			}
		})
	}
}

func TestBadNames(t *testing.T) {
	c := newClient(t)
	for _, tc := range []struct{ name, method, target, code string }{
		{"short bucket", "PUT", "/ab/", "InvalidBucketName"},
		{"long bucket", "PUT", "/" + strings.Repeat("b", 64) + "/", "InvalidBucketName"},
		{"upper case", "PUT", "/Abc/", "InvalidBucketName"},
		{"underscore", "PUT", "/a_c/", "InvalidBucketName"},
		{"leading dash", "PUT", "/-bc/", "InvalidBucketName"},
		{"trailing dash", "PUT", "/ab-/", "InvalidBucketName"},
		{"leading slash", "PUT", "/examplebucket//a", "InvalidObjectName"},
		{"leading encoded slash", "PUT", "/examplebucket/%2Fa", "InvalidObjectName"},
		{"leading backslash", "PUT", "/examplebucket/%5Ca", "InvalidObjectName"},
		{"long key", "PUT", "/examplebucket/" + strings.Repeat("k", 1024), "InvalidObjectName"},
		{"NUL", "PUT", "/examplebucket/a%00", "InvalidObjectName"},
		{"not UTF-8", "PUT", "/examplebucket/%FF", "InvalidObjectName"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.want(c.do(tc.method, tc.target, "x"), 400, tc.code)
		})
	}
}

func TestHosts(t *testing.T) {
	c := newClient(t)
	if c.do("PUT", "/oss-mine/", "").status != 200 {
		t.Fatal("cannot make a bucket")
	}
	c.put("hello", "x")
	c.anonymous = true
	for _, tc := range []struct{ host, path, bucket string }{
		{"127.0.0.1:80", "/examplebucket/", "examplebucket"},
		{"[::1]:80", "/examplebucket/", "examplebucket"},
		{"localhost", "/examplebucket/", "examplebucket"},
		{"emulator:9000", "/examplebucket/", "examplebucket"},
		{"examplebucket.localhost:80", "/", "examplebucket"},
		{"examplebucket.example.com.", "/", "examplebucket"},
		{"examplebucket.oss-cn-hangzhou.aliyuncs.com", "/", "examplebucket"},
		{"oss-mine.oss-cn-hangzhou.aliyuncs.com", "/", "oss-mine"},
		{"oss-mine.example.com", "/", "oss-mine"},
		{"oss-cn-hangzhou.aliyuncs.com", "/examplebucket/", "examplebucket"},
		{"oss.example.com", "/examplebucket/", "examplebucket"},
		{"missing.example.com", "/", ""},
	} {
		t.Run(tc.host, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://h"+tc.path, nil)
			r.Host = tc.host
			a := c.send(r)
			if tc.bucket == "" {
				c.want(a, 404, "NoSuchBucket")
				return
			}
			c.want(a, 403, "AccessDenied") // the bucket was found, and is private
		})
	}
}
