package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const rbLong = `Remove a bucket.

  osssync rb oss://BUCKET       one that is empty
  osssync rb -f oss://BUCKET    with every object, version and upload in it, for good

On a terminal -f asks first, unless -y is given.

`

func newRbCommand(a *app) *cobra.Command {
	var force, yes bool
	cmd := &cobra.Command{
		Use:   "rb oss://BUCKET",
		Short: "Remove a bucket",
		Long:  rbLong + exitHelp,
		Args:  exactly(1, "the URL of a bucket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseBucket(args[0])
			if err != nil {
				return err
			}
			return a.withEngine(cmd, nil, func(r *requester) error {
				if force {
					if err := a.empty(cmd, args, r, p, yes); err != nil {
						return err
					}
				}
				if err := r.deleteBucket(cmd.Context(), p); err != nil {
					return err
				}
				if a.outcome != nil && a.flags.json {
					return nil // the job's last line says that all is done
				}
				return a.did("rb", "removed", scheme+p.bucket)
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&force, "force", "f", false, "remove what is in it as well")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "with -f: do not ask")
	return cmd
}

// empty removes everything in the bucket p.
func (a *app) empty(cmd *cobra.Command, args []string, r *requester, p place, yes bool) error {
	var info *oss.BucketInfo
	err := r.engine.Try(cmd.Context(), "", func(ctx context.Context) (err error) {
		info, err = r.bucket(p).GetBucketInfo(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !yes {
		if err := a.confirm(cmd.Context(), fmt.Sprintf("remove the bucket %s and everything in it, for good?", scheme+p.bucket)); err != nil {
			return err
		}
	}
	err = a.runJob(r.service, task{
		cmd: cmd, args: args, src: p,
		call: func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
			return e.Delete(ctx, r.location(p), &transfer.DeleteOptions{JobOptions: o, Recursive: true, Versions: info.Versioning != ""})
		},
	})
	if err != nil {
		return err
	}
	aborting := &removal{app: a, allTypes: true}
	return aborting.abort(cmd.Context(), r, &selection{bucket: p.bucket})
}

// deleteBucket deletes the bucket p. That it is gone after a lost answer is
// no error.
func (r *requester) deleteBucket(ctx context.Context, p place) error {
	tries := 0
	return r.engine.Try(ctx, "", func(ctx context.Context) error {
		tries++
		_, err := r.bucket(p).DeleteBucket(ctx)
		if tries > 1 && errors.Is(err, oss.ErrNoSuchBucket) {
			return nil
		}
		return err
	})
}
