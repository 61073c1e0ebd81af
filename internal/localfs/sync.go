package localfs

import (
	"errors"
	"maps"
	"slices"
)

// maxDurable bounds the memory for folders that need no sync. Forgetting them
// costs one sync each.
const maxDurable = 4096

// SyncDirs makes published, removed and created names durable: it syncs the
// folder of every key, each once, and the folders above them that this Root
// has not yet seen on the disk, whether it made them or a run before it that
// was killed. Give it the keys of a whole batch, a sync costs far more than a
// rename. After an error none of the keys may be taken as durable.
func (r *Root) SyncDirs(keys ...string) error {
	todo := map[string]struct{}{} // folders to sync
	for _, key := range keys {
		key, err := r.local(key)
		if err != nil {
			return err
		}
		dir, _ := splitKey(key)
		todo[dir] = struct{}{}
	}
	proven := map[string]struct{}{} // folders whose names those syncs make durable
	for _, dir := range slices.Collect(maps.Keys(todo)) {
		for dir != "" && !r.isDurable(dir) {
			proven[dir] = struct{}{}
			dir, _ = splitKey(dir)
			todo[dir] = struct{}{}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(todo)) {
		d, err := r.folder("sync", dir, false)
		if err != nil {
			return err
		}
		err = r.watch.step(Step{Op: "sync folder", Path: r.path(dir)}, d.sync)
		d.close()
		if err != nil {
			return r.fail("sync", dir, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.durable)+len(proven) > maxDurable {
		clear(r.durable)
	}
	maps.Copy(r.durable, proven)
	return nil
}

// SyncFile makes a file durable that somebody else may have written, and its
// name.
func (r *Root) SyncFile(key string) error {
	f, _, err := r.Open(key)
	if err != nil {
		return err
	}
	err = r.watch.step(Step{Op: "sync", Path: r.path(key)}, f.Sync)
	if err := errors.Join(err, f.Close()); err != nil {
		return r.fail("sync", key, err)
	}
	return r.SyncDirs(key)
}

func (r *Root) isDurable(dir string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.durable[dir]
	return ok
}

// forget is told of every folder that is made.
func (r *Root) forget(dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.durable, dir)
}
