package localfs_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

// names lists all names below dir, folders with a slash behind.
func names(t testing.TB, dir string) []string {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if e.IsDir() {
			rel += "/"
		}
		got = append(got, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCreateRoot(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		r, err := localfs.CreateRoot(deep)
		if err != nil {
			t.Fatal(err)
		}
		if r.Dir() != deep {
			t.Errorf("Dir() = %q", r.Dir())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	plant(t, dir, "file")
	if _, err := localfs.CreateRoot(filepath.Join(dir, "file", "x")); err == nil {
		t.Error("made a root below a file")
	}
	if _, err := localfs.CreateRoot(filepath.Join(dir, "file")); err == nil {
		t.Error("made a root of a file")
	}
	if _, err := localfs.OpenRoot(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened a root that is not there: %v", err)
	}
}

func TestPublishReplaces(t *testing.T) {
	tests := []struct {
		name  string
		plant func(t *testing.T, dir string) // puts something at dir/key
		check func(t *testing.T, dir string)
		err   error
	}{
		{name: "nothing"},
		{name: "a file", plant: func(t *testing.T, dir string) { plant(t, dir, "key") }},
		{
			name:  "an empty folder",
			plant: func(t *testing.T, dir string) { mkdir(t, dir, "key") },
			err:   localfs.ErrIsFolder,
		},
		{
			name:  "a folder",
			plant: func(t *testing.T, dir string) { plant(t, dir, "key/x") },
			err:   localfs.ErrIsFolder,
		},
		{
			name: "a second name of a file",
			plant: func(t *testing.T, dir string) {
				plant(t, dir, "other")
				if err := os.Link(filepath.Join(dir, "other"), filepath.Join(dir, "key")); err != nil {
					t.Fatal(err)
				}
			},
			check: func(t *testing.T, dir string) {
				if got, _ := os.ReadFile(filepath.Join(dir, "other")); string(got) != "other" {
					t.Errorf("the other name shows %q", got)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := create(t)
			if tt.plant != nil {
				tt.plant(t, r.Dir())
			}
			before := names(t, r.Dir())
			err := put(r, "key", "new")
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err != nil {
				if _, ok := errors.AsType[*fs.PathError](err); !ok {
					t.Errorf("not a PathError: %v", err)
				}
				if after := names(t, r.Dir()); !slices.Equal(before, after) {
					t.Errorf("before %q, after %q", before, after)
				}
				return
			}
			if got, err := os.ReadFile(filepath.Join(r.Dir(), "key")); string(got) != "new" {
				t.Errorf("the name shows %q, %v", got, err)
			}
			if tt.check != nil {
				tt.check(t, r.Dir())
			}
		})
	}
}

func mkdir(t testing.TB, dir, key string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(key)), 0o755); err != nil {
		t.Fatal(err)
	}
}

// A file and a folder of one name: the second one fails, whichever it is.
func TestFileAndFolderOfOneName(t *testing.T) {
	r := create(t)
	if err := put(r, "dir", "x"); err != nil {
		t.Fatal(err)
	}
	err := put(r, "dir/sub/f", "x")
	if !errors.Is(err, localfs.ErrIsFile) || !strings.Contains(err.Error(), filepath.Join(r.Dir(), "dir")+": is a file") {
		t.Errorf("file first: %v", err)
	}
	if err := put(r, "two/f", "x"); err != nil {
		t.Fatal(err)
	}
	if err := put(r, "two", "x"); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("folder first: %v", err)
	}
	if got, want := names(t, r.Dir()), []string{"dir", "two/", "two/f"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTempNeverTakesAName(t *testing.T) {
	r := create(t)
	name := localfs.TempName(rand.Text())
	plant(t, r.Dir(), name)
	if _, err := r.CreateTemp("a", name, 0); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(r.Dir(), name)); string(got) != name {
		t.Errorf("the file shows %q", got)
	}
	dirName := localfs.TempName(rand.Text())
	mkdir(t, r.Dir(), dirName)
	if _, err := r.CreateTemp("a", dirName, 0); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a folder: %v", err)
	}
	if _, err := r.OpenTemp("a", dirName); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("open a folder: %v", err)
	}
	if err := r.RemoveTemp("a", dirName); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("remove a folder: %v", err)
	}
}

func TestTempNamesOnly(t *testing.T) {
	r := create(t)
	plant(t, r.Dir(), "a")
	for _, name := range []string{"", "a", "..", "../a", "/a", ".osssync-0123456789abcdef.part/../a", ".osssync-01234567/9abcdef.part"} {
		calls := map[string]func() error{
			"CreateTemp": func() error { _, err := r.CreateTemp("k", name, 0); return err },
			"OpenTemp":   func() error { _, err := r.OpenTemp("k", name); return err },
			"Publish":    func() error { return r.Publish("k", name) },
			"RemoveTemp": func() error { return r.RemoveTemp("k", name) },
		}
		for call, fn := range calls {
			if _, ok := errors.AsType[*localfs.KeyError](fn()); !ok {
				t.Errorf("%s(%q) is not refused as a name", call, name)
			}
		}
	}
	if got := names(t, r.Dir()); !slices.Equal(got, []string{"a"}) {
		t.Errorf("left %q", got)
	}
}

func TestMissing(t *testing.T) {
	r := create(t)
	name := localfs.TempName(rand.Text())
	calls := map[string]func(key string) error{
		"Open":     func(key string) error { _, _, err := r.Open(key); return err },
		"Stat":     func(key string) error { _, err := r.Stat(key); return err },
		"Remove":   r.Remove,
		"OpenTemp": func(key string) error { _, err := r.OpenTemp(key, name); return err },
		"Publish":  func(key string) error { return r.Publish(key, name) },
	}
	for call, fn := range calls {
		for _, key := range []string{"a", "b/c/d"} {
			if err := fn(key); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s(%q): %v", call, key, err)
			}
		}
	}
	for _, key := range []string{"a", "b/c/d"} {
		if err := r.RemoveTemp(key, name); err != nil {
			t.Errorf("RemoveTemp(%q): %v", key, err)
		}
	}
	if got := names(t, r.Dir()); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}

func TestRemove(t *testing.T) {
	r := create(t)
	plant(t, r.Dir(), "a", "b/c")
	mkdir(t, r.Dir(), "empty")
	if err := errors.Join(r.Remove("a"), r.Remove("b/c"), r.SyncDirs("a", "b/c")); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove("empty"); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("an empty folder: %v", err)
	}
	if got, want := names(t, r.Dir()), []string{"b/", "empty/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSyncFile(t *testing.T) {
	r := create(t)
	plant(t, r.Dir(), "a/b")
	var synced []string
	r.Watch(func(s localfs.Step) {
		if s.Done {
			synced = append(synced, s.Op+" "+filepath.Base(s.Path))
		}
	})
	if err := r.SyncFile("a/b"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"sync b", "sync folder " + filepath.Base(r.Dir()), "sync folder a"}; !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	if err := r.SyncFile("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := r.SyncFile("a"); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("a folder: %v", err)
	}
}

func TestMkdirAll(t *testing.T) {
	r := create(t)
	for _, key := range []string{"a/b", "a/b/", "a", "c/"} {
		if err := r.MkdirAll(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"", "/", "a//", "..", "a/../d"} {
		if _, ok := errors.AsType[*localfs.KeyError](r.MkdirAll(key)); !ok {
			t.Errorf("%q is not refused", key)
		}
	}
	if got, want := names(t, r.Dir()), []string{"a/", "a/b/", "c/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFinish(t *testing.T) {
	zero := time.Time{}
	tests := []struct {
		name            string
		reserve, length int64
		size            int64
		modTime         time.Time
		mode            fs.FileMode
	}{
		{"empty", 0, 0, 0, zero, 0o644},
		{"as written", 10, 10, 10, zero, 0o600},
		{"shorter than reserved", 1 << 20, 10, 10, zero, 0o600},
		{"shorter than written", 100, 100, 99, zero, 0o755},
		{"ends in a hole", 0, 10, 100, zero, 0o444},
		{"before 1970", 0, 1, 1, time.Unix(-1000, 5000), 0o644},
		{"far away", 0, 1, 1, time.Unix(4e9, 999_999_000), 0o644},
		{"the epoch", 0, 1, 1, time.Unix(0, 0), 0o644},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := create(t)
			name := localfs.TempName(rand.Text())
			start := time.Now()
			tmp, err := r.CreateTemp("k", name, tt.reserve)
			if err != nil {
				t.Fatal(err)
			}
			content := bytes.Repeat([]byte("x"), int(tt.length))
			if n, err := tmp.WriteAt(content, 0); err != nil || n != len(content) {
				t.Fatal(n, err)
			}
			if err := tmp.Finish(tt.size, tt.modTime, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := r.Publish("k", name); err != nil {
				t.Fatal(err)
			}
			want := slices.Concat(content, make([]byte, 100))[:tt.size]
			if got, err := os.ReadFile(filepath.Join(r.Dir(), "k")); err != nil || !bytes.Equal(got, want) {
				t.Errorf("content %q, %v", got, err)
			}
			id, err := r.Stat("k")
			if err != nil || id.Size != tt.size {
				t.Errorf("%+v, %v", id, err)
			}
			if tt.modTime.IsZero() {
				if id.ModTime < start.Add(-time.Minute).UnixNano() {
					t.Errorf("time %d", id.ModTime)
				}
			} else if id.ModTime != tt.modTime.UnixNano() {
				t.Errorf("time %d, want %d", id.ModTime, tt.modTime.UnixNano())
			}
		})
	}
}

// After Finish or Close a Temp says so.
func TestTempAfterClose(t *testing.T) {
	r := create(t)
	name := localfs.TempName(rand.Text())
	tmp, err := r.CreateTemp("k", name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := tmp.Close(); err != nil {
		t.Fatal(err)
	}
	_, writeErr := tmp.WriteAt([]byte("a"), 0)
	_, readErr := tmp.ReadAt(make([]byte, 1), 0)
	_, idErr := tmp.Identity()
	for _, err := range []error{writeErr, readErr, idErr, tmp.SyncData(), tmp.Finish(0, time.Time{}, localfs.DefaultMode), tmp.Close()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

// A closed root fails, and does not reach into another one by a reused handle.
func TestClosedRoot(t *testing.T) {
	r := create(t)
	tmp, err := r.CreateTemp("k", localfs.TempName(rand.Text()), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tmp.WriteAt([]byte("still open"), 0); err != nil {
		t.Error(err)
	}
	if err := tmp.Close(); err != nil {
		t.Error(err)
	}
	if err := put(r, "a", "x"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSyncDirsRefuses(t *testing.T) {
	r := create(t)
	if err := r.SyncDirs(); err != nil {
		t.Error(err)
	}
	if _, ok := errors.AsType[*localfs.KeyError](r.SyncDirs("a", "../b")); !ok {
		t.Error("a bad key passes")
	}
}

// What is published is the file that was sealed, and what is told of it is not
// what somebody else makes of it.
func TestPublishTemp(t *testing.T) {
	r := create(t)
	name := localfs.TempName("x")
	sealed := func() *localfs.Temp {
		tmp, err := r.CreateTemp("k", name, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tmp.WriteAt([]byte("ours"), 0); err != nil || tmp.Sealed() {
			t.Fatal(err)
		}
		if err := tmp.Finish(4, time.Unix(1e9, 0), localfs.DefaultMode); err != nil || !tmp.Sealed() {
			t.Fatal(err)
		}
		return tmp
	}
	tmp := sealed()
	if err := os.Remove(filepath.Join(r.Dir(), name)); err != nil {
		t.Fatal(err)
	}
	plant(t, r.Dir(), name)
	if _, err := r.PublishTemp("k", name, tmp); !errors.Is(err, localfs.ErrReplaced) {
		t.Errorf("another file: %v", err)
	}
	if got := names(t, r.Dir()); !slices.Equal(got, []string{name}) {
		t.Fatalf("there are %q", got)
	}
	if err := r.RemoveTemp("k", name); err != nil {
		t.Fatal(err)
	}
	tmp = sealed()
	r.Watch(func(s localfs.Step) {
		if s.Op == "rename" && s.Done {
			if err := os.WriteFile(filepath.Join(r.Dir(), "k"), []byte("them"), 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	id, err := r.PublishTemp("k", name, tmp)
	if err != nil || id.ModTime != 1e18 || id.Size != 4 {
		t.Errorf("%+v, %v", id, err)
	}
	if now, err := r.Stat("k"); err != nil || now == id {
		t.Errorf("%+v, %v", now, err)
	}
}
