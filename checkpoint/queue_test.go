package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/checkpoint"
)

// durable opens a copy of the file and says whether key is settled in it.
func durable(t *testing.T, c *checkpoint.Checkpoint, dir, key string) bool {
	t.Helper()
	name, copied := c.Job().ID+".db", t.TempDir()
	must(t, copyFile(filepath.Join(dir, name), filepath.Join(copied, name)))
	twin, err := checkpoint.Open(copied, testJob, nil)
	must(t, err)
	_, ok, err := twin.Settled(key)
	must(t, err)
	must(t, twin.Close())
	return ok
}

func TestFlushEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushEvery: time.Minute})
		must(t, err)
		for round, key := range []string{"a", "b", "c"} {
			must(t, c.Settle(testSettled(key, round)))
			<-time.After(59 * time.Second)
			synctest.Wait()
			if durable(t, c, dir, key) {
				t.Errorf("%s: committed too early", key)
			}
			if _, ok, err := c.Settled(key); !ok || err != nil {
				t.Errorf("%s: a queued record is not seen: %v", key, err)
			}
			must(t, c.Settle(testSettled(key+" later", round)))
			<-time.After(2 * time.Second)
			synctest.Wait()
			if !durable(t, c, dir, key) || !durable(t, c, dir, key+" later") {
				t.Errorf("%s: not committed in time", key)
			}
			must(t, c.Flush(t.Context())) // nothing to do
		}
		must(t, c.Close())
	})
}

func TestFlushCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushEvery: time.Hour, FlushCount: 8})
		must(t, err)
		for n := range 7 {
			must(t, c.Settle(testSettled(fmt.Sprint(n), n)))
		}
		synctest.Wait()
		if durable(t, c, dir, "0") {
			t.Error("committed before the count was reached")
		}
		must(t, c.Settle(testSettled("7", 7)))
		synctest.Wait()
		if !durable(t, c, dir, "0") || !durable(t, c, dir, "7") {
			t.Error("not committed when the count was reached")
		}
		must(t, c.Close())
	})
}

// TestConcurrent: many callers with a queue that is always full; nothing is
// lost and nobody is forgotten.
func TestConcurrent(t *testing.T) {
	c, err := checkpoint.Open(t.TempDir(), testJob, &checkpoint.Options{FlushCount: 2})
	must(t, err)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for n := range 40 {
				key := fmt.Sprintf("%d/%d", worker, n)
				err := errors.Join(c.PutObject(t.Context(), testObject(key, n)), c.AddPart(key, testPart(1)), c.AddPart(key, testPart(n+2)))
				parts, perr := c.Parts(key)
				if err = errors.Join(err, perr); err == nil && len(parts) != 2 {
					err = fmt.Errorf("%s: %d parts", key, len(parts))
				}
				if n%2 == 0 {
					err = errors.Join(err, c.Settle(testSettled(key, n)))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(objects(t, c)); n != 8*20 {
		t.Errorf("%d objects", n)
	}
	must(t, c.Close())
}

// TestReadDuringCommit: a record is seen from the moment it is queued, also
// while it is on its way from the queue to the file.
func TestReadDuringCommit(t *testing.T) {
	c, err := checkpoint.Open(t.TempDir(), testJob, &checkpoint.Options{FlushCount: 1})
	must(t, err)
	must(t, c.PutObject(t.Context(), testObject("a", 1)))
	for n := 1; n <= 300; n++ {
		must(t, c.AddPart("a", testPart(n)))
		for range 3 {
			parts, err := c.Parts("a")
			if err != nil || len(parts) != n {
				t.Fatalf("%d parts, %v, want %d", len(parts), err, n)
			}
		}
		must(t, c.Settle(testSettled("b", n)))
		for range 3 {
			if s, _, err := c.Settled("b"); err != nil || s != testSettled("b", n) {
				t.Fatalf("%+v, %v, want number %d", s, err, n)
			}
		}
	}
	must(t, c.Close())
}

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

// TestListingWhileChanging: the body of a listing may write, beyond what fits
// into the memory map, and wait for it.
func TestListingWhileChanging(t *testing.T) {
	c := mustOpen(t, t.TempDir(), testJob)
	const many = 700 // more than two pages of a listing
	for n := range many {
		must(t, c.Fail(testFailure(fmt.Sprintf("%05d", n), n)))
	}
	seen := 0
	for f, err := range c.Failures() {
		must(t, err)
		if want := fmt.Sprintf("%05d", seen); f.Key != want {
			t.Fatalf("%s, want %s", f.Key, want)
		}
		if seen++; seen%10 == 0 {
			must(t, c.PutObject(t.Context(), testObject(f.Key, seen)))
			must(t, c.Settle(testSettled(f.Key, seen)))
		}
	}
	if seen != many || len(failures(t, c)) != many-many/10 {
		t.Errorf("%d seen, %d left", seen, len(failures(t, c)))
	}
	for range c.Failures() {
		break
	}
}

func TestCancelled(t *testing.T) {
	c := mustOpen(t, t.TempDir(), testJob)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	calls := map[string]error{
		"PutObject": c.PutObject(ctx, testObject("a", 1)), "Forget": c.Forget(ctx, "a"), "DropParts": c.DropParts(ctx, "a"),
		"SetState": c.SetState(ctx, "x"), "ClearSettled": c.ClearSettled(ctx), "ClearFailures": c.ClearFailures(ctx),
	}
	for name, err := range calls {
		if !errors.Is(err, cause) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok, err := c.Object("a"); ok || err != nil || c.Job().State != testJob.State {
		t.Errorf("a cancelled call changed something: %v, %v", ok, err)
	}
}

func TestRefused(t *testing.T) {
	ctx := t.Context()
	c := mustOpen(t, t.TempDir(), testJob)
	must(t, c.PutObject(ctx, testObject("a", 1)))
	long := strings.Repeat("x", 5000)
	huge := testObject("a", 1)
	huge.Nonce = strings.Repeat("x", 70_000)
	_, _, settledErr := c.Settled("")
	_, partsErr := c.Parts(long)
	for name, err := range map[string]error{
		"empty key": c.PutObject(ctx, checkpoint.Object{}), "long key": c.Fail(checkpoint.Failure{Key: long}), "lookup": settledErr,
		"parts": partsErr, "part 0": c.AddPart("a", testPart(0)), "part of too high a number": c.AddPart("a", testPart(checkpoint.MaxPartNumber+1)),
		"part of an unknown object": c.AddPart("b", testPart(1)), "huge record": c.PutObject(ctx, huge), "drop": c.DropParts(ctx, ""),
		"forget": c.Forget(ctx, long), "settle": c.Settle(checkpoint.Settled{}),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	must(t, c.Fail(checkpoint.Failure{Key: "a", Cause: strings.Repeat("é", 3000)}))
	if f := failures(t, c); len(f) != 1 || f[0].Cause != strings.Repeat("é", 512) {
		t.Errorf("cause of %d bytes", len(f[0].Cause))
	}
	if o, ok, err := c.Object("a"); err != nil || !ok || o != testObject("a", 1) {
		t.Errorf("%+v, %v, %v", o, ok, err)
	}
}

// TestCloseFlushes: Close commits what nobody waited for.
func TestCloseFlushes(t *testing.T) {
	dir := t.TempDir()
	for n := range 20 {
		c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushEvery: time.Hour})
		must(t, err)
		if _, ok, err := c.Settled(fmt.Sprint(n - 1)); ok != (n > 0) || err != nil {
			t.Errorf("%d: %v, %v", n-1, ok, err)
		}
		must(t, c.Settle(testSettled(fmt.Sprint(n), n)))
		must(t, c.Close())
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
	if e, ok := errors.AsType[*checkpoint.VersionError](err); !ok || e.Found != 9 || e.Supported != 1 {
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
	for n := range 60_000 {
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
