package picture

import (
	"encoding/binary"
	"image/jpeg"
	"iter"
)

// segments gives the segments of a JPEG's head: marker and content.
func segments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		if len(data) < 2 || data[0] != 0xff || data[1] != 0xd8 {
			return
		}
		for data = data[2:]; len(data) >= 4 && data[0] == 0xff && data[1] != 0xda; {
			n := int(binary.BigEndian.Uint16(data[2:])) + 2
			if n < 4 || n > len(data) || !yield(data[1], data[4:n]) {
				return
			}
			data = data[n:]
		}
	}
}

// orientation reads how the camera was held, from 1 to 8, out of a JPEG's Exif
// (TIFF's tag 0x112); 1, upright, if it does not say.
func orientation(data []byte) int {
	const upright, tag = 1, 0x112
	for marker, tiff := range segments(data) {
		if marker != 0xe1 || len(tiff) < 14 || string(tiff[:6]) != "Exif\x00\x00" {
			continue
		}
		tiff = tiff[6:]
		var order binary.ByteOrder = binary.BigEndian
		if tiff[0] == 'I' {
			order = binary.LittleEndian
		}
		at := int64(order.Uint32(tiff[4:]))
		if at+2 > int64(len(tiff)) {
			break
		}
		for e := tiff[at+2:]; len(e) >= 12; e = e[12:] {
			if order.Uint16(e) != tag {
				continue
			}
			if o := int(order.Uint16(e[8:])); o >= 1 && o <= 8 {
				return o
			}
			return upright
		}
	}
	return upright
}

// luminance is the quantization of brightness that all qualities are made of
// (ITU-T T.81, table K.1, in zigzag order).
var luminance = [64]int{
	16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
	56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
}

// qualityOf tells the quality that a JPEG was written with, as near as its
// quantization tells; the default of the standard library for anything else.
func qualityOf(data []byte) int {
	for marker, table := range segments(data) {
		if marker != 0xdb || len(table) < 65 || table[0] != 0 {
			continue
		}
		sum := 0
		for _, v := range table[1:65] {
			sum += int(v)
		}
		best, least := jpeg.DefaultQuality, -1
		for q := 1; q <= 100; q++ {
			if d := max(sum-quantized(q), quantized(q)-sum); least < 0 || d < least {
				best, least = q, d
			}
		}
		return best
	}
	return jpeg.DefaultQuality
}

// quantized is the sum of luminance at a quality.
func quantized(q int) (sum int) {
	scale := 200 - 2*q
	if q < 50 {
		scale = 5000 / q
	}
	for _, v := range luminance {
		sum += min(max((v*scale+50)/100, 1), 255)
	}
	return sum
}
