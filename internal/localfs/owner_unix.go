//go:build unix

package localfs

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Owner returns the numbers of the user and the group that an open file belongs
// to. ok is false on systems that have none.
func Owner(f *os.File) (user, group int, ok bool, err error) {
	var st unix.Stat_t
	if err := control(f, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return 0, 0, false, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return int(st.Uid), int(st.Gid), true, nil
}

// setOwner gives a file away, which only root may on most systems.
func setOwner(f *os.File, user, group int) error { return f.Chown(user, group) }
