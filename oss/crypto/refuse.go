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

// PutObjectWithURL is always an *UnsupportedError (PutObject by a presigned
// URL).
func (b *Bucket) PutObjectWithURL(context.Context, string, io.Reader, *oss.PutObjectOptions) (*oss.PutObjectResult, error) {
	return nil, &UnsupportedError{Operation: "PutObjectWithURL", Reason: "the envelope is in headers that the URL has not signed"}
}

// SelectObject is always an *UnsupportedError (SelectObject).
func (b *Bucket) SelectObject(context.Context, string, string, *oss.SelectOptions) (*oss.SelectObjectResult, error) {
	return nil, &UnsupportedError{Operation: "SelectObject", Reason: noPlainText}
}

// CreateSelectObjectMeta is always an *UnsupportedError
// (CreateSelectObjectMeta).
func (b *Bucket) CreateSelectObjectMeta(context.Context, string, *oss.SelectOptions) (*oss.SelectObjectMeta, error) {
	return nil, &UnsupportedError{Operation: "CreateSelectObjectMeta", Reason: noPlainText}
}

// ProcessObject is always an *UnsupportedError (PostProcess).
func (b *Bucket) ProcessObject(context.Context, string, string) (*oss.ProcessObjectResult, error) {
	return nil, &UnsupportedError{Operation: "ProcessObject", Reason: noPlainText}
}

const noPlainText = "the server has the cipher text only"
