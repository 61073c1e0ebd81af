package oss

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// PutObjectFromFile is PutObject with the content of the file called name.
func (b *Bucket) PutObjectFromFile(ctx context.Context, key, name string, opts *PutObjectOptions) (*PutObjectResult, error) {
	file, err := openSource(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return b.PutObject(ctx, key, file, opts)
}

// openSource opens a file to send. A directory is refused here: its length and
// content are nonsense.
func openSource(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
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
	if err := toFile(name, result.Body); err != nil {
		return nil, err
	}
	return result, nil
}

// toFile makes the file called name of what body has, and closes body.
func toFile(name string, body io.ReadCloser) (err error) {
	defer body.Close()
	name, direct, err := fileToMake(name)
	if err != nil {
		return err
	}
	if direct {
		return writeInto(name, body)
	}
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

// fileToMake follows links, and says whether what is there is no file, so that
// renaming another over it would destroy it.
func fileToMake(name string) (target string, direct bool, err error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return name, false, nil
	}
	if err == nil && info.Mode().Type() == fs.ModeSymlink {
		target, err = filepath.EvalSymlinks(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, true, nil // the link's file is made by opening it
		}
		if err == nil {
			name = target
			info, err = os.Stat(name)
		}
	}
	if err != nil {
		return "", false, err
	}
	return name, !info.Mode().IsRegular(), nil
}

func writeInto(name string, body io.Reader) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	return errors.Join(err, file.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
