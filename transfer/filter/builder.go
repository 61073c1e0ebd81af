package filter

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Builder gathers what a Set is made of. The zero value lets everything in.
//
// Rules are added in the order in which they are to be tried. Their source is
// what a Verdict says of where they come from: a flag, or a file and its line.
// A Builder is for one goroutine.
type Builder struct {
	// MinSize and MaxSize bound the size, in bytes, both inclusive. A nil
	// MaxSize is no bound.
	MinSize int64
	MaxSize *int64

	// MinAge and MaxAge bound how long before Now a file was modified, both
	// inclusive; 0 is no bound.
	MinAge, MaxAge time.Duration

	// MinTime and MaxTime bound the time of modification, both inclusive; the
	// zero time is no bound.
	MinTime, MaxTime time.Time

	// Now is what ages are counted from, by default the time of Build.
	Now time.Time

	// StartAfter and EndWith bound the names in byte order: only those after
	// StartAfter, and up to and with EndWith; "" is no bound.
	StartAfter, EndWith string

	// StorageClasses lets in only objects of these classes, in any case; none
	// is no bound.
	StorageClasses []string

	// Names lets in only the names on a list; nil is no bound.
	Names *Names

	rules   []rule
	implied bool // an Include implies that the rest is left out
}

// rule is one compiled rule.
type rule struct {
	*pattern
	include bool
	verdict Verdict
}

// Kind is what the lines of a file of rules are.
type Kind int

// The kinds of files of rules, for Builder.Read.
const (
	Filters  Kind = iota // "+ pattern", "- pattern" or "!"
	Includes             // patterns to let in, with the rest left out
	Excludes             // patterns to leave out
)

// impliedSource is the source of the rule that Include implies.
const impliedSource = "implied by --include"

// Include lets in what pattern matches, and implies that what no rule matches is
// left out. The error is a *SyntaxError.
func (b *Builder) Include(pattern, source string) error {
	if err := b.add(true, pattern, source); err != nil {
		return err
	}
	b.implied = true
	return nil
}

// Exclude leaves out what pattern matches. The error is a *SyntaxError.
func (b *Builder) Exclude(pattern, source string) error { return b.add(false, pattern, source) }

// Rule adds a line of a file of filters: "+ pattern" lets in, "- pattern" leaves
// out, "!" takes back all rules before it, whatever their source, and a line
// that is empty or begins with # or ; does nothing. The error is a *SyntaxError.
func (b *Builder) Rule(line, source string) error {
	line = strings.TrimSpace(line)
	include := strings.HasPrefix(line, "+ ")
	switch {
	case line == "" || line[0] == '#' || line[0] == ';':
		return nil
	case line == "!":
		b.rules, b.implied = nil, false
		return nil
	case include || strings.HasPrefix(line, "- "):
		return b.add(include, strings.TrimSpace(line[2:]), source)
	}
	return &SyntaxError{Source: source, Text: line, Err: errRule}
}

var errRule = errors.New("want + PATTERN to let in, - PATTERN to leave out, or ! to begin anew")

// Read adds the rules of a file, one a line. Blanks around a line and a byte
// order mark do not count; empty lines and those that begin with # or ; are
// comments. The error is a *SyntaxError with the line, or that of r.
func (b *Builder) Read(r io.Reader, kind Kind, name string) error {
	if kind == Includes {
		b.implied = true // even if there is none
	}
	return lines(r, func(number int, line string) error {
		source := name + ":" + strconv.Itoa(number)
		switch kind {
		case Includes:
			return b.Include(line, source)
		case Excludes:
			return b.Exclude(line, source)
		}
		return b.Rule(line, source)
	})
}

// maxRulesBytes bounds a file of rules: each takes a hundred times its text.
const maxRulesBytes = 64 << 20

var errManyRules = errors.New("more than 64 MiB of rules")

// lines reads the rules in r, one a line, with their numbers, and leaves out
// what is none.
func lines(r io.Reader, do func(number int, line string) error) error {
	text, err := io.ReadAll(io.LimitReader(r, maxRulesBytes+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxRulesBytes:
		return errManyRules
	case isUTF16(string(text[:min(2, len(text))])):
		return ErrUTF16
	}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte(byteOrderMark))) {
		number++
		rule := string(bytes.TrimSpace(line))
		if rule == "" || rule[0] == '#' || rule[0] == ';' {
			continue
		}
		if err := do(number, rule); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) add(include bool, text, source string) error {
	p, err := compile(text)
	if err != nil {
		return &SyntaxError{Source: source, Text: text, Err: err}
	}
	sign := "- "
	if include {
		sign = "+ "
	}
	b.rules = append(b.rules, rule{pattern: p, include: include, verdict: Verdict{In: include, Rule: sign + text, Source: source}})
	return nil
}

// Build makes the Set. The error is a *BoundsError. The Builder can be used
// further; the Set does not change with it.
func (b *Builder) Build() (*Set, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	s := &Set{
		rules: slices.Clone(b.rules), startAfter: b.StartAfter, endWith: b.EndWith,
		bounds: b.bounds(), warnings: b.warnings(), made: b.keep(),
	}
	if b.implied {
		everything, err := compile("**")
		if err != nil {
			return nil, err
		}
		s.rules = append(s.rules, rule{pattern: everything, verdict: Verdict{Rule: "- **", Source: impliedSource}})
	}
	if b.Names != nil {
		s.limited = true
		s.names = b.Names.sorted()
		s.source = strings.Join(b.Names.sources, ", ")
		s.expected = s.names
		if len(s.rules) > 0 || s.startAfter != "" || s.endWith != "" {
			s.expected = slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return !s.MatchName(name).In })
		}
	}
	s.text = b.text(s)
	return s, nil
}

// bounds are the conditions on what is known of a file besides its name.
func (b *Builder) bounds() []bound {
	var list []bound
	add := func(holds func(Info) bool, source, format string, args ...any) {
		list = append(list, bound{holds, Verdict{Rule: fmt.Sprintf(format, args...), Source: source}})
	}
	if minimum := b.MinSize; minimum > 0 {
		add(func(i Info) bool { return i.Size >= minimum || i.Size < 0 }, "--min-size", "smaller than %d bytes", minimum)
	}
	if b.MaxSize != nil {
		maximum := *b.MaxSize
		add(func(i Info) bool { return i.Size <= maximum }, "--max-size", "larger than %d bytes", maximum)
	}
	notAfter := func(t time.Time, source string) {
		add(func(i Info) bool { return !i.ModTime.After(t) }, source, "modified after %s", stamp(t))
	}
	notBefore := func(t time.Time, source string) {
		add(func(i Info) bool { return i.ModTime.IsZero() || !i.ModTime.Before(t) }, source, "modified before %s", stamp(t))
	}
	now := b.Now
	if now.IsZero() {
		now = time.Now()
	}
	if b.MinAge > 0 {
		notAfter(now.Add(-b.MinAge), "--min-age")
	}
	if b.MaxAge > 0 {
		notBefore(now.Add(-b.MaxAge), "--max-age")
	}
	if !b.MinTime.IsZero() {
		notBefore(b.MinTime, "--min-mtime")
	}
	if !b.MaxTime.IsZero() {
		notAfter(b.MaxTime, "--max-mtime")
	}
	if len(b.StorageClasses) > 0 {
		classes := slices.Clone(b.StorageClasses)
		add(func(i Info) bool {
			return i.StorageClass == "" || slices.ContainsFunc(classes, func(c string) bool { return strings.EqualFold(c, i.StorageClass) })
		}, "--only-storage-class", "not of class %s", strings.Join(classes, ", "))
	}
	return list
}

// text is what Set.String returns.
func (b *Builder) text(s *Set) string {
	var t strings.Builder
	line := func(name string, given bool, value any) {
		if given {
			fmt.Fprintf(&t, "%s %v\n", name, value)
		}
	}
	for _, r := range s.rules {
		fmt.Fprintf(&t, "%q\n", r.verdict.Rule)
	}
	line("min-size", b.MinSize > 0, b.MinSize)
	if b.MaxSize != nil {
		line("max-size", true, *b.MaxSize)
	}
	line("min-age", b.MinAge > 0, b.MinAge)
	line("max-age", b.MaxAge > 0, b.MaxAge)
	line("min-mtime", !b.MinTime.IsZero(), stamp(b.MinTime))
	line("max-mtime", !b.MaxTime.IsZero(), stamp(b.MaxTime))
	line("start-after", b.StartAfter != "", strconv.Quote(b.StartAfter))
	line("end-with", b.EndWith != "", strconv.Quote(b.EndWith))
	for _, c := range b.StorageClasses {
		line("storage-class", true, strconv.Quote(c))
	}
	if s.limited {
		h := sha256.New()
		w := bufio.NewWriter(h) // neither ever fails
		for _, name := range s.names {
			_, _ = w.WriteString(name)
			_ = w.WriteByte(0)
		}
		_ = w.Flush()
		fmt.Fprintf(&t, "names %d %x\n", len(s.names), h.Sum(nil))
	}
	return t.String()
}

// check refuses bounds between which there is nothing.
func (b *Builder) check() error {
	switch {
	case b.MinSize < 0 || b.MaxSize != nil && *b.MaxSize < 0:
		return &BoundsError{"a size below 0"}
	case b.MinAge < 0 || b.MaxAge < 0:
		return &BoundsError{"an age below 0"}
	case b.MaxSize != nil && b.MinSize > *b.MaxSize:
		return &BoundsError{fmt.Sprintf("--min-size %d is above --max-size %d", b.MinSize, *b.MaxSize)}
	case b.MaxAge != 0 && b.MinAge > b.MaxAge:
		return &BoundsError{fmt.Sprintf("--min-age %s is above --max-age %s", b.MinAge, b.MaxAge)}
	case !b.MaxTime.IsZero() && b.MinTime.After(b.MaxTime):
		return &BoundsError{fmt.Sprintf("--min-mtime %s is after --max-mtime %s", stamp(b.MinTime), stamp(b.MaxTime))}
	case b.EndWith != "" && b.StartAfter >= b.EndWith:
		return &BoundsError{fmt.Sprintf("there is no name after --start-after %q up to --end-with %q", b.StartAfter, b.EndWith)}
	}
	return nil
}

// warnings are what is likely not meant.
func (b *Builder) warnings() []string {
	var list []string
	switch {
	case b.implied && len(b.rules) == 0:
		list = append(list, "no include is given, so that nothing is in")
	case len(b.rules) == 0 || slices.ContainsFunc(b.rules, func(r rule) bool { return !r.include }):
	case b.implied:
		list = append(list, "only includes are given: what none of them matches is left out")
	default:
		list = append(list, "the rules only let in, and so leave nothing out: end them with - **")
	}
	i := slices.IndexFunc(b.rules, func(r rule) bool { _, all := r.below(""); return all })
	if i < 0 {
		return list
	}
	last, rest := b.rules[i], b.rules[i+1:]
	if j := slices.IndexFunc(rest, func(r rule) bool { return r.include != last.include }); j >= 0 {
		list = append(list, fmt.Sprintf("the first rule that matches decides, and %s matches everything: %s after it does nothing",
			last.verdict.cause(), rest[j].verdict.cause()))
	}
	return list
}

// SyntaxError is a rule that cannot be read.
type SyntaxError struct {
	Source string // a flag, or a file and line
	Text   string // the rule
	Err    error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Source, strconv.Quote(e.Text), e.Err)
}
func (e *SyntaxError) Unwrap() error { return e.Err }

// BoundsError says that bounds contradict each other.
type BoundsError struct{ Reason string }

func (e *BoundsError) Error() string { return e.Reason }
