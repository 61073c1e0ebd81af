package store

import "fmt"

// maxGroup bounds how many commits share one transaction, and so how long the
// first of them waits for the last.
const maxGroup = 256

// commit is an update that waits for its group.
type commit struct {
	fn   func(kv) error
	err  error
	done chan struct{}
}

func (f *file) update(fn func(kv) error) error {
	c := &commit{fn: fn, done: make(chan struct{})}
	select {
	case f.commits <- c:
	case <-f.closing:
		return ErrClosed
	}
	<-c.done
	return c.err
}

// run is the committer: it takes all updates that wait and makes them durable
// together, so that their number hardly matters to the disk.
func (f *file) run() {
	defer close(f.done)
	for {
		select {
		case c := <-f.commits:
			f.commit(f.gather(c))
		case <-f.closing:
			return
		}
	}
}

func (f *file) gather(first *commit) []*commit {
	group := []*commit{first}
	for len(group) < maxGroup {
		select {
		case c := <-f.commits:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

func (f *file) commit(group []*commit) {
	err := f.syncDirs()
	if err == nil {
		err = f.apply(group)
	}
	for _, c := range group {
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
}

// apply runs the group in one transaction. A function that fails before it
// has written fails alone.
func (f *file) apply(group []*commit) error {
	tx, err := f.db.Begin(true)
	if err != nil {
		return err
	}
	wrote := false
	for _, c := range group {
		k := &boltKV{tx: tx}
		if c.err = c.fn(k); c.err != nil && k.wrote {
			_ = tx.Rollback()
			return fmt.Errorf("group commit: %w", c.err)
		}
		wrote = wrote || k.wrote
	}
	if !wrote {
		return tx.Rollback()
	}
	return tx.Commit()
}

// syncDirs makes the names of all synced blobs durable.
func (f *file) syncDirs() error {
	f.mu.Lock()
	dirs := f.dirty
	f.dirty = make(map[string]bool)
	f.mu.Unlock()
	for d := range dirs {
		if err := syncDir(d); err != nil {
			f.mu.Lock()
			for d := range dirs {
				f.dirty[d] = true
			}
			f.mu.Unlock()
			return err
		}
	}
	return nil
}
