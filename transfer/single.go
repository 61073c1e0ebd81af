package transfer

import (
	"context"
	"io/fs"
	"iter"
	"path/filepath"
	"time"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// Plans of one file or object: a tree of one name, which may be another one on
// each side.

// key is that of a name below the side.
func (l Location) key(name string) string {
	if l.only != "" {
		return l.only
	}
	return l.Path + name
}

// whole is the side as Upload, Download and Copy take it.
func (l Location) whole() string {
	switch {
	case l.only == "":
		return l.Path
	case l.Bucket == nil:
		return filepath.Join(l.Path, l.only)
	}
	return l.only
}

// single makes the sides of a tree those of one name.
func (t *tree) single(src, dst Location) error {
	o := t.options
	if o.Delete || o.Backup != (Location{}) || o.Filter != nil || o.ExistingOnly || o.Compare != CompareNone || o.Files.EncodeNames || o.Files.Folders || o.Files.Links != LinksSkip {
		return usagef("one object is copied or moved as it is: what chooses, compares and deletes is for trees")
	}
	t.src, t.dst = src, dst
	for _, l := range []*Location{&t.src, &t.dst} {
		switch {
		case l.only != "": // a plan has it
		case l.Bucket == nil && t.direction == up:
			open := openNamed
			if o.RemoveSource {
				open = openMoved
			}
			root, name, _, err := open(l.Path)
			if err != nil {
				return err
			}
			l.Path, l.only = root.Dir(), name
			if err := root.Close(); err != nil {
				return err
			}
		case l.Bucket == nil:
			abs, err := filepath.Abs(l.Path)
			if err != nil {
				return usagef("%v", err)
			}
			l.Path, l.only = localfs.SplitRoot(abs)
		case l.Path == "":
			return usagef("%s is a bucket, not an object", l)
		default:
			l.Path, l.only = "", l.Path
		}
		if l.Bucket == nil {
			if err := localfs.CheckKey(l.only); err != nil {
				return usagef("%v", err)
			}
		}
	}
	if t.direction == across && sameService(src.Bucket, dst.Bucket) && src.Bucket.Name() == dst.Bucket.Name() && t.src.only == t.dst.only {
		return usagef("the object would be copied onto itself")
	}
	return nil
}

// one is the name that a tree of one has for it.
func (t *tree) one() string {
	if t.direction == up {
		return t.src.only
	}
	return t.dst.only
}

// singles are the sides of a tree of one.
func (t *tree) singles(ctx context.Context) (src, dst iter.Seq2[entry, error]) {
	src = func(yield func(entry, error) bool) { yield(t.sourceOne(ctx)) }
	dst = func(yield func(entry, error) bool) {
		if t.root == nil && t.direction == down {
			return // there is no folder yet
		}
		e, there, err := t.lookAt(ctx, t.one())
		if err == nil && e.id.Mode.IsDir() {
			err = &fs.PathError{Op: "replace", Path: t.dst.whole(), Err: localfs.ErrIsFolder}
		}
		if err != nil {
			yield(entry{}, err)
		} else if there {
			yield(e, nil)
		}
	}
	return src, dst
}

// sourceOne looks at the source of a tree of one.
func (t *tree) sourceOne(ctx context.Context) (entry, error) {
	if t.direction == up {
		id, err := t.root.Stat(t.one())
		if err == nil && !id.Mode.IsRegular() {
			err = &fs.PathError{Op: "open", Path: t.src.whole(), Err: localfs.ErrNotRegular}
		}
		if err != nil {
			return entry{}, err
		}
		return entry{name: t.one(), size: id.Size, modTime: time.Unix(0, id.ModTime), id: id}, nil
	}
	var meta *oss.ObjectMeta
	err := t.do(ctx, "head", t.src.only, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = t.src.Bucket.HeadObject(ctx, t.src.only, nil)
		return err
	})
	if err != nil {
		return entry{}, err
	}
	return entry{name: t.one(), size: meta.Size, modTime: meta.LastModified, etag: meta.ETag, class: meta.StorageClass}, nil
}

// key is that of a name below the side.
func (w where) key(name string) string { return Location{Path: w.Path, only: w.Only}.key(name) }

// localName is the file of a plan of one; "" if both sides are in buckets.
func (c call) localName() string {
	switch {
	case c.Source.Bucket == "":
		return c.Source.Only
	case c.Destination.Bucket == "":
		return c.Destination.Only
	}
	return ""
}
