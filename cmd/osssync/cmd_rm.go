package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const rmLong = `Remove an object, or with -r every object whose key begins with PREFIX.

  osssync rm oss://BUCKET/KEY
  osssync rm -r oss://BUCKET/PREFIX
  osssync rm -m -r oss://BUCKET/PREFIX   abort uploads that were never completed

Note that PREFIX is not a folder: "p" covers "p/x" and "px" as well; write "p/".
On a terminal -r asks first, unless -f is given.
`

func newRmCommand(a *app) *cobra.Command {
	r := &removal{app: a}
	cmd := &cobra.Command{
		Use:   "rm oss://BUCKET/KEY",
		Short: "Remove objects or unfinished uploads",
		Long:  rmLong + "\n" + exitHelp,
		Args:  exactly(1, "the URL of an object"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd, args)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&r.recursive, "recursive", "r", false, "everything whose key begins with the given one")
	cmd.Flags().BoolVarP(&r.force, "force", "f", false, "do not ask")
	cmd.Flags().BoolVarP(&r.uploads, "multipart", "m", false, "abort unfinished uploads in place of removing objects")
	cmd.Flags().BoolVarP(&r.dryRun, "dry-run", "n", false, "say what would be removed and do nothing")
	return cmd
}

// removal is one rm.
type removal struct {
	app       *app
	recursive bool
	force     bool
	uploads   bool
	dryRun    bool
}

func (r *removal) run(cmd *cobra.Command, args []string) error {
	p, err := parseRemote(args[0])
	if err != nil {
		return err
	}
	if p.key == "" && !r.recursive {
		return &usageError{message: p.String() + " is a bucket", hint: "remove everything in it with -r"}
	}
	if err := r.confirm(cmd.Context(), p); err != nil {
		return err
	}
	return r.app.with(cmd, []string{p.bucket}, func(s *service) error {
		if r.uploads {
			return r.abort(cmd.Context(), s, p)
		}
		return r.app.runJob(s, task{
			cmd: cmd, args: args, src: p, dryRun: r.dryRun,
			call: func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
				return e.Delete(ctx, s.location(p), &transfer.DeleteOptions{JobOptions: o, Recursive: r.recursive, DryRun: r.dryRun})
			},
		})
	})
}

// confirm asks before many things go, where somebody can answer.
func (r *removal) confirm(ctx context.Context, p place) error {
	if !r.recursive || r.force || r.dryRun || !isTerminal(r.app.stdin) {
		return nil
	}
	what := "objects"
	if r.uploads {
		what = "unfinished uploads"
	}
	fmt.Fprintf(r.app.stderr, "osssync: remove all %s whose key begins with %s? [y/N] ", what, p)
	answer, err := bufio.NewReader(newPatientReader(ctx, r.app.stdin)).ReadString('\n')
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return err
	}
	return &usageError{message: "nothing was removed"}
}

// abort aborts the uploads below p, or those of the one key.
func (r *removal) abort(ctx context.Context, s *service, p place) error {
	bucket, aborted := s.bucket(p), int64(0)
	for u, err := range bucket.MultipartUploads(ctx, &oss.ListMultipartUploadsOptions{Prefix: p.key}) {
		if err != nil {
			return err
		}
		if !r.recursive && u.Key != p.key {
			continue
		}
		if !r.dryRun {
			if err := bucket.AbortMultipartUpload(ctx, u.Key, u.UploadID, nil); err != nil {
				return fmt.Errorf("abort %s after %s: %w", uploadName(u), number(aborted, "other"), err)
			}
		}
		aborted++
		if err := r.say(p, u); err != nil {
			return err
		}
	}
	if r.app.flags.json {
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
