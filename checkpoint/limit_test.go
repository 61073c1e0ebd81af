//go:build !windows

package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"golang.org/x/sys/unix"
)

const fileLimit = 192 << 10

// limitedChild fills a checkpoint whose file may not grow past fileLimit, as
// on a full disk, from several goroutines at once.
func limitedChild(ctx context.Context, dir string) error {
	c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushCount: 4})
	if err != nil {
		return err
	}
	if err := c.PutObject(ctx, testObject("first", 1)); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: fileLimit, Max: fileLimit}); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for worker := range cap(errs) {
		wg.Go(func() {
			var err error
			for n := 0; err == nil && n < 100_000; n++ {
				key := fmt.Sprintf("%d/%06d", worker, n)
				if worker%2 == 0 {
					err = c.PutObject(ctx, testObject(key, n))
				} else {
					err = c.Fail(testFailure(key, n))
				}
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err := wantWriteError("write", err); err != nil {
			return err
		}
	}
	_, _, err = c.Settled("first")
	return errors.Join(
		wantWriteError("Settled", err),
		wantWriteError("Settle", c.Settle(testSettled("x", 1))),
		wantWriteError("Flush", c.Flush(ctx)),
		wantWriteError("Forget", c.Forget(ctx, "x")),
		wantWriteError("Close", c.Close()),
		wantWriteError("Close again", c.Close()),
	)
}

func wantWriteError(call string, err error) error {
	if _, ok := errors.AsType[*checkpoint.WriteError](err); !ok {
		return fmt.Errorf("%s: %w, want a WriteError", call, err)
	}
	return nil
}

// TestFullDisk: the first failure to write is the answer to every later call,
// nobody hangs, and what was durable before is there afterwards.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	must(t, child(t, "limited", dir).Run())
	c := mustOpen(t, dir, testJob)
	if o, ok, err := c.Object("first"); err != nil || !ok || o != testObject("first", 1) || c.SetAside() != "" {
		t.Errorf("%+v, %v, %v, set aside %q", o, ok, err, c.SetAside())
	}
	must(t, c.PutObject(t.Context(), testObject("second", 2)))
}
