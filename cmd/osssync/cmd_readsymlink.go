package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const readSymlinkLong = `Print the URL of the object that a link leads to, which need not be there.

  osssync read-symlink oss://BUCKET/LINK

`

// symlinkLine is where a link leads, as JSON.
type symlinkLine struct {
	V         int    `json:"v"`
	Type      string `json:"type"`
	URL       string `json:"url"`
	TargetURL string `json:"target_url"`
	Target    string `json:"target"`
}

func newReadSymlinkCommand(a *app) *cobra.Command {
	var versionID string
	cmd := &cobra.Command{
		Use:   "read-symlink oss://BUCKET/LINK",
		Short: "Print where a link leads",
		Long:  readSymlinkLong + exitHelp,
		Args:  exactly(1, "the URL of a link"),
		RunE: func(cmd *cobra.Command, args []string) error {
			places, err := parseKeys(args)
			if err != nil {
				return err
			}
			p := places[0]
			return a.withEngine(cmd, []string{p.bucket}, func(r *requester) error {
				var key string
				err := r.engine.Try(cmd.Context(), "", func(ctx context.Context) (err error) {
					key, err = r.bucket(p).GetSymlink(ctx, p.key, &oss.VersionOptions{VersionID: versionID})
					return err
				})
				if err != nil {
					return err
				}
				target := place{bucket: p.bucket, key: key}
				if a.flags.json {
					return a.writeJSON(a.stdout, symlinkLine{V: jsonVersion, Type: "symlink", URL: p.url(), TargetURL: target.url(), Target: key})
				}
				_, err = fmt.Fprintln(a.stdout, a.name(target.url()))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&versionID, "version-id", "", "this version `ID` of the link")
	return cmd
}
