package crc64

import "hash/crc64"

// poly is the ECMA-182 polynomial without x^64, reflected: bit 63 is the
// coefficient of x^0, bit 0 that of x^63. All 64-bit polynomials in this
// package are in that form.
const poly = crc64.ECMA

var table = crc64.MakeTable(poly)

// Checksum returns the CRC-64 of p; that of no bytes is 0.
func Checksum(p []byte) uint64 {
	return update(0, p)
}

// Update returns the CRC-64 of some bytes followed by p, where crc is the
// CRC-64 of those bytes, or 0 if there are none.
func Update(crc uint64, p []byte) uint64 {
	return update(crc, p)
}

// updateGeneric is Update for every processor, and the measure of the others.
func updateGeneric(crc uint64, p []byte) uint64 {
	return crc64.Update(crc, table, p)
}
