package transfer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// objectsOf does the actions, many at once, each on a goroutine that goes on to
// another: a new one for each would grow its stack anew.
func (t *tree) objectsOf(ctx context.Context, actions <-chan action) error {
	tasks, ctx := errgroup.WithContext(ctx)
	next := make(chan action)
	for range t.objects {
		tasks.Go(func() error {
			for a := range next {
				if err := t.forgive(a.name, t.object(ctx, a)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	tasks.Go(func() error {
		defer close(next)
		var queue queue
		for a := range actions {
			if t.options.DryRun {
				a.turn = queue.next()
			}
			t.before.begin(t, a)
			select {
			case next <- a:
			case <-ctx.Done():
				a.turn.end()
				return nil
			}
		}
		return nil
	})
	return tasks.Wait()
}

// object is the task for one name: it transfers it, or finds by its metadata
// that there is no need. It returns only errors that end the job.
func (t *tree) object(ctx context.Context, a action) error {
	operation, key, size := t.describe(a)
	defer a.turn.end()
	defer t.before.end(a.name)
	planned := a
	err := t.transfer(ctx, &a)
	if t.steps != nil {
		err = t.unlessDone(ctx, planned, err)
	}
	switch {
	case err == nil:
		t.settled(ctx, a)
		return t.takeAway(ctx, a)
	case errors.Is(err, errBefore):
		t.skip(operation, key, reasonBefore, size)
		return t.takeAwayBefore(ctx, planned)
	case errors.Is(err, errSame):
		t.skip(operation, key, reasonSame, size)
		t.settled(ctx, a)
		return t.takeAway(ctx, a)
	case errors.Is(err, errNotNewer):
		t.skip(operation, key, reasonNewer, size)
		t.settled(ctx, a)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fatal(err):
		return wrapObject(operation, key, err)
	}
	t.fail(key, operation, err)
	return nil
}

// errBefore says that an earlier run had done it.
var errBefore = errors.New("done before")

// errSame says that source and destination turned out to be the same.
var errSame = errors.New("unchanged")

// errNotNewer says that the destination is another one and not older.
var errNotNewer = errors.New(reasonNewer)

// transfer has a know what of the source was transferred in the end.
func (t *tree) transfer(ctx context.Context, a *action) error {
	operation, key, size := t.describe(*a)
	if a.ask {
		same := false
		err := t.comparison(ctx, func() (err error) {
			same, err = t.same(ctx, *a)
			return err
		})
		t.seen(err == nil && !same, size)
		if err != nil { // errNotNewer, too
			return err
		}
		if a.same = same; same {
			return errSame
		}
	}
	if t.options.DryRun {
		return t.planTransfer(ctx, *a)
	}
	var pinned *entry
	if t.steps != nil {
		err := t.asPlanned(ctx, *a)
		t.seen(err == nil, size)
		if err != nil {
			return err
		}
		pinned = &a.src
	}
	guard := a.guard(t.options.IfUnchanged || t.compare == CompareExisting)
	guard.backup, guard.exact = t.backup, t.steps != nil
	switch {
	case t.direction == up && t.isFolder(a.name, a.src.size):
		return t.putFolder(ctx, *a, guard)
	case t.direction == up && a.src.link:
		return t.putLink(ctx, *a, guard)
	case t.direction == down && a.src.link:
		return t.makeLink(ctx, *a, guard)
	}
	switch t.direction {
	case up:
		u := &upload{
			target: target{job: t.job, operation: operation, bucket: t.dst.Bucket, key: key, name: a.name, guard: guard},
			root:   t.root, stored: t.options.Headers, preserve: t.options.Files.Preserve, planned: size, keys: t.dst.Keys, pinned: pinned,
		}
		err := t.noFile(*a, u.run(ctx))
		a.src.id, a.unproven = u.id, u.unproven
		return err
	case down:
		d := &download{
			job: t.job, bucket: t.src.Bucket, key: key, root: t.root, name: a.name, publisher: t.publisher, keys: t.src.Keys, guard: guard, preserve: t.options.Files.Preserve, sparse: t.options.Files.Sparse,
			size: size, etag: a.src.etag, modTime: a.src.modTime, pinned: pinned,
		}
		err := d.run(ctx)
		a.src.etag, a.unproven = d.etag, d.unproven
		return err
	default:
		c := &objectCopy{
			target: target{job: t.job, operation: operation, bucket: t.dst.Bucket, key: key, name: a.name, size: size, guard: guard},
			from:   Remote(t.src.Bucket, t.src.key(a.name)), etag: a.src.etag, pinned: pinned,
			options: t.options.copying(),
		}
		err := c.run(ctx)
		a.src.etag, a.unproven = c.etag, c.unproven
		return err
	}
}
