package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// UndoOptions tunes one Undo.
type UndoOptions struct {
	// ResumeOptions are those to reach the job's buckets with.
	ResumeOptions

	// DryRun changes nothing and tells OnObject what would be.
	DryRun bool
}

// Undo takes back what the last run of a Sync with a Backup did, as far as its
// destination is still as that run left it: what it replaced or deleted is put
// back, what it made new is removed, folders of this machine too where they are
// empty without it. A name that somebody has written to since
// is a failure that matches ErrChanged. What was taken back is forgotten, and
// known by what was kept until then, so an Undo that was interrupted or killed
// goes on when it is called again.
func (e *Engine) Undo(ctx context.Context, id string, opts *UndoOptions) (*Report, error) {
	if opts == nil || opts.Bucket == nil {
		return nil, usagef("undo needs a way to reach buckets")
	}
	job, c, err := e.find(id)
	if err != nil {
		return nil, err
	}
	nothing := usagef("job %s has kept nothing to put back: it was no sync with a backup", id)
	if c.Method != "sync" && c.Method != "apply" {
		return nil, nothing
	}
	dst, err := opts.reach(c, c.Destination)
	if err != nil {
		return nil, err
	}
	at := Location{Bucket: dst.Bucket}
	if c.Backup != (where{}) {
		if at, err = opts.reach(c, c.Backup); err != nil {
			return nil, err
		}
	}
	damaged := int64(0)
	if c, err := checkpoint.Inspect(e.opts.StateDir, id); err == nil {
		damaged = c.Damaged
	}
	s := spec{kind: "undo", source: at.String(), destination: dst.String(), look: opts.DryRun}
	if dst.Bucket == nil {
		s.claim = dst.Path
	}
	own := *e.sized(c)
	own.opts.OpenJournal = func(checkpoint.Job) (Journal, error) {
		books, err := e.open(job)
		if err != nil {
			return nil, heldError(id, err)
		}
		if !books.Resumed() { // it has ended since, or what there was is damaged and set aside
			return nil, errors.Join(fmt.Errorf("%w: the checkpoint of %s could not be read; what it has kept is in %s", ErrNoJob, id, at), books.Remove())
		}
		if c.Backup == (where{}) { // the last run; what it went on with may have had one
			if any, err := anyChange(books); err != nil || !any {
				return nil, errors.Join(cmp.Or(err, nothing), books.Close())
			}
		}
		return undoJournal{books}, nil
	}
	j, err := own.begin(ctx, s, opts.JobOptions)
	if err != nil {
		return nil, err
	}
	j.report.JobID = id
	if damaged > 0 {
		j.warn(fmt.Sprintf("%d records of the checkpoint were damaged, and what they were of is not put back; what was kept is in %s", damaged, at))
	}
	if c.Backup == (where{}) {
		j.warn("the last run of the job kept nothing: what it replaced or deleted itself is not put back, only what runs before it have kept")
	}
	u := &undo{job: j, dst: dst, at: at, files: c.Files, sealed: c.Source.Sealed, dryRun: opts.DryRun}
	return j.end(ctx, u.run(ctx), false)
}

// anyChange says whether a job has changes to take back.
func anyChange(books Journal) (bool, error) {
	for _, err := range books.Changes() {
		return err == nil, err
	}
	return false, nil
}

// undoJournal is the journal of an Undo: that of the job it takes back, whose
// state and failures it leaves as they are.
type undoJournal struct{ Journal }

func (undoJournal) Resumed() bool                                  { return false }
func (undoJournal) SetState(context.Context, string, string) error { return nil }
func (undoJournal) Fail(checkpoint.Failure) error                  { return nil }
func (undoJournal) ClearFailures(context.Context) error            { return nil }
func (u undoJournal) Remove() error                                { return u.Close() }

// undo is the job of one Undo.
type undo struct {
	*job
	dst, at Location
	files   FileOptions
	sealed  bool // the files hold something else than the objects
	dryRun  bool
	root    *localfs.Root // of a local destination
	folders []checkpoint.Change
}

func (u *undo) run(ctx context.Context) (err error) {
	u.meter.setPhase(PhaseTransferring)
	if u.dst.Bucket == nil {
		root, failed := localfs.OpenRoot(u.dst.Path)
		if failed != nil {
			return failed
		}
		defer root.Close()
		u.files.prepare(root, false)
		if u.files.Folders && u.files.Preserve {
			root.OpenLocked()
			defer func() { err = errors.Join(err, root.Relock()) }()
		}
		u.watchFiles(root)
		u.root = root
	}
	for change, err := range u.journal.Changes() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if u.root != nil && strings.HasSuffix(change.Key, folderChange) {
			u.folders = append(u.folders, change)
			continue
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
			err = u.file(ctx, change)
		} else {
			err = u.object(ctx, key, change)
		}
		switch {
		case err == nil:
			u.done(operation, key, "", 0)
			err = u.journal.DropChange(change.Key)
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
	return u.takeBackFolders(ctx)
}

// object takes back a change to an object.
func (u *undo) object(ctx context.Context, key string, change checkpoint.Change) error {
	now, err := u.headAny(ctx, Location{Bucket: u.dst.Bucket, Path: key})
	if err != nil {
		return err
	}
	ours, err := u.isOurObject(now, change)
	if err != nil {
		return err
	}
	if change.Kept == "" {
		switch {
		case now == nil:
			return nil
		case !ours:
			return taken(key)
		}
		return u.do(ctx, "delete", key, priorityObject, func(ctx context.Context, _ int) error {
			_, err := u.dst.Bucket.DeleteObject(ctx, key, nil)
			return err
		})
	}
	back := aside{name: asideName("undone", change.Key), from: u.keptAt(change), to: Location{Bucket: u.dst.Bucket, Path: key}}
	kept, err := u.headAny(ctx, back.from)
	switch {
	case err != nil:
		return err
	case now != nil && asKept(now, kept, change.Before):
		return u.dropAside(ctx, back.name, u.dst.Bucket)
	case now != nil && !ours:
		return taken(key)
	case kept == nil:
		return fmt.Errorf("what was kept: %w: %s", oss.ErrNoSuchKey, back.from)
	case kept.Size != change.Before.Size:
		return taken(back.from.Path)
	}
	back.seen = checkpoint.Identity{Size: kept.Size, ETag: kept.ETag}
	back.guard = guard{known: true, strict: now == nil, exists: now != nil}
	if now != nil {
		back.guard.etag = now.ETag
	}
	return u.copyAside(ctx, back)
}

// headAny asks about an object; nil is none.
func (u *undo) headAny(ctx context.Context, l Location) (meta *oss.ObjectMeta, err error) {
	err = u.do(ctx, "head", l.Path, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = l.Bucket.HeadObject(ctx, l.Path, nil)
		return err
	})
	if errors.Is(err, oss.ErrNotFound) && !errors.Is(err, oss.ErrNoSuchBucket) {
		return nil, nil
	}
	return meta, err
}

// isOurObject says whether an object is one that the job has made, or was about
// to.
func (u *undo) isOurObject(now *oss.ObjectMeta, change checkpoint.Change) (bool, error) {
	if now == nil {
		return false, nil
	}
	settled, known, err := u.journal.Settled(change.Key)
	if known && now.ETag == settled.Dest.ETag && now.Size == settled.Dest.Size {
		return true, err
	}
	for _, id := range change.After {
		if isObject(now, id) {
			return true, err
		}
	}
	return false, err
}

// keptAt is where the object of a change is kept.
func (u *undo) keptAt(change checkpoint.Change) Location {
	if rest, ok := strings.CutPrefix(change.Kept, remoteKept); ok {
		name, key, _ := strings.Cut(rest, "/")
		bucket, key := placeOfObject(checkpoint.Object{Bucket: name, Target: key}, u.at.Bucket, key)
		return Location{Bucket: bucket, Path: key}
	}
	return Location{Bucket: u.at.Bucket, Path: change.Kept}
}

// isObject says whether an object has the content that was about to be written:
// a run that was killed has recorded that, and not the object it became.
func isObject(now *oss.ObjectMeta, id checkpoint.Identity) bool {
	return now.Size == id.Size &&
		(now.HasCRC64 && id.HasCRC64 && now.CRC64 == id.CRC64 || id.ETag != "" && now.ETag == id.ETag)
}

// asKept says whether an object is what was kept of it, be it that it never came
// to the change, or that it was put back before: by content, for an object put
// back in parts has another ETag, and by metadata, for that was kept with it.
// kept is nil if that is not there any more; then before has to tell.
func asKept(now, kept *oss.ObjectMeta, before checkpoint.Identity) bool {
	if kept == nil {
		return now.Size == before.Size && now.ETag == before.ETag
	}
	same := checkpoint.Identity{Size: kept.Size, ETag: kept.ETag, CRC64: kept.CRC64, HasCRC64: kept.HasCRC64}
	return isObject(now, same) && now.ContentType == kept.ContentType && maps.Equal(now.Meta, kept.Meta)
}

// file takes back a change to a file.
func (u *undo) file(ctx context.Context, change checkpoint.Change) error {
	now, err := u.root.Stat(change.Key)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ours := false
	if there {
		if ours, err = u.isOurFile(ctx, now, change); err != nil {
			return err
		}
	}
	switch {
	case change.Kept != "":
		return u.putBack(ctx, now, there, ours, change)
	case there && !ours:
		return taken(change.Key)
	case there:
		if err := u.root.Remove(change.Key); err != nil {
			return err
		}
	}
	// An earlier run may have removed it and died before that was durable.
	if err := u.root.SyncDirs(change.Key); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// putBack gives what was kept of a file its name again. It is removed where it
// was kept only when the change is forgotten for good: until then it tells that
// the file is back.
func (u *undo) putBack(ctx context.Context, now localfs.Identity, there, ours bool, change checkpoint.Change) error {
	dir, name := localfs.SplitRoot(change.Kept)
	from, err := localfs.OpenRoot(dir)
	kept := localfs.Identity{}
	if err == nil {
		defer from.Close()
		u.watchFiles(from)
		kept, err = from.Stat(name)
	}
	isKept := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("what was kept: %w", err)
	}
	lost, back := err, false
	switch {
	case there && isKept:
		back, err = u.isCopy(ctx, now, change.Key, kept, from, name)
	case there:
		back, err = u.isFile(ctx, now, change.Key, change.Before)
	default:
		err = nil
	}
	switch {
	case err != nil:
		return err
	case back: // it never came to the change, or an earlier run has put it back
		err = errors.Join(u.root.SyncDirs(change.Key), u.dropAside(ctx, asideName("undone", change.Key), nil))
	case there && !ours:
		return taken(change.Key)
	case !isKept:
		return fmt.Errorf("what was kept: %w", lost)
	default:
		if err = u.cloneAside(ctx, asideName("undone", change.Key), from, name, u.root, change.Key); err != nil {
			err = fmt.Errorf("what was kept: %w", err)
		}
	}
	if err != nil || !isKept {
		return err
	}
	if err := errors.Join(u.journal.DropChange(change.Key), u.journal.Flush(ctx)); err != nil {
		return err
	}
	return from.Remove(name) // the file has its one name again
}

// isOurFile says whether a file is one that the job has made, or was about to.
func (u *undo) isOurFile(ctx context.Context, now localfs.Identity, change checkpoint.Change) (bool, error) {
	settled, known, err := u.journal.Settled(change.Key)
	if err != nil {
		return false, err
	}
	ours := change.After
	if known {
		id := settled.Dest
		if !u.sealed {
			id.CRC64, id.HasCRC64 = settled.Source.CRC64, settled.Source.HasCRC64
		}
		ours = append([]checkpoint.Identity{id}, ours...)
	}
	for _, id := range ours {
		if is, err := u.isFile(ctx, now, change.Key, id); is || err != nil {
			return is, err
		}
	}
	return false, nil
}

// isFile says whether the file of a key is the one that was seen. It is if its
// size and times are the same, to the nanosecond, and its inode: nobody can write
// into a file and leave its change time. A second name and a rename change that
// as well, and a tree that was brought back from elsewhere has other inodes, so
// with size and modification time alone the CRC-64 decides, or, where none is
// known, the inode. The device says nothing: its number is given when a file
// system is mounted, and may be another after each start of the machine.
func (u *undo) isFile(ctx context.Context, now localfs.Identity, key string, seen checkpoint.Identity) (bool, error) {
	switch {
	case !now.Mode.IsRegular() || now.Size != seen.Size || now.ModTime != seen.ModTime:
		return false, nil
	case now.Inode == seen.Inode && now.ChangeTime == seen.ChangeTime:
		return true, nil
	case !seen.HasCRC64:
		return now.Inode == seen.Inode, nil
	}
	sum, err := u.sum(ctx, u.root, key, now.Size)
	return sum == seen.CRC64, err
}

// isCopy says whether the file of a key is what was kept of it: the same file by
// another name, or one of the same time and content.
func (u *undo) isCopy(ctx context.Context, now localfs.Identity, key string, kept localfs.Identity, from *localfs.Root, name string) (bool, error) {
	switch {
	case !now.Mode.IsRegular() || now.Size != kept.Size || now.ModTime != kept.ModTime:
		return false, nil
	case now.Inode == kept.Inode && now.Device == kept.Device && now.Inode != 0:
		return true, nil
	}
	one, err := u.sum(ctx, u.root, key, now.Size)
	if err != nil {
		return false, err
	}
	other, err := u.sum(ctx, from, name, kept.Size)
	return one == other, err
}

// sum is the CRC-64 of a file of that size.
func (u *undo) sum(ctx context.Context, root *localfs.Root, key string, size int64) (sum uint64, err error) {
	err = u.do(ctx, "prove", key, priorityObject, func(ctx context.Context, _ int) error {
		file, _, err := root.Open(key)
		if err != nil {
			return err
		}
		defer file.Close()
		sum, err = hashRange(until(ctx, file), 0, size, nil)
		return err
	})
	return sum, err
}
