package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const globHelp = `A name may be a pattern: * and ? stop at a slash, ** does not, [a-z] and {a,b}
choose: 'oss://BUCKET/2024-*/x?.csv'. In quotes, or the shell takes it. A name that
is there as it stands is never a pattern; nor is any with --raw, which scripts that
take names from a listing should give.
`

// addRaw adds the flag that switches patterns off.
func addRaw(cmd *cobra.Command, raw *bool) {
	cmd.Flags().BoolVar(raw, "raw", false, "take names as they stand, never as patterns")
}

// isPattern reports whether key stands for several.
func isPattern(key string) bool {
	return strings.ContainsAny(key, "*?[{") && doublestar.ValidatePattern(key)
}

// literalPrefix is what every key that the pattern matches begins with.
func literalPrefix(pattern string) string {
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// matches reports whether the pattern is the whole key's. A folder's own name
// is not below it: a/** does not match a.
func matches(pattern, key string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/**"); ok {
		return below(folder, key)
	}
	return strings.HasPrefix(key, literalPrefix(pattern)) && doublestar.MatchUnvalidated(pattern, key)
}

// below reports whether key lies in a folder that the pattern matches.
func below(pattern, key string) bool {
	for i := range len(key) {
		if key[i] == '/' && matches(pattern, key[:i]) {
			return true
		}
	}
	return false
}

// covers reports whether the pattern is the key's, or that of a folder which
// the key lies in. One that ends in a slash is only a folder's.
func covers(pattern, key string) bool {
	folder, onlyFolders := strings.CutSuffix(pattern, "/")
	return !onlyFolders && matches(pattern, key) || below(folder, key)
}

// partlyError says that some of several names failed; each has been printed.
// It matches transfer.ErrIncomplete.
type partlyError struct{ failed, total int64 }

func (e *partlyError) Error() string {
	return fmt.Sprintf("%d of %s failed", e.failed, number(e.total, "name"))
}
func (e *partlyError) Is(target error) bool { return target == transfer.ErrIncomplete }

// pasteable is a name as a shell reads it back: as it stands if it is fit for a
// terminal, else within $'…', with the bytes that are not in octal. bash, zsh
// and ksh read that.
func pasteable(s string) string {
	if printable(s) == s {
		return s
	}
	var b strings.Builder
	b.WriteString("$'")
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\\' || r == '\'':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r) && (r != utf8.RuneError || n > 1):
			b.WriteRune(r)
		default:
			for i := range n {
				fmt.Fprintf(&b, `\%03o`, s[i])
			}
		}
		s = s[n:]
	}
	return b.String() + "'"
}
