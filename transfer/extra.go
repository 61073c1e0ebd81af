package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/internal/localfs"
	"golang.org/x/sync/errgroup"
)

// DeleteLimit bounds how many objects a Sync may delete. The zero value allows
// 1,000, or a quarter of what is at the destination where that is more.
type DeleteLimit struct {
	// Objects bounds their number, 0 not at all.
	Objects int64

	// Percent bounds their share of what is at the destination, 0 not at all.
	Percent float64

	// None allows any number.
	None bool
}

// The limit of the zero DeleteLimit.
const (
	DefaultDeleteObjects = 1000
	DefaultDeletePercent = 25
)

// exceeded says whether n of there objects are too many, and what the limit is.
func (l DeleteLimit) exceeded(n, there int64) (limit string, exceeded bool) {
	share := func(percent float64) bool { return float64(n)*100 > percent*float64(there) }
	switch {
	case l.None:
		return "", false
	case l.Objects == 0 && l.Percent == 0:
		return fmt.Sprintf("%d, or %d %%", DefaultDeleteObjects, DefaultDeletePercent), n > DefaultDeleteObjects && share(DefaultDeletePercent)
	case l.Objects > 0 && n > l.Objects:
		return fmt.Sprintf("%d", l.Objects), true
	case l.Percent > 0 && share(l.Percent):
		return fmt.Sprintf("%g %%", l.Percent), true
	}
	return "", false
}

// extras are the names that only the destination has, in key order. They wait
// in a file without a name, so that any number costs no memory.
type extras struct {
	file  *os.File
	out   *bufio.Writer
	count int64
	there int64 // all names at the destination

	folders []extra // of this machine, with FileOptions.Folders
}

// extra is an entry as the file keeps it.
type extra struct {
	Name    string
	Size    int64
	ModTime int64            `json:",omitempty"` // ns since 1970
	ETag    string           `json:",omitempty"`
	Class   string           `json:",omitempty"`
	ID      localfs.Identity `json:",omitzero"`
}

func newExtras(dir string) (*extras, error) {
	file, err := createNameless(dir, "osssync-deletes-")
	if err != nil {
		return nil, err
	}
	return &extras{file: file, out: bufio.NewWriter(file)}, nil
}

func (x *extras) add(e entry) error {
	x.count++
	line, err := json.Marshal(extra{e.name, e.size, e.modTime.UnixNano(), e.etag, e.class, e.id})
	if err == nil {
		_, err = x.out.Write(append(line, '\n'))
	}
	return err
}

// batches reads back what was added, so many at a time.
func (x *extras) batches(size int, each func([]extra) error) error {
	if err := x.out.Flush(); err != nil {
		return err
	}
	if _, err := x.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := json.NewDecoder(bufio.NewReader(x.file))
	for {
		batch := make([]extra, 0, size)
		var err error
		for len(batch) < size && err == nil {
			var e extra
			if err = in.Decode(&e); err == nil {
				batch = append(batch, e)
			}
		}
		if err != nil && err != io.EOF {
			return err
		}
		if len(batch) > 0 {
			if each := each(batch); each != nil {
				return each
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (x *extras) close() error { return closeNameless(x.file) }

// deleteExtras removes what only the destination has, if all that makes it safe
// holds: the source was read whole and is not empty, everything was transferred,
// and it is not suspiciously much. Each name is looked for at the source once
// more before it goes.
func (t *tree) deleteExtras(ctx context.Context) error {
	x := t.extras
	if x.count == 0 {
		return nil
	}
	if failed := t.failed(); t.steps != nil && failed > 0 && !t.options.IgnoreErrors {
		t.warn(fmt.Sprintf("%d deletions of the plan are not done, since %d objects failed", x.count, failed))
		return nil // which the failures say
	}
	limit, exceeded := t.options.MaxDelete.exceeded(x.count, x.there)
	switch {
	case t.unread > 0:
		return unsafe(UnsafeUnread, "%d names of the source could not be read", t.unread)
	case t.content == 0 && !t.options.AllowEmptySource:
		return unsafe(UnsafeEmpty, "the source is empty, and the destination has %d", x.there)
	case t.failed() > 0 && !t.options.IgnoreErrors:
		return unsafe(UnsafeFailed, "%d of %d objects failed", t.failed(), t.meter.objectsTotal.Load())
	case exceeded:
		return unsafe(UnsafeTooMany, "%d of the %d at the destination are not at the source, more than the limit of %s", x.count, x.there, limit)
	}
	t.meter.setPhase(PhaseDeleting)
	err := x.batches(deleteBatch, func(batch []extra) error {
		batch, err := t.confirmGone(ctx, batch)
		if err != nil {
			return err
		}
		for _, e := range batch {
			t.seen(false, 0)
			if t.options.DryRun {
				if err := t.planDelete(e); err != nil {
					return err
				}
			}
		}
		switch {
		case t.options.DryRun || len(batch) == 0:
			return nil
		case t.direction == down:
			return t.removeFiles(ctx, batch)
		default:
			return t.removeObjects(ctx, batch)
		}
	})
	if err != nil || len(x.folders) == 0 {
		return err
	}
	return t.removeFolders(ctx, x.folders)
}

// confirmGone asks the source for each name: a listing that ended early and said
// it was complete must not cost an object. Of a plan, what is there by now fails
// and is left out.
func (t *tree) confirmGone(ctx context.Context, batch []extra) ([]extra, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.objects)
	back := make([]bool, len(batch))
	t.mu.Lock()
	before := t.report.Objects.Deleted
	t.mu.Unlock()
	for i, e := range batch {
		if t.excluded(e.Name) || t.outside(e.Name) {
			continue // DeleteExcluded means it
		}
		g.Go(func() error {
			there := false
			if t.direction == up {
				if there, back[i] = t.hasFile(e.Name, e.Size); back[i] {
					t.seen(false, 0)
					t.skip("delete", t.extraKey(e), "below a link of the source", 0)
					return nil
				}
			} else {
				meta, err := t.metaOf(ctx, t.src, e.Name)
				if err != nil {
					return err
				}
				there = meta != nil
			}
			if there && t.steps != nil {
				back[i] = true
				t.seen(false, 0)
				t.fail(t.extraKey(e), "delete", &StaleError{Key: e.Name, What: "the source has it by now"})
				return nil
			}
			if there {
				return &UnsafeError{
					Cause: UnsafeListing, Reason: printable(e.Name) + " is at the source, though its listing has not shown it",
					Deleted: before,
				}
			}
			return nil
		})
	}
	err := g.Wait()
	left := make([]extra, 0, len(batch))
	for i, e := range batch {
		if !back[i] {
			left = append(left, e)
		}
	}
	return left, err
}

// extraKey is what reports call e: its key, or the name of a file.
func (t *tree) extraKey(e extra) string {
	if t.direction == down {
		return e.Name
	}
	return t.dst.Path + e.Name
}

// hasFile says whether a name of that size is at the source, a folder for one
// that stands for it, or lies below a link, which nobody has looked behind. What
// is not known counts as there.
func (t *tree) hasFile(name string, size int64) (there, behind bool) {
	folder := t.isFolder(name, size)
	if folder {
		name = strings.TrimSuffix(name, "/")
	}
	id, err := t.root.Stat(name)
	if _, none := errors.AsType[*localfs.KeyError](err); none || errors.Is(err, fs.ErrNotExist) || errors.Is(err, localfs.ErrIsFile) {
		return false, false
	}
	if errors.Is(err, localfs.ErrSymlink) {
		return false, true
	}
	return err != nil || id.Mode.IsDir() == folder, false
}

// removeFolders removes what only the destination has and is empty by now. What
// has been put there since stays, and the folder with it.
func (t *tree) removeFolders(ctx context.Context, folders []extra) error {
	names := make([]string, len(folders))
	var removed []string
	for i, e := range slices.Backward(folders) { // what is in a folder comes after it
		names[i] = strings.TrimSuffix(e.Name, "/")
		if empty, err := t.root.IsEmpty(names[i]); err == nil && !empty {
			continue
		}
		if err := t.backup.keepFolder(ctx, e); err != nil {
			return err
		}
		for _, name := range t.root.RemoveEmpty(names[i : i+1]) {
			removed = append(removed, name)
			t.deleted(name + "/")
		}
	}
	if err := t.root.SyncDirs(removed...); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	gone := make(map[string]bool, len(removed))
	for _, name := range removed {
		gone[name] = true
	}
	for _, name := range names {
		if !gone[name] {
			t.skip("delete", name+"/", reasonNotEmpty, 0)
		}
	}
	return nil
}

// parent is the folder of a name, "" for the tree's own.
func parent(name string) string {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)]
}

// removeFiles removes files that are still as they were seen, and then the
// folders that are empty without them.
func (t *tree) removeFiles(ctx context.Context, batch []extra) error {
	folders := map[string]bool{}
	removed := make([]string, 0, len(batch))
	for _, e := range batch {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if t.isFolder(e.Name, e.Size) {
			t.extras.folders = append(t.extras.folders, e) // when all is gone that is in them
			continue
		}
		if _, err := t.root.Stat(e.Name); errors.Is(err, fs.ErrNotExist) {
			t.skip("delete", e.Name, t.goneReason(), 0)
			continue
		}
		g := guard{known: true, exists: true, id: e.ID, before: e.identity(), backup: t.backup}
		err := g.keepFile(ctx, t.root, e.Name, func() (checkpoint.Identity, error) { return checkpoint.Identity{}, nil })
		if err == nil { // to keep it may have taken long
			err = g.undisturbedFile(t.root, e.Name)
		}
		if err == nil {
			if err = t.root.Remove(e.Name); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			if fatal(err) {
				return wrapObject("delete", e.Name, err)
			}
			t.fail(e.Name, "delete", err)
			continue
		}
		removed = append(removed, e.Name)
		for dir := parent(e.Name); dir != "" && !t.options.Files.Folders; dir = parent(dir) {
			folders[dir] = true
		}
		t.deleted(e.Name)
	}
	if err := t.root.SyncDirs(removed...); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	t.root.RemoveEmpty(slices.Collect(maps.Keys(folders)))
	return nil
}

// removeObjects removes objects that are still as they were listed. They are
// listed again for it: OSS has no condition for deleting.
func (t *tree) removeObjects(ctx context.Context, batch []extra) error {
	now, err := t.listedNow(ctx, batch)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(batch))
	var keep []extra
	for _, e := range batch {
		switch key := t.dst.Path + e.Name; now[key] {
		case "":
			t.skip("delete", key, t.goneReason(), 0)
		case e.ETag:
			keep, keys = append(keep, e), append(keys, key)
		default:
			t.fail(key, "delete", taken(key))
		}
	}
	if keys, err = t.keepAll(ctx, keep, keys); err != nil {
		return err
	}
	if t.backup != nil {
		if keys, err = t.sinceKept(ctx, keep, keys); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		return nil
	}
	err = t.do(ctx, "delete", fmt.Sprintf("%d objects", len(keys)), priorityObject, func(ctx context.Context, _ int) error {
		_, err := t.dst.Bucket.BatchDeleteObjects(ctx, keys, nil)
		return err
	})
	switch {
	case err == nil:
	case ctx.Err() != nil || fatal(err):
		return err
	default:
		for _, key := range keys {
			t.fail(key, "delete", err)
		}
		return nil
	}
	for _, key := range keys {
		t.deleted(key)
	}
	return nil
}

// keepAll has the backup keep objects before they are deleted, and returns the
// keys without those that it could not.
func (t *tree) keepAll(ctx context.Context, keep []extra, keys []string) ([]string, error) {
	if t.backup == nil {
		return keys, nil
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(t.objects)
	var mu sync.Mutex
	failed := map[string]bool{}
	for _, e := range keep {
		g.Go(func() error {
			key := t.dst.Path + e.Name
			err := t.backup.keep(gctx, e.Name, true, e.identity(), checkpoint.Identity{})
			switch {
			case err == nil:
				return nil
			case gctx.Err() != nil || fatal(err):
				return err
			}
			t.fail(key, "delete", err)
			mu.Lock()
			defer mu.Unlock()
			failed[key] = true
			return nil
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(keys, func(key string) bool { return failed[key] }), err
}

// sinceKept returns the keys without those that somebody has written to since
// they were kept, which may have taken long: what is there now nobody has kept.
func (t *tree) sinceKept(ctx context.Context, kept []extra, keys []string) ([]string, error) {
	if len(keys) == 0 {
		return keys, nil
	}
	now, err := t.listedNow(ctx, kept)
	if err != nil {
		return nil, err
	}
	for _, e := range kept {
		key := t.dst.Path + e.Name
		if now[key] != "" && now[key] != e.ETag && slices.Contains(keys, key) {
			t.fail(key, "delete", taken(key))
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == key })
		}
	}
	return keys, nil
}

// identity is what the checkpoint keeps of the entry.
func (e extra) identity() checkpoint.Identity {
	if e.ETag == "" {
		return sourceIdentity(e.ID)
	}
	return checkpoint.Identity{Size: e.Size, ETag: e.ETag, ModTime: e.ModTime}
}

// entry is what e was made of.
func (e extra) entry() entry {
	return entry{name: e.Name, size: e.Size, modTime: time.Unix(0, e.ModTime), etag: e.ETag, class: e.Class, id: e.ID}
}

// goneReason is why a name is not deleted that is not there any more.
func (t *tree) goneReason() string {
	if t.steps != nil {
		return reasonBefore // by an interrupted run of this plan
	}
	return reasonNotThere
}

// listedNow is the ETag of each object of a batch, "" for those that are gone.
// What the listing does not show is asked for: it may have ended early.
func (t *tree) listedNow(ctx context.Context, batch []extra) (map[string]string, error) {
	found := make(map[string]string, len(batch))
	for _, e := range batch {
		found[t.dst.Path+e.Name] = ""
	}
	first, last := t.dst.Path+batch[0].Name, t.dst.Path+batch[len(batch)-1].Name
	within := lister.Options{Prefix: t.dst.Path, StartAfter: justBefore(first), End: last}
	for o, err := range t.listing(ctx, t.dst.Bucket, within) {
		if err != nil {
			return nil, err
		}
		if _, wanted := found[o.Key]; wanted {
			found[o.Key] = o.ETag
		}
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(t.objects)
	for _, e := range batch {
		key := t.dst.Path + e.Name
		if found[key] != "" {
			continue
		}
		g.Go(func() error {
			meta, err := t.metaOf(gctx, t.dst, e.Name)
			if meta == nil || err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found[key] = meta.ETag
			return nil
		})
	}
	return found, g.Wait()
}

// justBefore is a text below key with few keys between the two: a listing that
// starts after it begins with key.
func justBefore(key string) string {
	last, n := utf8.DecodeLastRuneInString(key)
	key = key[:len(key)-n]
	if last <= ' ' || last == utf8.RuneError {
		return key
	}
	last--
	if !utf8.ValidRune(last) { // a surrogate
		last = 0xD7FF
	}
	key += string(last)
	if len(key)+utf8.UTFMax > maxKey {
		return key
	}
	return key + string(utf8.MaxRune)
}

// deleted counts a name that is gone from the destination.
func (t *tree) deleted(key string) {
	t.mu.Lock()
	t.report.Objects.Deleted++
	t.mu.Unlock()
	t.done("delete", key, "", 0)
}
