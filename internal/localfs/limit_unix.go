//go:build unix

package localfs

import (
	"math"

	"golang.org/x/sys/unix"
)

// MaxOpenFiles is how many files this process may have open at once.
func MaxOpenFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
