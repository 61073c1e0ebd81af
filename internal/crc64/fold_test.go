//go:build amd64 || arm64

package crc64

import "testing"

// power returns x^n mod P by n shifts, so that it shares no code with multiply.
func power(n int) uint64 {
	p := uint64(1) << 63
	for range n {
		carry := p & 1
		p >>= 1
		if carry != 0 {
			p ^= poly
		}
	}
	return p
}

func TestFoldFactors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		got  []uint64
		bits int
	}{
		{"2048", foldBy2048[:], 2048},
		{"512", foldBy512[:], 512},
		{"384", foldLanes[0:2], 384},
		{"256", foldLanes[2:4], 256},
		{"128", foldLanes[4:6], 128},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			low, high := power(tt.bits+63), power(tt.bits-1)
			if tt.got[0] != low || tt.got[1] != high {
				t.Errorf("factors %#016x, want {%#016x, %#016x}", tt.got, low, high)
			}
		})
	}
	if foldLanes[6] != 0 || foldLanes[7] != 0 {
		t.Errorf("factors of lane 3 are %#016x, want none: it stays", foldLanes[6:])
	}
}

func TestFoldBarrett(t *testing.T) {
	t.Parallel()
	// Divide 1 by P as power series: bit i of the quotient is what clears bit
	// i of the rest. Bit 0 is x^64, which P has, so each bit can be cleared.
	top := uint64(poly)
	modulus := top<<1 | 1
	var inverse uint64
	for i, rest := 0, uint64(1); i < 64; i++ {
		if rest>>i&1 != 0 {
			inverse |= 1 << i
			rest ^= modulus << i
		}
	}
	if foldBarrett != [2]uint64{inverse, modulus} {
		t.Errorf("foldBarrett = %#016x, want {%#016x, %#016x}", foldBarrett, inverse, modulus)
	}
}
