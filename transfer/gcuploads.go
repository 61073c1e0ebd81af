package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

// uploadsAtOnce is how many uploads are looked for among those of the jobs at
// once: as many as a page of their list has.
const uploadsAtOnce = 1000

// uploads goes through a bucket.
func (g *collector) uploads(ctx context.Context, l Location) error {
	ahead, err := g.ahead(ctx, l)
	if err != nil {
		return err
	}
	var old []oss.MultipartUpload
	for u, err := range g.MultipartUploads(ctx, l.Bucket, &oss.ListMultipartUploadsOptions{Prefix: l.Path}) {
		if err != nil {
			return err
		}
		if !g.old(u.Initiated.Add(-ahead)) || g.known[u.UploadID] {
			continue
		}
		if old = append(old, u); len(old) == uploadsAtOnce {
			if err := g.abortOld(ctx, l.Bucket, old); err != nil {
				return err
			}
			old = old[:0]
		}
	}
	return g.abortOld(ctx, l.Bucket, old)
}

// abortOld aborts those of the uploads that are no job's that is not dead.
func (g *collector) abortOld(ctx context.Context, bucket *oss.Bucket, uploads []oss.MultipartUpload) error {
	if len(uploads) == 0 {
		return nil
	}
	if err := g.spare(); err != nil {
		return err
	}
	for _, u := range uploads {
		if g.known[u.UploadID] || g.begun[bucketKey{bucket.Name(), u.Key}] {
			continue
		}
		found := Garbage{Kind: "upload", Name: Remote(bucket, u.Key).String(), Since: u.Initiated}
		g.remove(found, func() error {
			return g.try(ctx, "abort "+printable(u.Key), priorityPiece, func(ctx context.Context, _ int) error {
				return abortUpload(ctx, bucket, u.Key, u.UploadID)
			})
		})
	}
	return nil
}

// ahead is how far the service's clock, which dates uploads, is before ours: 0
// where they differ by no more than its dates can tell.
func (g *collector) ahead(ctx context.Context, l Location) (ahead time.Duration, err error) {
	err = g.try(ctx, "list uploads", priorityList, func(ctx context.Context, _ int) error {
		page, err := l.Bucket.ListMultipartUploads(ctx, &oss.ListMultipartUploadsOptions{Prefix: l.Path, MaxUploads: 1})
		if err != nil {
			return err
		}
		if date, err := http.ParseTime(page.Header.Get("Date")); err == nil {
			ahead = time.Until(date)
		}
		return nil
	})
	if ahead.Abs() < clockSlack {
		ahead = 0
	}
	return ahead, err
}

// spare keeps the uploads of the jobs that run or are not dead. What a running
// job is about to begin is in its checkpoint before it is begun: of uploads that
// were listed before, none of its own is missed.
func (g *collector) spare() error {
	dir := g.Engine.opts.StateDir
	if dir == "" {
		return nil
	}
	for job, err := range checkpoint.Jobs(dir) {
		if job.ID == "" {
			return err
		}
		_, held := checkpoint.Holder(dir, job.ID)
		if !held && g.old(job.Updated) {
			continue
		}
		c, err := checkpoint.Inspect(dir, job.ID)
		if err == nil && c.InFlight > int64(len(c.Objects)) {
			err = fmt.Errorf("%d are more than can be told", c.InFlight)
		}
		switch {
		case err == nil:
			g.keep(c)
		case held && !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("job %s is running, and which uploads are its cannot be read: %w", job.ID, err)
		}
	}
	return nil
}

// keep keeps the uploads of a job, those of which it does not know the id yet
// by their key.
func (g *collector) keep(c *checkpoint.Contents) {
	var made call
	readable := json.Unmarshal([]byte(c.Job.Spec), &made) == nil
	for _, o := range c.Objects {
		switch {
		case o.UploadID != "":
			g.known[o.UploadID] = true
		case o.State == checkpoint.StateIntent && readable:
			g.begun[made.upload(o)] = true
		}
	}
}

// bucketKey is where an upload is made.
type bucketKey struct{ bucket, key string }

// upload is where the upload of o is made, in a job of that call.
func (c call) upload(o checkpoint.Object) bucketKey {
	switch {
	case o.Target != "":
		return bucketKey{o.Bucket, o.Target}
	case c.Method == "sync" || c.Method == "apply":
		return bucketKey{c.Destination.Bucket, c.Destination.Path + o.Key}
	}
	return bucketKey{c.Destination.Bucket, c.Destination.Path}
}
