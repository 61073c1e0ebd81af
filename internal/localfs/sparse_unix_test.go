//go:build unix

package localfs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

const hole = 64 << 10

// onDisk is the space that a file takes, in bytes.
func onDisk(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}

// wantHoles skips a test where the file system has none.
func wantHoles(t *testing.T, dir string) {
	t.Helper()
	probe := filepath.Join(dir, "probe")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(probe, 1<<20); err != nil {
		t.Fatal(err)
	}
	if onDisk(t, probe) >= 1<<20 {
		t.Skip("the file system has no holes")
	}
	if err := os.Remove(probe); err != nil {
		t.Fatal(err)
	}
}

func TestKeepHoles(t *testing.T) {
	wantHoles(t, t.TempDir())
	const size = 20*hole + 100
	want := make([]byte, size)
	want[3*hole+5] = 1 // one block of data between holes
	copy(want[15*hole:], bytes.Repeat([]byte{7}, hole+1))
	want[size-1] = 9
	for _, piece := range []int{4 * hole, 3*hole + 7, hole - 1} {
		dir := t.TempDir()
		root, err := localfs.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		temp, err := root.CreateTemp("f", localfs.TempName("f"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := temp.KeepHoles(size); err != nil {
			t.Fatal(err)
		}
		// An earlier try has left bytes where zeros are to be.
		if _, err := temp.WriteAt(bytes.Repeat([]byte{1}, hole), 10*hole); err != nil {
			t.Fatal(err)
		}
		for off := 0; off < size; off += piece {
			n := min(piece, size-off)
			if k, err := temp.WriteAt(want[off:off+n], int64(off)); k != n || err != nil {
				t.Fatal(k, err)
			}
		}
		if err := temp.Finish(size, time.Time{}, localfs.DefaultMode); err != nil {
			t.Fatal(err)
		}
		if err := root.Publish("f", localfs.TempName("f")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "f")
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("pieces of %d: reads otherwise, %v", piece, err)
		}
		if got := onDisk(t, path); piece%hole == 0 && got > 8*hole {
			t.Errorf("%d bytes of %d are on the disk", got, size)
		}
	}
}

// A file too small for a hole has no need of a length.
func TestKeepHolesOfSmall(t *testing.T) {
	dir := t.TempDir()
	root, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	temp, err := root.CreateTemp("f", localfs.TempName("f"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer temp.Close()
	if err := temp.KeepHoles(hole - 1); err != nil {
		t.Fatal(err)
	}
	if id, err := temp.Identity(); err != nil || id.Size != 0 {
		t.Errorf("%d bytes, %v", id.Size, err)
	}
}
