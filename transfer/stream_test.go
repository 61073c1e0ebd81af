package transfer_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func TestStreamTakesUpWhereItBroke(t *testing.T) {
	w := newWorld(t)
	data := noise(15, 1<<20)
	w.put("k", data)
	var tries atomic.Int64
	w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil && tries.Add(1) <= 2 {
			resp.Body = &cut{ReadCloser: resp.Body, left: 300_000}
		}
		return resp, err
	})
	var out bytes.Buffer
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Error("stream differs from the object")
	}
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, &transfer.DownloadOptions{Range: oss.RangeLast(1 << 21)}); err != nil {
		t.Error("a suffix longer than the object:", err)
	}
	out.Reset()
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, &transfer.DownloadOptions{Range: oss.RangeBetween(5, 9)}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), data[5:10]) {
		t.Error("the range is wrong")
	}
}

type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func TestFailedStreamLeavesNothing(t *testing.T) {
	w := newWorld(t)
	broken := errors.New("the pipe broke")
	r := io.MultiReader(bytes.NewReader(noise(16, 5*partSize)), errorReader{broken})
	report, err := w.engine().UploadStream(t.Context(), r, w.at("k"), nil)
	if !errors.Is(err, broken) || report.Resumable {
		t.Errorf("got %v, %+v", err, report)
	}
	if w.get("k") != nil || w.uploads() != 0 {
		t.Error("something is left of a failed stream")
	}
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

// TestDownloadAt: ranges land at their places, whatever is cut on the way; an
// object that is overwritten meanwhile is an error, never a mix.
func TestDownloadAt(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int{0, 1, 1 << 20, 1<<20 + 1} {
		data := noise(size, size)
		w.put("k", data)
		var tried sync.Map
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if _, again := tried.LoadOrStore(r.Header.Get("Range"), true); err == nil && r.Method == http.MethodGet && !again {
				resp.Body = &cut{ReadCloser: resp.Body, left: 60_000}
			}
			return resp, err
		})
		file, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		report, err := w.engine().DownloadAt(t.Context(), w.at("k"), file, nil)
		if err != nil || report.Objects.Done != 1 || report.Bytes.Done != int64(size) {
			t.Fatalf("%+v, %v", report, err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: file differs from the object, %v", size, err)
		}
		file.Close()
	}
	full := errors.New("full")
	if report, err := w.engine().DownloadAt(t.Context(), w.at("k"), failingAt{full}, nil); !errors.Is(err, full) || report.Retries > 0 {
		t.Errorf("a writer that fails: %+v, %v", report, err)
	}
	w.put("k", noise(1, 1<<20))
	var once sync.Once
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if r.Method == http.MethodGet {
			once.Do(func() { w.put("k", noise(2, 1<<20)) })
		}
		return resp, err
	})
	if report, err := w.engine().DownloadAt(t.Context(), w.at("k"), failingAt{}, nil); !errors.Is(err, transfer.ErrChanged) || report.Objects.Changed != 1 {
		t.Errorf("an object that changes: %+v, %v", report, err)
	}
}

type failingAt struct{ err error }

func (f failingAt) WriteAt(p []byte, _ int64) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return len(p), nil
}
