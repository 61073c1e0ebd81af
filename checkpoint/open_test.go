package checkpoint_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

// TestOneHolder: however openers and removers meet, one has the job.
func TestOneHolder(t *testing.T) {
	dir := t.TempDir()
	var holders, opened atomic.Int32
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 60 {
				c, err := checkpoint.Open(dir, testJob, nil)
				if err != nil {
					if _, held := errors.AsType[*checkpoint.HeldError](err); !held {
						t.Error(err)
					}
					continue
				}
				opened.Add(1)
				if holders.Add(1) != 1 {
					t.Error("two holders")
				}
				holders.Add(-1)
				if err := c.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if opened.Load() == 0 {
		t.Error("never opened")
	}
}

// TestLockFileReplaced: a lock on a file that lost its name locks nothing.
func TestLockFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	if !checkpoint.StillAt(f, path) {
		t.Error("not at its path")
	}
	if err := os.Rename(path, path+".old"); err != nil {
		return // an open file keeps its name here
	}
	if checkpoint.StillAt(f, path) {
		t.Error("still at its path without a file there")
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if checkpoint.StillAt(f, path) {
		t.Error("still at its path with another file there")
	}
}

func TestHeld(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	_, err := checkpoint.Open(dir, testJob, nil)
	if held, ok := errors.AsType[*checkpoint.HeldError](err); !ok || held.PID != os.Getpid() || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second opener: %v", err)
	}
	other := testJob
	other.Source = "/elsewhere"
	d := mustOpen(t, dir, other) // another job runs beside it
	must(t, d.Close())
	must(t, c.Close())
	c = mustOpen(t, dir, testJob)
	must(t, c.Remove())
	c = mustOpen(t, dir, testJob)
	if c.Resumed() {
		t.Error("resumed after Remove")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	id := c.Job().ID
	path := filepath.Join(dir, id+".db")
	must(t, c.Close())
	for _, bad := range []string{"x", "../../etc/passwd", "0123456789ABCDEF", "0123456789abcdef0"} {
		if _, err := checkpoint.Open(dir, checkpoint.Job{ID: bad}, nil); err == nil {
			t.Errorf("job id %q accepted", bad)
		}
	}
	other := testJob
	other.ID, other.Options = id, nil
	_, err := checkpoint.Open(dir, other, nil)
	if e, ok := errors.AsType[*checkpoint.MismatchError](err); !ok || e.Path != path || e.Found.Source != testJob.Source {
		t.Errorf("another job of this id: %v", err)
	}
	must(t, checkpoint.WriteSchema(path, 9))
	before, err := os.ReadFile(path)
	must(t, err)
	_, err = checkpoint.Open(dir, testJob, nil)
	if e, ok := errors.AsType[*checkpoint.VersionError](err); !ok || e.Found != 9 || e.Supported != 5 {
		t.Errorf("newer schema: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the newer file was touched: %v", err)
	}
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	if _, err := checkpoint.Open(dir, testJob, nil); err == nil {
		t.Error("a folder in place of the file accepted")
	}
	must(t, os.Remove(path))
	mustOpen(t, dir, testJob) // none of these keeps the lock
	if _, err := checkpoint.Open(filepath.Join(dir, id+".lock"), testJob, nil); err == nil {
		t.Error("a file in place of the folder accepted")
	}
}

// TestCompaction: a file that is mostly free is rewritten, and loses nothing.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushCount: 8192})
	must(t, err)
	path := filepath.Join(dir, c.Job().ID+".db")
	cause := strings.Repeat("x", 1000)
	for n := range 80_000 {
		must(t, c.Fail(checkpoint.Failure{Key: fmt.Sprintf("%06d", n), Cause: cause}))
	}
	must(t, c.ClearFailures(t.Context()))
	must(t, c.Settle(testSettled("kept", 1)))
	must(t, c.Close())
	before, err := os.Stat(path)
	must(t, err)
	c = mustOpen(t, dir, testJob)
	after, err := os.Stat(path)
	must(t, err)
	if before.Size() < 64<<20 || after.Size() > 1<<20 {
		t.Errorf("%d bytes, then %d", before.Size(), after.Size())
	}
	if s, ok, err := c.Settled("kept"); err != nil || !ok || s != testSettled("kept", 1) {
		t.Errorf("%+v, %v, %v", s, ok, err)
	}
	must(t, c.Settle(testSettled("more", 2)))
	must(t, c.Close())
	c = mustOpen(t, dir, testJob)
	if !c.Resumed() || c.SetAside() != "" {
		t.Errorf("resumed %v, set aside %q", c.Resumed(), c.SetAside())
	}
}
