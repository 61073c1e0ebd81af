package scheduler_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/scheduler"
)

func TestAttempts(t *testing.T) {
	for _, tc := range []struct {
		name     string
		attempts int
		task     string
		errs     []error // of the attempts, the last one repeated
		runs     int
		want     string
	}{
		{"first failure is final", 5, "a", []error{errFatal}, 1, "fatal"},
		{"one attempt allowed", 1, "a", []error{errPassing}, 1, "passing"},
		{"used up", 3, "part 7", []error{errPassing}, 3, "part 7: after 3 attempts: passing"},
		{"no name", 2, "", []error{errBusy}, 2, "after 2 attempts: busy"},
		{"second failure is final", 5, "a", []error{errPassing, errFatal}, 2, "a: after 2 attempts: fatal"},
		{"third time lucky", 3, "a", []error{errPassing, errBusy, nil}, 3, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := scheduler.New(&scheduler.Options{Attempts: tc.attempts, Judge: judge})
				var last error
				runs := 0
				err := p.Do(t.Context(), scheduler.Task{Name: tc.task, Run: func(_ context.Context, attempt int) error {
					if runs++; attempt != runs {
						t.Errorf("attempt %d in run %d", attempt, runs)
					}
					last = tc.errs[min(runs, len(tc.errs))-1]
					return last
				}})
				if runs != tc.runs || message(err) != tc.want || !errors.Is(err, last) {
					t.Fatalf("%d runs, Do = %v; want %d, %q", runs, err, tc.runs, tc.want)
				}
				failed, ok := errors.AsType[*scheduler.AttemptsError](err)
				if ok != (err != nil && runs > 1) || ok && (failed.Attempts != runs || failed.Name != tc.task || failed.Err != last) {
					t.Fatalf("error %+v", failed)
				}
			})
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestBackoffBounds(t *testing.T) {
	for _, tc := range []struct {
		name     string
		min, max time.Duration
		means    []time.Duration
	}{
		{"doubles up to the cap", time.Second, 5 * time.Second, []time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}},
		{"defaults", 0, 0, []time.Duration{200e6, 400e6, 800e6, 1600e6, 3200e6, 6400e6, 12800e6, 20e9, 20e9}},
		{"minimum above maximum", time.Minute, time.Second, []time.Duration{1e9, 1e9}},
		{"largest", 1<<63 - 1, 1<<63 - 1, []time.Duration{1<<61 - 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const tasks = 1000
				var mu sync.Mutex
				var sum, most [16]time.Duration
				p := scheduler.New(&scheduler.Options{
					Workers: tasks, Attempts: len(tc.means) + 1, MinDelay: tc.min, MaxDelay: tc.max, Judge: judge,
					OnRetry: func(r scheduler.Retry) {
						mu.Lock()
						defer mu.Unlock()
						i := r.Attempt - 1
						if r.Delay < 0 || r.Delay > 2*tc.means[i]+1 {
							t.Errorf("delay %v after attempt %d, want 0 to %v", r.Delay, r.Attempt, 2*tc.means[i])
						}
						sum[i] += r.Delay / tasks
						most[i] = max(most[i], r.Delay)
					},
				})
				var all sync.WaitGroup
				for range tasks {
					all.Go(func() { _ = p.Do(t.Context(), scheduler.Task{Run: fails(errPassing)}) })
				}
				all.Wait()
				// The mean of 1000 uniform draws is within 15 % of the middle with
				// a margin of eight standard deviations, the largest above 90 %
				// with certainty but for 1e-45.
				for i, mean := range tc.means {
					if sum[i] < mean/100*85 || sum[i] > mean/100*115 || most[i] < mean/10*18 {
						t.Errorf("attempt %d: mean %v, largest %v; want about %v, %v", i+1, sum[i], most[i], mean, 2*mean)
					}
				}
			})
		})
	}
}

func TestDelayIsWaited(t *testing.T) {
	for _, tc := range []struct {
		name  string
		after time.Duration // 0: the pool's own delay
	}{
		{"own delay", 0},
		{"server's wish above MaxDelay", time.Hour},
		{"server's wish below MinDelay", time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told time.Duration
				p := scheduler.New(&scheduler.Options{
					Attempts: 4, MinDelay: time.Second, MaxDelay: time.Minute,
					Judge: func(error) scheduler.Verdict {
						return scheduler.Verdict{Action: scheduler.Again, After: tc.after}
					},
					OnRetry: func(r scheduler.Retry) {
						told = r.Delay
						if r.Name != "x" || r.Err != errPassing || r.Throttled {
							t.Errorf("OnRetry(%+v)", r)
						}
					},
				})
				last := time.Now()
				err := p.Do(t.Context(), scheduler.Task{Name: "x", Run: func(_ context.Context, attempt int) error {
					if waited := time.Since(last); waited != told || tc.after > 0 && attempt > 1 && waited != tc.after {
						t.Errorf("attempt %d after %v, told %v", attempt, waited, told)
					}
					last = time.Now()
					return errPassing
				}})
				if !errors.Is(err, errPassing) || p.Stats().Retries != 3 {
					t.Fatalf("Do = %v, %+v", err, p.Stats())
				}
			})
		})
	}
}

func TestSleepHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 1, Memory: 8, Judge: judge})
		sleeper := start(t, p, scheduler.Task{Bytes: 8})
		sleeper.finish(errPassing)
		wantStats(t, p, scheduler.Stats{Sleeping: 1, Limit: 1, Retries: 1})
		other := start(t, p, scheduler.Task{Bytes: 8})
		late := start(t, p, scheduler.Task{Bytes: 8})
		if !other.running {
			t.Fatal("worker and memory must be free during the wait")
		}
		time.Sleep(time.Second) // of the bubble's clock
		wantStats(t, p, scheduler.Stats{Running: 1, Waiting: 2, Limit: 1, Bytes: 8, Retries: 1})
		other.finish(nil)
		if !sleeper.running || late.running {
			t.Fatal("a retry keeps its place before tasks that came later")
		}
		sleeper.finish(nil)
		late.finish(nil)
		if err := sleeper.returned(t); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCancelWakesSleeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Judge: func(error) scheduler.Verdict {
			return scheduler.Verdict{Action: scheduler.SlowDown, After: time.Hour}
		}})
		c := start(t, p, scheduler.Task{})
		c.finish(errBusy)
		begin, cause := time.Now(), errors.New("given up")
		c.cancel(cause)
		if err := c.returned(t); err != cause || time.Since(begin) != 0 {
			t.Fatalf("Do = %v after %v", err, time.Since(begin))
		}
		wantStats(t, p, scheduler.Stats{Limit: 8, Retries: 1, Throttled: 1})
	})
}

func TestPanicIsContained(t *testing.T) {
	boom := func() { panic("boom") }
	for _, tc := range []struct {
		name    string
		opts    scheduler.Options
		run     func(context.Context, int) error
		message string
	}{
		{"run", scheduler.Options{Judge: judge}, func(context.Context, int) error { boom(); return nil }, "panic: boom"},
		{"second run", scheduler.Options{Judge: judge}, func(_ context.Context, attempt int) error {
			if attempt == 2 {
				boom()
			}
			return errPassing
		}, "x: after 2 attempts: panic: boom"},
		{"no run", scheduler.Options{}, nil, "panic: runtime error: invalid memory address or nil pointer dereference"},
		{"judge", scheduler.Options{Judge: func(error) scheduler.Verdict { boom(); return scheduler.Verdict{} }}, fails(errPassing), "panic: boom"},
		{"on retry", scheduler.Options{Judge: judge, OnRetry: func(scheduler.Retry) { boom() }}, fails(errPassing), "panic: boom"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tc.opts.Workers, tc.opts.Memory = 1, 1
				p := scheduler.New(&tc.opts)
				err := p.Do(t.Context(), scheduler.Task{Name: "x", Bytes: 1, Run: tc.run})
				caught, ok := errors.AsType[*scheduler.PanicError](err)
				if !ok || err.Error() != tc.message {
					t.Fatalf("Do = %v, want %q", err, tc.message)
				}
				if !bytes.Contains(caught.Stack, []byte("TestPanicIsContained")) {
					t.Errorf("the stack does not lead to the panic:\n%s", caught.Stack)
				}
				if err := p.Do(t.Context(), scheduler.Task{Bytes: 1, Run: fails(nil)}); err != nil {
					t.Fatalf("the worker was not given back: %v", err)
				}
				if s := p.Stats(); s.Running+s.Waiting+s.Sleeping != 0 || s.Bytes != 0 {
					t.Fatalf("left behind: %+v", s)
				}
			})
		})
	}
}
