package crypto

import (
	"context"
	"io"

	"github.com/osssync/osssync/oss"
)

// AppendObject is always an *UnsupportedError (AppendObject).
func (b *Bucket) AppendObject(context.Context, string, int64, io.Reader, *oss.AppendObjectOptions) (*oss.AppendObjectResult, error) {
	return nil, &UnsupportedError{Operation: "AppendObject", Reason: "the envelope is that of the first piece"}
}

// UploadPartCopy is always an *UnsupportedError (UploadPartCopy).
func (b *Bucket) UploadPartCopy(context.Context, string, string, oss.Range, *MultipartUpload, int, *oss.UploadPartCopyOptions) (*oss.UploadPartResult, error) {
	return nil, &UnsupportedError{Operation: "UploadPartCopy", Reason: "the source has another content key"}
}
