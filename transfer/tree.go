package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// SyncOptions tunes one Sync. The zero value is ready to use.
type SyncOptions struct {
	JobOptions

	// Compare says which objects are transferred.
	Compare Compare

	// ModifyWindow is how far times may be apart and count as the same. 0 means
	// exactly the same; some file systems keep only whole or even seconds.
	ModifyWindow time.Duration

	// ExistingOnly transfers nothing that the destination does not have.
	ExistingOnly bool

	// Headers are stored with every object that is uploaded. Between buckets
	// they have the meaning of CopyOptions.Headers.
	Headers oss.ObjectHeaders

	// KeepACL and Relay are those of CopyOptions.
	KeepACL, Relay bool

	// Files says what becomes of names, links, folders and permissions.
	Files FileOptions

	// Filter chooses among the names of the source; nil is all. What it leaves
	// out is not deleted at the destination either, unless DeleteExcluded says
	// so. A name on its list that is not at the source is a failure.
	Filter *Filter

	// Exclude names local files and folders that do not belong to the tree,
	// whatever lies in them. The engine's own StateDir is always left out.
	Exclude []string

	// RemoveSource moves: what is at the destination, durable and with the
	// source's CRC-64, is removed from the source if that is still what was
	// copied, and folders that are empty without it. A source that cannot be
	// removed is a failure with the operation "remove". What Compare leaves
	// alone stays, unless it is found to be the same by its CRC-64. One of
	// a file's hard links may go while the others are still to be moved.
	RemoveSource bool

	// IfUnchanged lets nothing be replaced that somebody else has written
	// since the destination was listed: that is a failure which matches
	// ErrChanged. For files, for objects above the threshold, and for what
	// CompareExisting transfers, that holds without it; for each small object
	// it costs a request. Where an object is replaced a moment stays between
	// question and write, since OSS has no condition for it; where none was
	// there the service itself checks.
	IfUnchanged bool

	// Delete removes from the destination what the source does not have, after
	// everything was transferred. It needs a source that was read to its end
	// without an error and no failed object; every name is asked for at the
	// source once more, and what somebody else has written since it was listed
	// stays. What stands in the way is an UnsafeError.
	Delete bool

	// MaxDelete bounds what Delete removes: more is an UnsafeError, and
	// nothing is removed.
	MaxDelete DeleteLimit

	// AllowEmptySource lets Delete remove everything if the source is empty.
	AllowEmptySource bool

	// DeleteExcluded lets Delete remove what Filter leaves out by name, too.
	DeleteExcluded bool

	// Backup is where what is replaced or deleted is kept, each run's in a
	// folder of its own, for Undo to put it back: a folder for a folder, a
	// place in a bucket of the same service for a bucket. Objects are kept with
	// their storage class and, where that may be asked for, their ACL, at the
	// cost of two requests each; an object that is a link is not replaced, for
	// it cannot be kept. It needs a StateDir.
	Backup Location

	// IgnoreErrors lets Delete go on though objects failed, but not if the
	// source could not be read.
	IgnoreErrors bool

	// AllowEmpty makes a copy from a prefix without objects a success that
	// did nothing; without it the error is ErrNoMatch.
	AllowEmpty bool

	// DryRun transfers nothing and tells OnObject what would be.
	DryRun bool

	// Single plans one file or object: source and destination name it, as those
	// of Upload, Download and Copy do. Only Plan takes it, with what has a meaning
	// for one.
	Single bool

	after            string   // the name that Resume goes on after
	srcCuts, dstCuts []cut    // how the listings were divided behind it
	part             *portion // of what is missing that Resume does; nil is all
	planName         string   // of what Apply does
}

// Sync brings the tree at dst to the state of the tree at src. One side at
// least lies below a prefix of a bucket; between two buckets the service
// copies, where it can. Nothing is deleted unless Delete says so.
//
// Both sides are read in key order and compared while transfers run; memory
// does not grow with their number. One object that fails does not stop the
// rest: the error then matches ErrIncomplete. A call after an interrupted one
// goes on with what is missing.
func (e *Engine) Sync(ctx context.Context, src, dst Location, opts *SyncOptions) (*Report, error) {
	if opts != nil && opts.Single {
		return nil, usagef("one object is no tree: Upload, Download or Copy it")
	}
	t, err := e.newTree(ctx, src, dst, opts, "sync")
	if err != nil {
		return nil, err
	}
	defer t.close()
	return t.finish(ctx, t.run(ctx))
}

// newTree checks what a tree is asked for and begins its job. Every newTree is
// followed by one close. method is the one that the checkpoint remembers.
func (e *Engine) newTree(ctx context.Context, src, dst Location, opts *SyncOptions, method string) (t *tree, err error) {
	var o SyncOptions
	if opts != nil {
		o = *opts
	}
	t = &tree{compare: o.Compare, options: o, direction: directionOf(src.bucketName(), dst.bucketName())}
	if o.Single {
		if src.Bucket != nil || dst.Bucket != nil {
			err = t.single(src, dst)
		}
	} else if t.src, err = side(src); err == nil {
		t.dst, err = side(dst)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case src.Bucket == nil && dst.Bucket == nil:
		return nil, usagef("neither side is in a bucket")
	case o.ModifyWindow < 0:
		return nil, usagef("times cannot be less than nothing apart, as %v is", o.ModifyWindow)
	case t.direction != across:
	case o.Single && src.Keys == nil && dst.Keys == nil:
	case src.Keys != nil || dst.Keys != nil:
		return nil, usagef("copies between buckets keep their encryption and take no keys")
	case sameService(src.Bucket, dst.Bucket) && src.Bucket.Name() == dst.Bucket.Name() &&
		(strings.HasPrefix(t.src.Path, t.dst.Path) || strings.HasPrefix(t.dst.Path, t.src.Path)):
		return nil, usagef("%s and %s lie within each other: what is copied would be copied again", t.src, t.dst)
	}
	if o.Backup.Bucket == nil && o.Backup.Path != "" {
		if o.Backup.Path, err = filepath.Abs(o.Backup.Path); err != nil {
			return nil, usagef("%v", err)
		}
		t.options.Backup = o.Backup
	}
	if err := checkBackup(o.Backup, t.src, t.dst); err != nil {
		return nil, err
	}
	if o.Backup != (Location{}) && e.opts.StateDir == "" && e.opts.OpenJournal == nil {
		return nil, usagef("a backup needs a state folder: it records what to put back")
	}
	if err := t.checkMove(); err != nil {
		return nil, err
	}
	if err := o.checkFiles(t.direction); err != nil {
		return nil, err
	}
	if t.direction == up {
		if t.root, err = localfs.OpenRoot(t.src.Path); err != nil {
			return nil, err
		}
		t.apartNames = namesOf(t.src.Path, e.notOfTree(o.Exclude))
		o.Files.prepare(t.root, true)
	}
	kind := "sync"
	switch {
	case o.RemoveSource:
		kind = kindMove
	case o.Compare == CompareNone:
		kind = "copy"
	}
	t.shape = shape(o.Headers, t.src, t.dst)
	if o.Filter != nil {
		t.shape["filter"] = o.Filter.String()
	}
	o.Files.shape(t.shape)
	if o.Single {
		t.shape["object"] = "single" // not the tree below a key that ends in a slash
	}
	t.call = call{
		Method: method, Source: place(t.src), Destination: place(t.dst), Headers: o.Headers, Compare: o.Compare, ModifyWindow: o.ModifyWindow, ExistingOnly: o.ExistingOnly,
		Exclude: o.Exclude, AllowEmpty: o.AllowEmpty, KeepACL: o.KeepACL, Relay: o.Relay, IfUnchanged: o.IfUnchanged, RemoveSource: o.RemoveSource,
		Delete: o.Delete, MaxDelete: o.MaxDelete, AllowEmptySource: o.AllowEmptySource, IgnoreErrors: o.IgnoreErrors, DeleteExcluded: o.DeleteExcluded,
		Filter: o.Filter, Backup: place(o.Backup), Single: o.Single, Plan: o.planName, Cursor: o.after, SourceCuts: o.srcCuts, DestinationCuts: o.dstCuts, Files: o.Files,
	}
	s := spec{
		kind: kind, source: o.location(t.src), destination: o.location(t.dst), options: t.shape, look: o.DryRun, call: t.call.text(o.JobOptions), part: o.part != nil,
	}
	if t.direction == down && kind == "sync" {
		s.claim = t.dst.Path // copies into one folder may go side by side
	} else if t.direction == down && o.Single {
		s.claim = t.dst.whole()
	}
	t.job, err = e.begin(ctx, s, o.JobOptions)
	if err != nil {
		t.close()
		return nil, err
	}
	if o.hasCursor() && method == "sync" && !t.setsFolders() { // which is done at the end, of all
		t.cursor = &cursor{last: o.after, saved: time.Now()}
		t.cursor.src.before, t.cursor.dst.before = unpack(o.srcCuts, t.src.Path), unpack(o.dstCuts, t.dst.Path)
	}
	if o.after != "" && o.part == nil {
		t.options.AllowEmpty = true // what there was may have been done
		t.warn("goes on after " + printable(o.after) + ": what was changed up to there since is for the next sync to find")
	}
	if o.RemoveSource && t.report.Resumed {
		t.options.AllowEmpty = true // the earlier run may have moved all
	}
	return t, nil
}

// close gives back what newTree has opened.
func (t *tree) close() {
	if t.direction == up && t.root != nil {
		t.root.Close()
	}
}

// direction is where the bytes of a tree go.
type direction int

const (
	up     direction = iota // from this machine into a bucket
	down                    // the other way
	across                  // from bucket to bucket
)

// directionOf is the one between two buckets, "" for this machine.
func directionOf(source, destination string) direction {
	switch {
	case source == "":
		return up
	case destination == "":
		return down
	}
	return across
}

// side brings one side of a tree into the form that names are added to.
func side(l Location) (Location, error) {
	if l.Bucket != nil {
		l.Path = treePrefix(l.Path)
		return l, nil
	}
	abs, err := filepath.Abs(l.Path)
	if err != nil {
		return l, usagef("%v", err)
	}
	l.Path = abs
	return l, nil
}

// tree is the job of one Sync.
type tree struct {
	*job
	options   SyncOptions
	compare   Compare
	direction direction
	src, dst  Location
	root      *localfs.Root // of the local side, once it is there

	apartNames []string // of what lies in the source and does not belong to it

	publisher *publisher // of a download

	shape map[string]string // the options that shape the result
	call  call

	planned planned     // of a dry run
	plan    *planWriter // of a dry run that is written down; else nil
	steps   *Plan       // to be applied, in place of what a comparison says; else nil

	backup  *backup // nil: nothing is kept
	extras  *extras // what only the destination has, if that is to be deleted
	unread  int64   // names of the source that could not be read
	content int64   // what the source has for this job, without what stands for folders

	folderNames *spool // what finishFolders has to do; nil: nothing
	before      markers

	cursor *cursor // nil: Resume goes through all
}

// planAhead is how many actions may be known before their turn: it lets totals
// settle early at a bounded cost.
const planAhead = 4096

func (t *tree) run(ctx context.Context) (err error) {
	if err := t.surveyPart(); err != nil {
		return err
	}
	switch {
	case t.direction != down:
	case t.options.DryRun:
		if root, err := localfs.OpenRoot(t.dst.Path); err == nil {
			t.root = root
			t.options.Files.prepare(root, false)
			defer root.Close()
		}
	default:
		root, failed := localfs.CreateRoot(t.dst.Path)
		if failed != nil {
			return failed
		}
		t.root = root
		defer root.Close()
		t.options.Files.prepare(root, false)
		if t.setsFolders() {
			root.OpenLocked()
			defer func() { err = errors.Join(err, root.Relock()) }()
		}
		t.watchFiles(root)
		t.publisher = startPublisher(t.job, root)
		t.publisher.names = newClaims(root)
		defer t.publisher.stop()
	}
	if t.options.NoResume && !t.options.DryRun {
		if err := t.dropAll(ctx, t.leftovers(t.root)); err != nil {
			return err
		}
	}
	t.meter.setPhase(PhaseListing)
	if t.options.Backup != (Location{}) && !t.options.DryRun {
		if t.backup, err = t.newBackup(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.backup.close()) }()
	} else if err := t.forgetChanges(ctx); err != nil {
		return err
	}
	if t.options.Delete {
		if t.extras, err = newExtras(t.Engine.opts.StateDir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.extras.close()) }()
	}

	if t.setsFolders() || t.direction == up && t.options.RemoveSource && t.options.Files.Folders && !t.options.DryRun {
		if t.folderNames, err = newSpool(t.Engine.opts.StateDir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.folderNames.close()) }()
	}

	// The group's first error ends the job: per-object failures are counted
	// and are no errors here.
	g, gctx := errgroup.WithContext(ctx)
	actions := make(chan action, planAhead)
	g.Go(func() error {
		defer close(actions)
		if t.steps != nil {
			return t.feedSteps(gctx, actions)
		}
		return t.feed(gctx, actions)
	})
	g.Go(func() error {
		return t.objectsOf(gctx, actions)
	})
	err = g.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.through = err == nil
	if err == nil && t.options.Delete {
		err = t.deleteExtras(ctx)
	}
	if _, refused := errors.AsType[*UnsafeError](err); err == nil || refused {
		if last := t.finishFolders(ctx); last != nil {
			err = errors.Join(err, last)
		}
	}
	t.meter.setPhase(PhaseFinishing)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// feed goes through the plan in key order, deals with what needs no transfer,
// and sends on the rest.
func (t *tree) feed(ctx context.Context, actions chan<- action) error {
	src, dst := t.sides(ctx)
	for a, err := range plan(t.partly(t.apart(t.chosen(src))), dst) {
		switch {
		case err != nil && t.options.Delete && fatal(err):
			return err
		case err != nil && t.options.Delete:
			return &UnsafeError{Cause: UnsafeUnread, Reason: "a side could not be read to its end", Err: err}
		case err != nil:
			return err
		case a.extra:
			err = t.only(a)
			a.name = ""
		default:
			name := a.name
			err = t.consider(&a)
			t.pass(ctx, name, &a)
			if a.name == "" {
				err = t.forgive(name, err)
			}
		}
		if err != nil {
			return err
		}
		if a.name == "" {
			continue
		}
		select {
		case actions <- a:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	t.meter.totalsKnown.Store(true)
	t.meter.setPhase(PhaseTransferring)
	return nil
}

// only keeps a name that only the destination has.
func (t *tree) only(a action) error {
	if t.extras == nil || a.dst.skip != "" || t.spared(a.dst) || t.outside(a.name) && !t.options.DeleteExcluded || !t.options.Files.Folders && t.isFolder(a.name, a.dst.size) {
		return nil
	}
	t.extras.there++
	return t.extras.add(a.dst)
}

// consider decides about a as far as that takes no request. What is dealt with
// loses its name.
func (t *tree) consider(a *action) error {
	operation, key, size := t.describe(*a)
	if t.extras != nil && a.exists {
		t.extras.there++
	}
	if a.err != nil {
		t.unread++
		t.seen(false, 0)
		t.fail(key, operation, a.err)
		a.name = ""
		return nil
	}
	if a.src.below != "" {
		t.seen(false, 0)
		a.err = belowError(a.src)
		t.fail(key, operation, a.err)
		a.name = ""
		return nil
	}
	reason := a.src.skip
	if reason == "" && !strings.HasSuffix(a.name, "/") {
		t.content++
	}
	if reason == reasonFiltered || reason == reasonSymlink && t.options.Files.Links == LinksOmit {
		// as was asked for
	} else if reason != "" {
		t.warn(fmt.Sprintf("%s is not transferred: %s", printable(a.name), reason))
	} else {
		var err error
		if reason, a.ask, err = t.wanted(*a); err != nil {
			return err
		}
		if t.setsFolders() && t.isFolder(a.name, a.src.size) {
			err = t.setLast(*a, reason)
			a.name = ""
			return err
		}
		if t.options.RemoveSource && (reason == reasonSame || reason == reasonBefore) {
			reason, a.ask = "", true
		}
	}
	if reason != "" {
		t.seen(false, 0)
		t.skip(operation, key, reason, size)
		a.name = ""
		return nil
	}
	if !a.ask {
		t.seen(true, size)
	}
	return nil
}

// describe names the action for reports.
func (t *tree) describe(a action) (operation, key string, size int64) {
	switch t.direction {
	case up:
		return "upload", t.dst.key(a.name), a.src.size
	case down:
		return "download", t.src.key(a.name), a.src.size
	}
	return "copy", t.dst.key(a.name), a.src.size
}

// sides are the two streams of the plan.
func (t *tree) sides(ctx context.Context) (src, dst iter.Seq2[entry, error]) {
	set := t.options.Filter
	there := set
	if t.options.DeleteExcluded {
		there = nil
	}
	if t.options.Single {
		return t.singles(ctx)
	}
	if t.direction == up {
		src = t.walk(ctx, t.root, set)
	} else {
		src = t.list(ctx, t.src, set, t.cursor.source())
	}
	switch {
	// A copy looks at its destination only to see whether what an earlier run
	// did is still there.
	case t.compare == CompareNone && !t.report.Resumed && t.plan == nil && !t.options.IfUnchanged && !t.options.Delete && !t.options.ExistingOnly && !t.options.RemoveSource && t.options.Backup == (Location{}):
		return src, nil
	case t.direction != down:
		return src, t.list(ctx, t.dst, there, t.cursor.destination())
	case t.root != nil:
		return src, t.walk(ctx, t.root, there)
	}
	return src, nil // a dry run makes no folder, and has found none
}

// finish gives up what an earlier run had under way and this one did not come
// across, since its source is gone, and ends the job.
func (t *tree) finish(ctx context.Context, err error) (*Report, error) {
	if t.options.part != nil {
		return t.finishPart(ctx, err)
	}
	if err == nil && !t.options.DryRun && t.failed() == 0 {
		err = t.dropRest(ctx)
	}
	if err == nil && t.direction != up && t.compare == CompareNone && !t.options.AllowEmpty && t.meter.objectsTotal.Load() == 0 {
		err = fmt.Errorf("%w: %s", ErrNoMatch, t.src)
	}
	if err != nil || t.failed() > 0 {
		t.saveCursor(context.WithoutCancel(ctx))
	}
	if t.options.DryRun {
		t.planned.counts.Skipped, t.planned.counts.Failed = t.report.Objects.Skipped, t.report.Objects.Failed
		t.report.Plan = &t.planned.counts
		return t.end(ctx, err, t.found)
	}
	return t.end(ctx, err, t.compare != CompareNone)
}
