package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
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
		"SetState": c.SetState(ctx, "x", ""), "ClearSettled": c.ClearSettled(ctx), "ClearFailures": c.ClearFailures(ctx),
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
