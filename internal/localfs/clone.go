package localfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// Clone makes the file of key in to a file of the content, time and permissions
// that the file of key has here, in one step: by a hard link where the file
// systems allow it, else by a copy, which ends when ctx does. Folders are made;
// SyncDirs makes the name durable. It is for a file that is about to be replaced or removed here: who
// writes into a file with two names changes both.
func (r *Root) Clone(ctx context.Context, key string, to *Root, toKey string) error {
	temp := CloneTemp(toKey)
	if err := to.RemoveTemp(toKey, temp); err != nil {
		return err
	}
	err := r.link(key, to, toKey, temp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = r.copyTo(ctx, key, to, toKey, temp)
	}
	if err == nil {
		err = to.Publish(toKey, temp)
	}
	// What is left if that failed, or if both were the same file before.
	return errors.Join(err, to.RemoveTemp(toKey, temp))
}

// CloneTemp is the name of the temporary file that Clone makes for toKey.
func CloneTemp(toKey string) string { return TempName("clone\x00" + toKey) }

func (r *Root) link(key string, to *Root, toKey, temp string) error {
	key, err := r.local(key)
	if err != nil {
		return err
	}
	if toKey, err = to.local(toKey); err != nil {
		return err
	}
	dir, name := splitKey(key)
	from, err := r.folder("link", dir, false)
	if err != nil {
		return err
	}
	defer from.close()
	if id, err := from.stat(name); err != nil || !id.Mode.IsRegular() {
		return r.fail("link", key, errors.Join(err, ErrNotRegular))
	}
	toDir, _ := splitKey(toKey)
	into, err := to.folder("link", toDir, true)
	if err != nil {
		return err
	}
	defer into.close()
	return to.watch.step(Step{Op: "create", Path: to.path(joinKey(toDir, temp))}, func() error {
		return from.link(name, into, temp)
	})
}

// cloneStep is how many bytes are copied between two looks at whether to stop.
const cloneStep = 16 << 20

func (r *Root) copyTo(ctx context.Context, key string, to *Root, toKey, temp string) (err error) {
	file, id, err := r.Open(key)
	if err != nil {
		return err
	}
	defer file.Close()
	sparse, reserved := hasHoles(file), id.Size
	if sparse {
		reserved = 0
	}
	out, err := to.CreateTemp(toKey, temp, reserved)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close() // which Finish may have done: it is of no use
		}
	}()
	if sparse {
		if err := out.KeepHoles(id.Size); err != nil {
			return err
		}
	}
	for off, n := int64(0), int64(1); n > 0; off += n {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err = io.CopyN(io.NewOffsetWriter(out, off), file, cloneStep)
		if err != nil && err != io.EOF {
			return err
		}
	}
	return out.Finish(id.Size, time.Unix(0, id.ModTime), id.Mode.Perm())
}
