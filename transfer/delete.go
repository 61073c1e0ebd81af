package transfer

import (
	"context"
	"fmt"

	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// DeleteOptions tunes one Delete. The zero value is ready to use.
type DeleteOptions struct {
	JobOptions

	// Recursive deletes every object whose key begins with the target's
	// path; without it the target is one key.
	Recursive bool

	// DryRun deletes nothing and tells OnObject what would be.
	DryRun bool
}

// deleteBatch is the most keys OSS takes in one DeleteMultipleObjects.
const deleteBatch = 1000

// Delete removes one object, or all whose keys begin with target.Path. An
// object that is not there is no error. It keeps no checkpoint: run again, it
// goes on with what is left.
func (e *Engine) Delete(ctx context.Context, target Location, opts *DeleteOptions) (*Report, error) {
	var o DeleteOptions
	if opts != nil {
		o = *opts
	}
	if target.Bucket == nil || (target.Path == "" && !o.Recursive) {
		return nil, usagef("delete needs a bucket and a key")
	}
	j, err := e.withoutState().begin(ctx, spec{kind: "delete", source: o.location(target)}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.meter.setPhase(PhaseListing)
	d := &deletion{job: j, bucket: target.Bucket, dryRun: o.DryRun}
	if o.Recursive {
		err = d.tree(ctx, target.Path)
	} else {
		err = d.one(ctx, target.Path)
	}
	return j.end(ctx, err, false)
}

// deletion is the job of one Delete.
type deletion struct {
	*job
	bucket *oss.Bucket
	dryRun bool
}

func (d *deletion) one(ctx context.Context, key string) error {
	d.seen(false, 0)
	if d.dryRun {
		d.event(ObjectEvent{Key: key, Operation: "delete", Outcome: OutcomePlanned})
		return nil
	}
	err := d.do(ctx, "delete", key, priorityObject, func(ctx context.Context, _ int) error {
		_, err := d.bucket.DeleteObject(ctx, key, nil)
		return err
	})
	if err != nil {
		return err
	}
	d.job.done("delete", key, "", 0)
	return nil
}

// tree deletes in batches while the listing goes on.
func (d *deletion) tree(ctx context.Context, prefix string) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(d.Engine.opts.Parallel)
	var (
		batch   []oss.ObjectSummary
		listErr error
	)
	flush := func() {
		if keys := batch; len(keys) > 0 {
			batch = nil
			g.Go(func() error { return d.batch(gctx, keys) })
		}
	}
	for object, err := range d.listing(gctx, d.bucket, prefix) {
		if err != nil {
			listErr = err
			break
		}
		d.seen(false, 0)
		if batch = append(batch, object); len(batch) == deleteBatch {
			flush()
		}
	}
	flush()
	d.meter.totalsKnown.Store(listErr == nil)
	if err := g.Wait(); err != nil {
		return err
	}
	return listErr
}

func (d *deletion) batch(ctx context.Context, objects []oss.ObjectSummary) error {
	if d.dryRun {
		for _, o := range objects {
			d.event(ObjectEvent{Key: o.Key, Operation: "delete", Outcome: OutcomePlanned, Size: o.Size})
		}
		return nil
	}
	keys := make([]string, len(objects))
	for i, o := range objects {
		keys[i] = o.Key
	}
	err := d.do(ctx, "delete", fmt.Sprintf("%d objects", len(keys)), priorityObject, func(ctx context.Context, _ int) error {
		_, err := d.bucket.BatchDeleteObjects(ctx, keys, nil)
		return err
	})
	if err != nil {
		if ctx.Err() != nil || fatal(err) {
			return err
		}
		for _, key := range keys {
			d.fail(key, "delete", err)
		}
		return nil
	}
	for _, o := range objects {
		d.job.done("delete", o.Key, "", o.Size)
	}
	return nil
}
