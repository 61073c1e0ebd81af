package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const cpLong = `Copy a file or object, or with -r a whole tree, to, from or between buckets.

  osssync cp FILE oss://BUCKET/KEY     a file; KEY ending in / means into it
  osssync cp oss://BUCKET/KEY FILE     an object; FILE ending in /, or a folder, means into it
  osssync cp -r DIR oss://BUCKET/P     the contents of DIR below P/
  osssync cp -r oss://BUCKET/P DIR     the contents of P/ into DIR
  osssync cp [-r] oss://B/K oss://C/K  within the service: no byte of it comes here
  osssync cp - oss://BUCKET/KEY        stdin
  osssync cp oss://BUCKET/KEY -        to stdout
  osssync cp 'oss://BUCKET/2024-*/x?.csv' DIR   every object that matches, as DIR/2024-01/x1.csv

What is there already is replaced without a question. Run an interrupted command
again and it goes on where it stopped. A stdin that is closed (<&-) cannot be told from
an empty one: an empty object is what comes of it.
`

func newCpCommand(a *app, plan *planFlags) *cobra.Command {
	f := copyFlags{plan: plan}
	cmd := &cobra.Command{
		Use:   "cp SRC DST",
		Short: "Copy files and objects",
		Long:  cpLong + "\n" + globHelp + "\n" + nameHelp + "\n" + exitHelp,
		Args:  oneSource,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.newCopy(cmd, args, &f)
			if err != nil {
				return err
			}
			c.globs = true
			return c.run()
		},
	}
	cmd.Flags().SortFlags = false
	addRaw(cmd, &f.raw)
	cmd.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "copy a whole tree")
	f.register(cmd)
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "with -r: a prefix without objects is no error")
	cmd.Flags().StringVar(&f.versionID, "version-id", "", "copy this version `ID` of the object")
	cmd.Flags().StringVar(&f.byteRange, "range", "", "copy only `BYTES` of the object, as 0-99, 100- or -100; to stdout only")
	return cmd
}

// copying is one cp, mv or sync.
type copying struct {
	app      *app
	cmd      *cobra.Command
	args     []string
	src, dst place
	backup   place  // of what is replaced; empty for none
	globs    bool   // SRC may be a pattern
	pattern  string // below SRC; empty for none
	origin   place  // SRC as it was given, if it is a pattern
	flags    *copyFlags
	move     bool // sources are removed
	single   bool // one object is planned
	headers  oss.ObjectHeaders
	rng      oss.Range
}

// newCopy checks everything that can be checked without a request.
func (a *app) newCopy(cmd *cobra.Command, args []string, f *copyFlags) (*copying, error) {
	c := &copying{app: a, cmd: cmd, args: args, flags: f, move: cmd.Name() == "mv"}
	var err error
	if c.src, err = parsePlace(args[0]); err != nil {
		return nil, err
	}
	if c.dst, err = parsePlace(args[1]); err != nil {
		return nil, err
	}
	switch {
	case !c.src.remote() && !c.dst.remote():
		return nil, &usageError{message: "neither side is in a bucket", hint: "write oss://bucket/key for an object"}
	case f.recursive && (c.src.stdio || c.dst.stdio):
		return nil, &usageError{message: "a tree cannot go through stdin or stdout"}
	case c.src.stdio && c.dst.isTree():
		return nil, &usageError{message: "stdin has no name", hint: "write the whole key as the destination"}
	case len(f.compareFlags()) > 1:
		return nil, &usageError{message: strings.Join(f.compareFlags(), " and ") + " exclude each other"}
	case a.flags.json && c.dst.stdio:
		return nil, &usageError{message: "--json and the object cannot both go to stdout"}
	}
	if c.headers, err = f.headers(c.dst.remote()); err != nil {
		return nil, err
	}
	if f.byteRange != "" && !c.dst.stdio {
		return nil, &usageError{message: "--range only works to stdout", hint: "osssync cp --range 0-99 oss://bucket/key - > file"}
	}
	if c.rng, err = oss.ParseRange(f.byteRange); err != nil {
		return nil, err
	}
	if f.versionID != "" && (!c.src.remote() || f.recursive) {
		return nil, &usageError{message: "--version-id is for one object as the source"}
	}
	if f.keepACL && !(c.src.remote() && c.dst.remote()) {
		return nil, &usageError{message: "--keep-acl is for copies between buckets"}
	}
	if err := f.files.check(c.src, c.dst); err != nil {
		return nil, err
	}
	return c, nil
}

// run chooses the call of the engine.
func (c *copying) run() error {
	tree, err := c.isTree()
	if err != nil {
		return err
	}
	if !tree && !c.expands() {
		if err := c.forTrees(); err != nil {
			return err
		}
	}
	var buckets []string
	for _, p := range []place{c.src, c.dst} {
		if p.remote() {
			buckets = append(buckets, p.bucket)
		}
	}
	if c.flags.backupDir != "" {
		if c.backup, err = parsePlace(c.flags.backupDir); err != nil {
			return err
		}
		if c.backup.stdio {
			return &usageError{message: "--backup-dir wants a folder or oss://BUCKET/PREFIX"}
		}
		if c.backup.remote() {
			buckets = append(buckets, c.backup.bucket)
		}
	}
	return c.app.with(c.cmd, buckets, func(s *service) error {
		if err := s.checkApart(c.src, c.dst); err != nil {
			return err
		}
		if c.expands() {
			if err := c.expand(s); err != nil {
				return err
			}
			if tree = tree || c.pattern != ""; !tree {
				if err := c.forTrees(); err != nil {
					return err
				}
			}
		}
		switch {
		case tree:
			return c.tree(s)
		case c.flags.plan != nil:
			return c.planSingle(s)
		case c.dst.stdio:
			return c.toStdout(s)
		case c.src.remote() && c.dst.remote():
			return c.copy(s)
		case c.dst.remote():
			return c.upload(s)
		}
		return c.download(s)
	})
}

// forTrees refuses flags that have no meaning for one object.
func (c *copying) forTrees() error {
	if c.flags.plan != nil && (c.src.stdio || c.dst.stdio || c.flags.versionID != "") {
		return &usageError{message: "a stream or an old version cannot be planned", hint: "plan a file or an object, or a tree: cp -r, mv -r, or sync"}
	}
	if given := c.flags.compareFlags(); len(given) > 0 {
		return &usageError{message: given[0] + " compares trees", hint: "use it with -r or with sync"}
	}
	if c.flags.filter.given() {
		return &usageError{message: "filters choose among the names of a tree", hint: "use them with -r or with sync"}
	}
	if c.flags.existing || c.flags.modifyWindow != 0 {
		return &usageError{message: "--existing and --modify-window compare trees", hint: "use them with -r or with sync"}
	}
	if c.flags.ifUnchanged {
		return &usageError{message: "--if-unchanged is for trees", hint: "use it with -r or with sync"}
	}
	if given := c.flags.files.forTrees(); len(given) > 0 {
		return &usageError{message: given[0] + " is for trees", hint: "use it with -r or with sync"}
	}
	return nil
}

// isTree decides whether SRC is copied as a tree, and refuses a tree without
// -r.
func (c *copying) isTree() (bool, error) {
	if c.src.local() {
		info, err := os.Stat(c.src.path)
		if c.move && !c.flags.recursive && errors.Is(err, fs.ErrNotExist) {
			return false, nil // an earlier run may have moved it
		}
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			return false, fmt.Errorf("%s %s: %w", c.cmd.Name(), c.src, pathErr.Err)
		}
		switch {
		case err != nil:
			return false, err
		case info.IsDir() && !c.flags.recursive:
			return false, &usageError{message: fmt.Sprintf("%s is a folder", c.src), hint: c.verb() + " its contents with -r"}
		case !info.IsDir() && !info.Mode().IsRegular():
			return false, &usageError{message: fmt.Sprintf("%s is neither a file nor a folder", c.src), hint: "send a stream as -"}
		}
		return info.IsDir(), nil
	}
	if c.src.isTree() && !c.flags.recursive && !c.expands() {
		return false, &usageError{message: fmt.Sprintf("%s is a prefix", c.src), hint: c.verb() + " what is below it with -r"}
	}
	return c.flags.recursive, nil
}

// verb is what is done to the source, in words.
func (c *copying) verb() string {
	if c.move {
		return "move"
	}
	return "copy"
}

// job is the common part of all calls.
func (c *copying) job(s *service, call engineCall) error {
	err := c.app.runJob(s, task{cmd: c.cmd, args: c.args, src: c.src, dst: c.dst, dryRun: c.flags.dryRun, call: c.matched(call)})
	if c.src.remote() && !c.dst.stdio && errors.Is(err, oss.ErrNoSuchKey) && !errors.Is(err, transfer.ErrIncomplete) {
		return &hintedError{err, "check the name with: osssync ls; if it is a folder there, " + c.verb() + " what is below it with -r"}
	}
	return err
}

func (c *copying) tree(s *service) error {
	exclude, err := c.app.ownFiles(s)
	if err != nil {
		return err
	}
	set, err := c.filter()
	if err != nil {
		return err
	}
	var kept transfer.Location
	if c.backup != (place{}) {
		kept = s.location(c.backup)
	}
	sync := func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions, plan io.Writer) (*transfer.Report, error) {
		opts := &transfer.SyncOptions{
			JobOptions: o, Headers: c.headers, Compare: c.flags.compare(c.cmd.Name()), ExistingOnly: c.flags.existing, ModifyWindow: c.flags.modifyWindow, Exclude: exclude, AllowEmpty: c.flags.allowEmpty, DryRun: c.flags.dryRun,
			KeepACL: c.flags.keepACL, IfUnchanged: c.flags.ifUnchanged, RemoveSource: c.move, Single: c.single,
			Delete: c.flags.remove.on, MaxDelete: c.flags.remove.most.limit,
			AllowEmptySource: c.flags.remove.allowEmptySource, IgnoreErrors: c.flags.remove.ignoreErrors,
			Filter: set, Backup: kept, DeleteExcluded: c.flags.remove.excluded, Files: c.flags.files.options(),
		}
		if plan != nil {
			return e.Plan(ctx, s.location(c.src), s.location(c.dst), plan, opts)
		}
		return e.Sync(ctx, s.location(c.src), s.location(c.dst), opts)
	}
	if c.flags.plan != nil {
		t := task{cmd: c.cmd, args: c.args, src: c.src, dst: c.dst, dryRun: true, planned: true}
		return c.app.writePlan(s, c.flags.plan, t, func(w io.Writer) engineCall {
			return c.matched(func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
				return sync(ctx, e, o, w)
			})
		})
	}
	return c.job(s, func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		return sync(ctx, e, o, nil)
	})
}

// planSingle plans one file or object.
func (c *copying) planSingle(s *service) error {
	one := *c
	one.single = true
	switch {
	case !c.dst.remote():
		name, err := c.dst.pathFor(c.src.key)
		if err != nil {
			return err
		}
		one.dst = place{path: name}
	case c.src.remote():
		one.dst.key = c.dst.keyFor(path.Base(c.src.key))
	default:
		one.dst.key = c.dst.keyFor(c.src.path)
	}
	return one.tree(s)
}

func (c *copying) upload(s *service) error {
	dst := c.dst
	dst.key = dst.keyFor(c.src.path)
	if c.flags.dryRun {
		return c.wouldCopy("upload", c.src, dst)
	}
	return c.job(s, func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		opts := &transfer.UploadOptions{JobOptions: o, Headers: c.headers, RemoveSource: c.move, Preserve: c.flags.files.preserve}
		if c.src.stdio {
			return e.UploadStream(ctx, newPatientReader(ctx, c.app.stdin), s.location(dst), opts)
		}
		return e.Upload(ctx, c.src.path, s.location(dst), opts)
	})
}

func (c *copying) copy(s *service) error {
	dst := c.dst
	dst.key = dst.keyFor(path.Base(c.src.key))
	if c.flags.dryRun {
		return c.wouldCopy("copy", c.src, dst)
	}
	return c.job(s, func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		return e.Copy(ctx, s.location(c.src), s.location(dst), &transfer.CopyOptions{
			JobOptions: o, VersionID: c.flags.versionID, Headers: c.headers, KeepACL: c.flags.keepACL, RemoveSource: c.move,
		})
	})
}

func (c *copying) download(s *service) error {
	name, err := c.dst.pathFor(c.src.key)
	if err != nil {
		return err
	}
	if c.flags.dryRun {
		return c.wouldCopy("download", c.src, place{path: name})
	}
	return c.job(s, func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		return e.Download(ctx, s.location(c.src), name, &transfer.DownloadOptions{JobOptions: o, VersionID: c.flags.versionID, RemoveSource: c.move, Preserve: c.flags.files.preserve, Sparse: c.flags.files.sparse})
	})
}

func (c *copying) toStdout(s *service) error {
	if c.flags.dryRun {
		return c.wouldCopy("download", c.src, c.dst)
	}
	return c.job(s, func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
		return e.DownloadTo(ctx, s.location(c.src), c.app.stdout, &transfer.DownloadOptions{
			JobOptions: o, VersionID: c.flags.versionID, Range: c.rng,
		})
	})
}

// wouldCopy is the dry run of one object: there is nothing to compare.
func (c *copying) wouldCopy(operation string, src, dst place) error {
	a, now := c.app, time.Now()
	var length, removes int64 // an object's length is not known without a request
	if c.move {
		removes = 1
	}
	if info, err := os.Stat(src.path); operation == "upload" && err == nil {
		length = info.Size()
	}
	a.outcome = &outcome{
		dryRun: true, planned: 1, plannedBytes: length, plannedRemoves: removes,
		report: &transfer.Report{
			Version: transfer.ReportVersion, Kind: operation, Source: src.String(), Destination: dst.String(),
			State: transfer.StateDone, Started: now, Finished: now, Objects: transfer.ObjectCounts{Total: 1},
		},
	}
	if a.flags.json {
		a.emit(startLine{V: jsonVersion, Type: "start", Command: c.cmd.Name(), Source: src.String(), Destination: dst.String(), DryRun: true})
		a.emit(objectLine{
			V: jsonVersion, Type: "object", Key: cmp.Or(dst.key, src.key), Operation: operation,
			Outcome: transfer.OutcomePlanned, Size: length,
		})
		if c.move {
			a.emit(objectLine{V: jsonVersion, Type: "object", Key: cmp.Or(src.key, src.path), Operation: "remove", Outcome: transfer.OutcomePlanned, Size: length})
		}
		return nil
	}
	removed := ""
	if c.move {
		removed = ", and remove the source"
	}
	_, err := fmt.Fprintf(a.stdout, "would %s %s to %s%s\n", operation, src, dst, removed)
	return err
}
