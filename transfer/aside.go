package transfer

import (
	"context"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

// aside is a copy that the service makes beside the job's own objects: one that
// a backup keeps, or that an undo puts back.
type aside struct {
	name     string // asideName
	from, to Location
	seen     checkpoint.Identity // the source that is meant: its size and ETag
	guard    guard               // of what is there
}

// asideName is the name of an aside in the checkpoint. No object of a tree has
// it: keys have no NUL.
func asideName(purpose, name string) string { return "\x00" + purpose + "\x00" + name }

// copyAside makes the copy as Copy would, proven, in parts where it is large and
// on from where an earlier run stopped. Nothing of it is left in the checkpoint
// then, and it counts neither as an object nor as bytes of the job's.
func (j *job) copyAside(ctx context.Context, a aside) error {
	c := &objectCopy{
		target: target{job: j, operation: "copy", bucket: a.to.Bucket, key: a.to.Path, name: a.name, size: a.seen.Size, guard: a.guard, aside: true},
		from:   a.from, etag: a.seen.ETag, pinned: &entry{etag: a.seen.ETag},
	}
	uncounted := &meter{job: j, active: map[*tracker]struct{}{}}
	c.tracker = uncounted.track(c.key, c.size)
	defer c.tracker.end()
	if err := c.once(ctx); err != nil {
		return err
	}
	_, found, err := j.journal.Object(a.name)
	if !found || err != nil {
		return err
	}
	return j.journal.Forget(context.WithoutCancel(ctx), a.name)
}

// begunAside is where an earlier run began the aside of a name, if that is below
// within.
func (j *job) begunAside(name string, within Location) (at Location, found bool, err error) {
	rec, found, err := j.journal.Object(name)
	if err != nil || !found || rec.Bucket != within.Bucket.Name() || !strings.HasPrefix(rec.Target, within.Path) {
		return Location{}, false, err
	}
	return Location{Bucket: within.Bucket, Path: rec.Target}, true, nil
}

// dropAside gives up what an earlier run began of an aside.
func (j *job) dropAside(ctx context.Context, name string, bucket *oss.Bucket) error {
	rec, found, err := j.journal.Object(name)
	if !found || err != nil {
		return err
	}
	return j.abandon(ctx, bucket, rec.Target, rec)
}

// placeOfObject is where what rec has under way is made: in bucket under key, unless
// it is an aside.
func placeOfObject(rec checkpoint.Object, bucket *oss.Bucket, key string) (*oss.Bucket, string) {
	if rec.Target == "" {
		return bucket, key
	}
	if rec.Bucket != bucket.Name() {
		bucket = bucket.Client().Bucket(rec.Bucket)
	}
	return bucket, rec.Target
}
