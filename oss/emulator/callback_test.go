package emulator_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestCallback has a client's own server called with what was stored, and its
// answer become the answer.
func TestCallback(t *testing.T) {
	var host, typ, body string
	status, reply := 200, `{"ok":true}`
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		host, typ, body = r.Host, r.Header.Get("Content-Type"), string(b)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply)
	}))
	defer app.Close()
	c := newClient(t)
	description := func(more string) string {
		return b64(`{"callbackUrl":"` + app.URL + `","callbackBody":"o=${object}&n=${size}&t=${mimeType}&v=${x:v}"` + more + `}`)
	}
	vars := b64(`{"x:v":"a&b","object":"other"}`)
	put := func(callback string) *answer {
		return c.do("PUT", target(testBucket, "dir/k", ""), "hello", "Content-Type", "text/plain",
			"x-oss-callback", callback, "x-oss-callback-var", vars)
	}

	a := put(description(`,"callbackHost":"app.example"`))
	c.want(a, 200, "")
	if a.body != reply || a.header.Get("Content-Type") != "application/json" || a.header.Get("x-oss-hash-crc64ecma") == "" {
		t.Errorf("answer is %q, %v", a.body, a.header)
	}
	if want := "o=dir%2Fk&n=5&t=text%2Fplain&v=a%26b"; body != want || typ != "application/x-www-form-urlencoded" || host != "app.example" {
		t.Errorf("called %s with %s %q, want %q", host, typ, body, want)
	}

	c.want(put(b64(`{"callbackUrl":"`+strings.TrimPrefix(app.URL, "http://")+`","callbackBody":"{\"o\":${object},\"n\":${size}}","callbackBodyType":"application/json"}`)), 200, "")
	if want := `{"o":"dir/k","n":5}`; body != want || typ != "application/json" {
		t.Errorf("called with %s %q, want %q", typ, body, want)
	}

	id := c.initiate("whole")
	c.part("whole", id, 1, "x")
	a = c.want(c.complete("whole", id, "", "x-oss-complete-all", "yes", "x-oss-callback", description("")), 200, "")
	if a.body != reply || !strings.HasPrefix(body, "o=whole&n=1&") {
		t.Errorf("answer is %q to %q", a.body, body)
	}

	status = 500
	c.want(put(description("")), 203, "CallbackFailed")
	status, reply = 200, "no JSON"
	c.want(put(description("")), 203, "CallbackFailed")
}

// TestCallbackRefused has only this machine be called, the object stored all
// the same, and a description that is none refused before anything is stored.
func TestCallbackRefused(t *testing.T) {
	for _, tc := range []struct {
		name, callback string
		status         int
		code           string
	}{
		{"elsewhere", b64(`{"callbackUrl":"http://app.example/","callbackBody":"x"}`), 203, "CallbackFailed"},
		{"this machine by a name that only seems so", b64(`{"callbackUrl":"http://localhost.example/","callbackBody":"x"}`), 203, "CallbackFailed"},
		{"no scheme", b64(`{"callbackUrl":"app.example","callbackBody":"x"}`), 203, "CallbackFailed"},
		{"no domain", b64(`{"callbackUrl":"app","callbackBody":"x"}`), 400, "InvalidArgument"},
		{"no port", b64(`{"callbackUrl":"127.0.0.1;app.example:x","callbackBody":"x"}`), 400, "InvalidArgument"},
		{"no variable", b64(`{"callbackUrl":"http://127.0.0.1/","callbackBody":"o=$(object)"}`), 400, "InvalidArgument"},
		{"no base64", "{}", 400, "InvalidArgument"},
		{"no JSON", b64("x"), 400, "InvalidArgument"},
		{"no URL", b64(`{"callbackBody":"x"}`), 400, "InvalidArgument"},
		{"no body", b64(`{"callbackUrl":"http://127.0.0.1/"}`), 400, "InvalidArgument"},
		{"type", b64(`{"callbackUrl":"http://127.0.0.1/","callbackBody":"x","callbackBodyType":"text/plain"}`), 400, "InvalidArgument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			c.want(c.do("PUT", target(testBucket, "k", ""), "x", "x-oss-callback", tc.callback), tc.status, tc.code)
			if tc.status == 203 {
				c.want(c.get("k"), 200, "")
			} else {
				c.want(c.get("k"), 404, "NoSuchKey")
			}
		})
	}
}

// TestCallbackPolicy has the bucket keep the description, which requests name.
func TestCallbackPolicy(t *testing.T) {
	var got string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(app.Close)
	c := newClient(t)
	put := func(policy, vars string) *answer {
		return c.do("PUT", target(testBucket, "k", ""), "x", "x-oss-callback", b64(`{"callbackPolicy":"`+policy+`"}`), "x-oss-callback-var", vars)
	}
	c.want(put("mine", ""), 400, "InvalidArgument")
	c.want(c.config("PUT", "policy&comp=callback", "<BucketCallbackPolicy><PolicyItem><PolicyName>mine</PolicyName><Callback>"+
		b64(`{"callbackUrl":"`+app.URL+`","callbackBody":"o=${object}&a=${x:a}&b=${x:b}"}`)+"</Callback><CallbackVar>"+
		b64(`{"x:a":"1","x:b":"2"}`)+"</CallbackVar></PolicyItem><PolicyItem><PolicyName>odd</PolicyName><Callback>"+
		b64(`[]`)+"</Callback></PolicyItem></BucketCallbackPolicy>"), 200, "")
	c.want(put("mine", b64(`{"x:b":"3"}`)), 200, "")
	if got != "o=k&a=1&b=3" {
		t.Error(got)
	}
	c.want(put("other", ""), 400, "InvalidArgument")
	c.want(put("odd", ""), 400, "InvalidArgument")
}
