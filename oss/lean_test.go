package oss_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
)

const plainAnswer = "HTTP/1.1 200 OK\r\nX-Oss-Request-Id: 1\r\nEtag: \"E\"\r\nContent-Length: 0\r\n\r\n"

// answers serves each connection with these answers, one for a request, and
// then closes it. It counts connections.
func answers(conns *atomic.Int64, texts ...string) func(net.Conn) {
	return func(c net.Conn) {
		conns.Add(1)
		r := bufio.NewReader(c)
		for _, text := range texts {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, text)
		}
	}
}

// countedConn counts how often it is written to.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestSmallRequestIsOneWrite(t *testing.T) {
	var writes atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(got)) || r.Method == http.MethodPut && string(got) != strings.Repeat("x", 16<<10) {
			t.Errorf("%s: %d bytes of %d, %v", r.Method, len(got), r.ContentLength, err)
		}
		w.Header().Set("X-Oss-Request-Id", "1")
		w.Header().Set("Etag", `"E"`)
	}))
	defer s.Close()
	c := plainClient(t, s.URL, &oss.SessionOptions{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return countedConn{conn, &writes}, err
		},
	})
	b := c.Bucket("bucket")
	for _, err := range []error{
		second(b.PutObject(t.Context(), "a/b +%c", strings.NewReader(strings.Repeat("x", 16<<10)), nil)),
		second(b.HeadObject(t.Context(), "key", nil)),
		second(b.DeleteObject(t.Context(), "key", nil)),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if n := writes.Load(); n != 3 {
		t.Errorf("three requests took %d writes", n)
	}
}

func plainClient(t *testing.T, endpoint string, o *oss.SessionOptions) *oss.Client {
	t.Helper()
	o.NoProxy = true
	c, err := oss.New(endpoint, nil, &oss.Options{HTTPClient: oss.NewSession(o)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func second[T any](_ T, err error) error { return err }

// A body that comes in steps, as one that is slowed down does, is sent in steps.
func TestBodyInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			for range 3 {
				io.CopyN(io.Discard, req.Body, 10)
				at = append(at, time.Since(start))
			}
			io.WriteString(c, plainAnswer)
		})
		_, err := b.PutObject(t.Context(), "key", &steps{left: 3}, nil)
		if err != nil || len(at) != 3 || at[0] != 40*time.Second || at[2] != 120*time.Second {
			t.Errorf("%v at %v", err, at)
		}
	})
}

// steps gives ten bytes every 40 s.
type steps struct{ left int }

func (s *steps) Len() int { return 10 * s.left }

func (s *steps) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	time.Sleep(40 * time.Second)
	return copy(p, "0123456789"), nil
}

// A source that fails as it gives its last bytes is not sent whole.
func TestBodyFailsAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns atomic.Int64
		b := pipeBucket(t, time.Minute, answers(&conns, plainAnswer))
		bad := errors.New("changed")
		if _, err := b.PutObject(t.Context(), "key", &failing{left: 10, err: bad}, nil); !errors.Is(err, bad) {
			t.Errorf("got %v", err)
		}
	})
}

// failing gives its bytes together with an error.
type failing struct {
	left int
	err  error
}

func (f *failing) Len() int { return f.left }

func (f *failing) Read(p []byte) (int, error) { return min(f.left, len(p)), f.err }

// What the server has closed between two requests is found before it is used.
func TestClosedWhileIdle(t *testing.T) {
	var conns atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Oss-Request-Id", "1")
		w.Header().Set("Etag", `"E"`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	b := plainClient(t, s.URL, &oss.SessionOptions{}).Bucket("bucket")
	for i := range int64(3) {
		if _, err := b.PutObject(t.Context(), "key", strings.NewReader("x"), nil); err != nil {
			t.Fatal(err)
		}
		if n := conns.Load(); n != i+1 {
			t.Errorf("request %d: %d connections", i+1, n)
		}
		s.CloseClientConnections()
	}
}

// Where nobody can ask whether a connection is open, what may be sent twice is.
func TestClosedUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns atomic.Int64
		b := pipeBucket(t, time.Minute, answers(&conns, plainAnswer))
		for range 3 {
			if _, err := b.HeadObject(t.Context(), "key", nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := conns.Load(); n != 3 {
			t.Errorf("%d connections", n)
		}
		_, err := b.PutObject(t.Context(), "key", strings.NewReader("x"), nil)
		synctest.Wait()
		if n := conns.Load(); n != 3 || oss.Classify(err) != oss.ClassRetryable {
			t.Errorf("a body is sent on %d more connections: %v", n-3, err)
		}
	})
}

func TestConnectionIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns, gone atomic.Int64
		serve := answers(&conns, slicesOf(plainAnswer, 9)...)
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			serve(c)
			gone.Add(1)
		})
		for _, pause := range []time.Duration{0, time.Second, 49 * time.Second} {
			time.Sleep(pause)
			if _, err := b.HeadObject(t.Context(), "key", nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := conns.Load(); n != 1 {
			t.Errorf("%d connections for one request after the other", n)
		}
		time.Sleep(49 * time.Second)
		synctest.Wait()
		if gone.Load() != 0 {
			t.Error("the connection is closed early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if gone.Load() != 1 {
			t.Error("the connection is kept though nobody uses it")
		}
	})
}

func slicesOf(s string, n int) []string {
	return strings.Split(strings.Repeat(s+"\x00", n-1)+s, "\x00")
}

// What is left on a connection must not be the answer to the next request.
func TestConnectionIsNotKept(t *testing.T) {
	head := strings.TrimSuffix(plainAnswer, "Content-Length: 0\r\n\r\n")
	tests := []struct {
		name, answer string
		read         int
	}{
		{"more than was promised", plainAnswer + "x", 0},
		{"Connection: close", head + "Connection: close\r\nContent-Length: 2\r\n\r\nab", 2},
		{"half of a body is read", head + "Content-Length: 200000\r\n\r\n" + strings.Repeat("a", 200000), 10},
		{"half of a body has come", head + "Content-Length: 200000\r\n\r\n" + strings.Repeat("a", 20000), 20000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conns atomic.Int64
				b := pipeBucket(t, time.Minute, answers(&conns, tt.answer, tt.answer))
				for range 2 {
					r, err := b.GetObject(t.Context(), "key", nil)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(io.LimitReader(r.Body, int64(tt.read))); err != nil || len(got) != tt.read {
						t.Errorf("%q, %v", got, err)
					}
					if tt.read < 4 {
						io.Copy(io.Discard, r.Body)
					}
					r.Body.Close()
				}
				if n := conns.Load(); n != 2 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}

// TestRefusedEarly: a server may refuse a request before it has read its body, and
// close. What it says counts, and not that the rest could not be written.
func TestRefusedEarly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	var served sync.WaitGroup
	served.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		r := bufio.NewReaderSize(c, 16)
		for line := ""; line != "\r\n" && err == nil; {
			line, err = r.ReadString('\n')
		}
		const body = `<?xml version="1.0"?><Error><Code>AccessDenied</Code><RequestId>1</RequestId></Error>`
		fmt.Fprintf(c, "HTTP/1.1 403 Forbidden\r\nX-Oss-Request-Id: 1\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		c.Close()
		close(closed)
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	// The first of the body goes out with the head; the rest when all is over.
	body := &heldBack{parts: [][]byte{make([]byte, 1000), make([]byte, 30_000), make([]byte, 30_000)}, before: func(n int) {
		if n > 0 {
			<-closed
		}
	}}
	_, err = plainClient(t, "http://"+l.Addr().String(), &oss.SessionOptions{}).Bucket("bucket").PutObject(t.Context(), "k", body, nil)
	if server, ok := errors.AsType[*oss.ServerError](err); !ok || server.Code != "AccessDenied" {
		t.Errorf("%v", err)
	}
}

// heldBack is a body in parts, each of which before may hold back.
type heldBack struct {
	parts  [][]byte
	before func(n int)
	n      int
}

func (s *heldBack) Len() (left int) {
	for _, p := range s.parts {
		left += len(p)
	}
	return left
}

func (s *heldBack) Read(p []byte) (int, error) {
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	s.before(s.n)
	n := copy(p, s.parts[0])
	if s.parts[0] = s.parts[0][n:]; len(s.parts[0]) == 0 {
		s.parts, s.n = s.parts[1:], s.n+1
	}
	return n, nil
}

func TestInterimAnswers(t *testing.T) {
	const early = "HTTP/1.1 103 Early Hints\r\n\r\n"
	tests := []struct {
		name, answer, fails string
	}{
		{"two", early + early + plainAnswer, ""},
		{"too many", strings.Repeat(early, 10) + plainAnswer, "not final"},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "another protocol"},
		{"a header without end", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<21), "exceeds"},
		{"no HTTP", "220 mail.example.com\r\n\r\n", "malformed"},
		{"nothing", "", "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conns atomic.Int64
				b := pipeBucket(t, time.Minute, answers(&conns, tt.answer))
				_, err := b.HeadObject(t.Context(), "key", nil)
				if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestCancelEndsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		for name, call := range map[string]func(context.Context, *oss.Bucket) error{
			"no answer": func(ctx context.Context, b *oss.Bucket) error { return second(b.HeadObject(ctx, "none", nil)) },
			"half a body": func(ctx context.Context, b *oss.Bucket) error {
				r, err := b.GetObject(ctx, "half", nil)
				if err != nil {
					return err
				}
				defer r.Body.Close()
				return second(io.ReadAll(r.Body))
			},
		} {
			b := pipeBucket(t, time.Hour, func(c net.Conn) {
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				if strings.Contains(req.URL.Path, "half") {
					io.WriteString(c, strings.Replace(plainAnswer, "Length: 0", "Length: 9", 1)+"1234")
				}
				io.Copy(io.Discard, c)
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			start := time.Now()
			err := call(ctx, b)
			if d := time.Since(start); !errors.Is(err, context.Canceled) || d != time.Second {
				t.Errorf("%s: after %v: %v", name, d, err)
			}
		}
	})
}

func TestAnswerAfterItsEnd(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "abc") }))
	defer s.Close()
	c := plainClient(t, s.URL, &oss.SessionOptions{})
	for _, whole := range []bool{true, false} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if whole {
			io.Copy(io.Discard, resp.Body)
		} else {
			resp.Body.Close()
		}
		want := http.ErrBodyReadAfterClose
		if whole {
			want = io.EOF
		}
		for range 2 {
			if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || !errors.Is(err, want) {
				t.Errorf("%d bytes, %v", n, err)
			}
		}
	}
}

// Many requests at once, small and large, on few and many connections.
func TestManyAtOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Oss-Request-Id", "1")
		w.Header().Set("Etag", `"E"`)
		if r.Method == http.MethodPut {
			if len(body) > 0 && !bytes.Equal(body, bytes.Repeat(body[:1], len(body))) {
				t.Error("bodies are mixed")
			}
			return
		}
		io.WriteString(w, r.URL.Path)
	}))
	defer s.Close()
	b := plainClient(t, s.URL, &oss.SessionOptions{}).Bucket("bucket")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				text := bytes.Repeat([]byte{byte('a' + i)}, n*4000)
				if _, err := b.PutObject(t.Context(), "key", bytes.NewReader(text), nil); err != nil {
					t.Error(err)
				}
				key := string('a' + rune(i))
				r, err := b.GetObject(t.Context(), key, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := io.ReadAll(r.Body); err != nil || string(got) != "/bucket/"+key {
					t.Errorf("%q, %v", got, err)
				}
				r.Body.Close()
			}
		})
	}
	all.Wait()
}
