package transfer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// backup keeps what a tree replaces or removes, and remembers what it is about
// to do, so that Undo can take it back. Every run has a folder of its own.
type backup struct {
	*job
	dst  Location
	all  Location      // of all runs; the Path of one in a bucket ends in a slash
	at   Location      // of this run; its Path ends in a slash
	root *localfs.Root // of a local destination
	kept *localfs.Root // the folder at.Path, if that is local
}

// newBackup opens the backup of a run. Where it is was checked before.
func (t *tree) newBackup(ctx context.Context) (*backup, error) {
	if !t.report.Resumed {
		if err := t.journal.ClearChanges(ctx); err != nil {
			return nil, err
		}
	}
	b := &backup{job: t.job, dst: t.dst, all: t.options.Backup, at: t.options.Backup, root: t.root}
	run := time.Now().UTC().Format("20060102T150405.000Z") + "-" + t.id[:8]
	if b.at.Bucket != nil {
		b.all.Path = treePrefix(b.all.Path)
		b.at.Path = b.all.Path + run + "/"
		return b, nil
	}
	b.at.Path = filepath.Join(b.at.Path, run) + string(filepath.Separator)
	b.root.BeforeMkdir(func(key string) error {
		return b.journal.PutChange(ctx, checkpoint.Change{Key: key + folderChange, At: time.Now()})
	})
	var err error
	if b.kept, err = localfs.CreateRoot(b.at.Path); err == nil {
		t.options.Files.prepare(b.kept, false)
		t.watchFiles(b.kept)
	}
	return b, err
}

// forgetChanges forgets what earlier runs have kept, once the job begins anew
// without a backup: an Undo would put it over what this run makes.
func (t *tree) forgetChanges(ctx context.Context) error {
	if t.report.Resumed || t.options.DryRun || t.options.Compare == CompareNone {
		return nil
	}
	if any, err := anyChange(t.journal); !any || err != nil {
		return err
	}
	return t.journal.ClearChanges(ctx)
}

func (b *backup) close() error {
	if b == nil || b.kept == nil {
		return nil
	}
	return b.kept.Close()
}

// checkBackup refuses a backup that lies within what is synchronised, or that
// the destination's service cannot copy to.
func checkBackup(at, src, dst Location) error {
	switch {
	case at == (Location{}):
		return nil
	case (at.Bucket == nil) != (dst.Bucket == nil):
		return usagef("the backup must be where the destination is: in a bucket for a bucket, in a folder for a folder")
	case at.Bucket != nil && !sameService(at.Bucket, dst.Bucket):
		return usagef("the backup must be in a bucket of the destination's service")
	}
	at = resolved(at)
	for _, side := range []Location{src, dst} {
		if side := resolved(side); within(at, side) || within(side, at) {
			return usagef("the backup %s and %s lie within each other", at, side)
		}
	}
	return nil
}

// resolved is l without symbolic links in its path, as far as that exists.
func resolved(l Location) Location {
	if l.Bucket != nil {
		return l
	}
	for dir, rest := l.Path, ""; ; dir, rest = filepath.Dir(dir), filepath.Join(filepath.Base(dir), rest) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			l.Path = filepath.Join(real, rest)
			return l
		}
		if dir == filepath.Dir(dir) {
			return l
		}
	}
}

// within says whether a lies in the tree below b.
func within(a, b Location) bool {
	if a.Bucket != nil && b.Bucket != nil {
		return sameService(a.Bucket, b.Bucket) && a.Bucket.Name() == b.Bucket.Name() && strings.HasPrefix(treePrefix(a.Path), treePrefix(b.Path))
	}
	if a.Bucket != nil || b.Bucket != nil {
		return false
	}
	rel, err := filepath.Rel(b.Path, a.Path)
	return err == nil && filepath.IsLocal(rel)
}

// keep is called before a name is written or removed: what was seen there is
// kept, durably, and then the intent is recorded. after is what will be there,
// zero if nothing will. A nil backup keeps nothing.
func (b *backup) keep(ctx context.Context, name string, there bool, before, after checkpoint.Identity) error {
	if b == nil {
		return nil
	}
	change := checkpoint.Change{Key: name, At: time.Now()}
	if after != (checkpoint.Identity{}) {
		change.After = []checkpoint.Identity{after}
	}
	if there {
		kept, err := b.copy(ctx, name, before)
		if err != nil {
			return fmt.Errorf("keep in %s: %w", b.at, err)
		}
		change.Before, change.Kept = before, kept
	}
	return b.journal.PutChange(ctx, change)
}

// folderChange is what follows the name of a folder of this machine in the
// checkpoint.Change of one that is made or removed. No name of a file has it.
const folderChange = "/\x00"

// keepFolder is keep of an empty folder that is about to be removed.
func (b *backup) keepFolder(ctx context.Context, e extra) error {
	if b == nil {
		return nil
	}
	return b.journal.PutChange(ctx, checkpoint.Change{
		Key: strings.TrimSuffix(e.Name, "/") + folderChange, At: time.Now(),
		Before: e.identity(), Kept: strconv.FormatUint(uint64(e.ID.Mode.Perm()), 8),
	})
}

// errLinkKept is why a link is not replaced where there is a backup.
var errLinkKept = errors.New("a link is there, which a backup does not keep: remove it, or leave it out")

// remoteKept begins checkpoint.Change.Kept of an object, whose bucket and key
// follow. Without it that is a path, or a key in the job's own backup.
const remoteKept = "oss://"

// copy keeps what is at name, and says where.
func (b *backup) copy(ctx context.Context, name string, before checkpoint.Identity) (kept string, err error) {
	if b.kept != nil {
		return b.kept.Path(name), b.cloneAside(ctx, asideName("kept", name), b.root, name, b.kept, name)
	}
	a := aside{
		name: asideName("kept", name), from: Location{Bucket: b.dst.Bucket, Path: b.dst.Path + name},
		to: Location{Bucket: b.at.Bucket, Path: b.at.Path + name}, seen: before,
	}
	if begun, found, err := b.begunAside(a.name, b.all); err != nil {
		return "", err
	} else if found {
		a.to = begun
	}
	err = b.copyAside(ctx, a)
	if oss.Classify(err) == oss.ClassIdentity || errors.Is(err, ErrChanged) || gone(err) {
		err = taken(a.from.Path)
	}
	return remoteKept + a.to.Bucket.Name() + "/" + a.to.Path, err
}
