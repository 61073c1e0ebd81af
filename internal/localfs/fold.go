package localfs

import (
	"crypto/rand"
	"runtime"
	"strings"
)

// Folds says whether the file system below the root takes names for one that
// are not: those that differ in the case of letters, which it is asked for with
// a file of its own that is gone when this returns, or, as Apple's do in any
// case, in the normal form of Unicode.
func (r *Root) Folds() (bool, error) {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return true, nil
	}
	d, err := r.top.folder()
	if err != nil {
		return false, r.fail("open", "", err)
	}
	defer d.close()
	name := TempName(rand.Text())
	f, err := d.create(name, r.path(name))
	if err != nil {
		return false, r.fail("create", name, err)
	}
	_, err = d.stat(strings.ToUpper(name))
	folds := err == nil
	_ = f.Close() // nothing was written
	if err := d.remove(name); err != nil {
		return false, r.fail("remove", name, err)
	}
	return folds, nil
}
