package transfer

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// What a plan says of links and folders.

// sourceTarget is the name in the tree that a link of the source leads to.
func (t *tree) sourceTarget(ctx context.Context, name string) (string, error) {
	if t.direction == up {
		return t.localTarget(name)
	}
	return t.remoteTarget(ctx, t.src, name)
}

// fileAt is the identity of a file, a link, or a folder, whose name ends in a slash.
func (t *tree) fileAt(name string) (localfs.Identity, error) {
	if strings.HasSuffix(name, "/") {
		return t.root.StatFolder(name)
	}
	return t.root.Stat(name)
}

// stands says whether what is at the destination of an action is its source.
func (t *tree) stands(ctx context.Context, a action) (bool, error) {
	switch {
	case a.src.link:
		return t.sameLink(ctx, a)
	case t.isFolder(a.name, a.src.size):
		if t.direction == down {
			return t.root.HasFolder(a.name), nil
		}
		meta, err := t.metaOf(ctx, t.dst, a.name)
		return meta != nil && (!t.keepsFolders() || t.stores(a, meta)), err
	}
	return t.copyStands(ctx, a)
}

// linkAsPlanned says whether the source is still a link to where the plan has seen
// it lead. The destination is looked at by the write.
func (t *tree) linkAsPlanned(ctx context.Context, a action) error {
	if t.direction == up {
		id, err := t.root.Stat(a.name)
		if err != nil {
			return err
		}
		if id.Mode&fs.ModeSymlink == 0 {
			return &ChangedError{Name: a.name, What: "it is no link any more"}
		}
	}
	target, err := t.sourceTarget(ctx, a.name)
	_, bad := errors.AsType[*LinkError](err)
	refused, isRefused := errors.AsType[*oss.ServerError](err)
	switch {
	case isRefused && refused.Code == "NotSymlink":
		return &ChangedError{Name: a.name, What: "it is no link any more"}
	case err != nil && !bad:
		return err
	case bad, target != a.src.target:
		return &ChangedError{Name: a.name, What: "the link leads elsewhere"}
	}
	return nil
}

// unlessLinked is unlessDone of a link.
func (t *tree) unlessLinked(ctx context.Context, a action, err error) error {
	var target string
	var look error
	if t.direction == up {
		target, look = t.remoteTarget(ctx, t.dst, a.name)
	} else {
		target, look = t.localTarget(a.name)
	}
	if look == nil && target == a.src.target {
		return errBefore
	}
	return err
}

// folderAsPlanned says whether the source still has the folder. The error is
// errBefore if an earlier run has made it at the destination.
func (t *tree) folderAsPlanned(ctx context.Context, a action) error {
	if t.direction == down {
		_, look := t.root.StatFolder(a.name)
		meta, err := t.metaOf(ctx, t.src, a.name)
		switch {
		case err != nil:
			return err
		case errors.Is(look, localfs.ErrIsFile):
			return taken(a.name)
		case meta == nil && look == nil && t.options.RemoveSource:
			return errBefore
		case meta == nil || meta.ETag != a.src.etag:
			return &ChangedError{Name: t.src.Path + a.name, What: "the object was deleted or overwritten"}
		case look == nil && !a.exists:
			return errBefore
		}
		return nil
	}
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return err
	}
	if known && a.src.exactly(settled.Source) && settled.At.After(t.steps.Created) {
		if now, there, err := t.lookAt(ctx, a.name); err != nil || there && now.exactly(settled.Dest) {
			return cmp.Or(err, errBefore)
		}
	}
	id, err := t.root.StatFolder(a.name)
	switch {
	case errors.Is(err, localfs.ErrIsFile):
		return &ChangedError{Name: a.name, What: "it is no folder any more"}
	case err != nil:
		return err
	case t.keepsFolders() && !t.options.RemoveSource && (id.ModTime != a.src.id.ModTime || id.Mode != a.src.id.Mode):
		return &ChangedError{Name: a.name, What: "the folder was changed"}
	}
	return nil
}

// noFile is err, said as what it means to a plan if its source is another kind of
// thing by now.
func (t *tree) noFile(a action, err error) error {
	if t.steps == nil || t.direction != up {
		return err
	}
	for _, kind := range []error{localfs.ErrIsFolder, localfs.ErrNotRegular, localfs.ErrIsFile, localfs.ErrSymlink} {
		if errors.Is(err, kind) {
			return &ChangedError{Name: a.name, What: "it is no file any more"}
		}
	}
	return err
}
