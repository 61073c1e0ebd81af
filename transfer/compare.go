package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// Compare says which objects of a tree are transferred.
type Compare int

const (
	// CompareModTime transfers what differs in size or modification time, or
	// is not there. It costs no request per object for what this machine has
	// synchronised before, and a HEAD for the rest. Between two buckets it
	// compares ETags, and where they differ the CRC-64 of both objects.
	CompareModTime Compare = iota

	// CompareSize transfers what differs in size or is not there.
	CompareSize

	// CompareNone transfers everything.
	CompareNone

	// CompareUpdate transfers what is newer at the source, or as old and of
	// another size, or is not there. An object is as old as the file it was
	// made of, where its metadata says so (MetaModTime); between two buckets
	// times of uploads are compared. It costs a HEAD for each object that this
	// machine does not know to be the same.
	CompareUpdate

	// CompareExisting transfers only what is not there.
	CompareExisting

	// CompareChecksum transfers what differs in size or content. A sum that
	// an earlier run of the job has recorded is taken as long as the object's
	// ETag, or the file's size, times, device and inode are what they were;
	// else a file is read, and an object asked for. What nobody has touched
	// costs neither.
	CompareChecksum
)

// Reasons to leave an object alone.
const (
	reasonSame    = "unchanged"
	reasonBefore  = "done before" // by an interrupted run of this job
	reasonNewer   = "not newer than the destination"
	reasonExists  = "exists"
	reasonSymlink = "symlink"
	reasonAbsent  = "not at the destination"

	reasonNotThere = "not there" // of what is to be deleted
)

// wanted decides without a request whether an action must be carried out. ask
// means that only the objects' metadata can tell.
func (t *tree) wanted(a action) (reason string, ask bool, err error) {
	if t.options.ExistingOnly && !a.exists {
		return reasonAbsent, false, nil
	}
	if reason, ask, other, err := t.wantedOther(a); other || err != nil {
		return reason, ask, err
	}
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return "", false, err
	}
	asSettled := known && a.exists && a.src.is(settled.Source) && a.dst.is(settled.Dest)
	if t.options.Files.Preserve && known {
		asSettled = asSettled && a.src.exactly(settled.Source) && a.dst.exactly(settled.Dest) && !a.src.rewritten(settled.Source)
	}
	switch t.compare {
	case CompareNone:
		// The record is this job's own, of a run that did not end.
		if known && a.exists && a.src.exactly(settled.Source) && a.dst.exactly(settled.Dest) {
			return reasonBefore, false, nil
		}
		return "", false, nil
	case CompareExisting:
		if a.exists {
			return reasonExists, false, nil
		}
		return "", false, nil
	}
	if !a.exists {
		return "", false, nil
	}
	if t.compare == CompareUpdate {
		return t.wantedNewer(a, asSettled)
	}
	switch {
	case a.src.size != a.dst.size:
		return "", false, nil
	case t.compare == CompareChecksum:
		if known && provenSame(settled) && a.src.exactly(settled.Source) && a.dst.exactly(settled.Dest) {
			return reasonSame, false, nil
		}
		return "", true, nil
	case t.compare == CompareSize, asSettled:
		return reasonSame, false, nil
	case known && t.options.ModifyWindow == 0: // one side was changed since this machine made them the same
		return "", false, nil
	case t.direction == across && a.src.etag == a.dst.etag:
		return reasonSame, false, nil
	default:
		return "", true, nil
	}
}

// wantedNewer is wanted for CompareUpdate. What counts as an object's time is
// that of the file it was made of, where its metadata says that: its upload
// makes no bytes newer. Between two buckets it is that of the upload.
func (t *tree) wantedNewer(a action, asSettled bool) (reason string, ask bool, err error) {
	switch {
	case asSettled:
		return reasonSame, false, nil
	case t.direction == across && !a.src.modTime.After(a.dst.modTime.Add(t.options.ModifyWindow)):
		return reasonNewer, false, nil
	case t.direction == across:
		return "", false, nil
	}
	return "", true, nil
}

// notNewer asks for the object's metadata and says whether the source is no
// newer than the destination: older, or of its time and size, which is
// remembered.
func (t *tree) notNewer(ctx context.Context, a action) (bool, error) {
	object, from, to := t.dst, a.src.modTime, a.dst.modTime
	if t.direction == down {
		object = t.src
	}
	meta, err := t.metaOf(ctx, object, a.name)
	if meta == nil || err != nil {
		return false, err
	}
	stored, exact := parseModTime(meta.Meta[MetaModTime])
	if !exact {
		// The time of an upload has whole seconds: compared finer, a file would
		// be newer than the object just made of it.
		stored = meta.LastModified
		from, to = from.Truncate(time.Second), to.Truncate(time.Second)
	}
	if t.direction == down {
		from = stored
	} else {
		to = stored
	}
	switch ahead := from.Sub(to); {
	case ahead > t.options.ModifyWindow:
		return false, nil
	case ahead < -t.options.ModifyWindow:
		return true, nil
	case a.src.size != a.dst.size:
		return false, nil
	case t.options.DryRun || !exact || ahead != 0:
		return true, nil // and is no reason to take them for the same without ModifyWindow
	}
	return true, t.journal.Settle(checkpoint.Settled{Key: a.name, Source: a.src.identity(), Dest: a.dst.identity(), At: time.Now()})
}

// same asks for the objects' metadata, and remembers if both sides are the
// same, so that the next run need not ask.
func (t *tree) same(ctx context.Context, a action) (bool, error) {
	switch {
	case a.src.link:
		return t.sameLink(ctx, a)
	case t.isFolder(a.name, a.src.size):
		return t.sameFolder(ctx, a)
	}
	if t.compare == CompareUpdate && t.direction != across {
		if keep, err := t.notNewer(ctx, a); err != nil || !keep {
			return false, err
		}
		if !t.options.RemoveSource {
			return false, errNotNewer
		}
		// It is no reason to remove the source, but the same bytes are.
		if same, err := t.copyStands(ctx, a); err != nil || same {
			return same, err
		}
		return false, errNotNewer
	}
	if t.options.RemoveSource {
		return t.copyStands(ctx, a)
	}
	if t.compare == CompareChecksum {
		return t.sameContent(ctx, a)
	}
	object := t.dst
	if t.direction != up {
		object = t.src
	}
	meta, err := t.metaOf(ctx, object, a.name)
	if meta == nil || err != nil {
		return false, err
	}
	exact := true // with no need of ModifyWindow
	switch t.direction {
	case up:
		if !sameTime(a.src.id, meta, true, t.options.ModifyWindow) {
			return false, nil
		}
		exact = sameTime(a.src.id, meta, true, 0)
		if same, err := t.sameAttributes(a.name, meta.Meta); !same || err != nil {
			return false, err
		}
	case down:
		if !sameTime(a.dst.id, meta, false, t.options.ModifyWindow) {
			return false, nil
		}
		exact = sameTime(a.dst.id, meta, false, 0)
		if same, err := t.sameAttributes(a.name, meta.Meta); !same || err != nil {
			return false, err
		}
	case across:
		other, err := t.metaOf(ctx, t.dst, a.name)
		if other == nil || err != nil {
			return false, err
		}
		if !meta.HasCRC64 || !other.HasCRC64 || meta.CRC64 != other.CRC64 {
			return false, nil
		}
	}
	if t.options.DryRun || !exact {
		return true, nil
	}
	return true, t.journal.Settle(checkpoint.Settled{Key: a.name, Source: a.src.identity(), Dest: a.dst.identity(), At: time.Now()})
}

// metaOf asks for the metadata of the object at name on side l; nil if it is
// gone.
func (t *tree) metaOf(ctx context.Context, l Location, name string) (meta *oss.ObjectMeta, err error) {
	key := l.key(name)
	err = t.do(ctx, "head", key, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = l.Bucket.HeadObject(ctx, key, nil)
		return err
	})
	if errors.Is(err, oss.ErrNotFound) {
		return nil, nil
	}
	return meta, err
}

// sameTime compares the file's time with what the object's metadata says, or,
// where it says nothing, with the time of its upload: a file must be older than
// an object made of it, and a file made of an object has the object's time. Up to
// window they may differ.
func sameTime(file localfs.Identity, meta *oss.ObjectMeta, upload bool, window time.Duration) bool {
	mtime := time.Unix(0, file.ModTime)
	if stored, ok := parseModTime(meta.Meta[MetaModTime]); ok {
		return stored.Sub(mtime).Abs() <= window
	}
	if upload {
		return !mtime.After(meta.LastModified.Add(window))
	}
	return meta.LastModified.Sub(mtime).Abs() <= window
}
