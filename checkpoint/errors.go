package checkpoint

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by every call after Close or Remove.
var ErrClosed = errors.New("checkpoint: closed")

// ErrNoObject is returned by AddPart for a key without an object in flight:
// parts that no PutObject announced would outlive the version they belong to.
var ErrNoObject = errors.New("checkpoint: no such object in flight")

// HeldError says that another process, or this one, has the job open.
type HeldError struct {
	Path string // of the lock
	PID  int    // of the holder; 0 = unknown
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("checkpoint: job is in use by another process (%s)", e.Path)
	}
	return fmt.Sprintf("checkpoint: job is in use by process %d (%s)", e.PID, e.Path)
}

// VersionError says that a newer release wrote the file. It is left untouched.
type VersionError struct {
	Path             string
	Found, Supported uint64 // schema versions
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("checkpoint: %s has schema version %d, this release reads up to %d", e.Path, e.Found, e.Supported)
}

// MismatchError says that the file of this ID describes another job.
type MismatchError struct {
	Path          string
	Wanted, Found Job
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("checkpoint: %s belongs to another job (%s %q to %q)", e.Path, e.Found.Kind, e.Found.Source, e.Found.Destination)
}

// FilesystemError says that the state folder lies on a file system whose locks
// and memory maps cannot be relied on. Options.Unsafe allows it.
type FilesystemError struct {
	Dir  string
	Type string // such as "nfs"
}

func (e *FilesystemError) Error() string {
	return fmt.Sprintf("checkpoint: %s is on a network file system (%s), where locks and memory maps are unreliable", e.Dir, e.Type)
}

// WriteError is the first failure to commit, such as a full disk. It is final:
// every later call returns it, and nothing queued at that time is durable.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("checkpoint: write %s: %v", e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }
