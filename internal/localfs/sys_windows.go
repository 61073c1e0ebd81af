package localfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

var diskFull = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL}

// topDir is the handle of a root.
type topDir struct{ *os.Root }

func openTop(dir string) (topDir, error) {
	root, err := os.OpenRoot(dir)
	return topDir{root}, err
}

func (t topDir) folder() (folder, error) {
	root, err := t.OpenRoot(".")
	return folder{root}, err
}

// below knows no way to open a folder in one step that follows no link.
func (topDir) below(string) (folder, bool) { return folder{}, false }

// folder is an open directory. Names given to its methods have no slash.
type folder struct{ root *os.Root }

func (d folder) close() { _ = d.root.Close() } // nothing was written through it

// sub opens a folder, and proves that no link was followed: os.Root would
// follow one that stays inside.
func (d folder) sub(name string) (folder, error) {
	before, err := d.root.Lstat(name)
	if err != nil {
		return folder{}, err
	}
	if !before.IsDir() {
		return folder{}, syscall.ENOTDIR
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return folder{}, err
	}
	after, err := root.Stat(".")
	if err == nil && !os.SameFile(before, after) {
		err = errors.New("was replaced while it was being opened")
	}
	if err != nil {
		_ = root.Close()
		return folder{}, err
	}
	return folder{root}, nil
}

// follow is sub for a name that may be a link. path is the folder's own.
func (d folder) follow(_, path string) (folder, error) {
	root, err := os.OpenRoot(path)
	return folder{root}, err
}

// self tells the folder from all others.
func (d folder) self() (fileID, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return fileID{}, err
	}
	defer f.Close()
	return handleID(f)
}

func (d folder) identity() (Identity, error) {
	info, err := d.root.Stat(".")
	if err != nil {
		return Identity{}, err
	}
	return identityOf(info), nil
}

// statTarget is stat of what a link leads to. path is the link's own.
func (d folder) statTarget(_, path string) (Identity, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Identity{}, err
	}
	return identityOf(info), nil
}

// readlink is where a link leads to.
func (d folder) readlink(name string) (string, error) {
	target, err := d.root.Readlink(name)
	return filepath.ToSlash(target), err
}

func (d folder) symlink(target, name string) error {
	return d.root.Symlink(filepath.FromSlash(target), name)
}

// openTarget opens the regular file that a path leads to.
func openTarget(path string) (*os.File, Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Identity{}, err
	}
	info, err := f.Stat()
	if err == nil {
		err = mustBeRegular(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, Identity{}, err
	}
	return f, identityOf(info), nil
}

func (d folder) mkdir(name string) error { return d.root.Mkdir(name, folderMode) }

func (d folder) stat(name string) (Identity, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return Identity{}, err
	}
	return identityOf(info), nil
}

// open opens a regular file, for writing one that has no other name.
func (d folder) open(name, _ string, write bool) (*os.File, Identity, error) {
	before, err := d.root.Lstat(name)
	if err != nil {
		return nil, Identity{}, err
	}
	if err := mustBeRegular(before); err != nil {
		return nil, Identity{}, err
	}
	flags := os.O_RDONLY
	if write {
		flags = os.O_RDWR
	}
	f, err := d.root.OpenFile(name, flags, 0)
	if err != nil {
		return nil, Identity{}, err
	}
	after, err := f.Stat()
	if err == nil {
		err = mustBeRegular(after)
	}
	if err == nil && !os.SameFile(before, after) {
		err = errors.New("was replaced while it was being opened")
	}
	if err == nil && write {
		err = mustHaveOneName(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, Identity{}, err
	}
	return f, identityOf(after), nil
}

func (d folder) create(name, _ string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return f, err
}

func (d folder) rename(from, to string) error { return d.root.Rename(from, to) }

// remove removes a file; os.Root would also remove an empty folder.
func (d folder) remove(name string) error {
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return ErrIsFolder
	}
	return d.root.Remove(name)
}

// link is not for Windows: os.Root has no link from one folder to another.
func (d folder) link(string, folder, string) error { return errors.ErrUnsupported }

// rmdir removes a folder with nothing in it; os.Root would also remove a file.
func (d folder) rmdir(name string) error {
	info, err := d.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("is no folder")
	}
	return d.root.Remove(name)
}

// sync does nothing: Windows has no sync of a directory, and NTFS logs names.
func (d folder) sync() error { return nil }

func syncDir(string) error { return nil }

// fileID is what tells a file from all others on this machine.
type fileID struct{ device, inode uint64 }

// id tells a name in the folder whose identity is known.
func (d folder) id(name string, id Identity) (fileID, error) {
	if !id.Mode.IsRegular() && !id.Mode.IsDir() {
		return fileID{}, nil
	}
	f, err := d.root.Open(name)
	if err != nil {
		return fileID{}, err
	}
	defer f.Close()
	return handleID(f)
}

func pathID(path string) (fileID, error) {
	f, err := os.Open(path)
	if err != nil {
		return fileID{}, err
	}
	defer f.Close()
	return handleID(f)
}

func handleID(f *os.File) (fileID, error) {
	info, err := handleInfo(f)
	return fileID{
		device: uint64(info.VolumeSerialNumber),
		inode:  uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
	}, err
}

func mustHaveOneName(f *os.File) error {
	info, err := handleInfo(f)
	if err == nil && info.NumberOfLinks != 1 {
		err = fmt.Errorf("%w: has %d names", ErrNotRegular, info.NumberOfLinks)
	}
	return err
}

func handleInfo(f *os.File) (info windows.ByHandleFileInformation, err error) {
	err = windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info)
	return info, err
}

func identify(f *os.File) (Identity, error) {
	info, err := f.Stat()
	if err != nil {
		return Identity{}, err
	}
	return identityOf(info), nil
}

// hasHoles knows of no file here that has any: they have to be asked for.
func hasHoles(*os.File) bool { return false }

// identityOf leaves out what a listing does not tell, so that all ways to an
// identity agree.
func identityOf(info fs.FileInfo) Identity {
	return Identity{Size: info.Size(), ModTime: info.ModTime().UnixNano(), Mode: info.Mode()}
}

func mustBeRegular(info fs.FileInfo) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return ErrIsFolder
	}
	return fmt.Errorf("%w: %s", ErrNotRegular, typeReason(info.Mode()))
}

// reserve gives the file its length, which also allocates its clusters.
func reserve(f *os.File, size int64) error {
	if size <= 0 {
		return nil
	}
	return f.Truncate(size)
}

func syncData(f *os.File) error { return f.Sync() }

// startSync does nothing: there is no call for it.
func startSync(*os.File) {}

func setModTime(f *os.File, t time.Time) error {
	mtime := windows.NsecToFiletime(t.UnixNano())
	return windows.SetFileTime(windows.Handle(f.Fd()), nil, nil, &mtime)
}

func umask() fs.FileMode { return 0 }

// lister lists directories.
type lister struct{}

// list returns the names in a folder, those of folders with a slash behind, or
// nothing and false if they are more than most, which is 0 for no bound. After an
// error it returns what it got.
func (lister) list(d folder, most int) (names []string, full bool, err error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, true, err
	}
	defer f.Close()
	var entries []fs.DirEntry
	if most == 0 {
		entries, err = f.ReadDir(-1)
	} else if entries, err = f.ReadDir(most + 1); len(entries) > most {
		return nil, false, nil
	} else if err == io.EOF {
		err = nil
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return names, true, err
}

// exact knows of no file system here that names differ whenever their bytes do.
func exact(folder) bool { return false }
