package crc64_test

import (
	stdcrc64 "hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/osssync/osssync/internal/crc64"
)

// implementations are those of the package and its own choice among them.
func implementations() []crc64.Implementation {
	return append(crc64.Implementations(), crc64.Implementation{Name: "chosen", Update: crc64.Update})
}

// noise returns n random bytes, the same at each run.
func noise(n int) []byte {
	p := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(p)
	return p
}

func TestUpdateEveryLengthAndOffset(t *testing.T) {
	t.Parallel()
	const maxLen, maxOffset = 2048, 15
	data := noise(maxLen + maxOffset)
	for _, impl := range implementations() {
		t.Run(impl.Name, func(t *testing.T) {
			t.Parallel()
			starts := rand.New(rand.NewPCG(2, 3))
			for n := range maxLen + 1 {
				for offset := range maxOffset + 1 {
					start, p := starts.Uint64(), data[offset:offset+n]
					if got, want := impl.Update(start, p), stdcrc64.Update(start, ecma, p); got != want {
						t.Fatalf("%d bytes at offset %d from %#x: %#x, want %#x", n, offset, start, got, want)
					}
				}
			}
		})
	}
}

func TestUpdateLarge(t *testing.T) {
	t.Parallel()
	const longest = 256 << 10 // of one call of assembly
	const largest = 16 * longest
	sizes := []int{largest}
	for _, past := range []int{-1, 0, 1, 15, 16, 63, 64, 255, 256, longest + 300} {
		sizes = append(sizes, longest+past)
	}
	random := rand.New(rand.NewPCG(4, 5))
	for range 10 {
		sizes = append(sizes, random.IntN(largest))
	}
	data := noise(largest)
	for _, n := range sizes {
		start, p := random.Uint64(), data[len(data)-n:]
		want := stdcrc64.Update(start, ecma, p)
		for _, impl := range implementations() {
			if got := impl.Update(start, p); got != want {
				t.Errorf("%s: %d bytes from %#x: %#x, want %#x", impl.Name, n, start, got, want)
			}
		}
	}
}

func FuzzUpdate(f *testing.F) {
	data := noise(1100)
	for _, n := range []int{0, 1, 15, 16, 63, 64, 79, 80, 255, 256, 319, 320, 511, 512, 1100} {
		f.Add(uint64(n)<<32, data[:n], uint(n/3))
	}
	f.Fuzz(func(t *testing.T, start uint64, p []byte, split uint) {
		at := int(split % uint(len(p)+1))
		head, tail := p[:at], p[at:]
		want := stdcrc64.Update(start, ecma, p)
		for _, impl := range implementations() {
			if got := impl.Update(start, p); got != want {
				t.Errorf("%s: %#x, want %#x", impl.Name, got, want)
			}
			if got := impl.Update(impl.Update(start, head), tail); got != want {
				t.Errorf("%s split at %d: %#x, want %#x", impl.Name, at, got, want)
			}
			joined := crc64.Combine(impl.Update(start, head), impl.Update(0, tail), int64(len(tail)))
			if joined != want {
				t.Errorf("%s combined at %d: %#x, want %#x", impl.Name, at, joined, want)
			}
		}
	})
}
