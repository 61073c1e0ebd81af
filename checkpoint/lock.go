package checkpoint

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errLocked is what lockFile returns if another handle has the lock.
var errLocked = errors.New("locked")

// lock is the lock file of a job. The database's own lock does not do, for the
// database may be set aside and replaced while the job is held.
type lock struct{ file *os.File }

// acquire takes the lock at path, or says at once who has it.
func acquire(path string) (*lock, error) {
	for {
		// Nobody else's file is opened through a link that stands there.
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openNoFollow, 0o600)
		if err != nil {
			return nil, err
		}
		if err := lockFile(f); err != nil {
			held := &HeldError{Path: path, PID: readPID(f)}
			f.Close()
			if errors.Is(err, errLocked) {
				return nil, held
			}
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		if stillAt(f, path) {
			writePID(f)
			return &lock{f}, nil
		}
		f.Close() // its last holder removed it after we opened it
	}
}

// stillAt reports whether path leads to the open file.
func stillAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

func readPID(f *os.File) int {
	text, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// writePID is for the message of whoever comes second. It is not worth an
// error: on a full disk the message says less, that is all.
func writePID(f *os.File) {
	if f.Truncate(0) == nil {
		f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
}

// release gives the lock up and leaves its file: removing it would let two
// processes hold two files of one name.
func (l *lock) release() error {
	// Said aloud: a child that was forked at this moment has the file open
	// too, and would keep the lock.
	return errors.Join(unlockFile(l.file), l.file.Close())
}

// remove gives the lock up and removes its file. Where an open file cannot be
// removed it is removed after, unless somebody else has it by then.
func (l *lock) remove() error {
	early := os.Remove(l.file.Name())
	err := l.release()
	if early != nil {
		os.Remove(l.file.Name())
	}
	return err
}

// A Claim keeps jobs apart that are not the same but write to one place.
type Claim struct{ lock *lock }

// NewClaim takes the claim on a place for the jobs of a state folder, or returns
// *HeldError at once if another of them has it. It ends with the process at the
// latest.
func NewClaim(dir, place string) (*Claim, error) {
	l, err := acquire(filepath.Join(dir, JobID("claim", "", place, nil)+".lock"))
	if err != nil {
		return nil, err
	}
	return &Claim{l}, nil
}

// Release gives the claim up. A nil Claim claims nothing.
func (c *Claim) Release() error {
	if c == nil {
		return nil
	}
	return c.lock.remove()
}
