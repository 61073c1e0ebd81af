package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/osssync/osssync/checkpoint"
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
		kind: kind, source: o.location(src), destination: o.location(dst), options: e.shape(o.Headers), look: o.DryRun,
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

// objectsPerWorker is how many objects are under way for each worker: while
// one waits for its turn, its neighbours are being published in one group.
const objectsPerWorker = 4

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
		tasks.SetLimit(t.Engine.opts.Concurrency * objectsPerWorker)
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
	if t.upload || t.compare != CompareNone {
		objects = t.listing(ctx, t.bucket, t.prefix)
	}
	if t.upload {
		if t.compare == CompareNone {
			objects = nil
		}
		return planUpload(t.walk(ctx, t.root), objects, t.prefix)
	}
	if objects == nil {
		objects = t.listing(ctx, t.bucket, t.prefix)
	}
	switch {
	case t.compare == CompareNone:
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

// object is the task for one name: it transfers it, or finds by its metadata
// that there is no need. It returns only errors that end the job.
func (t *tree) object(ctx context.Context, a action) error {
	operation, key, size := t.describe(a)
	err := t.transfer(ctx, a)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errSame):
		t.skip(operation, key, reasonSame, size)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fatal(err):
		return wrapObject(operation, key, err)
	}
	t.fail(key, operation, err)
	return nil
}

// errSame says that source and destination turned out to be the same.
var errSame = errors.New("unchanged")

func (t *tree) transfer(ctx context.Context, a action) error {
	operation, key, size := t.describe(a)
	if a.ask {
		same, err := t.same(ctx, a)
		t.seen(err == nil && !same, size)
		if err != nil {
			return err
		}
		if same {
			return errSame
		}
	}
	if t.options.DryRun {
		t.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomePlanned, Size: size})
		return nil
	}
	if t.upload {
		u := &upload{job: t.job, root: t.root, name: a.name, bucket: t.bucket, key: key, headers: t.options.Headers}
		return u.run(ctx)
	}
	d := &download{
		job: t.job, bucket: t.bucket, key: key, root: t.root, name: a.name, publisher: t.publisher,
		size: a.object.Size, etag: a.object.ETag, modTime: a.object.LastModified,
	}
	return d.run(ctx)
}

// same asks for the object's metadata, and remembers if both sides are the
// same, so that the next run need not ask.
func (t *tree) same(ctx context.Context, a action) (bool, error) {
	var meta *oss.ObjectMeta
	err := t.do(ctx, "head "+a.object.Key, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = t.bucket.HeadObject(ctx, a.object.Key, nil)
		return err
	})
	switch {
	case errors.Is(err, oss.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !sameTime(a.file.Identity, meta, t.upload):
		return false, nil
	case t.options.DryRun:
		return true, nil
	}
	return true, t.remember(a)
}

// remember records that both sides are the same, so that the next run need not
// ask.
func (t *tree) remember(a action) error {
	file := sourceIdentity(a.file.Identity)
	object := checkpoint.Identity{Size: a.object.Size, ETag: a.object.ETag, ModTime: a.object.LastModified.UnixNano()}
	s := checkpoint.Settled{Key: a.name, Source: file, Dest: object, At: time.Now()}
	if !t.upload {
		s.Source, s.Dest = object, file
	}
	return t.journal.Settle(s)
}

// finish gives up what an earlier run had under way and this one did not come
// across, since its source is gone, and ends the job.
func (t *tree) finish(ctx context.Context, err error) (*Report, error) {
	if err == nil && !t.options.DryRun && t.failed() == 0 {
		err = t.dropRest(ctx)
	}
	if t.options.DryRun {
		return t.end(ctx, err, t.report.Resumed)
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
