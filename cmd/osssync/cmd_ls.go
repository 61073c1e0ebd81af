package main

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer/filter"
)

const lsLong = `List buckets, objects, their versions, or uploads that were begun and not completed.

  osssync ls                       the account's buckets
  osssync ls oss://BUCKET/PREFIX   the objects whose keys begin with PREFIX
  osssync ls 'oss://BUCKET/**/*.csv'  those that match, and what lies below such
  osssync ls -d oss://BUCKET/P/    one level below P/
  osssync ls -m oss://BUCKET       unfinished uploads; -a objects and uploads
  osssync ls --all-versions oss://BUCKET/P/   every version and delete marker

On a terminal a name that a shell would take apart stands in quotes, to be pasted back;
elsewhere all but control characters stand as they are.

`

func newLsCommand(a *app) *cobra.Command {
	l := &listing{app: a, limit: count{min: 1, max: 1 << 40}}
	cmd := &cobra.Command{
		Use:   "ls [oss://BUCKET[/PREFIX]]",
		Short: "List buckets, objects, versions and unfinished uploads",
		Long:  lsLong + globHelp + "\n" + exitHelp,
		Args:  upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.run(cmd, args)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&l.short, "short-format", "s", false, "only the URLs")
	cmd.Flags().BoolVarP(&l.oneLevel, "directory", "d", false, "only one level, folders as one line")
	cmd.Flags().BoolP("recursive", "r", false, "accepted as of other tools: without -d all below PREFIX is listed")
	cmd.Flags().BoolVarP(&l.uploads, "multipart", "m", false, "unfinished uploads in place of objects")
	cmd.Flags().BoolVarP(&l.allTypes, "all-type", "a", false, "objects, then unfinished uploads")
	cmd.Flags().BoolVar(&l.versions, "all-versions", false, "every version and delete marker")
	cmd.Flags().BoolVarP(&l.human, "human-readable", "H", false, "sizes as 1.5 GiB")
	cmd.Flags().Var(&l.limit, "limited-num", "stop after `N` lines")
	cmd.Flags().StringVar(&l.marker, "marker", "", "begin after this `KEY`, or bucket name; it need not exist")
	addRaw(cmd, &l.raw)
	l.filters.register(cmd)
	return cmd
}

// listing is one ls.
type listing struct {
	app      *app
	short    bool
	oneLevel bool
	uploads  bool
	allTypes bool
	versions bool
	human    bool
	raw      bool
	limit    count
	marker   string
	filters  filterFlags
	set      *filter.Set

	out *bufio.Writer
	n   int64
}

// flushEvery rows reach the reader together.
const flushEvery = 1000

// row is one line of a listing.
type row struct {
	url  string
	long string // what stands before the URL
	json any
}

func (l *listing) run(cmd *cobra.Command, args []string) error {
	l.out = bufio.NewWriterSize(l.app.stdout, 64<<10)
	switch {
	case l.versions && (l.uploads || l.allTypes):
		return &usageError{message: "--all-versions goes with neither -m nor -a: uploads have no versions"}
	case len(args) == 0 || args[0] == scheme:
		if l.uploads || l.allTypes || l.versions || l.filters.given() {
			return &usageError{message: "-m, -a, --all-versions and filters are about what is in a bucket", hint: "osssync ls -m oss://BUCKET"}
		}
		return l.app.withEngine(cmd, nil, func(r *requester) error {
			return l.print(l.buckets(cmd.Context(), r))
		})
	}
	p, err := parseRemote(args[0])
	if err != nil {
		return err
	}
	if l.set, err = l.filters.set(cmd.Context(), l.app); err != nil {
		return err
	}
	return l.app.withEngine(cmd, []string{p.bucket}, func(r *requester) error {
		return l.print(l.tables(cmd.Context(), r, p)...)
	})
}

// table is a listing's rows with what stands above and below them.
type table struct {
	header string
	title  string // of the count
	rows   iter.Seq2[row, error]
}

// print writes the tables' rows as they come. What came before an error is
// printed.
func (l *listing) print(tables ...table) error {
	var failure error
	for _, t := range tables {
		if failure = l.table(t); failure != nil {
			break
		}
	}
	if failure == nil && l.app.flags.json {
		failure = l.app.writeJSON(l.out, countLine{V: jsonVersion, Type: "summary", Count: l.n})
	}
	return firstError(failure, l.out.Flush())
}

func (l *listing) table(t table) error {
	header := t.header // until it is written, which waits for the first answer
	if l.short || l.app.flags.json {
		header = ""
	}
	before := l.n
	for r, err := range t.rows {
		if err == nil && l.limit.value > 0 && l.n >= l.limit.value {
			break
		}
		if err == nil && header != "" {
			err, header = l.line(header), ""
		}
		if err == nil {
			err = l.row(r)
		}
		if l.n++; err == nil && l.n%flushEvery == 0 {
			err = l.out.Flush()
		}
		if err != nil {
			return err
		}
	}
	if l.app.flags.json {
		return nil
	}
	if header != "" {
		if err := l.line(header); err != nil {
			return err
		}
	}
	return l.line(fmt.Sprintf("%s: %d", t.title, l.n-before))
}

func (l *listing) row(r row) error {
	switch {
	case l.app.flags.json:
		return l.app.writeJSON(l.out, r.json)
	case l.short:
		return l.line(l.app.name(r.url))
	}
	return l.line(r.long + "  " + l.app.name(r.url))
}

func (l *listing) line(s string) error {
	_, err := io.WriteString(l.out, s+"\n")
	return err
}

// size is a size as the flags want it.
func (l *listing) size(n int64) string {
	if l.human {
		return size(n)
	}
	return fmt.Sprint(n)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// timestamp is t as ossutil writes it, in UTC.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 -0700 MST")
}

// level cuts keys into the entries of one level of a tree.
type level struct {
	slashes int // of a key that is an entry of its own
	last    string
}

// newLevel is the level that sel is about.
func newLevel(sel *selection) (*level, error) {
	name := sel.prefix
	if sel.pattern != "" {
		name = sel.pattern
		if strings.Contains(name, "**") || strings.ContainsAny(name, "{") && bracesHoldSlash(name) {
			return nil, &usageError{message: "-d needs a pattern of one depth, without ** and without a slash in braces"}
		}
	}
	return &level{slashes: strings.Count(name, "/")}, nil
}

func bracesHoldSlash(pattern string) bool {
	depth := 0
	for _, r := range pattern {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case r == '/' && depth > 0:
			return true
		}
	}
	return false
}

// entry is the folder that the key lies in, or "" for a key of the level
// itself. It is new once.
func (v *level) entry(key string) (folder string, isNew bool) {
	n := 0
	for i := range len(key) {
		if key[i] != '/' {
			continue
		}
		if n++; n > v.slashes {
			isNew = v.last != key[:i+1]
			v.last = key[:i+1]
			return v.last, isNew
		}
	}
	return "", true
}
