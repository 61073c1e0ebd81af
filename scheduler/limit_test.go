package scheduler_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/scheduler"
)

func wantLimit(t *testing.T, p *scheduler.Pool, want int) {
	t.Helper()
	if got := p.Stats().Limit; got != want {
		t.Fatalf("limit %d, want %d", got, want)
	}
}

// throttle runs one attempt that is throttled and not repeated.
func throttle(t *testing.T, p *scheduler.Pool) {
	t.Helper()
	if err := p.Do(t.Context(), scheduler.Task{Run: fails(errBusy)}); err != errBusy {
		t.Fatal(err)
	}
}

func TestLimitHalvesOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 13, Attempts: 1, Judge: judge})
		throttle(t, p)
		wantLimit(t, p, 6)
		throttle(t, p)
		time.Sleep(time.Second - 1)
		throttle(t, p)
		wantLimit(t, p, 6) // both came within a second of the cut
		time.Sleep(time.Nanosecond)
		for _, want := range []int{3, 1, 1} {
			throttle(t, p)
			wantLimit(t, p, want)
			time.Sleep(time.Second)
		}
		if got := p.Stats().Throttled; got != 6 {
			t.Fatalf("throttled %d, want 6", got)
		}
	})
}

func TestLimitHalvesOncePerReaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 8, Attempts: 1, Judge: judge})
		var crowd []*call
		for range 9 {
			crowd = append(crowd, start(t, p, scheduler.Task{}))
		}
		// The eight that run began under the limit of 8. However late their
		// answers come, together they are one signal.
		for _, c := range crowd[:4] {
			c.finish(errBusy)
			wantLimit(t, p, 4)
			time.Sleep(time.Minute)
		}
		if crowd[8].running {
			t.Fatal("the limit is 4 and 4 tasks run")
		}
		crowd[4].finish(errFatal)
		if !crowd[8].running {
			t.Fatal("3 tasks ran below a limit of 4")
		}
		crowd[8].finish(errBusy) // began after the cut
		wantLimit(t, p, 2)
		for _, c := range crowd[5:8] {
			c.finish(nil)
		}
		wantStats(t, p, scheduler.Stats{Limit: 3, Throttled: 5})
	})
}

func TestLimitRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 4, Attempts: 1, Judge: judge})
		throttle(t, p)
		time.Sleep(time.Second)
		throttle(t, p)
		var limits []int
		for range 9 {
			limits = append(limits, p.Stats().Limit)
			// A failure of another kind tells nothing about the limit.
			if err := p.Do(t.Context(), scheduler.Task{Run: fails(errFatal)}); err != errFatal {
				t.Fatal(err)
			}
			if err := p.Do(t.Context(), scheduler.Task{Run: fails(nil)}); err != nil {
				t.Fatal(err)
			}
		}
		// One success at 1, two at 2, three at 3; never above Workers.
		if want := []int{1, 2, 2, 3, 3, 3, 4, 4, 4}; !slices.Equal(limits, want) {
			t.Fatalf("limits %v, want %v", limits, want)
		}
	})
}

func TestCutForgetsSuccesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 8, Attempts: 1, Judge: judge})
		succeed := func() {
			if err := p.Do(t.Context(), scheduler.Task{Run: fails(nil)}); err != nil {
				t.Fatal(err)
			}
		}
		throttle(t, p)
		time.Sleep(time.Second)
		for range 3 { // one short of growth at 4
			succeed()
		}
		throttle(t, p)
		succeed()
		wantLimit(t, p, 2)
		succeed()
		wantLimit(t, p, 3)
	})
}

func TestGrowthLetsTwoStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := scheduler.New(&scheduler.Options{Workers: 2, Attempts: 1, Judge: judge})
		throttle(t, p)
		a := start(t, p, scheduler.Task{})
		b := start(t, p, scheduler.Task{})
		c := start(t, p, scheduler.Task{})
		if b.running || c.running {
			t.Fatal("the limit is 1")
		}
		a.finish(nil)
		if !b.running || !c.running {
			t.Fatal("the success raised the limit to 2")
		}
		b.finish(nil)
		c.finish(nil)
	})
}
