package emulator

// crcPoly is the reflected polynomial of CRC-64/ECMA.
const crcPoly = 0xC96C5795D7870F42

// combineCRC64 returns the checksum of the concatenation of two byte strings
// from their checksums and the length of the second: crc1 moved on by len2
// zero bytes, plus crc2.
func combineCRC64(crc1, crc2 uint64, len2 int64) uint64 {
	shift := uint64(1) << 63 // the polynomial 1; reflected, its bit is the highest
	power := uint64(1) << 55 // x^8: one byte
	for ; len2 > 0; len2 >>= 1 {
		if len2&1 != 0 {
			shift = multiplyCRC(shift, power)
		}
		power = multiplyCRC(power, power)
	}
	return multiplyCRC(shift, crc1) ^ crc2
}

// multiplyCRC multiplies two reflected polynomials modulo crcPoly.
func multiplyCRC(a, b uint64) uint64 {
	var product uint64
	for ; a != 0; a <<= 1 {
		if a>>63 != 0 {
			product ^= b
		}
		low := b & 1
		b >>= 1
		if low != 0 {
			b ^= crcPoly
		}
	}
	return product
}
