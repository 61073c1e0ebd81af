package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// LockedError says that another process has the directory.
type LockedError struct {
	Dir string
	// Holder is what the other process wrote about itself; may be empty.
	Holder string
}

func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("%s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("%s is in use by %s", e.Dir, e.Holder)
}

var errWouldBlock = errors.New("lock is held")

// lockDir takes the directory's lock, which the kernel gives back when the
// file is closed or the process dies, and notes who has it.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = tryLock(f)
	if errors.Is(err, errWouldBlock) {
		holder, _ := io.ReadAll(io.LimitReader(f, 256))
		return nil, errors.Join(&LockedError{Dir: dir, Holder: strings.TrimSpace(string(holder))}, f.Close())
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "process %d since %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return f, nil
}
