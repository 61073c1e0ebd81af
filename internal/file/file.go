// Package file reads and makes single files for the clients. The engine has its
// own, more careful ways: package localfs.
package file

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Open opens a file to send. A directory is refused here: its length and
// content are nonsense.
func Open(name string) (*os.File, error) {
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

// Write makes the file called name of what body has, and closes body. The file
// shows the whole content or what it was before: the bytes go to a temporary
// file beside it, are synced, and renamed. A file that was there before keeps
// its permissions, and a link to one stays a link. What is no file, such as a
// device or a pipe, is written to as the bytes come.
func Write(name string, body io.ReadCloser) (err error) {
	defer body.Close()
	name, direct, err := target(name)
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

// target follows links, and says whether what is there is no file, so that
// renaming another over it would destroy it.
func target(name string) (real string, direct bool, err error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return name, false, nil
	}
	if err == nil && info.Mode().Type() == fs.ModeSymlink {
		real, err = filepath.EvalSymlinks(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, true, nil // the link's file is made by opening it
		}
		if err == nil {
			name = real
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
