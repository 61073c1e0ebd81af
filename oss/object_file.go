package oss

import (
	"context"

	"github.com/osssync/osssync/internal/file"
)

// PutObjectFromFile is PutObject with the content of the file called name.
func (b *Bucket) PutObjectFromFile(ctx context.Context, key, name string, opts *PutObjectOptions) (*PutObjectResult, error) {
	src, err := file.Open(name)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return b.PutObject(ctx, key, src, opts)
}

// GetObjectToFile is GetObject into the file called name, which shows the whole
// content or what it was before: the bytes go to a temporary file beside it,
// are checked as GetObject does, synced, and renamed. A file that was there
// before keeps its permissions, and a link to one stays a link. What is no file,
// such as a device or a pipe, is written to as the bytes come.
func (b *Bucket) GetObjectToFile(ctx context.Context, key, name string, opts *GetObjectOptions) (*GetObjectResult, error) {
	result, err := b.GetObject(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	if err := file.Write(name, result.Body); err != nil {
		return nil, err
	}
	return result, nil
}
