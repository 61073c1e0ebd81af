package osstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/osssync/osssync/oss/osstest"
)

func request(ctx context.Context, t *testing.T, method string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:1/a%2Fb//c?x", body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTransportForms(t *testing.T) {
	for _, v := range []struct {
		name    string
		method  string
		handler http.HandlerFunc
		status  int
		length  int64
		body    string
		wantErr error
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, 0, "", nil},
		{"short", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }, 200, 3, "abc", nil},
		{"long", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 5000)) }, 200, -1, strings.Repeat("x", 5000), nil},
		{"status", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0, "", nil},
		{"204", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, 0, "", nil},
		{"HEAD", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "7")
			io.WriteString(w, "ignored")
		}, 200, 7, "", nil},
		{"less than promised", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "7")
			io.WriteString(w, "abc")
		}, 200, 7, "abc", io.ErrUnexpectedEOF},
		{"cut", "GET", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 200, -1, "abc", io.ErrUnexpectedEOF},
	} {
		t.Run(v.name, func(t *testing.T) {
			resp, err := osstest.Transport(v.handler).RoundTrip(request(t.Context(), t, v.method, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if resp.StatusCode != v.status || resp.ContentLength != v.length || string(got) != v.body || !errors.Is(err, v.wantErr) || resp.Header.Get("Date") == "" {
				t.Errorf("status %d, length %d, %d bytes, %v", resp.StatusCode, resp.ContentLength, len(got), err)
			}
		})
	}
}

func TestTransportKeepsTheRawPath(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.RequestURI+" "+r.URL.EscapedPath()+" "+r.Host)
	})
	resp, err := osstest.Transport(h).RoundTrip(request(t.Context(), t, "GET", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != "/a%2Fb//c?x /a%2Fb//c 127.0.0.1:1" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTransportAborts(t *testing.T) {
	for want, v := range map[string]any{"cut": http.ErrAbortHandler, "a mistake": "a mistake"} {
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(v) })
		if _, err := osstest.Transport(h).RoundTrip(request(t.Context(), t, "GET", nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := osstest.Transport(http.NotFoundHandler()).RoundTrip(request(ctx, t, "GET", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestTransportStreams: bytes pass while both sides are still at it, and the
// handler learns that the client left.
func TestTransportStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := make(chan struct{})
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(left)
			buf := make([]byte, 1)
			for {
				if _, err := r.Body.Read(buf); err != nil {
					return
				}
				if _, err := w.Write(buf); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		})
		pr, pw := io.Pipe()
		defer pw.Close()
		go io.WriteString(pw, "a")
		resp, err := osstest.Transport(h).RoundTrip(request(t.Context(), t, "PUT", pr))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"a", "b", "c"} {
			got := make([]byte, 1)
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Fatalf("got %q, %v", got, err)
			}
			go io.WriteString(pw, string(want[0]+1))
		}
		resp.Body.Close()
		<-left
	})
}
