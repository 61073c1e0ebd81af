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
// A key that no file can be is a *KeyError; which these are depends on the
// system. A root that encodes names (EncodeNames) has a file for every key, but
// for those whose names get too long:
//
//	in a key                               as a file's name
//	nothing before or behind a slash       %
//	. and ..                               %2E and %2E%2E
//	the name of a temporary file of ours   %2Eosssync-…
//	what the rules here make of a name     its % as %25
//	Windows: < > : " \ | ? * and controls  %3A for the colon
//	Windows: a dot or space at the end     %2E, %20
//	Windows: the name of a device          %43ON for CON
//	%FF that stands for a byte, see below  the byte FF
//	what that rule makes of a name         its %25 as %
//
// The last two are for files whose names are not UTF-8, as no key is: each byte
// that is not becomes %XX in the key, and the key gives the file that name. All
// other names stay as they are, the % in "100%" and "a%20b" among them. The
// mapping takes no look at the disk, two keys never get one file, and a file
// that was made so is uploaded to the key that it was made of (EncodeKey,
// DecodeKey). Only a file % and keys that begin with a slash, whose folder has
// that name, are in each other's way. Names that a file system takes for one,
// since it folds cases or normalises Unicode, it does not tell apart.
//
// A download takes these steps, each safe to repeat after a crash:
//
//	CreateTemp → WriteAt… → SyncData… → Finish → Publish → SyncDirs
//
// Errors are *fs.PathError (with the full path) or *KeyError; the errors of
// this package and of the system stay visible to errors.Is.
package localfs
