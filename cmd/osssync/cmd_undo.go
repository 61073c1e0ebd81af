package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const undoLong = `Take back what the last run of a sync did.

  osssync undo J

J is the id of a sync with --backup-dir, as its last line and "osssync jobs" show it,
or its beginning. What that run replaced or deleted is put back, and what it made is
removed, as long as it is still as the run left it: what somebody has written since
is not touched, and reported as failed. In a local folder that holds for folders, too:
one that something else lies in stays. Undone is the run as far as it came, with all
the times it was interrupted. An undo that is interrupted goes on when it is run again.

Examples:
  osssync sync photos oss://my-bucket/photos --delete --backup-dir oss://my-bucket/kept
  osssync undo 3f2a -n
  osssync undo 3f2a
`

func newUndoCommand(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "undo J",
		Short: "Take back what a sync with --backup-dir did",
		Long:  undoLong + "\n" + exitHelp,
		Args:  exactly(1, "the id of a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, d, err := a.findJob(cmd, args[0])
			if err != nil {
				return err
			}
			if d.Err != nil {
				return d.Err
			}
			return a.reaching(cmd, &d.JobInfo, func(bucket bucketFunc) error {
				t := task{cmd: cmd, args: []string{d.ID}, src: shown(d.Source), dst: shown(d.Destination), dryRun: dryRun}
				t.call = func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
					return e.Undo(ctx, d.ID, &transfer.UndoOptions{
						ResumeOptions: transfer.ResumeOptions{JobOptions: o, Bucket: bucket}, DryRun: dryRun,
					})
				}
				return a.runJob(&service{}, t)
			})
		},
	}
	cmd.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "say what would be done and do nothing")
	return cmd
}
