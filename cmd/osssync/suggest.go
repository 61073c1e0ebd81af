package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unknownCommand is the error for a first word that is no command.
func unknownCommand(root *cobra.Command, word string) error {
	names := []string{"help"}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	e := &usageError{message: "unknown command " + printable(word), hint: "see: osssync help"}
	if other := otherCommands[strings.ToLower(word)]; other != "" {
		e.hint = other
	} else if near := nearest(word, names); near != "" {
		e.message += "; did you mean " + near + "?"
	}
	return e
}

// flagError turns what pflag says into a usageError. It repeats the names of
// flags, and values only of flags that hold no secret.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	// pflag stops at the first flag it does not know: a mistyped command before
	// it is the better thing to speak of.
	if words := cmd.Flags().Args(); !cmd.HasParent() && len(words) > 0 {
		return unknownCommand(cmd, words[0])
	}
	hint := "see: " + cmd.CommandPath() + " --help"
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		letter := "-" + unknown.GetSpecifiedName()[:1]
		if other := cmp.Or(otherFlags[cmd.Name()+" "+letter], otherFlags[letter]); other != "" {
			hint = other
		}
		return &usageError{message: fmt.Sprintf("unknown flag -%c", unknown.GetSpecifiedName()[0]), hint: hint}
	case errors.As(err, &unknown):
		e := &usageError{message: "unknown flag --" + oneLine(unknown.GetSpecifiedName()), hint: hint}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		for alias, name := range aliases {
			if cmd.Flags().Lookup(name) != nil {
				names = append(names, alias)
			}
		}
		slices.Sort(names)
		name := strings.ToLower(unknown.GetSpecifiedName())
		if other := cmp.Or(otherFlags[cmd.Name()+" "+name], otherFlags[name]); other != "" {
			e.hint = other
		} else if at := commandWith(cmd, unknown.GetSpecifiedName()); at != "" {
			e.hint = "it is a flag of commands, as of " + at + ", and stands behind the command"
		} else if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			e.message += "; did you mean --" + near + "?"
		}
		return e
	case errors.As(err, &missing):
		return &usageError{message: "flag --" + missing.GetFlag().Name + " needs a value", hint: hint}
	case errors.As(err, &invalid):
		message := fmt.Sprintf("--%s %s: %v", invalid.GetFlag().Name, printable(invalid.GetValue()), errors.Unwrap(invalid))
		if slices.Contains(secretFlags, invalid.GetFlag().Name) {
			message = fmt.Sprintf("--%s: %v", invalid.GetFlag().Name, errors.Unwrap(invalid))
		}
		return &usageError{message: message, hint: hint}
	}
	return &usageError{message: "wrong use of a flag", hint: hint}
}

// commandWith is a command that has the flag, if root has none of that name.
func commandWith(root *cobra.Command, flag string) string {
	if root.HasParent() {
		return ""
	}
	for _, name := range []string{"cp", "sync", "rm", "ls"} {
		if c, _, err := root.Find([]string{name}); err == nil && c.Flags().Lookup(flag) != nil {
			return name
		}
	}
	return ""
}

// nearest finds the word of list that text was probably meant to be, "" if
// none is near.
func nearest(text string, list []string) string {
	best, bestDistance := "", math.MaxInt
	for _, word := range list {
		if d := distance(text, word); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	if bestDistance > max(1, min(3, len(text)/3)) {
		return ""
	}
	return best
}

// distance is the number of letters to insert, remove, replace or swap with
// their neighbour to make b of a.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
