package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

// nameFlags say what files and keys are for each other.
type nameFlags struct {
	encodeNames bool
	follow      bool
	skipLinks   bool
	keepLinks   bool
	dirs        bool
	preserve    bool
	sparse      bool
}

const nameHelp = `Names, links, folders:
A key that no file can be, such as a//b or ../a (on Windows also CON or a:b), is a
failure of that object, and so is a key below another one that is a file (a, a/b), or
one that the file system takes for another (A, a); all others are transferred.
--encode-names gives such names a file: % and two digits for what cannot be, as in
%2E%2E/a, and % alone for a name that is empty. An upload with it gives them back.
Names of files that are not UTF-8 are failures; with --encode-names the bytes of theirs
that are not become %XX in the key. A file that cannot be read is a failure, too, and --delete then deletes nothing. Symbolic links, sockets, devices and FIFOs are left
out and counted as skipped, with a warning; for links see the flags. Between buckets objects that are links are left
out of a tree, and of a single one the content is copied. Hard links are files. Holes of files are sent as zeros, and --sparse makes holes of zeros again. Folders are no objects, unless with --dirs. Objects keep the times of files, and
with --preserve their permissions and owner (metadata mode, uid, gid). With --dirs
--preserve folders keep all three, but for SRC itself: they are set when all is there that
lies in them, and files arrive in read-only folders, too.
`

func (f *nameFlags) registerNames(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.encodeNames, "encode-names", false, "write keys that no file can be as names with %XX, and take them back")
	flags.BoolVar(&f.follow, "follow-symlinks", false, "take what symbolic links lead to in the place of the links (without a flag they are left out, with a warning)")
}

func (f *nameFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.registerNames(cmd)
	flags.BoolVar(&f.skipLinks, "skip-links", false, "leave symbolic links out without a warning")
	flags.BoolVar(&f.keepLinks, "links", false, "keep symbolic links as links of OSS, and make links of those; only such as stay in the tree")
	flags.BoolVar(&f.dirs, "dirs", false, "keep folders, empty ones too, as objects whose key ends in /; --delete removes them")
	flags.BoolVar(&f.preserve, "preserve", false, "keep permissions and owner in metadata and give them back: no setuid, setgid or sticky bit, the owner only as root")
	flags.BoolVar(&f.sparse, "sparse", false, "to files: leave holes where an object has zeros for 64 KiB or more; no disk space is reserved before")
}

// forTrees are the names of the given flags that are for trees.
func (f *nameFlags) forTrees() []string {
	var given []string
	for name, set := range map[string]bool{"encode-names": f.encodeNames, "follow-symlinks": f.follow, "skip-links": f.skipLinks, "links": f.keepLinks, "dirs": f.dirs} {
		if set {
			given = append(given, "--"+name)
		}
	}
	slices.Sort(given)
	return given
}

// check refuses what has no meaning together, or between src and dst.
func (f *nameFlags) check(src, dst place) error {
	var links []string
	for name, set := range map[string]bool{"--follow-symlinks": f.follow, "--links": f.keepLinks, "--skip-links": f.skipLinks} {
		if set {
			links = append(links, name)
		}
	}
	slices.Sort(links)
	given := f.forTrees()
	if f.preserve {
		given = append(given, "--preserve")
	}
	switch {
	case len(links) > 1:
		return &usageError{message: strings.Join(links, " and ") + " exclude each other"}
	case len(given) > 0 && src.remote() && dst.remote():
		return &usageError{message: given[0] + " is for files, and both sides are in buckets"}
	case f.sparse && (dst.remote() || dst.stdio):
		return &usageError{message: "--sparse is for downloads into files: objects and streams have no holes", hint: "holes of files are sent as the zeros that they are"}
	case f.preserve && (src.stdio || dst.stdio):
		return &usageError{message: "--preserve is for files, and a stream has no permissions"}
	}
	return nil
}

// options are those of the engine.
func (f *nameFlags) options() transfer.FileOptions {
	o := transfer.FileOptions{EncodeNames: f.encodeNames, Folders: f.dirs, Preserve: f.preserve, Sparse: f.sparse}
	switch {
	case f.follow:
		o.Links = transfer.LinksFollow
	case f.skipLinks:
		o.Links = transfer.LinksOmit
	case f.keepLinks:
		o.Links = transfer.LinksKeep
	}
	return o
}
