package localfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

func TestClone(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	a, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := localfs.OpenRoot(other)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	file := filepath.Join(dir, "x", "f")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("content"), 0o640)); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_600_000_000, 0)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time both are one file
		if err := a.Clone(t.Context(), "x/f", b, "kept/x/g"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(other, "kept", "x", "g"))
		if err != nil || string(got) != "content" {
			t.Errorf("%q, %v", got, err)
		}
		if list, err := os.ReadDir(filepath.Join(other, "kept", "x")); err != nil || len(list) != 1 {
			t.Errorf("left: %v, %v", list, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := b.Clone(t.Context(), "kept/x/g", a, "x/f"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("%v, %v", info, err)
	}
	if err := a.Clone(t.Context(), "none", b, "n"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := a.Clone(t.Context(), "x", b, "n"); err == nil {
		t.Error("a folder was cloned")
	}
	for _, bad := range []string{"../x", "/x", ""} {
		if err := a.Clone(t.Context(), "x/f", b, bad); err == nil {
			t.Errorf("cloned to %q", bad)
		}
	}
}
