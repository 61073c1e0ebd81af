package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/osssync/osssync/scheduler"
)

func TestDefaults(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts *scheduler.Options
		want int
	}{
		{"nil options", nil, scheduler.DefaultWorkers},
		{"zero options", &scheduler.Options{}, scheduler.DefaultWorkers},
		{"below zero", &scheduler.Options{Workers: -1, Memory: -1, Attempts: -1, MinDelay: -1, MaxDelay: -1}, scheduler.DefaultWorkers},
		{"set", &scheduler.Options{Workers: 3}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := scheduler.New(tc.opts)
			wantStats(t, p, scheduler.Stats{Limit: tc.want})
			ran := 0
			if err := p.Do(t.Context(), scheduler.Task{Bytes: 1, Run: func(_ context.Context, attempt int) error {
				ran++
				if attempt != 1 {
					t.Errorf("attempt %d, want 1", attempt)
				}
				wantStats(t, p, scheduler.Stats{Running: 1, Bytes: 1, Limit: tc.want})
				return nil
			}}); err != nil || ran != 1 {
				t.Fatalf("Do = %v after %d runs", err, ran)
			}
			// Without a Judge nothing is retried.
			if err := p.Do(t.Context(), scheduler.Task{Run: fails(errPassing)}); err != errPassing {
				t.Fatalf("Do = %v, want the plain error", err)
			}
			wantStats(t, p, scheduler.Stats{Limit: tc.want})
		})
	}
}

func TestStartOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 1})
		blocker := start(t, p, scheduler.Task{})
		priorities := []int{0, 2, 1, 2, 0, -1, 1}
		var order []string
		var all sync.WaitGroup
		for i, priority := range priorities {
			all.Go(func() {
				_ = p.Do(t.Context(), scheduler.Task{Priority: priority, Run: func(context.Context, int) error {
					order = append(order, fmt.Sprintf("%d/%d", priority, i))
					return nil
				}})
			})
			synctest.Wait() // so that they arrive in order
		}
		wantStats(t, p, scheduler.Stats{Running: 1, Waiting: len(priorities), Limit: 1})
		blocker.finish(nil)
		all.Wait()
		want := []string{"2/1", "2/3", "1/2", "1/6", "0/0", "0/4", "-1/5"}
		if !slices.Equal(order, want) {
			t.Fatalf("started as %v, want %v", order, want)
		}
	})
}

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 8, Memory: 10})
		a := start(t, p, scheduler.Task{Bytes: 6})
		big := start(t, p, scheduler.Task{Bytes: 7})
		small := start(t, p, scheduler.Task{Bytes: 1})
		if big.running || small.running {
			t.Fatal("a small task must not slip past a large one that came first")
		}
		urgent := start(t, p, scheduler.Task{Bytes: 2, Priority: 1})
		if !urgent.running {
			t.Fatal("a higher priority overtakes")
		}
		urgent.finish(nil)
		a.finish(nil)
		if !big.running || !small.running {
			t.Fatal("both fit now")
		}
		wantStats(t, p, scheduler.Stats{Running: 2, Limit: 8, Bytes: 8})

		whole := start(t, p, scheduler.Task{Bytes: 1 << 60})
		negative := start(t, p, scheduler.Task{Bytes: -5, Priority: 1})
		if whole.running || !negative.running {
			t.Fatal("more than the budget waits for all of it; less than nothing counts as nothing")
		}
		big.finish(nil)
		if whole.running {
			t.Fatal("whole budget granted while a byte is held")
		}
		small.finish(nil)
		if !whole.running {
			t.Fatal("an oversized task runs once nothing else holds memory")
		}
		wantStats(t, p, scheduler.Stats{Running: 2, Limit: 8, Bytes: 10})
		whole.finish(nil)
		negative.finish(nil)
		wantStats(t, p, scheduler.Stats{Limit: 8})
	})
}

func TestCancelLeavesQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 4, Memory: 10})
		a := start(t, p, scheduler.Task{Bytes: 6})
		head := start(t, p, scheduler.Task{Bytes: 10})
		next := start(t, p, scheduler.Task{Bytes: 4})
		gone := errors.New("given up")
		head.cancel(gone)
		if err := head.returned(t); err != gone {
			t.Fatalf("Do = %v, want the cause", err)
		}
		if !next.running {
			t.Fatal("the task behind a cancelled one must start at once")
		}
		a.finish(nil)
		next.finish(nil)
		wantStats(t, p, scheduler.Stats{Limit: 4})
	})
}

func TestCancelledContext(t *testing.T) {
	cause := errors.New("stopped by the user")
	cancelled := func(t *testing.T) (context.Context, context.CancelCauseFunc) {
		return context.WithCancelCause(t.Context())
	}
	p := scheduler.New(&scheduler.Options{Judge: judge})
	for _, tc := range []struct {
		name string
		run  func(ctx context.Context, cancel context.CancelCauseFunc) error
		want error
	}{
		{"success stands", func(_ context.Context, cancel context.CancelCauseFunc) error { cancel(cause); return nil }, nil},
		{"ended by ctx", func(ctx context.Context, cancel context.CancelCauseFunc) error {
			cancel(cause)
			return fmt.Errorf("read: %w", ctx.Err())
		}, cause},
		{"no retry", func(_ context.Context, cancel context.CancelCauseFunc) error { cancel(cause); return errPassing }, cause},
		{"own failure stands", func(_ context.Context, cancel context.CancelCauseFunc) error { cancel(cause); return errFatal }, errFatal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := cancelled(t)
			err := p.Do(ctx, scheduler.Task{Run: func(ctx context.Context, _ int) error { return tc.run(ctx, cancel) }})
			if err != tc.want {
				t.Fatalf("Do = %v, want %v", err, tc.want)
			}
		})
	}
	t.Run("before the start", func(t *testing.T) {
		ctx, cancel := cancelled(t)
		cancel(cause)
		err := p.Do(ctx, scheduler.Task{Run: func(context.Context, int) error { t.Error("ran"); return nil }})
		if err != cause {
			t.Fatalf("Do = %v, want %v", err, cause)
		}
	})
	wantStats(t, p, scheduler.Stats{Limit: scheduler.DefaultWorkers})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		retried := 0
		p := scheduler.New(&scheduler.Options{Workers: 2, Judge: judge, OnRetry: func(scheduler.Retry) { retried++ }})
		ends := start(t, p, scheduler.Task{})
		retries := start(t, p, scheduler.Task{})
		sleeper := start(t, p, scheduler.Task{Priority: 1})
		ends.finish(nil)
		sleeper.finish(errPassing)
		ends = start(t, p, scheduler.Task{})
		waiter := start(t, p, scheduler.Task{})

		var closed atomic.Int32
		for range 2 {
			go func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				closed.Add(1)
			}()
		}
		for name, c := range map[string]*call{"waiter": waiter, "sleeper": sleeper} {
			if err := c.returned(t); err != scheduler.ErrClosed {
				t.Fatalf("%s: Do = %v, want ErrClosed", name, err)
			}
		}
		retries.finish(errPassing)
		if err := retries.returned(t); err != scheduler.ErrClosed {
			t.Fatalf("no retry after Close: Do = %v, want ErrClosed", err)
		}
		if closed.Load() != 0 {
			t.Fatal("Close returned while an attempt runs")
		}
		ends.finish(nil)
		if err := ends.returned(t); err != nil {
			t.Fatalf("a running attempt ends undisturbed, Do = %v", err)
		}
		if closed.Load() != 2 {
			t.Fatal("Close still blocks")
		}
		if retried != 1 {
			t.Fatalf("%d retries announced, want only the one before Close", retried)
		}
		wantStats(t, p, scheduler.Stats{Limit: 2, Retries: 1})
	})
}

func TestCloseIdle(t *testing.T) {
	p := scheduler.New(nil)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	err := p.Do(t.Context(), scheduler.Task{Run: func(context.Context, int) error { t.Error("ran"); return nil }})
	if err != scheduler.ErrClosed {
		t.Fatalf("Do after Close = %v, want ErrClosed", err)
	}
}

// TestCancelRacesGrant cancels a waiter in the moment before it is granted.
func TestCancelRacesGrant(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that the grant comes before the waiter wakes
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 1, Memory: 1})
		ctx, cancel := context.WithCancel(t.Context())
		queued := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			_ = p.Do(t.Context(), scheduler.Task{Bytes: 1, Run: func(context.Context, int) error {
				<-queued
				cancel()
				return nil
			}})
		})
		synctest.Wait()
		var third bool
		all.Go(func() {
			_ = p.Do(ctx, scheduler.Task{Bytes: 1, Priority: 1, Run: fails(nil)})
		})
		all.Go(func() {
			_ = p.Do(t.Context(), scheduler.Task{Bytes: 1, Run: func(context.Context, int) error {
				third = true
				return nil
			}})
		})
		synctest.Wait()
		close(queued)
		all.Wait()
		if !third {
			t.Fatal("the task behind the cancelled one never ran")
		}
		wantStats(t, p, scheduler.Stats{Limit: 1})
	})
}

func TestGoexitGivesBack(t *testing.T) {
	p := scheduler.New(&scheduler.Options{Workers: 1, Memory: 1})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = p.Do(t.Context(), scheduler.Task{Bytes: 1, Run: func(context.Context, int) error {
			runtime.Goexit()
			return nil
		}})
	})
	wg.Wait()
	wantStats(t, p, scheduler.Stats{Limit: 1})
}

// TestCrowd lets many goroutines compete in real time.
func TestCrowd(t *testing.T) {
	for _, procs := range []int{1, runtime.GOMAXPROCS(0)} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			const workers, memory, callers, tasks = 4, 10, 32, 100
			p := scheduler.New(&scheduler.Options{
				Workers: workers, Memory: memory, MinDelay: 1, MaxDelay: 1, Judge: judge,
			})
			var running, held, done atomic.Int64
			var all sync.WaitGroup
			for c := range callers {
				all.Go(func() {
					for i := range tasks {
						bytes := int64((c*tasks + i) % (memory + 1))
						err := p.Do(t.Context(), scheduler.Task{Priority: i % 3, Bytes: bytes, Run: func(_ context.Context, attempt int) error {
							r, h := running.Add(1), held.Add(bytes)
							if r > workers || h > memory {
								t.Errorf("%d tasks with %d bytes at once", r, h)
							}
							runtime.Gosched()
							held.Add(-bytes)
							running.Add(-1)
							if attempt <= i%4 {
								return []error{errPassing, errBusy}[i%2]
							}
							done.Add(1)
							return nil
						}})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if done.Load() != callers*tasks {
				t.Errorf("%d tasks done, want %d", done.Load(), callers*tasks)
			}
			s := p.Stats()
			if s.Running+s.Waiting+s.Sleeping != 0 || s.Bytes != 0 || s.Retries != callers*tasks/4*(0+1+2+3) {
				t.Errorf("stats at the end: %+v", s)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
