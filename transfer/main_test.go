package transfer_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// partSize is the smallest the service takes, so that small files have many
// parts.
const partSize = 100 << 10

// world is a server with one bucket, a client of it, and what was asked.
type world struct {
	t        *testing.T
	server   *emulator.Server
	endpoint string
	bucket   *oss.Bucket
	log      *requestLog
	wire     *wire
	state    string
	ahead    *atomic.Int64 // of the server's clock, in ns

	plain *oss.Bucket // of a rough world: without its impatience
	arm   func()      // of a rough world: lets its faults begin
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: &requestLog{}, state: t.TempDir(), ahead: new(atomic.Int64)}
	var err error
	w.server, err = emulator.Open(&emulator.Options{
		RequestLog: w.log, Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.endpoint, err = w.server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	session := oss.NewSession(nil)
	w.wire = &wire{next: session.Transport}
	id, secret := w.server.Credentials()
	client, err := oss.New(w.endpoint, oss.StaticCredentials(id, secret, ""), &oss.Options{
		Region:     "cn-hangzhou",
		HTTPClient: &http.Client{Transport: w.wire, CheckRedirect: session.CheckRedirect},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.bucket = client.Bucket("bucket")
	t.Cleanup(func() {
		session.CloseIdleConnections()
		if err := w.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// engine makes an engine with small parts and fast retries.
func (w *world) engine(change ...func(*transfer.Options)) *transfer.Engine {
	w.t.Helper()
	o := &transfer.Options{
		StateDir: w.state, PartSize: partSize, MultipartThreshold: partSize, Concurrency: 4, Parallel: 4, Attempts: 3,
	}
	for _, c := range change {
		c(o)
	}
	e, err := transfer.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) at(key string) transfer.Location { return transfer.Remote(w.bucket, key) }

// put makes an object without the engine.
func (w *world) put(key string, data []byte) {
	w.t.Helper()
	if _, err := w.bucket.PutObject(w.t.Context(), key, bytes.NewReader(data), nil); err != nil {
		w.t.Fatal(err)
	}
}

// get reads an object without the engine; nil if it is not there.
func (w *world) get(key string) []byte {
	w.t.Helper()
	r, err := w.bucket.GetObject(w.t.Context(), key, nil)
	if err != nil {
		return nil
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		w.t.Fatal(err)
	}
	return b.Bytes()
}

// uploads is the number of multipart uploads the server has open.
func (w *world) uploads() (n int) {
	w.t.Helper()
	for _, err := range w.bucket.MultipartUploads(w.t.Context(), nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		n++
	}
	return n
}

// request is a line of the server's log.
type request struct {
	Op     string
	Key    string
	Part   string
	Range  string
	Status int
}

type requestLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *requestLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// requests returns the successful requests for op since the last call of
// forget.
func (l *requestLog) requests(t *testing.T, op string) (all []request) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := bufio.NewScanner(bytes.NewReader(l.text.Bytes()))
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if r.Op == op && r.Status < 300 {
			all = append(all, r)
		}
	}
	return all
}

func (l *requestLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// wire lets a test come between client and server.
type wire struct {
	next http.RoundTripper
	mu   sync.Mutex
	hook func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	hook := w.hook
	w.mu.Unlock()
	send := func() (*http.Response, error) { return w.next.RoundTrip(r) }
	if hook == nil {
		return send()
	}
	return hook(r, send)
}

// between sets what happens to each request; nil is nothing.
func (w *wire) between(hook func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = hook
}

// noise is n bytes that no two offsets share.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return b
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree reads every file below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func isUsage(err error) bool {
	_, ok := errors.AsType[*transfer.UsageError](err)
	return ok
}
