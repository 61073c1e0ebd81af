package localfs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCopyTo: what a clone does where no hard link can be made.
func TestCopyTo(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	a, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := OpenRoot(other)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	temp := TempName("t")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600), a.copyTo(t.Context(), "f", b, "x/g", temp), b.Publish("x/g", temp)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(other, "x", "g"))
	if err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}
