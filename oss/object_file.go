package oss

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// PutObjectFromFile is PutObject with the content of the file called name.
func (b *Bucket) PutObjectFromFile(ctx context.Context, key, name string, opts *PutObjectOptions) (*PutObjectResult, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return b.PutObject(ctx, key, file, opts)
}

// GetObjectToFile is GetObject into the file called name, which shows the whole
// content or what it was before: the bytes go to a temporary file beside it,
// are checked as GetObject does, synced, and renamed. A file that was there
// before keeps its permissions.
func (b *Bucket) GetObjectToFile(ctx context.Context, key, name string, opts *GetObjectOptions) (*GetObjectResult, error) {
	result, err := b.GetObject(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	if err := toFile(name, result.Body); err != nil {
		return nil, err
	}
	return result, nil
}

// toFile makes the file called name of what body has, and closes body.
func toFile(name string, body io.ReadCloser) (err error) {
	defer body.Close()
	temp, err := os.OpenFile(filepath.Join(filepath.Dir(name), ".oss-"+rand.Text()[:16]+".part"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreClosed(temp.Close()), os.Remove(temp.Name()))
		}
	}()
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		if err := temp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := io.Copy(temp, body); err != nil {
		return err
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
