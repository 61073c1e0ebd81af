//go:build unix

package transfer_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// A move of all there is leaves nothing behind that has arrived, and back again.
func TestMoveLinksAndFolders(t *testing.T) {
	for _, compare := range []transfer.Compare{transfer.CompareNone, transfer.CompareChecksum} {
		w := newWorld(t)
		src, dst := folderTree(t), filepath.Join(t.TempDir(), "dst")
		want := folderTree(t) // of the same times
		symlink(t, "deep/er/file", filepath.Join(src, "a/link"))
		touch(t, filepath.Join(src, "a"), lstat(t, filepath.Join(want, "a")).ModTime())
		symlink(t, "nowhere", filepath.Join(src, "dangling"))
		symlink(t, "/etc/passwd", filepath.Join(src, "outside"))
		o := transfer.SyncOptions{RemoveSource: true, Compare: compare, Files: transfer.FileOptions{Folders: true, Preserve: true, Links: transfer.LinksKeep}}
		r := w.sync(transfer.Local(src), w.at("p"), o)
		if got := failed(r); !slices.Equal(got, []string{"p/outside"}) || r.Objects.Done != 9 || r.Objects.Removed != 9 {
			t.Fatalf("%+v, failed %q", r.Objects, got)
		}
		if got := left(t, src); !slices.Equal(got, []string{"outside"}) {
			t.Errorf("left are %q", got)
		}
		keys := []string{"a/", "a/deep/", "a/deep/er/", "a/deep/er/file", "a/file", "a/link -> p/a/deep/er/file", "dangling -> p/nowhere", "empty/", "z"}
		if got := w.keysOf("p/"); !slices.Equal(got, keys) {
			t.Errorf("keys %q", got)
		}
		r = w.sync(w.at("p"), transfer.Local(dst), o)
		if r.Objects.Done != 9 || r.Objects.Removed != 9 || r.Objects.Failed > 0 {
			t.Fatalf("down: %+v, %v", r.Objects, r.Failures)
		}
		sameFolders(t, want, dst)
		if got := w.keysOf("p/"); len(got) > 0 {
			t.Errorf("left are %q", got)
		}
		if target, err := os.Readlink(filepath.Join(dst, "a/link")); target != "deep/er/file" {
			t.Errorf("link to %q, %v", target, err)
		}
	}
}

// left are the names in a folder.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A folder in which something stays does so, too, and what is at the
// destination is no reason to leave its source.
func TestMoveLeavesWhatStays(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	for _, name := range []string{"full/bad\xff", "full/good", "gone/in/side", "other/file"} {
		write(t, filepath.Join(src, name), []byte("x"))
	}
	symlink(t, "file", filepath.Join(src, "other/link"))
	w.put("p/gone/in/", nil)
	w.link("p/other/link", "p/other/file")
	o := transfer.SyncOptions{RemoveSource: true, Files: transfer.FileOptions{Folders: true, Links: transfer.LinksKeep}, Filter: choose(t, "- other/", "+ **")}
	r := w.sync(transfer.Local(src), w.at("p"), o)
	if r.Objects.Failed != 1 {
		t.Fatalf("%+v, %v", r.Objects, r.Failures)
	}
	if got := folders(t, src); !slices.Equal(got, []string{"full", "other"}) {
		t.Errorf("left are %q", got)
	}
	o.Filter = nil
	if r := w.sync(transfer.Local(src), w.at("p"), o); r.Objects.Removed != 3 {
		t.Errorf("%+v, %v", r.Objects, r.Failures)
	}
	if got := folders(t, src); !slices.Equal(got, []string{"full"}) {
		t.Errorf("left are %q", got)
	}
}

// A move that was broken off at any request goes on, and ends as if it had not.
func TestMoveLinksAndFoldersGoesOn(t *testing.T) {
	for n := int64(1); ; n++ {
		w := newWorld(t)
		src, dst := folderTree(t), filepath.Join(t.TempDir(), "dst")
		want := folderTree(t)
		symlink(t, "a/file", filepath.Join(src, "link"))
		o := transfer.SyncOptions{RemoveSource: true, Compare: transfer.CompareNone, AllowEmpty: true, Files: transfer.FileOptions{Folders: true, Preserve: true, Links: transfer.LinksKeep}}
		broken := false
		for _, sides := range [][2]transfer.Location{{transfer.Local(src), w.at("p")}, {w.at("p"), transfer.Local(dst)}} {
			ctx, cancel := context.WithCancelCause(t.Context())
			var asked atomic.Int64
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if asked.Add(1) == n {
					defer cancel(errors.New("enough"))
				}
				return send()
			})
			one := func(o *transfer.Options) { o.Concurrency, o.Parallel = 1, 1 } // nothing is under way that the server does later
			_, err := w.engine(one).Sync(ctx, sides[0], sides[1], &o)
			broken = broken || err != nil
			w.wire.between(nil)
			if err == nil {
				continue
			}
			if r, err := w.engine().Sync(t.Context(), sides[0], sides[1], &o); err != nil {
				t.Fatalf("request %d, %s: %+v, %v", n, sides[0], r.Failures, err)
			}
		}
		sameFolders(t, want, dst)
		if names, keys := left(t, src), w.keysOf("p/"); len(names)+len(keys) > 0 {
			t.Errorf("request %d: left are %q and %q", n, names, keys)
		}
		if target, err := os.Readlink(filepath.Join(dst, "link")); target != "a/file" || string(read(t, filepath.Join(dst, "a/deep/er/file"))) != "a/deep/er/file" {
			t.Errorf("request %d: link to %q, %v", n, target, err)
		}
		if !broken {
			if n < 10 {
				t.Errorf("only %d requests", n)
			}
			return
		}
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A link that leads elsewhere takes the place of one, and a file that of a link,
// whatever it led to.
func TestReplaceLinks(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	for _, name := range []string{"a", "b"} {
		write(t, filepath.Join(src, name), []byte(name))
		symlink(t, "a", filepath.Join(src, "to-"+name))
	}
	o := transfer.SyncOptions{IfUnchanged: true, Files: transfer.FileOptions{Links: transfer.LinksKeep}}
	w.sync(transfer.Local(src), w.at("p"), o)
	for _, name := range []string{"to-a", "to-b"} {
		if err := os.Remove(filepath.Join(src, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(src, "to-a"), []byte("a file"))
	symlink(t, "b", filepath.Join(src, "to-b"))
	if r := w.sync(transfer.Local(src), w.at("p"), o); r.Objects.Done != 2 || r.Objects.Failed > 0 {
		t.Errorf("%+v, %v", r.Objects, r.Failures)
	}
	if got := w.keysOf("p/"); !slices.Equal(got, []string{"a", "b", "to-a", "to-b -> p/b"}) {
		t.Errorf("keys %q", got)
	}
	// What somebody else has put there meanwhile stays.
	if err := os.Remove(filepath.Join(src, "to-b")); err != nil {
		t.Fatal(err)
	}
	symlink(t, "a", filepath.Join(src, "to-b"))
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		response, err := send()
		if r.Method == http.MethodGet && r.URL.Query().Has("symlink") && once.CompareAndSwap(false, true) {
			if _, err := w.bucket.PutSymlink(context.WithoutCancel(r.Context()), "p/to-b", "p/theirs", nil); err != nil {
				t.Error(err)
			}
		}
		return response, err
	})
	r, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p"), &o)
	if !errors.Is(err, transfer.ErrIncomplete) || r.Objects.Changed != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	var target string
	if target, err = w.bucket.GetSymlink(t.Context(), "p/to-b", (*oss.VersionOptions)(nil)); target != "p/theirs" {
		t.Errorf("leads to %q, %v", target, err)
	}
}
