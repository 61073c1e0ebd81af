package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func TestSizes(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for _, size := range []int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 2*partSize + 1, 25*partSize + 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			data := noise(size, size)
			src := filepath.Join(t.TempDir(), "src")
			write(t, src, data)
			old := time.Unix(1_600_000_000, 123456789)
			if err := os.Chtimes(src, old, old); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("sizes/%d", size)
			report, err := e.Upload(t.Context(), src, w.at(key), nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.State != transfer.StateDone || report.Objects.Done != 1 || report.Bytes.Done != int64(size) {
				t.Errorf("report says %+v", report)
			}
			if !bytes.Equal(w.get(key), data) {
				t.Error("object differs from the file")
			}
			dst := filepath.Join(t.TempDir(), "new", "dst")
			if _, err := e.Download(t.Context(), w.at(key), dst, nil); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(dst)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("file differs from the object: %v", err)
			}
			info, err := os.Stat(dst)
			if err != nil || !info.ModTime().Equal(old) {
				t.Errorf("modification time %v, want %v (%v)", info.ModTime(), old, err)
			}
			var stream bytes.Buffer
			if _, err := e.DownloadTo(t.Context(), w.at(key), &stream, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(stream.Bytes(), data) {
				t.Error("stream differs from the object")
			}
			if _, err := e.UploadStream(t.Context(), io.MultiReader(bytes.NewReader(data)), w.at(key+"-stream"), nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.get(key+"-stream"), data) {
				t.Error("object differs from the stream")
			}
		})
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d multipart uploads left", n)
	}
	if left := tree(t, w.state); len(left) != 0 {
		t.Errorf("finished jobs left %d files of state", len(left))
	}
}

// stopAfter cancels after n successful requests that match.
func stopAfter(w *world, n int64, cancel context.CancelFunc, match func(*http.Request) bool) {
	var seen atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !match(r) {
			return send()
		}
		if seen.Add(1) > n {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return send()
	})
}

// oneByOne leaves nothing in flight that a test would have to guess about.
func oneByOne(o *transfer.Options) { o.Parallel = 1 }

func neverAnew(o *transfer.Options) { o.Restarts = -1 }

func TestUsage(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, nil)
	e := w.engine()
	for name, call := range map[string]func() error{
		"no key":      func() error { _, err := e.Upload(t.Context(), src, w.at(""), nil); return err },
		"no bucket":   func() error { _, err := e.Upload(t.Context(), src, transfer.Local("x"), nil); return err },
		"both local":  func() error { _, err := e.Sync(t.Context(), transfer.Local("a"), transfer.Local("b"), nil); return err },
		"delete all":  func() error { _, err := e.Delete(t.Context(), w.at(""), nil); return err },
		"part size":   func() error { _, err := transfer.New(&transfer.Options{PartSize: 5}); return err },
		"parallel":    func() error { _, err := transfer.New(&transfer.Options{Parallel: -1}); return err },
		"concurrency": func() error { _, err := transfer.New(&transfer.Options{Concurrency: 100_000}); return err },
		"range to file": func() error {
			_, err := e.Download(t.Context(), w.at("k"), src, &transfer.DownloadOptions{Range: oss.RangeFrom(1)})
			return err
		},
	} {
		if _, ok := errors.AsType[*transfer.UsageError](call()); !ok {
			t.Errorf("%s: got %v, want a UsageError", name, call())
		}
	}
}

func TestOneProcessPerJob(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(17, 5*partSize))
	var second error
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if isPart(r) && once.CompareAndSwap(false, true) {
			_, second = w.engine().Upload(t.Context(), src, w.at("k"), nil)
		}
		return send()
	})
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(second, transfer.ErrJobHeld) || !strings.Contains(second.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second one got %v", second)
	}
}
