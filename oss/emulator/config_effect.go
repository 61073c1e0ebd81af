package emulator

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// applyDefaults gives a new object what its bucket says of objects: the
// storage class, and how they are encrypted.
func (rq *request) applyDefaults(a *attributes) error {
	return rq.s.store.View(func(tx *store.Tx) error {
		b, err := findBucket(tx, rq.bucket)
		if err != nil {
			return err
		}
		if rq.header("x-oss-storage-class") == "" {
			a.class = b.Class
		}
		if headerValue(a.headers, sseHeader) != "" {
			return nil
		}
		sse, err := bucketSSE(tx, rq.bucket)
		if err != nil || len(sse) == 0 {
			return err
		}
		a.headers = append(a.headers, sse...)
		slices.SortFunc(a.headers, func(x, y store.Header) int { return strings.Compare(x.Name, y.Name) })
		return nil
	})
}

// mayChange refuses to replace or delete an object that the bucket's
// configuration protects: under retention, or not to be overwritten.
func (rq *request) mayChange(tx *store.Tx, key string, overwrite bool) error {
	worm, err := rq.worm(tx)
	if err != nil {
		return err
	}
	forbid := false
	if overwrite {
		if forbid, err = mayNotOverwrite(tx, rq.bucket, key); err != nil {
			return err
		}
	}
	if worm == nil && !forbid {
		return nil
	}
	old, err := tx.Object(rq.bucket, key)
	switch {
	case err != nil || old == nil:
		return err
	case forbid:
		return fail("FileAlreadyExists").with("Key", key)
	case rq.wormHolds(worm, old.Modified):
		return fail("FileImmutable").with("Key", key)
	}
	return nil
}

// indexDocument is what a bucket with a website has for a missing object whose
// key looks like a folder, or else the error that there is none.
func (rq *request) indexDocument(tx *store.Tx, missing error) (*store.Object, error) {
	e, ok := errors.AsType[*apiError](missing)
	if !ok || e.code != "NoSuchKey" || !strings.HasSuffix(rq.key, "/") {
		return nil, missing
	}
	doc, err := configDoc(tx, rq.bucket, "website", "")
	if err != nil || doc == nil || doc.get("IndexDocument/Suffix") == "" {
		return nil, cmp.Or(err, missing)
	}
	key := doc.get("IndexDocument/Suffix")
	if doc.get("IndexDocument/SupportSubDir") == "true" {
		key = rq.key + key
	}
	o, err := tx.Object(rq.bucket, key)
	if err != nil || o == nil {
		return nil, cmp.Or(err, missing)
	}
	return o, nil
}
