package filter

import (
	"slices"
	"strings"
	"time"
)

// Set decides which files and objects belong to a transfer. A Builder makes it;
// nil lets everything in. It is safe for concurrent use and does not change.
type Set struct {
	rules    []rule
	bounds   []bound
	warnings []string
	text     string

	startAfter, endWith string

	limited  bool     // to names
	names    []string // in byte order
	expected []string // those of them that rules and range let in
	source   string   // of names

	made Builder // what it was made of
}

// bound is a condition on what is known of a file, and the Verdict if it does
// not hold.
type bound struct {
	holds   func(Info) bool
	verdict Verdict
}

// Info is what is known of a file or object besides its name. What is not known
// is not held against it.
type Info struct {
	Size         int64     // in bytes; below 0 if not known
	ModTime      time.Time // zero if not known
	StorageClass string    // as a listing has it; "" for files, and if not known
}

// Verdict says whether a name belongs to the transfer, and why.
type Verdict struct {
	In bool

	// Rule is what decided: a rule such as "- *.bak", or the reason in words. It
	// is "" for what is in because nothing leaves it out.
	Rule string

	// Source is where the rule was given: a flag, or a file and its line.
	Source string
}

// String is the Verdict for people, such as "out: - *.bak (rules.txt:3)".
func (v Verdict) String() string {
	word := "out: "
	if v.In {
		word = "in: "
	}
	return word + v.cause()
}

func (v Verdict) cause() string {
	switch {
	case v.Rule == "":
		return "nothing leaves it out"
	case v.Source == "":
		return v.Rule
	}
	return v.Rule + " (" + v.Source + ")"
}

// Match decides about the file or object called name, which is relative to the
// root of the transfer and has slashes between its parts.
func (s *Set) Match(name string, info Info) Verdict {
	v := s.MatchName(name)
	if s == nil || !v.In {
		return v
	}
	for _, b := range s.bounds {
		if !b.holds(info) {
			return b.verdict
		}
	}
	return v
}

// MatchName decides as far as that takes only the name: it is Match without the
// bounds of size, time and class.
func (s *Set) MatchName(name string) Verdict {
	if s == nil {
		return Verdict{In: true}
	}
	in := Verdict{In: true}
	if s.limited {
		if _, ok := slices.BinarySearch(s.names, name); !ok {
			return Verdict{Rule: "not on the list", Source: s.source}
		}
		in = Verdict{In: true, Rule: "on the list", Source: s.source}
	}
	switch {
	case s.startAfter != "" && name <= s.startAfter:
		return Verdict{Rule: "not after " + s.startAfter, Source: "--start-after"}
	case s.endWith != "" && name > s.endWith:
		return Verdict{Rule: "after " + s.endWith, Source: "--end-with"}
	}
	for i := range s.rules {
		if s.rules[i].match(name) {
			return s.rules[i].verdict
		}
	}
	return in
}

// Dir reports whether a name below the folder name may belong to the transfer.
// A folder for which it is false need not be listed. "" is the root; a name
// without a slash at its end gets one.
//
// False is certain. True may be more than is there: for a name that only a later
// exclude leaves out, and because sizes and times are not looked at.
func (s *Set) Dir(name string) bool {
	if s == nil {
		return true
	}
	if name != "" && !strings.HasSuffix(name, "/") {
		name += "/"
	}
	if s.limited {
		i, _ := slices.BinarySearch(s.expected, name)
		return i < len(s.expected) && strings.HasPrefix(s.expected[i], name)
	}
	switch {
	case s.startAfter >= name && !strings.HasPrefix(s.startAfter, name): // so is all that begins with name
		return false
	case s.endWith != "" && name > s.endWith:
		return false
	}
	for i := range s.rules {
		some, all := s.rules[i].below(name)
		if s.rules[i].include && some {
			return true
		}
		if all {
			return false
		}
	}
	return true
}

// maxPrefixes bounds what Prefixes returns: each may cost a listing.
const maxPrefixes = 16

// Prefixes returns texts such that every name in the Set begins with one of
// them, in byte order and none the beginning of another: what a listing can be
// narrowed to. It is "" alone if nothing is known, and there are at most 16.
// Without any, nothing is in the Set.
func (s *Set) Prefixes() []string {
	if s == nil {
		return []string{""}
	}
	list := disjoint(s.rulePrefixes())
	if s.limited {
		list = within(list, s.expected)
	}
	if len(list) > maxPrefixes {
		list = []string{common(list[0], list[len(list)-1])}
	}
	return list
}

// rulePrefixes are how the names begin that the rules let in.
func (s *Set) rulePrefixes() []string {
	var list []string
	for i := range s.rules {
		r := &s.rules[i]
		if r.include {
			list = append(list, r.prefix)
		}
		if _, all := r.below(""); all {
			return list
		}
	}
	return []string{""}
}

// disjoint sorts list and leaves out what begins with another of its texts.
func disjoint(list []string) []string {
	slices.Sort(list)
	kept := list[:0]
	for _, p := range list {
		if len(kept) == 0 || !strings.HasPrefix(p, kept[len(kept)-1]) {
			kept = append(kept, p)
		}
	}
	return kept
}

// within narrows the prefixes in list to what the sorted names with them have
// in common, and leaves out those that no name has.
func within(list, names []string) []string {
	var kept []string
	for _, p := range list {
		from, _ := slices.BinarySearch(names, p)
		n, _ := slices.BinarySearchFunc(names[from:], p, func(name, p string) int {
			if strings.HasPrefix(name, p) {
				return -1
			}
			return 1
		})
		if n > 0 {
			kept = append(kept, common(names[from], names[from+n-1]))
		}
	}
	return kept
}

// common is the beginning that a and b share, in whole characters.
func common(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		_, size := character(a[n:])
		if !strings.HasPrefix(b[n:], a[n:n+size]) {
			break
		}
		n += size
	}
	return a[:n]
}

// Range returns the bounds of the names in byte order: they come after
// startAfter, and not after endWith; "" is no bound.
func (s *Set) Range() (startAfter, endWith string) {
	if s == nil {
		return "", ""
	}
	return s.startAfter, s.endWith
}

// Warnings are sentences about what is likely not meant, such as rules that only
// let in, or that nothing reaches.
func (s *Set) Warnings() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.warnings)
}

// String is a text that two Sets share if they decide alike because they were
// made alike, on one line each: the rules, the bounds, with ages as they were
// given and not the times they came to, and a digest of the list of names.
func (s *Set) String() string {
	if s == nil {
		return ""
	}
	return s.text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
