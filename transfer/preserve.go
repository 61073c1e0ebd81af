package transfer

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"strconv"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// The user metadata that keeps a file's permissions and owner, under the names
// and in the form that rclone has for them.
const (
	MetaMode = "mode" // the mode of Unix in octal digits, its type with it: 100644
	MetaUID  = "uid"  // the number of the user, in decimal digits
	MetaGID  = "gid"  // the number of the group
)

// Bits of the mode of Unix.
const (
	modeType    = 0o170000
	modeRegular = 0o100000
	modeFolder  = 0o040000
)

// attributes are those of an open file as metadata. Windows has no owner that a
// number names.
func attributes(file *os.File, mode fs.FileMode) (map[string]string, error) {
	m := map[string]string{MetaMode: strconv.FormatUint(uint64(modeRegular|mode.Perm()), 8)}
	user, group, ok, err := localfs.Owner(file)
	if ok {
		m[MetaUID], m[MetaGID] = strconv.Itoa(user), strconv.Itoa(group)
	}
	return m, err
}

// withAttributes adds attributes to what is stored with an object, which may
// name others.
func withAttributes(h oss.ObjectHeaders, attributes map[string]string) oss.ObjectHeaders {
	meta := maps.Clone(attributes)
	maps.Copy(meta, h.Meta)
	h.Meta = meta
	return h
}

// permissions are what an object's metadata says of a file's; fileMode if that is
// nothing. Whoever may write to a bucket must not give a program here the rights
// of its owner, so that is all: no setuid, setgid or sticky bit. Digits of
// another tool's, which writes them in decimal, are no mode.
func permissions(meta map[string]string) fs.FileMode { return permissionsOf(meta, modeRegular) }

// folderPermissions are those of a folder.
func folderPermissions(meta map[string]string) fs.FileMode { return permissionsOf(meta, modeFolder) }

func permissionsOf(meta map[string]string, want uint64) fs.FileMode {
	mode, err := strconv.ParseUint(meta[MetaMode], 8, 32)
	if kind := mode & modeType; err != nil || mode == 0 || kind != 0 && kind != want {
		return fileMode
	}
	return fs.FileMode(mode).Perm()
}

// owner is what an object's metadata says of a file's owner; ok is false if that
// is nothing.
func owner(meta map[string]string) (user, group int, ok bool) {
	u, userErr := strconv.ParseUint(meta[MetaUID], 10, 31)
	g, groupErr := strconv.ParseUint(meta[MetaGID], 10, 31)
	return int(u), int(g), userErr == nil && groupErr == nil
}

// restore gives the finished temporary file the owner that the metadata names,
// where we may, and returns the permissions it is to have.
func (d *download) restore(temp *localfs.Temp, meta map[string]string) (fs.FileMode, error) {
	if !d.preserve {
		return fileMode, nil
	}
	if user, group, ok := owner(meta); ok && os.Geteuid() == 0 {
		err := temp.Chown(user, group)
		if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
			return 0, err
		}
	}
	return permissions(meta), nil
}

// sameAttributes says whether an object's metadata names the permissions and the
// owner that a file has, as far as it names any.
func (t *tree) sameAttributes(name string, meta map[string]string) (bool, error) {
	if !t.options.Files.Preserve || t.root == nil {
		return true, nil
	}
	if t.direction == down {
		id, err := t.root.Stat(name)
		mode := permissions(meta)
		return mode == fileMode || mode == id.Mode.Perm(), err
	}
	file, id, err := t.root.Open(name)
	if err != nil {
		return false, err
	}
	defer file.Close()
	now, err := attributes(file, id.Mode)
	if err != nil {
		return false, err
	}
	for name, value := range now {
		if meta[name] != value {
			return false, nil
		}
	}
	return true, nil
}
