package file_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/osssync/osssync/internal/file"
)

type broken struct{ io.Reader }

func (broken) Close() error { return nil }

func body(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for _, want := range []string{"one", "two"} {
		if err := file.Write(name, body(want)); err != nil || read(t, name) != want {
			t.Fatalf("%q, %v", read(t, name), err)
		}
		if err := os.Chmod(name, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	cut := errors.New("cut")
	if err := file.Write(name, broken{io.MultiReader(strings.NewReader("thr"), errReader{cut})}); !errors.Is(err, cut) || read(t, name) != "two" {
		t.Errorf("after a failure: %q, %v", read(t, name), err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left: %v, %v", list, err)
	}
	if err := file.Write(dir, body("x")); err == nil {
		t.Error("a directory was written")
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestWriteThroughLinks(t *testing.T) {
	dir := t.TempDir()
	link := func(to, name string) string {
		name = filepath.Join(dir, name)
		if err := os.Symlink(to, name); err != nil {
			t.Skip(err)
		}
		return name
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ link, file string }{
		{link("file", "a"), "file"},
		{link("a", "b"), "file"},
		{link("none", "c"), "none"},
	} {
		if err := file.Write(v.link, body(v.link)); err != nil || read(t, filepath.Join(dir, v.file)) != v.link {
			t.Errorf("%s: %v", v.link, err)
		}
		if info, err := os.Lstat(v.link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v, %v", v.link, info, err)
		}
	}
	if err := file.Write(link("loop", "loop"), body("x")); err == nil {
		t.Error("a loop was written")
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := file.Open(dir); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := file.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}
