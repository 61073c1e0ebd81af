package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
)

const restoreLong = `Ask for archived objects to be made readable for some days. That takes from a minute
(Archive) to two days (DeepColdArchive); osssync stat shows in X-Oss-Restore how
it stands. What is under way already is no error, and with -r or a pattern only
archived objects are asked for.

  osssync restore oss://BUCKET/KEY
  osssync restore oss://BUCKET/KEY --days 3 --tier Expedited
  osssync restore -r oss://BUCKET/PREFIX

`

// archiveClasses are those whose objects are not readable at once.
var archiveClasses = []string{"Archive", "ColdArchive", "DeepColdArchive"}

func newRestoreCommand(a *app) *cobra.Command {
	days, tier := count{min: 1, max: 365}, choice{allowed: []string{"Expedited", "Standard", "Bulk"}}
	i := &inPlace{app: a, verb: "asked for", only: func(o oss.ObjectSummary) bool {
		for _, class := range archiveClasses {
			if strings.EqualFold(class, o.StorageClass) {
				return true
			}
		}
		return false
	}}
	i.do = func(ctx context.Context, r *requester, p place) error {
		_, err := r.request(ctx, func(ctx context.Context) (*oss.Response, error) {
			return r.bucket(p).RestoreObject(ctx, p.key, &oss.RestoreOptions{
				VersionOptions: oss.VersionOptions{VersionID: i.versionID}, Days: int(days.value), Tier: tier.value,
			})
		})
		if errors.Is(err, oss.ErrRestoreAlreadyInProgress) {
			return nil
		}
		return err
	}
	cmd := &cobra.Command{
		Use:   "restore oss://BUCKET/KEY",
		Short: "Make archived objects readable",
		Long:  restoreLong + globHelp + "\n" + exitHelp,
		Args:  exactly(1, "the URL of an object"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := parseRemote(args[0])
			if err != nil {
				return err
			}
			return i.run(cmd, p)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(&days, "days", "for how many `DAYS`, 1 to 365 (default: the service's, 1)")
	cmd.Flags().Var(&tier, "tier", "how fast, of ColdArchive and DeepColdArchive: Expedited, Standard, Bulk")
	i.register(cmd)
	return cmd
}
