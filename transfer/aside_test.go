package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// inParts is a size that the service copies in three parts.
const inParts = 2*8*partSize + 1

// newBackedUp is a world in which a sync replaces an object that is copied in
// parts, and one that is not, deletes one, and makes one.
func newBackedUp(t *testing.T, direction string) (*sides, *transfer.SyncOptions) {
	s := newSides(t, direction)
	s.add(false, "new", "small")
	s.add(true, "gone")
	large := noise(1, inParts)
	if s.to != "" {
		write(t, filepath.Join(s.to, "large"), large)
		write(t, filepath.Join(s.to, "small"), []byte("old and longer"))
	} else {
		s.put("to/small", []byte("old and longer"))
		o := &oss.PutObjectOptions{}
		o.Meta, o.ContentEncoding = map[string]string{"a": "b"}, "none"
		if _, err := s.bucket.PutObject(t.Context(), "to/large", bytes.NewReader(large), o); err != nil {
			t.Fatal(err)
		}
	}
	if s.from != "" {
		write(t, filepath.Join(s.from, "large"), []byte("by this"))
	} else {
		s.put("from/large", []byte("by this"))
	}
	kept := s.at("kept/")
	if s.to != "" {
		kept = transfer.Local(t.TempDir())
	}
	o := &transfer.SyncOptions{Backup: kept, Delete: true}
	o.MaxDelete.None = true
	return s, o
}

// TestBackupInPartsKilled kills a sync at each step, of which some copy what it
// replaces in parts. The next run ends it, an undo takes back all of it, and no
// upload is left. It is the same without the next run, and no upload is left if a
// GC comes in its place.
func TestBackupInPartsKilled(t *testing.T) {
	for _, direction := range []string{"up", "across"} {
		for _, then := range []string{"sync", "undo", "gc"} {
			t.Run(direction+" "+then, func(t *testing.T) {
				t.Parallel()
				open := false
				for at := 1; ; at++ {
					dead, uploads := backupKilled(t, direction, at, then)
					open = open || uploads > 0
					if !dead || t.Failed() {
						break
					}
				}
				if !open {
					t.Error("nothing was killed with an upload under way")
				}
			})
		}
	}
}

func backupKilled(t *testing.T, direction string, at int, then string) (dead bool, uploads int) {
	s, o := newBackedUp(t, direction)
	before := s.seen()
	dead, bury := s.kill(at, func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Sync(ctx, s.src, s.dst, o)
		return err
	})
	defer bury()
	uploads = s.uploads()
	if !dead {
		return dead, uploads
	}
	id := ""
	for job := range s.engine().Jobs(t.Context()) {
		id = job.ID
	}
	switch then {
	case "gc":
		err := s.engine().GC(t.Context(), &transfer.GCOptions{
			OlderThan: -1, Bucket: func(_, name string) (*oss.Bucket, error) { return s.bucket.Client().Bucket(name), nil },
		})
		if err != nil || s.uploads() > 0 {
			t.Errorf("killed at step %d: after gc %d uploads, %v", at, s.uploads(), err)
		}
		return dead, uploads
	case "sync":
		replaced := len(s.get("to/large")) < inParts
		report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
		if err != nil || string(s.get("to/large")) != "by this" || s.uploads() > 0 {
			t.Fatalf("killed at step %d: %v, %d uploads", at, err, s.uploads())
		}
		if id = report.JobID; replaced && !report.Resumed {
			return dead, uploads // the dead run had closed its books: this is another one, and did nothing
		}
	}
	if id == "" {
		return dead, uploads // it had not come to remember what it is
	}
	undone, err := s.undo(id, nil)
	if undone == nil && then == "undo" {
		return dead, uploads // it had not come to remember what it is
	}
	if after := s.seen(); err != nil || !maps.Equal(after, before) {
		t.Errorf("killed at step %d: %v, undone is %v, was %v: %+v", at, err, after, before, undone)
	}
	if d, err := s.engine().Job(id); then == "sync" && (err != nil || d.InFlight > 0) {
		t.Errorf("killed at step %d: %+v, %v", at, d, err)
	}
	return dead, uploads
}

// TestUndoKilled kills an undo at each step. The next one takes back the rest,
// and takes nothing that the first did for somebody else's; no upload is left.
func TestUndoKilled(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			for at := 1; undoKilled(t, direction, at); at++ {
			}
		})
	}
}

func undoKilled(t *testing.T, direction string, at int) bool {
	s, o := newBackedUp(t, direction)
	before := s.seen()
	report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
	if err != nil {
		t.Fatal(err)
	}
	id := report.JobID
	if s.to != "" {
		for name := range tree(t, o.Backup.Path) {
			replaceFile(t, filepath.Join(o.Backup.Path, name), nil) // as one on another device is
		}
	}
	dead, bury := s.kill(at, func(ctx context.Context, e *transfer.Engine) error {
		u := &transfer.UndoOptions{}
		u.Bucket = func(string, string) (*oss.Bucket, error) { return s.bucket, nil }
		_, err := e.Undo(ctx, id, u)
		return err
	})
	defer bury()
	if dead {
		if report, err := s.undo(id, nil); err != nil {
			t.Errorf("killed at step %d: %v; %+v", at, err, report)
		}
	}
	if after := s.seen(); !maps.Equal(after, before) || s.uploads() > 0 {
		t.Errorf("killed at step %d: undone is %v, was %v; %d uploads", at, after, before, s.uploads())
	}
	if d, err := s.engine().Job(id); err != nil || d.InFlight > 0 {
		t.Errorf("killed at step %d: %+v, %v", at, d, err)
	}
	if s.to == "" {
		meta, err := s.bucket.HeadObject(t.Context(), "to/large", nil)
		if err != nil || meta.Meta["a"] != "b" || meta.Header.Get("Content-Encoding") != "none" {
			t.Errorf("killed at step %d: %v, %v", at, meta, err)
		}
	} else if left := tree(t, o.Backup.Path); len(left) > 1 {
		// What was put back by the step of the kill may have its second name still.
		t.Errorf("killed at step %d: %v is kept still", at, slices.Collect(maps.Keys(left)))
	} else if temps := slices.Concat(temps(t, s.to), temps(t, o.Backup.Path)); len(temps) > 0 {
		t.Errorf("killed at step %d: %v are left", at, temps)
	}
	return dead && !t.Failed()
}

// TestBackupLostAnswers: a copy in parts whose answers are lost is asked for, and
// neither made twice nor left behind.
func TestBackupLostAnswers(t *testing.T) {
	for _, query := range []string{"uploads", "uploadId"} {
		s, o := newBackedUp(t, "up")
		before := s.seen()
		lost := make(chan struct{}, 1)
		s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if err != nil || r.Method != http.MethodPost || !r.URL.Query().Has(query) || !strings.Contains(r.URL.Path, "kept") {
				return resp, err
			}
			select {
			case lost <- struct{}{}:
				resp.Body.Close()
				return nil, context.DeadlineExceeded
			default:
				return resp, nil
			}
		})
		report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
		if err != nil || len(lost) == 0 || s.uploads() > 0 {
			t.Fatalf("%s: %v, %d lost, %d uploads", query, err, len(lost), s.uploads())
		}
		if _, err := s.undo(report.JobID, nil); err != nil || !maps.Equal(s.seen(), before) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestBackupElsewhere: what two runs of a job kept in two places is put back from
// both, and what the first had begun in its place is given up.
func TestBackupElsewhere(t *testing.T) {
	s, o := newBackedUp(t, "up")
	if err := s.server.CreateBucket("other"); err != nil {
		t.Fatal(err)
	}
	before := s.seen()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.URL.Query().Has("partNumber") {
			cancel()
		}
		return send()
	})
	if _, err := s.engine(oneByOne).Sync(ctx, s.src, s.dst, o); err == nil || s.uploads() != 1 {
		t.Fatalf("%v, %d uploads", err, s.uploads())
	}
	s.wire.between(nil)
	o.Backup = transfer.Remote(s.bucket.Client().Bucket("other"), "kept/")
	report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
	if err != nil || s.uploads() > 0 {
		t.Fatalf("%v, %d uploads", err, s.uploads())
	}
	if _, err := s.undo(report.JobID, func(u *transfer.UndoOptions) {
		u.Bucket = func(_, name string) (*oss.Bucket, error) { return s.bucket.Client().Bucket(name), nil }
	}); err != nil || !maps.Equal(s.seen(), before) {
		t.Errorf("%v", err)
	}
}

// TestUndoOfMoved: a tree that was brought back from elsewhere, with other inodes
// under the old names and times, is undone as far as its content is known; what
// has other content is left alone, its size and time notwithstanding.
func TestUndoOfMoved(t *testing.T) {
	s, o := newBackedUp(t, "down")
	before := s.seen()
	report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, filepath.Join(s.to, "large"), []byte("by this"))
	replaceFile(t, filepath.Join(s.to, "small"), nil)
	replaceFile(t, filepath.Join(s.to, "new"), []byte("wen"))
	undone, err := s.undo(report.JobID, nil)
	if err == nil || undone.Objects.Changed != 1 {
		t.Errorf("%+v, %v", undone, err)
	}
	before["new"] = short("wen")
	if after := s.seen(); !maps.Equal(after, before) {
		t.Errorf("have %v, want %v", after, before)
	}
}

// replaceFile puts another file in the place of one, of the same time and with the
// same content if data is nil.
func replaceFile(t *testing.T, path string, data []byte) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil && data == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+"~", data)
	if err := os.Chtimes(path+"~", info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// TestPartWithAsides: a copy beside the job's objects that a run has left is none
// of what is missing, and goes when nothing is.
func TestPartWithAsides(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	refuse := &refusals{}
	refuse.set(map[string]string{"b": "403 AccessDenied"})
	s.wire.between(refuse.hook)
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Backup, o.Delete = s.at("kept/"), false })
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatal(err)
	}
	s.wire.between(nil)
	upload, err := s.bucket.InitMultipartUpload(t.Context(), "kept/run/b", nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Inspect(s.state, report.JobID)
	if err != nil {
		t.Fatal(err)
	}
	books, err := checkpoint.Open(s.state, c.Job, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = books.PutObject(t.Context(), checkpoint.Object{
		Key: "\x00kept\x00b", State: checkpoint.StateActive, UploadID: upload.UploadID, Bucket: "bucket", Target: "kept/run/b", Started: time.Now(),
	})
	if err := errors.Join(err, books.Close()); err != nil {
		t.Fatal(err)
	}
	report, err = s.part(t.Context(), report.JobID, transfer.Part{States: []transfer.ItemState{transfer.ItemFailed}})
	if err != nil || report.Left != nil || s.uploads() > 0 {
		t.Errorf("%+v, %v, %d uploads", report, err, s.uploads())
	}
}

// TestDeleteSinceKept: what somebody writes to while it is being kept is not
// deleted.
func TestDeleteSinceKept(t *testing.T) {
	for _, direction := range []string{"up", "down"} {
		s, o := newBackedUp(t, direction)
		var once sync.Once
		e := s.engine(func(o *transfer.Options) {
			o.Watch = func(step transfer.Step) {
				if step.Op == "checkpoint commit" || !step.Done || !strings.Contains(step.Name+step.To, "gone") {
					return
				}
				once.Do(func() {
					if s.to != "" {
						write(t, filepath.Join(s.to, "gone"), []byte("theirs"))
					} else {
						s.put("to/gone", []byte("theirs"))
					}
				})
			}
		})
		report, err := e.Sync(t.Context(), s.src, s.dst, o)
		if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Changed != 1 || s.seen()["gone"] != short("theirs") {
			t.Errorf("%s: %+v, %v, %v", direction, report, err, s.seen())
		}
	}
}

// TestUndoOfDamaged: an undo whose checkpoint is damaged does not say that it has
// put everything back.
func TestUndoOfDamaged(t *testing.T) {
	s, o := newBackedUp(t, "up")
	report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.state, report.JobID+".db")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for at := 0; at < len(data); at += 331 {
		broken := bytes.Clone(data)
		broken[at] ^= 0x10
		s.state = t.TempDir()
		write(t, filepath.Join(s.state, report.JobID+".db"), broken)
		undone, err := s.undo(report.JobID, func(u *transfer.UndoOptions) { u.DryRun = true })
		switch {
		case err != nil:
			told++
		case undone.Objects.Total < 4 && len(undone.Warnings) == 0:
			t.Fatalf("byte %d: %+v", at, undone)
		case undone.Objects.Total < 4:
			told++
		}
	}
	if told == 0 {
		t.Error("nothing was damaged")
	}
}
