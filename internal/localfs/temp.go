package localfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// Temp is a file being written, in the folder of its final name. WriteAt,
// ReadAt and SyncData may run at the same time; the other methods may not.
//
// A failed sync poisons it: every later method but Close returns ErrNotDurable.
// The same file opened again would not know; remove it.
type Temp struct {
	file     *os.File
	umask    fs.FileMode
	watch    watcher
	sparse   bool // see KeepHoles
	poisoned atomic.Bool
	sealed   Identity // zero before Seal
}

// CreateTemp makes a new, empty temporary file for key, readable by the owner
// only, and the missing folders above it. Whatever has its name already, a link
// included, is fs.ErrExist. Where size is over 0, that much disk space is
// reserved if the file system can, so a full disk shows now (see IsDiskFull);
// the file may have that length from then on. On an error no file is left.
func (r *Root) CreateTemp(key, tempName string, size int64) (*Temp, error) {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return nil, err
	}
	dir, _ := splitKey(key)
	d, err := r.folder("create", dir, true)
	if err != nil {
		return nil, err
	}
	defer d.close()
	name := joinKey(dir, tempName)
	var f *os.File
	err = r.watch.step(Step{Op: "create", Path: r.path(name)}, func() (err error) {
		f, err = d.create(tempName, r.path(name))
		return err
	})
	if err != nil {
		return nil, r.fail("create", name, err)
	}
	if err := reserve(f, size); err != nil {
		_ = f.Close() // nothing was written
		return nil, errors.Join(r.fail("reserve space for", name, err), d.remove(tempName))
	}
	return &Temp{file: f, umask: r.umask, watch: r.watch}, nil
}

// OpenTemp opens a temporary file that an earlier run left. A missing one is
// fs.ErrNotExist; what is not a regular file with this name only is
// ErrNotRegular. Its content is not to be trusted before it is verified.
func (r *Root) OpenTemp(key, tempName string) (*Temp, error) {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return nil, err
	}
	dir, _ := splitKey(key)
	d, err := r.folder("open", dir, false)
	if err != nil {
		return nil, err
	}
	defer d.close()
	name := joinKey(dir, tempName)
	f, _, err := d.open(tempName, r.path(name), true)
	if err != nil {
		return nil, r.fail("open", name, err)
	}
	return &Temp{file: f, umask: r.umask, watch: r.watch}, nil
}

// Identity returns the identity of the file as it is now.
func (t *Temp) Identity() (Identity, error) { return Identify(t.file) }

// WriteAt writes at offset off, as io.WriterAt.
func (t *Temp) WriteAt(p []byte, off int64) (int, error) {
	if err := t.check(); err != nil {
		return 0, err
	}
	if t.sparse {
		return t.writeAround(p, off)
	}
	return t.write(p, off)
}

func (t *Temp) write(p []byte, off int64) (int, error) {
	n := 0
	err := t.watch.step(Step{Op: "write", Path: t.file.Name()}, func() (err error) {
		n, err = t.file.WriteAt(p, off)
		return err
	})
	return n, err
}

// ReadAt reads at offset off, as io.ReaderAt.
func (t *Temp) ReadAt(p []byte, off int64) (int, error) {
	if err := t.check(); err != nil {
		return 0, err
	}
	return t.file.ReadAt(p, off)
}

// SyncData makes every write durable that had ended when it was called.
func (t *Temp) SyncData() error {
	if err := t.check(); err != nil {
		return err
	}
	return t.synced(t.watch.step(Step{Op: "sync data", Path: t.file.Name()}, func() error { return syncData(t.file) }))
}

// Chown gives the file to that user and group, by their numbers; before Finish.
// It is fs.ErrPermission if the process may not, and errors.ErrUnsupported on
// Windows.
func (t *Temp) Chown(user, group int) error {
	if err := t.check(); err != nil {
		return err
	}
	return setOwner(t.file, user, group)
}

// Finish makes the file what it is to be under its final name, as Complete
// does, and durable, as Seal does. It closes the file in any case; after nil it
// can be published.
func (t *Temp) Finish(size int64, modTime time.Time, mode fs.FileMode) error {
	if err := t.Complete(size, modTime, mode); err != nil {
		_ = t.file.Close() // it is of no use
		return err
	}
	return t.Seal()
}

// DefaultMode stands for the permissions of what nobody has given any: not 0,
// which nobody may read.
const DefaultMode = ^fs.FileMode(0)

// Complete makes the file what it is to be under its final name: size bytes
// long, with that modification time (the zero time: as it is) and those
// permission bits (DefaultMode: what the umask leaves of 0666; other bits are
// dropped). Nothing of it is durable before Seal.
func (t *Temp) Complete(size int64, modTime time.Time, mode fs.FileMode) error {
	if err := t.check(); err != nil {
		return err
	}
	if err := t.file.Truncate(size); err != nil {
		return err
	}
	if mode == DefaultMode {
		mode = 0o666 &^ t.umask
	}
	if err := t.file.Chmod(mode.Perm()); err != nil {
		return err
	}
	if modTime.IsZero() {
		return nil
	}
	if err := setModTime(t.file, modTime); err != nil {
		return &fs.PathError{Op: "set time of", Path: t.file.Name(), Err: err}
	}
	return nil
}

// StartSync has the system begin to write the file to the disk, where it can,
// and does not wait. Many small files are first all started and then all sealed:
// they share blocks of the disk, which else are written for each
// (bench/results/small.txt). It promises nothing.
func (t *Temp) StartSync() { startSync(t.file) }

// NoticeMapped has the system begin to write an open file to the disk, and does
// not wait. On Linux, and a disk, the times of the file then show what is
// written to it by way of a mapping into memory: a page that waits to be written
// takes more without a change of them. Elsewhere it does nothing.
func NoticeMapped(f *os.File) { startSync(f) }

// Seal makes the file durable. It closes it in any case; after nil it can be
// published.
func (t *Temp) Seal() error {
	err := t.check()
	if err == nil {
		err = t.synced(t.watch.step(Step{Op: "sync", Path: t.file.Name()}, t.file.Sync))
	}
	var id Identity
	if err == nil {
		id, err = Identify(t.file)
	}
	if closeErr := t.file.Close(); err == nil {
		err = t.synced(closeErr) // some file systems write only now
	}
	if err == nil {
		t.sealed = id
	}
	return err
}

// Sealed says whether Seal has made the file durable.
func (t *Temp) Sealed() bool { return t.sealed != Identity{} }

// Close closes the file and leaves it in place, for OpenTemp or RemoveTemp.
func (t *Temp) Close() error { return t.file.Close() }

func (t *Temp) check() error {
	if t.poisoned.Load() {
		return &fs.PathError{Op: "use", Path: t.file.Name(), Err: ErrNotDurable}
	}
	return nil
}

func (t *Temp) synced(err error) error {
	if err == nil || errors.Is(err, fs.ErrClosed) {
		return err
	}
	t.poisoned.Store(true)
	return fmt.Errorf("%w: %w", ErrNotDurable, err)
}
