package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer/filter"
)

// filterFlags are the flags that choose among the files and objects of a tree.
type filterFlags struct {
	rules        []ruleArg
	filesFrom    []string
	filesFromRaw []string
	minSize      byteSize
	maxSize      optionalSize
	minAge       fileAge
	maxAge       fileAge
	minTime      moment
	maxTime      moment
	startAfter   string
	endWith      string
	classes      choices

	last string // a pattern that all must match besides; no flag
}

// register adds the flags to cmd.
func (f *filterFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	rule := func(name, usage string) { flags.Var(&ruleFlag{name: name, rules: &f.rules}, name, usage) }
	rule("include", "only what matches `PATTERN`, such as '*.jpg' or /2026/; the first of all filters that matches decides")
	rule("exclude", "nothing that matches `PATTERN`")
	rule("filter", "`RULE`: '+ PATTERN' lets in, '- PATTERN' leaves out, '!' forgets the filters before it")
	rule("include-from", "patterns to include from `FILE`, one a line; - is stdin")
	rule("exclude-from", "patterns to exclude from `FILE`, one a line; - is stdin")
	rule("filter-from", "rules as of --filter from `FILE`, one a line; - is stdin")
	flags.StringArrayVar(&f.filesFrom, "files-from", nil, "only the names in `FILE`, relative to SRC, one a line or NUL-separated; - is stdin")
	flags.StringArrayVar(&f.filesFromRaw, "files-from-raw", nil, "names from `FILE` as --files-from, with every byte of a line part of the name: no comments, no blanks left out")
	flags.Var(&f.minSize, "min-size", "only what has `SIZE` or more, as 10M")
	flags.Var(&f.maxSize, "max-size", "only what has `SIZE` or less")
	flags.Var(&f.minAge, "min-age", "only what was modified this long ago or longer: `AGE` is 90 (seconds), 12h, 2d, 1w, 6M or 1y")
	flags.Var(&f.maxAge, "max-age", "only what was modified this long ago, `AGE`, or later")
	flags.Var(&f.minTime, "min-mtime", "only what was modified at `TIME` or later: 2026-01-31 or 2026-01-31T12:00:00, in UTC unless a zone is given")
	flags.Var(&f.maxTime, "max-mtime", "only what was modified at `TIME` or before")
	flags.StringVar(&f.startAfter, "start-after", "", "only names after `NAME` in byte order")
	flags.StringVar(&f.endWith, "end-with", "", "only names up to and with `NAME` in byte order")
	f.classes = choices{allowed: storageClasses}
	flags.Var(&f.classes, "only-storage-class", "only objects of `CLASS`, several with commas: "+strings.Join(storageClasses, ", "))
}

// set makes the filter that the flags describe, nil if there is none, and warns
// of what is likely not meant. It reads the files that the flags name.
func (f *filterFlags) set(ctx context.Context, a *app) (*filter.Set, error) {
	if !f.given() && f.last == "" {
		return nil, nil
	}
	b := filter.Builder{
		MinSize: int64(f.minSize), MaxSize: f.maxSize.value,
		MinAge: f.minAge.duration, MaxAge: f.maxAge.duration, MinTime: f.minTime.time, MaxTime: f.maxTime.time,
		StartAfter: f.startAfter, EndWith: f.endWith, StorageClasses: f.classes.values,
	}
	in := filterInput{ctx: ctx, stdin: a.stdin}
	for _, arg := range f.rules {
		if err := arg.addTo(&b, &in); err != nil {
			return nil, err
		}
	}
	if f.last != "" {
		const source = "the pattern of SRC"
		if err := errors.Join(b.Include(f.last, source), b.Exclude("**", source)); err != nil {
			return nil, &usageError{message: err.Error()}
		}
	}
	for _, list := range []struct {
		flag  string
		names []string
		raw   bool
	}{{"--files-from", f.filesFrom, false}, {"--files-from-raw", f.filesFromRaw, true}} {
		for _, name := range list.names {
			if b.Names == nil {
				b.Names = &filter.Names{}
			}
			err := in.read(list.flag, name, func(r io.Reader) error { return b.Names.Read(r, list.flag+" "+name, list.raw) })
			if err != nil {
				return nil, err
			}
		}
	}
	a.tookStdin = a.tookStdin || in.taken != ""
	s, err := b.Build()
	if err != nil {
		return nil, &usageError{message: err.Error()}
	}
	for _, text := range s.Warnings() {
		a.warn("%s", oneLine(text))
	}
	return s, nil
}

// given reports whether any of the flags was.
func (f *filterFlags) given() bool {
	return len(f.rules)+len(f.filesFrom)+len(f.filesFromRaw)+len(f.classes.values) > 0 ||
		f.minSize != 0 || f.maxSize.value != nil || f.minAge.duration != 0 || f.maxAge.duration != 0 ||
		!f.minTime.time.IsZero() || !f.maxTime.time.IsZero() || f.startAfter != "" || f.endWith != ""
}

// includes reports whether any flag lets in what others would leave out.
func (f *filterFlags) includes() bool {
	return slices.ContainsFunc(f.rules, func(r ruleArg) bool { return !strings.HasPrefix(r.flag, "exclude") }) ||
		len(f.filesFrom)+len(f.filesFromRaw) > 0
}

// ruleArg is one --include, --exclude or --filter, or a file of them, in its
// place on the command line.
type ruleArg struct{ flag, value string }

// addTo adds what the flag says to b.
func (r ruleArg) addTo(b *filter.Builder, in *filterInput) error {
	source := "--" + r.flag
	if kind, ok := map[string]filter.Kind{
		"include-from": filter.Includes, "exclude-from": filter.Excludes, "filter-from": filter.Filters,
	}[r.flag]; ok {
		name := r.value
		if name == "-" {
			name = "stdin"
		}
		return in.read(source, r.value, func(in io.Reader) error { return b.Read(in, kind, name) })
	}
	switch r.flag {
	case "include":
		return b.Include(r.value, source)
	case "exclude":
		return b.Exclude(r.value, source)
	}
	return b.Rule(r.value, source)
}

// ruleFlag is a flag whose values share one list with other flags, because
// their order matters.
type ruleFlag struct {
	name  string
	rules *[]ruleArg
}

func (f *ruleFlag) String() string { return "" }
func (f *ruleFlag) Type() string   { return "rule" }

// Set checks what can be checked without a file.
func (f *ruleFlag) Set(s string) error {
	arg := ruleArg{f.name, s}
	if strings.HasSuffix(f.name, "-from") {
		if s == "" {
			return errors.New("want the name of a file, or - for stdin")
		}
	} else if err := arg.addTo(&filter.Builder{}, nil); err != nil {
		return errors.Unwrap(err) // the flag and its value are named already
	}
	*f.rules = append(*f.rules, arg)
	return nil
}

// again is the flags of the list as the words of a command line, in their order.
// Only the flag that comes first on the list has them.
func (f *ruleFlag) again() []string {
	if len(*f.rules) == 0 || (*f.rules)[0].flag != f.name {
		return nil
	}
	var words []string
	for _, arg := range *f.rules {
		words = append(words, "--"+arg.flag+"="+quoteWord(arg.value))
	}
	return words
}

// filterInput reads the files that flags name, and stdin for one of them.
type filterInput struct {
	ctx   context.Context
	stdin io.Reader
	taken string // the flag that reads stdin
}

// read hands the file called name to fn.
func (in *filterInput) read(flag, name string, fn func(io.Reader) error) error {
	var r io.Reader
	if name == "-" {
		if in.taken != "" {
			return &usageError{message: fmt.Sprintf("%s and %s cannot both read stdin", in.taken, flag)}
		}
		in.taken, r = flag, newPatientReader(in.ctx, in.stdin)
	} else {
		f, err := os.Open(name)
		if err != nil {
			return &usageError{message: flag + ": " + err.Error()}
		}
		defer f.Close()
		r = f
	}
	err := fn(r)
	syntax, isSyntax := errors.AsType[*filter.SyntaxError](err)
	switch {
	case err == nil:
		return nil
	case isSyntax:
		return &usageError{message: flag + " " + oneLine(syntax.Error()), hint: "see: osssync help filter-test"}
	case context.Cause(in.ctx) != nil:
		return context.Cause(in.ctx)
	}
	return &usageError{message: fmt.Sprintf("%s %s: %v", flag, printable(name), err)}
}

// optionalSize is a flag of bytes for which 0 is a value like any other.
type optionalSize struct{ value *int64 }

func (o *optionalSize) String() string {
	if o.value == nil {
		return ""
	}
	return fmt.Sprint(*o.value)
}
func (o *optionalSize) Type() string { return "size" }

func (o *optionalSize) Set(s string) error {
	n, err := parseSize(s)
	if err == nil {
		o.value = &n
	}
	return err
}

// fileAge is a flag of a time span of days and more, in seconds if it has no unit.
type fileAge struct {
	text     string
	duration time.Duration
}

func (a *fileAge) String() string { return a.text }
func (a *fileAge) Type() string   { return "age" }

func (a *fileAge) Set(s string) error {
	d, err := parseAge(s)
	if err == nil {
		*a = fileAge{s, d}
	}
	return err
}

var errAge = errors.New("want an age such as 90 (seconds), 30m, 12h, 2d, 1w, 6M (of 30 days) or 1y (of 365)")

// parseAge reads 2d or 1w12h. Units are those of rclone and ossutil.
func parseAge(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	units := []struct {
		name string
		unit time.Duration
	}{ // ms before m
		{"ms", time.Millisecond},
		{"s", time.Second},
		{"m", time.Minute},
		{"h", time.Hour},
		{"d", day},
		{"w", 7 * day},
		{"M", 30 * day},
		{"y", 365 * day},
	}
	if n, err := parseDigits(s); err == nil {
		s = fmt.Sprint(n) + "s"
	}
	var total time.Duration
	for rest := s; rest != "" || s == ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := parseDigits(rest[:digits])
		if err != nil {
			return 0, errAge
		}
		rest = rest[digits:]
		unit := time.Duration(0)
		for _, u := range units {
			if after, ok := strings.CutPrefix(rest, u.name); ok {
				unit, rest = u.unit, after
				break
			}
		}
		const most = 250 * 365 * day // a Duration holds not much more
		if unit == 0 || n > int64((most-total)/unit) {
			return 0, errAge
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}

// moment is a flag of a point in time.
type moment struct {
	text string
	time time.Time
}

func (m *moment) String() string { return m.text }
func (m *moment) Type() string   { return "time" }

func (m *moment) Set(s string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			*m = moment{s, t}
			return nil
		}
	}
	return errors.New("want a time such as 2026-01-31, 2026-01-31T12:00:00 (both UTC) or 2026-01-31T12:00:00+08:00")
}

// choices is a flag of several of a few words, with commas between them.
type choices struct {
	allowed []string
	values  []string
}

func (c *choices) String() string { return strings.Join(c.values, ",") }
func (c *choices) Type() string   { return "words" }

func (c *choices) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		one := choice{allowed: c.allowed}
		if err := one.Set(word); err != nil {
			return err
		}
		c.values = append(c.values, one.value)
	}
	return nil
}
