//go:build unix

package transfer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// TestPartOfFolders: a part of a job looks after the folders of what it does, too:
// a move removes those that it empties, and a download leaves them the times that
// they are to have.
func TestPartOfFolders(t *testing.T) {
	failed := transfer.Part{States: []transfer.ItemState{transfer.ItemFailed}}
	old := time.Unix(1_000_000_000, 0)

	t.Run("move", func(t *testing.T) {
		s := newSides(t, "up")
		s.add(false, "d/f", "e/g")
		refused := &refusals{}
		refused.set(map[string]string{"f": "403 AccessDenied"})
		s.wire.between(refused.hook)
		report, err := s.sync(func(o *transfer.SyncOptions) {
			o.Delete, o.RemoveSource, o.Files.Folders, o.Compare = false, true, true, transfer.CompareNone
		})
		if !errors.Is(err, transfer.ErrIncomplete) {
			t.Fatal(err)
		}
		refused.set(nil)
		if report, err = s.part(t.Context(), report.JobID, failed); err != nil || report.State != transfer.StateDone {
			t.Fatalf("%+v, %v", report, err)
		}
		if _, err := os.Stat(filepath.Join(s.from, "d")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the emptied folder is there: %v", err)
		}
	})

	t.Run("download", func(t *testing.T) {
		s := newSides(t, "down")
		tree := t.TempDir()
		write(t, filepath.Join(tree, "d", "f"), []byte("x"))
		if err := os.Chtimes(filepath.Join(tree, "d"), old, old); err != nil {
			t.Fatal(err)
		}
		keep := transfer.FileOptions{Folders: true, Preserve: true}
		if _, err := s.engine().Sync(t.Context(), transfer.Local(tree), s.src, &transfer.SyncOptions{Files: keep}); err != nil {
			t.Fatal(err)
		}
		refused := &refusals{}
		refused.set(map[string]string{"f": "403 AccessDenied"})
		s.wire.between(refused.hook)
		change := func(o *transfer.SyncOptions) { o.Delete, o.Files = false, keep }
		report, err := s.sync(change)
		if !errors.Is(err, transfer.ErrIncomplete) {
			t.Fatal(err)
		}
		refused.set(nil)
		if report, err = s.part(t.Context(), report.JobID, failed); err != nil || report.State != transfer.StateDone {
			t.Fatalf("%+v, %v", report, err)
		}
		if info, err := os.Stat(filepath.Join(s.to, "d")); err != nil || !info.ModTime().Equal(old) {
			t.Errorf("%v, %v", info, err)
		}
		if report, err = s.sync(change); err != nil || report.Objects.Done != 0 {
			t.Errorf("again: %+v, %v", report, err)
		}
	})
}
