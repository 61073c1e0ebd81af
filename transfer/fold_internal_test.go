package transfer

import (
	"hash/maphash"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/osssync/osssync/internal/localfs"
)

// A file system that folds names is played by a second name of the same file.
func TestClaims(t *testing.T) {
	dir := t.TempDir()
	root, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c := &claims{seed: maphash.MakeSeed(), owner: map[claim]uint64{}}
	if err := c.check(root, "new"); err != nil {
		t.Errorf("nothing there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Name"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.check(root, "Name"); err != nil {
		t.Errorf("of an earlier run: %v", err)
	}
	c.take(root, "Name")
	if err := c.check(root, "Name"); err != nil {
		t.Errorf("its own: %v", err)
	}
	if err := os.Link(filepath.Join(dir, "Name"), filepath.Join(dir, "name")); err != nil {
		t.Fatal(err)
	}
	if err, ok := c.check(root, "name").(*CollisionError); !ok || err.Key != "name" {
		t.Errorf("another key's: %v", err)
	}
	windows := localfs.Identity{Size: 1} // which tells no inode
	c.owner[c.claim(windows, "Straße/Ä")] = maphash.String(c.seed, "Straße/Ä")
	if !c.isOthers(windows, "straße/ä") || c.isOthers(windows, "Straße/Ä") || c.isOthers(windows, "straße/a") {
		t.Error("without an inode")
	}
	var none *claims
	none.take(root, "x")
	if err := none.check(root, "name"); err != nil {
		t.Error(err)
	}
}

func TestFolds(t *testing.T) {
	dir := t.TempDir()
	root, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	folds, err := root.Folds()
	if err != nil || folds && runtime.GOOS == "linux" {
		t.Errorf("%v, %v", folds, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "A")); (err == nil) != folds {
		t.Errorf("folds is %v, and the file system says %v", folds, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
