package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const setACLLong = `Say who may read and write an object, many objects, or a bucket.

  osssync set-acl oss://BUCKET/KEY public-read
  osssync set-acl -r oss://BUCKET/PREFIX default   as the bucket has it
  osssync set-acl oss://BUCKET private             the bucket itself

`

func newSetACLCommand(a *app) *cobra.Command {
	i := &inPlace{app: a, verb: "set the ACL of"}
	cmd := &cobra.Command{
		Use:   "set-acl oss://BUCKET[/KEY] ACL",
		Short: "Say who may read and write objects or a bucket",
		Long:  setACLLong + globHelp + "\n" + exitHelp,
		Args:  exactly(2, "a URL and an ACL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseRemote(args[0])
			if err != nil {
				return err
			}
			ofBucket := p.key == "" && !i.recursive
			acl := choice{allowed: objectACLs}
			if ofBucket {
				acl.allowed = bucketACLs
			}
			if err := acl.Set(args[1]); err != nil {
				return &usageError{message: "ACL " + printable(args[1]) + ": " + err.Error()}
			}
			if ofBucket {
				return a.setBucketACL(cmd, p, acl.value)
			}
			i.do = func(ctx context.Context, r *requester, p place) error {
				_, err := r.request(ctx, func(ctx context.Context) (*oss.Response, error) {
					return r.bucket(p).PutObjectACL(ctx, p.key, acl.value, &oss.VersionOptions{VersionID: i.versionID})
				})
				return err
			}
			return i.run(cmd, p)
		},
	}
	cmd.Long = strings.Replace(cmd.Long, "\n\n  ", "\n\nACL is "+strings.Join(objectACLs, ", ")+" (objects only: default).\n\n  ", 1)
	cmd.Flags().SortFlags = false
	i.register(cmd)
	return cmd
}

func (a *app) setBucketACL(cmd *cobra.Command, p place, acl string) error {
	return a.withEngine(cmd, []string{p.bucket}, func(r *requester) error {
		_, err := r.request(cmd.Context(), func(ctx context.Context) (*oss.Response, error) {
			return r.bucket(p).PutBucketACL(ctx, acl)
		})
		if err != nil {
			return err
		}
		return a.did(cmd.Name(), "set the ACL of", p.url())
	})
}
