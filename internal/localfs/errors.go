package localfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrSymlink says that a folder on the way to a key is a symbolic link,
	// which is never followed.
	ErrSymlink = errors.New("target path has a symlink")

	// ErrLoop says that a link that was followed leads to a folder above it.
	ErrLoop = errors.New("the link leads to a folder that it lies in")

	// ErrDangling says that a link that was to be followed leads nowhere.
	ErrDangling = errors.New("the link leads nowhere")

	// ErrIsFile says that a folder on the way to a key is a file.
	ErrIsFile = errors.New("is a file, not a folder")

	// ErrIsFolder says that the name of a key is taken by a folder.
	ErrIsFolder = errors.New("is a folder")

	// ErrNotRegular says that a name is not a regular file (but a link, a
	// FIFO, a socket, a device, or a temporary file with a second name).
	ErrNotRegular = errors.New("not a regular file")

	// ErrReplaced says that another process has put a file of its own in the
	// place of a temporary file.
	ErrReplaced = errors.New("another process has replaced the temporary file; let one at a time write there")

	// ErrNotDurable says that the system could not bring written data to the
	// disk. It may have dropped the data and forgotten the failure, so a second
	// sync proves nothing: remove the temporary file and start it again.
	ErrNotDurable = errors.New("written data may be lost, fetch the file again")
)

// IsDiskFull reports whether err says that the disk or the user's quota is
// full.
func IsDiskFull(err error) bool {
	for _, full := range diskFull {
		if errors.Is(err, full) {
			return true
		}
	}
	return false
}

// fail names the operation and the full path of key in err, in place of those
// that a lower layer named.
func (r *Root) fail(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: r.path(key), Err: bare(err)}
}

func (r *Root) path(key string) string {
	return filepath.Join(r.dir, filepath.FromSlash(key))
}

// bare takes off the operation and path that package os put on.
func bare(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	if e, ok := err.(*os.LinkError); ok {
		return e.Err
	}
	return err
}
