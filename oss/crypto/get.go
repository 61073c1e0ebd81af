package crypto

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/osssync/osssync/internal/file"
	"github.com/osssync/osssync/oss"
)

// GetObjectResult is an open object. Its Body, of plain text, must be closed.
type GetObjectResult struct {
	// GetObjectResult is the answer. Its CRC-64 is that of the cipher text,
	// its Offset, Length and Total are also those of the plain text.
	*oss.GetObjectResult

	// Material is the object's envelope, nil for a plain object.
	Material *Material
}

// GetObject opens an object for reading (GetObject). What oss.Bucket.GetObject
// says holds here, ranges included: any is read without a byte too many. A plain
// object is given as it is. Compression and processing by the server are an
// *oss.UsageError: it has the cipher text only.
//
// The error is a *MaterialError or matches ErrNoMasterKey where the envelope
// cannot be opened, and ErrNotEncrypted with Options.RequireEncryption.
func (b *Bucket) GetObject(ctx context.Context, key string, opts *oss.GetObjectOptions) (*GetObjectResult, error) {
	if opts != nil {
		if err := checkGet(opts); err != nil {
			return nil, err
		}
	}
	res, err := b.plain.GetObject(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	return b.open(ctx, res)
}

// GetObjectWithURL is GetObject from a URL that oss.Bucket.SignURL made for GET
// (GetObject by a presigned URL).
func (b *Bucket) GetObjectWithURL(ctx context.Context, signedURL string, opts *oss.GetObjectOptions) (*GetObjectResult, error) {
	if opts != nil {
		if err := checkGet(opts); err != nil {
			return nil, err
		}
	}
	res, err := b.plain.GetObjectWithURL(ctx, signedURL, opts)
	if err != nil {
		return nil, err
	}
	return b.open(ctx, res)
}

// open puts the deciphering in front of the body of res, or closes it.
func (b *Bucket) open(ctx context.Context, res *oss.GetObjectResult) (*GetObjectResult, error) {
	m, encrypted, err := MaterialFromMeta(res.Meta)
	var stream *Stream
	switch {
	case err != nil:
	case encrypted:
		stream, err = b.provider.Open(ctx, m)
	case b.options.RequireEncryption:
		err = ErrNotEncrypted
	}
	if err != nil {
		return nil, errors.Join(err, res.Body.Close())
	}
	if encrypted {
		// The offset is that of the answer: a range of the last bytes is
		// known by it alone.
		res.Body = &plainBody{Reader: stream.Reader(res.Body, res.Offset), Closer: res.Body}
	}
	return &GetObjectResult{GetObjectResult: res, Material: m}, nil
}

type plainBody struct {
	io.Reader
	io.Closer
}

// checkGet refuses what makes another text of the cipher text.
func checkGet(o *oss.GetObjectOptions) error {
	const op = "GetObject"
	if !isIdentity(o.AcceptEncoding) {
		return usageError(op, "AcceptEncoding", "cipher text is not compressed")
	}
	for name, values := range o.Header {
		for _, v := range values {
			if http.CanonicalHeaderKey(name) == "Accept-Encoding" && !isIdentity(v) {
				return usageError(op, "Header", "cipher text is not compressed")
			}
		}
	}
	if o.Process != "" || has(o.Query, "x-oss-process") {
		return usageError(op, "Process", "the server cannot process cipher text")
	}
	return nil
}

func isIdentity(encoding string) bool { return encoding == "" || encoding == "identity" }

func has(q url.Values, name string) bool { _, ok := q[name]; return ok }

// GetObjectToFile is GetObject into the file name, which shows the whole plain
// text or what it was before: the bytes go to a temporary file beside it, are
// synced, and renamed. A file that was there before keeps its permissions. The
// result's Body is closed.
func (b *Bucket) GetObjectToFile(ctx context.Context, key, name string, opts *oss.GetObjectOptions) (*GetObjectResult, error) {
	res, err := b.GetObject(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	if err := file.Write(name, res.Body); err != nil {
		return nil, err
	}
	return res, nil
}
