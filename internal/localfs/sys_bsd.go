//go:build unix && !linux

package localfs

import (
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// searchOnly is the way to open a directory to pass through it.
const searchOnly = unix.O_RDONLY

// reserve gives the file its length; there is no portable way to reserve.
func reserve(f *os.File, size int64) error {
	if size <= 0 {
		return nil
	}
	return f.Truncate(size)
}

// syncData syncs all: there is no cheaper call that reaches the disk.
func syncData(f *os.File) error { return f.Sync() }

// below knows no way to open a folder in one step that follows no link.
func (topDir) below(string) (folder, bool) { return folder{}, false }

// startSync does nothing: there is no call for it.
func startSync(*os.File) {}

// setModTime works on the handle, so no name can be swapped; it keeps
// microseconds.
func setModTime(f *os.File, t time.Time) error {
	tv := unix.NsecToTimeval(int64(t.Nanosecond() / 1000 * 1000))
	tv.Sec = t.Unix() // set apart, as the conversion rounds times before 1970 up
	return control(f, func(fd int) error { return unix.Futimes(fd, []unix.Timeval{tv, tv}) })
}

// umask is the usual one: asking for it would change it for a moment.
func umask() fs.FileMode { return 0o022 }

// lister lists directories.
type lister struct{}

// list returns the names in a folder, those of folders with a slash behind, or
// nothing and false if they are more than most, which is 0 for no bound. After an
// error it returns what it got.
func (lister) list(d folder, most int) (names []string, full bool, err error) {
	fd, err := openat(d.fd, ".", unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, true, err
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	if most == 0 {
		names, err = f.Readdirnames(-1)
	} else if names, err = f.Readdirnames(most + 1); len(names) > most {
		return nil, false, nil
	} else if err == io.EOF {
		err = nil
	}
	for i, name := range names {
		if id, err := d.stat(name); err == nil && id.Mode.IsDir() {
			names[i] = name + "/"
		}
	}
	return names, true, err
}

// exact knows of no file system here that names differ whenever their bytes do.
func exact(folder) bool { return false }
