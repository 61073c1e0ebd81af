package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const mbLong = `Make a bucket. One that the account has already is no error.

  osssync mb oss://BUCKET
  osssync mb oss://BUCKET --storage-class IA --redundancy ZRS --acl private

`

func newMbCommand(a *app) *cobra.Command {
	acl, class, redundancy := choice{allowed: bucketACLs}, choice{allowed: storageClasses}, choice{allowed: []string{"LRS", "ZRS"}}
	cmd := &cobra.Command{
		Use:   "mb oss://BUCKET",
		Short: "Make a bucket",
		Long:  mbLong + exitHelp,
		Args:  exactly(1, "the URL of a bucket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseBucket(args[0])
			if err != nil {
				return err
			}
			return a.withEngine(cmd, nil, func(r *requester) error {
				err := r.engine.Try(cmd.Context(), "", func(ctx context.Context) error {
					_, err := r.bucket(p).CreateBucket(ctx, &oss.CreateBucketOptions{
						ACL: acl.value, StorageClass: class.value, DataRedundancyType: redundancy.value,
					})
					return err
				})
				if err != nil {
					return err
				}
				return a.did("mb", "made", scheme+p.bucket)
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(&acl, "acl", "access to the bucket: "+strings.Join(bucketACLs, ", "))
	cmd.Flags().Var(&class, "storage-class", "class of its objects: "+strings.Join(storageClasses, ", "))
	cmd.Flags().Var(&redundancy, "redundancy", "where its objects are kept: LRS, in one zone, or ZRS, in three; also --redundancy-type")
	return cmd
}

// parseBucket reads an argument that names a whole bucket.
func parseBucket(arg string) (place, error) {
	p, err := parseRemote(arg)
	if err == nil && p.key != "" {
		err = &usageError{message: p.String() + " names an object", hint: "write oss://bucket"}
	}
	return p, err
}

// did says that a command without a job has done what it was asked for.
func (a *app) did(command, verb, url string) error {
	if a.flags.json {
		return a.writeJSON(a.stdout, doneLine{V: jsonVersion, Type: "done", Command: command, URL: url})
	}
	if !a.flags.onlyErrors {
		a.printf("%s", fmt.Sprintf("%s %s", verb, pasteable(url)))
	}
	return nil
}
