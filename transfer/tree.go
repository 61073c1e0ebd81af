package transfer

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// SyncOptions tunes one Sync. The zero value is ready to use.
type SyncOptions struct {
	JobOptions

	// Compare says which objects are transferred.
	Compare Compare

	// Headers are stored with every object that is uploaded.
	Headers oss.ObjectHeaders

	// Exclude names local files and folders that do not belong to the tree,
	// whatever lies in them. The engine's own StateDir is always left out.
	Exclude []string

	// AllowEmpty makes a copy from a prefix without objects a success that
	// did nothing; without it the error is ErrNoMatch.
	AllowEmpty bool

	// DryRun transfers nothing and tells OnObject what would be.
	DryRun bool
}

// Sync brings the tree at dst to the state of the tree at src: one is local,
// the other below a prefix of a bucket. Nothing is deleted.
//
// Both sides are read in key order and compared while transfers run; memory
// does not grow with their number. One object that fails does not stop the
// rest: the error then matches ErrIncomplete. A call after an interrupted one
// goes on with what is missing.
func (e *Engine) Sync(ctx context.Context, src, dst Location, opts *SyncOptions) (*Report, error) {
	var o SyncOptions
	if opts != nil {
		o = *opts
	}
	t := &tree{compare: o.Compare, options: o}
	var err error
	switch {
	case src.Bucket == nil && dst.Bucket != nil:
		t.upload, t.bucket, t.prefix = true, dst.Bucket, treePrefix(dst.Path)
		t.dir, err = filepath.Abs(src.Path)
		src.Path, dst.Path = t.dir, t.prefix
	case src.Bucket != nil && dst.Bucket == nil:
		t.bucket, t.prefix = src.Bucket, treePrefix(src.Path)
		t.dir, err = filepath.Abs(dst.Path)
		src.Path, dst.Path = t.prefix, t.dir
	default:
		return nil, usagef("one side must be local, the other in a bucket")
	}
	if err != nil {
		return nil, usagef("%v", err)
	}
	if t.upload {
		if t.root, err = localfs.OpenRoot(t.dir); err != nil {
			return nil, err
		}
		defer t.root.Close()
	}
	kind := "sync"
	if o.Compare == CompareNone {
		kind = "copy"
	}
	t.job, err = e.begin(ctx, spec{
		kind: kind, source: o.location(src), destination: o.location(dst), options: shape(o.Headers), look: o.DryRun,
	}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	return t.finish(ctx, t.run(ctx))
}

// tree is the job of one Sync.
type tree struct {
	*job
	options SyncOptions
	compare Compare
	upload  bool
	bucket  *oss.Bucket
	prefix  string
	dir     string
	root    *localfs.Root

	publisher *publisher // of a download
}

// planAhead is how many actions may be known before their turn: it lets totals
// settle early at a bounded cost.
const planAhead = 4096

func (t *tree) run(ctx context.Context) (err error) {
	if !t.upload && !t.options.DryRun {
		root, err := localfs.CreateRoot(t.dir)
		if err != nil {
			return err
		}
		t.root = root
		defer root.Close()
		t.publisher = startPublisher(t.job, root)
		defer t.publisher.stop()
	}
	if t.options.NoResume && !t.options.DryRun {
		if err := t.dropAll(ctx, t.leftovers(t.root)); err != nil {
			return err
		}
	}
	t.meter.setPhase(PhaseListing)

	// The group's first error ends the job: per-object failures are counted
	// and are no errors here.
	g, gctx := errgroup.WithContext(ctx)
	actions := make(chan action, planAhead)
	g.Go(func() error {
		defer close(actions)
		return t.feed(gctx, actions)
	})
	g.Go(func() error {
		tasks, tctx := errgroup.WithContext(gctx)
		tasks.SetLimit(t.objects)
		for a := range actions {
			if tctx.Err() != nil {
				break
			}
			tasks.Go(func() error { return t.object(tctx, a) })
		}
		return tasks.Wait()
	})
	err = g.Wait()
	t.meter.setPhase(PhaseFinishing)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// feed goes through the plan in key order, deals with what needs no transfer,
// and sends on the rest.
func (t *tree) feed(ctx context.Context, actions chan<- action) error {
	for a, err := range t.plan(ctx) {
		if err == nil {
			err = t.consider(&a)
		}
		if err != nil {
			return err
		}
		if a.name == "" {
			continue
		}
		select {
		case actions <- a:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	t.meter.totalsKnown.Store(true)
	t.meter.setPhase(PhaseTransferring)
	return nil
}

// consider decides about a as far as that takes no request. What is dealt with
// loses its name.
func (t *tree) consider(a *action) error {
	operation, key, size := t.describe(*a)
	var reason string
	switch {
	case a.err != nil && a.name == "": // the source as a whole
		return a.err
	case a.err == nil && t.upload && a.file.Skipped == localfs.SkippedName:
		a.err = &localfs.KeyError{Key: a.name, Reason: string(localfs.SkippedName)}
		fallthrough
	case a.err != nil:
		t.seen(false, 0)
		t.fail(key, operation, a.err)
		a.name = ""
		return nil
	case t.upload && a.file.Skipped != "":
		reason = string(a.file.Skipped)
	case !t.upload && a.object.Type == "Symlink":
		reason = reasonSymlink
	}
	if reason != "" {
		t.warn(fmt.Sprintf("%s is not transferred: %s", printable(a.name), reason))
	} else {
		var err error
		if reason, a.ask, err = t.wanted(*a); err != nil {
			return err
		}
	}
	if reason != "" {
		t.seen(false, 0)
		t.skip(operation, key, reason, size)
		a.name = ""
		return nil
	}
	if !a.ask {
		t.seen(true, size)
	}
	return nil
}

// describe names the action for reports.
func (t *tree) describe(a action) (operation, key string, size int64) {
	if t.upload {
		return "upload", t.prefix + a.name, a.file.Identity.Size
	}
	return "download", a.object.Key, a.object.Size
}

func (t *tree) plan(ctx context.Context) iter.Seq2[action, error] {
	var (
		files   iter.Seq2[localfs.Entry, error]
		objects iter.Seq2[oss.ObjectSummary, error]
	)
	// A copy looks at its destination only to see whether what an earlier run
	// did is still there.
	lookAtDest := t.compare != CompareNone || t.report.Resumed
	if !t.upload || lookAtDest {
		objects = t.listing(ctx, t.bucket, t.prefix)
	}
	if t.upload {
		return planUpload(t.walk(ctx, t.root), objects, t.prefix)
	}
	switch {
	case !lookAtDest:
	case t.root != nil:
		files = t.walk(ctx, t.root)
	default: // a dry run makes no folder, and may find none
		if root, err := localfs.OpenRoot(t.dir); err == nil {
			files = func(yield func(localfs.Entry, error) bool) {
				defer root.Close()
				t.walk(ctx, root)(yield)
			}
		}
	}
	return planDownload(objects, files, t.prefix)
}

func (t *tree) walk(ctx context.Context, root *localfs.Root) iter.Seq2[localfs.Entry, error] {
	exclude := t.options.Exclude
	if t.Engine.opts.StateDir != "" {
		exclude = append([]string{t.Engine.opts.StateDir}, exclude...)
	}
	return root.Walk(ctx, &localfs.WalkOptions{Exclude: exclude})
}

// finish gives up what an earlier run had under way and this one did not come
// across, since its source is gone, and ends the job.
func (t *tree) finish(ctx context.Context, err error) (*Report, error) {
	if err == nil && !t.options.DryRun && t.failed() == 0 {
		err = t.dropRest(ctx)
	}
	if err == nil && !t.upload && t.compare == CompareNone && !t.options.AllowEmpty && t.meter.objectsTotal.Load() == 0 {
		err = fmt.Errorf("%w: %s", ErrNoMatch, Remote(t.bucket, t.prefix))
	}
	if t.options.DryRun {
		return t.end(ctx, err, t.found)
	}
	return t.end(ctx, err, t.compare != CompareNone)
}

func (t *tree) dropRest(ctx context.Context) error {
	if t.upload {
		return t.dropObjects(ctx, t.leftovers(nil))
	}
	root, err := localfs.OpenRoot(t.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return t.dropObjects(ctx, t.leftovers(root))
}

// leftovers is where an earlier run of the job may have left things.
func (t *tree) leftovers(root *localfs.Root) leftovers {
	return leftovers{bucket: t.bucket, root: root, keyOf: func(name string) string { return t.prefix + name }}
}
