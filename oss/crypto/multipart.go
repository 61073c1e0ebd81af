package crypto

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss"
)

const (
	// MinPartSize is the least part size of an encrypted multipart upload in
	// bytes. Limits of the service, "Multipart upload".
	MinPartSize = 100 << 10

	// DefaultPartSize is the part size in bytes where none is asked for, if
	// oss.MaxParts of them are enough.
	DefaultPartSize = 8 << 20
)

// InitMultipartOptions tunes InitMultipartUpload. The zero value is ready to
// use.
type InitMultipartOptions struct {
	oss.InitMultipartOptions

	// PartSize is the length of every part but the last, in bytes: a multiple
	// of BlockSize, at least MinPartSize, and so large that oss.MaxParts are
	// enough. 0 means DefaultPartSize or more.
	PartSize int64
}

// MultipartUpload is an encrypted upload in parts. It is never changed and safe
// for concurrent use.
type MultipartUpload struct {
	// Key is the object's, UploadID that of the upload.
	Key      string
	UploadID string

	// Material is the envelope, with DataSize and PartSize. It and the two
	// above are all that ResumeMultipartUpload needs.
	Material *Material

	stream *Stream
}

// Parts is how many parts the upload has, at least one.
func (u *MultipartUpload) Parts() int {
	if u.Material == nil {
		return 0
	}
	return partsOf(u.Material.DataSize, u.Material.PartSize)
}

// Part is the offset of a part within the object and its length in bytes. ok is
// false for a number the upload does not have.
func (u *MultipartUpload) Part(number int) (off, length int64, ok bool) {
	if number < 1 || number > u.Parts() {
		return 0, 0, false
	}
	off = int64(number-1) * u.Material.PartSize
	return off, min(u.Material.PartSize, u.Material.DataSize-off), true
}

func partsOf(dataSize, partSize int64) int {
	if partSize <= 0 {
		return 0
	}
	n := dataSize / partSize
	if dataSize%partSize > 0 || n == 0 {
		n++
	}
	return int(min(n, oss.MaxParts+1))
}

// InitMultipartUpload begins an upload of dataSize bytes in parts
// (InitiateMultipartUpload). The size must be known: the server is told it.
func (b *Bucket) InitMultipartUpload(ctx context.Context, key string, dataSize int64, opts *InitMultipartOptions) (*MultipartUpload, error) {
	var o InitMultipartOptions
	if opts != nil {
		o = *opts
	}
	if o.PartSize == 0 {
		least := (max(0, dataSize) + oss.MaxParts - 1) / oss.MaxParts
		o.PartSize = max(DefaultPartSize, (least+BlockSize-1)/BlockSize*BlockSize)
	}
	if err := checkSizes("InitiateMultipartUpload", dataSize, o.PartSize); err != nil {
		return nil, err
	}
	m, stream, err := b.provider.NewMaterial(ctx)
	if err != nil {
		return nil, err
	}
	m.DataSize, m.PartSize = dataSize, o.PartSize
	seal(&o.ObjectHeaders, m)
	res, err := b.plain.InitMultipartUpload(ctx, key, &o.InitMultipartOptions)
	if err != nil {
		return nil, err
	}
	return &MultipartUpload{Key: key, UploadID: res.UploadID, Material: m, stream: stream}, nil
}

// ResumeMultipartUpload goes on with an upload of which key, id and envelope
// were kept. Nothing is sent, but the provider opens the envelope. Parts must
// have the bytes they had before: other ones under the same key stream would
// give both away.
func (b *Bucket) ResumeMultipartUpload(ctx context.Context, key, uploadID string, m *Material) (*MultipartUpload, error) {
	const op = "UploadPart"
	if m == nil {
		return nil, usageError(op, "material", "is nil")
	}
	if m.Legacy {
		return nil, usageError(op, "material", "is of the legacy format, which is only read")
	}
	if err := checkSizes(op, m.DataSize, m.PartSize); err != nil {
		return nil, err
	}
	stream, err := b.provider.Open(ctx, m)
	if err != nil {
		return nil, err
	}
	return &MultipartUpload{Key: key, UploadID: uploadID, Material: new(*m), stream: stream}, nil
}

func checkSizes(op string, dataSize, partSize int64) error {
	switch {
	case dataSize < 0:
		return usageError(op, "dataSize", "is negative")
	case partSize < MinPartSize:
		return usageError(op, "PartSize", itoa(partSize)+" is less than "+itoa(MinPartSize))
	case partSize%BlockSize != 0:
		return usageError(op, "PartSize", itoa(partSize)+" is no multiple of "+itoa(BlockSize))
	case partsOf(dataSize, partSize) > oss.MaxParts:
		return usageError(op, "PartSize", itoa(dataSize)+" bytes in parts of "+itoa(partSize)+" need more than "+itoa(oss.MaxParts))
	}
	return nil
}

// UploadPart encrypts and sends a part (UploadPart). body must say its length,
// by a Len or a Seek method, and have exactly that of the part. What
// oss.Bucket.UploadPart says of body and errors holds here. The result's size and
// CRC-64 are those of the cipher text. opts.ContentMD5 must be empty: the server
// would compare it with the cipher text.
func (b *Bucket) UploadPart(ctx context.Context, u *MultipartUpload, number int, body io.Reader, opts *oss.UploadPartOptions) (*oss.UploadPartResult, error) {
	const op = "UploadPart"
	if err := u.check(op); err != nil {
		return nil, err
	}
	var o oss.UploadPartOptions
	if opts != nil {
		o = *opts
	}
	off, length, ok := u.Part(number)
	if !ok {
		return nil, usageError(op, "number", itoa(int64(number))+" is not 1 to "+itoa(int64(u.Parts())))
	}
	if n := lengthOf(body); n != length {
		if n < 0 {
			return nil, usageError(op, "body", "does not say its length")
		}
		return nil, usageError(op, "body", "has "+itoa(n)+" bytes, not "+itoa(length))
	}
	header := u.Material.Header()
	for name, values := range o.Header {
		name = http.CanonicalHeaderKey(name)
		if meta, ok := strings.CutPrefix(name, metaPrefix); !ok || !isEnvelope(meta) {
			header[name] = values
		}
	}
	if o.ContentMD5 != "" || header.Get("Content-Md5") != "" {
		return nil, usageError(op, "ContentMD5", "the server has the cipher text only")
	}
	o.Header = header
	return b.plain.UploadPart(ctx, u.Key, u.UploadID, number, u.stream.Reader(body, off), &o)
}

// check refuses an upload that is not of this package's making.
func (u *MultipartUpload) check(op string) error {
	if u == nil || u.Material == nil || u.stream == nil {
		return usageError(op, "upload", "is not of InitMultipartUpload or ResumeMultipartUpload")
	}
	return checkSizes(op, u.Material.DataSize, u.Material.PartSize)
}

// CompleteMultipartUpload makes the object of its parts
// (CompleteMultipartUpload), as oss.Bucket.CompleteMultipartUpload does. All
// must be named: without one of them what follows could not be deciphered.
func (b *Bucket) CompleteMultipartUpload(ctx context.Context, u *MultipartUpload, parts []oss.Part, opts *oss.CompleteMultipartOptions) (*oss.CompleteMultipartResult, error) {
	const op = "CompleteMultipartUpload"
	if err := u.check(op); err != nil {
		return nil, err
	}
	if all := opts != nil && opts.CompleteAll; !all && len(parts) != u.Parts() {
		return nil, usageError(op, "parts", "are "+itoa(int64(len(parts)))+", not "+itoa(int64(u.Parts())))
	}
	return b.plain.CompleteMultipartUpload(ctx, u.Key, u.UploadID, parts, opts)
}

// AbortMultipartUpload discards an upload and its parts (AbortMultipartUpload),
// as oss.Bucket.AbortMultipartUpload does.
func (b *Bucket) AbortMultipartUpload(ctx context.Context, u *MultipartUpload, opts *oss.AbortMultipartOptions) error {
	if err := u.check("AbortMultipartUpload"); err != nil {
		return err
	}
	return b.plain.AbortMultipartUpload(ctx, u.Key, u.UploadID, opts)
}
