package transfer

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// entry is one name on one side, as a walk or a listing shows it.
type entry struct {
	name    string // relative to the side, with slashes
	size    int64  // bytes
	modTime time.Time
	skip    string           // why it is not transferred
	id      localfs.Identity // a file's
	etag    string           // an object's
	class   string           // an object's
	link    bool             // a symbolic link that is to be kept as one
	target  string           // the name in the tree that it leads to, in a plan
	below   string           // the file of its side that bars the way to it
}

// typeLink is the type of an object that is a symbolic link.
const typeLink = "Symlink"

// identity is what the checkpoint keeps of the entry.
func (e entry) identity() checkpoint.Identity {
	if e.etag == "" {
		return sourceIdentity(e.id)
	}
	return checkpoint.Identity{Size: e.size, ETag: e.etag, ModTime: e.modTime.UnixNano()}
}

// holds says whether the entry is a folder of this machine that name lies in: to
// hold it is why it is there.
func (e entry) holds(name string) bool {
	return e.etag == "" && strings.HasSuffix(e.name, "/") && strings.HasPrefix(name, e.name)
}

// is says whether the entry is what the checkpoint has seen.
func (e entry) is(seen checkpoint.Identity) bool {
	if e.etag == "" {
		return e.size == seen.Size && e.id.ModTime == seen.ModTime
	}
	return e.size == seen.Size && e.etag == seen.ETag
}

// action is what a plan says of one name.
type action struct {
	name     string
	src, dst entry // as they were seen; dst if exists
	exists   bool  // the destination has the name
	looked   bool  // the destination was looked at, and exists is all there is
	ask      bool  // only the objects' metadata can tell whether both are the same
	extra    bool  // only the destination has it: there is dst and no src
	same     bool  // both sides turned out to be the same, and the source is to be removed
	unproven bool  // its copy could only be checked by its length
	err      error // the source could not be read here
	underway *underway
	turn     turn // of a dry run, which tells its actions in their order
}

// plan merges the two sides, each in key order. Names that only the destination
// has come between the others. dst may be nil: then nothing exists there.
//
// An error with a name is that name's: of the source it becomes the action's,
// and what cannot be looked at at the destination counts as not there, for the
// transfer will say what is wrong with it. One without a name ends the plan.
func plan(src, dst iter.Seq2[entry, error]) iter.Seq2[action, error] {
	return func(yield func(action, error) bool) {
		there := newPuller(dst)
		defer there.stop()
		for e, err := range src {
			if err != nil && e.name == "" {
				yield(action{}, err)
				return
			}
			for there.valid && there.value.name < e.name && (there.err == nil || there.value.name != "") {
				if there.err == nil && !there.value.holds(e.name) && !yield(action{name: there.value.name, dst: there.value, exists: true, extra: true}, nil) {
					return
				}
				there.advance()
			}
			a := action{name: e.name, src: e, err: err}
			found, failed := there.at(e.name)
			if failed != nil {
				yield(action{}, failed)
				return
			}
			a.looked = dst != nil
			if found {
				a.dst = there.value
				a.exists = there.err == nil && (a.dst.skip == "" || a.dst.etag != "")
				a.looked = there.err == nil && a.dst.skip == ""
			}
			if found {
				there.advance()
			}
			if !yield(a, nil) {
				return
			}
		}
		for ; there.valid; there.advance() {
			if there.err != nil {
				if there.value.name == "" {
					yield(action{}, there.err)
					return
				}
				continue
			}
			if !yield(action{name: there.value.name, dst: there.value, exists: true, extra: true}, nil) {
				return
			}
		}
	}
}

// puller walks one sorted stream in step with another.
type puller struct {
	next  func() (entry, error, bool)
	stop  func()
	value entry
	valid bool
	err   error
}

func newPuller(seq iter.Seq2[entry, error]) *puller {
	if seq == nil {
		return &puller{stop: func() {}}
	}
	p := &puller{}
	p.next, p.stop = iter.Pull2(seq)
	p.advance()
	return p
}

func (p *puller) advance() { p.value, p.err, p.valid = p.next() }

// at says whether the entry it stands at has that name, after those with lower
// names were passed.
func (p *puller) at(name string) (bool, error) {
	if p.valid && p.err != nil && p.value.name == "" {
		return false, p.err
	}
	return p.valid && p.value.name == name, nil
}

// walk is a folder as a side. Folders without a name that set lets in are left
// out.
func (t *tree) walk(ctx context.Context, root *localfs.Root, set *Filter) iter.Seq2[entry, error] {
	exclude := t.notOfTree(t.options.Exclude)
	return func(yield func(entry, error) bool) {
		after, _ := t.bounds(set)
		for f, err := range root.Walk(ctx, &localfs.WalkOptions{Exclude: exclude, Enter: set.Dir, After: after, Folders: t.options.Files.Folders}) {
			if err == nil && f.Skipped == localfs.SkippedName {
				err = &localfs.KeyError{Key: f.Key, Reason: string(f.Skipped)}
			}
			e := entry{name: f.Key, size: f.Identity.Size, modTime: time.Unix(0, f.Identity.ModTime), skip: string(f.Skipped), id: f.Identity}
			switch {
			case e.skip == reasonSymlink && t.options.Files.Links == LinksKeep:
				e.skip, e.link, e.size = "", true, 0
			case f.Identity.Mode.IsDir():
				e.size = 0 // what a file system says of a folder's is its own affair
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// notOfTree adds what no tree of the engine's has to what is excluded.
func (e *Engine) notOfTree(exclude []string) []string {
	if e.opts.StateDir == "" {
		return exclude
	}
	return append([]string{e.opts.StateDir}, exclude...)
}

// list is what lies below a key as a side, as far as set lets it in. d may be
// nil: then nobody is to go on with the listing.
func (t *tree) list(ctx context.Context, l Location, set *Filter, d *division) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		after, end := t.bounds(set)
		for _, prefix := range set.Prefixes() {
			within, some := narrowed(l.Path, prefix, after, end)
			if !some {
				continue
			}
			within.Enter = func(folder string) bool { return set.Dir(strings.TrimPrefix(folder, l.Path)) }
			for o, err := range t.listing(ctx, l.Bucket, d.within(within)) {
				e := entry{name: strings.TrimPrefix(o.Key, l.Path), size: o.Size, modTime: o.LastModified, etag: o.ETag, class: o.StorageClass}
				if err == nil && e.name == "" {
					continue // the placeholder of the folder itself
				}
				if o.Type == typeLink {
					e.skip = reasonSymlink
				}
				if e.skip != "" && t.options.Files.Links == LinksKeep {
					e.skip, e.link, e.size = "", true, 0
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// listing yields the objects below a prefix, as far as within says, in key
// order. Pages are fetched ahead of what is consumed.
func (j *job) listing(ctx context.Context, bucket *oss.Bucket, within lister.Options) iter.Seq2[oss.ObjectSummary, error] {
	return j.listPages(ctx, bucket, within, func(ctx context.Context, page func(ctx context.Context, _ int) error) error {
		return j.do(ctx, "list", within.Prefix, priorityList, page)
	})
}
