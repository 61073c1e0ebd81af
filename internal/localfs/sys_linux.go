package localfs

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// searchOnly opens a directory that we may pass through but not list.
const searchOnly = unix.O_PATH

// below opens a folder below the root that no link is on the way to. It says no
// for any reason, that the kernel has no such call (before 5.6) among them.
func (t topDir) below(dir string) (d folder, ok bool) {
	if dir == "" {
		dir = "."
	}
	how := unix.OpenHow{
		Flags:   unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC | searchOnly,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	err := control(t.File, func(fd int) (err error) {
		d.fd, err = unix.Openat2(fd, dir, &how)
		return err
	})
	return d, err == nil
}

// reserveFrom is the size in bytes from which space is reserved: a smaller
// file is written before it would matter.
const reserveFrom = 64 << 10

// reserve allocates the blocks of a new file, or fails if there is no room.
func reserve(f *os.File, size int64) error {
	if size < reserveFrom {
		return nil
	}
	return control(f, func(fd int) error {
		// Ask first: a refused fallocate may fill the disk, for a moment, for all.
		var st unix.Statfs_t
		if err := unix.Fstatfs(fd, &st); err == nil && st.Blocks > 0 &&
			st.Bavail*uint64(st.Bsize) < uint64(size) {
			return unix.ENOSPC
		}
		err := unix.Fallocate(fd, 0, 0, size)
		if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
			return nil
		}
		return err
	})
}

func syncData(f *os.File) error {
	if err := control(f, unix.Fdatasync); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

// startSync begins to write what is not on the disk yet; an error shows when it
// is waited for.
func startSync(f *os.File) {
	_ = control(f, func(fd int) error { return unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE) })
}

// setModTime works on the handle (a nil path), so no name can be swapped.
func setModTime(f *os.File, t time.Time) error {
	mtime, err := unix.TimeToTimespec(t)
	if err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, mtime}
	return control(f, func(fd int) error {
		_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}

// umask reads the umask; the system call for it would change it for a moment.
func umask() fs.FileMode {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("\nUmask:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	mask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 9)
	if err != nil {
		return defaultUmask
	}
	return fs.FileMode(mask)
}

const defaultUmask = 0o022

// lister lists directories. It keeps a buffer; the zero value is ready to use.
type lister struct{ buf []byte }

// list returns the names in a folder, those of folders with a slash behind, or
// nothing and false if they are more than most, which is 0 for no bound. After an
// error it returns what it got.
func (l *lister) list(d folder, most int) (names []string, full bool, err error) {
	if l.buf == nil {
		l.buf = make([]byte, 64<<10)
	}
	fd, err := openat(d.fd, ".", unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, true, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Getdents(fd, l.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return names, true, err
		}
		names = d.appendNames(names, l.buf[:n])
		if most > 0 && len(names) > most {
			return nil, false, nil
		}
	}
}

// appendNames takes apart what getdents64 gave: records of inode, offset,
// record length, type and the name up to a zero byte. It makes one string of
// all of them, which many names would cost much more than their bytes in.
func (d folder) appendNames(names []string, buf []byte) []string {
	const (
		lengthAt = unsafe.Offsetof(unix.Dirent{}.Reclen)
		typeAt   = unsafe.Offsetof(unix.Dirent{}.Type)
		nameAt   = unsafe.Offsetof(unix.Dirent{}.Name)
	)
	// The names move to the front of buf, each with a zero byte behind: that is
	// always in front of what is still to be read.
	text := buf[:0]
	for len(buf) > int(nameAt) {
		length := int(binary.NativeEndian.Uint16(buf[lengthAt:]))
		if length <= int(nameAt) || length > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[nameAt:length], []byte{0})
		kind := buf[typeAt]
		buf = buf[length:]
		if string(name) == "." || string(name) == ".." || len(name) == 0 {
			continue
		}
		folder := kind == unix.DT_DIR || kind == unix.DT_UNKNOWN && d.isFolder(string(name))
		text = append(text, name...)
		if folder {
			text = append(text, '/')
		}
		text = append(text, 0)
	}
	for rest := string(text); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "\x00")
		names = append(names, name)
	}
	return names
}

// isFolder serves the file systems that do not tell the type in a listing.
func (d folder) isFolder(name string) bool {
	id, err := d.stat(name)
	return err == nil && id.Mode.IsDir()
}

// casefold is the attribute of a folder of ext4 or f2fs that ignores case.
const casefold = 0x40000000

// exact says that names in the folder differ whenever their bytes do, as far as
// the kind of file system tells.
func exact(d folder) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(d.fd, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	case unix.EXT4_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC:
		fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return false
		}
		defer unix.Close(fd)
		flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
		return err == nil && flags&casefold == 0
	}
	return false
}
