package emulator_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// start serves on loopback; the clock is the real one.
func start(t *testing.T, opts *emulator.Options) (s *emulator.Server, endpoint string) {
	t.Helper()
	opts.AccessKeyID, opts.AccessKeySecret = testID, testSecret
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
	if endpoint, err = s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return s, endpoint
}

// wire writes raw requests to a connection and reads the answers.
type wire struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, endpoint string) *wire {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(endpoint, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{t, conn, bufio.NewReader(conn)}
}

// head is the head of a signed request, with further header lines.
func (w *wire) head(method, target string, lines ...string) string {
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1"+target, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	signV4(r, time.Now())
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, target)
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	if err := r.Header.Write(&b); err != nil {
		w.t.Fatal(err)
	}
	return b.String() + "\r\n"
}

func (w *wire) send(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w.conn, s); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) answer(method string) *answer {
	w.t.Helper()
	res, err := http.ReadResponse(w.r, &http.Request{Method: method})
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.Close {
		res.Header.Set("Connection", "close")
	}
	return &answer{status: res.StatusCode, header: res.Header, body: string(b)}
}

func TestWire(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	c := &client{t: t}
	w := dial(t, endpoint)
	path := target(testBucket, "k", "")

	// One connection for all that leaves it in order.
	w.send(w.head("PUT", path, "Transfer-Encoding: chunked") + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
	c.want(w.answer("PUT"), 200, "")
	w.send(w.head("GET", path))
	if a := c.want(w.answer("GET"), 200, ""); a.body != "abcde" {
		t.Errorf("body is %q", a.body)
	}
	w.send(w.head("PUT", path, "Transfer-Encoding: chunked") + "0\r\n\r\n") // as one SDK sends an empty body
	c.want(w.answer("PUT"), 200, "")
	w.send(w.head("HEAD", path))
	if a := c.want(w.answer("HEAD"), 200, ""); a.header.Get("Content-Length") != "0" {
		t.Error(a.header)
	}
	w.send(w.head("PUT", path, "Content-Length: 5", "Expect: 100-continue"))
	if line, err := w.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = w.r.ReadString('\n')
	w.send("12345")
	c.want(w.answer("PUT"), 200, "")
	w.send(w.head("HEAD", target(testBucket, "missing", "")))
	c.want(w.answer("HEAD"), 404, "NoSuchKey")
	w.send(w.head("GET", path, "If-None-Match: *"))
	if a := w.answer("GET"); a.status != 304 {
		t.Error(a.status)
	}
	w.send(w.head("PUT", path)) // neither length nor chunks
	c.want(w.answer("PUT"), 411, "MissingContentLength")
}

// The vendor's Java client reads names of headers as they are spelled.
func TestSpelledHeaders(t *testing.T) {
	s, endpoint := start(t, &emulator.Options{})
	c := &client{t: t, h: s, now: time.Now()}
	c.put("k", "x", "x-oss-meta-my-key", "v")
	w := dial(t, endpoint)
	w.send(w.head("HEAD", target(testBucket, "k", ""), "Connection: close"))
	head, err := io.ReadAll(w.r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x-oss-meta-my-key: v", "x-oss-request-id:", "x-oss-server-time:", "ETag:", "Content-MD5:", "Last-Modified:"} {
		if n := strings.Count(strings.ToLower(string(head)), "\n"+strings.ToLower(name)); n != 1 || !strings.Contains(string(head), "\n"+name) {
			t.Errorf("%s comes %d times, or is spelled otherwise, in %s", name, n, head)
		}
	}
}

func TestNoBodyBeforeAuthentication(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	w := dial(t, endpoint)
	head := w.head("PUT", target(testBucket, "k", ""), "Content-Length: 5", "Expect: 100-continue")
	w.send(strings.Replace(head, "Signature=", "Signature=0", 1))
	(&client{t: t}).want(w.answer("PUT"), 403, "SignatureDoesNotMatch") // no 100 came first
}

func TestSignedLengthWithoutBody(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	c := &client{t: t}
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		w := dial(t, endpoint)
		w.send(w.head(method, target(testBucket, "k", ""), "Content-Length: 10"))
		a := w.answer(method)
		if method == "DELETE" {
			c.want(a, 204, "")
		} else {
			c.want(a, 404, "NoSuchKey")
		}
		if a.header.Get("Connection") != "close" {
			t.Errorf("%s keeps the connection", method)
		}
		if _, err := w.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: connection gives %v, want its end", method, err)
		}
	}
}

func TestShortBody(t *testing.T) {
	for _, disk := range []bool{false, true} {
		_, endpoint := start(t, storeOptions(t, disk))
		for _, n := range []int{3, 300_000} {
			w := dial(t, endpoint)
			w.send(w.head("PUT", target(testBucket, "k", ""), fmt.Sprintf("Content-Length: %d", n+1)) + strings.Repeat("x", n))
			if err := w.conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			a := w.answer("PUT")
			(&client{t: t}).want(a, 400, "RequestTimeout")
			w = dial(t, endpoint)
			w.send(w.head("GET", target(testBucket, "k", "")))
			(&client{t: t}).want(w.answer("GET"), 404, "NoSuchKey")
		}
	}
}

// TestRefusedBody: a client that only reads after it has written sees why its
// body was refused, and keeps the connection.
func TestRefusedBody(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	w := dial(t, endpoint)
	for range 2 {
		w.send(w.head("PUT", target(testBucket, "k", "partNumber=1&uploadId=A"), "Content-Length: 8388608") + strings.Repeat("x", 8<<20))
		(&client{t: t}).want(w.answer("PUT"), 404, "NoSuchUpload")
	}
}

func TestTooLarge(t *testing.T) {
	_, endpoint := start(t, &emulator.Options{})
	w := dial(t, endpoint)
	w.send(w.head("PUT", target(testBucket, "k", ""), "Content-Length: 5368709121"))
	(&client{t: t}).want(w.answer("PUT"), 400, "EntityTooLarge")
	w = dial(t, endpoint)
	w.send(w.head("GET", "/", "X-Big: "+strings.Repeat("x", 64<<10)))
	if a := w.answer("GET"); a.status != 431 {
		t.Errorf("status %d", a.status)
	}
}

func TestLargeFileOverSocket(t *testing.T) {
	_, endpoint := start(t, storeOptions(t, true))
	body := pattern(20 << 20)
	w := dial(t, endpoint)
	w.send(w.head("PUT", target(testBucket, "k", ""), fmt.Sprintf("Content-Length: %d", len(body))) + body)
	c := &client{t: t}
	c.want(w.answer("PUT"), 200, "")
	w.send(w.head("GET", target(testBucket, "k", "")))
	if a := c.want(w.answer("GET"), 200, ""); a.body != body {
		t.Errorf("%d bytes came back", len(a.body))
	}
	w.send(w.head("GET", target(testBucket, "k", ""), "Range: bytes=9000000-19000000"))
	if a := c.want(w.answer("GET"), 206, ""); a.body != body[9000000:19000001] {
		t.Errorf("%d bytes of the range came back", len(a.body))
	}
}

func TestRequestLog(t *testing.T) {
	var log bytes.Buffer
	c := newClientOptions(t, &emulator.Options{RequestLog: &log})
	c.put("a b", "hello")
	c.get("a b", "Range", "bytes=1-2")
	c.part("k", c.initiate("k"), 7, "x")
	c.get("missing")
	var got []string
	for line := range strings.Lines(log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if m["time"] != "2024-06-12T08:15:30Z" || len(m["request_id"].(string)) != 24 || m["duration_us"] == nil {
			t.Error(line)
		}
		got = append(got, fmt.Sprint(m["op"], m["bucket"], m["key"], m["part"], m["range"], m["status"], m["code"], m["bytes_in"], m["upload_id"] != nil))
	}
	want := []string{
		"PutObjectexamplebucketa b<nil><nil>200<nil>5false",
		"GetObjectexamplebucketa b<nil>bytes=1-2206<nil>0false",
		"InitiateMultipartUploadexamplebucketk<nil><nil>200<nil>0false",
		"UploadPartexamplebucketk7<nil>200<nil>1true",
		"GetObjectexamplebucketmissing<nil><nil>404NoSuchKey0false",
	}
	if strings.ReplaceAll(strings.Join(got, "\n"), " ", "") != strings.ReplaceAll(strings.Join(want, "\n"), " ", "") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	opts := func() *emulator.Options {
		return &emulator.Options{Dir: dir, AccessKeyID: testID, AccessKeySecret: testSecret, Now: func() time.Time { return testTime }}
	}
	var id, etag string
	for i := range 3 {
		s, err := emulator.Open(opts())
		if err != nil {
			t.Fatal(err)
		}
		c := &client{t: t, h: s, now: testTime}
		if i == 0 {
			if err := s.CreateBucket(testBucket); err != nil {
				t.Fatal(err)
			}
			c.put("small", "hello", "x-oss-meta-a", "b", "x-oss-tagging", "k=v")
			c.put("large", pattern(100_000))
			c.put("gone", pattern(100_000))
			c.want(c.do("DELETE", target(testBucket, "gone", ""), ""), 204, "")
			id = c.initiate("multi")
			etag = c.part("multi", id, 1, pattern(200_000)).header.Get("ETag")
		}
		if a := c.want(c.get("small"), 200, ""); a.body != "hello" || a.header.Get("x-oss-meta-a") != "b" || a.header.Get("x-oss-tagging-count") != "1" {
			t.Error(a)
		}
		if a := c.want(c.get("large"), 200, ""); a.body != pattern(100_000) {
			t.Error("large differs")
		}
		if i == 1 {
			c.want(c.complete("multi", id, partList(1, etag)), 200, "")
		}
		if i == 2 {
			if a := c.want(c.get("multi"), 200, ""); a.body != pattern(200_000) {
				t.Error("multi differs")
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := countBlobs(t, dir); n != 2 {
			t.Errorf("%d blobs, want 2", n)
		}
	}
}

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	s, err := emulator.Open(&emulator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = emulator.Open(&emulator.Options{Dir: dir})
	inUse, ok := errors.AsType[*emulator.InUseError](err)
	if !ok || inUse.Dir != dir || !strings.Contains(inUse.Holder, fmt.Sprint(os.Getpid())) {
		t.Errorf("error is %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := emulator.Open(&emulator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // has no such bits
	}
	dir := filepath.Join(t.TempDir(), "d")
	c := newClientOptions(t, &emulator.Options{Dir: dir})
	c.put("k", pattern(100_000))
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCloseWaits: a request that has begun is answered, no other is taken.
func TestCloseWaits(t *testing.T) {
	s, err := emulator.Open(&emulator.Options{AccessKeyID: testID, AccessKeySecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	endpoint, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dial(t, endpoint) // never used; must not hold anything up
	w := dial(t, endpoint)
	w.send(w.head("PUT", target(testBucket, "k", ""), "Content-Length: 5", "Expect: 100-continue"))
	if line, err := w.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = w.r.ReadString('\n')
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	c := &client{t: t, h: s, now: time.Now()}
	for c.get("other").status != 503 {
		runtime.Gosched()
	}
	select {
	case err := <-closed:
		t.Fatalf("closed under a request, %v", err)
	default:
	}
	w.send("12345")
	c.want(w.answer("PUT"), 200, "")
	start := time.Now()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("waited %v for a connection without a request", d)
	}
}

func TestClosed(t *testing.T) {
	s, err := emulator.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	id, secret := s.Credentials()
	if id == "" || secret == "" {
		t.Error("no credentials")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	c := &client{t: t, h: s, now: testTime}
	c.want(c.get("k"), 503, "ServiceUnavailable")
	if _, err := s.Start("127.0.0.1:0"); err == nil {
		t.Error("started after Close")
	}
	if err := s.CreateBucket("abc"); err == nil {
		t.Error("made a bucket after Close")
	}
}

func TestOpenRefusals(t *testing.T) {
	if _, err := emulator.Open(&emulator.Options{AccessKeyID: "a"}); err == nil {
		t.Error("id without secret accepted")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := emulator.Open(&emulator.Options{Dir: file}); err == nil {
		t.Error("file accepted as a directory")
	}
	s, err := emulator.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CreateBucket("No"); err == nil {
		t.Error("bad bucket name accepted")
	}
}
