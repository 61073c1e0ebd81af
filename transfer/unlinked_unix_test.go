//go:build unix

package transfer_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// meddle lets a test come between the first request with bytes of a file and the
// last.
func (w *world) meddle(with func()) {
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && !once.Swap(true) {
			with()
		}
		return send()
	})
}

// TestSourceIsMeddledWith: a file that loses its name, or is written to at the
// moment when it loses another, is no file that could be sent, and is not
// removed.
func TestSourceIsMeddledWith(t *testing.T) {
	old, young := noise(1, 9*partSize), noise(2, 9*partSize)
	meddling := map[string]func(t *testing.T, path string, size int){
		"deleted": func(t *testing.T, path string, _ int) {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		},
		"replaced": func(t *testing.T, path string, size int) {
			write(t, path+".new", young[:size])
			if err := os.Rename(path+".new", path); err != nil {
				t.Error(err)
			}
		},
		"rewritten": func(t *testing.T, path string, size int) {
			info, err := os.Stat(path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := os.Remove(filepath.Join(filepath.Dir(filepath.Dir(path)), "other")); err != nil {
				t.Error(err)
			}
			write(t, path, young[:size])
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Error(err)
			}
		},
	}
	for what, with := range meddling {
		for _, size := range []int{100, len(old)} {
			for _, way := range []string{"one", "tree", "move one", "move tree"} {
				t.Run(what+" "+way, func(t *testing.T) {
					w := newWorld(t)
					dir := t.TempDir()
					path := filepath.Join(dir, "tree", "f")
					write(t, path, old[:size])
					if err := os.Link(path, filepath.Join(dir, "other")); err != nil {
						t.Fatal(err)
					}
					w.meddle(func() { with(t, path, size) })
					moves := way == "move one" || way == "move tree"
					var report *transfer.Report
					var err error
					if way == "tree" || way == "move tree" {
						report, err = w.engine(oneByOne, neverAnew).Sync(t.Context(), transfer.Local(filepath.Dir(path)), w.at("p/"), &transfer.SyncOptions{Compare: transfer.CompareNone, RemoveSource: moves})
					} else {
						report, err = w.engine(oneByOne, neverAnew).Upload(t.Context(), path, w.at("p/f"), &transfer.UploadOptions{RemoveSource: moves})
						if !errors.Is(err, transfer.ErrChanged) {
							t.Errorf("the error is %v", err)
						}
					}
					if err == nil || report.Objects.Changed != 1 || report.Objects.Done != 0 || report.Objects.Removed != 0 {
						t.Errorf("%d bytes: %+v, %v", size, report, err)
					}
					if w.get("p/f") != nil || w.uploads() != 0 {
						t.Errorf("%d bytes: something is left of it", size)
					}
					if got, _ := os.ReadFile(path); what != "deleted" && !bytes.Equal(got, young[:size]) {
						t.Errorf("%d bytes: the source has %d bytes", size, len(got))
					}
				})
			}
		}
	}
}

// TestSourceIsSentAnew: a file that was replaced while it was sent is sent as it
// is then, and one that is never at rest is not.
func TestSourceIsSentAnew(t *testing.T) {
	for _, size := range []int{100, 9 * partSize} {
		for _, moves := range []bool{false, true} {
			w := newWorld(t)
			path := filepath.Join(t.TempDir(), "f")
			write(t, path, noise(1, size))
			young := noise(2, size+7)
			var sent atomic.Int64
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if r.Method == http.MethodPut && sent.Add(1) == min(5, int64(size)/partSize+1) { // some parts are there by then
					write(t, path, young)
				}
				return send()
			})
			report, err := w.engine(oneByOne).Upload(t.Context(), path, w.at("k"), &transfer.UploadOptions{RemoveSource: moves})
			if err != nil || !bytes.Equal(w.get("k"), young) || w.uploads() != 0 || report.Bytes.Done != int64(len(young)) {
				t.Errorf("%d bytes: an object of %d, %+v, %v", size, len(w.get("k")), report, err)
			}
			if _, err := os.Stat(path); moves != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%d bytes moved %v: %v", size, moves, err)
			}

			write(t, path, noise(3, size))
			var puts atomic.Int64
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if r.Method == http.MethodPut {
					n := int(puts.Add(1))
					write(t, path, noise(n, size+n))
				}
				return send()
			})
			_, err = w.engine(oneByOne).Upload(t.Context(), path, w.at("busy"), &transfer.UploadOptions{RemoveSource: moves})
			w.wire.between(nil)
			if !errors.Is(err, transfer.ErrChanged) || w.get("busy") != nil || w.uploads() != 0 {
				t.Errorf("%d bytes: an object of %d, %v", size, len(w.get("busy")), err)
			}
		}
	}
}
