package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// forgetful flags are left out of the command line that goes on: the secrets,
// and what would throw the work away.
var forgetful = append([]string{"no-resume"}, secretFlags...)

// commandLine is the command line again, quoted for a shell, without secrets.
func commandLine(cmd *cobra.Command, args []string) string {
	return lineOf(cmd, strings.Fields(cmd.CommandPath())[1:], args, func(*pflag.Flag) bool { return true })
}

// retryLine goes on with the job of a command line that has read from stdin what
// is not there a second time. The job itself has it; the flags that every command
// takes stay.
func retryLine(cmd *cobra.Command, job string) string {
	return lineOf(cmd, []string{"retry"}, []string{job}, func(f *pflag.Flag) bool { return cmd.InheritedFlags().Lookup(f.Name) != nil })
}

// secretGiven reports whether the command line has a secret, which the one that
// goes on has not, nor the id of its key: one without the other is no use.
func secretGiven(cmd *cobra.Command) bool {
	return slices.ContainsFunc(secretFlags, func(name string) bool {
		f := cmd.Flags().Lookup(name)
		return f != nil && f.Changed
	})
}

// lineOf is a command with the flags of cmd that keep lets through.
func lineOf(cmd *cobra.Command, command, args []string, keep func(*pflag.Flag) bool) string {
	words := append([]string{quoteWord(programName(os.Args[0]))}, command...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(forgetful, f.Name) || !keep(f) || f.Name == "access-key-id" && secretGiven(cmd) {
			return
		}
		value := f.Value.String()
		switch v := f.Value.(type) {
		case *deadline:
			if v.past(time.Now()) {
				return // with it nothing would ever begin
			}
		case *ruleFlag:
			words = append(words, v.again()...)
			return
		case pflag.SliceValue:
			for _, one := range v.GetSlice() {
				words = append(words, "--"+f.Name+"="+quoteWord(one))
			}
			return
		default:
			if f.Name == "proxy" {
				value = withoutUser(value)
			}
			if v.Type() == "n" && value == "" {
				value = "auto"
			}
			if v.Type() == "bool" && value == "true" {
				words = append(words, "--"+f.Name)
				return
			}
		}
		words = append(words, "--"+f.Name+"="+quoteWord(value))
	})
	if slices.ContainsFunc(args, func(s string) bool { return len(s) > 1 && s[0] == '-' }) {
		words = append(words, "--")
	}
	for _, arg := range args {
		if f := cmd.Flags().Lookup("encoding-type"); f != nil && f.Value.String() != "" {
			arg = encodeName(cmd, arg) // it is read with that flag, or its variable
		}
		words = append(words, quoteWord(arg))
	}
	return strings.Join(words, " ")
}

// programName is how this program was called, if the same words call it again:
// what "go run" has built is gone by then.
func programName(called string) string {
	base := filepath.Base(called)
	if strings.TrimSuffix(base, ".exe") != "osssync" || strings.Contains(called, "go-build") {
		return "osssync"
	}
	return called
}

// safeInShell are the characters that no shell takes for anything but themselves.
const safeInShell = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:=@%+,"

// quoteWord makes s one word of a POSIX shell. What cannot stand on one line of
// a terminal is given to printf, and where even that would lose it, at the end
// of a word, written in the $'…' form, which most shells know.
func quoteWord(s string) string {
	switch {
	case s != "" && strings.Trim(s, safeInShell) == "" && s[0] != '=': // zsh looks for a program there
		return s
	case runtime.GOOS == "windows":
		return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
	case printable(s) != s && strings.HasSuffix(s, "\n"):
		return "$'" + octal(s, `'\`) + "'"
	case printable(s) != s:
		return `"$(printf '` + octal(s, `'\%!-`) + `')"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// octal writes s in ASCII, with the special characters and all beyond the
// printable ones as \NNN.
func octal(s, special string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || strings.IndexByte(special, c) >= 0 {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hideUser is an endpoint without what stands before its @, which is nothing that
// belongs there, but may be a password.
func hideUser(endpoint string) string {
	i := strings.LastIndexByte(endpoint, '@')
	if i < 0 {
		return endpoint
	}
	if scheme, _, ok := strings.Cut(endpoint[:i], "://"); ok && !strings.Contains(scheme, "@") {
		return scheme + "://" + redacted + endpoint[i:]
	}
	return redacted + endpoint[i:]
}

// withoutUser is a URL without the user name and password it may hold.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}
