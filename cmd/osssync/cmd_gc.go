package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const gcLong = `Remove what interrupted jobs left and nobody went on with: multipart uploads, which
cost money and show in no listing of objects, temporary files, and checkpoints.

Without an argument it goes by the checkpoints of this machine: every job that has
not been touched for --older-than is given up. Running jobs are left alone.

With oss://BUCKET/PREFIX it also takes open uploads below the prefix that are as old,
WHOEVER BEGAN THEM, and for that reason only lists them unless -f is given. With
--own-only it stays with those of the checkpoints.
`

func newGCCommand(a *app) *cobra.Command {
	g := &gc{app: a}
	cmd := &cobra.Command{
		Use:   "gc [oss://BUCKET/PREFIX]",
		Short: "Remove what interrupted jobs left",
		Long:  gcLong + "\n" + exitHelp,
		Args:  upTo(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return g.run(cmd, args) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().DurationVar(&g.olderThan, "older-than", transfer.DefaultOlderThan, "only what has rested for this `TIME`, as 24h; 0s takes all")
	cmd.Flags().BoolVar(&g.ownOnly, "own-only", false, "nothing but what this machine's checkpoints know")
	cmd.Flags().BoolVarP(&g.dryRun, "dry-run", "n", false, "say what would be removed and do nothing")
	cmd.Flags().BoolVarP(&g.force, "force", "f", false, "with a bucket: remove, in place of listing")
	return cmd
}

// gc is one gc.
type gc struct {
	app       *app
	olderThan time.Duration
	ownOnly   bool
	dryRun    bool
	force     bool

	service *service // once a bucket was asked for
	found   int
	damaged bool // a checkpoint among it was
}

// garbageLine is a leftover, as JSON.
type garbageLine struct {
	V       int       `json:"v"`
	Type    string    `json:"type"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Job     string    `json:"job,omitempty"`
	Since   time.Time `json:"since"`
	Removed bool      `json:"removed"`
	Error   string    `json:"error,omitempty"`
}

func (g *gc) run(cmd *cobra.Command, args []string) (err error) {
	opts := &transfer.GCOptions{DryRun: g.dryRun, OlderThan: g.olderThan, OnGarbage: g.print}
	if g.olderThan <= 0 {
		opts.OlderThan = -1
	}
	defer func() {
		if g.service != nil {
			err = errors.Join(err, g.service.close())
		}
	}()
	opts.Bucket = func(_, name string) (*oss.Bucket, error) {
		if g.service == nil {
			if g.service, err = g.app.connect(cmd); err != nil {
				return nil, err
			}
		}
		return g.service.bucket(place{bucket: name}), nil
	}
	if len(args) > 0 {
		p, err := parseRemote(args[0])
		if err != nil {
			return err
		}
		bucket, err := opts.Bucket("", p.bucket)
		if err != nil {
			return err
		}
		if l := transfer.Remote(bucket, p.key); !g.ownOnly {
			opts.Uploads = &l
			opts.DryRun = opts.DryRun || !g.force
		}
	}
	g.dryRun = opts.DryRun
	engine, err := g.app.engine()
	if err != nil {
		return err
	}
	if err := engine.GC(cmd.Context(), opts); err != nil {
		return err
	}
	if !opts.DryRun {
		if err := g.app.tidySockets(); err != nil {
			return err
		}
	}
	switch {
	case g.app.flags.json:
	case g.found == 0:
		g.app.printf("nothing is left of interrupted jobs")
	case g.damaged && len(args) == 0:
		g.app.printf("a damaged checkpoint does not say which uploads its job had begun: osssync gc oss://BUCKET/ shows those that are open")
	case opts.DryRun:
		g.app.printf("nothing was removed; to do so, leave out -n or give -f")
	}
	return nil
}

// print shows one leftover.
func (g *gc) print(found transfer.Garbage) {
	g.found++
	g.damaged = g.damaged || found.Kind == "damaged checkpoint"
	a, removed := g.app, found.Err == nil && !g.dryRun
	if a.flags.json {
		line := garbageLine{V: jsonVersion, Type: "garbage", Kind: found.Kind, Name: found.Name, Job: found.JobID, Since: found.Since, Removed: removed}
		if found.Err != nil {
			line.Error = found.Err.Error()
		}
		a.emit(line)
		return
	}
	verb := "removed"
	switch {
	case g.dryRun:
		verb = "would remove"
	case found.Err != nil:
		verb = "could not remove"
	}
	text := fmt.Sprintf("%s %s %s, of %s", verb, found.Kind, found.Name, found.Since.Format(time.DateTime))
	if found.JobID != "" && found.JobID != found.Name {
		text += ", job " + found.JobID
	}
	if found.Err != nil {
		text += ": " + oneLine(found.Err.Error())
	}
	fmt.Fprintln(a.stdout, text) //nolint:errcheck // a reader that left stops nothing
}
