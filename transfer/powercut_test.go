package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// disk follows an engine's steps and knows what a power cut would leave: the
// data that was synced, under the names whose folder was synced. Checkpoints
// are as their last transaction left them.
type disk struct {
	dir, state string
	forgetful  bool // takes no notice of a sync: what a lying disk does

	mu            sync.Mutex
	live, durable map[string]*inode // by path
	folders       map[string]bool   // made; true: durable
	checkpoint    map[string][]byte // by path
	cuts          []powerCut
}

type inode struct {
	data    []byte // as last synced
	modTime time.Time
}

// powerCut is what one power cut leaves.
type powerCut struct {
	after string
	files map[string]inode
	state map[string][]byte
}

func newDisk(t *testing.T, dir, state string) *disk {
	t.Helper()
	d := &disk{dir: dir, state: state, live: map[string]*inode{}, folders: map[string]bool{}}
	for name, data := range tree(t, dir) {
		d.live[filepath.Join(dir, name)] = &inode{data: []byte(data)}
	}
	d.durable = maps.Clone(d.live)
	return d
}

// step is the engine's Watch.
func (d *disk) step(s transfer.Step) {
	op, isFile := strings.CutPrefix(s.Op, "file ")
	if !s.Done || !isFile && !strings.HasPrefix(s.Op, "checkpoint ") {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch op {
	case "create":
		d.live[s.Name] = &inode{}
	case "sync", "sync data":
		if !d.forgetful {
			d.syncFile(s.Name)
		}
	case "rename":
		d.live[s.To] = d.live[s.Name]
		delete(d.live, s.Name)
	case "remove":
		delete(d.live, s.Name)
	case "make folder":
		d.folders[s.Name] = false
	case "sync folder":
		if !d.forgetful {
			d.syncFolder(s.Name)
		}
	case "checkpoint create", "checkpoint commit":
		d.checkpoint = map[string][]byte{}
		for path := range d.all(d.state) {
			d.checkpoint[path], _ = os.ReadFile(path)
		}
	}
	d.cut(s.Op+" "+filepath.Base(s.Name)+", old names", d.durable)
	d.cut(s.Op+" "+filepath.Base(s.Name)+", new names", d.live)
}

func (d *disk) all(dir string) map[string]bool {
	paths := map[string]bool{}
	_ = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths[p] = true
		}
		return nil
	})
	return paths
}

func (d *disk) syncFile(path string) {
	file := d.live[path]
	file.data, _ = os.ReadFile(path)
	if info, err := os.Stat(path); err == nil {
		file.modTime = info.ModTime()
	}
}

func (d *disk) syncFolder(dir string) {
	in := func(path string) bool { return filepath.Dir(path) == dir }
	maps.DeleteFunc(d.durable, func(path string, _ *inode) bool { return in(path) })
	for path, file := range d.live {
		if in(path) {
			d.durable[path] = file
		}
	}
	for path := range d.folders {
		if in(path) {
			d.folders[path] = true
		}
	}
}

// cut remembers what would be there now, with the given names. A file is as
// long as it was, with zeros for what was not synced.
func (d *disk) cut(after string, names map[string]*inode) {
	c := powerCut{after: after, files: map[string]inode{}, state: d.checkpoint}
	for path, file := range names {
		lost := false
		for dir, durable := range d.folders {
			lost = lost || !durable && strings.HasPrefix(path, dir+string(filepath.Separator))
		}
		if lost {
			continue
		}
		left := *file
		if info, err := os.Stat(path); err == nil && d.live[path] == file {
			left.data = make([]byte, max(info.Size(), int64(len(file.data))))
			copy(left.data, file.data)
			if left.modTime.IsZero() {
				left.modTime = info.ModTime()
			}
		}
		c.files[path] = left
	}
	d.cuts = append(d.cuts, c)
}

// restore makes the disk what a cut left.
func (d *disk) restore(t *testing.T, c powerCut) {
	t.Helper()
	for _, dir := range []string{d.dir, d.state} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for path, file := range c.files {
		write(t, path, file.data)
		if !file.modTime.IsZero() {
			if err := os.Chtimes(path, time.Time{}, file.modTime); err != nil {
				t.Fatal(err)
			}
		}
	}
	for path, data := range c.state {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// missing is a name that does not have its new content after c.
func (d *disk) missing(c powerCut, want map[string][]byte) string {
	for name, data := range want {
		if !bytes.Equal(c.files[filepath.Join(d.dir, name)].data, data) {
			return name
		}
	}
	return ""
}

// TestPowerCut cuts the power after every step of a download and looks at what
// is left, and at what the next run makes of it. On a disk that lies about
// syncing the same test finds losses: that proves it can.
func TestPowerCut(t *testing.T) {
	objects := map[string][]byte{"large": noise(1, 5*partSize+3), "a/b/small": noise(2, 1000), "a/other": noise(3, 2*partSize)}
	for _, test := range []struct {
		name string
		want map[string][]byte
		run  func(w *world, e *transfer.Engine, dir string) error
	}{
		{"one", map[string][]byte{"large": objects["large"]}, func(w *world, e *transfer.Engine, dir string) error {
			_, err := e.Download(w.t.Context(), w.at("p/large"), filepath.Join(dir, "large"), nil)
			return err
		}},
		{"tree", objects, func(w *world, e *transfer.Engine, dir string) error {
			_, err := e.Sync(w.t.Context(), w.at("p"), transfer.Local(dir), nil)
			return err
		}},
	} {
		for _, forgetful := range []bool{false, true} {
			t.Run(fmt.Sprint(test.name, ", lying disk ", forgetful), func(t *testing.T) {
				w := newWorld(t)
				for name, data := range objects {
					w.put("p/"+name, data)
				}
				dir := filepath.Join(t.TempDir(), "target")
				write(t, filepath.Join(dir, "large"), []byte("old"))
				d := newDisk(t, dir, w.state)
				d.forgetful = forgetful
				one := func(o *transfer.Options) { o.Concurrency, o.Parallel = 1, 1 }
				if err := test.run(w, w.engine(one, func(o *transfer.Options) { o.Watch = d.step }), dir); err != nil {
					t.Fatal(err)
				}
				ended := len(d.cuts)
				d.cut("the end, old names", d.durable)
				d.cut("the end, new names", d.live)
				var found []error
				for i, c := range d.cuts {
					d.restore(t, c)
					if i >= ended && d.missing(c, test.want) != "" {
						found = append(found, fmt.Errorf("after success a power cut takes %s", d.missing(c, test.want)))
					}
					if err := checkCut(t, c, dir, test.want, func() error { return test.run(w, w.engine(one), dir) }); err != nil {
						found = append(found, fmt.Errorf("power cut after %s: %w", c.after, err))
					}
				}
				t.Logf("%d cuts, %d losses", len(d.cuts), len(found))
				if forgetful && len(found) == 0 {
					t.Error("losses of a disk that does not sync are not noticed")
				}
				if err := errors.Join(found...); !forgetful && err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// checkCut looks at what a power cut left, and at what the next run makes of
// it.
func checkCut(t *testing.T, c powerCut, dir string, want map[string][]byte, run func() error) error {
	for path, file := range c.files {
		name, _ := filepath.Rel(dir, path)
		if data, ok := want[filepath.ToSlash(name)]; ok && string(file.data) != "old" && !bytes.Equal(file.data, data) {
			return fmt.Errorf("%s is neither old nor new", name)
		}
	}
	if err := run(); err != nil {
		return err
	}
	left := tree(t, dir)
	for name, data := range want {
		if left[name] != string(data) {
			return fmt.Errorf("then %s differs", name)
		}
		delete(left, name)
	}
	for name := range left {
		return fmt.Errorf("then %s is left", name)
	}
	return nil
}

// TestMoveIsDurable cuts the power before each source goes: its copy is on the
// disk by then, also where somebody else had made it and not synced it. On a
// disk that lies about syncing it is not.
func TestMoveIsDurable(t *testing.T) {
	objects := map[string][]byte{"large": noise(1, 5*partSize+3), "a/b/small": noise(2, 1000), "a/c/small": noise(3, 1000), "same": noise(4, 1000)}
	for _, forgetful := range []bool{false, true} {
		t.Run(fmt.Sprint("lying disk ", forgetful), func(t *testing.T) {
			w := newWorld(t)
			for name, data := range objects {
				w.put("p/"+name, data)
			}
			dir := filepath.Join(t.TempDir(), "target")
			write(t, filepath.Join(dir, "same"), objects["same"])
			d := newDisk(t, dir, w.state)
			d.forgetful, d.durable = forgetful, map[string]*inode{}
			d.live[filepath.Join(dir, "same")].data = nil // in memory only
			var gone, lost int
			watch := func(o *transfer.Options) {
				o.Watch = func(s transfer.Step) {
					d.step(s)
					if s.Op != "remove" || s.Done {
						return
					}
					d.mu.Lock()
					defer d.mu.Unlock()
					d.cut("remove", d.durable)
					name := strings.TrimPrefix(s.Name, "p/")
					gone++
					if d.missing(d.cuts[len(d.cuts)-1], map[string][]byte{name: objects[name]}) != "" {
						lost++
					}
				}
			}
			_, err := w.engine(watch).Sync(t.Context(), w.at("p"), transfer.Local(dir), &transfer.SyncOptions{Compare: transfer.CompareChecksum, RemoveSource: true})
			if err != nil {
				t.Fatal(err)
			}
			if gone != len(objects) || forgetful != (lost > 0) {
				t.Errorf("%d of %d sources gone, %d lost", gone, len(objects), lost)
			}
		})
	}
}
