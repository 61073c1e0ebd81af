package crc64

func folds() (list []Implementation) {
	if canFold {
		list = append(list, withFold("sse", foldMin, foldSSE))
	}
	if canFoldWide {
		list = append(list, withFold("avx512", wideMin, foldAVX512))
	}
	return list
}

// withFold gives fold all the blocks if there are at least least bytes, and
// the table the rest.
func withFold(name string, least int, fold func(uint64, []byte) uint64) Implementation {
	return Implementation{name, func(crc uint64, p []byte) uint64 {
		if len(p) >= least {
			n := len(p) &^ (foldBlock - 1)
			crc = ^fold(^crc, p[:n])
			p = p[n:]
		}
		return updateGeneric(crc, p)
	}}
}
