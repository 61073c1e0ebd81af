//go:build unix

package transfer_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// keysOf lists the bucket's keys below prefix, without it. Those of links have
// their target behind an arrow.
func (w *world) keysOf(prefix string) (keys []string) {
	w.t.Helper()
	for o, err := range w.bucket.Objects(w.t.Context(), &oss.ListObjectsV2Options{Prefix: prefix}) {
		if err != nil {
			w.t.Fatal(err)
		}
		key := strings.TrimPrefix(o.Key, prefix)
		if o.Type == "Symlink" {
			target, err := w.bucket.GetSymlink(w.t.Context(), o.Key, nil)
			if err != nil {
				w.t.Fatal(err)
			}
			key += " -> " + target
		}
		keys = append(keys, key)
	}
	return keys
}

func (w *world) link(key, target string) {
	w.t.Helper()
	if _, err := w.bucket.PutSymlink(w.t.Context(), key, target, nil); err != nil {
		w.t.Fatal(err)
	}
}

func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// sync runs one Sync and says what became of it; problems of single names are no
// failure of the test.
func (w *world) sync(src, dst transfer.Location, o transfer.SyncOptions) *transfer.Report {
	w.t.Helper()
	report, err := w.engine().Sync(w.t.Context(), src, dst, &o)
	if err != nil && !errors.Is(err, transfer.ErrIncomplete) {
		w.t.Fatal(err)
	}
	return report
}

func failed(r *transfer.Report) (keys []string) {
	for _, f := range r.Failures {
		keys = append(keys, f.Key)
	}
	slices.Sort(keys)
	return keys
}

var oddNames = []string{
	"a//b", "/lead", "//", "x/./y", "x/../y", "../../out", "./..", "./x", "x%/%", "%2E%2E", "%252E", "100%", "a%20b", "a%2Fb", "trailing./dot.", "space /end ",
	"tab\tnew\nline", "marker/with/content/", "CON", strings.Repeat("n", 255), "plain/name",
	localfs.TempName("x"), "d/" + localfs.TempName("y"),
}

func TestEncodeNames(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	for i, name := range oddNames {
		w.put("p/"+name, noise(i, i+1))
	}
	encoded := transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: true}}
	n := int64(len(oddNames))
	if r := w.sync(w.at("p"), transfer.Local(dir), encoded); r.Objects.Done != n {
		t.Fatalf("down: %+v, %v", r.Objects, r.Failures)
	}
	if entries := tree(t, dir); int64(len(entries)) != n || entries["%2E%2E/%2E%2E/out"] == "" || entries["marker/with/content/%"] == "" {
		t.Errorf("files: %q", slices.Sorted(maps.Keys(entries)))
	}
	if r := w.sync(transfer.Local(dir), w.at("q"), encoded); r.Objects.Done != n {
		t.Fatalf("up: %+v, %v", r.Objects, r.Failures)
	}
	if got, want := w.keysOf("q/"), w.keysOf("p/"); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for i, name := range oddNames {
		if !bytes.Equal(w.get("q/"+name), noise(i, i+1)) {
			t.Errorf("%q differs", name)
		}
	}
	t.Run("again", func(t *testing.T) {
		deleting := encoded
		deleting.Delete = true
		for _, sides := range [][2]transfer.Location{{w.at("p"), transfer.Local(dir)}, {transfer.Local(dir), w.at("q")}} {
			if r := w.sync(sides[0], sides[1], deleting); r.Objects.Skipped != n || r.Objects.Total != n {
				t.Errorf("%s: %+v", r.Source, r.Objects)
			}
		}
		r, err := w.engine().Check(t.Context(), transfer.Local(dir), w.at("p"), &transfer.CheckOptions{Files: encoded.Files})
		if err != nil || r.Check.Same != n {
			t.Errorf("check: %v, %+v", err, r.Check)
		}
	})
	t.Run("deletes", func(t *testing.T) {
		for _, name := range []string{"a//b", "./..", "marker/with/content/"} {
			if _, err := w.bucket.DeleteObject(t.Context(), "p/"+name, nil); err != nil {
				t.Fatal(err)
			}
		}
		deleting := encoded
		deleting.Delete = true
		if r := w.sync(w.at("p"), transfer.Local(dir), deleting); r.Objects.Deleted != 3 {
			t.Errorf("down: %+v", r.Objects)
		}
		if r := w.sync(transfer.Local(dir), w.at("q"), deleting); r.Objects.Deleted != 3 {
			t.Errorf("up: %+v", r.Objects)
		}
		if got, want := w.keysOf("q/"), w.keysOf("p/"); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	})
}

// A backup and its undo speak of the same files.
func TestEncodeNamesWithBackup(t *testing.T) {
	w := newWorld(t)
	dir, kept := t.TempDir(), t.TempDir()
	w.put("p/a//b", []byte("one"))
	o := transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: true}, Backup: transfer.Local(kept)}
	w.sync(w.at("p"), transfer.Local(dir), o)
	w.put("p/a//b", []byte("second"))
	r := w.sync(w.at("p"), transfer.Local(dir), o)
	if got := tree(t, dir)["a/%/b"]; r.Objects.Done != 1 || got != "second" {
		t.Fatalf("%+v, %q", r.Objects, got)
	}
	_, err := w.engine().Undo(t.Context(), r.JobID, &transfer.UndoOptions{ResumeOptions: transfer.ResumeOptions{
		Bucket: func(_, _ string) (*oss.Bucket, error) { return w.bucket, nil },
	}})
	if got := tree(t, dir)["a/%/b"]; err != nil || got != "one" {
		t.Errorf("%v, %q", err, got)
	}
}

// What no file can be is a failure of its own, and stops nothing else.
func TestNamesWithoutFile(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"a//b", "m//", "../x", "x/./y", "ok", strings.Repeat("n", 256), strings.Repeat("n", 200) + "/" + strings.Repeat("m", 255)} {
		w.put("p/"+key, []byte(key))
	}
	w.put("p/m//", nil)
	for _, encode := range []bool{false, true} {
		dir := t.TempDir()
		r := w.sync(w.at("p"), transfer.Local(dir), transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: encode}})
		want := []string{"p/../x", "p/a//b", "p/m//", "p/" + strings.Repeat("n", 256), "p/x/./y"}
		if encode {
			want = want[3:4]
		}
		if got := failed(r); !slices.Equal(got, want) {
			t.Errorf("encode=%v: failed %q", encode, got)
		}
		if got := int64(len(tree(t, dir))); got != 2 && !encode || got != 5 && encode {
			t.Errorf("encode=%v: %d files, %+v", encode, got, r.Objects)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bad\xff"), []byte("x"))
	write(t, filepath.Join(dir, "good"), []byte("x"))
	r := w.sync(transfer.Local(dir), w.at("u"), transfer.SyncOptions{})
	if r.Objects.Failed != 1 || r.Objects.Done != 1 || !strings.Contains(r.Failures[0].Cause, "UTF-8") {
		t.Errorf("not UTF-8: %+v, %v", r.Objects, r.Failures)
	}
}

// Of a and a/b one can be: the first, always, or that which is there.
func TestFileAndFolderOfOneName(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"a", "a!", "a/", "a/b", "a/c/d", "a0", "ab"} {
		w.put("p/"+key, []byte(strings.TrimSuffix(key, "/")))
	}
	w.put("p/a/", nil)
	dir := t.TempDir()
	r := w.sync(w.at("p"), transfer.Local(dir), transfer.SyncOptions{})
	if got := failed(r); !slices.Equal(got, []string{"p/a/", "p/a/b", "p/a/c/d"}) || r.Objects.Done != 4 {
		t.Errorf("failed %q, %+v", got, r.Objects)
	}
	if !strings.Contains(r.Failures[0].Cause, "below a key that is a file, a") {
		t.Errorf("cause %s", r.Failures[0].Cause)
	}
	r, err := w.engine().Resume(t.Context(), r.JobID, &transfer.ResumeOptions{
		Bucket: func(_, _ string) (*oss.Bucket, error) { return w.bucket, nil },
	})
	if got := failed(r); !errors.Is(err, transfer.ErrIncomplete) || !slices.Contains(got, "p/a/b") {
		t.Errorf("resumed: %v, failed %q", err, got)
	}
	dir = t.TempDir()
	write(t, filepath.Join(dir, "a", "old"), []byte("x"))
	r = w.sync(w.at("p"), transfer.Local(dir), transfer.SyncOptions{})
	if got := failed(r); !slices.Equal(got, []string{"p/a"}) {
		t.Errorf("with a folder there: failed %q", got)
	}
}

func TestKeepLinks(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	write(t, filepath.Join(src, "dir", "file"), []byte("x"))
	symlink(t, "file", filepath.Join(src, "dir", "near"))
	symlink(t, "../dir/file", filepath.Join(src, "sub", "up"))
	symlink(t, "dir", filepath.Join(src, "folder"))
	symlink(t, "gone/too", filepath.Join(src, "dangling"))
	symlink(t, "..", filepath.Join(src, "out1"))
	symlink(t, "dir/../../x", filepath.Join(src, "out2"))
	symlink(t, "/etc/passwd", filepath.Join(src, "out3"))
	symlink(t, ".", filepath.Join(src, "out4"))
	keep := transfer.SyncOptions{Files: transfer.FileOptions{Links: transfer.LinksKeep}}
	r := w.sync(transfer.Local(src), w.at("p"), keep)
	if got := failed(r); !slices.Equal(got, []string{"p/out1", "p/out2", "p/out3", "p/out4"}) || r.Objects.Done != 5 {
		t.Fatalf("failed %q, %+v", got, r.Objects)
	}
	want := []string{"dangling -> p/gone/too", "dir/file", "dir/near -> p/dir/file", "folder -> p/dir", "sub/up -> p/dir/file"}
	if got := w.keysOf("p/"); !slices.Equal(got, want) {
		t.Errorf("objects %q", got)
	}
	for name := range 4 {
		if err := os.Remove(filepath.Join(src, "out"+string(rune('1'+name)))); err != nil {
			t.Fatal(err)
		}
	}
	keep.Delete = true
	if r := w.sync(transfer.Local(src), w.at("p"), keep); r.Objects.Skipped != 5 || r.Objects.Total != 5 {
		t.Errorf("up again: %+v", r.Objects)
	}

	if r := w.sync(w.at("p"), transfer.Local(dst), keep); r.Objects.Done != 5 || r.Objects.Failed != 0 {
		t.Fatalf("down: %+v, %v", r.Objects, r.Failures)
	}
	for name, target := range map[string]string{"dir/near": "file", "sub/up": "../dir/file", "folder": "dir", "dangling": "gone/too"} {
		if got, err := os.Readlink(filepath.Join(dst, name)); got != target {
			t.Errorf("%s leads to %q, %v", name, got, err)
		}
	}
	if r := w.sync(w.at("p"), transfer.Local(dst), keep); r.Objects.Skipped != 5 || r.Objects.Total != 5 {
		t.Errorf("down again: %+v", r.Objects)
	}

	// A link with another target, one that became a file, and one that is gone.
	for _, name := range []string{"dangling", "dir/near", "folder"} {
		if err := os.Remove(filepath.Join(src, name)); err != nil {
			t.Fatal(err)
		}
	}
	symlink(t, "dir/file", filepath.Join(src, "dangling"))
	write(t, filepath.Join(src, "dir", "near"), []byte("a file"))
	if r := w.sync(transfer.Local(src), w.at("p"), keep); r.Objects.Done != 3 || r.Objects.Deleted != 1 {
		t.Errorf("changed, up: %+v %v", r.Objects, r.Failures)
	}
	if r := w.sync(w.at("p"), transfer.Local(dst), keep); r.Objects.Done != 3 || r.Objects.Deleted != 1 {
		t.Errorf("changed, down: %+v %v", r.Objects, r.Failures)
	}
	if target, _ := os.Readlink(filepath.Join(dst, "dangling")); target != "dir/file" {
		t.Errorf("dangling leads to %q", target)
	}
	if info, err := os.Lstat(filepath.Join(dst, "dir", "near")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("dir/near: %v, %v", info, err)
	}
	if _, err := os.Lstat(filepath.Join(dst, "folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder: %v", err)
	}
}

// Whoever may write to a bucket must not lead a download out of its folder.
func TestHostileLinks(t *testing.T) {
	w := newWorld(t)
	outside := t.TempDir()
	dir := filepath.Join(t.TempDir(), "d")
	w.link("p/out", "elsewhere/secret")
	w.link("p/up", "p/../../etc/passwd")
	w.link("p/whole", "p/")
	w.link("p/abs", "p//etc/passwd")
	w.link("p/in", "p/sub")
	w.put("p/in/file", []byte("x"))
	w.put("p/sub/file", []byte("y"))
	keep := transfer.SyncOptions{Files: transfer.FileOptions{Links: transfer.LinksKeep}}
	r := w.sync(w.at("p"), transfer.Local(dir), keep)
	if got := failed(r); !slices.Equal(got, []string{"p/abs", "p/in/file", "p/out", "p/up", "p/whole"}) {
		t.Errorf("failed %q, %v", got, r.Failures)
	}
	if target, err := os.Readlink(filepath.Join(dir, "in")); target != "sub" {
		t.Errorf("in leads to %q, %v", target, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "sub")); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}

	// A link that somebody planted is gone through by nobody.
	dir = t.TempDir()
	symlink(t, outside, filepath.Join(dir, "sub"))
	r = w.sync(w.at("p"), transfer.Local(dir), keep)
	if got := failed(r); !slices.Contains(got, "p/sub/file") {
		t.Errorf("failed %q", got)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside: %v, %v", entries, err)
	}
}

func TestLinkModes(t *testing.T) {
	w := newWorld(t)
	src, outside := t.TempDir(), t.TempDir()
	write(t, filepath.Join(src, "dir", "file"), []byte("x"))
	write(t, filepath.Join(outside, "more", "file"), noise(1, 2*partSize+1))
	symlink(t, "dir/file", filepath.Join(src, "link"))
	symlink(t, outside, filepath.Join(src, "away"))
	symlink(t, "..", filepath.Join(src, "dir", "loop"))
	symlink(t, "nowhere", filepath.Join(src, "dangling"))
	tests := []struct {
		name          string
		mode          transfer.LinkMode
		done, skipped int64
		failed        []string
		warnings      int
		keys          []string
	}{
		{name: "skip", mode: transfer.LinksSkip, done: 1, skipped: 4, warnings: 4, keys: []string{"dir/file"}},
		{name: "omit", mode: transfer.LinksOmit, done: 1, skipped: 4, keys: []string{"dir/file"}},
		{
			name: "follow", mode: transfer.LinksFollow, done: 3,
			failed: []string{"follow/dangling", "follow/dir/loop/"}, keys: []string{"away/more/file", "dir/file", "link"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := transfer.SyncOptions{Files: transfer.FileOptions{Links: tt.mode}}
			r := w.sync(transfer.Local(src), w.at(tt.name), o)
			if got := failed(r); r.Objects.Done != tt.done || r.Objects.Skipped != tt.skipped || !slices.Equal(got, tt.failed) || len(r.Warnings) != tt.warnings {
				t.Errorf("%+v, failed %q, warnings %q", r.Objects, got, r.Warnings)
			}
			if got := w.keysOf(tt.name + "/"); !slices.Equal(got, tt.keys) {
				t.Errorf("keys %q", got)
			}
		})
	}
	if got := w.get("follow/away/more/file"); !bytes.Equal(got, noise(1, 2*partSize+1)) {
		t.Error("the file behind the link differs")
	}
}

func TestFolders(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	for _, dir := range []string{"empty", "deep/er/empty", "full"} {
		if err := os.MkdirAll(filepath.Join(src, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(src, "full", "file"), []byte("x"))
	o := transfer.SyncOptions{Files: transfer.FileOptions{Folders: true}, Delete: true}
	w.put("p/old/", nil)
	r := w.sync(transfer.Local(src), w.at("p"), o)
	want := []string{"deep/", "deep/er/", "deep/er/empty/", "empty/", "full/", "full/file"}
	if got := w.keysOf("p/"); !slices.Equal(got, want) || r.Objects.Deleted != 1 {
		t.Errorf("keys %q, %+v", got, r.Objects)
	}
	if r := w.sync(transfer.Local(src), w.at("p"), o); r.Objects.Skipped != 6 || r.Objects.Total != 6 {
		t.Errorf("up again: %+v", r.Objects)
	}
	for _, dir := range []string{"old/er", "old/new", "full/old", "implied/old"} {
		if err := os.MkdirAll(filepath.Join(dst, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dst, "old", "er", "file"), []byte("x"))
	write(t, filepath.Join(dst, "empty", "file"), []byte("x"))
	w.put("p/implied/file", []byte("x"))
	r = w.sync(w.at("p"), transfer.Local(dst), o)
	// old/, old/er/, old/er/file, old/new/, full/old/, implied/old/, empty/file
	if r.Objects.Deleted != 7 || r.Objects.Failed != 0 {
		t.Errorf("down: %+v, %v", r.Objects, r.Failures)
	}
	if got := folders(t, dst); !slices.Equal(got, []string{"deep", "deep/er", "deep/er/empty", "empty", "full", "implied"}) {
		t.Errorf("folders %q", got)
	}
	if r := w.sync(w.at("p"), transfer.Local(dst), o); r.Objects.Skipped != 7 || r.Objects.Total != 7 {
		t.Errorf("down again: %+v", r.Objects)
	}
}

func folders(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && p != dir {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(p), filepath.ToSlash(dir)+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// Objects that stand for folders, and keys that no file has, do not keep a sync
// from deleting.
func TestDeleteBesideFolderMarkers(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	write(t, filepath.Join(src, "a"), []byte("x"))
	write(t, filepath.Join(src, "f"), []byte("x"))
	write(t, filepath.Join(src, "g", "x"), []byte("x"))
	w.put("p/marker/", nil)
	for _, key := range []string{"old", "b//c", "f/below", "g"} {
		w.put("p/"+key, []byte("x"))
	}
	r := w.sync(transfer.Local(src), w.at("p"), transfer.SyncOptions{Delete: true})
	if got := w.keysOf("p/"); r.Objects.Deleted != 4 || !slices.Equal(got, []string{"a", "f", "g/x", "marker/"}) {
		t.Errorf("%+v, keys %q", r.Objects, got)
	}
}

func TestPreserve(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	for name, mode := range map[string]fs.FileMode{"small": 0o640, "large": 0o755, "secret": 0o600} {
		size := 10
		if name == "large" {
			size = 3*partSize + 1
		}
		write(t, filepath.Join(src, name), noise(1, size))
		chmod(t, filepath.Join(src, name), mode)
	}
	o := transfer.SyncOptions{Files: transfer.FileOptions{Preserve: true}}
	w.sync(transfer.Local(src), w.at("p"), o)
	meta, err := w.bucket.HeadObject(t.Context(), "p/small", nil)
	if err != nil || meta.Meta[transfer.MetaMode] != "100640" || meta.Meta[transfer.MetaUID] == "" || meta.Meta[transfer.MetaGID] == "" {
		t.Errorf("metadata %v, %v", meta, err)
	}
	w.sync(w.at("p"), transfer.Local(dst), o)
	same := func(names ...string) {
		t.Helper()
		for _, name := range names {
			a, b := lstat(t, filepath.Join(src, name)), lstat(t, filepath.Join(dst, name))
			if a.Mode() != b.Mode() || !a.ModTime().Equal(b.ModTime()) || a.Sys().(*syscall.Stat_t).Uid != b.Sys().(*syscall.Stat_t).Uid {
				t.Errorf("%s: %v %v and %v %v", name, a.Mode(), a.ModTime(), b.Mode(), b.ModTime())
			}
		}
	}
	same("small", "large", "secret")

	t.Run("permissions alone changed", func(t *testing.T) {
		chmod(t, filepath.Join(src, "small"), 0o600)
		if r := w.sync(transfer.Local(src), w.at("p"), o); r.Objects.Done != 1 {
			t.Errorf("up: %+v", r.Objects)
		}
		if err := os.Remove(filepath.Join(dst, "small")); err != nil {
			t.Fatal(err)
		}
		w.sync(w.at("p"), transfer.Local(dst), o)
		same("small")
		w.state = t.TempDir()
		chmod(t, filepath.Join(src, "small"), 0o644)
		if r := w.sync(transfer.Local(src), w.at("p"), o); r.Objects.Done != 1 || r.Objects.Skipped != 2 {
			t.Errorf("up without state: %+v", r.Objects)
		}
	})
	t.Run("what is not given back", func(t *testing.T) {
		for name, mode := range map[string]string{"setuid": "104755", "decimal": "33206", "folder": "040777", "nonsense": "rwx", "huge": "77777777777777777777"} {
			_, err := w.bucket.PutObject(t.Context(), "q/"+name, strings.NewReader("x"), &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{
				Meta: map[string]string{transfer.MetaMode: mode, transfer.MetaUID: "-1", transfer.MetaGID: "x"},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		dir := t.TempDir()
		if r := w.sync(w.at("q"), transfer.Local(dir), o); r.Objects.Done != 5 {
			t.Fatalf("%+v", r.Objects)
		}
		if got := lstat(t, filepath.Join(dir, "setuid")).Mode(); got != 0o755 {
			t.Errorf("setuid: %v", got)
		}
		plain := filepath.Join(t.TempDir(), "plain")
		write(t, plain, nil)
		if err := os.WriteFile(plain+"2", nil, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"decimal", "folder", "nonsense", "huge"} {
			if got, want := lstat(t, filepath.Join(dir, name)).Mode(), lstat(t, plain+"2").Mode(); got != want {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
	t.Run("not asked for", func(t *testing.T) {
		dir := t.TempDir()
		w.sync(w.at("p"), transfer.Local(dir), transfer.SyncOptions{})
		if got := lstat(t, filepath.Join(dir, "large")).Mode(); got.Perm()&0o111 != 0 {
			t.Errorf("mode %v", got)
		}
	})
}

func chmod(t *testing.T, name string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

func lstat(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// What is no file is skipped, with a word, and counted; names of one file are
// files, and what has a hole is read as what it is.
func TestOtherFiles(t *testing.T) {
	w := newWorld(t)
	src, dst := t.TempDir(), t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(src, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(src, "one"), []byte("x"))
	if err := os.Link(filepath.Join(src, "one"), filepath.Join(src, "two")); err != nil {
		t.Fatal(err)
	}
	hole, err := os.Create(filepath.Join(src, "hole"))
	if err != nil {
		t.Fatal(err)
	}
	_, writeErr := hole.WriteAt([]byte("end"), 5*partSize)
	if err := errors.Join(writeErr, hole.Close()); err != nil {
		t.Fatal(err)
	}
	r := w.sync(transfer.Local(src), w.at("p"), transfer.SyncOptions{})
	if r.Objects.Done != 3 || r.Objects.Skipped != 1 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "FIFO") {
		t.Errorf("%+v, %q", r.Objects, r.Warnings)
	}
	w.sync(w.at("p"), transfer.Local(dst), transfer.SyncOptions{})
	got := tree(t, dst)
	if got["one"] != "x" || got["two"] != "x" || got["hole"] != string(make([]byte, 5*partSize))+"end" {
		t.Errorf("files %q differ", slices.Sorted(maps.Keys(got)))
	}
}

func TestFileOptionsThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	dir := transfer.Local(t.TempDir())
	for name, try := range map[string]struct {
		src, dst transfer.Location
		options  transfer.SyncOptions
	}{
		"between buckets": {w.at("a"), w.at("b"), transfer.SyncOptions{Files: transfer.FileOptions{EncodeNames: true}}},
		"follow objects":  {w.at("a"), dir, transfer.SyncOptions{Files: transfer.FileOptions{Links: transfer.LinksFollow}}},
		"move followed":   {dir, w.at("a"), transfer.SyncOptions{RemoveSource: true, Files: transfer.FileOptions{Links: transfer.LinksFollow}}},
		"back up links":   {dir, w.at("a"), transfer.SyncOptions{Backup: w.at("b"), Files: transfer.FileOptions{Links: transfer.LinksKeep}}},
		"no such mode":    {dir, w.at("a"), transfer.SyncOptions{Files: transfer.FileOptions{Links: 9}}},
	} {
		if _, err := w.engine().Sync(t.Context(), try.src, try.dst, &try.options); !isUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
