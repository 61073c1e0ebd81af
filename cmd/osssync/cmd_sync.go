package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const syncLong = `Bring the tree at DST to the state of the tree at SRC.

One side is a folder, the other oss://BUCKET/PREFIX, or both are in buckets. What
differs in size or modification time (between buckets: in content), or is missing,
is transferred. The contents of the source go below the destination: the file
DIR/a/b becomes the object PREFIX/a/b. A single file or object is for cp.

With --delete what only DST has is removed at the end. That needs a source that
was read whole and is not empty, and no failed object; each name is asked for at
SRC once more, and what somebody else has written to DST meanwhile stays. If it
is not safe nothing is deleted, and the exit code is 7.

With --backup-dir what is replaced or deleted is kept first, each run's in a folder
of its own, and "osssync undo J" takes the run back.
`

func newSyncCommand(a *app, plan *planFlags) *cobra.Command {
	f := copyFlags{recursive: true, plan: plan}
	cmd := &cobra.Command{
		Use:   "sync SRC DST",
		Short: "Bring a tree to the state of another",
		Long:  syncLong + "\n" + nameHelp + "\n" + exitHelp,
		Args:  exactly(2, "SRC and DST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.newCopy(cmd, args, &f)
			if err != nil {
				return err
			}
			if err := f.remove.check(cmd); err != nil {
				return err
			}
			if c.src.local() && !isDir(c.src.path) {
				if _, err := c.isTree(); err != nil {
					return err
				}
				return &usageError{message: c.src.String() + " is not a folder", hint: "copy a single file with cp"}
			}
			err = c.run()
			if out := a.outcome; err == nil && isPattern(c.src.key) && out.report.Objects.Total == 0 {
				a.warn("no key begins with %s: sync takes no patterns; name the prefix, and say which with --include", c.src)
			}
			if err == nil && c.src.remote() && a.outcome != nil && a.outcome.report.Objects.Total == 0 && !f.filter.given() && a.isObject(cmd, c.src) {
				err = &usageError{message: c.src.String() + " is an object, and nothing lies below it", hint: "copy a single object with cp"}
				a.outcome.report.State, a.outcome.report.Error = transfer.StateFailed, err.Error()
			}
			return err
		},
	}
	cmd.Flags().SortFlags = false
	f.register(cmd)
	f.remove.register(cmd)
	cmd.Flags().StringVar(&f.backupDir, "backup-dir", "", "keep what is replaced or deleted below `PLACE`, a folder or oss://BUCKET/PREFIX as DST is; \"osssync undo J\" puts it back")
	return cmd
}

// isObject says whether there is an object of exactly this name, as far as that
// can be asked.
func (a *app) isObject(cmd *cobra.Command, p place) bool {
	if p.isTree() {
		return false
	}
	return a.withEngine(cmd, []string{p.bucket}, func(r *requester) error {
		return r.engine.Try(cmd.Context(), "", func(ctx context.Context) error {
			_, err := r.bucket(p).HeadObject(ctx, p.key, nil)
			return err
		})
	}) == nil
}
