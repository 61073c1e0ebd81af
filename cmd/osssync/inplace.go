package main

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// inPlace is what the commands share that change objects where they are.
type inPlace struct {
	app       *app
	recursive bool
	raw       bool
	versionID string
	filters   filterFlags

	verb string                       // for what has been done, such as "restored"
	only func(oss.ObjectSummary) bool // what -r and patterns take; nil is all
	do   func(context.Context, *requester, place) error
}

func (i *inPlace) register(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&i.recursive, "recursive", "r", false, "every object whose key begins with the given one")
	cmd.Flags().StringVar(&i.versionID, "version-id", "", "this version `ID` of the one object")
	addRaw(cmd, &i.raw)
	i.filters.register(cmd)
}

// run does it to what p stands for. Of many, those that fail do not stop the
// others.
func (i *inPlace) run(cmd *cobra.Command, p place) error {
	many := i.recursive || !i.raw && i.versionID == "" && isPattern(p.key)
	switch {
	case p.key == "" && !i.recursive:
		return &usageError{message: p.String() + " is a bucket", hint: "write oss://bucket/key, or -r for all in it"}
	case i.versionID != "" && i.recursive:
		return &usageError{message: "--version-id names a version of one object: it goes without -r"}
	case i.filters.given() && !i.recursive:
		return &usageError{message: "filters choose among what -r finds", hint: "use them with -r"}
	}
	set, err := i.filters.set(cmd.Context(), i.app)
	if err != nil {
		return err
	}
	return i.app.withEngine(cmd, []string{p.bucket}, func(r *requester) error {
		if many {
			sel, err := i.choose(cmd.Context(), r, p, set)
			if err != nil {
				return err
			}
			if i.recursive || sel.pattern != "" {
				return i.all(cmd, r, p, sel)
			}
		}
		if err := i.do(cmd.Context(), r, p); err != nil {
			return err
		}
		return i.app.did(cmd.Name(), i.verb, p.url())
	})
}

func (i *inPlace) choose(ctx context.Context, r *requester, p place, set *filter.Set) (*selection, error) {
	if i.recursive {
		return r.selectTree(ctx, p, objects, i.raw, set)
	}
	return r.selectKeys(ctx, p, objects, i.raw)
}

// all does it to what sel stands for, to as many at once as --job says.
func (i *inPlace) all(cmd *cobra.Command, r *requester, p place, sel *selection) error {
	var (
		workers      sync.WaitGroup
		done, failed atomic.Int64
		ctx          = cmd.Context()
		places       = make(chan place)
	)
	for range cmp.Or(i.app.flags.job.value, transfer.DefaultConcurrency) {
		workers.Go(func() {
			for p := range places {
				err := i.do(ctx, r, p)
				switch {
				case err == nil:
					done.Add(1)
					if i.app.flags.json {
						i.app.emit(doneLine{V: jsonVersion, Type: "done", Command: cmd.Name(), URL: p.url()})
					}
				case ctx.Err() == nil:
					if failed.Add(1) <= maxShown || i.app.flags.json {
						i.app.failedName(p, err)
					}
				}
			}
		})
	}
	var listing error
	for o, err := range r.engine.ObjectsIn(ctx, r.bucket(p), &oss.ListObjectsV2Options{Prefix: sel.prefix}, sel.enters) {
		if listing = err; err != nil || ctx.Err() != nil {
			break
		}
		if sel.has(o.Key, objectInfo(o)) && (i.only == nil || i.only(o)) {
			places <- place{bucket: sel.bucket, key: o.Key}
		}
	}
	close(places)
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	total := done.Load() + failed.Load()
	switch {
	case i.app.flags.json:
		i.app.emit(countLine{V: jsonVersion, Type: "summary", Count: done.Load()})
	case !i.app.flags.onlyErrors:
		i.app.printf("%s %s", i.verb, number(done.Load(), "object"))
	}
	switch {
	case listing != nil:
		return listing
	case failed.Load() > 0:
		return &partlyError{failed: failed.Load(), total: total}
	case total == 0:
		return &noMatchError{p}
	}
	return nil
}

// request makes one request about an object, with its retries.
func (r *requester) request(ctx context.Context, fn func(context.Context) (*oss.Response, error)) (resp *oss.Response, err error) {
	err = r.engine.Try(ctx, "", func(ctx context.Context) (err error) {
		resp, err = fn(ctx)
		return err
	})
	return resp, err
}
