// Package localfs is the local side of a transfer: it walks a directory tree
// in key order, opens sources, identifies files, and brings downloads to their
// final names without ever showing partial content.
//
// A Root is one directory tree, and a key is the slash-separated name of a
// file below it. Nothing outside the tree is opened, created, renamed or
// removed, whatever the keys say and whatever links somebody plants while a
// job runs: every component of a key is opened relative to its parent's
// handle, and no link is followed, not even one that stays inside. os.Root
// gives the first half of that but follows inner links. So on Unix the package
// goes down by openat with O_NOFOLLOW itself: two system calls a component,
// where os.Root and the checks it would need take four and twice the time. On
// Windows it checks each os.Root that it opens on the way.
//
// A download takes these steps, each safe to repeat after a crash:
//
//	CreateTemp → WriteAt… → SyncData… → Finish → Publish → SyncDirs
//
// Errors are *fs.PathError (with the full path) or *KeyError; the errors of
// this package and of the system stay visible to errors.Is.
package localfs
