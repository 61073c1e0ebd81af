package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// printable quotes s if it has bytes that do not belong on a terminal or in a
// log line: control characters, invisible and direction-changing runes,
// invalid UTF-8.
func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	return strconv.Quote(s)
}

// oneLine makes text of any origin, such as an error's, one line that is fit for
// a terminal.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// fit shortens printable text to width columns, keeping its end: the end of a
// key tells more than its beginning.
func fit(s string, width int) string {
	have := runewidth.StringWidth(s)
	if have <= width {
		return s
	}
	if width < 2 {
		return strings.Repeat(".", max(width, 0))
	}
	return runewidth.TruncateLeft(s, have-width+1, "…")
}

// pad fills s with blanks to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-runewidth.StringWidth(s)))
}

// size writes bytes for people, in binary units.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1023.95 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}

// elapsed writes a duration for people.
func elapsed(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return clock(d)
}

// clock writes a duration as 1:02:03 or 2:03.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// number writes n and the noun in its number.
func number(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printf writes one line to stderr. The caller makes its arguments printable.
func (a *app) printf(format string, args ...any) {
	fmt.Fprintf(a.stderr, "osssync: "+format+"\n", args...)
}

// warn logs a warning, and writes it unless only errors are wanted.
func (a *app) warn(format string, args ...any) {
	a.log.Warn("warning", "text", fmt.Sprintf(format, args...))
	if !a.flags.onlyErrors {
		a.printf("warning: "+format, args...)
	}
}
