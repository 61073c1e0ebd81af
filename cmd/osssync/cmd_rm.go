package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

const rmLong = `Remove an object, or with -r every object whose key begins with PREFIX.

  osssync rm oss://BUCKET/KEY
  osssync rm 'oss://BUCKET/log/*.gz'     every object that matches
  osssync rm -r oss://BUCKET/PREFIX
  osssync rm -m -r oss://BUCKET/PREFIX   abort uploads that were never completed
  osssync rm -a -r oss://BUCKET/PREFIX   both
  osssync rm -r --exclude '*.keep' --min-age 30d oss://BUCKET/PREFIX
  osssync rm --version-id ID oss://BUCKET/KEY       one version, for good
  osssync rm --all-versions -r oss://BUCKET/PREFIX  every version and delete marker

A single object that is not there is skipped, and that is no failure: exit code 0.
Note that PREFIX is not a folder: "p" covers "p/x" and "px" as well; write "p/".
With -r a pattern takes what lies below what it matches as well, and filters choose
among it all. On a terminal -r and patterns ask first, unless -f is given.

`

func newRmCommand(a *app) *cobra.Command {
	r := &removal{app: a}
	cmd := &cobra.Command{
		Use:   "rm oss://BUCKET/KEY",
		Short: "Remove objects, versions or unfinished uploads",
		Long:  rmLong + globHelp + "\n" + exitHelp,
		Args:  exactly(1, "the URL of an object"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd, args)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&r.recursive, "recursive", "r", false, "everything whose key begins with the given one")
	cmd.Flags().BoolVarP(&r.force, "force", "f", false, "do not ask")
	cmd.Flags().BoolVarP(&r.uploads, "multipart", "m", false, "abort unfinished uploads in place of removing objects")
	cmd.Flags().BoolVarP(&r.allTypes, "all-type", "a", false, "remove objects and abort unfinished uploads")
	cmd.Flags().BoolVar(&r.versions, "all-versions", false, "remove every version and delete marker, for good")
	cmd.Flags().StringVar(&r.versionID, "version-id", "", "remove this version `ID` of the object, for good")
	cmd.Flags().BoolVarP(&r.dryRun, "dry-run", "n", false, "say what would be removed and do nothing")
	addRaw(cmd, &r.raw)
	r.filters.register(cmd)
	return cmd
}

// removal is one rm.
type removal struct {
	app       *app
	recursive bool
	force     bool
	uploads   bool
	allTypes  bool
	versions  bool
	versionID string
	dryRun    bool
	raw       bool
	filters   filterFlags
}

func (r *removal) run(cmd *cobra.Command, args []string) error {
	p, err := parseRemote(args[0])
	switch {
	case err != nil:
		return err
	case p.key == "" && !r.recursive:
		return &usageError{message: p.String() + " is a bucket", hint: "remove everything in it with -r, and the bucket with: osssync rb"}
	case r.versionID != "" && (r.recursive || r.versions || r.uploads || r.allTypes):
		return &usageError{message: "--version-id names one version of one object: it goes without -r, -m, -a and --all-versions"}
	case r.filters.given() && !r.recursive:
		return &usageError{message: "filters choose among what -r finds", hint: "use them with -r"}
	case r.uploads && (r.versions || r.allTypes):
		return &usageError{message: "-m removes uploads only", hint: "for objects as well give -a in its place"}
	}
	set, err := r.filters.set(cmd.Context(), r.app)
	if err != nil {
		return err
	}
	return r.app.withEngine(cmd, []string{p.bucket}, func(s *requester) error {
		what := objects
		switch {
		case r.uploads:
			what = uploads
		case r.versions:
			what = versions
		}
		sel, err := r.choose(cmd.Context(), s, p, what, set)
		if err != nil {
			return err
		}
		if err := r.confirm(cmd.Context(), p, sel); err != nil {
			return err
		}
		if r.uploads || r.allTypes {
			if err := r.abort(cmd.Context(), s, sel); err != nil || r.uploads {
				return err
			}
		}
		return r.objects(cmd, args, s, p, sel)
	})
}

func (r *removal) choose(ctx context.Context, s *requester, p place, what content, set *filter.Set) (*selection, error) {
	if r.recursive {
		return s.selectTree(ctx, p, what, r.raw, set)
	}
	return s.selectKeys(ctx, p, what, r.raw || r.versionID != "")
}

// objects removes what sel stands for.
func (r *removal) objects(cmd *cobra.Command, args []string, s *requester, p place, sel *selection) error {
	opts := transfer.DeleteOptions{
		Recursive: r.recursive || sel.pattern != "", Versions: r.versions, VersionID: r.versionID, DryRun: r.dryRun,
	}
	if opts.Recursive {
		opts.Enter = sel.enters
		opts.Match = func(o oss.ObjectSummary) bool { return sel.has(o.Key, objectInfo(o)) }
	}
	err := r.app.runJob(s.service, task{
		cmd: cmd, args: args, src: p, dryRun: r.dryRun,
		call: func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
			opts.JobOptions = o
			return e.Delete(ctx, s.location(place{bucket: sel.bucket, key: sel.prefix}), &opts)
		},
	})
	if out := r.app.outcome; err == nil && !opts.Recursive && out.report.Objects.Skipped > 0 {
		r.app.warn("%s is not there; see what is with: osssync ls, and remove all that begins with it with -r", p)
	}
	return err
}

// confirm asks before many things go, where somebody can answer.
func (r *removal) confirm(ctx context.Context, p place, sel *selection) error {
	if !r.recursive && sel.pattern == "" || r.force || r.dryRun {
		return nil
	}
	what := "objects"
	switch {
	case r.uploads:
		what = "unfinished uploads"
	case r.allTypes:
		what = "objects and unfinished uploads"
	}
	if r.versions {
		what = "versions, for good, of " + what
	}
	if r.filters.given() {
		what += " that the filters let in,"
	}
	if sel.pattern == "" {
		return r.app.confirm(ctx, fmt.Sprintf("remove all %s whose key begins with %s?", what, p))
	}
	return r.app.confirm(ctx, fmt.Sprintf("remove all %s that match %s?", what, p))
}

// confirm asks a question where somebody can answer. Anything but yes is an
// error.
func (a *app) confirm(ctx context.Context, question string) error {
	if !isTerminal(a.stdin) {
		return nil
	}
	fmt.Fprintf(a.stderr, "osssync: %s [y/N] ", question)
	answer, err := bufio.NewReader(newPatientReader(ctx, a.stdin)).ReadString('\n')
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return err
	}
	return &usageError{message: "nothing was removed"}
}

// abort aborts the uploads that sel stands for.
func (r *removal) abort(ctx context.Context, s *requester, sel *selection) error {
	bucket, aborted := s.bucket(place{bucket: sel.bucket}), int64(0)
	for u, err := range s.engine.MultipartUploads(ctx, bucket, &oss.ListMultipartUploadsOptions{Prefix: sel.prefix}) {
		if err != nil {
			return err
		}
		if !sel.has(u.Key, uploadInfo(u)) {
			continue
		}
		if !r.dryRun {
			err := s.engine.Try(ctx, "", func(ctx context.Context) error {
				return bucket.AbortMultipartUpload(ctx, u.Key, u.UploadID, nil)
			})
			if err != nil && !errors.Is(err, oss.ErrNoSuchUpload) { // somebody else was faster
				return fmt.Errorf("abort %s after %s: %w", uploadName(u), number(aborted, "other"), err)
			}
		}
		aborted++
		if err := r.say(place{bucket: sel.bucket}, u); err != nil {
			return err
		}
	}
	if r.app.flags.json && !r.allTypes {
		r.app.emit(countLine{V: jsonVersion, Type: "summary", Count: aborted})
	}
	if !r.app.flags.onlyErrors {
		verb := "done: %s aborted\n"
		if r.dryRun {
			verb = "dry run: %s would be aborted\n"
		}
		fmt.Fprintf(r.app.stderr, verb, number(aborted, "upload"))
	}
	return nil
}

// say tells stdout about one upload: always with --json, else in a dry run.
func (r *removal) say(p place, u oss.MultipartUpload) error {
	switch {
	case r.app.flags.json:
		return r.app.writeJSON(r.app.stdout, newUploadLine(p, u))
	case r.dryRun:
		_, err := fmt.Fprintf(r.app.stdout, "would abort %s\n", uploadName(u))
		return err
	}
	return nil
}

func uploadName(u oss.MultipartUpload) string {
	return printable(u.Key) + " " + printable(u.UploadID)
}
