package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const applyLong = `Do what a plan says, and nothing else.

  osssync apply PLAN
  osssync apply --replan PLAN

PLAN is what "osssync plan" has written, or - for stdin. It names the source, the
destination and the options; credentials come from the flags, the environment and the
configuration. The endpoint is the plan's, unless --endpoint names another way to the
same service. Where the environment or the configuration names the endpoint of another
service, nothing is sent to the plan's, and the exit code is 1.

What has changed since the plan was made, at the source or at the destination, is left
alone; the others are done, and the exit code is 7. Deletions come last, and only if
nothing failed. A plan that is cut or was edited is refused, and nothing is done. An
apply that was interrupted goes on when it is run again; "osssync jobs" names its PLAN.

With --replan nothing is carried out: the plan is made anew, of the same source and
destination with the same options, and takes the place of PLAN.

Examples:
  osssync plan -o plan.jsonl sync photos oss://my-bucket/photos --delete
  osssync apply plan.jsonl
`

func newApplyCommand(a *app) *cobra.Command {
	var (
		replan bool
		f      planFlags
	)
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do what a plan says",
		Long:  applyLong + "\n" + exitHelp,
		Args:  exactly(1, "PLAN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if replan && args[0] == "-" {
				return &usageError{message: "--replan wants a file to replace"}
			}
			file, err := a.openPlan(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			p, err := transfer.ReadPlan(file)
			if err != nil {
				return err
			}
			t := task{cmd: cmd, args: args, src: shown(p.Source), dst: shown(p.Destination)}
			return a.reaching(cmd, &transfer.JobInfo{Service: p.Service}, func(bucket bucketFunc) error {
				bucket = a.planned(cmd, p, bucket)
				opts := func(o transfer.JobOptions) *transfer.ApplyOptions {
					return &transfer.ApplyOptions{ResumeOptions: transfer.ResumeOptions{JobOptions: o, Bucket: bucket}, Name: planName(args[0])}
				}
				if replan {
					f.output, t.dryRun, t.planned = args[0], true, true
					return a.writePlan(&service{}, &f, t, func(w io.Writer) engineCall {
						return func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
							return e.Replan(ctx, p, w, opts(o))
						}
					})
				}
				t.call = func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
					return e.Apply(ctx, p, opts(o))
				}
				return a.runJob(&service{}, t)
			})
		},
	}
	cmd.Flags().BoolVar(&replan, "replan", false, "make the plan anew and do nothing")
	return cmd
}

// planned is a way to the buckets of a plan. A plan is a file that anybody may
// have written, so no credentials are used at an endpoint of its own where
// another service is configured.
func (a *app) planned(cmd *cobra.Command, p *transfer.Plan, bucket bucketFunc) bucketFunc {
	return func(endpoint, name string) (*oss.Bucket, error) {
		elsewhere, err := a.namesService(cmd)
		if err != nil {
			return nil, err
		}
		ours := a.target(name)
		switch {
		case elsewhere, strings.HasPrefix(p.Service, localService), ours.derived, ours.endpoint == "", sameEndpoint(ours.endpoint, endpoint):
		case regionOf(ours.endpoint) == "" || regionOf(ours.endpoint) != regionOf(endpoint):
			return nil, &usageError{
				message: fmt.Sprintf("the plan is for %q, and %q is configured", endpoint, ours.endpoint),
				hint:    "if that is meant, say so with --endpoint",
			}
		}
		return bucket(endpoint, name)
	}
}

// planName is where a plan is, "" for stdin.
func planName(name string) string {
	if name == "-" {
		return ""
	}
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// openPlan opens a plan. One from stdin is kept in a file without a name first:
// it is read twice, since nothing is done before it is known to be whole.
func (a *app) openPlan(ctx context.Context, name string) (*os.File, error) {
	if name != "-" {
		return os.Open(name)
	}
	a.tookStdin = true
	f, err := os.CreateTemp("", "osssync-plan-")
	if err != nil {
		return nil, err
	}
	rm := os.Remove(f.Name())
	if rm != nil && !errors.Is(rm, os.ErrPermission) { // Windows keeps it until it is closed
		return nil, errors.Join(rm, f.Close())
	}
	if _, err := io.Copy(f, newPatientReader(ctx, a.stdin)); err != nil {
		return nil, errors.Join(fmt.Errorf("stdin: %w", err), f.Close())
	}
	return f, nil
}
