package crc64_test

import (
	"bytes"
	stdcrc64 "hash/crc64"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/crc64"
)

var ecma = stdcrc64.MakeTable(stdcrc64.ECMA)

// pattern returns n bytes, byte i being (a·i+b) mod m.
func pattern(n, a, b, m int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte((a*i + b) % m)
	}
	return p
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	partA, partB := pattern(102400, 1, 0, 256), pattern(65536, 7, 3, 251)
	tests := []struct {
		name string
		data []byte
		want uint64
	}{
		{"empty", nil, 0},
		{"one letter", []byte("a"), 3675645893302102789},
		{"catalogue check value", []byte("123456789"), 0x995DC9BBDF1939FA},
		{"first half", []byte("12345"), 6748440630437108969},
		{"second half", []byte("6789"), 10278880121275185425},
		{"hello", []byte("hello world"), 5981764153023615706},
		{"fox", []byte("The quick brown fox jumps over the lazy dog"), 6583902852472283588},
		{"zeros", make([]byte, 102400), 15337097285471591505},
		{"part A", partA, 7233985612489857427},
		{"part B", partB, 589892188828161447},
		{"parts A and B", bytes.Join([][]byte{partA, partB}, nil), 9184982257980251422},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := crc64.Checksum(tt.data); got != tt.want {
				t.Errorf("Checksum = %d, want %d", got, tt.want)
			}
			half := len(tt.data) / 2
			if got := crc64.Update(crc64.Checksum(tt.data[:half]), tt.data[half:]); got != tt.want {
				t.Errorf("Update over two halves = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		crc1, crc2 uint64
		len2       int64
		want       uint64
	}{
		{"digits", 6748440630437108969, 10278880121275185425, 4, 11051210869376104954},
		{"parts A and B", 7233985612489857427, 589892188828161447, 65536, 9184982257980251422},
		{"no second part", 3675645893302102789, 0, 0, 3675645893302102789},
		{"no second part but a CRC", 3675645893302102789, 42, 0, 3675645893302102789},
		{"negative length", 3675645893302102789, 42, -1, 3675645893302102789},
		{"no first part", 0, 10278880121275185425, 4, 10278880121275185425},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := crc64.Combine(tt.crc1, tt.crc2, tt.len2); got != tt.want {
				t.Errorf("Combine = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCombineEqualsOnePass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 300)).Draw(t, "parts")
		var got uint64
		for _, part := range parts {
			got = crc64.Combine(got, crc64.Checksum(part), int64(len(part)))
		}
		if want := stdcrc64.Checksum(bytes.Join(parts, nil), ecma); got != want {
			t.Fatalf("combined %d, one pass %d", got, want)
		}
	})
}

// Long strings are joined in two orders, as their bytes would not fit.
func TestCombineIsAssociative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		crc := rapid.Uint64()
		a, b, c := crc.Draw(t, "a"), crc.Draw(t, "b"), crc.Draw(t, "c")
		length := rapid.Int64Range(0, math.MaxInt64/2)
		lenB, lenC := length.Draw(t, "lenB"), length.Draw(t, "lenC")
		if lenB == 0 {
			b = 0
		}
		if lenC == 0 {
			c = 0
		}
		left := crc64.Combine(crc64.Combine(a, b, lenB), c, lenC)
		right := crc64.Combine(a, crc64.Combine(b, c, lenC), lenB+lenC)
		if left != right {
			t.Fatalf("(ab)c = %d, a(bc) = %d", left, right)
		}
	})
}
