//go:build amd64 || arm64

package crc64

// How a fold works. A 128-bit lane, loaded as it lies in memory, is the
// polynomial LO·x^64 + HI, its low quadword being the higher powers. To move
// it D bits along the message is to multiply it by x^D:
//
//	LO·x^(D+64) + HI·x^D
//
// mod P that is two carry-less products and fits a lane again, so it can be
// added to the lane that stands D bits further on, and so on until one lane is
// left. A carry-less product of reflected numbers comes out multiplied by x,
// hence the powers D+63 and D-1 below.
//
// The last lane, moved on by the 64 bits of the register, is taken mod P as
// Barrett does: the quadword of higher powers times the inverse of P says how
// often to subtract P.

// The factors {x^(D+63), x^(D-1)} mod P of a move by D bits. The assembly
// reads them, nothing writes them, and TestFoldFactors derives them.
var (
	foldBy2048 = [2]uint64{0x8260adf2381ad81c, 0xf31fd9271e228b79}
	foldBy512  = [2]uint64{0x6ae3efbb9dd441f3, 0x081f6054a7842df4}

	// foldLanes moves lanes 0, 1 and 2 of a 512-bit vector onto lane 3.
	foldLanes = [8]uint64{
		0xb5ea1af9c013aca4, 0x69a35d91c3730254, // by 384
		0x60095b008a9efa44, 0x3be653a30fe1af51, // by 256
		0xe05dd497ca393ae4, 0xdabe95afc7875f40, // by 128
		0, 0,
	}

	// foldBarrett is the inverse of P mod x^64 and P, both as 65 bits (bit 0
	// is x^64) less the top one.
	foldBarrett = [2]uint64{0x9c3e466c172963d5, 0x92d8af2baf0e1e85}
)

const (
	// foldBlock divides the length, in bytes, of what fold takes.
	foldBlock = 16

	// foldMin is the least number of bytes fold takes: its four lanes. Below,
	// the table is used.
	foldMin = 64

	// foldMax is the most bytes fold is given at a time. The runtime cannot
	// interrupt assembly, not even to collect garbage; this bounds its wait to
	// tens of microseconds and costs nothing (BenchmarkUpdate/size=8MiB).
	foldMax = 256 << 10
)

func update(crc uint64, p []byte) uint64 {
	if canFold {
		for len(p) >= foldMin {
			n := min(len(p), foldMax) &^ (foldBlock - 1)
			crc = ^fold(^crc, p[:n])
			p = p[n:]
		}
	}
	return updateGeneric(crc, p)
}
