package transfer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// leftovers says where an earlier run of a job may have left things.
type leftovers struct {
	bucket *oss.Bucket              // of its multipart uploads
	root   *localfs.Root            // of its temporary files; nil for an upload
	keyOf  func(name string) string // the key of a name in the checkpoint
}

// dropAll forgets everything an earlier run left: its uploads are aborted, its
// temporary files removed.
func (j *job) dropAll(ctx context.Context, l leftovers) error {
	if err := j.dropObjects(ctx, l); err != nil {
		return err
	}
	return j.journal.ClearSettled(ctx)
}

// dropObjects gives up every object the checkpoint has in flight.
func (j *job) dropObjects(ctx context.Context, l leftovers) error {
	if err := j.journal.Flush(ctx); err != nil {
		return err
	}
	var inFlight []checkpoint.Object
	for o, err := range j.journal.Objects() {
		if err != nil {
			return err
		}
		inFlight = append(inFlight, o)
	}
	for _, o := range inFlight {
		if o.TempName != "" && o.Target == "" && l.root != nil {
			if err := l.root.RemoveTemp(o.Key, o.TempName); err != nil {
				return err
			}
		}
		if err := j.abandon(ctx, l.bucket, l.keyOf(o.Key), o); err != nil {
			return err
		}
	}
	return nil
}

// abandon aborts the upload of rec, whatever became of ctx, and forgets it. It is
// in bucket under key, unless rec says where; of an aside it may be a temporary
// file, which is removed. What cannot be aborted or removed now stays recorded,
// for the next run.
func (j *job) abandon(ctx context.Context, bucket *oss.Bucket, key string, rec checkpoint.Object) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	bucket, key = placeOfObject(rec, bucket, key)
	err := removeAsideTemp(rec)
	switch {
	case err != nil:
	case rec.UploadID != "":
		err = j.abort(ctx, bucket, key, rec.UploadID)
	case rec.State == checkpoint.StateIntent:
		err = j.do(ctx, "list uploads", key, priorityList, func(ctx context.Context, _ int) error {
			return j.abortLost(ctx, bucket, key, rec.Started, rec.Started.Add(intentWindow))
		})
	}
	if err != nil {
		return err
	}
	return j.journal.Forget(ctx, rec.Key)
}

func (j *job) abort(ctx context.Context, bucket *oss.Bucket, key, id string) error {
	return j.do(ctx, "abort", key, priorityPiece, func(ctx context.Context, _ int) error { return abortUpload(ctx, bucket, key, id) })
}

// abortUpload is AbortMultipartUpload of an upload that may be gone.
func abortUpload(ctx context.Context, bucket *oss.Bucket, key, id string) error {
	err := bucket.AbortMultipartUpload(ctx, key, id, nil)
	if errors.Is(err, oss.ErrNoSuchUpload) {
		return nil
	}
	return err
}

// intentWindow is how long after its intent was recorded an upload can have
// begun: the request follows at once.
const intentWindow = 10 * time.Second

// abortLost aborts the upload that an InitiateMultipartUpload began whose
// answer was lost, if it did. Nothing marks an upload as ours, so it must be
// the only one of exactly this key that began in that time and has no parts:
// of several none is touched, for one is ours and the others are not. An upload
// without parts costs nothing.
func (j *job) abortLost(ctx context.Context, bucket *oss.Bucket, key string, from, to time.Time) error {
	ids, err := begunBetween(ctx, bucket, key, from, to)
	switch {
	case errors.Is(err, oss.ErrAccessDenied):
		j.warn("an upload of " + printable(key) + " may be left, without parts: its answer was lost, and the access key may not list uploads")
		return nil
	case err != nil:
		return err
	case len(ids) > 1:
		j.warn("an upload of " + printable(key) + " may be left, without parts: others began at the same moment, and none is touched")
		return nil
	case len(ids) == 1:
		return abortUpload(ctx, bucket, key, ids[0])
	}
	return nil
}

// clockSlack is what a server's clock and its timestamps may differ by.
const clockSlack = 2 * time.Second

// begunBetween lists the uploads of exactly this key without parts that began
// in that time, by the server's clock.
func begunBetween(ctx context.Context, bucket *oss.Bucket, key string, from, to time.Time) (ids []string, err error) {
	o := &oss.ListMultipartUploadsOptions{Prefix: key}
	for {
		page, err := bucket.ListMultipartUploads(ctx, o)
		if err != nil {
			return nil, err
		}
		ahead := time.Duration(0)
		if date, err := http.ParseTime(page.Header.Get("Date")); err == nil {
			if ahead = time.Until(date); ahead.Abs() < clockSlack {
				ahead = 0
			}
		}
		for _, u := range page.Uploads {
			if u.Key != key {
				return ids, nil // keys come in order: the rest only begin with key
			}
			if u.Initiated.Before(from.Add(ahead-clockSlack)) || u.Initiated.After(to.Add(ahead+clockSlack)) {
				continue
			}
			parts, err := bucket.ListParts(ctx, key, u.UploadID, &oss.ListPartsOptions{MaxParts: 1})
			if errors.Is(err, oss.ErrNoSuchUpload) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if len(parts.Parts) == 0 {
				ids = append(ids, u.UploadID)
			}
		}
		if !page.IsTruncated {
			return ids, nil
		}
		o.KeyMarker, o.UploadIDMarker = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

// failed is the number of objects that failed so far.
func (j *job) failed() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report.Objects.Failed
}

// dropRest gives up what an earlier run of the job had under way and this one has
// not gone on with.
func (t *tree) dropRest(ctx context.Context) error {
	if t.direction != down {
		return t.dropObjects(ctx, t.leftovers(nil))
	}
	root, err := localfs.OpenRoot(t.dst.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	t.options.Files.prepare(root, false)
	t.watchFiles(root)
	if err := t.dropObjects(ctx, t.leftovers(root)); err != nil || !t.report.Resumed {
		return err
	}
	return eachTemp(ctx, root, t.owner(), root.RemoveFound)
}

// leftovers is where an earlier run of the job may have left things.
func (t *tree) leftovers(root *localfs.Root) leftovers {
	l := leftovers{bucket: t.dst.Bucket, root: root, keyOf: t.dst.key}
	if t.direction == down {
		l.bucket = t.src.Bucket
	}
	return l
}
