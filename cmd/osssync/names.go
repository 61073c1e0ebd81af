package main

import (
	"fmt"
	"net/url"
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

// decodeNames is --encoding-type url: arguments that are names stand for what
// they are decoded. Who writes an encoded name means no pattern.
func decodeNames(cmd *cobra.Command, args []string) error {
	for i, arg := range args {
		bucket, name := encodedPart(cmd, arg)
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			return &usageError{
				message: "--encoding-type url: " + printable(arg) + " holds a % that is no encoded byte",
				hint:    "write % as %25, or leave the flag out",
			}
		}
		args[i] = bucket + decoded
	}
	if cmd.Flags().Lookup("raw") != nil {
		return cmd.Flags().Set("raw", "true")
	}
	return nil
}

// encodeName undoes decodeNames.
func encodeName(cmd *cobra.Command, arg string) string {
	bucket, name := encodedPart(cmd, arg)
	return bucket + strings.ReplaceAll(url.QueryEscape(name), "%2F", "/")
}

// encodedPart splits an argument of cmd before what --encoding-type is about:
// the key of a URL, or the name of a file where cmd takes one.
func encodedPart(cmd *cobra.Command, arg string) (plain, name string) {
	takes := func(word string) bool { return strings.Contains(cmd.Use, word) }
	switch rest, remote := strings.CutPrefix(arg, scheme); {
	case remote && (takes(scheme) || takes("SRC")):
		bucket, key, slash := strings.Cut(rest, "/")
		if slash {
			bucket += "/"
		}
		return scheme + bucket, key
	case takes("SRC"), takes(scheme) && (takes("FILE") || takes("DIR")):
		return "", arg
	}
	return arg, ""
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

// name is a name as stdout shows it: on a terminal as a word of a shell, to be
// pasted back, and elsewhere as pasteable has it.
func (a *app) name(s string) string {
	if a.onTerminal {
		return shellName(s)
	}
	return pasteable(s)
}

// shellName is a name as one word of a shell, with quotes only where it needs
// them.
func shellName(s string) string {
	plain := s != "" && s[0] != '=' && !strings.ContainsFunc(s, func(r rune) bool {
		return r < utf8.RuneSelf && !strings.ContainsRune(safeInShell, r)
	})
	if plain || printable(s) != s {
		return pasteable(s)
	}
	return quoteWord(s)
}

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
