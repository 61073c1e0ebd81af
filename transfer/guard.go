package transfer

import (
	"context"
	"errors"
	"io/fs"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// guard is what a job has seen at a destination before it writes there: what
// somebody else has put there since must not be replaced.
type guard struct {
	known  bool // somebody looked
	strict bool // ask even where that costs a request for each small object
	exact  bool // what is gone is not as it was, either
	exists bool
	before checkpoint.Identity // what was there
	backup *backup             // keeps it; nil: nobody does
	etag   string              // of the object that was there
	link   bool                // it is a link, of which HEAD tells what it leads to
	id     localfs.Identity    // of the file that was there
}

// guard is what the plan has seen at the action's destination.
func (a action) guard(strict bool) guard {
	g := guard{known: a.looked, strict: strict, exists: a.exists, etag: a.dst.etag, link: a.dst.link || a.dst.skip == reasonSymlink, id: a.dst.id}
	if a.exists {
		g.before = a.dst.identity()
	}
	return g
}

// keep has the backup keep what is at name before it is replaced. after is asked
// what will be there, if there is a backup.
func (g guard) keep(ctx context.Context, name string, after func() (checkpoint.Identity, error)) error {
	if g.backup == nil {
		return nil
	}
	if g.exists && g.link {
		return errLinkKept
	}
	id, err := after()
	if err != nil {
		return err
	}
	return g.backup.keep(ctx, name, g.exists, g.before, id)
}

// keepFile is keep of a file, which a backup may give another name to: of what
// changes by that the guard takes note.
func (g *guard) keepFile(ctx context.Context, root *localfs.Root, name string, after func() (checkpoint.Identity, error)) error {
	if g.backup == nil || !g.exists {
		return g.keep(ctx, name, after)
	}
	if err := g.undisturbedFile(root, name); err != nil {
		return err
	}
	if err := g.keep(ctx, name, after); err != nil {
		return err
	}
	now, err := root.Stat(name)
	if err == nil && now.Size == g.id.Size && now.ModTime == g.id.ModTime && now.Inode == g.id.Inode {
		g.id = now
	}
	return nil // what is another file is found when it is to be replaced
}

const takenReason = "somebody else has written there since it was looked at"

// taken is the error for a destination that is not as it was.
func taken(name string) error {
	return &ChangedError{Name: name, What: takenReason, Destination: true}
}

// undisturbed asks whether the key is still as the plan has seen it. OSS has no
// condition for replacing an object, so a moment stays between question and
// write; for a new one it has: see fresh.
func (t *target) undisturbed(ctx context.Context) error {
	if !t.guard.known || t.fresh() {
		return nil
	}
	if t.guard.link {
		return t.undisturbedLink(ctx)
	}
	return t.do(ctx, "head", t.key, priorityObject, func(ctx context.Context, _ int) error {
		meta, err := t.bucket.HeadObject(ctx, t.key, nil)
		switch {
		case errors.Is(err, oss.ErrNotFound) && t.guard.exact:
			return taken(t.key)
		case errors.Is(err, oss.ErrNotFound):
			return nil // what is gone cannot be lost
		case err != nil:
			return err
		case meta.ETag != t.guard.etag:
			return taken(t.key)
		}
		return nil
	})
}

// undisturbedLink is undisturbed of a link, which a listing tells as itself.
func (t *target) undisturbedLink(ctx context.Context) error {
	for o, err := range t.listing(ctx, t.bucket, lister.Options{Prefix: t.key, End: t.key}) {
		switch {
		case err != nil:
			return err
		case o.Key != t.key:
		case o.ETag != t.guard.etag || o.Type != typeLink:
			return taken(t.key)
		default:
			return nil
		}
		break
	}
	if t.guard.exact {
		return taken(t.key)
	}
	return nil // what is gone cannot be lost
}

// fresh says that the object must not be there, which the service checks as it
// writes.
func (t *target) fresh() bool { return t.guard.known && !t.guard.exists }

// disturbed is err, said as what it means if the service found an object where
// none was.
func (t *target) disturbed(err error) error {
	if t.fresh() && errors.Is(err, oss.ErrFileAlreadyExists) {
		return taken(t.key)
	}
	return err
}

// undisturbedFile asks whether the file is still as the plan has seen it.
func (g guard) undisturbedFile(root *localfs.Root, name string) error {
	if !g.known {
		return nil
	}
	now, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !(g.exact && g.exists):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return taken(name)
	case err != nil:
		return err
	case now.Mode.IsDir() && !g.exists:
		return &fs.PathError{Op: "replace", Path: filePath(root, name), Err: localfs.ErrIsFolder}
	case !g.exists || now.Size != g.id.Size || now.ModTime != g.id.ModTime || now.Inode != g.id.Inode:
		return taken(name)
	case now.ChangeTime != g.id.ChangeTime && now.Links == g.id.Links:
		return taken(name) // it did not only get or lose another name, which this job may have done
	}
	return nil
}
