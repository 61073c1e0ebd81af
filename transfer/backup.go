package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
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
	at   Location      // its Path ends in a slash
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
	b := &backup{job: t.job, dst: t.dst, at: t.options.Backup, root: t.root}
	run := time.Now().UTC().Format("20060102T150405.000Z") + "-" + t.id[:8]
	if b.at.Bucket != nil {
		b.at.Path = treePrefix(b.at.Path) + run + "/"
		return b, nil
	}
	b.at.Path = filepath.Join(b.at.Path, run) + string(filepath.Separator)
	var err error
	if b.kept, err = localfs.CreateRoot(b.at.Path); err == nil {
		t.options.Files.prepare(b.kept, false)
	}
	return b, err
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
	for _, side := range []Location{src, dst} {
		if within(at, side) || within(side, at) {
			return usagef("the backup %s and %s lie within each other", at, side)
		}
	}
	return nil
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
		change.Before, change.Kept = before, b.at.Path+name
		if b.kept != nil {
			change.Kept = b.kept.Path(name)
		}
		if err := b.copy(ctx, name, before); err != nil {
			return fmt.Errorf("keep in %s: %w", b.at, err)
		}
	}
	return b.journal.PutChange(ctx, change)
}

func (b *backup) copy(ctx context.Context, name string, before checkpoint.Identity) error {
	if b.kept != nil {
		if err := b.root.Clone(name, b.kept, name); err != nil {
			return err
		}
		return b.kept.SyncDirs(name)
	}
	_, err := b.copyObject(ctx, Location{Bucket: b.dst.Bucket, Path: b.dst.Path + name}, Location{Bucket: b.at.Bucket, Path: b.at.Path + name}, before)
	if oss.Classify(err) == oss.ClassIdentity {
		return taken(b.dst.Path + name)
	}
	return err
}

// copyObject lets the service copy an object as it was seen, whatever its size.
func (j *job) copyObject(ctx context.Context, from, to Location, seen checkpoint.Identity) (etag string, err error) {
	if seen.Size > maxPartSize {
		return j.copyInParts(ctx, from, to, seen)
	}
	err = j.do(ctx, "copy", to.Path, priorityObject, func(ctx context.Context, _ int) error {
		result, err := to.Bucket.CopyObject(ctx, from.Bucket.Name(), from.Path, to.Path, &oss.CopyObjectOptions{IfMatch: seen.ETag})
		if err == nil {
			etag = result.ETag
		}
		return err
	})
	return etag, err
}

func (j *job) copyInParts(ctx context.Context, from, to Location, seen checkpoint.Identity) (etag string, err error) {
	var meta *oss.ObjectMeta
	err = j.do(ctx, "head", from.Path, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = from.Bucket.HeadObject(ctx, from.Path, nil)
		return err
	})
	if err != nil {
		return "", err
	}
	var rec checkpoint.Object // not recorded: see newUpload
	if err := j.newUpload(ctx, to.Bucket, to.Path, oss.ObjectHeaders{ContentType: meta.ContentType, Meta: meta.Meta}, &rec); err != nil {
		return "", err
	}
	id := rec.UploadID
	defer func() {
		if err != nil {
			err = errors.Join(err, j.abandon(ctx, to.Bucket, to.Path, checkpoint.Object{Key: to.Path, UploadID: id}))
		}
	}()
	size, err := partSizeFor(seen.Size, j.Engine.opts.PartSize*copyFactor)
	if err != nil {
		return "", err
	}
	var parts []oss.Part
	for off := int64(0); off < seen.Size; off += size {
		rng := oss.RangeBetween(off, min(off+size, seen.Size)-1)
		err := j.do(ctx, "part", to.Path, priorityPiece, func(ctx context.Context, _ int) error {
			part, err := to.Bucket.UploadPartCopy(ctx, from.Bucket.Name(), from.Path, rng, to.Path, id, len(parts)+1, &oss.UploadPartCopyOptions{IfMatch: seen.ETag})
			if err == nil {
				parts = append(parts, part.Part)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	err = j.do(ctx, "complete", to.Path, priorityPiece, func(ctx context.Context, _ int) error {
		result, err := to.Bucket.CompleteMultipartUpload(ctx, to.Path, id, parts, nil)
		if err == nil {
			etag = result.ETag
		}
		return err
	})
	return etag, err
}

// UndoOptions tunes one Undo.
type UndoOptions struct {
	// ResumeOptions are those to reach the job's buckets with.
	ResumeOptions

	// DryRun changes nothing and tells OnObject what would be.
	DryRun bool
}

// Undo takes back what the last run of a Sync with a Backup did, as far as its
// destination is still as that run left it: what it replaced or deleted is put
// back, what it made new is removed. A name that somebody has written to since
// is a failure that matches ErrChanged. What was taken back is forgotten, so an
// Undo that was interrupted goes on when it is called again.
func (e *Engine) Undo(ctx context.Context, id string, opts *UndoOptions) (*Report, error) {
	if opts == nil || opts.Bucket == nil {
		return nil, usagef("undo needs a way to reach buckets")
	}
	job, c, err := e.find(id)
	if err != nil {
		return nil, err
	}
	if c.Method != "sync" && c.Method != "apply" || c.Backup == (where{}) {
		return nil, usagef("job %s has kept nothing to put back: it was no sync with a backup", id)
	}
	dst, err := opts.reach(c, c.Destination)
	if err != nil {
		return nil, err
	}
	at, err := opts.reach(c, c.Backup)
	if err != nil {
		return nil, err
	}
	books, err := e.open(job)
	if err != nil {
		return nil, heldError(id, err)
	}
	j, err := e.withoutState().begin(ctx, spec{kind: "undo", source: at.String(), destination: dst.String()}, opts.JobOptions)
	if err != nil {
		return nil, errors.Join(err, books.Close())
	}
	j.report.JobID = id
	u := &undo{job: j, books: books, dst: dst, at: at, files: c.Files, dryRun: opts.DryRun}
	err = u.run(ctx)
	return j.end(ctx, errors.Join(err, books.Close()), false)
}

// undo is the job of one Undo. books are those of the job that is taken back.
type undo struct {
	*job
	books   Journal
	dst, at Location
	files   FileOptions
	dryRun  bool
	root    *localfs.Root // of a local destination
}

func (u *undo) run(ctx context.Context) error {
	u.meter.setPhase(PhaseTransferring)
	if u.dst.Bucket == nil {
		root, err := localfs.OpenRoot(u.dst.Path)
		if err != nil {
			return err
		}
		defer root.Close()
		u.files.prepare(root, false)
		u.root = root
	}
	for change, err := range u.books.Changes() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		u.seen(false, 0)
		operation, key := "restore", u.dst.Path+change.Key
		if u.root != nil {
			key = change.Key
		}
		if change.Kept == "" {
			operation = "delete"
		}
		if u.dryRun {
			u.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomePlanned, Size: change.Before.Size})
			continue
		}
		if u.root != nil {
			err = u.file(change)
		} else {
			err = u.object(ctx, key, change)
		}
		switch {
		case err == nil:
			u.done(operation, key, "", 0)
			err = u.books.DropChange(change.Key)
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case !fatal(err):
			u.fail(key, operation, err)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// object takes back a change to an object.
func (u *undo) object(ctx context.Context, key string, change checkpoint.Change) error {
	var now *oss.ObjectMeta
	err := u.do(ctx, "head", key, priorityObject, func(ctx context.Context, _ int) (err error) {
		now, err = u.dst.Bucket.HeadObject(ctx, key, nil)
		return err
	})
	if err != nil && !errors.Is(err, oss.ErrNotFound) {
		return err
	}
	settled, known, err := u.books.Settled(change.Key)
	switch {
	case err != nil:
		return err
	case now == nil:
	case change.Kept != "" && now.ETag == change.Before.ETag && now.Size == change.Before.Size:
		return nil // it never came to it, or it was taken back before
	case known && now.ETag == settled.Dest.ETag && now.Size == settled.Dest.Size:
	case !slices.ContainsFunc(change.After, func(id checkpoint.Identity) bool { return isObject(now, id) }):
		return taken(key)
	}
	if change.Kept == "" {
		if now == nil {
			return nil
		}
		return u.do(ctx, "delete", key, priorityObject, func(ctx context.Context, _ int) error {
			_, err := u.dst.Bucket.DeleteObject(ctx, key, nil)
			return err
		})
	}
	kept := Location{Bucket: u.at.Bucket, Path: change.Kept}
	return u.putBack(ctx, kept, Location{Bucket: u.dst.Bucket, Path: key}, change.Before)
}

func (u *undo) putBack(ctx context.Context, kept, to Location, before checkpoint.Identity) error {
	var meta *oss.ObjectMeta
	err := u.do(ctx, "head", kept.Path, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = kept.Bucket.HeadObject(ctx, kept.Path, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("what was kept: %w", err)
	}
	if meta.Size != before.Size {
		return taken(kept.Path)
	}
	_, err = u.copyObject(ctx, kept, to, checkpoint.Identity{Size: meta.Size, ETag: meta.ETag})
	return err
}

// file takes back a change to a file.
func (u *undo) file(change checkpoint.Change) error {
	now, err := u.root.Stat(change.Key)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	settled, known, err := u.books.Settled(change.Key)
	switch {
	case err != nil:
		return err
	case !there:
	case change.Kept != "" && sameFile(now, change.Before):
		return nil
	case known && sameFile(now, settled.Dest):
	case !slices.ContainsFunc(change.After, func(id checkpoint.Identity) bool { return sameFile(now, id) }):
		return taken(change.Key)
	}
	if change.Kept == "" {
		if !there {
			return nil
		}
		err := u.root.Remove(change.Key)
		if err == nil {
			err = u.root.SyncDirs(change.Key)
		}
		return err
	}
	dir, name := localfs.SplitRoot(change.Kept)
	kept, err := localfs.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("what was kept: %w", err)
	}
	defer kept.Close()
	if err := kept.Clone(name, u.root, change.Key); err != nil {
		return fmt.Errorf("what was kept: %w", err)
	}
	if err := u.root.SyncDirs(change.Key); err != nil {
		return err
	}
	return kept.Remove(name) // the file has its one name again
}

// isObject says whether an object has the content that was about to be written:
// a run that was killed has recorded that, and not the object it became.
func isObject(now *oss.ObjectMeta, id checkpoint.Identity) bool {
	return now.Size == id.Size &&
		(now.HasCRC64 && id.HasCRC64 && now.CRC64 == id.CRC64 || id.ETag != "" && now.ETag == id.ETag)
}

// sameFile says whether a file is the one that was seen, by what a second name
// does not change.
func sameFile(now localfs.Identity, seen checkpoint.Identity) bool {
	return now.Size == seen.Size && now.ModTime == seen.ModTime && now.Inode == seen.Inode && now.Device == seen.Device
}
