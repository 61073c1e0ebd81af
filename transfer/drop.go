package transfer

import (
	"context"
	"errors"
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
		if o.TempName != "" && l.root != nil {
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

// abandon aborts the upload of rec, whatever became of ctx, and forgets it. An
// upload that cannot be aborted now stays recorded, for the next run.
func (j *job) abandon(ctx context.Context, bucket *oss.Bucket, key string, rec checkpoint.Object) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	ids := []string{rec.UploadID}
	if rec.UploadID == "" && rec.State == checkpoint.StateIntent {
		err := j.do(ctx, "list uploads", key, priorityList, func(ctx context.Context, _ int) (err error) {
			ids, err = unheardOf(ctx, bucket, key, rec.Started)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		err := j.do(ctx, "abort", key, priorityPiece, func(ctx context.Context, _ int) error {
			err := bucket.AbortMultipartUpload(ctx, key, id, nil)
			if errors.Is(err, oss.ErrNoSuchUpload) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return j.journal.Forget(ctx, rec.Key)
}

// intentWindow is how long after its intent an upload can have begun: longer
// than all tries of one InitiateMultipartUpload take, and short enough not to
// meet somebody else's.
const intentWindow = 2 * time.Minute

// unheardOf lists the uploads that an InitiateMultipartUpload began whose
// answer was lost: of exactly this key, begun just after the intent was
// recorded, and without parts. Where clocks differ it finds none.
func unheardOf(ctx context.Context, bucket *oss.Bucket, key string, intent time.Time) (ids []string, err error) {
	for u, err := range bucket.MultipartUploads(ctx, &oss.ListMultipartUploadsOptions{Prefix: key}) {
		if err != nil {
			return nil, err
		}
		if u.Key != key {
			break // keys come in order: the rest only begin with key
		}
		after := u.Initiated.Sub(intent.Truncate(time.Second))
		if after < 0 || after > intentWindow {
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
	return ids, nil
}

// failed is the number of objects that failed so far.
func (j *job) failed() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report.Objects.Failed
}
