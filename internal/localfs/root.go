package localfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// folderMode is the mode of the folders that a download makes, before the
// umask.
const folderMode = 0o755

// Root is one directory tree. All methods are safe for concurrent use, but
// one key or temporary file wants one writer at a time.
type Root struct {
	dir   string
	top   topDir
	umask fs.FileMode
	watch watcher

	making func(key string) error // see BeforeMkdir; nil: nobody asked

	encode bool // keys stand for what EncodeKey makes of them
	follow bool // Open, Stat and Walk follow links

	mu      sync.Mutex
	opened  map[string]fs.FileMode // the permissions of folders before OpenLocked changed them; nil: it must not
	durable map[string]struct{}    // folders whose own name is known to be on the disk
}

// OpenRoot opens an existing directory. Its own path may have links.
func OpenRoot(dir string) (*Root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	top, err := openTop(abs)
	if err != nil {
		return nil, err
	}
	return &Root{dir: abs, top: top, umask: umask(), durable: map[string]struct{}{}}, nil
}

// CreateRoot opens a directory after making it, and its parents, where they
// are missing. What it made is durable when it returns.
func CreateRoot(dir string) (*Root, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var missing []string
	for d := abs; ; d = filepath.Dir(d) {
		if _, err := os.Lstat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, d)
	}
	if err := os.MkdirAll(abs, folderMode); err != nil {
		return nil, err
	}
	for _, d := range missing {
		if err := syncDir(filepath.Dir(d)); err != nil {
			return nil, err
		}
	}
	return OpenRoot(abs)
}

// Close closes the root. Files and Temps opened from it stay usable; methods
// that run at the same time may fail with os.ErrClosed.
func (r *Root) Close() error { return r.top.Close() }

// EncodeNames makes every key stand for the file that EncodeKey names, and Walk
// give the keys of what it finds. It is called before any other method.
func (r *Root) EncodeNames() { r.encode = true }

// BeforeMkdir has f called with the key of each folder, without a slash at its end,
// that is about to be made below the root: not if f fails. Several goroutines may
// call it at once. It is called before any other method.
func (r *Root) BeforeMkdir(f func(key string) error) { r.making = f }

// FollowLinks makes Open, Stat and Walk follow links, out of the root as well:
// it is for a source that its owner trusts. It is called before any other
// method.
func (r *Root) FollowLinks() { r.follow = true }

// Check returns a *KeyError if key cannot be a file below the root.
func (r *Root) Check(key string) error {
	_, err := r.local(key)
	return err
}

// Dir returns the absolute path that the root was opened by.
func (r *Root) Dir() string { return r.dir }

// Open opens the regular file of key for reading and returns its identity as
// of then. It never blocks on a FIFO and returns ErrNotRegular for whatever is
// no regular file, links included.
func (r *Root) Open(key string) (*os.File, Identity, error) {
	key, err := r.local(key)
	if err != nil {
		return nil, Identity{}, err
	}
	if r.follow {
		f, id, err := openTarget(r.path(key))
		if err != nil {
			return nil, Identity{}, r.fail("open", key, err)
		}
		return f, id, nil
	}
	dir, name := splitKey(key)
	d, err := r.folder("open", dir, false)
	if err != nil {
		return nil, Identity{}, err
	}
	defer d.close()
	f, id, err := d.open(name, r.path(key), false)
	if err != nil {
		return nil, Identity{}, r.fail("open", key, err)
	}
	return f, id, nil
}

// Stat returns the identity of whatever has the name of key, a link's own for
// a link. A missing one is fs.ErrNotExist.
func (r *Root) Stat(key string) (Identity, error) {
	path, err := r.local(key)
	if err != nil {
		return Identity{}, err
	}
	return r.stat(path)
}

// HasFolder says whether there is a folder of that key, which may end in a
// slash. One that cannot be looked at is not there.
func (r *Root) HasFolder(key string) bool {
	path, err := r.localFolder(key)
	if err != nil {
		return false
	}
	id, err := r.stat(path)
	return err == nil && id.Mode.IsDir()
}

func (r *Root) stat(key string) (Identity, error) {
	dir, name := splitKey(key)
	if r.follow {
		d, err := r.top.folder()
		if err != nil {
			return Identity{}, r.fail("stat", key, err)
		}
		defer d.close()
		id, err := d.statTarget(filepath.FromSlash(key), r.path(key))
		if err != nil {
			return Identity{}, r.fail("stat", key, err)
		}
		return id, nil
	}
	d, err := r.folder("stat", dir, false)
	if err != nil {
		return Identity{}, err
	}
	defer d.close()
	id, err := d.stat(name)
	if err != nil {
		return Identity{}, r.fail("stat", key, err)
	}
	return id, nil
}

// Path returns the full path of the file of key, which CheckKey need not pass.
func (r *Root) Path(key string) string {
	if r.encode {
		key = EncodeKey(key)
	}
	return r.path(key)
}

// Readlink returns where the link of key leads to, with slashes.
func (r *Root) Readlink(key string) (string, error) {
	key, err := r.local(key)
	if err != nil {
		return "", err
	}
	dir, name := splitKey(key)
	d, err := r.folder("read link", dir, false)
	if err != nil {
		return "", err
	}
	defer d.close()
	target, err := d.readlink(name)
	if err != nil {
		return "", r.fail("read link", key, err)
	}
	return target, nil
}

// CreateTempLink makes a symbolic link to target under the temporary name, for
// Publish, and the missing folders above it. Whatever has that name already is
// fs.ErrExist. The target is the caller's to judge.
func (r *Root) CreateTempLink(key, tempName, target string) error {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return err
	}
	dir, _ := splitKey(key)
	d, err := r.folder("create", dir, true)
	if err != nil {
		return err
	}
	defer d.close()
	name := joinKey(dir, tempName)
	err = r.watch.step(Step{Op: "create", Path: r.path(name)}, func() error { return d.symlink(target, tempName) })
	if err != nil {
		return r.fail("create", name, err)
	}
	return nil
}

// Publish renames a finished temporary file over the final name of key: from
// then on the name shows the complete new content, and it is SyncDirs that
// makes this survive a power cut. A link at the name is replaced, not followed,
// and a hard link is broken; a folder there is ErrIsFolder. A temporary
// file that is gone is fs.ErrNotExist.
func (r *Root) Publish(key, tempName string) error {
	_, err := r.PublishStat(key, tempName)
	return err
}

// PublishStat is Publish, and returns the identity of what has the name then.
func (r *Root) PublishStat(key, tempName string) (Identity, error) {
	return r.publish(key, tempName, Identity{})
}

// PublishTemp is Publish of a file that is sealed, and returns the identity that
// it has under its name, whatever is written to it from then on. If it is
// another file that has the temporary name, nothing is renamed, and the error is
// ErrReplaced.
func (r *Root) PublishTemp(key, tempName string, t *Temp) (Identity, error) {
	id, err := r.publish(key, tempName, t.sealed)
	if err == nil && !t.sealed.sameFile(id) {
		id = t.sealed
	}
	return id, err
}

// publish renames a temporary file that is as id says, if that is not zero.
func (r *Root) publish(key, tempName string, id Identity) (Identity, error) {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return Identity{}, err
	}
	dir, name := splitKey(key)
	d, err := r.folder("publish", dir, false)
	if err != nil {
		return Identity{}, err
	}
	defer d.close()
	if id, err := d.stat(name); err == nil && id.Mode&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		// A rename would put a file in its place: /dev/null is not meant.
		return Identity{}, r.fail("publish", key, fmt.Errorf("%w: %s", ErrNotRegular, typeReason(id.Mode)))
	}
	if now, err := d.stat(tempName); err == nil && id != (Identity{}) && !id.sameFile(now) {
		return Identity{}, r.fail("publish", key, ErrReplaced)
	}
	err = r.watch.step(Step{Op: "rename", Path: r.path(joinKey(dir, tempName)), To: r.path(key)}, func() error {
		return d.rename(tempName, name)
	})
	if err == nil {
		id, err := d.stat(name)
		if err != nil {
			return Identity{}, r.fail("stat", key, err)
		}
		return id, nil
	}
	if id, statErr := d.stat(name); statErr == nil && id.Mode.IsDir() {
		err = ErrIsFolder
	} else if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("temporary file %s: %w", tempName, err)
	}
	return Identity{}, r.fail("publish", key, err)
}

// StatTemp returns the identity of a temporary file, which it keeps, but for its
// change time, when it is published. A missing one is fs.ErrNotExist.
func (r *Root) StatTemp(key, tempName string) (Identity, error) {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return Identity{}, err
	}
	dir, _ := splitKey(key)
	d, err := r.folder("stat", dir, false)
	if err != nil {
		return Identity{}, err
	}
	defer d.close()
	id, err := d.stat(tempName)
	if err != nil {
		return Identity{}, r.fail("stat", joinKey(dir, tempName), err)
	}
	return id, nil
}

// RemoveTemp removes a temporary file. One that is not there, or whose folder
// is not, is no error.
func (r *Root) RemoveTemp(key, tempName string) error {
	key, err := r.localTemp(key, tempName)
	if err != nil {
		return err
	}
	dir, _ := splitKey(key)
	if err := r.remove(dir, tempName); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveFound removes the temporary file of that key, which a walk has yielded
// for WalkOptions.Temps. One that is not there is no error.
func (r *Root) RemoveFound(key string) error {
	dir, name := splitKey(key)
	if !isTempName(name) {
		return &KeyError{Key: key, Reason: "is not the name of a temporary file of osssync"}
	}
	if dir != "" {
		var err error
		if dir, err = r.localFolder(dir); err != nil {
			return err
		}
	}
	if err := r.remove(dir, name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Remove removes the file or link of key, never a folder (ErrIsFolder). A
// missing one is fs.ErrNotExist.
func (r *Root) Remove(key string) error {
	key, err := r.local(key)
	if err != nil {
		return err
	}
	return r.remove(splitKey(key))
}

func (r *Root) remove(dir, name string) error {
	d, err := r.folder("remove", dir, false)
	if err != nil {
		return err
	}
	defer d.close()
	err = r.watch.step(Step{Op: "remove", Path: r.path(joinKey(dir, name))}, func() error { return d.remove(name) })
	if err != nil {
		if id, statErr := d.stat(name); statErr == nil && id.Mode.IsDir() {
			err = ErrIsFolder
		}
		return r.fail("remove", joinKey(dir, name), err)
	}
	return nil
}

// RemoveEmpty removes those of the folders that have nothing in them, deepest
// first. What else is or happens there is no error: folders are only tidied.
// It returns those that are gone.
func (r *Root) RemoveEmpty(keys []string) (removed []string) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/")) })
	for _, key := range keys {
		path, err := r.localFolder(key)
		if err != nil {
			continue
		}
		dir, name := splitKey(path)
		d, err := r.folder("remove", dir, false)
		if err != nil {
			continue
		}
		err = r.watch.step(Step{Op: "remove", Path: r.path(path)}, func() error { return d.rmdir(name) })
		d.close()
		if err == nil {
			r.forget(path)
			removed = append(removed, key)
		}
	}
	return removed
}

// IsEmpty says whether nothing is in the folder of key, which may end in a slash.
func (r *Root) IsEmpty(key string) (bool, error) {
	path, err := r.localFolder(key)
	if err != nil {
		return false, err
	}
	d, err := r.folder("list", path, false)
	if err != nil {
		return false, err
	}
	defer d.close()
	names, all, err := new(lister).list(d, 1)
	if err != nil {
		return false, r.fail("list", path, err)
	}
	return all && len(names) == 0, nil
}

// MkdirAll makes the folder of that key, and those above it, where missing. A
// trailing slash, as keys of folder markers have it, is allowed.
func (r *Root) MkdirAll(key string) error {
	key, err := r.localFolder(key)
	if err != nil {
		return err
	}
	d, err := r.folder("mkdir", key, true)
	if err != nil {
		return err
	}
	d.close()
	return nil
}

// folder opens a folder below the root, to its owner as well if op writes in it.
// With create it makes those that are missing.
func (r *Root) folder(op, dir string, create bool) (folder, error) {
	d, err := r.reach(op, dir, create)
	if err != nil || !writes(op) {
		return d, err
	}
	if err := r.unlock(d, dir); err != nil {
		d.close()
		return folder{}, r.fail(op, dir, err)
	}
	return d, nil
}

// reach opens a folder below the root, in one step if the system can and it is
// as it should be, else one component at a time, which tells what is wrong. With
// create it makes those that are missing.
func (r *Root) reach(op, dir string, create bool) (folder, error) {
	if d, ok := r.top.below(dir); ok {
		return d, nil
	}
	d, err := r.top.folder()
	if err != nil {
		return folder{}, r.fail(op, "", err)
	}
	for end := 0; end < len(dir); end++ { // end: the slash after the component
		start := end
		if i := strings.IndexByte(dir[start:], '/'); i >= 0 {
			end += i
		} else {
			end = len(dir)
		}
		name := dir[start:end]
		sub, err := d.sub(name)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err := r.unlock(d, strings.TrimSuffix(dir[:start], "/")); err != nil {
				d.close()
				return folder{}, r.fail(op, dir[:end], err)
			}
			if r.making != nil {
				if err := r.making(r.folderKey(dir[:end])); err != nil {
					d.close()
					return folder{}, err
				}
			}
			err = r.watch.step(Step{Op: "make folder", Path: r.path(dir[:end])}, func() error { return d.mkdir(name) })
			if err == nil || errors.Is(err, fs.ErrExist) {
				r.forget(dir[:end])
				sub, err = d.sub(name)
			}
		}
		if err != nil {
			err = d.explain(name, err)
		}
		d.close()
		if err != nil {
			return folder{}, r.fail(op, dir[:end], err)
		}
		d = sub
	}
	return d, nil
}

// explain tells what stands where a folder was expected.
func (d folder) explain(name string, err error) error {
	id, statErr := d.stat(name)
	switch {
	case statErr != nil || id.Mode.IsDir():
		return err
	case id.Mode&fs.ModeSymlink != 0:
		return ErrSymlink
	}
	return ErrIsFile
}

func joinKey(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
