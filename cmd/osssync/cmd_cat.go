package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

const catLong = `Write objects to stdout, one after the other, or the same bytes of each.

  osssync cat oss://BUCKET/KEY...
  osssync cat 'oss://BUCKET/log/2024-*.txt'
  osssync cat --range 0-99 oss://BUCKET/KEY        the first 100 bytes; 100- and -100
  osssync cat --offset 1M --count 4K oss://BUCKET/KEY

A connection that breaks is taken up where it broke, and whole objects are compared
with the service's CRC-64. The first object that fails ends it. A stdout that is closed
(>&-) cannot be told from /dev/null: what is written there is gone, and no failure.

`

func newCatCommand(a *app) *cobra.Command {
	c := &catting{app: a}
	cmd := &cobra.Command{
		Use:   "cat oss://BUCKET/KEY...",
		Short: "Write objects to stdout",
		Long:  catLong + globHelp + "\n" + exitHelp,
		Args:  atLeastOne("the URL of an object"),
		RunE:  func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&c.byteRange, "range", "", "only these `BYTES` of each object, as 0-99, 100- or -100")
	cmd.Flags().Var(&c.offset, "offset", "begin after that many bytes, as 4K")
	cmd.Flags().Var(&c.count, "count", "at most that many bytes, as 4K")
	cmd.Flags().StringVar(&c.versionID, "version-id", "", "this version `ID` of the one object")
	addRaw(cmd, &c.raw)
	return cmd
}

// catting is one cat.
type catting struct {
	app           *app
	byteRange     string
	offset, count byteSize
	versionID     string
	raw           bool
}

func (c *catting) run(cmd *cobra.Command, args []string) error {
	if c.app.flags.json {
		return &usageError{message: "--json and the objects cannot both go to stdout", hint: "leave --json out, or: osssync stat --json"}
	}
	rng, err := c.bytes(cmd)
	if err != nil {
		return err
	}
	places, err := parseKeys(args)
	if err != nil {
		return err
	}
	if c.versionID != "" && len(places) > 1 {
		return &usageError{message: "--version-id names a version of one object, not of several"}
	}
	return c.app.withEngine(cmd, namedBuckets(places), func(r *requester) error {
		for _, p := range places {
			if err := r.each(cmd.Context(), p, c.raw || c.versionID != "", func(p place) error {
				_, err := r.engine.DownloadTo(cmd.Context(), r.location(p), c.app.stdout, &transfer.DownloadOptions{
					JobOptions: transfer.JobOptions{Service: r.name}, VersionID: c.versionID, Range: rng,
				})
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// bytes is the range that the flags ask for.
func (c *catting) bytes(cmd *cobra.Command) (oss.Range, error) {
	offset, counted := int64(c.offset), cmd.Flags().Lookup("count").Changed
	switch {
	case c.byteRange != "" && (offset > 0 || counted):
		return oss.Range{}, &usageError{message: "--range says it all: it goes without --offset and --count"}
	case counted && c.count == 0:
		return oss.Range{}, &usageError{message: "--count 0 asks for nothing"}
	case counted && offset > offset+int64(c.count)-1:
		return oss.Range{}, &usageError{message: "--offset and --count go beyond any object"}
	case counted:
		return oss.RangeBetween(offset, offset+int64(c.count)-1), nil
	case offset > 0:
		return oss.RangeFrom(offset), nil
	}
	rng, err := oss.ParseRange(c.byteRange)
	if err != nil {
		return rng, &usageError{message: fmt.Sprintf("--range %s: want 0-99, 100- or -100", printable(c.byteRange))}
	}
	return rng, nil
}

// atLeastOne demands an argument.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{message: "missing " + name, help: true}
		}
		return nil
	}
}

// parseKeys reads arguments that name objects.
func parseKeys(args []string) ([]place, error) {
	places := make([]place, len(args))
	for i, arg := range args {
		p, err := parseRemote(arg)
		if err == nil && p.key == "" {
			err = &usageError{message: p.String() + " is a bucket", hint: "write oss://bucket/key"}
		}
		if err != nil {
			return nil, err
		}
		places[i] = p
	}
	return places, nil
}

// namedBuckets are the buckets that places name.
func namedBuckets(places []place) []string {
	var names []string
	for _, p := range places {
		if p.remote() {
			names = append(names, p.bucket)
		}
	}
	return names
}
