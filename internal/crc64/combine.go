package crc64

// Combine returns the CRC-64 of two byte strings in sequence, from the CRC-64
// of the first, that of the second, and the length of the second in bytes. If
// len2 is 0 or less there is no second string: the result is crc1.
//
// The cost grows with the number of one bits in len2.
func Combine(crc1, crc2 uint64, len2 int64) uint64 {
	if len2 <= 0 {
		return crc1
	}
	// The first string's bytes stand len2 bytes higher in the whole. What the
	// second adds is crc2 as it is: the inversions at its start and end and at
	// the end of the first cancel out.
	for k := 0; len2 != 0; k, len2 = k+1, len2>>1 {
		if len2&1 != 0 {
			crc1 = multiply(crc1, bytePowers[k])
		}
	}
	return crc1 ^ crc2
}

// bytePowers[k] is x^(8·2^k) mod P, the factor that moves a polynomial up by
// 2^k bytes.
var bytePowers = func() (powers [63]uint64) {
	powers[0] = 1 << (63 - 8)
	for k := 1; k < len(powers); k++ {
		powers[k] = multiply(powers[k-1], powers[k-1])
	}
	return powers
}()

// multiply returns a·b mod P.
func multiply(a, b uint64) uint64 {
	var product uint64
	for range 64 {
		product ^= b & -(a >> 63)
		a <<= 1
		b = b>>1 ^ poly&-(b&1) // b·x
	}
	return product
}
