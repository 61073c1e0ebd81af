//go:build unix

package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// onDisk is the space that a file takes, in bytes.
func onDisk(t *testing.T, path string) int64 {
	t.Helper()
	return lstat(t, path).Sys().(*syscall.Stat_t).Blocks * 512
}

// wantHoles skips a test where the file system has none.
func wantHoles(t *testing.T) {
	t.Helper()
	probe := filepath.Join(t.TempDir(), "probe")
	write(t, probe, nil)
	if err := os.Truncate(probe, 1<<20); err != nil {
		t.Fatal(err)
	}
	if onDisk(t, probe) >= 1<<20 {
		t.Skip("the file system has no holes")
	}
}

// evenPart is a length of ranges that holes fit into.
const evenPart = 128 << 10

func even(o *transfer.Options) { o.PartSize, o.MultipartThreshold = evenPart, evenPart }

// withHoles is data for some ranges of the test's engine, with holes before,
// in between and at the end.
func withHoles() []byte {
	b := make([]byte, 20*evenPart+7)
	copy(b[3*evenPart+10:], noise(1, evenPart))
	copy(b[11*evenPart:], noise(2, 10))
	return b
}

func TestSparse(t *testing.T) {
	wantHoles(t)
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	content := withHoles()
	write(t, filepath.Join(src, "large"), content)
	write(t, filepath.Join(src, "small"), make([]byte, evenPart))
	write(t, filepath.Join(src, "tiny"), make([]byte, 10))
	w.sync(transfer.Local(src), w.at("p"), transfer.SyncOptions{})
	o := transfer.SyncOptions{Files: transfer.FileOptions{Sparse: true}}
	if r, err := w.engine(even).Sync(t.Context(), w.at("p"), transfer.Local(dst), &o); err != nil || r.Objects.Done != 3 {
		t.Fatalf("%+v, %v", r.Objects, err)
	}
	if got := tree(t, dst); got["large"] != string(content) || got["small"] != string(make([]byte, evenPart)) || got["tiny"] != string(make([]byte, 10)) {
		t.Error("files differ")
	}
	for name, most := range map[string]int64{"large": 5 * evenPart, "small": evenPart - 1} {
		if got := onDisk(t, filepath.Join(dst, name)); got > most {
			t.Errorf("%s takes %d bytes", name, got)
		}
	}
	if r := w.sync(w.at("p"), transfer.Local(dst), o); r.Objects.Skipped != 3 {
		t.Errorf("again: %+v", r.Objects)
	}
	one := filepath.Join(dst, "one")
	if _, err := w.engine(even).Download(t.Context(), w.at("p/large"), one, &transfer.DownloadOptions{Sparse: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(one); err != nil || !bytes.Equal(got, content) || onDisk(t, one) > 5*evenPart {
		t.Errorf("alone: %d bytes on the disk, %v", onDisk(t, one), err)
	}
	if _, err := w.engine(even).Sync(t.Context(), transfer.Local(src), w.at("p"), &o); !isUsage(err) {
		t.Errorf("an upload: %v", err)
	}
}

// What an interrupted download has of holes is proven, not fetched again, and so
// is what lies behind a file that was not asked to have any.
func TestSparseGoesOn(t *testing.T) {
	wantHoles(t)
	for _, before := range []bool{true, false} {
		w := newWorld(t)
		content := withHoles()
		w.put("k", content)
		path := filepath.Join(t.TempDir(), "f")
		ctx, cancel := context.WithCancelCause(t.Context())
		var asked atomic.Int64
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.Method == http.MethodGet && asked.Add(1) == 12 {
				cancel(errors.New("enough"))
			}
			return send()
		})
		if _, err := w.engine(even).Download(ctx, w.at("k"), path, &transfer.DownloadOptions{Sparse: before}); err == nil {
			t.Fatal("was not interrupted")
		}
		w.wire.between(nil)
		w.log.forget()
		r, err := w.engine(even).Download(t.Context(), w.at("k"), path, &transfer.DownloadOptions{Sparse: true})
		if err != nil || r.Bytes.Resumed == 0 {
			t.Errorf("%+v, %v", r, err)
		}
		fetched := len(w.log.requests(t, "GetObject"))
		if want := 21 - int(r.Bytes.Resumed/evenPart); fetched != want {
			t.Errorf("%d ranges fetched, %d bytes were there", fetched, r.Bytes.Resumed)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("reads otherwise, %v", err)
		}
		if got := onDisk(t, path); before && got > 5*evenPart {
			t.Errorf("%d bytes are on the disk", got)
		}
	}
}
