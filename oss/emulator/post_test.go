package emulator_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

const formBoundary = "formBoundary7MA4YWxk"

// form is the fields of a form in turn: names and values. The file is last.
type form struct {
	fields   []string
	fileName string
	fileType string
	file     string
	tail     string // between the file and the last boundary
}

func (f *form) set(name, value string) {
	for i := 0; i < len(f.fields); i += 2 {
		if f.fields[i] == name {
			f.fields[i+1] = value
			return
		}
	}
	f.fields = append(f.fields, name, value)
}

func (f *form) drop(name string) {
	for i := 0; i < len(f.fields); i += 2 {
		if f.fields[i] == name {
			f.fields = slices.Delete(f.fields, i, i+2)
			return
		}
	}
}

func part(name, value string) string {
	return "--" + formBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

// head is the form up to the bytes of its file.
func (f *form) head() string {
	var b strings.Builder
	for i := 0; i < len(f.fields); i += 2 {
		b.WriteString(part(f.fields[i], f.fields[i+1]))
	}
	fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n", formBoundary, f.fileName)
	if f.fileType != "" {
		b.WriteString("Content-Type: " + f.fileType + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

func (f *form) String() string {
	return f.head() + f.file + "\r\n" + f.tail + "--" + formBoundary + "--\r\n"
}

// signV1 makes policy and signature of version 1.
func (f *form) signV1(policy string) {
	text := base64.StdEncoding.EncodeToString([]byte(policy))
	m := hmac.New(sha1.New, []byte(testSecret))
	m.Write([]byte(text))
	f.set("policy", text)
	f.set("OSSAccessKeyId", testID)
	f.set("Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
}

// signV4 makes policy and signature of version 4; %s in the policy are the
// conditions on the fields of the signature.
func (f *form) signV4(policy string, at time.Time, id, secret string) {
	stamp := at.UTC().Format("20060102T150405Z")
	cred := id + "/" + stamp[:8] + "/cn-hangzhou/oss/aliyun_v4_request"
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(policy, "%s",
		`{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"`+cred+`"},{"x-oss-date":"`+stamp+`"}`)))
	key := []byte("aliyun_v4" + secret)
	for _, s := range []string{stamp[:8], "cn-hangzhou", "oss", "aliyun_v4_request", text} {
		key = hmacSum(key, s)
	}
	f.set("policy", text)
	f.set("x-oss-signature-version", "OSS4-HMAC-SHA256")
	f.set("x-oss-credential", cred)
	f.set("x-oss-date", stamp)
	f.set("x-oss-signature", hex.EncodeToString(key))
}

// postForm sends a form; signatures of the request itself would not count.
func (c *client) postForm(f *form) *answer {
	c.t.Helper()
	return c.postBody(strings.NewReader(f.String()), "multipart/form-data; boundary="+formBoundary)
}

func (c *client) postBody(body io.Reader, typ string) *answer {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), "POST", "http://127.0.0.1/"+testBucket+"/", body)
	r.Header.Set("Content-Type", typ)
	return c.send(r)
}

const (
	openPolicy   = `{"expiration":"2024-06-12T09:00:00.000Z","conditions":[["content-length-range",0,1048576]]}`
	openPolicyV4 = `{"expiration":"2024-06-12T09:00:00.000Z","conditions":[{"bucket":"` + testBucket + `"},%s]}`
)

func newForm() *form {
	return &form{fields: []string{"key", "dir/${filename}"}, fileName: "a b.txt", fileType: "text/plain", file: "hello"}
}

func TestPostObject(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*form)
		sign   func(*form)
		status int
		check  func(t *testing.T, c *client, a *answer)
	}{
		{"no status", nil, nil, 204, nil},
		{"200", func(f *form) { f.set("success_action_status", "200") }, nil, 200, nil},
		{"other status", func(f *form) { f.set("success_action_status", "302") }, nil, 204, nil},
		{"201", func(f *form) { f.set("success_action_status", "201") }, nil, 201, func(t *testing.T, _ *client, a *answer) {
			got := a.element("Bucket") + " " + a.element("Location") + " " + a.element("Key")
			if got != testBucket+" http://127.0.0.1/"+testBucket+"/dir/a%20b.txt dir/a b.txt" || !strings.Contains(a.body, md5Hex("hello")) {
				t.Error(a.body)
			}
		}},
		{"redirect", func(f *form) { f.set("success_action_redirect", "http://example.com/done?a=b") }, nil, 303, func(t *testing.T, _ *client, a *answer) {
			want := "http://example.com/done?a=b&bucket=" + testBucket + "&key=dir%2Fa+b.txt&etag=%22" + md5Hex("hello") + "%22"
			if got := a.header.Get("Location"); got != want {
				t.Errorf("Location is %q, want %q", got, want)
			}
		}},
		{"no redirect", func(f *form) { f.set("success_action_redirect", "elsewhere") }, nil, 204, nil},
		{"V4", nil, func(f *form) { f.signV4(openPolicyV4, testTime, testID, testSecret) }, 204, nil},
		{"V4 by STS", func(f *form) { f.set("x-oss-security-token", "CAIS") }, func(f *form) { f.signV4(openPolicyV4, testTime, "STS.id", "s4") }, 204, nil},
		{"case of names", func(f *form) { f.set("SUCCESS_action_STATUS", "200") }, func(f *form) {
			f.signV1(openPolicy)
			f.set("signature", f.fields[slices.Index(f.fields, "Signature")+1])
			f.drop("Signature")
		}, 200, nil},
		{"button", func(f *form) { f.tail = part("submit", "Upload") }, nil, 204, nil},
		{"folder of the file", func(f *form) { f.fileName = `C:\x/a b.txt` }, nil, 204, nil},
		{"headers", func(f *form) {
			f.set("x-oss-object-acl", "public-read")
			f.set("x-oss-meta-a", "b")
			f.set("Cache-Control", "no-cache")
			f.set("Content-Disposition", "attachment")
			f.set("x-oss-tagging", "k=v")
			f.set("x-oss-storage-class", "IA")
			f.set("If-Match", "ignored")
		}, nil, 204, func(t *testing.T, c *client, _ *answer) {
			h := c.get("dir/a b.txt").header
			for name, want := range map[string]string{
				"x-oss-meta-a": "b", "Cache-Control": "no-cache", "Content-Disposition": "attachment",
				"x-oss-tagging-count": "1", "x-oss-storage-class": "IA", "x-oss-object-type": "Normal",
			} {
				if h.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, h.Get(name), want)
				}
			}
			if g := c.do("GET", target(testBucket, "dir/a b.txt", "acl"), "").element("Grant"); g != "public-read" {
				t.Errorf("ACL is %q", g)
			}
		}},
		{"type of the field", func(f *form) { f.set("x-oss-content-type", "image/png"); f.set("Content-Type", "image/gif") }, nil, 204, func(t *testing.T, c *client, _ *answer) {
			if typ := c.get("dir/a b.txt").header.Get("Content-Type"); typ != "image/png" {
				t.Error(typ)
			}
		}},
		{"all modes of a policy", func(f *form) { f.set("Cache-Control", "x") }, func(f *form) {
			f.signV1(`{"expiration":"2024-06-12T09:00:00Z","conditions":[{"bucket":"` + testBucket + `"},["eq","$key","dir/${filename}"],
				["starts-with","$key","dir/"],["in","$content-type",["image/png","text/plain"]],["not-in","$cache-control",["no-cache"]],
				["content-length-range",5,5],{"Cache-Control":"x"}]}`)
		}, 204, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClientOptions(t, &emulator.Options{Credentials: []emulator.Credential{{AccessKeyID: "STS.id", AccessKeySecret: "s4", SecurityToken: "CAIS"}}})
			f := newForm()
			if tc.change != nil {
				tc.change(f)
			}
			if tc.sign == nil {
				tc.sign = func(f *form) { f.signV1(openPolicy) }
			}
			tc.sign(f)
			a := c.want(c.postForm(f), tc.status, "")
			if a.header.Get("ETag") != `"`+md5Hex("hello")+`"` || a.header.Get("x-oss-hash-crc64ecma") == "" {
				t.Error(a.header)
			}
			if got := c.want(c.get("dir/a b.txt"), 200, ""); got.body != "hello" || tc.name != "type of the field" && got.header.Get("Content-Type") != "text/plain" {
				t.Errorf("%q, %v", got.body, got.header)
			}
			if tc.check != nil {
				tc.check(t, c, a)
			}
		})
	}
}

func TestPostObjectRefused(t *testing.T) {
	policy := func(conditions string) func(*form) {
		return func(f *form) { f.signV1(`{"expiration":"2024-06-12T09:00:00Z","conditions":[` + conditions + `]}`) }
	}
	raw := func(policy string) func(*form) { return func(f *form) { f.signV1(policy) } }
	open := raw(openPolicy)
	and := func(fs ...func(*form)) func(*form) {
		return func(f *form) {
			for _, change := range fs {
				change(f)
			}
		}
	}
	set := func(name, value string) func(*form) { return func(f *form) { f.set(name, value) } }
	drop := func(name string) func(*form) { return func(f *form) { f.drop(name) } }
	v4 := func(f *form) { f.signV4(openPolicyV4, testTime, testID, testSecret) }
	for _, tc := range []struct {
		name   string
		change func(*form)
		status int
		code   string
		ec     string
		msg    string // in the message
	}{
		{"anonymous", func(*form) {}, 403, "AccessDenied", "0003-00000001", ""},
		{"no policy", and(open, drop("policy")), 400, "InvalidArgument", "", "policy"},
		{"no signature", and(open, drop("Signature")), 400, "InvalidArgument", "", "Signature"},
		{"no id", and(open, drop("OSSAccessKeyId")), 400, "InvalidArgument", "", "OSSAccessKeyId"},
		{"unknown id", and(open, set("OSSAccessKeyId", "nobody")), 403, "InvalidAccessKeyId", "", ""},
		{"token of nobody", and(open, set("x-oss-security-token", "x")), 403, "InvalidSecurityToken", "", ""},
		{"other signature", and(open, set("Signature", "x")), 403, "SignatureDoesNotMatch", "", ""},
		{"other policy", and(open, set("policy", base64.StdEncoding.EncodeToString([]byte(openPolicy+" ")))), 403, "SignatureDoesNotMatch", "", ""},
		{"V4, other secret", func(f *form) { f.signV4(openPolicyV4, testTime, testID, "x") }, 403, "SignatureDoesNotMatch", "", ""},
		{"V4, no date", and(v4, drop("x-oss-date")), 400, "InvalidArgument", "", "x-oss-date"},
		{"V4, other region", func(f *form) {
			v4(f)
			i := slices.Index(f.fields, "x-oss-credential") + 1
			f.fields[i] = strings.Replace(f.fields[i], "cn-hangzhou", "cn-beijing", 1)
		}, 400, "InvalidArgument", "0002-00000226", ""},
		{"V4, old", func(f *form) { f.signV4(openPolicyV4, testTime.AddDate(0, 0, -8), testID, testSecret) }, 403, "AccessDenied", "", "expired"},
		{"V4, not in the policy", func(f *form) { f.signV4(openPolicy, testTime, testID, testSecret) }, 403, "AccessDenied", "0006-00000228", "Extra input fields: x-oss-signature-version"},
		{"unknown version", and(open, set("x-oss-signature-version", "OSS9")), 400, "InvalidArgument", "", ""},

		{"expired", raw(`{"expiration":"2024-06-12T08:15:30Z","conditions":[{"bucket":"x"}]}`), 403, "AccessDenied", "0006-00000213", "Invalid according to Policy: Policy expired."},
		{"other key", policy(`["starts-with","$key","user/"]`), 403, "AccessDenied", "0006-00000227", `Policy Condition failed: ["starts-with","$key","user/"]`},
		{"other bucket", policy(`{"bucket":"otherbucket"}`), 403, "AccessDenied", "0006-00000227", ""},
		{"missing field", policy(`["eq","$x-oss-meta-a",""]`), 403, "AccessDenied", "0006-00000226", ""},
		{"not in", policy(`["in","$content-type",["image/png"]]`), 403, "AccessDenied", "0006-00000227", ""},
		{"in not-in", policy(`["not-in","$content-type",["text/plain"]]`), 403, "AccessDenied", "0006-00000227", ""},
		{"too large", policy(`["content-length-range",0,4]`), 400, "EntityTooLarge", "", ""},
		{"too small", policy(`["content-length-range",6,9]`), 400, "EntityTooSmall", "", ""},
		{"two ranges", policy(`["content-length-range",0,9],["content-length-range",0,4]`), 400, "EntityTooLarge", "", ""},

		{"not base64", func(f *form) {
			f.set("policy", "*")
			f.set("OSSAccessKeyId", testID)
			m := hmac.New(sha1.New, []byte(testSecret))
			m.Write([]byte("*"))
			f.set("Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
		}, 400, "InvalidPolicyDocument", "0006-00000201", ""},
		{"not JSON", raw("{"), 400, "InvalidPolicyDocument", "0006-00000201", ""},
		{"null", raw("null"), 400, "InvalidPolicyDocument", "0006-00000201", ""},
		{"empty", raw("{}"), 400, "InvalidPolicyDocument", "0006-00000209", ""},
		{"further member", raw(`{"test":1,"expiration":"2024-06-12T09:00:00Z","conditions":[{"a":"b"}]}`), 400, "InvalidPolicyDocument", "0006-00000206", ""},
		{"no conditions", raw(`{"expiration":"2024-06-12T09:00:00Z"}`), 400, "InvalidPolicyDocument", "0006-00000207", ""},
		{"no expiration", raw(`{"conditions":[{"a":"b"}]}`), 400, "InvalidPolicyDocument", "0006-00000208", ""},
		{"expiration is a number", raw(`{"expiration":1,"conditions":[{"a":"b"}]}`), 400, "InvalidPolicyDocument", "0006-00000210", ""},
		{"expiration is empty", raw(`{"expiration":"","conditions":[{"a":"b"}]}`), 400, "InvalidPolicyDocument", "0006-00000211", ""},
		{"expiration is no time", raw(`{"expiration":"tomorrow","conditions":[{"a":"b"}]}`), 400, "InvalidPolicyDocument", "0006-00000212", ""},
		{"conditions no list", raw(`{"expiration":"2024-06-12T09:00:00Z","conditions":"x"}`), 400, "InvalidPolicyDocument", "0006-00000214", ""},
		{"conditions empty", policy(``), 400, "InvalidPolicyDocument", "0006-00000215", ""},
		{"no mode", policy(`["$key"]`), 400, "InvalidPolicyDocument", "0006-00000216", ""},
		{"unknown mode", policy(`["like","$key","x"]`), 400, "InvalidPolicyDocument", "0006-00000217", ""},
		{"too many arguments", policy(`["starts-with","$key","x","y"]`), 400, "InvalidPolicyDocument", "0006-00000218", ""},
		{"two properties", policy(`{"a":"b","c":"d"}`), 400, "InvalidPolicyDocument", "", "exactly one property"},
		{"no properties", policy(`{}`), 400, "InvalidPolicyDocument", "", "exactly one property"},
		{"string for a list", policy(`["not-in","$key","x"]`), 400, "InvalidPolicyDocument", "0006-00000224", ""},
		{"number for a string", policy(`["eq","$key",1]`), 400, "InvalidPolicyDocument", "0006-00000224", ""},
		{"range upside down", policy(`["content-length-range",2,1]`), 400, "InvalidPolicyDocument", "0006-00000224", ""},

		{"no key", and(open, drop("key")), 400, "InvalidArgument", "", "key"},
		{"empty key", and(open, set("key", "")), 400, "InvalidArgument", "", "key"},
		{"bad key", and(open, set("key", "/x")), 400, "InvalidObjectName", "", ""},
		{"bad ACL", and(open, set("x-oss-object-acl", "x")), 400, "InvalidArgument", "", ""},
		{"overwriting", and(open, set("key", "old"), set("x-oss-forbid-overwrite", "true")), 409, "FileAlreadyExists", "", ""},
		{"digest", and(open, set("Content-MD5", md5Base64("other"))), 400, "InvalidDigest", "", ""},
		{"two files", and(open, func(f *form) { f.tail = part("file", "x") }), 400, "IncorrectNumberOfFilesInPOSTRequest", "", ""},
		{"field after the file", and(open, func(f *form) { f.tail = part("x-oss-meta-a", "x") }), 400, "MalformedPOSTRequest", "0006-00000104", ""},
		{"long field", and(open, set("x-oss-meta-a", strings.Repeat("x", 64<<10+1))), 400, "FieldItemTooLong", "", ""},
		{"nameless field", and(open, set("", "x")), 400, "MalformedPOSTRequest", "0006-00000104", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			c.put("old", "old")
			f := newForm()
			tc.change(f)
			a := c.want(c.postForm(f), tc.status, tc.code)
			if tc.ec != "" && a.element("EC") != tc.ec || !strings.Contains(a.element("Message"), tc.msg) {
				t.Error(a.body)
			}
			if keys := c.do("GET", target(testBucket, "", "list-type=2"), "").elements("Key"); !slices.Equal(keys, []string{"old"}) {
				t.Errorf("keys are %q", keys)
			}
			if got := c.get("old").body; got != "old" {
				t.Errorf("old is %q", got)
			}
		})
	}
}

// TestPostObjectMalformed cuts a form everywhere, and sends what is none.
func TestPostObjectMalformed(t *testing.T) {
	c := newClient(t)
	f := newForm()
	f.signV1(openPolicy)
	const typ = "multipart/form-data; boundary=" + formBoundary
	whole := f.String()
	for n := range len(whole) - len("--\r\n") {
		c.want(c.postBody(strings.NewReader(whole[:n]), typ), 400, "MalformedPOSTRequest")
	}
	c.want(c.postBody(strings.NewReader(part("key", "x")+"--"+formBoundary+"--\r\n"), typ), 400, "MalformedPOSTRequest") // no file
	c.want(c.postBody(strings.NewReader(whole), "multipart/form-data"), 400, "MalformedPOSTRequest")
	for _, typ := range []string{"", "text/plain", "multipart/mixed; boundary=" + formBoundary, "application/x-www-form-urlencoded"} {
		c.want(c.postBody(strings.NewReader(whole), typ), 400, "RequestIsNotMultiPartContent")
	}
	c.want(c.get("dir/a b.txt"), 404, "NoSuchKey")
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1/missing/", strings.NewReader(whole))
	r.Header.Set("Content-Type", typ)
	c.want(c.send(r), 404, "NoSuchBucket")
}

func TestPostObjectAnonymous(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target(testBucket, "", "acl"), "", "x-oss-acl", "public-read"), 200, "")
	f := newForm()
	c.want(c.postForm(f), 403, "AccessDenied")
	c.want(c.do("PUT", target(testBucket, "", "acl"), "", "x-oss-acl", "public-read-write"), 200, "")
	c.want(c.postForm(f), 204, "")
	c.put("private", "x", "x-oss-object-acl", "private")
	f.set("key", "private")
	c.want(c.postForm(f), 403, "AccessDenied")
	if got := c.get("dir/a b.txt").body; got != "hello" {
		t.Errorf("body is %q", got)
	}
}

func TestPostObjectVersions(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target(testBucket, "", "versioning"), "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"), 200, "")
	f := newForm()
	f.signV1(openPolicy)
	first, second := c.want(c.postForm(f), 204, ""), c.want(c.postForm(f), 204, "")
	if a, b := first.header.Get("x-oss-version-id"), second.header.Get("x-oss-version-id"); a == "" || a == b {
		t.Errorf("versions are %q and %q", a, b)
	}
}

// TestPostObjectCallback: the form has the callback and its variables.
func TestPostObjectCallback(t *testing.T) {
	got := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- string(b)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	defer app.Close()
	c := newClient(t)
	f := newForm()
	f.set("callback", base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"`+app.URL+`","callbackBody":"o=${object}&u=${x:user}"}`)))
	f.set("x:user", "me")
	f.signV1(openPolicy)
	if a := c.want(c.postForm(f), 200, ""); a.body != `{"ok":true}` {
		t.Errorf("answer is %q", a.body)
	}
	if b := <-got; b != "o=dir%2Fa+b.txt&u=me" {
		t.Errorf("callback got %q", b)
	}
}

// TestPostObjectStreams: memory does not grow with the file.
func TestPostObjectStreams(t *testing.T) {
	const size = 96 << 20
	s, endpoint := start(t, storeOptions(t, true))
	f := newForm()
	f.fields = []string{"key", "large", "success_action_status", "201"}
	f.signV1(`{"expiration":"2999-01-01T00:00:00Z","conditions":[["starts-with","$key",""]]}`)
	head, tail := f.head(), "\r\n--"+formBoundary+"--\r\n"
	body := io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader(tail))
	r, err := http.NewRequestWithContext(t.Context(), "POST", endpoint+"/"+testBucket+"/", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(head)) + size + int64(len(tail))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+formBoundary)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	b, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != 201 {
		t.Fatalf("%d, %v: %s", res.StatusCode, err, b)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes allocated for a file of %d", n, size)
	}
	c := &client{t: t, h: s, now: time.Now()}
	if a := c.want(c.do("HEAD", target(testBucket, "large", ""), ""), 200, ""); a.header.Get("Content-Length") != fmt.Sprint(size) {
		t.Error(a.header)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestPostObjectShort: a client that stops in the middle leaves nothing.
func TestPostObjectShort(t *testing.T) {
	opts := storeOptions(t, true)
	_, endpoint := start(t, opts)
	f := newForm()
	f.file = strings.Repeat("x", 300_000)
	f.signV1(`{"expiration":"2999-01-01T00:00:00Z","conditions":[["starts-with","$key",""]]}`)
	whole := f.String()
	for _, n := range []int{100, 200_000, len(whole) - 10} {
		w := dial(t, endpoint)
		w.send(fmt.Sprintf("POST /%s/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n", testBucket, formBoundary, len(whole)) + whole[:n])
		if err := w.conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		(&client{t: t}).want(w.answer("POST"), 400, "RequestTimeout")
	}
	if n := countBlobs(t, opts.Dir); n != 0 {
		t.Errorf("%d blobs are left", n)
	}
}

func FuzzPostObject(f *testing.F) {
	fm := newForm()
	fm.signV1(openPolicy)
	f.Add([]byte(fm.String()), []byte(openPolicy))
	f.Add([]byte("--"+formBoundary+"--\r\n"), []byte(`{"expiration":"","conditions":[[],{},["in","$a",[]]]}`))
	c := newClient(f)
	f.Fuzz(func(t *testing.T, body, policy []byte) {
		c := &client{t: t, h: c.h, now: testTime}
		const typ = "multipart/form-data; boundary=" + formBoundary
		if a := c.postBody(bytes.NewReader(body), typ); a.status >= 500 {
			t.Fatalf("%d: %s", a.status, a.body)
		}
		fm := newForm()
		fm.signV1(string(policy))
		if a := c.postForm(fm); a.status >= 500 {
			t.Fatalf("%d: %s", a.status, a.body)
		}
	})
}
