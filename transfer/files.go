package transfer

import (
	"iter"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
)

// FileOptions say what a tree of files and a tree of keys are for each other.
// With the zero value files are objects, and what else there is on either side
// stays there. Trees in two buckets take none.
type FileOptions struct {
	// EncodeNames gives every key a file's name, where without it one such as
	// a//b or ../a is a failure: package localfs has the table. An upload takes
	// it back, and gives a file whose name is not UTF-8 a key. It is one to one;
	// the names of folders and files that need none stay.
	EncodeNames bool `json:",omitempty"`

	// Links says what becomes of symbolic links.
	Links LinkMode `json:",omitempty"`

	// Folders makes folders, the empty ones too, objects without content whose
	// key ends in "/", compares both, and lets Delete remove what the source
	// has not. Without it an upload makes no such object and leaves those
	// alone that are there; a download always makes folders of them.
	Folders bool `json:",omitempty"`

	// Preserve keeps permissions and owner of files in their objects' metadata
	// (MetaMode, MetaUID, MetaGID), beside the time that is always kept, and
	// gives them back. Of the permissions it gives back no setuid, setgid or
	// sticky bit, and the owner only to root. A file that only had its
	// permissions changed is uploaded; an object that only has other metadata is
	// not downloaded, for no listing tells.
	//
	// With Folders it keeps those and the times of folders, too: a download sets
	// them at the end, when all is there that lies in the folder. Meanwhile it
	// writes in folders that were made read-only as well. The folder that the
	// tree is in has no object, and keeps none.
	Preserve bool `json:",omitempty"`

	// Sparse has a download leave holes in files, where an object has zeros for
	// 64 KiB or more, if the file system can. No space is reserved for
	// such a file before it is fetched, so that a disk that is too small shows
	// only on the way. An upload sends holes as the zeros that they read as,
	// and takes no Sparse.
	Sparse bool `json:",omitempty"`
}

// LinkMode says what becomes of symbolic links.
type LinkMode int

const (
	// LinksSkip leaves links out, with a warning for each.
	LinksSkip LinkMode = iota

	// LinksOmit leaves links out without a warning.
	LinksOmit

	// LinksFollow uploads what a link leads to in the place of the link, also
	// from outside the tree. Folders are gone into; a link to a folder above it
	// is a failure, and so is one that leads nowhere. Of objects that are links
	// it makes what LinksSkip makes.
	LinksFollow

	// LinksKeep makes links of links, in both directions. They must lead to a
	// name in the tree, whether that exists or not, by a relative path; another
	// one is a failure. A download makes no link that leads out of its folder,
	// and goes through none.
	LinksKeep
)

// check refuses what a direction does not have.
func (o SyncOptions) checkFiles(d direction) error {
	f := o.Files
	switch {
	case f == (FileOptions{}):
	case f.Links < LinksSkip || f.Links > LinksKeep:
		return usagef("there is no way %d to take links", f.Links)
	case d == across:
		return usagef("between two buckets there are no files, whose names, links, folders or permissions could be chosen about")
	case f.Links == LinksFollow && d == down:
		return usagef("only links among the files of the source can be followed")
	case f.Sparse && d == up:
		return usagef("objects have no holes: only a download can keep them")
	case o.RemoveSource && f.Links == LinksFollow:
		return usagef("what a link leads to is copied, not moved: keep the links, or leave them out")
	case o.Backup != (Location{}) && f.Links == LinksKeep:
		return usagef("a backup keeps no links")
	}
	return nil
}

// shape adds what shapes the result to the options that name a job.
func (f FileOptions) shape(m map[string]string) {
	for name, set := range map[string]bool{
		"names": f.EncodeNames, "links-followed": f.Links == LinksFollow, "links": f.Links == LinksKeep, "folders": f.Folders, "preserve": f.Preserve,
	} {
		if set {
			m[name] = "1"
		}
	}
}

// prepare makes a root keep to the options.
func (f FileOptions) prepare(root *localfs.Root, source bool) {
	if f.EncodeNames {
		root.EncodeNames()
	}
	if f.Links == LinksFollow && source {
		root.FollowLinks()
	}
}

// checkName refuses the name of no file below a folder. An empty object's may
// end in a slash, and stands for a folder.
func (f FileOptions) checkName(name string, empty bool) error {
	if empty {
		name = strings.TrimSuffix(name, "/")
	}
	if f.EncodeNames {
		return localfs.CheckEncoded(name)
	}
	return localfs.CheckKey(name)
}

// isFolder says whether a name stands for a folder of this machine's.
func (t *tree) isFolder(name string, size int64) bool {
	return t.direction != across && size == 0 && strings.HasSuffix(name, "/")
}

// apart is the source of a download, with a word on every name that a file of it
// bars the way to: of a and a/b only one can be, and it is the first.
func (t *tree) apart(src iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	if t.direction != down {
		return src
	}
	return func(yield func(entry, error) bool) {
		// The files whose name the last one begins with. What sorts between a
		// and a/b begins with a as well, so there are no more than that has
		// bytes.
		var files []string
		percent := false // there is a file %: keys that begin with a slash have a folder of that name
		for e, err := range src {
			for len(files) > 0 && !strings.HasPrefix(e.name, files[len(files)-1]) {
				files = files[:len(files)-1]
			}
			if err == nil && e.skip == "" {
				for _, file := range files {
					if len(e.name) > len(file)+1 && e.name[len(file)] == '/' || e.name == file+"/" {
						e.below = file
						break
					}
				}
				if e.below == "" && percent && e.name[0] == '/' {
					e.below = "%"
				}
				if e.below != "" && t.hasFolder(e.below) {
					e.below = "" // it is the file that cannot be
				}
				switch {
				case e.below != "" || !t.isFile(e):
				case e.name == "%" && t.options.Files.EncodeNames:
					percent = true // what is below %/ lies in a folder %25
				default:
					files = append(files, e.name)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// isFile says whether a download makes a file of the entry. A key that ends in a
// slash has one only if names are encoded.
func (t *tree) isFile(e entry) bool {
	if t.options.Files.EncodeNames {
		return !t.isFolder(e.name, e.size)
	}
	return !strings.HasSuffix(e.name, "/")
}

// hasFolder says whether the destination has a folder where the source has a
// file.
func (t *tree) hasFolder(name string) bool {
	if t.root == nil {
		return false
	}
	id, err := t.root.Stat(name)
	return err == nil && id.Mode.IsDir()
}

// belowError is the failure of a key below one that is a file.
func belowError(e entry) error {
	return &localfs.KeyError{Key: e.name, Reason: "lies below a key that is a file, " + printable(e.below)}
}
