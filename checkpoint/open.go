package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	berrors "go.etcd.io/bbolt/errors"
)

// A file of more than compactAbove bytes is rewritten at Open if over half of
// it is free: bbolt never gives space back.
const compactAbove = 64 << 20

// fileSuffix follows the job's ID in the name of its file.
const fileSuffix = ".db"

// damagedSuffix and a time are added to the name of a file that is set aside.
const damagedSuffix = ".damaged-"

// Open makes the folder and the job's file in it, or opens what an earlier
// run of this job left. The caller closes the result.
//
// It returns at once with *HeldError if another process, or this one, has the
// job open; with *VersionError if a newer release wrote the file; with
// *MismatchError if the file describes another job; with *FilesystemError if
// the folder is on a network file system. Damage is no error: single records
// are dropped, a damaged file is renamed to NAME.damaged-TIME and a new one
// begun, both with a warning (see SetAside).
func Open(dir string, job Job, opts *Options) (*Checkpoint, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	job = job.clone()
	job.ID = cmp.Or(job.ID, JobID(job.Kind, job.Source, job.Destination, job.Options))
	if !validID(job.ID) {
		return nil, fmt.Errorf("checkpoint: job id %q is not 16 lower-case hex digits", job.ID)
	}
	if err := prepareDir(dir, o.Unsafe); err != nil {
		return nil, err
	}
	c := &Checkpoint{
		flushEvery: cmp.Or(max(o.FlushEvery, 0), defaultFlushEvery),
		flushCount: cmp.Or(max(o.FlushCount, 0), defaultFlushCount),
		wake:       make(chan struct{}, 1),
		finished:   make(chan struct{}),
		active:     newBatch(),
	}
	path := filepath.Join(dir, job.ID+fileSuffix)
	held, err := acquire(filepath.Join(dir, job.ID+".lock"))
	if err != nil {
		return nil, err
	}
	c.lock = held
	c.store = &store{path: path, log: o.Logger, watch: o.Watch}
	if c.store.log == nil {
		c.store.log = slog.New(slog.DiscardHandler)
	}
	if err := c.load(job); err != nil {
		return nil, errors.Join(err, held.release())
	}
	go c.write()
	return c, nil
}

// validID keeps anything but a file name out of the path.
func validID(id string) bool {
	return len(id) == 16 && strings.Trim(id, "0123456789abcdef") == ""
}

// prepareDir makes the folder and refuses one that cannot hold a checkpoint.
func prepareDir(dir string, unsafe bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if unsafe {
		return nil
	}
	name, err := networkFilesystem(dir)
	if err != nil {
		return err
	}
	if name != "" {
		return &FilesystemError{Dir: dir, Type: name}
	}
	return nil
}

// load opens the job's file, or begins one.
func (c *Checkpoint) load(job Job) error {
	found, err := c.store.load(job)
	if isDamage(err) {
		if c.setAside, err = c.store.setAside(err); err == nil {
			found, err = nil, fs.ErrNotExist
		}
	}
	switch {
	case err == nil:
		c.job, c.resumed = *found, true
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	c.job = job
	if err := c.store.step("create", func() error { return c.store.create(job) }); err != nil {
		return err
	}
	return c.store.open()
}

// Close makes everything queued durable and gives the job up for others. It
// may be called more than once, and returns the same every time.
func (c *Checkpoint) Close() error {
	return c.close(c.lock.release)
}

// Remove closes the checkpoint and deletes its files: the job is finished, or
// given up. After Close it does nothing.
func (c *Checkpoint) Remove() error {
	return c.close(func() error {
		err := c.store.step("remove", func() error { return os.Remove(c.store.path) })
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // somebody was faster
		}
		return errors.Join(err, c.lock.remove())
	})
}

func (c *Checkpoint) close(release func() error) error {
	c.closeOnce.Do(func() {
		c.mu.Lock()
		c.closing = true
		c.mu.Unlock()
		c.signal()
		<-c.finished
		c.mu.Lock()
		err := c.err
		c.mu.Unlock()
		c.closeErr = errors.Join(err, c.store.close(), release())
	})
	return c.closeErr
}

// isDamage reports whether an error means that a file cannot be trusted, and
// not that it could not be read.
func isDamage(err error) bool {
	_, ok := errors.AsType[*damageError](err)
	return ok || errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch)
}

// setAside renames a damaged file and returns its new name.
func (s *store) setAside(reason error) (string, error) {
	stem := s.path + damagedSuffix + time.Now().UTC().Format("20060102T150405Z")
	to := stem
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s-%d", stem, n)
	}
	if err := os.Rename(s.path, to); err != nil {
		return "", err
	}
	s.log.Warn("checkpoint was damaged and is set aside, the job starts anew", "path", to, "err", reason)
	*s = store{path: s.path, log: s.log}
	return to, syncDir(filepath.Dir(s.path))
}

func (s *store) warnRecord(bucket bucketID, key string) {
	s.log.Warn("damaged record dropped from checkpoint", "path", s.path, "bucket", bucket.name(), "key", key)
}
