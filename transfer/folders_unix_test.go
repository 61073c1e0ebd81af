//go:build unix

package transfer_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// folderTree makes folders of some permissions and times, with files in them.
func folderTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	modes := map[string]fs.FileMode{"a": 0o750, "a/deep": 0o700, "a/deep/er": 0o555, "empty": 0o711}
	for _, name := range []string{"a/deep/er/file", "a/file", "z"} {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a/deep/er", "a/deep", "a", "empty"} {
		chmod(t, filepath.Join(dir, name), modes[name])
		touch(t, filepath.Join(dir, name), time.Unix(1_600_000_000+int64(i), 123456789))
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "a/deep/er"), 0o755) })
	return dir
}

func touch(t *testing.T, name string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(name, time.Time{}, at); err != nil {
		t.Fatal(err)
	}
}

// sameFolders compares the folders below two others.
func sameFolders(t *testing.T, one, other string) {
	t.Helper()
	names := folders(t, one)
	if got := folders(t, other); !slices.Equal(got, names) {
		t.Fatalf("folders %q and %q", names, got)
	}
	for _, name := range names {
		a, b := lstat(t, filepath.Join(one, name)), lstat(t, filepath.Join(other, name))
		if a.Mode() != b.Mode() || !a.ModTime().Equal(b.ModTime()) || a.Sys().(*syscall.Stat_t).Uid != b.Sys().(*syscall.Stat_t).Uid {
			t.Errorf("%s: %v %v and %v %v", name, a.Mode(), a.ModTime(), b.Mode(), b.ModTime())
		}
	}
}

func TestPreserveFolders(t *testing.T) {
	w := newWorld(t)
	src, dst := folderTree(t), filepath.Join(t.TempDir(), "dst")
	o := transfer.SyncOptions{Files: transfer.FileOptions{Folders: true, Preserve: true}, Delete: true}
	up := func() *transfer.Report {
		w.ahead.Add(int64(2 * time.Second)) // no listing tells of what is written twice in a second
		return w.sync(transfer.Local(src), w.at("p"), o)
	}
	down := func() *transfer.Report { return w.sync(w.at("p"), transfer.Local(dst), o) }
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dst, "a/deep/er"), 0o755) })
	if r := up(); r.Objects.Done != 7 || len(r.Warnings) > 0 {
		t.Fatalf("up: %+v, %q", r.Objects, r.Warnings)
	}
	meta, err := w.bucket.HeadObject(t.Context(), "p/a/deep/er/", nil)
	if err != nil || meta.Meta[transfer.MetaMode] != "40555" || meta.Meta[transfer.MetaUID] == "" || meta.Meta[transfer.MetaModTime] != "1600000000.123456789" {
		t.Errorf("metadata %v, %v", meta, err)
	}
	if r := down(); r.Objects.Done != 7 || r.Objects.Failed > 0 {
		t.Fatalf("down: %+v, %v", r.Objects, r.Failures)
	}
	sameFolders(t, src, dst)
	again := func(what string, done int, requests ...int) {
		t.Helper()
		for i, run := range []func() *transfer.Report{up, down} {
			w.log.forget()
			r := run()
			asked := len(w.log.requests(t, "HeadObject")) + len(w.log.requests(t, "PutObject")) + len(w.log.requests(t, "GetObject"))
			if r.Objects.Done != int64(done) || r.Objects.Failed > 0 || len(requests) > 0 && asked != requests[i] {
				t.Errorf("%s, %s: %+v, %v, %d requests", what, r.Source, r.Objects, r.Failures, asked)
			}
		}
		sameFolders(t, src, dst)
	}
	again("unchanged", 0, 0, 0)
	chmod(t, filepath.Join(src, "a/deep"), 0o755)
	again("permissions", 1, 3, 1)
	touch(t, filepath.Join(src, "a"), time.Unix(1_500_000_000, 1))
	again("time", 1, 3, 1)
	write(t, filepath.Join(src, "a/new"), []byte("x"))
	again("a file more", 2)
	if err := os.Remove(filepath.Join(src, "a/new")); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(src, "a"), time.Unix(1_500_000_000, 2))
	again("a file less", 2) // the folder, and the deletion

	// A file that changes leaves its folder as it was, also where its name is new.
	write(t, filepath.Join(src, "a/file"), []byte("another"))
	touch(t, filepath.Join(src, "a"), time.Unix(1_500_000_000, 2))
	if r := up(); r.Objects.Done < 1 {
		t.Errorf("%+v", r.Objects)
	}
	down()
	sameFolders(t, src, dst)
	// What somebody has done to a folder here is undone.
	chmod(t, filepath.Join(dst, "empty"), 0o777)
	touch(t, filepath.Join(dst, "a/deep/er"), time.Unix(1_400_000_000, 0))
	if r := down(); r.Objects.Done != 2 {
		t.Errorf("changed here: %+v", r.Objects)
	}
	sameFolders(t, src, dst)
	// A state that is lost costs questions, no transfers.
	w.state = t.TempDir()
	again("without state", 0, 7, 7)
	again("with it", 0, 0, 0)
}

// Permissions that let nobody do anything are permissions.
func TestPreserveNoPermissions(t *testing.T) {
	w := newWorld(t)
	for name, mode := range map[string]string{"n/file": "100000", "n/folder/": "40000"} {
		_, err := w.bucket.PutObject(t.Context(), name, strings.NewReader(""), &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{
			Meta: map[string]string{transfer.MetaMode: mode},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, o := t.TempDir(), transfer.SyncOptions{Files: transfer.FileOptions{Folders: true, Preserve: true}}
	for _, done := range []int64{2, 0} {
		if r := w.sync(w.at("n"), transfer.Local(dir), o); r.Objects.Done != done || r.Objects.Failed > 0 {
			t.Errorf("%+v, %v", r.Objects, r.Failures)
		}
		for _, name := range []string{"file", "folder"} {
			if got := lstat(t, filepath.Join(dir, name)).Mode().Perm(); got != 0 {
				t.Errorf("%s: %v", name, got)
			}
		}
		if os.Geteuid() != 0 {
			break // nobody else can look into the folder
		}
	}
}

// A run that was killed has set no folder: the next one does.
func TestPreserveFoldersGoesOn(t *testing.T) {
	for _, compare := range []transfer.Compare{transfer.CompareModTime, transfer.CompareNone} {
		w := newWorld(t)
		src, dst := folderTree(t), filepath.Join(t.TempDir(), "dst")
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dst, "a/deep/er"), 0o755) })
		o := transfer.SyncOptions{Files: transfer.FileOptions{Folders: true, Preserve: true}, Compare: compare}
		w.sync(transfer.Local(src), w.at("p"), o)
		ctx, cancel := context.WithCancelCause(t.Context())
		var asked atomic.Int64
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.Method == http.MethodHead && asked.Add(1) == 2 {
				cancel(errors.New("enough"))
			}
			return send()
		})
		r, err := w.engine().Sync(ctx, w.at("p"), transfer.Local(dst), &o)
		if err == nil {
			t.Fatal("was not interrupted")
		}
		w.wire.between(nil)
		r, err = w.engine().Resume(t.Context(), r.JobID, &transfer.ResumeOptions{Bucket: func(_, _ string) (*oss.Bucket, error) { return w.bucket, nil }})
		if err != nil || !r.Resumed {
			t.Fatalf("%+v, %v", r, err)
		}
		sameFolders(t, src, dst)
	}
}

// Whoever may write to a bucket gives a folder no special bits.
func TestFolderModesThatAreNotGivenBack(t *testing.T) {
	w := newWorld(t)
	for name, mode := range map[string]string{"setgid": "42750", "file": "100700", "nonsense": "rwx", "none": ""} {
		_, err := w.bucket.PutObject(t.Context(), "q/"+name+"/", strings.NewReader(""), &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{
			Meta: map[string]string{transfer.MetaMode: mode},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	dst := t.TempDir()
	if r := w.sync(w.at("q"), transfer.Local(dst), transfer.SyncOptions{Files: transfer.FileOptions{Folders: true, Preserve: true}}); r.Objects.Done != 4 {
		t.Fatalf("%+v, %v", r.Objects, r.Failures)
	}
	if got := lstat(t, filepath.Join(dst, "setgid")).Mode(); got != fs.ModeDir|0o750 {
		t.Errorf("setgid: %v", got)
	}
	for _, name := range []string{"file", "nonsense", "none"} {
		if got := lstat(t, filepath.Join(dst, name)).Mode().Perm(); got != 0o755 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
