package transfer

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// ApplyOptions tunes one Apply.
type ApplyOptions struct {
	// ResumeOptions are those to reach the plan's buckets with. Service and
	// Adopt are the plan's.
	ResumeOptions

	// Name says where the plan is, for JobInfo to name it. Nothing reads it.
	Name string
}

// Apply does what the plan says and nothing else, as the job that the Sync it
// stands for would be: with its checkpoint, guards and order.
//
// An object that is not as the plan has seen it, at the source or at the
// destination, is left alone: that is a failure that matches ErrStale, and so
// does the error of the job. The others are done. Deletions come last, and only
// if nothing failed, or the plan was made with IgnoreErrors; each name is asked
// for at the source once more.
//
// What an earlier Apply of the same plan has done is skipped, so that one that
// was interrupted goes on when it is called again.
func (e *Engine) Apply(ctx context.Context, p *Plan, opts *ApplyOptions) (*Report, error) {
	src, dst, do, err := p.options(opts)
	if err != nil {
		return nil, err
	}
	// What the plan has decided is not asked again.
	do.planName = opts.Name
	do.IfUnchanged, do.AllowEmpty, do.AllowEmptySource, do.MaxDelete = true, true, true, DeleteLimit{None: true}
	t, err := e.sized(p.header.Call).newTree(ctx, src, dst, do, methodApply)
	if err != nil {
		return nil, err
	}
	defer t.close()
	t.report.Kind, t.steps = methodApply, p
	return t.finish(ctx, t.run(ctx))
}

// Replan writes to w what the same Plan would say now: of the same source and
// destination, with the same options. Its error is that of Engine.Plan.
func (e *Engine) Replan(ctx context.Context, p *Plan, w io.Writer, opts *ApplyOptions) (*Report, error) {
	src, dst, do, err := p.options(opts)
	if err != nil {
		return nil, err
	}
	return e.sized(p.header.Call).Plan(ctx, src, dst, w, do)
}

// options are those of the Sync that the plan stands for.
func (p *Plan) options(opts *ApplyOptions) (src, dst Location, do *SyncOptions, err error) {
	if opts == nil || opts.Bucket == nil {
		return src, dst, nil, usagef("a plan needs a way to reach its buckets")
	}
	c, o := p.header.Call, opts.JobOptions
	o.Service, o.Adopt = cmp.Or(c.Service, c.endpoint()), c.Adopt
	if src, err = opts.reach(c, c.Source); err != nil {
		return src, dst, nil, err
	}
	if dst, err = opts.reach(c, c.Destination); err != nil {
		return src, dst, nil, err
	}
	var kept Location
	if c.Backup != (where{}) {
		kept, err = opts.reach(c, c.Backup)
	}
	return src, dst, c.sync(o, kept), err
}

// feedSteps is feed, for a plan that was made before.
func (t *tree) feedSteps(ctx context.Context, actions chan<- action) error {
	for line, err := range t.steps.lines() {
		if err != nil {
			return err
		}
		if line.Action == actionDelete {
			if err := t.extras.add(line.Destination.entry(line.Name)); err != nil {
				return err
			}
			continue
		}
		if t.setsFolders() && t.isFolder(line.Name, line.Size) {
			if err := t.setLast(action{name: line.Name, src: line.Source.entry(line.Name)}, ""); err != nil {
				return err
			}
			continue
		}
		a := action{name: line.Name, src: line.Source.entry(line.Name), looked: true, same: line.Action == actionRemove}
		if line.Destination != nil {
			a.dst, a.exists = line.Destination.entry(line.Name), true
		}
		select {
		case actions <- a:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	t.meter.totalsKnown.Store(true)
	t.meter.setPhase(PhaseTransferring)
	return nil
}

// asPlanned compares an action's destination with what the plan has seen, where
// the write itself would not, or not before it has cost much. The error is
// errBefore if an earlier run has done the action.
func (t *tree) asPlanned(ctx context.Context, a action) error {
	switch {
	case a.same:
		return t.sameAsPlanned(ctx, a)
	case a.src.link:
		return t.linkAsPlanned(ctx, a)
	case t.isFolder(a.name, a.src.size):
		return t.folderAsPlanned(ctx, a)
	}
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return err
	}
	ours := known && a.src.exactly(settled.Source) && !(a.exists && a.dst.is(settled.Dest))
	large := a.src.size > t.Engine.opts.MultipartThreshold
	if !ours && !large && t.direction != down {
		return nil
	}
	now, there, err := t.lookAt(ctx, a.name)
	switch {
	case err != nil:
		return err
	case ours && there && now.exactly(settled.Dest):
		return errBefore
	case there != a.exists, there && now.etag != a.dst.etag, there && sinceSeen(a.dst.id, now.id) != "":
		return taken(t.dst.key(a.name))
	}
	return nil
}

// sameAsPlanned is errSame for a source that is at the destination, as its
// content says now, and errBefore for one that is removed.
func (t *tree) sameAsPlanned(ctx context.Context, a action) error {
	if gone, err := t.sourceGone(ctx, a); err != nil || gone {
		return cmp.Or(err, errBefore)
	}
	stands, err := t.stands(ctx, a)
	switch {
	case err != nil:
		return err
	case !stands:
		return taken(t.dst.key(a.name))
	}
	return errSame
}

// sourceGone says whether the source of an action is not there any more.
func (t *tree) sourceGone(ctx context.Context, a action) (bool, error) {
	if t.direction == up {
		_, err := t.fileAt(a.name)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	if a.src.link {
		_, err := t.remoteTarget(ctx, t.src, a.name)
		if gone(err) {
			return true, nil
		}
		return false, err
	}
	meta, err := t.metaOf(ctx, t.src, a.name)
	return meta == nil && err == nil, err
}

// takeAwayBefore removes the source of an action that an earlier run has done,
// if that died before it could, and what is there has its content.
func (t *tree) takeAwayBefore(ctx context.Context, a action) error {
	if !t.options.RemoveSource {
		return nil
	}
	gone, err := t.sourceGone(ctx, a)
	if err == nil && !gone {
		a.same = true
		if err = t.sameAsPlanned(ctx, a); errors.Is(err, errSame) {
			return t.takeAway(ctx, a)
		}
	}
	switch {
	case err == nil, errors.Is(err, errBefore):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case fatal(err):
		return wrapObject("remove", a.name, err)
	}
	t.seen(false, 0)
	t.fail(t.src.key(a.name), "remove", err)
	return nil
}

// unlessDone is err, or errBefore if what is at the destination is what the
// action makes, and err says no more than that: an earlier run died between the
// write and its record. That is known by its content, or, of a source that was
// moved, by what is left of it.
func (t *tree) unlessDone(ctx context.Context, a action, err error) error {
	changed, isChanged := errors.AsType[*ChangedError](err)
	noSource := t.options.RemoveSource && (gone(err) || errors.Is(err, fs.ErrNotExist))
	if ctx.Err() != nil || a.same || !noSource && !(isChanged && changed.Destination) {
		return err
	}
	if a.src.link {
		return t.unlessLinked(ctx, a, err)
	}
	now, there, look := t.lookAt(ctx, a.name)
	if look != nil {
		return look
	}
	switch {
	case !there || now.size != a.src.size:
		return err
	case a.exists && t.direction == down && sinceSeen(a.dst.id, now.id) == "",
		a.exists && t.direction != down && now.etag == a.dst.etag && now.modTime.Equal(a.dst.modTime):
		return err // it is what the plan has seen, and nothing that was made since
	case t.direction == across && a.src.size <= t.Engine.opts.MultipartThreshold && now.etag != a.src.etag:
		return err // a copy in one request has its source's
	}
	if t.direction != down {
		meta, look := t.metaOf(ctx, t.dst, a.name)
		if look != nil || meta == nil || !t.stores(a, meta) {
			return cmp.Or(look, err)
		}
	}
	if t.options.RemoveSource {
		if gone, look := t.sourceGone(ctx, a); look != nil || gone {
			return cmp.Or(look, errBefore)
		}
	}
	if t.isFolder(a.name, a.src.size) {
		return errBefore // it has nothing else to be compared
	}
	a.dst = now
	switch same, look := t.sameContent(ctx, a); {
	case look != nil:
		return look
	case same:
		return errBefore
	}
	return err
}

// stores says whether an object has the metadata that the action gives it.
func (t *tree) stores(a action, meta *oss.ObjectMeta) bool {
	h := t.options.Headers
	for name, value := range h.Meta {
		if meta.Meta[strings.ToLower(name)] != value {
			return false
		}
	}
	for name, value := range map[string]string{
		"Cache-Control": h.CacheControl, "Content-Disposition": h.ContentDisposition,
		"Content-Encoding": h.ContentEncoding, "Content-Language": h.ContentLanguage, "Expires": h.Expires,
	} {
		if value != "" && meta.Header.Get(name) != value {
			return false
		}
	}
	_, ownTime := h.Meta[MetaModTime]
	return (t.direction == across || ownTime || meta.Meta[MetaModTime] == formatModTime(a.src.id.ModTime)) &&
		(h.StorageClass == "" || meta.StorageClass == h.StorageClass) &&
		(h.ContentType == "" || meta.ContentType == h.ContentType)
}

// lookAt asks for what is at the destination now.
func (t *tree) lookAt(ctx context.Context, name string) (now entry, there bool, err error) {
	if t.direction == down {
		id, err := t.fileAt(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, localfs.ErrIsFile) {
			return now, false, nil
		}
		return entry{name: name, size: id.Size, id: id}, err == nil, err
	}
	meta, err := t.metaOf(ctx, t.dst, name)
	if meta == nil || err != nil {
		return now, false, err
	}
	return entry{name: name, size: meta.Size, etag: meta.ETag, modTime: meta.LastModified}, true, nil
}

// sinceSeen names what makes a file another one than the plan has seen; "" if
// nothing. A device has another number after the machine was started again, and
// a run that was killed may have moved one of the file's names.
func sinceSeen(then, now localfs.Identity) string {
	now.Device = then.Device
	if now.Links < then.Links && now.Mode == then.Mode {
		now.ChangeTime = then.ChangeTime
	}
	return difference(then, now)
}

// fail counts an object that could not be done. One that is not as the plan has
// seen it is stale.
func (t *tree) fail(key, operation string, err error) {
	if t.steps != nil {
		err = stale(key, err)
	}
	t.job.fail(key, operation, err)
}

func stale(key string, err error) error {
	changed, isChanged := errors.AsType[*ChangedError](err)
	switch {
	case errors.Is(err, ErrStale):
		return err
	case isChanged:
		return &StaleError{Key: key, What: changed.What, Err: err}
	case gone(err), errors.Is(err, fs.ErrNotExist):
		return &StaleError{Key: key, What: "it is gone", Err: err}
	case oss.Classify(err) == oss.ClassIdentity:
		return &StaleError{Key: key, What: "it was overwritten", Err: err}
	}
	return err
}
