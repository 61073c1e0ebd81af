package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

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
		u := &upload{
			target: target{job: t.job, operation: operation, bucket: t.bucket, key: key, name: a.name},
			root:   t.root, stored: t.options.Headers, planned: size,
		}
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
