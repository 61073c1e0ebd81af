package emulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// byteRange is what a GET sends: len bytes from off on, under a status.
type byteRange struct {
	off, len int64
	status   int
}

// resolveRange applies a Range header to an object of size bytes. Without
// standard behaviour the service answers almost everything it dislikes with
// the whole object.
func resolveRange(header string, size int64, standard bool) (byteRange, error) {
	whole := byteRange{len: size, status: http.StatusOK}
	first, last, ok := parseRange(header)
	if !ok {
		return whole, nil
	}
	unsatisfiable := func() (byteRange, error) {
		return whole, fail("InvalidRange").with("ActualObjectSize", strconv.FormatInt(size, 10)).
			with("RangeRequested", header).withHeader("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
	}
	if first < 0 { // the last bytes
		switch {
		case last == 0:
			return unsatisfiable()
		case last > size && !standard:
			return whole, nil
		case size == 0:
			return unsatisfiable()
		}
		n := min(last, size)
		return byteRange{off: size - n, len: n, status: http.StatusPartialContent}, nil
	}
	if last >= 0 && first > last {
		return whole, nil
	}
	if !standard && (first >= size || last >= size) {
		return whole, nil
	}
	if first >= size {
		return unsatisfiable()
	}
	if last < 0 || last >= size {
		last = size - 1
	}
	return byteRange{off: first, len: last - first + 1, status: http.StatusPartialContent}, nil
}

// parseRange reads "bytes=a-b" (a, b), "bytes=a-" (a, -1) and "bytes=-n"
// (-1, n); anything else, several ranges too, is not ok.
func parseRange(s string) (first, last int64, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimSpace(s), "bytes=")
	if !ok {
		return 0, 0, false
	}
	a, b, ok := strings.Cut(s, "-")
	if !ok || a == "" && b == "" {
		return 0, 0, false
	}
	first, last = -1, -1
	if a != "" {
		if first, ok = parseOffset(a); !ok {
			return 0, 0, false
		}
	}
	if b != "" {
		if last, ok = parseOffset(b); !ok {
			return 0, 0, false
		}
	}
	return first, last, true
}

func parseOffset(s string) (int64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// conditions are the four headers a request may make itself depend on.
type conditions struct {
	match, unmodified, noneMatch, modified string
}

// check returns PreconditionFailed or errNotModified if the object does not
// meet the conditions. A date in the future is one like any other, as the
// vendor's test suites have it; one that is none is ignored.
func (c *conditions) check(etag string, modified time.Time) error {
	modified = modified.Truncate(time.Second)
	failed := func(name string) error {
		return fail("PreconditionFailed").with("Condition", name)
	}
	if c.match != "" && !matchETag(c.match, etag) {
		return failed("If-Match")
	}
	if t, err := http.ParseTime(c.unmodified); err == nil && modified.After(t) {
		return failed("If-Unmodified-Since")
	}
	if c.noneMatch != "" && matchETag(c.noneMatch, etag) {
		return errNotModified
	}
	if t, err := http.ParseTime(c.modified); err == nil && !modified.After(t) {
		return errNotModified
	}
	return nil
}

// matchETag compares a list of ETags, quoted or not, with an object's.
func matchETag(list, etag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.EqualFold(strings.Trim(item, `"`), etag) {
			return true
		}
	}
	return false
}
