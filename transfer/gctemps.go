package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
)

// temp removes the temporary file of an object that is in flight.
func (g *collector) temp(ctx context.Context, c call, found Garbage, journal *checkpoint.Checkpoint, o checkpoint.Object) bool {
	forget := func() error { return journal.Forget(ctx, o.Key) }
	root, single, err := c.folder()
	name := cmp.Or(single, o.Key)
	found.Kind = "temporary file"
	switch {
	case errors.Is(err, fs.ErrNotExist) && g.named:
		return g.opts.DryRun || forget() == nil
	case err != nil:
		found.Name = printable(filepath.Join(c.Destination.Path, o.TempName))
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; if that folder is gone for good, remove the job", err)
		}
		return g.told(found, err)
	}
	defer root.Close()
	if _, err := root.StatTemp(name, o.TempName); errors.Is(err, fs.ErrNotExist) {
		return g.opts.DryRun || forget() == nil
	}
	found.Name = tempPath(root, name, o.TempName)
	g.seen[found.Name] = true
	return g.remove(found, func() error { return errors.Join(root.RemoveTemp(name, o.TempName), forget()) })
}

// temps removes the temporary files of a download that are in no record: those
// of small objects.
func (g *collector) temps(ctx context.Context, of checkpoint.Job) bool {
	var c call
	if json.Unmarshal([]byte(of.Spec), &c) != nil || c.Destination.Bucket != "" || !slices.Contains([]string{"download", "sync", "apply"}, c.Method) {
		return true
	}
	owner := (&job{Engine: g.Engine, id: of.ID}).owner()
	found := Garbage{Kind: "temporary file", Name: printable(c.Destination.Path), JobID: of.ID, Since: of.Updated}
	root, single, err := c.folder()
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return g.told(found, err)
	}
	defer root.Close()
	if single != "" {
		name := localfs.OwnedTempName(owner, single)
		if found.Name = tempPath(root, single, name); g.seen[found.Name] {
			return true
		}
		if _, err := root.StatTemp(single, name); errors.Is(err, fs.ErrNotExist) {
			return true
		}
		return g.remove(found, func() error { return root.RemoveTemp(single, name) })
	}
	all := true
	err = eachTemp(ctx, root, owner, func(key string) error {
		dir, name := key[:strings.LastIndexByte(key, '/')+1], key[strings.LastIndexByte(key, '/')+1:]
		if found.Name = tempPath(root, dir+"x", name); !g.seen[found.Name] {
			all = g.remove(found, func() error { return root.RemoveFound(key) }) && all
		}
		return nil
	})
	if err != nil {
		found.Name = printable(c.Destination.Path)
		return g.told(found, err)
	}
	return all
}

// folder opens where a download writes to; name is that of its file, "" for a
// tree.
func (c call) folder() (root *localfs.Root, name string, err error) {
	dir := c.Destination.Path
	if c.Method == "download" {
		dir, name = localfs.SplitRoot(dir)
	}
	if root, err = localfs.OpenRoot(dir); err == nil {
		c.Files.prepare(root, false)
	}
	return root, name, err
}

// tempPath names the temporary file of a key.
func tempPath(root *localfs.Root, key, temp string) string {
	return printable(filepath.Join(filepath.Dir(root.Path(key)), temp))
}

// eachTemp calls fn with the key of each temporary file of that owner. Folders
// that may not be read are passed over.
func eachTemp(ctx context.Context, root *localfs.Root, owner string, fn func(key string) error) error {
	for f, err := range root.Walk(ctx, &localfs.WalkOptions{Temps: owner}) {
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err == nil {
			err = fn(f.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
