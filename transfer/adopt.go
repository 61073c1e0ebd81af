package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

// adopt finds an open upload of exactly this key that the checkpoint does not
// know, for a run that has lost it, and records it as the job's own. Of several
// it takes the one that holds the most; the others are left alone. Nothing of
// it is believed: what its parts hold is proven like that of any other run.
func (t *target) adopt(ctx context.Context, c content) (rec checkpoint.Object, found bool, err error) {
	var ids []oss.MultipartUpload
	err = t.do(ctx, "list uploads", t.key, priorityList, func(ctx context.Context, _ int) error {
		ids = nil
		for u, err := range t.bucket.MultipartUploads(ctx, &oss.ListMultipartUploadsOptions{Prefix: t.key}) {
			if err != nil {
				return err
			}
			if u.Key != t.key {
				break // keys come in order: the rest only begin with key
			}
			ids = append(ids, u)
		}
		return nil
	})
	if err != nil {
		return rec, false, err
	}
	var most int64
	for _, u := range ids {
		listed, err := t.list(ctx, u.UploadID)
		if errors.Is(err, oss.ErrNoSuchUpload) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return rec, false, err
		}
		partSize, useful := t.fit(listed)
		if useful > most {
			most, found = useful, true
			rec = checkpoint.Object{
				Key: t.name, State: checkpoint.StateActive, Source: c.identity(),
				PartSize: partSize, UploadID: u.UploadID, Started: time.Now(),
			}
		}
	}
	if !found {
		return rec, false, nil
	}
	t.log.Info("adopting an upload", "key", t.key, "upload", rec.UploadID, "bytes", most)
	return rec, true, t.journal.PutObject(ctx, rec)
}

// fit says what part size an upload was made with, as far as its parts tell,
// and how many bytes they would save.
func (t *target) fit(listed map[int]oss.Part) (partSize, useful int64) {
	for _, p := range listed {
		partSize = max(partSize, p.Size)
	}
	if want, err := partSizeFor(t.size, partSize); partSize < minPartSize || err != nil || want != partSize {
		return 0, 0
	}
	for number, p := range listed {
		off := int64(number-1) * partSize
		if off < t.size && p.Size == min(partSize, t.size-off) {
			useful += p.Size
		}
	}
	return partSize, useful
}
