package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// allCommands are the commands a person can type, with their subcommands.
func allCommands(t *testing.T) []*cobra.Command {
	t.Helper()
	var all []*cobra.Command
	var add func(*cobra.Command)
	add = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.Hidden || sub.Name() == "help" || !sub.Runnable() {
				continue
			}
			all = append(all, sub)
			add(sub)
		}
	}
	add(newRootCommand(&app{}))
	if len(all) < 30 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

// The help of each command has all that a person looks for.
func TestHelpSections(t *testing.T) {
	for _, c := range allCommands(t) {
		path := strings.TrimPrefix(c.CommandPath(), "osssync ")
		code, text, _ := command(t.Context(), append([]string{"help"}, strings.Fields(path)...)...)
		for what, section := range map[string]string{
			"synopsis":   `(?m)^Usage:\n  osssync ` + path,
			"examples":   `(?m)^ *osssync (\S+ )*` + c.Name() + `\b.*[^\]]$`,
			"exit codes": `(?m)^Exit codes:\n  0   `,
		} {
			if code != exitOK || !regexp.MustCompile(section).MatchString(text) {
				t.Errorf("%s: no %s in\n%s", path, what, text)
			}
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help is %q", path, c.Short)
		}
	}
}

// inGo are cases of commands that need more than a script.
var inGo = map[string]string{
	"serve a good case": "startserver", // in most scripts
	"ctl a good case":   "TestCtl",
}

// Each command has a script of its name, with what goes well, what is wrong
// usage, and what fails.
func TestEveryCommandHasScripts(t *testing.T) {
	for _, c := range allCommands(t) {
		if c.Parent().HasParent() {
			continue // in its parent's script
		}
		name := c.Name()
		text, err := os.ReadFile("testdata/script/" + name + ".txtar")
		if err != nil {
			t.Error(err)
		}
		for what, codes := range map[string]string{"a good case": "0", "wrong usage": "1", "a failure": "([2-9]|10|11)"} {
			line := regexp.MustCompile(`(?m)^(\[unix\] )?exitcode ` + codes + ` (sh -c ')?osssync (--?\S+ )*` + name + `\b`)
			if elsewhere := name + " " + what; !line.Match(text) && inGo[elsewhere] == "" {
				t.Errorf("%s.txtar has no script of %s (exitcode %s osssync %s …)", name, what, codes, name)
			}
		}
	}
}

// sampleValues are values that flags of that type take.
var sampleValues = map[string]string{
	"bool": "true", "size": "1M", "n": "2", "time": "10m", "duration": "2s",
	"rate": "20M", "times": "01:00-02:00", "moment": "23:00", "rule": "+ x", "N": "3", "string": "x",
	"stringArray": "x", "stringSlice": "x", "int": "1",
}

// Every flag of every command can be set by a variable of the environment, and
// what it sets is what the flag would.
func TestEveryFlagFromTheEnvironment(t *testing.T) {
	flags := 0
	for _, c := range allCommands(t) {
		c.InheritedFlags() // merges those of the parents
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		for _, name := range names {
			f := c.Flags().Lookup(name)
			if name == "help" {
				continue
			}
			value := sampleValues[f.Value.Type()]
			if v, ok := f.Value.(*choice); ok {
				value = v.allowed[0]
			}
			if value == "" || f.Value.Set(value) != nil {
				if value = sampleFor(f); value == "" {
					t.Errorf("%s --%s: no value of type %s is known", c.Name(), name, f.Value.Type())
					continue
				}
			}
			variable := "OSSSYNC_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			t.Setenv(variable, value)
			var s settings
			if err := s.fromEnvironment(c); err != nil || s.origins[name] != "environment "+variable {
				t.Errorf("%s --%s: %v, from %q", c.Name(), name, err, s.origins[name])
			}
			t.Setenv(variable, "")
			flags++
		}
	}
	if flags < 500 {
		t.Errorf("only %d flags", flags)
	}
}

// sampleFor tries values on flags whose type does not tell.
func sampleFor(f *pflag.Flag) string {
	for _, v := range []string{"x", "1", "10m", "1M", "private", "2026-01-02", "Standard", "crc64", "127.0.0.1:0", "none", "a=b", "0600", "v4", "off", "s3", "failed"} {
		if f.Value.Set(v) == nil {
			return v
		}
	}
	return ""
}

// What is said of other tools' words is no word of ours, and names commands
// that there are.
func TestOtherWords(t *testing.T) {
	root := newRootCommand(&app{})
	for _, table := range []map[string]string{otherCommands, otherFlags} {
		for word, hint := range table {
			if text, ok := strings.CutPrefix(hint, "osssync "); ok {
				if first, _, _ := strings.Cut(text, " "); first != "mv" && first != "has" {
					if _, _, err := root.Find([]string{first}); err != nil {
						t.Errorf("%s: %v", word, err)
					}
				}
			}
		}
	}
	for word := range otherCommands {
		if c, _, err := root.Find([]string{word}); err == nil && c != root {
			t.Errorf("%s is a command of ours", word)
		}
	}
	// A command may have a flag that is another tool's word at another command.
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if otherFlags[f.Name] != "" {
			t.Errorf("every command has a flag --%s", f.Name)
		}
	})
}
