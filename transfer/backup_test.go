package transfer_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// contents is what lies at the destination.
func (s *sides) contents() map[string]string {
	if s.to != "" {
		return tree(s.t, s.to)
	}
	all := map[string]string{}
	for _, name := range s.have() {
		all[name] = string(s.get("to/" + name))
	}
	return all
}

func (s *sides) undo(id string, change func(*transfer.UndoOptions)) (*transfer.Report, error) {
	o := &transfer.UndoOptions{}
	o.Bucket = func(string, string) (*oss.Bucket, error) { return s.bucket, nil }
	if change != nil {
		change(o)
	}
	return s.engine().Undo(s.t.Context(), id, o)
}

// TestUndo: what a sync replaced, deleted and made is taken back, small and
// large, and what somebody has written since is left alone.
func TestUndo(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			at := s.at("kept/")
			if s.to != "" {
				at = transfer.Local(t.TempDir())
			}
			s.add(false, "same", "replaced", "dir/replaced too", "new", "dir/new")
			s.add(true, "same", "gone", "dir/gone", "dir/deeper/gone")
			large := strings.Repeat("large ", partSize)
			if s.to != "" {
				write(t, filepath.Join(s.to, "replaced"), []byte("old"))
				write(t, filepath.Join(s.to, "dir", "replaced too"), []byte(large))
			} else {
				s.put("to/replaced", []byte("old"))
				s.put("to/dir/replaced too", []byte(large))
			}
			before := s.contents()
			sync := func(o *transfer.SyncOptions) { o.Backup, o.MaxDelete.None = at, true }
			report, err := s.sync(sync)
			if err != nil || report.Objects.Deleted != 3 {
				t.Fatalf("%+v, %v", report, err)
			}
			after := s.contents()
			if after["replaced"] != "replaced" || len(after) != 5 {
				t.Fatalf("%v", after)
			}
			if _, err := s.undo(report.JobID, func(o *transfer.UndoOptions) { o.DryRun = true }); err != nil || !maps.Equal(s.contents(), after) {
				t.Errorf("dry run: %v", err)
			}
			// Somebody writes to one of them.
			if s.to != "" {
				write(t, filepath.Join(s.to, "new"), []byte("theirs"))
			} else {
				s.put("to/new", []byte("theirs"))
			}
			undone, err := s.undo(report.JobID, nil)
			if !errors.Is(err, transfer.ErrIncomplete) || undone.Objects.Changed != 1 || undone.Objects.Failed != 1 {
				t.Fatalf("%+v, %v", undone, err)
			}
			before["new"] = "theirs"
			if got := s.contents(); !maps.Equal(got, before) {
				t.Errorf("have %v, want %v", got, before)
			}
			// Again: nothing but the failure is left to do.
			undone, err = s.undo(report.JobID, nil)
			if !errors.Is(err, transfer.ErrIncomplete) || undone.Objects.Total != 1 {
				t.Errorf("again: %+v, %v", undone, err)
			}
			// And the sync does its work anew.
			if report, err = s.sync(sync); err != nil || !maps.Equal(s.contents(), after) {
				t.Errorf("sync after undo: %+v, %v", report, err)
			}
		})
	}
}

// TestBackupOfInterruptedRun: both halves of a sync that was stopped are taken
// back together.
func TestBackupOfInterruptedRun(t *testing.T) {
	s := newSides(t, "down")
	at := transfer.Local(t.TempDir())
	s.add(false, "a", "b", "c", "d")
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, filepath.Join(s.to, name), []byte("old "+name))
	}
	before := s.contents()
	ctx, cancel := context.WithCancel(t.Context())
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/c") {
			cancel()
		}
		return send()
	})
	o := &transfer.SyncOptions{Backup: at, Delete: true}
	e := s.engine(func(o *transfer.Options) { o.Concurrency = 1 })
	if _, err := e.Sync(ctx, s.src, s.dst, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.wire.between(nil)
	report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.undo(report.JobID, nil); err != nil || !maps.Equal(s.contents(), before) {
		t.Errorf("%v, %v", s.contents(), err)
	}
}

func TestBackupRefusals(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	for name, at := range map[string]transfer.Location{
		"in a folder": transfer.Local(t.TempDir()), "within": s.at("to/kept"), "around": s.at(""),
	} {
		if _, err := s.sync(func(o *transfer.SyncOptions) { o.Backup = at }); err == nil || len(s.have()) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	s = newSides(t, "down")
	s.add(false, "a")
	if _, err := s.sync(func(o *transfer.SyncOptions) { o.Backup = transfer.Local(filepath.Join(s.to, "kept")) }); err == nil {
		t.Error("a backup within the destination")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.to, link); err != nil {
		t.Logf("no links here: %v", err)
	} else if _, err := s.sync(func(o *transfer.SyncOptions) { o.Backup = transfer.Local(filepath.Join(link, "new", "kept")) }); err == nil {
		t.Error("a backup within the destination, by way of a link")
	}
	if _, err := s.undo("0123456789abcdef", nil); !errors.Is(err, transfer.ErrNoJob) {
		t.Errorf("no job: %v", err)
	}
	report, err := s.sync(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.undo(report.JobID, nil); err == nil || !strings.Contains(err.Error(), "has kept nothing") {
		t.Errorf("no backup: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.to, "a")); err != nil {
		t.Error(err)
	}
}
