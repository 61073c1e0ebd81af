package localfs

import (
	"errors"
	"io/fs"
	"runtime"
	"strings"
)

// Folds says whether the file system below the root takes names for one that
// are not: those that differ in the case of letters or, as Apple's do, in the
// normal form of Unicode. Where the kind of file system does not tell, it is
// asked with a file that is gone when this returns; what a killed process leaves
// of it the next question removes.
func (r *Root) Folds() (bool, error) {
	switch runtime.GOOS {
	case "darwin", "ios", "windows":
		return true, nil
	}
	d, err := r.top.folder()
	if err != nil {
		return false, r.fail("open", "", err)
	}
	defer d.close()
	if exact(d) {
		return false, nil
	}
	name := TempName("folds")
	for {
		f, err := d.create(name, r.path(name))
		switch {
		case err == nil:
			_ = f.Close() // nothing was written
		case !errors.Is(err, fs.ErrExist):
			return false, r.fail("create", name, err)
		}
		_, upper := d.stat(strings.ToUpper(name))
		_, err = d.stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process had made it, and has removed it
		}
		if err := d.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, r.fail("remove", name, err)
		}
		return upper == nil, nil
	}
}
