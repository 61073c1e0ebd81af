package scheduler_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/osssync/osssync/scheduler"
)

func BenchmarkDo(b *testing.B) {
	task := scheduler.Task{Bytes: 1, Run: func(context.Context, int) error { return nil }}
	b.Run("callers=1", func(b *testing.B) {
		p := scheduler.New(nil)
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Do(b.Context(), task); err != nil {
				b.Fatal(err)
			}
		}
	})
	yield := scheduler.Task{Bytes: 1, Run: func(context.Context, int) error { runtime.Gosched(); return nil }}
	for _, c := range []struct {
		name    string
		workers int
	}{{"callers=16/workers=16", 16}, {"callers=16/workers=4", 4}} {
		b.Run(c.name, func(b *testing.B) {
			p := scheduler.New(&scheduler.Options{Workers: c.workers})
			b.ReportAllocs()
			b.SetParallelism(16 / min(16, runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := p.Do(b.Context(), yield); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
