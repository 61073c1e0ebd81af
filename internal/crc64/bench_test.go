package crc64_test

import (
	"math"
	"testing"

	"github.com/osssync/osssync/internal/crc64"
)

func BenchmarkUpdate(b *testing.B) {
	sizes := []struct {
		name string
		n    int
	}{
		{"32B", 32},
		{"64B", 64},
		{"128B", 128},
		{"256B", 256},
		{"512B", 512},
		{"1KiB", 1 << 10},
		{"16KiB", 16 << 10},
		{"256KiB", 256 << 10},
		{"8MiB", 8 << 20},
	}
	for _, size := range sizes {
		p := noise(size.n)
		for _, impl := range implementations() {
			b.Run("size="+size.name+"/impl="+impl.Name, func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				var crc uint64
				for b.Loop() {
					crc = impl.Update(crc, p)
				}
			})
		}
	}
}

func BenchmarkCombine(b *testing.B) {
	for _, bm := range []struct {
		name string
		len2 int64
	}{
		{"len2=8MiB", 8 << 20},
		{"len2=5,000,001", 5_000_001},
		{"len2=max", math.MaxInt64},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			crc := uint64(1)
			for b.Loop() {
				crc = crc64.Combine(crc, 2, bm.len2)
			}
		})
	}
}
