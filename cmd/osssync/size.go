package main

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

var errSize = errors.New("want bytes, or a number with K, M, G, T (or Ki, Mi, Gi, Ti), such as 8Mi")

// parseSize reads a number of bytes. Units are binary with and without "i", as
// in ossutil, in any case, with or without a final B; fractions such as 1.5Gi
// are fine if they come to whole bytes.
func parseSize(s string) (int64, error) {
	text := strings.ToUpper(s)
	number := strings.TrimRight(text, "KMGTIB")
	unit := strings.TrimSuffix(text[len(number):], "B")
	shift := 0
	if unit != "" {
		i := strings.IndexByte("KMGT", unit[0])
		if i < 0 || len(unit) > 2 || (len(unit) == 2 && unit[1] != 'I') {
			return 0, errSize
		}
		shift = 10 * (i + 1)
	}
	if len(number) > 24 || strings.Trim(number, "0123456789.") != "" {
		return 0, errSize
	}
	n, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, errSize
	}
	n.Mul(n, new(big.Rat).SetInt64(1<<shift))
	if !n.IsInt() || !n.Num().IsInt64() {
		return 0, errSize
	}
	return n.Num().Int64(), nil
}

// parseDigits reads a number without sign or blanks.
func parseDigits(s string) (int64, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}
