package localfs

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// Attributes are what SetFolder gives a folder.
type Attributes struct {
	ModTime time.Time   // the zero time: as it is
	Mode    fs.FileMode // permission bits; DefaultMode: as they are
	Owned   bool        // it is to belong to User and Group, as far as we may give it away
	User    int
	Group   int
	Sync    bool // they are on the disk when SetFolder returns
}

// StatFolder is Stat of a folder, whose key may end in a slash. What is no folder
// is ErrIsFile.
func (r *Root) StatFolder(key string) (Identity, error) {
	path, err := r.localFolder(key)
	if err != nil {
		return Identity{}, err
	}
	id, err := r.stat(path)
	if err == nil && !id.Mode.IsDir() {
		err = r.fail("stat", path, ErrIsFile)
	}
	return id, err
}

// FolderOwner returns the numbers of the user and the group that a folder belongs
// to. ok is false on systems that have none.
func (r *Root) FolderOwner(key string) (user, group int, ok bool, err error) {
	path, err := r.localFolder(key)
	if err != nil {
		return 0, 0, false, err
	}
	user, group, ok, err = r.folderOwner(path)
	if err != nil {
		return 0, 0, false, r.fail("stat", path, err)
	}
	return user, group, ok, nil
}

// SetFolder gives the folder of key, which may end in a slash, its attributes.
// Whatever changes in a folder later changes its time as well, and one that its
// owner may not enter bars the way to those in it: set the deepest first.
func (r *Root) SetFolder(key string, a Attributes) error {
	path, err := r.localFolder(key)
	if err != nil {
		return err
	}
	if mode, opened := r.takeOpened(path); opened && a.Mode == DefaultMode {
		a.Mode = mode
	}
	d, err := r.folder("set", path, false)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.set(a, r.path(path)); err != nil {
		return r.fail("set", path, err)
	}
	return nil
}

// OpenLocked makes the methods that write in a folder give its owner the right to
// do so where it has none, until SetFolder or Relock. Folders that their owner may
// not read or enter stay closed. It is called before any other method.
func (r *Root) OpenLocked() { r.opened = map[string]fs.FileMode{} }

// Relock gives the folders that were opened the permissions that they had.
func (r *Root) Relock() error {
	r.mu.Lock()
	left := maps.Clone(r.opened)
	r.mu.Unlock()
	var failed []error
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(left))) {
		mode, _ := r.takeOpened(path)
		d, err := r.folder("set", path, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = d.set(Attributes{Mode: mode}, r.path(path))
			d.close()
		}
		if err != nil {
			failed = append(failed, r.fail("set", path, err))
		}
	}
	return errors.Join(failed...)
}

// unlock opens a folder to its owner, who is to write in it.
func (r *Root) unlock(d folder, path string) error {
	if r.opened == nil || path == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, changed, err := d.unlock(r.path(path))
	if _, known := r.opened[path]; changed && !known {
		r.opened[path] = before
	}
	return err
}

// takeOpened is what a folder's permissions were before it was opened.
func (r *Root) takeOpened(path string) (mode fs.FileMode, opened bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mode, opened = r.opened[path]
	delete(r.opened, path)
	return mode, opened
}

// writes says whether an operation writes in the folder that it opens.
func writes(op string) bool {
	return op == "create" || op == "publish" || op == "remove" || op == "mkdir"
}
