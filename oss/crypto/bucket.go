package crypto

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/osssync/osssync/internal/file"
	"github.com/osssync/osssync/oss"
)

// Options tunes a Bucket. The zero value is ready to use.
type Options struct {
	// RequireEncryption makes reading a plain object ErrNotEncrypted. Without
	// it plain objects are given out as they are, so whoever can write to the
	// bucket can put one in an encrypted object's place.
	RequireEncryption bool
}

// Bucket reads and writes encrypted objects of a bucket. What does not touch
// contents (HeadObject, DeleteObject, lists, copies of whole objects, which
// keep their envelope) stays with the plain bucket. It is safe for concurrent
// use.
type Bucket struct {
	plain    *oss.Bucket
	provider Provider
	options  Options
}

// NewBucket encrypts the contents of b with content keys of provider. The error
// is an *oss.UsageError.
func NewBucket(b *oss.Bucket, provider Provider, opts *Options) (*Bucket, error) {
	switch {
	case b == nil:
		return nil, usageError("", "bucket", "is nil")
	case provider == nil:
		return nil, usageError("", "provider", "is nil")
	}
	e := &Bucket{plain: b, provider: provider}
	if opts != nil {
		e.options = *opts
	}
	return e, nil
}

// Plain is the bucket underneath, for all other calls.
func (b *Bucket) Plain() *oss.Bucket { return b.plain }

// PutObject encrypts body and stores it under key (PutObject). What
// oss.Bucket.PutObject says holds here; the CRC-64 of the result is that of the
// cipher text. opts.ContentMD5, of the plain text, is stored with the object and
// not checked by the server.
//
// Each call makes a content key: two calls with the same body store different
// objects.
func (b *Bucket) PutObject(ctx context.Context, key string, body io.Reader, opts *oss.PutObjectOptions) (*oss.PutObjectResult, error) {
	var o oss.PutObjectOptions
	if opts != nil {
		o = *opts
	}
	m, stream, err := b.provider.NewMaterial(ctx)
	if err != nil {
		return nil, err
	}
	m.PlainSize = max(0, lengthOf(body))
	m.PlainMD5, o.ContentMD5 = o.ContentMD5, ""
	seal(&o.ObjectHeaders, m)
	return b.plain.PutObject(ctx, key, stream.Reader(body, 0), &o)
}

// PutObjectFromFile is PutObject with the contents of the file name.
func (b *Bucket) PutObjectFromFile(ctx context.Context, key, name string, opts *oss.PutObjectOptions) (*oss.PutObjectResult, error) {
	f, err := file.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return b.PutObject(ctx, key, f, opts)
}

// seal puts the envelope into h, in the place of any other one. A Content-MD5 of
// the plain text goes there too: the server would compare it with the cipher
// text.
func seal(h *oss.ObjectHeaders, m *Material) {
	header := make(http.Header, len(h.Header))
	for name, values := range h.Header {
		name = http.CanonicalHeaderKey(name)
		meta, isMeta := strings.CutPrefix(name, metaPrefix)
		switch {
		case isMeta && isEnvelope(meta):
		case name == "Content-Md5":
			m.PlainMD5 = strings.Join(values, ",")
		default:
			header[name] = values
		}
	}
	h.Header = header
	h.Meta = withoutEnvelope(h.Meta)
	maps.Copy(h.Meta, m.Meta())
}
