package transfer

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
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

// copyAside makes the copy as Copy would, with the storage class of its source,
// and with its ACL where that may be asked for: proven, in parts where it is
// large, and on from where an earlier run stopped. Nothing of it is left in the
// checkpoint then, and it counts neither as an object nor as bytes of the job's.
func (j *job) copyAside(ctx context.Context, a aside) error {
	c := &objectCopy{
		target: target{job: j, operation: "copy", bucket: a.to.Bucket, key: a.to.Path, name: a.name, size: a.seen.Size, guard: a.guard, aside: true},
		from:   a.from, etag: a.seen.ETag, pinned: &entry{etag: a.seen.ETag},
		options: CopyOptions{KeepACL: true, keepClass: true},
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

// cloneAside makes a file of the content and time of another, durably, as
// localfs.Root.Clone does: a file that a backup keeps, or that an undo puts back.
// Its temporary file is recorded before it is made.
func (j *job) cloneAside(ctx context.Context, name string, from *localfs.Root, key string, to *localfs.Root, toKey string) error {
	if err := j.dropAside(ctx, name, nil); err != nil {
		return err
	}
	err := j.journal.PutObject(ctx, checkpoint.Object{
		Key: name, State: checkpoint.StateActive, Target: to.Path(toKey), TempName: localfs.CloneTemp(toKey), Started: time.Now(),
	})
	if err != nil {
		return err
	}
	if err = from.Clone(ctx, key, to, toKey); err == nil {
		err = to.SyncDirs(toKey)
	}
	return errors.Join(err, j.journal.Forget(context.WithoutCancel(ctx), name))
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

// dropAside gives up what an earlier run began of an aside. bucket is one of the
// service that an object's is in.
func (j *job) dropAside(ctx context.Context, name string, bucket *oss.Bucket) error {
	rec, found, err := j.journal.Object(name)
	if !found || err != nil {
		return err
	}
	return j.abandon(ctx, bucket, rec.Target, rec)
}

// removeAsideTemp removes the temporary file of an aside, if rec is of one.
func removeAsideTemp(rec checkpoint.Object) error {
	if rec.Target == "" || rec.TempName == "" {
		return nil
	}
	dir, name := localfs.SplitRoot(rec.Target)
	root, err := localfs.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveTemp(name, rec.TempName)
}

// placeOfObject is where what rec has under way is made: in bucket under key,
// unless it is an aside in a bucket.
func placeOfObject(rec checkpoint.Object, bucket *oss.Bucket, key string) (*oss.Bucket, string) {
	if rec.Bucket == "" {
		return bucket, key
	}
	if rec.Bucket != bucket.Name() {
		bucket = bucket.Client().Bucket(rec.Bucket)
	}
	return bucket, rec.Target
}
