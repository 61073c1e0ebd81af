package transfer_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// TestUpdateGoesByTheFilesTime: an object is as old as the file it was made of.
func TestUpdateGoesByTheFilesTime(t *testing.T) {
	w := newWorld(t)
	up, down := t.TempDir(), t.TempDir()
	at := func(dir, text string, year int) {
		name := filepath.Join(dir, "a")
		write(t, name, []byte(text))
		when := time.Date(year, 1, 1, 0, 0, 0, 5000, time.UTC)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for _, fresh := range []bool{false, true} { // with what the machine knows, and without
		sync := func(src, dst transfer.Location) int64 {
			t.Helper()
			report, err := w.engine(func(o *transfer.Options) {
				if fresh {
					o.StateDir = t.TempDir()
				}
			}).Sync(t.Context(), src, dst, &transfer.SyncOptions{Compare: transfer.CompareUpdate})
			if err != nil {
				t.Fatal(err)
			}
			return report.Objects.Done
		}
		send := func() int64 { return sync(transfer.Local(up), w.at("p/")) }
		fetch := func() int64 { return sync(w.at("p/"), transfer.Local(down)) }
		at(up, "old", 2020)
		w.put("p/a", nil)
		if _, err := w.engine().Sync(t.Context(), transfer.Local(up), w.at("p/"), nil); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(down, "a"))
		if n := fetch(); n != 1 {
			t.Errorf("fresh %v: %d fetched", fresh, n)
		}
		if n := fetch() + send(); n != 0 {
			t.Errorf("fresh %v: %d moved again", fresh, n)
		}
		// What is newer here than what the object was made of stays.
		at(down, "edited", 2024)
		if n := fetch(); n != 0 || tree(t, down)["a"] != "edited" {
			t.Errorf("fresh %v: %d fetched over a newer file", fresh, n)
		}
		at(down, "older", 2019)
		if n := fetch(); n != 1 || tree(t, down)["a"] != "old" {
			t.Errorf("fresh %v: %d fetched over an older file", fresh, n)
		}
		// A newer file is sent, though the object was uploaded after it was written.
		at(up, "new", 2023)
		if n := send(); n != 1 || string(w.get("p/a")) != "new" {
			t.Errorf("fresh %v: %d sent", fresh, n)
		}
		at(up, "older", 2022)
		if n := send(); n != 0 {
			t.Errorf("fresh %v: %d sent over a newer object", fresh, n)
		}
	}
}

// TestModifyWindowOfKnown: the window holds for what an earlier run has made the
// same, too.
func TestModifyWindowOfKnown(t *testing.T) {
	for _, direction := range []string{"up", "down"} {
		s := newSides(t, direction)
		s.add(false, "a")
		run := func(window time.Duration) int64 {
			report, err := s.sync(func(o *transfer.SyncOptions) { o.Delete, o.ModifyWindow = false, window })
			if err != nil {
				t.Fatal(err)
			}
			return report.Objects.Done
		}
		run(0)
		dir := s.from
		if direction == "down" {
			dir = s.to
		}
		name := filepath.Join(dir, "a")
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, info.ModTime().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := run(3 * time.Hour); n != 0 {
			t.Errorf("%s: %d moved within the window", direction, n)
		}
		if n := run(0); n != 1 {
			t.Errorf("%s: what was the same within the window only is the same for ever", direction)
		}
	}
}

// TestPreservedAttributesAreCompared: an object that was written again with other
// attributes and the same bytes is fetched again.
func TestPreservedAttributesAreCompared(t *testing.T) {
	w := newWorld(t)
	up, down := t.TempDir(), t.TempDir()
	name := filepath.Join(up, "a")
	write(t, name, []byte("x"))
	sync := func(src, dst transfer.Location) {
		t.Helper()
		if _, err := w.engine().Sync(t.Context(), src, dst, &transfer.SyncOptions{Files: transfer.FileOptions{Preserve: true}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []os.FileMode{0o644, 0o600} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		sync(transfer.Local(up), w.at("p/"))
		sync(w.at("p/"), transfer.Local(down))
		if info, err := os.Stat(filepath.Join(down, "a")); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%v, want mode %v, %v", info.Mode(), mode, err)
		}
		w.ahead.Add(int64(2 * time.Second)) // the next upload is of another second
	}
}

// TestDeleteBelowLink: what lies below a folder that has become a link stays, and
// so does nothing else on its account.
func TestDeleteBelowLink(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	s.add(true, "a", "b", "dd/q")
	elsewhere := t.TempDir()
	write(t, filepath.Join(elsewhere, "q"), []byte("q"))
	if err := os.Symlink(elsewhere, filepath.Join(s.from, "dd")); err != nil {
		t.Fatal(err)
	}
	report, err := s.sync(nil)
	if err != nil || report.Objects.Deleted != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if got := s.have(); len(got) != 2 || got[1] != "dd/q" {
		t.Errorf("%q", got)
	}
}

// TestOnlyFoldersIsEmpty: a source of nothing but folders is as suspicious as an
// empty one.
func TestOnlyFoldersIsEmpty(t *testing.T) {
	s := newSides(t, "up")
	s.add(true, "a", "b")
	if err := os.MkdirAll(filepath.Join(s.from, "x", "y"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := s.sync(func(o *transfer.SyncOptions) { o.Files.Folders = true })
	unsafe, ok := errors.AsType[*transfer.UnsafeError](err)
	if !ok || unsafe.Cause != transfer.UnsafeEmpty {
		t.Error(err)
	}
	if got := s.have(); !slices.Contains(got, "a") || !slices.Contains(got, "b") {
		t.Errorf("%q", got)
	}
}
