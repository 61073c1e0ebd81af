//go:build unix

package localfs_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/osssync/osssync/internal/localfs"
)

// trap makes a folder with a root full of snares, and beside it what must never
// be touched. It returns the root, and a check of what is outside.
func trap(t *testing.T) (r *localfs.Root, untouched func()) {
	t.Helper()
	base := t.TempDir()
	plant(t, base, "outside/secret", "outside/b/c", "outside/etc/passwd", "root/file", "root/dir/f")
	root := filepath.Join(base, "root")
	outside := filepath.Join(base, "outside")
	for name, target := range map[string]string{
		"link": "../outside", "abs": outside, "up": "..", "loop": "loop", "dangling": "../outside/new",
		"linkfile": "../outside/secret", "inner": "dir", "dir/link": "../../outside",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, base, "root")
	return open(t, root), func() {
		t.Helper()
		if after := snapshot(t, base, "root"); !slices.Equal(before, after) {
			t.Errorf("outside before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}
}

// snapshot describes all files below base but those in the folder without, so
// that any creation, change, removal or renaming shows.
func snapshot(t testing.TB, base, without string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(base, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == filepath.Join(base, without) {
			return fs.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprint(path, info.Mode(), info.Size())
		if path != base { // which has the root in it
			line += fmt.Sprint(info.ModTime().UnixNano())
		}
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += string(content)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// assault does with key all that the package can do.
func assault(t testing.TB, r *localfs.Root, key string) {
	t.Helper()
	if f, _, err := r.Open(key); err == nil {
		b := make([]byte, 100)
		n, _ := f.Read(b)
		_ = f.Close()
		if strings.Contains(string(b[:n]), "secret") {
			t.Errorf("%q reads %q", key, b[:n])
		}
	}
	_, _ = r.Stat(key)
	name := localfs.TempName(rand.Text())
	if tmp, err := r.CreateTemp(key, name, 1<<16); err == nil {
		_, _ = tmp.WriteAt([]byte("overwritten"), 0)
		_ = tmp.Close()
		if tmp, err := r.OpenTemp(key, name); err == nil {
			_ = tmp.Finish(11, time.Unix(1, 0), 0o777)
			_ = r.Publish(key, name)
		}
	}
	_ = r.RemoveTemp(key, name)
	_ = r.SyncDirs(key)
	_ = r.Remove(key)
	_ = r.MkdirAll(key)
}

func TestHostileKeys(t *testing.T) {
	keys := hostileKeys()
	if len(keys) < 100 {
		t.Fatalf("%d keys", len(keys))
	}
	r, untouched := trap(t)
	for _, key := range keys {
		assault(t, r, key)
	}
	untouched()
}

func TestSymlinkInside(t *testing.T) {
	r, untouched := trap(t)
	for _, key := range []string{"link/a", "link/b/c", "abs/a", "up/a", "loop/a", "dangling/a", "linkfile/a", "inner/f", "inner/link/a", "dir/link/a"} {
		err := put(r, key, "x")
		if !errors.Is(err, localfs.ErrSymlink) || !strings.Contains(err.Error(), "target path has a symlink") {
			t.Errorf("%s: %v", key, err)
		}
		if _, ok := errors.AsType[*fs.PathError](err); !ok {
			t.Errorf("%s: not a PathError: %v", key, err)
		}
		if _, _, err := r.Open(key); !errors.Is(err, localfs.ErrSymlink) {
			t.Errorf("open %s: %v", key, err)
		}
	}
	for _, key := range []string{"link", "loop", "dangling", "linkfile", "fifo"} {
		if _, _, err := r.Open(key); !errors.Is(err, localfs.ErrNotRegular) {
			t.Errorf("open %s: %v", key, err)
		}
	}
	if _, _, err := r.Open("dir"); !errors.Is(err, localfs.ErrIsFolder) {
		t.Errorf("open a folder: %v", err)
	}
	untouched()
}

// A link at the final name is replaced, whatever it points to.
func TestPublishReplacesSymlink(t *testing.T) {
	r, untouched := trap(t)
	for _, key := range []string{"link", "abs", "up", "loop", "dangling", "linkfile", "inner", "dir/link"} {
		if err := put(r, key, "new "+key); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		id, err := r.Stat(key)
		if err != nil || !id.Mode.IsRegular() || id.Size != int64(len("new "+key)) {
			t.Errorf("%s: %+v, %v", key, id, err)
		}
	}
	if err := put(r, "fifo", "new"); !errors.Is(err, localfs.ErrNotRegular) {
		t.Errorf("over a FIFO: %v", err)
	}
	if id, err := r.Stat("fifo"); err != nil || id.Mode&fs.ModeNamedPipe == 0 {
		t.Errorf("the FIFO was replaced: %+v, %v", id, err)
	}
	untouched()
}

// A link planted at the temporary name is refused, and never written through.
func TestPlantedTemp(t *testing.T) {
	r, untouched := trap(t)
	root := r.Dir()
	plantAs := map[string]func(path string) error{
		"symlink":  func(path string) error { return os.Symlink("../outside/secret", path) },
		"dangling": func(path string) error { return os.Symlink("../outside/new", path) },
		"hardlink": func(path string) error { return os.Link(filepath.Join(root, "../outside/secret"), path) },
		"fifo":     func(path string) error { return unix.Mkfifo(path, 0o644) },
	}
	for kind, plant := range plantAs {
		name := localfs.TempName(rand.Text())
		if err := plant(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CreateTemp("key", name, 10); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: create: %v", kind, err)
		}
		if _, err := r.OpenTemp("key", name); !errors.Is(err, localfs.ErrNotRegular) {
			t.Errorf("%s: open: %v", kind, err)
		}
		if err := r.RemoveTemp("key", name); err != nil {
			t.Errorf("%s: remove: %v", kind, err)
		}
	}
	untouched()
}

// While the keys are worked on, somebody swaps their folder for a link to the
// outside and back, all the time.
func TestFolderBecomesSymlink(t *testing.T) {
	r, untouched := trap(t)
	root := r.Dir()
	plant(t, root, "swap/secret", "swap/b/c")
	if err := os.Symlink("../outside", filepath.Join(root, "evil")); err != nil {
		t.Fatal(err)
	}
	swap, evil, aside := filepath.Join(root, "swap"), filepath.Join(root, "evil"), filepath.Join(root, "aside")
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			for _, step := range [][2]string{{swap, aside}, {evil, swap}, {swap, evil}, {aside, swap}} {
				_ = os.Rename(step[0], step[1])
			}
		}
	})
	for range 150 {
		for _, key := range []string{"swap/secret", "swap/b/c", "swap/new/x"} {
			name := localfs.TempName(rand.Text())
			if tmp, err := r.CreateTemp(key, name, 0); err == nil {
				_, _ = tmp.WriteAt([]byte("overwritten"), 0)
				_ = tmp.Close()
				_ = r.Publish(key, name)
			}
			_ = r.Remove(key)
			_ = r.MkdirAll(key)
		}
		for e, err := range r.Walk(t.Context(), nil) {
			if err == nil && e.Skipped == "" && strings.HasSuffix(e.Key, "etc/passwd") {
				t.Error("walked outside: ", e.Key)
			}
		}
	}
	close(done)
	wg.Wait()
	untouched()
}

func TestWalkKinds(t *testing.T) {
	r, _ := trap(t)
	for _, name := range []string{"bad\xff", "bad\xfedir/x"} {
		plant(t, r.Dir(), name)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// The full path may be too long for a socket, a name in the root is not.
	t.Chdir(r.Dir())
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "socket"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"abs symlink", "bad\xfedir/x name is not UTF-8", "bad\xff name is not UTF-8", "dangling symlink", "dir/f", "dir/link symlink",
		"fifo FIFO", "file", "inner symlink", "link symlink", "linkfile symlink", "loop symlink", "socket socket", "up symlink",
	}
	if got := walk(t, r, nil); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The root keeps to the directory it was opened as, even one that is moved.
func TestRootIsMoved(t *testing.T) {
	base := t.TempDir()
	plant(t, base, "root/a", "outside/a")
	r := open(t, filepath.Join(base, "root"))
	if err := os.Rename(filepath.Join(base, "root"), filepath.Join(base, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("outside", filepath.Join(base, "root")); err != nil {
		t.Fatal(err)
	}
	if err := put(r, "b", "x"); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, base), []string{"moved/", "moved/a", "moved/b", "outside/", "outside/a", "root"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExcludeByLink(t *testing.T) {
	r, _ := trap(t)
	opts := &localfs.WalkOptions{Exclude: []string{filepath.Join(r.Dir(), "inner")}} // a link to dir
	for _, line := range walk(t, r, opts) {
		if strings.HasPrefix(line, "dir/") {
			t.Errorf("%q is not left out", line)
		}
	}
	opts = &localfs.WalkOptions{Exclude: []string{filepath.Join(r.Dir(), "loop")}}
	for e, err := range r.Walk(t.Context(), opts) {
		if err == nil {
			t.Errorf("%q although an exclusion is unknown", e.Key)
		}
	}
}
