//go:build unix

package transfer_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// foldersOf are the folders below dir, with their permissions.
func foldersOf(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	all := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() || path == dir {
			return err
		}
		info, err := e.Info()
		all[strings.TrimPrefix(path, dir+"/")] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An undo takes back folders: those that the sync made are removed, and empty ones
// that it removed are there again.
func TestUndoFolders(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files transfer.FileOptions
	}{
		{"files only", transfer.FileOptions{}},
		{"folders", transfer.FileOptions{Folders: true}},
		{"preserve", transfer.FileOptions{Folders: true, Preserve: true}},
		{"encoded", transfer.FileOptions{EncodeNames: true, Folders: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSides(t, "down")
			s.add(false, "kept/new", "made/deep/new", "ma?de/new")
			s.put("from/empty/", nil)
			s.add(true, "kept/old")
			for _, dir := range []string{"gone", "gone/deep", "full"} {
				if err := os.Mkdir(filepath.Join(s.to, dir), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			write(t, filepath.Join(s.to, "full", "old"), []byte("old"))
			long := time.Now().Add(-time.Hour).Truncate(time.Second)
			for _, dir := range []string{"gone/deep", "gone"} {
				if err := os.Chtimes(filepath.Join(s.to, dir), long, long); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(filepath.Join(s.to, "gone"), 0o750); err != nil {
				t.Fatal(err)
			}
			files, folders := s.contents(), foldersOf(t, s.to)
			sync := func(o *transfer.SyncOptions) {
				o.Files, o.Backup, o.MaxDelete.None, o.Delete = tt.files, transfer.Local(t.TempDir()), true, true
			}
			report, err := s.sync(sync)
			if err != nil {
				t.Fatalf("%+v, %v", report, err)
			}
			after := foldersOf(t, s.to)
			if _, gone := after["gone"]; gone == tt.files.Folders {
				t.Fatalf("%v", after)
			}
			// Somebody has something in one of those that were made.
			write(t, filepath.Join(s.to, "made", "theirs"), nil)
			undone, err := s.undo(report.JobID, nil)
			if err != nil {
				t.Fatalf("%+v, %v", undone, err)
			}
			files["made/theirs"], folders["made"] = "", after["made"]
			have := foldersOf(t, s.to)
			if !tt.files.Folders { // it goes with its file, and is made again with that
				delete(have, "full")
				delete(folders, "full")
			}
			if !maps.Equal(s.contents(), files) || !maps.Equal(have, folders) {
				t.Errorf("%v and %v, want %v and %v", s.contents(), have, files, folders)
			}
			for _, dir := range []string{"gone/deep", "gone"} {
				if info, err := os.Stat(filepath.Join(s.to, dir)); err != nil || !info.ModTime().Equal(long) {
					t.Errorf("%s: %v", dir, err)
				}
			}
			if undone.Objects.Skipped != 1 {
				t.Errorf("%+v", undone.Objects)
			}
		})
	}
}
