package checkpoint

import (
	"errors"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Check reads a job's whole file, by our own survey and by bbolt's check, and
// changes nothing. The error is that of Inspect, *HeldError if the job is open,
// or one for which Damaged is true.
//
// On a damaged file bbolt's check may END THE PROCESS, in a way that cannot be
// recovered from. Call it in a child process of its own.
func Check(dir, id string) error {
	c, err := Inspect(dir, id)
	if pid, held := Holder(dir, id); held {
		return &HeldError{Path: filepath.Join(dir, id+".lock"), PID: pid}
	}
	if err != nil {
		return err
	}
	if c.Damaged > 0 {
		return damaged("%d damaged records", c.Damaged)
	}
	path := filepath.Join(dir, id+fileSuffix)
	s := &store{path: path}
	return s.guard(func() (err error) {
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout, PreLoadFreelist: true})
		if errors.Is(err, berrors.ErrTimeout) {
			return &HeldError{Path: path}
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return db.View(func(tx *bolt.Tx) error {
			var first error
			for err := range tx.Check() { // to its end: it is a goroutine
				if first == nil {
					first = damaged("%v", err)
				}
			}
			return first
		})
	})
}
