package localfs

import (
	"io/fs"
	"os"
)

// Identity is what tells one state of a file from another. Two equal
// identities of a key mean an unchanged file, as far as the file system tells.
type Identity struct {
	Size       int64       // bytes
	ModTime    int64       // ns since 1970
	ChangeTime int64       // ns since 1970; 0 where the system has none (Windows)
	Device     uint64      // 0 on Windows
	Inode      uint64      // 0 on Windows
	Links      uint64      // names that the file has; 0 on Windows
	Mode       fs.FileMode // type and permission bits
}

// sameFile says whether b is a with perhaps another name, which changes nothing
// but the change time.
func (a Identity) sameFile(b Identity) bool {
	a.ChangeTime, a.Links = b.ChangeTime, b.Links
	return a == b
}

// Identify returns the identity of an open file, whatever its type.
func Identify(f *os.File) (Identity, error) {
	return identify(f)
}

// Reason says why the walk yields a name that is not to be transferred. The
// zero value means a regular file with a key.
type Reason string

// The reasons a walk gives.
const (
	SkippedSymlink Reason = "symlink"
	SkippedFIFO    Reason = "FIFO"
	SkippedSocket  Reason = "socket"
	SkippedDevice  Reason = "device"
	SkippedOther   Reason = "not a regular file"
	SkippedName    Reason = "name is not UTF-8"
)

// typeReason says what kept a file of this mode from being a regular one.
func typeReason(mode fs.FileMode) Reason {
	switch {
	case mode.IsRegular():
		return ""
	case mode&fs.ModeSymlink != 0:
		return SkippedSymlink
	case mode&fs.ModeNamedPipe != 0:
		return SkippedFIFO
	case mode&fs.ModeSocket != 0:
		return SkippedSocket
	case mode&fs.ModeDevice != 0:
		return SkippedDevice
	}
	return SkippedOther
}
