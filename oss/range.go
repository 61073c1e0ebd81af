package oss

import (
	"strconv"
	"strings"
)

// Range is a range of an object's bytes. The zero value is the whole object. A
// range that cannot be (negative, or the last byte before the first) is a
// *UsageError of the call that uses it.
type Range struct {
	kind        rangeKind
	first, last int64 // last holds the length for rangeLast
}

type rangeKind uint8

const (
	rangeWhole rangeKind = iota
	rangeBetween
	rangeFrom
	rangeLast
)

// RangeBetween is the bytes from first to last, both included.
func RangeBetween(first, last int64) Range {
	return Range{kind: rangeBetween, first: first, last: last}
}

// RangeFrom is the bytes from first to the end.
func RangeFrom(first int64) Range { return Range{kind: rangeFrom, first: first} }

// RangeLast is the last n bytes, or all if there are fewer.
func RangeLast(n int64) Range { return Range{kind: rangeLast, last: n} }

// IsZero reports whether r is the whole object.
func (r Range) IsZero() bool { return r.kind == rangeWhole }

// String is r as a Range header has it, "" for the whole object.
func (r Range) String() string {
	switch r.kind {
	case rangeBetween:
		return "bytes=" + strconv.FormatInt(r.first, 10) + "-" + strconv.FormatInt(r.last, 10)
	case rangeFrom:
		return "bytes=" + strconv.FormatInt(r.first, 10) + "-"
	case rangeLast:
		return "bytes=-" + strconv.FormatInt(r.last, 10)
	}
	return ""
}

// ParseRange reads the form String gives, also without "bytes=". Several
// ranges are refused: the service does not serve them.
func ParseRange(s string) (Range, error) {
	if s == "" {
		return Range{}, nil
	}
	text := strings.TrimPrefix(s, "bytes=")
	a, b, ok := strings.Cut(text, "-")
	var r Range
	if ok {
		first, okA := parseOffset(a)
		last, okB := parseOffset(b)
		switch {
		case okA && okB:
			r = RangeBetween(first, last)
		case okA && b == "":
			r = RangeFrom(first)
		case a == "" && okB:
			r = RangeLast(last)
		}
	}
	if r.IsZero() {
		return Range{}, usageError("", "range", "want first-last, first- or -length, not "+strconv.Quote(s))
	}
	if err := r.validate(""); err != nil {
		return Range{}, err
	}
	return r, nil
}

// parseOffset reads digits only: no sign, no blanks.
func parseOffset(s string) (int64, bool) {
	if s == "" || strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' }) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func (r Range) validate(op string) error {
	switch {
	case r.kind == rangeBetween && (r.first < 0 || r.last < r.first):
		return usageError(op, "range", r.String()+" is empty or negative")
	case r.kind == rangeFrom && r.first < 0:
		return usageError(op, "range", "offset is negative")
	case r.kind == rangeLast && r.last <= 0:
		return usageError(op, "range", "length is not positive")
	}
	return nil
}

// within is the first and last byte r means in an object of total bytes.
func (r Range) within(total int64) (first, last int64) {
	switch r.kind {
	case rangeBetween:
		return r.first, min(r.last, total-1)
	case rangeFrom:
		return r.first, total - 1
	case rangeLast:
		return max(0, total-r.last), total - 1
	}
	return 0, total - 1
}

// parseContentRange reads "bytes first-last/total".
func parseContentRange(s string) (first, last, total int64, ok bool) {
	text, found := strings.CutPrefix(s, "bytes ")
	if !found {
		return 0, 0, 0, false
	}
	span, size, found := strings.Cut(text, "/")
	if !found {
		return 0, 0, 0, false
	}
	a, b, found := strings.Cut(span, "-")
	if !found {
		return 0, 0, 0, false
	}
	first, ok1 := parseOffset(a)
	last, ok2 := parseOffset(b)
	total, ok3 := parseOffset(size)
	return first, last, total, ok1 && ok2 && ok3 && first <= last && last < total
}
