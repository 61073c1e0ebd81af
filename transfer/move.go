package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// kindMove is the kind of a job with RemoveSource.
const kindMove = "move"

// errUnproven keeps a source whose copy could only be checked by its length.
var errUnproven = errors.New("the service sends no CRC-64, so that the copy is not proven; the source stays")

// moved is the spec of a job with one object whose source is removed: it shares
// no checkpoint with a copy.
func (s spec) moved() spec {
	s.kind = kindMove
	s.options["object"] = "single"
	return s
}

// checkMove refuses a move onto itself. One bucket may be reached by two
// endpoints, which nobody can tell from two buckets.
func checkMove(src, dst Location, tree bool) error {
	if src.Bucket == nil || dst.Bucket == nil || src.Bucket.Name() != dst.Bucket.Name() {
		return nil
	}
	same := src.Path == dst.Path
	if tree {
		same = strings.HasPrefix(src.Path, dst.Path) || strings.HasPrefix(dst.Path, src.Path)
	}
	if same {
		return usagef("%s would be moved onto itself, unless these are two buckets of one name: then copy it and remove the source", src)
	}
	return nil
}

// checkMove refuses what a move of a tree cannot be, and says nothing of others.
func (t *tree) checkMove() error {
	if !t.options.RemoveSource || t.options.Single {
		return nil
	}
	if t.options.Delete || t.options.Backup != (Location{}) {
		return usagef("what is moved is neither mirrored nor taken back: no deletion, no backup")
	}
	return checkMove(t.src, t.dst, true)
}

// openMoved is openNamed for a file that is to go, or has gone. A link is not
// moved: what it stands for would go, and the link stay.
func openMoved(name string) (root *localfs.Root, key, abs string, err error) {
	if abs, err = filepath.Abs(name); err != nil {
		return nil, "", "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return nil, "", "", err
	}
	abs = filepath.Join(dir, filepath.Base(abs))
	if info, err := os.Lstat(abs); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, "", "", usagef("%s is a link: name the file that it stands for", printable(name))
	}
	dir, key = localfs.SplitRoot(abs)
	root, err = localfs.OpenRoot(dir)
	return root, key, abs, err
}

// begun says whether a run of the job has left a checkpoint, as far as that can
// be known.
func (e *Engine) begun(s spec) bool {
	if e.opts.OpenJournal != nil {
		return true
	}
	if e.opts.StateDir == "" {
		return false
	}
	_, err := checkpoint.Inspect(e.opts.StateDir, checkpoint.JobID(s.kind, s.source, s.destination, s.options))
	return !errors.Is(err, fs.ErrNotExist)
}

// takeAway removes the one source of a job, whose copy is at its destination,
// and has the checkpoint know of the copy before: the next run will not find
// the source.
func (j *job) takeAway(ctx context.Context, key string, unproven bool, remove func(context.Context) error) error {
	err := j.journal.Flush(ctx)
	if err == nil && unproven {
		err = errUnproven
	}
	if err == nil {
		err = remove(ctx)
	}
	if err != nil {
		j.seen(false, 0)
		j.blame(ctx, key, "remove", err)
	}
	return err
}

// movedBefore is for a source that is not there, which missing says: an earlier
// run may have moved it and died before it could say so. stands counts it.
func (j *job) movedBefore(name string, stands func(checkpoint.Settled) (bool, error), missing error) error {
	before, err := j.doneBefore(name, stands)
	if err != nil {
		return err
	}
	if !before {
		return missing
	}
	j.meter.totalsKnown.Store(true)
	return nil
}

// move sends the file as a job of its own, and removes it.
func (u *upload) move(ctx context.Context) error {
	if _, err := u.root.Stat(u.name); errors.Is(err, fs.ErrNotExist) {
		return u.movedBefore(u.name, func(s checkpoint.Settled) (bool, error) {
			u.seen(true, s.Source.Size)
			return u.stands(ctx, s)
		}, err)
	}
	if err := u.single(ctx); err != nil {
		return err
	}
	return u.takeAway(ctx, filePath(u.root, u.name), u.unproven, func(ctx context.Context) error { return u.removeFile(ctx, u.root, u.name, u.id) })
}

// moveDown fetches the object as a job of its own, and removes it.
func (j *job) moveDown(ctx context.Context, src Location, dir, name string, o DownloadOptions) error {
	d, err := j.downloadOne(ctx, src, dir, name, o)
	if errors.Is(err, oss.ErrNotFound) {
		err = j.movedBefore(name, func(s checkpoint.Settled) (bool, error) {
			root, err := localfs.OpenRoot(dir)
			if err != nil {
				return false, err
			}
			defer root.Close()
			id, err := root.Stat(name)
			if err != nil || s.Dest != sourceIdentity(id) {
				return false, nil
			}
			j.meter.bytesTotal.Add(id.Size)
			j.fetchedBefore(src.Path, id.Size)
			return true, nil
		}, err)
		j.blame(ctx, src.Path, "download", err)
		return err
	}
	j.blame(ctx, src.Path, "download", err)
	if err != nil {
		return err
	}
	d.unconfirmed(d.meta.HasCRC64) // of an earlier run's as well
	return j.takeAway(ctx, src.Path, d.unproven, func(ctx context.Context) error { return j.removeObject(ctx, src.Bucket, src.Path, d.etag) })
}

// move copies the object as a job of its own, and removes it.
func (c *objectCopy) move(ctx context.Context) error {
	if err := c.head(ctx); errors.Is(err, oss.ErrNotFound) {
		err = c.movedBefore(c.name, func(s checkpoint.Settled) (bool, error) {
			c.seen(true, s.Source.Size)
			return c.stands(ctx, s)
		}, err)
		c.blame(ctx, c.key, "copy", err)
		return err
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	if c.relayed() {
		c.unconfirmed(c.meta.HasCRC64) // of an earlier run's as well
	}
	return c.takeAway(ctx, c.from.Path, c.unproven, func(ctx context.Context) error { return c.removeObject(ctx, c.from.Bucket, c.from.Path, c.etag) })
}

// takeAway removes the source of a name of a tree whose copy is there, and the
// folders that are empty without it. It returns only errors that end the job.
func (t *tree) takeAway(ctx context.Context, a action) error {
	if !t.options.RemoveSource {
		return nil
	}
	key := t.src.key(a.name)
	if t.direction == up {
		key = filePath(t.root, a.name)
	}
	if t.options.DryRun {
		return t.planRemoval(ctx, a, key)
	}
	err := t.before.wait(ctx, t, a)
	switch {
	case err != nil:
	case a.unproven:
		err = errUnproven
	case t.direction == up && t.isFolder(a.name, a.src.size):
		return t.folderNames.add(folderLast{Name: a.name}) // when all is gone that is in it
	case a.src.link:
		err = t.removeLink(ctx, a, key)
	case t.direction == up:
		if err = t.removeFile(ctx, t.root, a.name, a.src.id); err == nil {
			t.removeEmptied(a.name)
		}
	default:
		if t.direction == down && strings.HasSuffix(a.name, "/") {
			err = t.root.SyncDirs(strings.TrimSuffix(a.name, "/")) // a folder was made of it
		}
		if err == nil {
			err = t.removeObject(ctx, t.src.Bucket, key, a.src.etag)
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fatal(err):
		return wrapObject("remove", key, err)
	}
	t.seen(false, 0)
	t.fail(key, "remove", err)
	return nil
}

// removeLink removes a link that leads to the same name on both sides, as they
// are now.
func (t *tree) removeLink(ctx context.Context, a action, key string) error {
	same, err := t.sameLink(ctx, a)
	if err == nil && !same {
		err = &ChangedError{Name: key, What: "the link leads elsewhere"}
	}
	switch {
	case err != nil:
		return t.removed(key, err)
	case t.direction == up:
		if err := t.removeFile(ctx, t.root, a.name, a.src.id); err != nil {
			return err
		}
		t.removeEmptied(a.name)
		return nil
	}
	if err := t.root.SyncDirs(a.name); err != nil { // somebody else may have made it
		return t.removed(key, err)
	}
	return t.removed(key, t.do(ctx, "remove", key, priorityObject, func(ctx context.Context, _ int) error {
		_, err := t.src.Bucket.DeleteObject(ctx, key, nil)
		return err
	}))
}

// removeEmptied removes the folders above a file that have nothing in them any
// more. Those that are objects themselves go when those are there.
func (t *tree) removeEmptied(name string) {
	for dir := parent(name); dir != "" && (!t.options.Files.Folders || t.excluded(dir+"/")); dir = parent(dir) {
		t.root.RemoveEmpty([]string{dir})
		if _, err := t.root.Stat(dir); err == nil {
			return
		}
	}
}

// copyStands says whether what is at the destination is the source, by the
// CRC-64 of both as they are now, and durable: that something was copied once,
// or has the same size and time, is no reason to remove it.
func (t *tree) copyStands(ctx context.Context, a action) (bool, error) {
	c := &check{tree: t}
	reason, err := c.contents(ctx, a, nil)
	_, away := errors.AsType[*awayError](err)
	if away || errors.Is(err, errNoSum) {
		return false, nil
	}
	if err != nil || reason != "" || t.direction != down || t.options.DryRun {
		return err == nil && reason == "", err
	}
	if err := t.root.SyncFile(a.name); err != nil { // somebody else may have written it
		t.log.Info("fetched anew, for the file cannot be synced", "name", a.name, "err", err)
		return false, nil
	}
	return true, nil
}

// filePath is where the file of a name is, for reports.
func filePath(root *localfs.Root, name string) string {
	return root.Path(name)
}

// removeFile removes a source that is still the file that was copied.
func (j *job) removeFile(ctx context.Context, root *localfs.Root, name string, id localfs.Identity) error {
	err := j.do(ctx, "remove", name, priorityObject, func(context.Context, int) error {
		return j.unlinked.remove(root, name, id)
	})
	return j.removed(filePath(root, name), err)
}

// removeObject removes a source that is still the object that was copied. OSS
// has no condition for it, so a moment stays between question and removal. What
// is gone already is so by a try whose answer was lost, or by somebody else.
func (j *job) removeObject(ctx context.Context, bucket *oss.Bucket, key, etag string) error {
	err := j.do(ctx, "remove", key, priorityObject, func(ctx context.Context, _ int) error {
		meta, err := bucket.HeadObject(ctx, key, nil)
		switch {
		case errors.Is(err, oss.ErrNotFound) && !errors.Is(err, oss.ErrNoSuchBucket):
			return nil
		case err != nil:
			return err
		case meta.ETag != etag:
			return &ChangedError{Name: key, What: "the object was overwritten"}
		}
		_, err = bucket.DeleteObject(ctx, key, nil)
		return err
	})
	return j.removed(key, err)
}

// removed counts a source that is gone, if err is nil.
func (j *job) removed(key string, err error) error {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it was copied, but the source stays: %w", err)
	}
	j.mu.Lock()
	j.report.Objects.Removed++
	j.mu.Unlock()
	j.event(ObjectEvent{Key: key, Operation: "remove", Outcome: OutcomeDone})
	return nil
}
