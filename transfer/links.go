package transfer

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// LinkError says why a link cannot be kept as one.
type LinkError struct {
	Name   string // of the link, as it is on its side
	Target string // as it stands there
	Reason string
}

func (e *LinkError) Error() string {
	return "link " + printable(e.Name) + " to " + printable(e.Target) + ": " + e.Reason
}

const leadsOut = "leads out of the tree"

// putLink makes an object a link as the file is one.
func (t *tree) putLink(ctx context.Context, a action, g guard) error {
	to := target{job: t.job, operation: "upload", bucket: t.dst.Bucket, key: t.dst.Path + a.name, name: a.name, guard: g}
	target, err := t.localTarget(a.name)
	if err != nil {
		return err
	}
	if err := to.undisturbed(ctx); err != nil {
		return err
	}
	h := t.options.Headers
	h.ForbidOverwrite = h.ForbidOverwrite || g.strict && to.fresh()
	err = t.do(ctx, "put link", to.key, priorityObject, func(ctx context.Context, _ int) error {
		_, err := t.dst.Bucket.PutSymlink(ctx, to.key, t.dst.Path+target, &oss.PutObjectOptions{ObjectHeaders: h})
		return err
	})
	if err != nil {
		return to.disturbed(err)
	}
	t.done("upload", to.key, "link", 0)
	return nil
}

// makeLink makes a file a link as the object is one.
func (t *tree) makeLink(ctx context.Context, a action, g guard) error {
	target, err := t.remoteTarget(ctx, t.src, a.name)
	if err != nil {
		return err
	}
	temp := t.tempName(a.name)
	text := t.linkText(a.name, target)
	err = t.root.CreateTempLink(a.name, temp, text)
	if errors.Is(err, fs.ErrExist) {
		if err = t.root.RemoveTemp(a.name, temp); err == nil {
			err = t.root.CreateTempLink(a.name, temp, text)
		}
	}
	if err != nil {
		return err
	}
	err = t.publisher.publish(ctx, finished{name: a.name, temp: temp, guard: g, settled: checkpoint.Settled{Key: a.name, Source: a.src.identity()}})
	if err != nil {
		return err
	}
	t.done("download", t.src.Path+a.name, "link", 0)
	return nil
}

// sameLink says whether a link leads to the same name on both sides. One that
// cannot be kept is the same as none.
func (t *tree) sameLink(ctx context.Context, a action) (bool, error) {
	local, err := t.localTarget(a.name)
	if _, bad := errors.AsType[*LinkError](err); err != nil && !bad {
		return false, err
	}
	bucket := t.dst
	if t.direction == down {
		bucket = t.src
	}
	remote, remoteErr := t.remoteTarget(ctx, bucket, a.name)
	if _, bad := errors.AsType[*LinkError](remoteErr); remoteErr != nil && !bad {
		return false, remoteErr
	}
	return err == nil && remoteErr == nil && local == remote, nil
}

// localTarget is the name in the tree that a link of this machine leads to. Only
// the text counts: whether it is there, or is a link itself, is not asked.
func (t *tree) localTarget(name string) (string, error) {
	text, err := t.root.Readlink(name)
	if err != nil {
		return "", err
	}
	bad := func(reason string) (string, error) {
		return "", &LinkError{Name: filePath(t.root, name), Target: text, Reason: reason}
	}
	at := path.Join(path.Dir(t.localName(name)), text)
	switch {
	case path.IsAbs(text) || len(text) > 1 && text[1] == ':':
		return bad("is absolute, and only links within the tree are kept")
	case at == ".." || strings.HasPrefix(at, "../"):
		return bad(leadsOut)
	case text == "" || at == ".":
		return bad("leads to the tree as a whole")
	}
	if t.options.Files.EncodeNames {
		at = localfs.DecodeKey(at)
	}
	if !utf8.ValidString(at) {
		return bad(string(localfs.SkippedName))
	}
	return at, nil
}

// remoteTarget is the name in the tree that a link of a bucket leads to.
func (t *tree) remoteTarget(ctx context.Context, l Location, name string) (target string, err error) {
	key := l.Path + name
	err = t.do(ctx, "get link", key, priorityObject, func(ctx context.Context, _ int) (err error) {
		target, err = l.Bucket.GetSymlink(ctx, key, nil)
		return err
	})
	if err != nil {
		return "", err
	}
	inside, ok := strings.CutPrefix(target, l.Path)
	if !ok {
		return "", &LinkError{Name: key, Target: target, Reason: leadsOut}
	}
	inside = strings.TrimSuffix(inside, "/")
	if err := t.options.Files.checkName(inside, false); err != nil {
		return "", &LinkError{Name: key, Target: target, Reason: err.Error()}
	}
	return inside, nil
}

// localName is the path below the root of the file of a name.
func (t *tree) localName(name string) string {
	if t.options.Files.EncodeNames {
		return localfs.EncodeKey(name)
	}
	return name
}

// linkText is what a link at name says to lead to target. It goes up no further
// than to the tree's own folder.
func (t *tree) linkText(name, target string) string {
	from := strings.Split(t.localName(name), "/")
	to := strings.Split(t.localName(target), "/")
	for len(from) > 1 && len(to) > 1 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	return strings.Repeat("../", len(from)-1) + strings.Join(to, "/")
}
