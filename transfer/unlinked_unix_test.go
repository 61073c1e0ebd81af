//go:build unix

package transfer_test

import (
	"bytes"
	"errors"
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
						report, err = w.engine(oneByOne).Sync(t.Context(), transfer.Local(filepath.Dir(path)), w.at("p/"), &transfer.SyncOptions{Compare: transfer.CompareNone, RemoveSource: moves})
					} else {
						report, err = w.engine(oneByOne).Upload(t.Context(), path, w.at("p/f"), &transfer.UploadOptions{RemoveSource: moves})
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
