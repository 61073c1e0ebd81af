package transfer

import (
	"time"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// Compare says which objects of a tree are transferred.
type Compare int

const (
	// CompareModTime transfers what differs in size or modification time, or
	// is not there. It costs no request per object for what this machine has
	// synchronised before, and a HEAD for the rest.
	CompareModTime Compare = iota

	// CompareSize transfers what differs in size or is not there.
	CompareSize

	// CompareNone transfers everything.
	CompareNone

	// CompareUpdate transfers what is newer at the source or is not there.
	CompareUpdate

	// CompareExisting transfers only what is not there.
	CompareExisting
)

// Reasons to leave an object alone.
const (
	reasonSame    = "unchanged"
	reasonBefore  = "done before" // by an interrupted run of this job
	reasonNewer   = "not newer than the destination"
	reasonExists  = "exists"
	reasonSymlink = "symlink"
)

// wanted decides without a request whether a file must be uploaded. ask means
// that only the object's metadata can tell.
func (t *tree) wanted(a action) (reason string, ask bool, err error) {
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return "", false, err
	}
	var sourceSame, destSame bool
	if t.upload {
		sourceSame = known && settled.Source.Size == a.file.Identity.Size && settled.Source.ModTime == a.file.Identity.ModTime
		destSame = a.exists && settled.Dest.ETag == a.object.ETag
	} else {
		sourceSame = known && settled.Source.Size == a.object.Size && settled.Source.ETag == a.object.ETag
		destSame = a.exists && settled.Dest.Size == a.file.Identity.Size && settled.Dest.ModTime == a.file.Identity.ModTime
	}
	switch t.compare {
	case CompareNone:
		// The record is this job's own, of a run that did not end.
		if sourceSame && destSame {
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
		// An object's time has whole seconds: compared finer, a file would
		// be newer than the object just made of it.
		source, dest := a.sourceTime(t.upload).Truncate(time.Second), a.destTime(t.upload).Truncate(time.Second)
		if !source.After(dest) {
			return reasonNewer, false, nil
		}
		return "", false, nil
	}
	switch {
	case a.file.Identity.Size != a.object.Size:
		return "", false, nil
	case t.compare == CompareSize:
		return reasonSame, false, nil
	case sourceSame && destSame:
		return reasonSame, false, nil
	case known: // one side was changed since this machine made them the same
		return "", false, nil
	default:
		return "", true, nil
	}
}

func (a action) sourceTime(upload bool) time.Time {
	if upload {
		return time.Unix(0, a.file.Identity.ModTime)
	}
	return a.object.LastModified
}

func (a action) destTime(upload bool) time.Time { return a.sourceTime(!upload) }

// sameTime compares the file's time with what the object's metadata says, or,
// where it says nothing, with the time of its upload: a file must be older than
// an object made of it, and a file made of an object has the object's time.
func sameTime(file localfs.Identity, meta *oss.ObjectMeta, upload bool) bool {
	if t, ok := parseModTime(meta.Meta[MetaModTime]); ok {
		return t.UnixNano() == file.ModTime
	}
	mtime := time.Unix(0, file.ModTime)
	if upload {
		return !mtime.After(meta.LastModified)
	}
	return mtime.Equal(meta.LastModified)
}
