package transfer

import (
	"sync"

	"github.com/osssync/osssync/internal/localfs"
)

// unlinked is what a move has done to the change times of files of which it has
// removed one of several names: the system counts that as a change. It is safe
// for concurrent use.
type unlinked struct {
	mu    sync.Mutex
	times map[inode]map[int64]int64 // from the change time before to that after
}

type inode struct{ device, number uint64 }

func inodeOf(id localfs.Identity) inode { return inode{id.Device, id.Inode} }

// remove removes the file of name, if it is still the one of id.
func (u *unlinked) remove(root *localfs.Root, name string, id localfs.Identity) error {
	now, err := root.Stat(name)
	if err != nil {
		return err
	}
	if now.Links > 1 {
		return u.removeOne(root, name, id)
	}
	if what := u.difference(id, now); what != "" {
		return &ChangedError{Name: filePath(root, name), What: what}
	}
	if err := root.Remove(name); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.times, inodeOf(id)) // it was the last name
	return nil
}

// removeOne is remove for a file with other names. Whoever compares meanwhile
// waits until it is known what came of it.
func (u *unlinked) removeOne(root *localfs.Root, name string, id localfs.Identity) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	file, now, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if what := u.differs(id, now); what != "" {
		return &ChangedError{Name: filePath(root, name), What: what}
	}
	if err := root.Remove(name); err != nil {
		return err
	}
	after, err := localfs.Identify(file)
	if err != nil || after.ChangeTime == now.ChangeTime {
		return err
	}
	if u.times == nil {
		u.times = map[inode]map[int64]int64{}
	}
	if u.times[inodeOf(id)] == nil {
		u.times[inodeOf(id)] = map[int64]int64{}
	}
	u.times[inodeOf(id)][now.ChangeTime] = after.ChangeTime
	return nil
}

// difference is that of two states of one file, but for what remove has done.
func (u *unlinked) difference(a, b localfs.Identity) string {
	if a.ChangeTime == b.ChangeTime {
		return difference(a, b)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.differs(a, b)
}

func (u *unlinked) differs(a, b localfs.Identity) string {
	times := u.times[inodeOf(b)]
	for range times {
		next, known := times[a.ChangeTime]
		if !known || a.ChangeTime == b.ChangeTime {
			break
		}
		a.ChangeTime = next
	}
	return difference(a, b)
}
