package transfer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/osssync/osssync/transfer"
	"golang.org/x/sys/unix"
)

// TestSourceIsMapped: what is written to a large file by way of memory changes
// its times, though its pages were written to before.
func TestSourceIsMapped(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "f")
	old := noise(1, 9*partSize)
	write(t, path, old)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil || st.Type == unix.TMPFS_MAGIC {
		t.Skip("a file system in memory does not tell")
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, len(old), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Munmap(memory); err != nil {
			t.Error(err)
		}
	}()
	copy(memory, old)
	w.meddle(func() { copy(memory, noise(2, len(old))) })
	_, err = w.engine(oneByOne, neverAnew).Upload(t.Context(), path, w.at("k"), &transfer.UploadOptions{RemoveSource: true})
	if !errors.Is(err, transfer.ErrChanged) || w.get("k") != nil || w.uploads() != 0 {
		t.Errorf("%v, an object of %d bytes", err, len(w.get("k")))
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, memory) {
		t.Error("the source is gone")
	}
}
