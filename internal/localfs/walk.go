package localfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Entry is one name that a walk found.
type Entry struct {
	// Key is the slash-separated name below the root. That of a folder ends in
	// "/" and comes only with an error, or because of WalkOptions.Folders.
	Key string

	// Identity is the file's own, taken when it was yielded: of a link the
	// link's, unless the root follows links.
	Identity Identity

	// Skipped says why the entry is not to be transferred; "" for the folders
	// and the regular files that are.
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

	// Folders has every folder that is entered yielded, too, before what is in
	// it.
	Folders bool
}

// Walk yields every file below the root in the byte order of its key; a folder
// sorts as if its name ended in "/". Our temporary files are left out, and mount
// points are crossed. Links are not followed, unless FollowLinks says so.
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
		w := walker{root: r, yield: yield, enter: opts.Enter, folders: opts.Folders}
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
		if r.follow {
			id, err := d.self()
			if err != nil {
				yield(Entry{}, r.fail("walk", "", err))
				return
			}
			w.above = append(w.above, id)
		}
		w.walk(ctx, d, "")
	}
}

// walker is one run of a walk.
type walker struct {
	root    *Root
	yield   func(Entry, error) bool
	exclude []fileID
	enter   func(key string) bool
	folders bool
	lister  lister
	above   []fileID // the folders on the way, if links are followed
}

// walk yields what is below d, whose key is prefix, and reports whether to go
// on.
func (w *walker) walk(ctx context.Context, d folder, prefix string) bool {
	names, err := w.lister.list(d)
	if err != nil && !w.failed("list", prefix, err) {
		return false
	}
	if w.root.follow {
		w.markLinked(d, names, prefix)
	}
	var local map[string]string // the names that are not those of their keys
	if w.root.encode {
		local = decodeNames(names)
	}
	slices.Sort(names)
	for _, name := range names {
		if ctx.Err() != nil {
			w.yield(Entry{}, context.Cause(ctx))
			return false
		}
		base, isFolder := strings.CutSuffix(name, "/")
		if l, ok := local[name]; ok {
			base = l
		}
		var more bool
		if isFolder {
			more = w.walkSub(ctx, d, base, prefix+name)
		} else {
			more = w.file(d, base, prefix+name)
		}
		if !more {
			return false
		}
	}
	return true
}

// decodeNames makes names of files those of keys. It returns those it changed,
// and what they were.
func decodeNames(names []string) map[string]string {
	var local map[string]string
	for i, name := range names {
		base, isFolder := strings.CutSuffix(name, "/")
		plain, ok := hostNames.decoded(base)
		if !ok {
			continue
		}
		if isFolder {
			plain += "/"
		}
		if local == nil {
			local = map[string]string{}
		}
		names[i], local[plain] = plain, base
	}
	return local
}

// markLinked gives the names of links to folders the slash that those of folders
// have.
func (w *walker) markLinked(d folder, names []string, prefix string) {
	for i, name := range names {
		if strings.HasSuffix(name, "/") {
			continue
		}
		if id, err := d.stat(name); err != nil || id.Mode&fs.ModeSymlink == 0 {
			continue
		}
		if id, err := d.statTarget(name, filepath.Join(w.path(prefix), name)); err == nil && id.Mode.IsDir() {
			names[i] += "/"
		}
	}
}

// walkSub goes into the folder of that key, which has that name in d.
func (w *walker) walkSub(ctx context.Context, d folder, name, key string) bool {
	if w.enter != nil && !w.enter(key) {
		return true
	}
	sub, err := d.sub(name)
	if err != nil && w.root.follow {
		sub, err = d.follow(name, w.path(key))
	}
	if err != nil {
		return w.failed("open", key, d.explain(name, err))
	}
	defer sub.close()
	if len(w.exclude) > 0 || w.root.follow {
		id, err := sub.self()
		switch {
		case err != nil:
			return w.failed("stat", key, err)
		case slices.Contains(w.exclude, id):
			return true
		case slices.Contains(w.above, id):
			return w.failed("open", key, ErrLoop)
		case w.root.follow:
			w.above = append(w.above, id)
			defer func() { w.above = w.above[:len(w.above)-1] }()
		}
	}
	if w.folders {
		id, err := sub.identity()
		if err != nil {
			return w.failed("stat", key, err)
		}
		e := Entry{Key: key, Identity: id}
		if !utf8.ValidString(key) {
			e.Skipped = SkippedName
		}
		if !w.yield(e, nil) {
			return false
		}
	}
	return w.walk(ctx, sub, key)
}

// file yields the file of that key, which has that name in d.
func (w *walker) file(d folder, name, key string) bool {
	if isTempName(name) {
		return true
	}
	e := Entry{Key: key}
	id, err := d.stat(name)
	if err == nil && w.root.follow && id.Mode&fs.ModeSymlink != 0 {
		if id, err = d.statTarget(name, w.path(key)); errors.Is(err, fs.ErrNotExist) {
			err = ErrDangling
		}
	}
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
	return w.yield(Entry{Key: key}, &fs.PathError{Op: op, Path: w.path(key), Err: bare(err)})
}

// path is the full path of the file of key.
func (w *walker) path(key string) string {
	if w.root.encode {
		key = strings.TrimSuffix(key, "/")
		if key != "" {
			key = EncodeKey(key)
		}
	}
	return w.root.path(key)
}
