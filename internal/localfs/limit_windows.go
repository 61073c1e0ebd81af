package localfs

import "math"

// MaxOpenFiles is how many files this process may have open at once.
func MaxOpenFiles() int { return math.MaxInt32 }
