package transfer

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/osssync/osssync/transfer/filter"
)

// A Filter decides which names belong to a job. Package transfer/filter makes it.
type Filter = filter.Set

const reasonFiltered = "filtered"

// errUnlisted is the failure of a name that was asked for and is not there.
var errUnlisted = errors.New("is not at the source")

// chosen is the source without what the filter leaves out by name; what it
// leaves out by size, time or class comes with a reason to skip it, and names
// on the filter's list that are not there with an error.
func (t *tree) chosen(src iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	set := t.options.Filter
	if set == nil {
		return src
	}
	return func(yield func(entry, error) bool) {
		roll := set.Roll()
		roll.Pass(t.options.after) // what comes before was there
		missing := func(names []string) bool {
			for _, name := range names {
				if !yield(entry{name: name}, &fs.PathError{Op: "find", Path: name, Err: errUnlisted}) {
					return false
				}
			}
			return true
		}
		for e, err := range src {
			switch {
			case err != nil && e.name == "":
				yield(e, err)
				return
			case err != nil && strings.HasSuffix(e.name, "/"): // a folder: what is below it may be in
			case !set.MatchName(e.name).In:
				continue
			case err == nil && e.skip == "" && !set.Match(e.name, e.info()).In:
				e.skip = reasonFiltered
			}
			if !missing(roll.Pass(e.name)) || !yield(e, err) {
				return
			}
		}
		missing(roll.End())
	}
}

// spared says whether the filter protects a name that only the destination has
// from being deleted.
func (t *tree) spared(e entry) bool {
	return !t.options.DeleteExcluded && !t.options.Filter.Match(e.name, e.info()).In
}

// excluded says whether a name is none of the job's, whatever is at the source.
func (t *tree) excluded(name string) bool { return !t.options.Filter.MatchName(name).In }

// outside says whether a name of the source is that of a file or folder which
// does not belong to the tree: see SyncOptions.Exclude.
func (t *tree) outside(name string) bool {
	return slices.ContainsFunc(t.apartNames, func(apart string) bool {
		return name == apart || strings.HasPrefix(name, apart+"/")
	})
}

// namesOf are the names below root of those paths that lie there.
func namesOf(root string, paths []string) []string {
	real := func(path string) string {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		return path
	}
	var names []string
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(real(root), real(abs)); err == nil && filepath.IsLocal(rel) {
			names = append(names, filepath.ToSlash(rel))
		}
	}
	return names
}

func (e entry) info() filter.Info {
	return filter.Info{Size: e.size, ModTime: e.modTime, StorageClass: e.class}
}
