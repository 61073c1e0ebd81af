package localfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Entry is one name that a walk found.
type Entry struct {
	// Key is the slash-separated name below the root. That of a folder ends in
	// "/" and comes only with an error.
	Key string

	// Identity is the file's own (a link's own), taken when it was yielded.
	Identity Identity

	// Skipped says why the entry is not to be transferred; "" for the regular
	// files that are.
	Skipped Reason
}

// WalkOptions tunes a walk. The zero value is ready to use.
type WalkOptions struct {
	// Exclude lists files and directories to leave out, by path. They are
	// recognised by device and inode, whatever way leads to them. One that does
	// not exist is ignored.
	Exclude []string

	// Enter says whether to look into a folder, whose key ends in "/"; nil
	// means into all.
	Enter func(key string) bool
}

// Walk yields every file below the root in the byte order of its key; a folder
// sorts as if its name ended in "/". Folders and our temporary files are left
// out, links are not followed, mount points are crossed.
//
// A folder or file that cannot be read is yielded with its key and an error, and
// the walk goes on; what vanishes meanwhile is left out. The walk ends early
// when ctx does, or when an excluded path cannot be told, with that error and no
// key. It uses the goroutine of its caller, memory for the names of the folders
// on the way, and one handle for each.
func (r *Root) Walk(ctx context.Context, opts *WalkOptions) iter.Seq2[Entry, error] {
	if opts == nil {
		opts = &WalkOptions{}
	}
	return func(yield func(Entry, error) bool) {
		w := walker{root: r, yield: yield, enter: opts.Enter}
		for _, path := range opts.Exclude {
			id, err := pathID(path)
			if err == nil {
				w.exclude = append(w.exclude, id)
			} else if !errors.Is(err, fs.ErrNotExist) {
				yield(Entry{}, err)
				return
			}
		}
		d, err := r.top.folder()
		if err != nil {
			yield(Entry{}, r.fail("walk", "", err))
			return
		}
		defer d.close()
		w.walk(ctx, d, "")
	}
}

// walker is one run of a walk.
type walker struct {
	root    *Root
	yield   func(Entry, error) bool
	exclude []fileID
	enter   func(key string) bool
	lister  lister
}

// walk yields what is below d, whose key is prefix, and reports whether to go
// on.
func (w *walker) walk(ctx context.Context, d folder, prefix string) bool {
	names, err := w.lister.list(d)
	if err != nil && !w.failed("list", prefix, err) {
		return false
	}
	slices.Sort(names)
	for _, name := range names {
		if ctx.Err() != nil {
			w.yield(Entry{}, context.Cause(ctx))
			return false
		}
		var more bool
		if base, ok := strings.CutSuffix(name, "/"); ok {
			more = w.walkSub(ctx, d, base, prefix+name)
		} else {
			more = w.file(d, name, prefix)
		}
		if !more {
			return false
		}
	}
	return true
}

func (w *walker) walkSub(ctx context.Context, d folder, name, prefix string) bool {
	if w.enter != nil && !w.enter(prefix) {
		return true
	}
	sub, err := d.sub(name)
	if err != nil {
		return w.failed("open", prefix, d.explain(name, err))
	}
	defer sub.close()
	if len(w.exclude) > 0 {
		id, err := d.stat(name)
		if err != nil {
			return w.failed("stat", prefix, err)
		}
		excluded, err := w.excluded(d, name, id)
		if err != nil {
			return w.failed("stat", prefix, err)
		}
		if excluded {
			return true
		}
	}
	return w.walk(ctx, sub, prefix)
}

func (w *walker) file(d folder, name, prefix string) bool {
	if isTempName(name) {
		return true
	}
	e := Entry{Key: prefix + name}
	id, err := d.stat(name)
	if err == nil && id.Mode.IsDir() {
		err = errors.New("became a folder during the walk")
	}
	if err != nil {
		return w.failed("stat", e.Key, err)
	}
	excluded, err := w.excluded(d, name, id)
	if err != nil {
		return w.failed("stat", e.Key, err)
	}
	if excluded {
		return true
	}
	e.Identity = id
	e.Skipped = typeReason(id.Mode)
	if e.Skipped == "" && !utf8.ValidString(e.Key) {
		e.Skipped = SkippedName
	}
	return w.yield(e, nil)
}

func (w *walker) excluded(d folder, name string, id Identity) (bool, error) {
	if len(w.exclude) == 0 {
		return false, nil
	}
	file, err := d.id(name, id)
	return slices.Contains(w.exclude, file), err
}

// failed yields an error for key, unless the file has merely gone.
func (w *walker) failed(op, key string, err error) bool {
	if key != "" && errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return w.yield(Entry{Key: key}, w.root.fail(op, key, err))
}
