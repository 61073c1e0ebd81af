package localfs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// Entry is one name that a walk found.
type Entry struct {
	// Key is the slash-separated name below the root. That of a folder ends in
	// "/" and comes only with an error, or because of WalkOptions.Folders.
	Key string

	// Identity is the file's own, taken shortly before it was yielded: of a link
	// the link's, unless the root follows links.
	Identity Identity

	// Skipped says why the entry is not to be transferred; "" for the folders
	// and the regular files that are.
	Skipped Reason
}

// DefaultWalkParallel is how many folders, or groups of files, a walk reads at
// once: a disk that has to seek, and a server of files, answers many at the cost of one
// (bench/results/localfs.txt).
const DefaultWalkParallel = 8

// WalkOptions tunes a walk. The zero value is ready to use.
type WalkOptions struct {
	// Exclude lists files and directories to leave out, by path. They are
	// recognised by device and inode, whatever way leads to them. One that does
	// not exist is ignored.
	Exclude []string

	// Enter says whether to look into a folder, whose key ends in "/"; nil
	// means into all. It is called by several goroutines at the same time.
	Enter func(key string) bool

	// Folders has every folder that is entered yielded, too, before what is in
	// it.
	Folders bool

	// After is the key after which the walk begins; it need not exist. Folders
	// that end before it are not read.
	After string

	// Temps is an owner of temporary files (OwnedTempName) whose files are
	// looked for: they are yielded, and no other file is. "" means none.
	Temps string

	// Parallel is how much is read at once. 0 means DefaultWalkParallel; 1
	// reads nothing ahead.
	Parallel int
}

// Walk yields every file below the root in the byte order of its key; a folder
// sorts as if its name ended in "/". Our temporary files are left out, and mount
// points are crossed. Links are not followed, unless FollowLinks says so.
//
// A folder or file that cannot be read is yielded with its key and an error, and
// the walk goes on; what vanishes meanwhile is left out. The walk ends early
// when ctx does, or when an excluded path cannot be told, with that error and no
// key.
//
// It reads ahead of its caller: some thousand files at most, in goroutines that
// have ended when it returns. It takes memory for these, and for the names in
// the folders on the way, and one handle for each folder that it is in or reads
// ahead.
func (r *Root) Walk(ctx context.Context, opts *WalkOptions) iter.Seq2[Entry, error] {
	var o WalkOptions
	if opts != nil {
		o = *opts
	}
	o.Parallel = max(cmp.Or(o.Parallel, DefaultWalkParallel), 1)
	return func(yield func(Entry, error) bool) {
		w := walker{root: r, enter: o.Enter, folders: o.Folders, after: o.After, temps: o.Temps}
		for _, path := range o.Exclude {
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
		top := &openFolder{folder: d}
		if r.follow {
			id, err := d.self()
			if err != nil {
				d.close()
				yield(Entry{}, r.fail("walk", "", err))
				return
			}
			top.way = &way{id: id}
		}
		a := newAhead(&w, o.Parallel, top)
		defer a.stop()
		for {
			if ctx.Err() != nil {
				yield(Entry{}, context.Cause(ctx))
				return
			}
			found := a.next()
			if found == nil {
				return
			}
			for _, f := range found {
				if ctx.Err() != nil {
					yield(Entry{}, context.Cause(ctx))
					return
				}
				if !yield(f.entry, f.err) {
					return
				}
			}
		}
	}
}

// walker reads folders and files for a walk. It does not change.
type walker struct {
	root    *Root
	exclude []fileID
	enter   func(key string) bool
	folders bool
	after   string
	temps   string // the owner of the temporary files that are looked for, and nothing else; "" = none
	slow    func() // before each question to the disk; nil but in tests
}

// ask is the moment before the disk is asked for something.
func (w *walker) ask() {
	if w.slow != nil {
		w.slow()
	}
}

// finding is one thing to yield.
type finding struct {
	entry Entry
	err   error
}

// openFolder is a folder that several steps read in. The last one closes it.
type openFolder struct {
	folder
	users atomic.Int64

	local map[string]string // the names in it that are not those of their keys
	way   *way              // to it, if links are followed
}

// way is a folder and those it lies in.
type way struct {
	id fileID
	up *way
}

func (w *way) has(id fileID) bool {
	for ; w != nil; w = w.up {
		if w.id == id {
			return true
		}
	}
	return false
}

func (o *openFolder) hold() { o.users.Add(1) }

func (o *openFolder) leave() {
	if o.users.Add(-1) == 0 {
		o.close()
	}
}

// localName is the name of what a walk calls name, without the slash of a folder.
func (o *openFolder) localName(name string) string {
	if local, ok := o.local[name]; ok {
		return local
	}
	return strings.TrimSuffix(name, "/")
}

// open opens the folder of that name in d, whose key is key. It is nil if there
// is nothing below it for the walk; found is what is to be said of it.
func (w *walker) open(d *openFolder, name, key string) (sub *openFolder, found []finding) {
	if key < w.after && !strings.HasPrefix(w.after, key) || w.enter != nil && !w.enter(key) {
		return nil, nil
	}
	w.ask()
	f, err := d.sub(name)
	if err != nil && w.root.follow {
		f, err = d.follow(name, w.path(key))
	}
	if err != nil {
		return nil, w.failed("open", key, d.explain(name, err))
	}
	sub = &openFolder{folder: f}
	leftOut := false
	if len(w.exclude) > 0 || w.root.follow {
		id, err := sub.self()
		switch {
		case err != nil:
			found = w.failed("stat", key, err)
			leftOut = true
		case slices.Contains(w.exclude, id):
			leftOut = true
		case d.way.has(id):
			found = w.failed("open", key, ErrLoop)
			leftOut = true
		case w.root.follow:
			sub.way = &way{id, d.way}
		}
	}
	if w.folders && !leftOut && key > w.after {
		id, err := sub.identity()
		if err != nil {
			found = w.failed("stat", key, err)
			leftOut = true
		} else {
			e := Entry{Key: key, Identity: id}
			if !utf8.ValidString(key) {
				e.Skipped = SkippedName
			}
			found = append(found, finding{e, nil})
		}
	}
	if leftOut {
		sub.close()
		return nil, found
	}
	return sub, found
}

// list returns the sorted names in a folder, and after an error those it got.
// With most above 0 a folder of more is not read to its end: full is false then.
func (w *walker) list(l *lister, d *openFolder, key string, most int) (names []string, full bool, found []finding) {
	w.ask()
	names, full, err := l.list(d.folder, most)
	if !full {
		return nil, false, nil
	}
	if err != nil {
		found = w.failed("list", key, err)
	}
	if w.root.follow {
		w.markLinked(d.folder, names, key)
	}
	if w.root.encode {
		d.local = decodeNames(names, key == "")
	}
	slices.Sort(names)
	return names, true, found
}

// decodeNames makes names of files those of keys. It returns those it changed,
// and what they were. top says that files of these names have no folder.
func decodeNames(names []string, top bool) map[string]string {
	var local map[string]string
	for i, name := range names {
		base, isFolder := strings.CutSuffix(name, "/")
		rules := hostNames
		rules.alone = top && !isFolder
		plain := rules.decode(base)
		if plain == base {
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

// file adds what is to be said of the file of that key, which has that name in d.
func (w *walker) file(found []finding, d folder, name, key string) []finding {
	if w.temps != "" && !isOwned(name, w.temps) || w.temps == "" && isTempName(name) || key <= w.after {
		return found
	}
	w.ask()
	id, err := d.stat(name)
	if err == nil && w.root.follow && id.Mode&fs.ModeSymlink != 0 {
		if id, err = d.statTarget(name, w.path(key)); errors.Is(err, fs.ErrNotExist) {
			err = ErrDangling
		}
	}
	if err == nil && id.Mode.IsDir() {
		err = errors.New("became a folder during the walk")
	}
	excluded := false
	if err == nil {
		excluded, err = w.excluded(d, name, id)
	}
	switch {
	case err != nil:
		return append(found, w.failed("stat", key, err)...)
	case excluded:
		return found
	}
	e := Entry{Key: key, Identity: id, Skipped: typeReason(id.Mode)}
	if e.Skipped == "" && !utf8.ValidString(e.Key) {
		e.Skipped = SkippedName
	}
	return append(found, finding{e, nil})
}

func (w *walker) excluded(d folder, name string, id Identity) (bool, error) {
	if len(w.exclude) == 0 {
		return false, nil
	}
	file, err := d.id(name, id)
	return slices.Contains(w.exclude, file), err
}

// failed is an error to yield for key, nothing if the file has merely gone.
func (w *walker) failed(op, key string, err error) []finding {
	if key != "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return []finding{{Entry{Key: key}, &fs.PathError{Op: op, Path: w.path(key), Err: bare(err)}}}
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
