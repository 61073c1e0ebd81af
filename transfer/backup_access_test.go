package transfer_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// TestUndoAccessAndClass: what an undo puts back has the ACL and the storage
// class that it had, small and large.
func TestUndoAccessAndClass(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "large")
	for name, data := range map[string]string{"a": "old", "large": strings.Repeat("large ", 9*partSize), "gone": "gone"} {
		o := &oss.PutObjectOptions{}
		o.ACL, o.StorageClass = "public-read", "IA"
		if _, err := s.bucket.PutObject(t.Context(), "to/"+name, strings.NewReader(data), o); err != nil {
			t.Fatal(err)
		}
	}
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Backup, o.Delete, o.MaxDelete.None = s.at("kept/"), true, true })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.undo(report.JobID, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "large", "gone"} {
		meta, err := s.bucket.HeadObject(t.Context(), "to/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		acl, err := s.bucket.GetObjectACL(t.Context(), "to/"+name, nil)
		if err != nil || acl != "public-read" || meta.StorageClass != "IA" {
			t.Errorf("%s: %s, %s, %v", name, acl, meta.StorageClass, err)
		}
	}
}

// TestBackupKeepsNoLink: a link that a file would replace stays, since an undo
// could not put it back.
func TestBackupKeepsNoLink(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "l")
	s.put("to/a", []byte("a"))
	if _, err := s.bucket.PutSymlink(t.Context(), "to/l", "to/a", nil); err != nil {
		t.Fatal(err)
	}
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Backup = s.at("kept/") })
	if err == nil || report.Objects.Failed != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if target, err := s.bucket.GetSymlink(t.Context(), "to/l", nil); err != nil || target != "to/a" {
		t.Errorf("%s, %v", target, err)
	}
}

// TestUndoAfterRunWithoutBackup: what a run that was stopped has kept is put
// back, though the run that went on with it had no backup; a run that begins
// anew without one leaves nothing to put back.
func TestUndoAfterRunWithoutBackup(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	s.put("to/a", []byte("old"))
	s.put("to/b", []byte("old"))
	before := s.contents()
	ctx, cancel := context.WithCancel(t.Context())
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/to/b") {
			cancel()
		}
		return send()
	})
	e := s.engine(func(o *transfer.Options) { o.Concurrency = 1 })
	if _, err := e.Sync(ctx, s.src, s.dst, &transfer.SyncOptions{Backup: s.at("kept/")}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.wire.between(nil)
	report, err := s.sync(nil)
	if err != nil {
		t.Fatal(err)
	}
	undone, err := s.undo(report.JobID, nil)
	got := s.contents()
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "kept/") })
	if err != nil || len(undone.Warnings) != 1 || got["a"] != before["a"] {
		t.Errorf("%v, %v, %v", got, undone, err)
	}

	withBackup := func(o *transfer.SyncOptions) { o.Backup = s.at("kept/") }
	if _, err := s.sync(withBackup); err != nil {
		t.Fatal(err)
	}
	s.add(false, "c")
	if report, err = s.sync(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.undo(report.JobID, nil); err == nil || !strings.Contains(err.Error(), "has kept nothing") {
		t.Errorf("a run without a backup: %v", err)
	}
}
