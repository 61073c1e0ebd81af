//go:build unix

package localfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

func (r *Root) folderOwner(path string) (user, group int, ok bool, err error) {
	var d folder
	if r.follow {
		d, err = folder{unix.AT_FDCWD}.follow(r.path(path), "")
	} else {
		d, err = r.folder("stat", path, false)
	}
	if err != nil {
		return 0, 0, false, err
	}
	defer d.close()
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(d.fd, &st) }); err != nil {
		return 0, 0, false, err
	}
	return int(st.Uid), int(st.Gid), true, nil
}

// file opens the folder itself for what its handle, which may only search, is not
// good for.
func (d folder) file(path string) (*os.File, error) {
	fd, err := openat(d.fd, ".", unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// set keeps setuid, setgid and sticky bits: a folder's say to whom belongs what
// is made in it.
func (d folder) set(a Attributes, path string) (err error) {
	f, err := d.file(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	now, err := d.identity()
	if err != nil {
		return err
	}
	if a.Owned {
		err := setOwner(f, a.User, a.Group)
		if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrInvalid) {
			return err
		}
	}
	if a.Mode != DefaultMode {
		special := now.Mode & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
		if err := f.Chmod(a.Mode.Perm() | special); err != nil {
			return err
		}
	}
	if !a.ModTime.IsZero() {
		if err := setModTime(f, a.ModTime); err != nil {
			return err
		}
	}
	if a.Sync {
		return ignoreUnsyncable(f.Sync())
	}
	return nil
}

// unlock gives the folder's owner, if that is us, all rights to it. before are
// its permissions if that changed any.
func (d folder) unlock(path string) (before fs.FileMode, changed bool, err error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(d.fd, &st) }); err != nil {
		return 0, false, err
	}
	before = modeOf(uint32(st.Mode))
	if me := os.Geteuid(); me == 0 || int(st.Uid) != me || before&0o300 == 0o300 {
		return 0, false, nil
	}
	f, err := d.file(path)
	if err != nil {
		return 0, false, nil // who wants to write will be told
	}
	special := before & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	err = errors.Join(f.Chmod(before.Perm()|0o700|special), f.Close())
	return before.Perm(), err == nil, err
}
