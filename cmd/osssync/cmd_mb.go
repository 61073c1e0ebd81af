package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

func newMbCommand(a *app) *cobra.Command {
	acl, class := choice{allowed: bucketACLs}, choice{allowed: storageClasses}
	cmd := &cobra.Command{
		Use:   "mb oss://BUCKET",
		Short: "Make a bucket",
		Long:  "Make a bucket. One that the account has already is no error.\n\n" + exitHelp,
		Args:  exactly(1, "the URL of a bucket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseRemote(args[0])
			if err != nil {
				return err
			}
			if p.key != "" {
				return &usageError{message: p.String() + " names an object", hint: "write oss://bucket"}
			}
			return a.with(cmd, nil, func(s *service) error {
				_, err := s.bucket(p).CreateBucket(cmd.Context(), &oss.CreateBucketOptions{ACL: acl.value, StorageClass: class.value})
				if err == nil && !a.flags.onlyErrors {
					a.printf("made %s%s", scheme, p.bucket)
				}
				return err
			})
		},
	}
	cmd.Flags().Var(&acl, "acl", "access to the bucket: "+strings.Join(bucketACLs, ", "))
	cmd.Flags().Var(&class, "storage-class", "class of its objects: "+strings.Join(storageClasses, ", "))
	return cmd
}
