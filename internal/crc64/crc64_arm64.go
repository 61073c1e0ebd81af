package crc64

import "golang.org/x/sys/cpu"

var canFold = cpu.ARM64.HasPMULL

// fold returns the register after p, without the inversions of Update. The
// length of p must be a multiple of foldBlock, foldMin or more.
//
//go:noescape
func fold(register uint64, p []byte) uint64
