package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

// BenchmarkSettle is the way of a small object: one queued record, in key
// order, committed in groups.
func BenchmarkSettle(b *testing.B) {
	for _, group := range []int{16, 256} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			c, err := checkpoint.Open(b.TempDir(), testJob, &checkpoint.Options{FlushCount: group})
			must(b, err)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				must(b, c.Settle(testSettled(fmt.Sprintf("%09d", n), n)))
				n++
			}
			must(b, c.Flush(b.Context()))
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
			must(b, c.Close())
		})
	}
}

// BenchmarkAddPart is one part of a large object.
func BenchmarkAddPart(b *testing.B) {
	c := mustOpen(b, b.TempDir(), testJob)
	must(b, c.PutObject(b.Context(), testObject("key", 1)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		must(b, c.AddPart("key", testPart(n%10_000+1)))
		n++
	}
}

// BenchmarkPutObject is a durable call: alone, and with 64 callers.
func BenchmarkPutObject(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := mustOpen(b, b.TempDir(), testJob)
			b.SetParallelism(callers)
			if callers == 1 {
				for b.Loop() {
					must(b, c.PutObject(b.Context(), testObject("key", 1)))
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					must(b, c.PutObject(b.Context(), testObject("key", 1)))
				}
			})
		})
	}
}

func fill(b *testing.B, dir string, records int) {
	b.Helper()
	c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{FlushCount: 8192})
	must(b, err)
	for n := range records {
		must(b, c.Settle(testSettled(fmt.Sprintf("photos/2026/07/%09d.jpg", n), n)))
	}
	must(b, c.Close())
}

// BenchmarkSettled looks up one of 100,000 records.
func BenchmarkSettled(b *testing.B) {
	dir := b.TempDir()
	const records = 100_000
	fill(b, dir, records)
	c := mustOpen(b, dir, testJob)
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("photos/2026/07/%09d.jpg", i*7919%records)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, ok, err := c.Settled(keys[n%len(keys)]); err != nil || !ok {
			b.Fatal(ok, err)
		}
		n++
	}
}

// BenchmarkOpen checks and opens a file of 100,000 settled records.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		c, err := checkpoint.Open(dir, testJob, nil)
		must(b, err)
		must(b, c.Close())
	}
}
