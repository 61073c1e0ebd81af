package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const checkLong = `Compare two trees, or a file and an object, without changing anything.

  osssync check DIR oss://BUCKET/P          the contents of DIR with what is below P/
  osssync check oss://BUCKET/P DIR
  osssync check oss://BUCKET/P oss://B/Q
  osssync check FILE oss://BUCKET/KEY       one file; KEY ending in / means into it
  osssync check oss://BUCKET/KEY FILE       one object, if there is one of that name

Names are compared by size and CRC-64: the service keeps that of each object, so that
only files are read. With --download the bytes of both sides are compared, for a
service without a CRC-64 or one that is not believed.

Each difference is a line on stdout, in the order of the names. The exit code is 6 if
there is any, else 4 if something could not be read, else 0.

--combined writes a line for every name, as rclone does:
  = NAME   the same on both sides
  - NAME   missing at SRC
  + NAME   missing at DST
  * NAME   different
  ! NAME   could not be read
`

func newCheckCommand(a *app) *cobra.Command {
	c := &checking{app: a}
	cmd := &cobra.Command{
		Use:   "check SRC DST",
		Short: "Compare two trees",
		Long:  checkLong + "\n" + exitHelp,
		Args:  exactly(2, "SRC and DST"),
		RunE:  func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&c.checksum, "checksum", false, "compare size and CRC-64 (what is done without a flag)")
	flags.BoolVar(&c.sizeOnly, "size-only", false, "compare sizes only")
	flags.BoolVar(&c.download, "download", false, "compare the bytes: objects are downloaded, not stored")
	flags.BoolVar(&c.oneWay, "one-way", false, "what only DST has is no difference")
	flags.StringVar(&c.combined, "combined", "", "write what was found of every name to `FILE`; - is stdout")
	c.filter.register(cmd)
	c.files.registerNames(cmd)
	return cmd
}

// checking is one check.
type checking struct {
	app                          *app
	checksum, sizeOnly, download bool
	oneWay                       bool
	combined                     string
	filter                       filterFlags
	files                        nameFlags

	src, dst place
	lines    *bufio.Writer // of --combined; nil without
}

func (c *checking) run(cmd *cobra.Command, args []string) (err error) {
	if err := c.parse(args); err != nil {
		return err
	}
	var buckets []string
	for _, p := range []place{c.src, c.dst} {
		if p.remote() {
			buckets = append(buckets, p.bucket)
		}
	}
	return c.app.with(cmd, buckets, func(s *service) error {
		if err := s.checkApart(c.src, c.dst); err != nil {
			return err
		}
		single, err := c.single(cmd.Context(), s)
		if err != nil {
			return err
		}
		if given := c.files.forTrees(); single && len(given) > 0 {
			return &usageError{message: given[0] + " is for trees, and SRC is a single name"}
		}
		if single && c.filter.given() {
			return &usageError{message: "filters choose among the names of a tree, and SRC is a single name"}
		}
		set, err := c.filter.set(cmd.Context(), c.app)
		if err != nil {
			return err
		}
		exclude, err := c.app.ownFiles(s)
		if err != nil {
			return err
		}
		out, err := c.open(&exclude)
		if err != nil {
			return err
		}
		err = c.app.runJob(s, task{
			cmd: cmd, args: args, src: c.src, dst: c.dst,
			call: func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
				next := o.OnObject
				o.OnObject = func(e transfer.ObjectEvent) { c.found(e, next) }
				return e.Check(ctx, s.location(c.src), s.location(c.dst), &transfer.CheckOptions{
					JobOptions: o, Single: single, SizeOnly: c.sizeOnly, Download: c.download, OneWay: c.oneWay,
					Filter: set, Exclude: exclude, Files: c.files.options(),
				})
			},
		})
		return errors.Join(err, out())
	})
}

// parse checks everything that can be checked without a request.
func (c *checking) parse(args []string) (err error) {
	if c.src, err = parsePlace(args[0]); err != nil {
		return err
	}
	if c.dst, err = parsePlace(args[1]); err != nil {
		return err
	}
	var how []string
	for name, set := range map[string]bool{"--checksum": c.checksum, "--size-only": c.sizeOnly, "--download": c.download} {
		if set {
			how = append(how, name)
		}
	}
	switch {
	case c.src.stdio || c.dst.stdio:
		return &usageError{message: "a stream cannot be compared", hint: "see: osssync help hash"}
	case !c.src.remote() && !c.dst.remote():
		return &usageError{message: "neither side is in a bucket", hint: "write oss://bucket/key for an object"}
	case len(how) > 1:
		return &usageError{message: "--checksum, --size-only and --download exclude each other"}
	case c.combined == "-" && c.app.flags.json:
		return &usageError{message: "--json and --combined cannot both go to stdout"}
	}
	return c.files.check(c.src, c.dst)
}

// single decides whether SRC is one name, and names its counterpart.
func (c *checking) single(ctx context.Context, s *service) (bool, error) {
	if c.src.local() {
		info, err := os.Stat(c.src.path)
		if err != nil || info.IsDir() {
			return false, err
		}
		c.dst.key = c.dst.keyFor(c.src.path)
		return true, nil
	}
	if c.src.isTree() {
		return false, nil
	}
	if !c.dst.local() || isDir(c.dst.path) || !exists(c.dst.path) {
		e, err := c.app.engine()
		if err != nil {
			return false, err
		}
		there := false
		err = e.Try(ctx, "head "+c.src.key, func(ctx context.Context) (err error) {
			there, err = s.bucket(c.src).ObjectExists(ctx, c.src.key)
			return err
		})
		if err != nil || !there {
			return false, err
		}
	}
	if c.dst.local() {
		name, err := c.dst.pathFor(c.src.key)
		c.dst.path = name
		return true, err
	}
	c.dst.key = c.dst.keyFor(path.Base(c.src.key))
	return true, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// open makes the file of --combined, which is no part of any tree. Close it
// with what is returned.
func (c *checking) open(exclude *[]string) (func() error, error) {
	switch c.combined {
	case "":
		return func() error { return nil }, nil
	case "-":
		c.lines = bufio.NewWriter(c.app.stdout)
		return c.lines.Flush, nil
	}
	abs, err := filepath.Abs(c.combined)
	if err != nil {
		return nil, &usageError{message: "--combined: " + err.Error()}
	}
	f, err := os.OpenFile(abs, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, &usageError{message: "--combined: " + err.Error()}
	}
	*exclude = append(*exclude, abs)
	c.lines = bufio.NewWriter(f)
	return func() error {
		if err := errors.Join(c.lines.Flush(), f.Close()); err != nil {
			return fmt.Errorf("--combined: %w", err)
		}
		return nil
	}, nil
}

// symbols are those of --combined.
var symbols = map[transfer.Outcome]string{
	transfer.OutcomeSame: "=", transfer.OutcomeMissingSource: "-", transfer.OutcomeMissingDestination: "+",
	transfer.OutcomeDiffers: "*", transfer.OutcomeFailed: "!",
}

// found says what was found of one name. What is the same is only said to
// --combined; what could not be read is also said at the end, with the cause.
func (c *checking) found(e transfer.ObjectEvent, next func(transfer.ObjectEvent)) {
	if symbol := symbols[e.Outcome]; c.lines != nil && symbol != "" {
		// An error stays with the writer and shows when it is flushed.
		c.lines.WriteString(symbol + " " + printable(e.Key) + "\n") //nolint:errcheck
	}
	switch e.Outcome {
	case transfer.OutcomeSame, transfer.OutcomeSkipped:
		return
	case transfer.OutcomeMissingSource:
		e.Reason = "missing at SRC"
	case transfer.OutcomeMissingDestination:
		e.Reason = "missing at DST"
	}
	if c.app.flags.json {
		next(e)
		return
	}
	if c.combined == "-" || e.Outcome == transfer.OutcomeFailed {
		return
	}
	text := e.Reason
	if e.Outcome == transfer.OutcomeDiffers {
		text = "differs (" + text + ")"
	}
	io.WriteString(c.app.stdout, printable(e.Key)+": "+oneLine(text)+"\n") //nolint:errcheck // a reader that left does not stop a check
}

// checkLine is the last line of a check.
func checkLine(r *transfer.Report) string {
	n := r.Check
	state := ""
	if r.State != transfer.StateDone && r.State != transfer.StateDifferent && r.State != transfer.StateIncomplete {
		state = string(r.State) + "; so far "
	}
	line := fmt.Sprintf("%ssame: %s, %s; %d differ, %d missing at SRC, %d missing at DST, %d unreadable",
		state, number(n.Same, "object"), size(n.SameBytes), n.Differ, n.MissingSource, n.MissingDestination, n.Unreadable)
	if r.Objects.Skipped > 0 {
		line += fmt.Sprintf(", %d skipped", r.Objects.Skipped)
	}
	return line + "; in " + elapsed(r.Elapsed())
}
