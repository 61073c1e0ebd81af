//go:build unix

package oss

import "syscall"

// quiet says that a connection is open and has nothing to read, as is due
// between two requests.
func quiet(raw syscall.RawConn) bool {
	var waits bool
	err := raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		waits = err == syscall.EAGAIN
	})
	return err == nil && waits
}
