package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks one byte far behind the PID: a locked range cannot be read
// by others.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// syncDir does nothing: folders cannot be flushed here, NTFS journals names.
func syncDir(string) error { return nil }

// unlockFile leaves it to Close: a handle is not inherited here.
func unlockFile(*os.File) error { return nil }

// alive does not know: the lock has to be tried.
func alive(int) bool { return true }

// openNoFollow has no counterpart here: making a link takes a privilege.
const openNoFollow = 0
