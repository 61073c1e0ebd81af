package oss

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isUnreserved(c byte) bool {
	return isAlnum(c) || c == '-' || c == '_' || c == '.' || c == '~'
}

const upperHex = "0123456789ABCDEF"

// appendEncoded appends s percent-encoded: unreserved bytes stay, and '/' where
// slash is set.
func appendEncoded(b []byte, s string, slash bool) []byte {
	for i := range len(s) {
		if c := s[i]; isUnreserved(c) || slash && c == '/' {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

func encode(s string) string     { return encodeWith(s, false) }
func encodePath(s string) string { return encodeWith(s, true) }

func encodeWith(s string, slash bool) string {
	for i := range len(s) {
		if c := s[i]; !isUnreserved(c) && !(slash && c == '/') {
			return string(appendEncoded(make([]byte, 0, len(s)+16), s, slash))
		}
	}
	return s
}

// param is a query parameter, decoded.
type param struct{ name, value string }

// appendQuery appends the query sorted by encoded name: name=value, or the name
// alone where the value is empty. It is the form V2 and V4 sign, and the form
// sent.
func appendQuery(b []byte, query []param) []byte {
	if !slices.IsSortedFunc(query, compareParams) {
		slices.SortStableFunc(query, compareParams)
	}
	for i, p := range query {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendEncoded(b, p.name, false)
		if p.value != "" {
			b = append(b, '=')
			b = appendEncoded(b, p.value, false)
		}
	}
	return b
}

func compareParams(a, b param) int { return strings.Compare(encode(a.name), encode(b.name)) }

func quote(s string) string { return strconv.QuoteToASCII(s) }

// checkKey holds a key against "Object naming conventions".
func checkKey(op, key string) error {
	switch {
	case key == "":
		return usageError(op, "key", "is empty")
	case len(key) > 1023:
		return usageError(op, "key", "is longer than 1,023 bytes")
	case key[0] == '/' || key[0] == '\\':
		return usageError(op, "key", quote(key)+" begins with a slash")
	case !utf8.ValidString(key):
		return usageError(op, "key", quote(key)+" is not UTF-8")
	}
	return nil
}

// decodeKey undoes encoding-type=url. A '+' stays one.
func decodeKey(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	return url.PathUnescape(s)
}
