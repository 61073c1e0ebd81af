package main

import "golang.org/x/sys/unix"

// harden keeps the access key out of core files and from processes that would
// trace this one. A system that refuses is no reason not to work.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
