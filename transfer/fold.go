package transfer

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
)

// CollisionError says that a file system takes the name of a key for that of
// another one, which has a file already: it does not tell the cases of letters
// or the normal forms of Unicode apart. Nothing was replaced.
type CollisionError struct {
	Key string // relative to the tree
}

func (e *CollisionError) Error() string {
	return fmt.Sprintf("%s: the file system takes this name for that of another key, which differs in the case of letters or in how accents are written", printable(e.Key))
}

// claims remembers whose each file is that a job has written to a file system
// that folds names. nil, for all others, remembers nothing.
type claims struct {
	seed  maphash.Seed
	owner map[claim]uint64 // a hash of the key
}

type claim struct{ device, inode uint64 }

// newClaims asks the file system. One where no file can be made will say so to
// every download.
func newClaims(root *localfs.Root) *claims {
	if folds, err := root.Folds(); err != nil || !folds {
		return nil
	}
	return &claims{seed: maphash.MakeSeed(), owner: map[claim]uint64{}}
}

// check refuses to replace a file that this job has made of another key.
func (c *claims) check(root *localfs.Root, name string) error {
	if c == nil {
		return nil
	}
	id, err := root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && c.isOthers(id, name) {
		err = &CollisionError{Key: name}
	}
	return err
}

func (c *claims) isOthers(id localfs.Identity, name string) bool {
	owner, known := c.owner[c.claim(id, name)]
	return known && owner != maphash.String(c.seed, name)
}

// take remembers that the file of that name is the one just published.
func (c *claims) take(root *localfs.Root, name string) {
	if c == nil {
		return
	}
	if id, err := root.Stat(name); err == nil { // else the settling will say what is wrong
		c.owner[c.claim(id, name)] = maphash.String(c.seed, name)
	}
}

// claim is what tells the file. Windows says nothing of it in passing, so there
// it is the name, as far as we know how it folds one.
func (c *claims) claim(id localfs.Identity, name string) claim {
	if id.Inode == 0 {
		return claim{inode: maphash.String(c.seed, strings.ToLower(name))}
	}
	return claim{id.Device, id.Inode}
}
