//go:build unix && !linux

package localfs_test

// defaultMode is what the usual umask leaves of 0666.
const defaultMode = 0o644
