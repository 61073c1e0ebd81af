package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const manLong = `Write the manual pages, made of the same text as the help, into a folder: one for
osssync, one for each command (osssync-cp.1).

Examples:
  osssync man ~/.local/share/man/man1
  man osssync-cp
`

func newManCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages", Long: manLong + "\n" + exitHelp, Args: exactly(1, "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			n := int64(0)
			err := manPages(cmd.Root(), func(name string, page []byte) error {
				n++
				return os.WriteFile(filepath.Join(args[0], name), page, 0o644)
			})
			if err == nil && !a.flags.onlyErrors {
				a.printf("wrote %s into %s", number(n, "page"), printable(args[0]))
			}
			return err
		},
	}
}

// manPages makes the page of a command and of those below it.
func manPages(cmd *cobra.Command, write func(name string, page []byte) error) error {
	if cmd.Hidden || cmd.Name() == "help" && cmd.HasParent() {
		return nil
	}
	if err := write(strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1", manPage(cmd)); err != nil {
		return err
	}
	for _, c := range cmd.Commands() {
		if err := manPages(c, write); err != nil {
			return err
		}
	}
	return nil
}

// roff makes text safe within a page.
func roff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// manPage is a page in the man macros, which every troff and mandoc knows.
func manPage(cmd *cobra.Command) []byte {
	var b bytes.Buffer
	title := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"osssync %s\" \"osssync\"\n", roff(strings.ToUpper(title)), roff(readVersion().Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(title), roff(cmd.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(cmd.UseLine()))
	b.WriteString(".SH DESCRIPTION\n.nf\n")
	for line := range strings.Lines(strings.TrimSpace(cmd.Long) + "\n") {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "Examples:", line == "Exit codes:":
			fmt.Fprintf(&b, ".fi\n.SH %s\n.nf\n", strings.ToUpper(strings.TrimSuffix(line, ":")))
		case strings.HasPrefix(line, "."):
			b.WriteString(`\&` + roff(line) + "\n")
		default:
			b.WriteString(roff(line) + "\n")
		}
	}
	b.WriteString(".fi\n")
	manFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	if cmd.HasParent() {
		b.WriteString(".SH GLOBAL OPTIONS\nThose of osssync(1): the service, who asks, limits, checkpoints and output.\n")
	}
	var see []string
	if cmd.HasParent() {
		see = append(see, strings.ReplaceAll(cmd.Parent().CommandPath(), " ", "-")+"(1)")
	}
	for _, c := range cmd.Commands() {
		if !c.Hidden && c.Name() != "help" {
			see = append(see, strings.ReplaceAll(c.CommandPath(), " ", "-")+"(1)")
		}
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(strings.Join(see, ", ")))
	return b.Bytes()
}

func manFlags(b *bytes.Buffer, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR", roff(name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n\\&%s\n", roff(usage))
	})
}
