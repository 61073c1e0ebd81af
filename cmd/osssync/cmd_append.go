package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const appendLong = `Add a file to the end of an object, which is made if there is none.

  osssync append FILE oss://BUCKET/KEY
  osssync append - oss://BUCKET/KEY         stdin

The object must have been made by an append, here or elsewhere, and can grow to 5 GiB.
No byte is added twice: an interrupted append of a file, when it is run again, finds
how much had arrived and adds the rest. If somebody else has written to the object
meanwhile it adds nothing; with --no-resume it adds the whole file at the end of what
is there. A stdin that is closed (<&-) cannot be told from an empty one.

Examples:
  osssync append access.log oss://my-bucket/logs/access.log
  journalctl -u backup | osssync append - oss://my-bucket/logs/backup.log
`

func newAppendCommand(a *app) *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use:     "append FILE oss://BUCKET/KEY",
		Aliases: []string{"appendfromfile"}, // ossutil 1
		Short:   "Add a file to the end of an object",
		Long:    appendLong + "\n" + exitHelp,
		Args:    exactly(2, "FILE and an object"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := parsePlace(args[0])
			if err != nil {
				return err
			}
			dst, err := parsePlace(args[1])
			if err != nil {
				return err
			}
			switch {
			case src.remote():
				return &usageError{message: src.String() + " is no file", hint: "osssync cat " + src.String() + " | osssync append - " + dst.String()}
			case !dst.remote() || dst.isTree():
				return &usageError{message: dst.String() + " is no object", hint: "write oss://bucket/key"}
			}
			headers, err := f.headers(true)
			if err != nil {
				return err
			}
			return a.with(cmd, []string{dst.bucket}, func(s *service) error {
				t := task{cmd: cmd, args: args, src: src, dst: dst}
				t.call = func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
					opts := &transfer.AppendOptions{JobOptions: o, Headers: headers}
					if src.stdio {
						return e.AppendStream(ctx, newPatientReader(ctx, a.stdin), s.location(dst), opts)
					}
					return e.Append(ctx, src.path, s.location(dst), opts)
				}
				return a.runJob(s, t)
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.registerHeaders(cmd)
	return cmd
}
