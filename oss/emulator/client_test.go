package emulator_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

const (
	testID     = "LTAItestAccessKey01"
	testSecret = "testSecretKey0123456789abcdef"
	testBucket = "examplebucket"
)

// testTime is the servers' clock in tests that do not set their own.
var testTime = time.Date(2024, 6, 12, 8, 15, 30, 0, time.UTC)

// client sends requests straight into a server.
type client struct {
	t testing.TB
	h http.Handler
	// now is the clock requests are signed with.
	now time.Time
	// anonymous leaves requests unsigned.
	anonymous bool
}

// newClient opens a server in memory with one bucket.
func newClient(t testing.TB) *client {
	t.Helper()
	return newClientOptions(t, &emulator.Options{})
}

func newClientOptions(t testing.TB, opts *emulator.Options) *client {
	t.Helper()
	opts.AccessKeyID, opts.AccessKeySecret = testID, testSecret
	if opts.Now == nil {
		opts.Now = func() time.Time { return testTime }
	}
	s, err := emulator.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, h: s, now: testTime}
}

// answer is a recorded answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// element returns the text of the first element of that name.
func (a *answer) element(name string) string {
	if all := a.elements(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (a *answer) elements(name string) []string {
	var out []string
	for _, m := range regexp.MustCompile("<"+name+">([^<]*)</"+name+">").FindAllStringSubmatch(a.body, -1) {
		out = append(out, m[1])
	}
	return out
}

// code is the error code, of HEAD too.
func (a *answer) code() string {
	if h := a.header.Get("x-oss-err"); h != "" {
		b, err := base64.StdEncoding.DecodeString(h)
		if err != nil {
			return "bad x-oss-err"
		}
		a = &answer{body: string(b)}
	}
	return a.element("Code")
}

// target is a path-style target: key is raw, query as on the wire.
func target(bucket, key, query string) string {
	s := "/"
	if bucket != "" {
		s += bucket + "/" + escape(key, true)
	}
	if query != "" {
		s += "?" + query
	}
	return s
}

// do sends a signed request; header holds names and values in turn.
func (c *client) do(method, target, body string, header ...string) *answer {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, "http://127.0.0.1"+target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if !c.anonymous && r.Header.Get("Authorization") == "" {
		signV4(r, c.now)
	}
	return c.send(r)
}

func (c *client) send(r *http.Request) *answer {
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return &answer{status: res.StatusCode, header: res.Header, body: string(b)}
}

// want checks status and code and returns the answer.
func (c *client) want(a *answer, status int, code string) *answer {
	c.t.Helper()
	if a.status != status || a.code() != code {
		c.t.Fatalf("answer is %d %q, want %d %q\n%s", a.status, a.code(), status, code, a.body)
	}
	return a
}

func (c *client) put(key, body string, header ...string) *answer {
	c.t.Helper()
	return c.want(c.do("PUT", target(testBucket, key, ""), body, header...), 200, "")
}

func (c *client) get(key string, header ...string) *answer {
	c.t.Helper()
	return c.do("GET", target(testBucket, key, ""), "", header...)
}

func (c *client) initiate(key string, header ...string) (uploadID string) {
	c.t.Helper()
	return c.want(c.do("POST", target(testBucket, key, "uploads"), "", header...), 200, "").element("UploadId")
}

func (c *client) part(key, id string, number int, body string) *answer {
	c.t.Helper()
	return c.do("PUT", target(testBucket, key, fmt.Sprintf("partNumber=%d&uploadId=%s", number, id)), body)
}

func (c *client) complete(key, id, list string, header ...string) *answer {
	c.t.Helper()
	return c.do("POST", target(testBucket, key, "uploadId="+id), list, header...)
}

// partList is a body of CompleteMultipartUpload from numbers and ETags.
func partList(parts ...any) string {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", parts[i], parts[i+1])
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.String()
}

func md5Base64(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func md5Hex(s string) string { return fmt.Sprintf("%X", md5.Sum([]byte(s))) }

// The signers below are written from the protocol's description, apart from
// the server's own.

func escape(s string, keepSlash bool) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	s = strings.ReplaceAll(s, "%7E", "~")
	if keepSlash {
		s = strings.ReplaceAll(s, "%2F", "/")
	}
	return s
}

func sortedQuery(r *http.Request, use func(name string) bool) [][2]string {
	var out [][2]string
	for item := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if item == "" {
			continue
		}
		k, v, _ := strings.Cut(item, "=")
		k, _ = url.PathUnescape(k)
		v, _ = url.PathUnescape(v)
		if use(k) {
			out = append(out, [2]string{k, v})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(escape(a[0], false), escape(b[0], false)) })
	return out
}

func canonicalHeaders(r *http.Request, use func(string) bool) string {
	var lines []string
	for k := range r.Header {
		if l := strings.ToLower(k); use(l) {
			lines = append(lines, l+":"+strings.TrimSpace(r.Header.Get(k))+"\n")
		}
	}
	name := func(line string) string { n, _, _ := strings.Cut(line, ":"); return n }
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(lines, "")
}

func hmacSum(key []byte, s string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}

func signV4(r *http.Request, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	r.Header.Set("x-oss-date", stamp)
	if r.Header.Get("x-oss-content-sha256") == "" {
		r.Header.Set("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
	}
	path, _ := url.PathUnescape(r.URL.EscapedPath())
	var query []string
	for _, p := range sortedQuery(r, func(string) bool { return true }) {
		s := escape(p[0], false)
		if p[1] != "" {
			s += "=" + escape(p[1], false)
		}
		query = append(query, s)
	}
	headers := canonicalHeaders(r, func(n string) bool {
		return strings.HasPrefix(n, "x-oss-") || n == "content-type" || n == "content-md5"
	})
	canonical := strings.Join([]string{
		r.Method, escape(path, true), strings.Join(query, "&"), headers, "", r.Header.Get("x-oss-content-sha256"),
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	scope := stamp[:8] + "/cn-hangzhou/oss/aliyun_v4_request"
	text := "OSS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
	key := []byte("aliyun_v4" + testSecret)
	for _, s := range []string{stamp[:8], "cn-hangzhou", "oss", "aliyun_v4_request"} {
		key = hmacSum(key, s)
	}
	r.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential="+testID+"/"+scope+",Signature="+hex.EncodeToString(hmacSum(key, text)))
}

func signV1(r *http.Request, now time.Time, signed ...string) {
	r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	path, _ := url.PathUnescape(r.URL.EscapedPath())
	var query []string
	for _, p := range sortedQuery(r, func(n string) bool { return slices.Contains(signed, n) }) {
		if p[1] != "" {
			p[0] += "=" + p[1]
		}
		query = append(query, p[0])
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n%s\n%s\n", r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), r.Header.Get("Date"))
	b.WriteString(canonicalHeaders(r, func(n string) bool { return strings.HasPrefix(n, "x-oss-") }) + path)
	m := hmac.New(sha1.New, []byte(testSecret))
	m.Write(b.Bytes())
	r.Header.Set("Authorization", "OSS "+testID+":"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
}
