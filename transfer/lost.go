package transfer

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/osssync/osssync/oss"
)

// undecided says whether err leaves open that the service has done what it was
// asked for. A refusal of its own does not, nor a connection that never was.
func undecided(err error) bool {
	if e, ok := errors.AsType[*oss.ServerError](err); ok {
		refused := e.Status/100 == 3 || e.Status/100 == 4 || e.Status == http.StatusServiceUnavailable && e.Code != ""
		return !refused
	}
	if _, ok := errors.AsType[*oss.TransportError](err); ok {
		dial, ok := errors.AsType[*net.OpError](err)
		return !ok || dial.Op != "dial"
	}
	_, answer := errors.AsType[*oss.AnswerError](err)
	return answer || errors.Is(err, oss.ErrIntegrity)
}

// holds asks whether the key has exactly these bytes, and is nil if it does
// not. Who may not ask is told so: then what may be there is made once more.
func (j *job) holds(ctx context.Context, bucket *oss.Bucket, key string, size int64, crc uint64) (*oss.ObjectMeta, error) {
	meta, err := bucket.HeadObject(ctx, key, nil)
	switch {
	case errors.Is(err, oss.ErrNotFound), errors.Is(err, oss.ErrAccessDenied):
		return nil, nil
	case err != nil:
		return nil, err
	case meta.HasCRC64 && meta.CRC64 == crc && meta.Size == size:
		return meta, nil
	}
	return nil, nil
}

// has is holds of the target.
func (t *target) has(ctx context.Context, crc uint64) (*oss.ObjectMeta, error) {
	return t.job.holds(ctx, t.bucket, t.key, t.size, crc)
}

// request is one that makes an object as a whole, and what is known of its
// tries.
type request struct {
	bucket  *oss.Bucket
	key     string
	size    int64
	headers oss.ObjectHeaders // that the object is to have

	began time.Time // the first try
	open  bool      // whether the last one may have done it
	crc   uint64    // of the bytes that it sent
}

// made is asked at the beginning of each try: it is the object if the try before
// has made it, whose answer was lost, and nil if a try is due.
func (j *job) made(ctx context.Context, q *request) (*oss.ObjectMeta, error) {
	if q.began.IsZero() {
		q.began = time.Now()
	}
	if !q.open {
		return nil, nil
	}
	return j.find(ctx, q)
}

// met is the object that the service refuses to overwrite, which err says, if a
// try before the last has made it. Otherwise err is the answer.
func (j *job) met(ctx context.Context, q *request, attempt int, err error) (*oss.ObjectMeta, error) {
	if attempt == 1 || !errors.Is(err, oss.ErrFileAlreadyExists) {
		return nil, err
	}
	meta, headErr := j.find(ctx, q)
	if headErr != nil {
		return nil, headErr
	}
	if meta == nil {
		return nil, err
	}
	return meta, nil
}

// find is the object that a try has made, nil if none is known to have: one that
// is older, or has other headers than asked for, is another.
func (j *job) find(ctx context.Context, q *request) (*oss.ObjectMeta, error) {
	meta, err := j.holds(ctx, q.bucket, q.key, q.size, q.crc)
	if err != nil || meta == nil || !modifiedSince(meta, q.began) || !q.bears(meta) {
		return nil, err
	}
	if want := q.headers.ACL; want != "" {
		acl, err := q.bucket.GetObjectACL(ctx, q.key, nil)
		if err != nil || acl != want {
			return nil, unlessDenied(err)
		}
	}
	if want := q.headers.Tagging; want != "" {
		tags, err := q.bucket.GetObjectTagging(ctx, q.key, nil)
		if err != nil || !sameTags(want, encodeTags(tags)) {
			return nil, unlessDenied(err)
		}
	}
	return meta, nil
}

// unlessDenied is err, or nil if it says that one may not ask, or that there is
// nothing.
func unlessDenied(err error) error {
	if errors.Is(err, oss.ErrAccessDenied) || errors.Is(err, oss.ErrNotFound) {
		return nil
	}
	return err
}

// sameTags compares two x-oss-tagging headers.
func sameTags(a, b string) bool {
	x, errA := url.ParseQuery(a)
	y, errB := url.ParseQuery(b)
	return errA == nil && errB == nil && x.Encode() == y.Encode()
}

// bears says whether an object has the headers that it is to have, as far as
// they are said and HEAD shows them.
func (q *request) bears(meta *oss.ObjectMeta) bool {
	h := q.headers
	is := func(want, has string) bool { return want == "" || strings.EqualFold(want, has) }
	return is(h.StorageClass, meta.StorageClass) && is(h.ContentType, meta.ContentType) &&
		is(h.CacheControl, meta.Header.Get("Cache-Control")) && is(h.Expires, meta.Header.Get("Expires")) &&
		is(h.ContentDisposition, meta.Header.Get("Content-Disposition")) &&
		is(h.ContentEncoding, meta.Header.Get("Content-Encoding")) &&
		is(h.ContentLanguage, meta.Header.Get("Content-Language")) &&
		is(h.ServerSideEncryption, meta.Header.Get("X-Oss-Server-Side-Encryption")) &&
		maps.Equal(lowered(h.Meta), meta.Meta)
}

// lowered is m as HTTP carries it: the names in lower case, the values without the
// blanks around them.
func lowered(m map[string]string) map[string]string {
	low := make(map[string]string, len(m))
	for name, value := range m {
		low[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	return low
}

// modifiedSince says whether an object was written at that moment of our clock or
// later; in the same second is later, for its time has whole seconds. The answer
// tells the server's clock.
func modifiedSince(meta *oss.ObjectMeta, since time.Time) bool {
	date, err := http.ParseTime(meta.Header.Get("Date"))
	if err != nil {
		return false
	}
	began := date.Add(-time.Since(since)).Truncate(time.Second)
	return !meta.LastModified.Before(began)
}
