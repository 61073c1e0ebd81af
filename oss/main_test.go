package oss_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/osssync/osssync/oss"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answerer is a server in one function, seen from the client's side.
type answerer func(*http.Request) (*http.Response, error)

func (f answerer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a response; header is "Name: value" lines. It has a request id,
// as every answer of OSS has.
func answer(status int, body string, header ...string) *http.Response {
	r := &http.Response{
		StatusCode: status, Header: make(http.Header), ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)),
	}
	if status/100 == 2 {
		r.Header.Set("X-Oss-Request-Id", "ID")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// always answers everything alike, after reading the request's body.
func always(status int, body string, header ...string) answerer {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		return answer(status, body, header...), nil
	}
}

const testSecret = "s3cr3t-of-the-test"

func newClient(t testing.TB, rt http.RoundTripper, opts *oss.Options) *oss.Client {
	t.Helper()
	var o oss.Options
	if opts != nil {
		o = *opts
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: rt}
	}
	c, err := oss.New("oss-cn-hangzhou.aliyuncs.com", oss.StaticCredentials("the-id", testSecret, "the-token"), &o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bucketOf(t testing.TB, rt http.RoundTripper) *oss.Bucket {
	t.Helper()
	return newClient(t, rt, nil).Bucket("examplebucket")
}

// must fails the test on a request: the call should have been refused before.
func refuse(t testing.TB) answerer {
	return func(r *http.Request) (*http.Response, error) {
		t.Errorf("a request went out: %s %s", r.Method, r.URL.Path)
		return answer(500, ""), nil
	}
}
