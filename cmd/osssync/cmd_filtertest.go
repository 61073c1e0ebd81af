package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer/filter"
)

const filterTestLong = `Say for each KEY whether filters let it in, and which of them decides.

KEY is a name as it is below SRC: a/b.jpg for oss://BUCKET/photos/a/b.jpg if SRC is
oss://BUCKET/photos. Nothing is listed or read but the files that filters name. A KEY
that ends in / is a folder as well: the answer then also says whether the folder would
be looked into.

Filters are tried in the order of the command line, and the first that matches
decides; what none matches is in, unless there is an --include. Patterns:

  ?         one character but /
  *         any number of characters but /
  **        any number of characters
  [a-z]     one of these, [!a-z] none of these
  {a,b}     one of these patterns
  \*        the character itself
  /x        x at the root; without the / the end of a name, from the beginning of
            one of its parts
  x/        everything below the folder x

A file of --filter-from has a rule a line, "+ PATTERN" or "- PATTERN"; "!" forgets
what came before, and lines that begin with # are comments.

Examples:
  osssync filter-test --exclude '*.tmp' --exclude /cache/ a.tmp cache/x docs/cache/x
  osssync filter-test --filter-from photos.rules 2026/a.jpg 2026/thumbs/
  osssync filter-test --max-age 2d --mtime 2026-01-31 logs/a.log
`

func newFilterTestCommand(a *app) *cobra.Command {
	t := &filterTest{app: a, class: choice{allowed: storageClasses}}
	cmd := &cobra.Command{
		Use:   "filter-test [FILTERS] KEY...",
		Short: "Say which filter decides about a name",
		Long:  filterTestLong + "\n" + exitHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{message: "missing KEY", help: true}
			}
			return nil
		},
		RunE: t.run,
	}
	cmd.Flags().SortFlags = false
	t.filters.register(cmd)
	cmd.Flags().Var(&t.size, "size", "the KEYs have `SIZE`")
	cmd.Flags().Var(&t.mtime, "mtime", "the KEYs were modified at `TIME`")
	cmd.Flags().Var(&t.class, "class", "the KEYs have storage `CLASS`")
	return cmd
}

// filterTest is one filter-test.
type filterTest struct {
	app     *app
	filters filterFlags
	size    optionalSize
	mtime   moment
	class   choice
}

type verdictLine struct {
	V      int    `json:"v"`
	Type   string `json:"type"`
	Key    string `json:"key"`
	In     bool   `json:"in"`
	Rule   string `json:"rule,omitempty"`
	Source string `json:"source,omitempty"`
	Listed *bool  `json:"listed,omitempty"`
}

func (t *filterTest) run(cmd *cobra.Command, keys []string) error {
	for _, key := range keys {
		if strings.HasPrefix(key, scheme) {
			return &usageError{message: printable(key) + " is a URL", hint: "write the name that it has below SRC"}
		}
	}
	set, err := t.filters.set(cmd.Context(), t.app)
	if err != nil {
		return err
	}
	t.warn(keys)
	info := filter.Info{Size: -1, ModTime: t.mtime.time, StorageClass: t.class.value}
	if t.size.value != nil {
		info.Size = *t.size.value
	}
	for _, key := range keys {
		line := verdictLine{V: jsonVersion, Type: "verdict", Key: key}
		v := set.Match(key, info)
		line.In, line.Rule, line.Source = v.In, v.Rule, v.Source
		if strings.HasSuffix(key, "/") {
			line.Listed = new(set.Dir(key))
		}
		if t.app.flags.json {
			err = t.app.writeJSON(t.app.stdout, line)
		} else {
			_, err = fmt.Fprintln(t.app.stdout, line.text(v))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text is the line for people.
func (l verdictLine) text(v filter.Verdict) string {
	word, reason, _ := strings.Cut(v.String(), ": ")
	s := fmt.Sprintf("%-4s %s: %s", word, printable(l.Key), oneLine(reason))
	switch {
	case l.Listed == nil:
		return s
	case *l.Listed:
		return s + "; looked into"
	}
	return s + "; not looked into"
}

// warn says what the answers do not take into account.
func (t *filterTest) warn(keys []string) {
	f, a := &t.filters, t.app
	if (f.minSize != 0 || f.maxSize.value != nil) && t.size.value == nil {
		a.warn("sizes are left aside: say --size")
	}
	if (f.minAge.duration != 0 || f.maxAge.duration != 0 || f.minTime.text != "" || f.maxTime.text != "") && t.mtime.text == "" {
		a.warn("times are left aside: say --mtime")
	}
	if len(f.classes.values) > 0 && t.class.value == "" {
		a.warn("storage classes are left aside: say --class")
	}
	for _, key := range keys {
		if strings.HasPrefix(key, "/") || strings.HasPrefix(key, "./") {
			a.warn("%s: names below SRC do not begin so", printable(key))
		}
	}
}
