package transfer

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

// adopt finds an open upload of exactly this key that the checkpoint does not
// know, for a run that has lost it, and records it as the job's own. Of several
// it takes the one that holds the most; the others are left alone. Nothing of
// it is believed: what its parts hold is proven like that of any other run, and
// what it was begun with is replaced at the end.
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

// adopted says whether the upload was begun by nobody knows whom.
func (m *multipart) adopted() bool { return m.rec.Nonce == "" }

// adoptedACL is the access that CompleteMultipartUpload gives the object of an
// adopted upload: nobody shall see it with another's, even for a moment.
func (m *multipart) adoptedACL() string {
	if !m.adopted() {
		return "" // as it was begun
	}
	return cmp.Or(m.headers().ACL, "default")
}

// dress gives the object of an adopted upload the headers and tags it is to
// have, by a copy onto itself: those it was begun with cannot be asked for.
func (m *multipart) dress(ctx context.Context, etag string) (string, error) {
	if !m.adopted() {
		return etag, nil
	}
	if m.size > maxPartSize {
		m.warn(printable(m.key) + " keeps the metadata that its adopted upload was begun with: it is too large to be copied onto itself")
		return etag, nil
	}
	o := &oss.CopyObjectOptions{ObjectHeaders: m.headers(), MetadataDirective: "REPLACE", TaggingDirective: "Replace", IfMatch: etag}
	o.ForbidOverwrite = false
	var result *oss.CopyObjectResult
	err := m.do(ctx, "copy", m.key, priorityObject, func(ctx context.Context, _ int) (err error) {
		result, err = m.bucket.CopyObject(ctx, m.bucket.Name(), m.key, m.key, o)
		return err
	})
	if err != nil {
		return "", err
	}
	if result.HasCRC64 && result.CRC64 != m.rec.CRC64 {
		return "", &CorruptError{Name: m.key, Expected: m.rec.CRC64, Have: result.CRC64}
	}
	return result.ETag, nil
}
