package oss_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
)

// pipeBucket is a bucket whose connections are pipes: serve gets the other end.
func pipeBucket(t *testing.T, timeout time.Duration, serve func(net.Conn)) *oss.Bucket {
	t.Helper()
	session := oss.NewSession(&oss.SessionOptions{
		ReadTimeout: timeout, NoProxy: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				serve(far)
			}()
			return near, nil
		},
	})
	c, err := oss.New("http://oss.test", nil, &oss.Options{HTTPClient: session})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c.Bucket("bucket")
}

func TestStalledAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pipeBucket(t, time.Minute, func(c net.Conn) { io.Copy(io.Discard, c) })
		start := time.Now()
		_, err := b.HeadObject(t.Context(), "key", nil)
		if d := time.Since(start); oss.Classify(err) != oss.ClassRetryable || d != time.Minute {
			t.Errorf("after %v: %v (%v)", d, err, oss.Classify(err))
		}
	})
}

func TestStalledDownload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Oss-Request-Id: 1\r\nContent-Length: 10\r\n\r\n01234")
			io.Copy(io.Discard, c)
		})
		r, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		start := time.Now()
		got, err := io.ReadAll(r.Body)
		if d := time.Since(start); oss.Classify(err) != oss.ClassRetryable || d != time.Minute || string(got) != "01234" {
			t.Errorf("after %v: %q, %v", d, got, err)
		}
	})
}

func TestSlowDownloadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Oss-Request-Id: 1\r\nContent-Length: 10\r\n\r\n")
			for i := range 10 {
				time.Sleep(50 * time.Second)
				c.Write([]byte{'0' + byte(i)})
			}
		})
		r, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if got, err := io.ReadAll(r.Body); string(got) != "0123456789" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// slowly reads n bytes, 1000 at a time with a pause before each.
func slowly(c io.Reader, n int, pause time.Duration) {
	for ; n > 0; n -= 1000 {
		time.Sleep(pause)
		io.CopyN(io.Discard, c, int64(min(n, 1000)))
	}
}

func TestSlowUploadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 100_000
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			r := bufio.NewReaderSize(c, 16)
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			slowly(req.Body, size, 50*time.Second)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Oss-Request-Id: 1\r\nContent-Length: 0\r\n\r\n")
		})
		start := time.Now()
		_, err := b.PutObject(t.Context(), "key", bytes.NewReader(make([]byte, size)), nil)
		if d := time.Since(start); err != nil || d < 80*time.Minute {
			t.Errorf("after %v: %v", d, err)
		}
	})
}

func TestStalledUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			slowly(req.Body, 5000, time.Second)
			<-t.Context().Done()
		})
		start := time.Now()
		_, err := b.PutObject(t.Context(), "key", bytes.NewReader(make([]byte, 1<<20)), nil)
		if d := time.Since(start); oss.Classify(err) != oss.ClassRetryable || d > 2*time.Minute {
			t.Errorf("after %v: %v", d, err)
		}
	})
}

// pausing is a source that takes its time: a rate limit is not a stall.
type pausing struct {
	io.Reader
	n int
}

func (p *pausing) Len() int { return p.n }

func (p *pausing) Read(b []byte) (int, error) {
	time.Sleep(10 * time.Minute)
	return p.Reader.Read(b[:min(len(b), 5000)])
}

func TestSlowSourceIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pipeBucket(t, time.Minute, func(c net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Oss-Request-Id: 1\r\nContent-Length: 0\r\n\r\n")
		})
		body := &pausing{Reader: bytes.NewReader(make([]byte, 50_000)), n: 50_000}
		if _, err := b.PutObject(t.Context(), "key", body, nil); err != nil {
			t.Error(err)
		}
	})
}

// measuring notes the largest buffer it is read into.
type measuring struct {
	*bytes.Reader
	most int
}

func (m *measuring) Read(p []byte) (int, error) {
	m.most = max(m.most, len(p))
	return m.Reader.Read(p)
}

// measuring must not be read through WriteTo.
func (m *measuring) WriteTo(io.Writer) (int64, error) { return 0, errors.New("WriteTo was called") }

// serveData answers with, and takes, data of size bytes.
func serveData(size int) http.Handler {
	data := make([]byte, size)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Oss-Request-Id", "ID")
		if r.Method == http.MethodGet {
			w.Write(data)
			return
		}
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n != int64(size) {
			w.WriteHeader(400)
		}
	})
}

func bucketAt(t *testing.T, endpoint string, session *oss.SessionOptions) *oss.Bucket {
	t.Helper()
	c, err := oss.New(endpoint, nil, &oss.Options{HTTPClient: oss.NewSession(session)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c.Bucket("bucket")
}

func TestPieces(t *testing.T) {
	const size = 2 << 20
	plain := httptest.NewServer(serveData(size))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(serveData(size))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // one client below refuses the certificate
	secure.StartTLS()
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	for name, v := range map[string]struct {
		url     string
		session *oss.SessionOptions
	}{
		"plain":    {plain.URL, nil},
		"TLS":      {secure.URL, &oss.SessionOptions{RootCAs: roots}},
		"insecure": {secure.URL, &oss.SessionOptions{InsecureSkipVerify: true}},
	} {
		b := bucketAt(t, v.url, v.session)
		body := &measuring{Reader: bytes.NewReader(make([]byte, size))}
		if _, err := b.PutObject(t.Context(), "key", body, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if body.most != 256<<10 {
			t.Errorf("%s: the body was read in pieces of %d", name, body.most)
		}
		r, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
			t.Errorf("%s: read %d bytes, %v", name, n, err)
		}
		r.Body.Close()
	}
	_, err := bucketAt(t, secure.URL, nil).HeadObject(t.Context(), "key", nil)
	if err == nil || oss.Classify(err) != oss.ClassPermanent {
		t.Errorf("an unknown certificate: %v (%v)", err, oss.Classify(err))
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Oss-Request-Id", "ID")
		if strings.HasSuffix(r.URL.Path, "missing") {
			w.WriteHeader(404)
			io.WriteString(w, errorXML("NoSuchKey", strings.Repeat("x", 5000)))
			return
		}
		w.Header().Set("Content-Length", "40000")
		w.Write(make([]byte, 40_000))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	b := bucketAt(t, s.URL, nil)
	for range 5 {
		if _, err := b.GetObject(t.Context(), "missing", nil); !errors.Is(err, oss.ErrNoSuchKey) {
			t.Fatal(err)
		}
		r, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(r.Body, make([]byte, 10)) // the rest is small enough to be read away
		r.Body.Close()
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestProxyGetsTheExactPath(t *testing.T) {
	var line string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Oss-Request-Id", "ID")
		line = r.RequestURI
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := bucketAt(t, "http://oss.example.com", &oss.SessionOptions{Proxy: http.ProxyURL(at)})
	if _, err := b.HeadObject(t.Context(), "a//b %2F/../c", nil); err != nil {
		t.Fatal(err)
	}
	if want := "http://bucket.oss.example.com/a//b%20%252F/../c"; line != want {
		t.Errorf("got %s, want %s", line, want)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Oss-Request-Id", "ID")
		requests++
		http.Redirect(w, r, "http://other.example.com/key", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	_, err := bucketAt(t, s.URL, nil).HeadObject(t.Context(), "key", nil)
	if requests != 1 || err == nil || !strings.Contains(err.Error(), "other.example.com") {
		t.Errorf("%d requests, %v", requests, err)
	}
}

func TestHugeHeader(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Huge", strings.Repeat("x", 2<<20))
	}))
	defer s.Close()
	if _, err := bucketAt(t, s.URL, nil).HeadObject(t.Context(), "key", nil); err == nil {
		t.Error("a header of 2 MiB was accepted")
	}
}

func BenchmarkUpload(b *testing.B) {
	const size = 8 << 20
	s := httptest.NewServer(serveData(size))
	defer s.Close()
	c, err := oss.New(s.URL, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.CloseIdleConnections()
	bucket, data := c.Bucket("bucket"), make([]byte, size)
	b.Run("size=8MiB", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bucket.PutObject(b.Context(), "key", bytes.NewReader(data), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDownload(b *testing.B) {
	const size = 8 << 20
	s := httptest.NewServer(serveData(size))
	defer s.Close()
	c, err := oss.New(s.URL, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.CloseIdleConnections()
	bucket, buf := c.Bucket("bucket"), make([]byte, 256<<10)
	b.Run("size=8MiB", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			r, err := bucket.GetObject(b.Context(), "key", nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, buf); err != nil {
				b.Fatal(err)
			}
			r.Body.Close()
		}
	})
}
