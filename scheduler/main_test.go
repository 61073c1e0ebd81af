package scheduler_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/osssync/osssync/scheduler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errPassing = errors.New("passing")
	errBusy    = errors.New("busy")
	errFatal   = errors.New("fatal")
)

func judge(err error) scheduler.Verdict {
	switch {
	case errors.Is(err, errPassing):
		return scheduler.Verdict{Action: scheduler.Again}
	case errors.Is(err, errBusy):
		return scheduler.Verdict{Action: scheduler.SlowDown}
	}
	return scheduler.Verdict{}
}

// call is one Do on a goroutine of its own, whose attempts the test ends one by
// one. It must be used in a synctest bubble.
type call struct {
	cancel context.CancelCauseFunc
	end    chan error // what the running attempt shall return
	result chan error // what Do returned

	running bool // read after synctest.Wait
}

func start(t *testing.T, p *scheduler.Pool, task scheduler.Task) *call {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	c := &call{cancel: cancel, end: make(chan error), result: make(chan error, 1)}
	task.Run = func(context.Context, int) error {
		c.running = true
		err := <-c.end
		c.running = false
		return err
	}
	go func() { c.result <- p.Do(ctx, task) }()
	synctest.Wait()
	return c
}

// finish ends the running attempt and waits until the pool has settled.
func (c *call) finish(err error) {
	c.end <- err
	synctest.Wait()
}

// returned gives what Do returned, or fails the test if it still blocks.
func (c *call) returned(t *testing.T) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c.result:
		return err
	default:
		t.Fatal("Do has not returned")
		return nil
	}
}

func wantStats(t *testing.T, p *scheduler.Pool, want scheduler.Stats) {
	t.Helper()
	if got := p.Stats(); got != want {
		t.Fatalf("stats:\n got %+v\nwant %+v", got, want)
	}
}

func fails(err error) func(context.Context, int) error {
	return func(context.Context, int) error { return err }
}
