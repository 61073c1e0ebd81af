package transfer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// wantedOther is wanted for what is no file on one side: ok says that it is so.
func (t *tree) wantedOther(a action) (reason string, ask, ok bool, err error) {
	switch {
	case t.isFolder(a.name, a.src.size):
		reason, ask, err = t.wantedFolder(a)
		return reason, ask, true, err
	case !a.src.link && !a.dst.link:
		return "", false, false, nil
	case a.exists && t.compare == CompareExisting:
		return reasonExists, false, true, nil
	}
	return "", a.exists && a.src.link && a.dst.link, true, nil
}

// keepsFolders says whether folders have attributes that are compared and kept.
func (t *tree) keepsFolders() bool { return t.options.Files.Folders && t.options.Files.Preserve }

// wantedFolder is wanted for a folder.
func (t *tree) wantedFolder(a action) (reason string, ask bool, err error) {
	if !a.exists && !t.madeFolder(a.name) {
		return "", false, nil
	}
	if !t.keepsFolders() || t.compare == CompareSize || t.compare == CompareExisting {
		return reasonSame, false, nil
	}
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return "", false, err
	}
	same := known && a.exists && a.src.exactly(settled.Source) && a.dst.exactly(settled.Dest) && !a.src.rewritten(settled.Source)
	same = same || known && t.movedFrom(a, settled)
	switch {
	case same && t.compare == CompareNone:
		return reasonBefore, false, nil
	case same:
		return reasonSame, false, nil
	}
	return "", t.compare != CompareNone, nil
}

// movedFrom says that it is the earlier run of a move which has changed a folder
// here, by what it removed from it, and that its object is what that made of it.
func (t *tree) movedFrom(a action, settled checkpoint.Settled) bool {
	return t.options.RemoveSource && t.direction == up && t.report.Resumed && a.exists && a.dst.exactly(settled.Dest)
}

// madeFolder says whether a download has nothing to do for an object that stands
// for a folder: it is there, which no walk without Folders tells. A move looks
// after it itself.
func (t *tree) madeFolder(name string) bool {
	return t.direction == down && !t.options.RemoveSource && t.root != nil && t.root.HasFolder(name)
}

// sameFolder says whether a folder has on both sides what is kept of it, and
// remembers it if so.
func (t *tree) sameFolder(ctx context.Context, a action) (bool, error) {
	if !t.keepsFolders() {
		return a.exists || t.direction == down && t.root.HasFolder(a.name), nil
	}
	if !a.exists {
		return false, nil
	}
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return false, err
	}
	if known && t.movedFrom(a, settled) {
		return true, nil
	}
	object, file := t.dst, a.src.id
	if t.direction == down {
		object, file = t.src, a.dst.id
	}
	meta, err := t.metaOf(ctx, object, a.name)
	if meta == nil || err != nil {
		return false, err
	}
	if t.compare == CompareUpdate {
		ahead := a.src.modTime.Sub(a.dst.modTime)
		if stored, ok := parseModTime(meta.Meta[MetaModTime]); ok && t.direction == up {
			ahead = a.src.modTime.Sub(stored)
		} else if ok {
			ahead = stored.Sub(a.dst.modTime)
		}
		if ahead < -t.options.ModifyWindow {
			return false, errNotNewer
		}
	}
	same, err := t.sameFolderAttributes(a.name, file, meta)
	if !same || err != nil || t.options.DryRun {
		return same, err
	}
	return true, t.journal.Settle(checkpoint.Settled{Key: a.name, Source: a.src.identity(), Dest: a.dst.identity(), At: time.Now()})
}

// sameFolderAttributes compares a folder with what the metadata of its object
// says, as far as that says anything; an upload misses what it does not say.
func (t *tree) sameFolderAttributes(name string, file localfs.Identity, meta *oss.ObjectMeta) (bool, error) {
	stored, hasTime := parseModTime(meta.Meta[MetaModTime])
	if hasTime && stored.Sub(time.Unix(0, file.ModTime)).Abs() > t.options.ModifyWindow {
		return false, nil
	}
	if t.direction == down {
		mode := folderPermissions(meta.Meta)
		if user, group, ok := owner(meta.Meta); ok && os.Geteuid() == 0 {
			u, g, has, err := t.root.FolderOwner(name)
			if err != nil || has && (u != user || g != group) {
				return false, err
			}
		}
		return mode == fileMode || mode == file.Mode.Perm(), nil
	}
	now, err := t.folderAttributes(name, file)
	if err != nil || !hasTime {
		return false, err
	}
	for name, value := range now {
		if meta.Meta[name] != value {
			return false, nil
		}
	}
	return true, nil
}

// folderAttributes are those of a folder as metadata.
func (t *tree) folderAttributes(name string, id localfs.Identity) (map[string]string, error) {
	m := map[string]string{MetaMode: strconv.FormatUint(uint64(modeFolder|id.Mode.Perm()), 8)}
	user, group, ok, err := t.root.FolderOwner(name)
	if ok {
		m[MetaUID], m[MetaGID] = strconv.Itoa(user), strconv.Itoa(group)
	}
	return m, err
}

// putFolder makes the object that stands for a folder. What it says of the folder
// is what the walk has seen: a move has changed the time of one that files were
// moved from.
func (t *tree) putFolder(ctx context.Context, a action, g guard) error {
	to := target{job: t.job, operation: "upload", bucket: t.dst.Bucket, key: t.dst.Path + a.name, name: a.name, guard: g}
	if err := to.undisturbed(ctx); err != nil {
		return err
	}
	err := g.keep(ctx, a.name, func() (checkpoint.Identity, error) {
		return checkpoint.Identity{HasCRC64: true}, nil // nothing's CRC-64 is 0
	})
	if err != nil {
		return err
	}
	h := t.options.Headers
	if t.options.Files.Preserve {
		attributes, err := t.folderAttributes(a.name, a.src.id)
		if err != nil {
			return err
		}
		h = withAttributes(h, attributes)
	}
	h.Meta = maps.Clone(h.Meta)
	if h.Meta == nil {
		h.Meta = map[string]string{}
	}
	if _, set := h.Meta[MetaModTime]; !set {
		h.Meta[MetaModTime] = formatModTime(a.src.id.ModTime)
	}
	h.ForbidOverwrite = h.ForbidOverwrite || g.strict && to.fresh()
	var etag string
	err = t.do(ctx, "put", to.key, priorityObject, func(ctx context.Context, _ int) error {
		result, err := t.dst.Bucket.PutObject(ctx, to.key, bytes.NewReader(nil), &oss.PutObjectOptions{ObjectHeaders: h})
		if err == nil {
			etag = result.ETag
		}
		return err
	})
	if err != nil {
		return to.disturbed(err)
	}
	err = t.journal.Settle(checkpoint.Settled{Key: a.name, Source: a.src.identity(), Dest: checkpoint.Identity{ETag: etag}, At: time.Now()})
	if err != nil {
		return err
	}
	t.done("upload", to.key, "folder", 0)
	return nil
}

// folderLast is a folder that something is to be done about when all else is
// done: a download sets its attributes, a move removes it.
type folderLast struct {
	Name    string
	ETag    string    `json:",omitempty"`
	Written time.Time `json:",omitzero"`  // the object
	Same    bool      `json:",omitempty"` // it was, and is counted as such
}

// setsFolders says whether this run gives folders their attributes.
func (t *tree) setsFolders() bool {
	return t.direction == down && t.keepsFolders() && !t.options.DryRun
}

// setLast leaves a folder to finishFolders. reason is why nothing is to be done
// about it, as it was seen: what happens in it will change it.
func (t *tree) setLast(a action, reason string) error {
	operation, key, _ := t.describe(a)
	same := reason != "" && !t.options.RemoveSource
	t.seen(!same, 0)
	if same {
		t.skip(operation, key, reason, 0)
	}
	return t.folderNames.add(folderLast{Name: a.name, ETag: a.src.etag, Written: a.src.modTime, Same: same})
}

// foldersAtOnce is how many folders are asked for before any of them is set.
const foldersAtOnce = 1000

// finishFolders does what was left to the end about folders, the deepest first.
func (t *tree) finishFolders(ctx context.Context) error {
	if t.folderNames == nil {
		return nil
	}
	if t.direction == up {
		return t.removeMoved()
	}
	err := t.folderNames.backwards(foldersAtOnce, func(batch []folderLast) error {
		metas := make([]*oss.ObjectMeta, len(batch))
		failed := make([]error, len(batch))
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(t.objects)
		for i, f := range batch {
			g.Go(func() error {
				metas[i], failed[i] = t.folderMeta(gctx, f)
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for i, f := range batch {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			set := false
			if failed[i] == nil {
				set, failed[i] = t.setFolder(f, metas[i])
			}
			if err := t.forgive(f.Name, t.folderSet(ctx, f, set, failed[i])); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// folderMeta asks for the object of a folder; nil if the folder is as an earlier
// run has left it, and the object, too.
func (t *tree) folderMeta(ctx context.Context, f folderLast) (*oss.ObjectMeta, error) {
	settled, known, err := t.journal.Settled(f.Name)
	if err != nil {
		return nil, err
	}
	src := entry{name: f.Name, etag: f.ETag, modTime: f.Written}
	if id, err := t.root.StatFolder(f.Name); f.Same && err == nil && known &&
		(entry{id: id}).exactly(settled.Dest) && src.exactly(settled.Source) && !src.rewritten(settled.Source) {
		return nil, nil
	}
	meta, err := t.metaOf(ctx, t.src, f.Name)
	switch {
	case err != nil:
		return nil, err
	case meta == nil && t.steps != nil && t.options.RemoveSource && t.root.HasFolder(f.Name):
		return nil, errBefore
	case meta == nil:
		return nil, &ChangedError{Name: t.src.Path + f.Name, What: "the object was deleted"}
	case meta.ETag != f.ETag || t.steps != nil && src.rewritten(checkpoint.Identity{ModTime: meta.LastModified.UnixNano()}):
		return nil, &ChangedError{Name: t.src.Path + f.Name, What: "the object was overwritten"}
	}
	return meta, nil
}

// setFolder makes a folder and gives it what the metadata says, unless it has that;
// nil leaves it as it is.
func (t *tree) setFolder(f folderLast, meta *oss.ObjectMeta) (set bool, err error) {
	if meta == nil {
		return false, nil
	}
	id, err := t.root.StatFolder(f.Name)
	if t.steps != nil && errors.Is(err, localfs.ErrIsFile) {
		return false, taken(f.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		set = true
		if err = t.root.MkdirAll(f.Name); err == nil {
			id, err = t.root.StatFolder(f.Name)
		}
	}
	if err != nil {
		return false, err
	}
	same, err := t.sameFolderAttributes(f.Name, id, meta)
	if err != nil {
		return false, err
	}
	if set = set || !same; set || t.options.RemoveSource {
		a := localfs.Attributes{Mode: folderPermissions(meta.Meta), Sync: t.options.RemoveSource}
		a.ModTime, _ = parseModTime(meta.Meta[MetaModTime])
		if os.Geteuid() == 0 {
			a.User, a.Group, a.Owned = owner(meta.Meta)
		}
		if err := t.root.SetFolder(f.Name, a); err != nil {
			return false, err
		}
		if id, err = t.root.StatFolder(f.Name); err != nil {
			return false, err
		}
	}
	return set, t.journal.Settle(checkpoint.Settled{
		Key: f.Name, At: time.Now(), Dest: sourceIdentity(id),
		Source: checkpoint.Identity{ETag: meta.ETag, ModTime: meta.LastModified.UnixNano()},
	})
}

// folderSet counts a folder that setFolder is done with, and takes away the object
// of one that is moved. It returns only errors that end the job.
func (t *tree) folderSet(ctx context.Context, f folderLast, set bool, err error) error {
	a := action{name: f.Name, src: entry{name: f.Name, etag: f.ETag, modTime: f.Written}}
	operation, key, _ := t.describe(a)
	switch {
	case err == nil && f.Same:
		return nil
	case err == nil && (set || t.compare == CompareNone):
		t.done(operation, key, "folder", 0)
		return t.takeAway(ctx, a)
	case err == nil:
		t.skip(operation, key, reasonSame, 0)
		return t.takeAway(ctx, a)
	case errors.Is(err, errBefore):
		t.skip(operation, key, reasonBefore, 0)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fatal(err):
		return wrapObject(operation, key, err)
	}
	t.fail(key, operation, err)
	return nil
}

// markers are the folders under way of an upload that moves them with their times.
// No file of theirs is removed before, which would change those.
type markers struct {
	mu    sync.Mutex
	under map[string]chan struct{} // by name; closed when it has ended
}

// begin is called in the order of names: of a folder before what is in it.
func (m *markers) begin(t *tree, a action) {
	if !t.options.RemoveSource || t.direction != up || t.options.DryRun || !t.keepsFolders() || !t.isFolder(a.name, a.src.size) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.under == nil {
		m.under = map[string]chan struct{}{}
	}
	m.under[a.name] = make(chan struct{})
}

func (m *markers) end(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if done, ok := m.under[name]; ok {
		close(done)
		delete(m.under, name)
	}
}

// wait returns when the folder that a name lies in has ended. The record of a
// folder itself is durable then: the next run would find it changed.
func (m *markers) wait(ctx context.Context, t *tree, a action) error {
	m.mu.Lock()
	_, self := m.under[a.name]
	done := m.under[parent(strings.TrimSuffix(a.name, "/"))+"/"]
	m.mu.Unlock()
	if self {
		return t.journal.Flush(ctx)
	}
	if done == nil {
		return nil
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return context.Cause(ctx) // what has ended may have been cut short
}

// removeMoved removes the folders of a move whose objects are there. One that
// something is left in stays.
func (t *tree) removeMoved() error {
	for again := true; again; { // once for each level that was not met in its order
		again = false
		err := t.folderNames.backwards(foldersAtOnce, func(batch []folderLast) error {
			for _, f := range batch {
				if len(t.root.RemoveEmpty([]string{f.Name})) == 0 {
					continue
				}
				again = true
				if err := t.removed(filePath(t.root, strings.TrimSuffix(f.Name, "/")), nil); err != nil {
					return err
				}
				t.removeEmptied(strings.TrimSuffix(f.Name, "/"))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
