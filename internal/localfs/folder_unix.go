//go:build unix

package localfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

var diskFull = []error{unix.ENOSPC, unix.EDQUOT}

// topDir is the handle of a root.
type topDir struct{ *os.File }

func openTop(dir string) (topDir, error) {
	f, err := os.OpenFile(dir, unix.O_DIRECTORY, 0)
	return topDir{f}, err
}

// folder opens the root itself, as a handle of its own: the root may be closed
// at any time.
func (t topDir) folder() (d folder, err error) {
	err = control(t.File, func(fd int) error {
		d, err = folder{fd}.sub(".")
		return err
	})
	return d, err
}

// folder is an open directory. Names given to its methods have no slash.
type folder struct{ fd int }

func (d folder) close() { _ = unix.Close(d.fd) } // nothing was written through it

func (d folder) sub(name string) (folder, error) {
	fd, err := openat(d.fd, name, unix.O_DIRECTORY|unix.O_NOFOLLOW|searchOnly, 0)
	return folder{fd}, err
}

// follow is sub for a name that may be a link. path is the folder's own.
func (d folder) follow(name, path string) (folder, error) {
	fd, err := openat(d.fd, name, unix.O_DIRECTORY|searchOnly, 0)
	return folder{fd}, err
}

// self tells the folder from all others.
func (d folder) self() (fileID, error) {
	id, err := d.identity()
	return fileID{id.Device, id.Inode}, err
}

func (d folder) identity() (Identity, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(d.fd, &st) }); err != nil {
		return Identity{}, err
	}
	return identityOf(&st), nil
}

// statTarget is stat of what a link leads to. path is the link's own.
func (d folder) statTarget(name, path string) (Identity, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstatat(d.fd, name, &st, 0) }); err != nil {
		return Identity{}, err
	}
	return identityOf(&st), nil
}

// readlink is where a link leads to.
func (d folder) readlink(name string) (string, error) {
	buf := make([]byte, maxTarget)
	n := 0
	err := again(func() (err error) {
		n, err = unix.Readlinkat(d.fd, name, buf)
		return err
	})
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// maxTarget is PATH_MAX, the longest target of a link, in bytes.
const maxTarget = 4096

func (d folder) symlink(target, name string) error {
	return again(func() error { return unix.Symlinkat(target, d.fd, name) })
}

func (d folder) mkdir(name string) error {
	return again(func() error { return unix.Mkdirat(d.fd, name, folderMode) })
}

func (d folder) stat(name string) (Identity, error) {
	var st unix.Stat_t
	for {
		err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == nil {
			return identityOf(&st), nil
		}
		if err != unix.EINTR {
			return Identity{}, err
		}
	}
}

// open opens a regular file, for writing one that has no other name.
func (d folder) open(name, path string, write bool) (*os.File, Identity, error) {
	// O_NONBLOCK only for the case that it is a FIFO or a device.
	flags := unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_RDONLY
	if write {
		flags = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_RDWR
	}
	fd, err := openat(d.fd, name, flags, 0)
	if err != nil {
		if id, statErr := d.stat(name); statErr == nil && !id.Mode.IsRegular() {
			err = notRegular(id.Mode)
		}
		return nil, Identity{}, err
	}
	var st unix.Stat_t
	err = again(func() error { return unix.Fstat(fd, &st) })
	id := identityOf(&st)
	switch {
	case err != nil:
	case !id.Mode.IsRegular():
		err = notRegular(id.Mode)
	case write && st.Nlink != 1:
		err = fmt.Errorf("%w: has %d names", ErrNotRegular, st.Nlink)
	default:
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, Identity{}, err
	}
	return os.NewFile(uintptr(fd), path), id, nil
}

// openTarget opens the regular file that a path leads to.
func openTarget(path string) (*os.File, Identity, error) {
	// As in open, O_NONBLOCK is only for the case that it is none.
	fd, err := openat(unix.AT_FDCWD, path, unix.O_NONBLOCK|unix.O_RDONLY, 0)
	if err != nil {
		return nil, Identity{}, err
	}
	id, err := folder{fd}.identity()
	switch {
	case err != nil:
	case !id.Mode.IsRegular():
		err = notRegular(id.Mode)
	default:
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, Identity{}, err
	}
	return os.NewFile(uintptr(fd), path), id, nil
}

func (d folder) create(name, path string) (*os.File, error) {
	fd, err := openat(d.fd, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (d folder) rename(from, to string) error {
	return again(func() error { return unix.Renameat(d.fd, from, d.fd, to) })
}

func (d folder) remove(name string) error {
	return again(func() error { return unix.Unlinkat(d.fd, name, 0) })
}

// link gives a file a second name in another folder.
func (d folder) link(name string, into folder, as string) error {
	return again(func() error { return unix.Linkat(d.fd, name, into.fd, as, 0) })
}

// rmdir removes a folder with nothing in it.
func (d folder) rmdir(name string) error {
	return again(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
}

// sync makes the names in the folder durable.
func (d folder) sync() error {
	fd, err := openat(d.fd, ".", unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), ".")
	defer f.Close()
	return ignoreUnsyncable(f.Sync())
}

// fileID is what tells a file from all others on this machine.
type fileID struct{ device, inode uint64 }

// id tells a name in the folder whose identity is known.
func (d folder) id(_ string, id Identity) (fileID, error) {
	return fileID{id.Device, id.Inode}, nil
}

func pathID(path string) (fileID, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Stat(path, &st) }); err != nil {
		return fileID{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return fileID{uint64(st.Dev), st.Ino}, nil
}

func identify(f *os.File) (Identity, error) {
	var st unix.Stat_t
	err := control(f, func(fd int) error { return unix.Fstat(fd, &st) })
	if err != nil {
		return Identity{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return identityOf(&st), nil
}

// hasHoles says whether an open file takes less space than its length. One that
// cannot be asked has none.
func hasHoles(f *os.File) bool {
	var st unix.Stat_t
	err := control(f, func(fd int) error { return unix.Fstat(fd, &st) })
	return err == nil && st.Blocks*512 < st.Size // POSIX leaves the unit open; it is 512 everywhere
}

func identityOf(st *unix.Stat_t) Identity {
	return Identity{
		Size:       st.Size,
		ModTime:    st.Mtim.Nano(),
		ChangeTime: st.Ctim.Nano(),
		Device:     uint64(st.Dev),
		Inode:      st.Ino,
		Links:      uint64(st.Nlink),
		Mode:       modeOf(uint32(st.Mode)),
	}
}

func modeOf(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	case unix.S_IFIFO:
		m |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		m |= fs.ModeSocket
	case unix.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		m |= fs.ModeDevice
	case unix.S_IFREG:
	default:
		m |= fs.ModeIrregular
	}
	if mode&unix.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if mode&unix.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if mode&unix.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}

func notRegular(mode fs.FileMode) error {
	if mode.IsDir() {
		return ErrIsFolder
	}
	return fmt.Errorf("%w: %s", ErrNotRegular, typeReason(mode))
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return ignoreUnsyncable(f.Sync())
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// control calls fn with the handle of f, until no signal interrupts it.
func control(f *os.File, fn func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if conn.Control(func(fd uintptr) {
		err = again(func() error { return fn(int(fd)) })
	}) != nil {
		return os.ErrClosed // the only reason, which os does not say here
	}
	return err
}

// again calls fn until no signal interrupts it.
func again(fn func() error) error {
	for {
		if err := fn(); err != unix.EINTR {
			return err
		}
	}
}

// ignoreUnsyncable drops the error of file systems that cannot sync a
// directory because they need not or know no way.
func ignoreUnsyncable(err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}
