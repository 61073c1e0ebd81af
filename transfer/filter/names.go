package filter

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// maxNamesBytes bounds one list of names.
const maxNamesBytes = 4 << 30

// ErrListTooLong is the error of a list of more than 4 GiB.
var ErrListTooLong = errors.New("a list of names of more than 4 GiB")

// ErrUTF16 is the error of a file that some editors of Windows write.
var ErrUTF16 = errors.New("UTF-16: save it as UTF-8")

// Names is a list of names to which a Set is limited. The zero value is a list
// without names, which lets nothing in. It takes the memory of its text and 16
// bytes for each name, and as much again in the Set.
type Names struct {
	list    []string
	sources []string
}

// Add puts one name on the list, exactly as it is.
func (n *Names) Add(name string) { n.list = append(n.list, name) }

// Read puts the names of a list on n: one a line or, if there is a NUL byte
// anywhere, one before each NUL. Source names the list in explanations.
//
// Blanks around a line, a CR at its end, a byte order mark, empty lines and
// lines that begin with # are left out; between NULs every byte belongs to the
// name. Either way a ./ or / at the beginning is left out, as names are
// relative to the root. Raw leaves out nothing but what is empty.
func (n *Names) Read(r io.Reader, source string, raw bool) error {
	n.sources = append(n.sources, source)
	var b strings.Builder // becomes a string without a copy
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			b.Grow(int(min(info.Size(), maxNamesBytes/16))) // a guess that saves copies
		}
	}
	switch size, err := io.Copy(&b, io.LimitReader(r, maxNamesBytes+1)); {
	case err != nil:
		return err
	case size > maxNamesBytes:
		return ErrListTooLong
	}
	text := b.String()
	separator := "\n"
	if strings.Contains(text, "\x00") {
		separator = "\x00"
	}
	if !raw {
		if isUTF16(text) {
			return ErrUTF16
		}
		text = strings.TrimPrefix(text, byteOrderMark)
	}
	n.list = slices.Grow(n.list, strings.Count(text, separator)+1)
	for name := range strings.SplitSeq(text, separator) {
		if !raw && separator == "\n" {
			if name = strings.TrimSpace(name); strings.HasPrefix(name, "#") {
				continue
			}
		}
		if !raw {
			name = relative(name)
		}
		if name != "" {
			n.list = append(n.list, name)
		}
	}
	return nil
}

// sorted is the list in byte order, each name once.
func (n *Names) sorted() []string {
	list := slices.Clone(n.list)
	if !slices.IsSorted(list) {
		slices.Sort(list)
	}
	return slices.Clip(slices.Compact(list))
}

// relative is name without the ./ and / that some programs put before it.
func relative(name string) string {
	for {
		rest := strings.TrimLeft(strings.TrimPrefix(name, "./"), "/")
		if rest == name {
			return name
		}
		name = rest
	}
}

const byteOrderMark = "\ufeff"

// isUTF16 reports whether text begins with a byte order mark of UTF-16.
func isUTF16(text string) bool {
	return strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
}

// Roll is a walk through a Set's list of names beside a stream of names in byte
// order, such as the listing of a source. It finds the names on the list that
// the stream does not have. It is for one goroutine.
type Roll struct{ rest []string }

// Roll begins a walk. Names that the Set's rules or range leave out are not
// missed, nor is anything if the Set has no list.
func (s *Set) Roll() *Roll {
	if s == nil {
		return &Roll{}
	}
	return &Roll{rest: s.expected}
}

// Pass takes the next name of the stream and returns those before it that the
// stream should have had. The caller must not change them.
func (r *Roll) Pass(name string) (missing []string) {
	i := 0
	for i < len(r.rest) && r.rest[i] < name {
		i++
	}
	missing, r.rest = r.rest[:i], r.rest[i:]
	if len(r.rest) > 0 && r.rest[0] == name {
		r.rest = r.rest[1:]
	}
	return missing
}

// End returns the names that should have come after the last one.
func (r *Roll) End() (missing []string) {
	missing, r.rest = r.rest, nil
	return missing
}
