package transfer

import (
	"context"

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

// failed is the number of objects that failed so far.
func (j *job) failed() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report.Objects.Failed
}
