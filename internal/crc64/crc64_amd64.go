package crc64

import "golang.org/x/sys/cpu"

// wideMin is the length in bytes from which foldAVX512 is used: the least it
// can take, and already the faster there (BenchmarkUpdate/size=256B).
const wideMin = 256

var (
	canFold     = cpu.X86.HasPCLMULQDQ
	canFoldWide = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VPCLMULQDQ
)

// fold returns the register after p, without the inversions of Update. The
// length of p must be a multiple of foldBlock, foldMin or more.
func fold(register uint64, p []byte) uint64 {
	if canFoldWide && len(p) >= wideMin {
		return foldAVX512(register, p)
	}
	return foldSSE(register, p)
}

// foldSSE is fold with four lanes of 128 bits.
//
//go:noescape
func foldSSE(register uint64, p []byte) uint64

// foldAVX512 is fold with four vectors of 512 bits, and needs wideMin bytes.
//
//go:noescape
func foldAVX512(register uint64, p []byte) uint64
