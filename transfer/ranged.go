package transfer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/internal/localfs"
	"golang.org/x/sync/errgroup"
)

// ranged is the download of one large object in ranges.
type ranged struct {
	*download
	rec      checkpoint.Object
	partSize int64
	temp     *localfs.Temp
	claims   map[int]checkpoint.Part // recorded by an earlier run, unproven
	parts    []checkpoint.Part       // by number, less one

	mu      sync.Mutex
	synced  sync.Cond         // a group was made durable, or could not be
	written []checkpoint.Part // in the file, not yet synced
	syncing bool
	failed  error // of a sync: nothing in the file can be trusted
}

// ranged fetches a large object, going on with an earlier run's temporary file
// where that is still this object's.
func (d *download) ranged(ctx context.Context, rec checkpoint.Object, found bool) error {
	if d.meta == nil {
		if err := d.head(ctx); err != nil {
			return err
		}
	}
	partSize, err := partSizeFor(d.size, d.Engine.opts.PartSize)
	if err != nil {
		return err
	}
	r := &ranged{download: d, rec: rec, partSize: partSize}
	r.synced.L = &r.mu
	if found && (rec.Source != d.identity() || rec.PartSize != partSize || rec.TempName != d.tempName(d.name)) {
		if err := errors.Join(d.root.RemoveTemp(d.name, rec.TempName), d.drop(ctx)); err != nil {
			return err
		}
		found = false
	}
	if found && rec.State == checkpoint.StateCompleting {
		if done, err := r.publishedBefore(); err != nil || done {
			return err
		}
	}
	if err := r.open(ctx, found); err != nil {
		return err
	}
	defer r.temp.Close()
	return r.run(ctx)
}

// identity pins the object in the checkpoint.
func (d *download) identity() checkpoint.Identity {
	return checkpoint.Identity{
		Size: d.meta.Size, ETag: d.meta.ETag, VersionID: d.meta.VersionID,
		ModTime: d.meta.LastModified.UnixNano(), CRC64: d.meta.CRC64, HasCRC64: d.meta.HasCRC64,
	}
}

// publishedBefore settles an object whose file got its name just before an
// earlier run ended: the temporary file is gone and the file's bytes are the
// object's.
func (r *ranged) publishedBefore() (bool, error) {
	temp, err := r.root.OpenTemp(r.name, r.rec.TempName)
	if err == nil {
		return false, temp.Close()
	}
	if errors.Is(err, localfs.ErrNotRegular) {
		return false, nil // open replaces it
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	file, id, err := r.root.Open(r.name)
	if err != nil {
		return false, nil // there is no such file: fetch it
	}
	defer file.Close()
	if id.Size != r.size {
		return false, nil
	}
	crc, err := hashRange(r.seal.view(file), 0, id.Size, nil)
	if err != nil || crc != r.rec.CRC64 {
		return false, nil
	}
	if err := r.root.SyncDirs(r.name); err != nil {
		return false, err
	}
	r.tracker.resumed(r.size)
	err = r.journal.Settle(checkpoint.Settled{Key: r.name, Source: r.rec.Source, Dest: sourceIdentity(id), At: time.Now()})
	if err == nil {
		r.job.done("download", r.key, "", r.size)
	}
	return true, err
}

// open finds the temporary file and what is claimed of it, or makes both anew.
// The record is durable before the file exists.
func (r *ranged) open(ctx context.Context, found bool) error {
	tempName := r.tempName(r.name)
	if found {
		temp, err := r.root.OpenTemp(r.name, tempName)
		if err == nil {
			r.temp = temp
			return errors.Join(r.recall(), r.keepHoles(temp))
		}
		if errors.Is(err, localfs.ErrNotRegular) { // or has a second name: others write to it
			err = r.root.RemoveTemp(r.name, tempName)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := r.journal.DropParts(ctx, r.name); err != nil {
			return err
		}
	}
	r.rec = checkpoint.Object{
		Key: r.name, State: checkpoint.StateActive, Source: r.identity(),
		PartSize: r.partSize, TempName: tempName, Started: time.Now(),
	}
	if err := r.journal.PutObject(ctx, r.rec); err != nil {
		return err
	}
	var err error
	r.temp, err = r.createTemp(r.size)
	return err
}

func (r *ranged) recall() error {
	parts, err := r.journal.Parts(r.name)
	if err != nil {
		return err
	}
	id, err := r.temp.Identity()
	if err != nil {
		return err
	}
	r.claims = make(map[int]checkpoint.Part, len(parts))
	for _, p := range parts {
		// Believed or not, what lies behind the end of the file is not there.
		if int64(p.Number-1)*r.partSize+p.Size <= id.Size {
			r.claims[p.Number] = p
		}
	}
	return nil
}

func (r *ranged) run(ctx context.Context) error {
	r.parts = make([]checkpoint.Part, (r.size+r.partSize-1)/r.partSize)
	if err := r.fetch(ctx); err != nil {
		return err
	}
	whole := uint64(0)
	for _, p := range r.parts {
		whole = crc64.Combine(whole, p.CRC64, p.Size)
	}
	r.unconfirmed(r.meta.HasCRC64)
	if r.meta.HasCRC64 && whole != r.meta.CRC64 {
		return &CorruptError{Name: r.key, Expected: r.meta.CRC64, Have: whole}
	}
	r.uploaded, r.modTime = r.meta.LastModified, fileTime(r.meta, r.modTime)
	mode, err := r.restore(r.temp, r.meta.Meta)
	if err != nil {
		return err
	}
	if err := r.temp.Finish(r.size, r.modTime, mode); errors.Is(err, localfs.ErrNotDurable) {
		return errors.Join(err, r.drop(ctx)) // as in recordGroup
	} else if err != nil {
		return err
	}
	r.rec.State, r.rec.CRC64 = checkpoint.StateCompleting, whole
	if err := r.journal.PutObject(ctx, r.rec); err != nil {
		return err
	}
	return r.publish(ctx, whole, r.temp)
}

// fetch brings every range into the file, several at a time.
func (r *ranged) fetch(ctx context.Context) error {
	r.tracker.split(len(r.parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.Engine.opts.Parallel)
	for i := range r.parts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return r.part(gctx, i+1) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// part proves that the file has range number, or fetches it.
func (r *ranged) part(ctx context.Context, number int) error {
	off := int64(number-1) * r.partSize
	length := min(r.partSize, r.size-off)
	if claim, ok := r.claims[number]; ok && claim.Size == length {
		proven, err := r.Engine.opts.TrustCheckpoint, error(nil)
		if !proven {
			proven, err = r.prove(ctx, claim, off)
		}
		if err != nil {
			return err
		}
		if proven {
			r.parts[number-1] = claim
			r.tracker.resumed(length)
			r.tracker.partsDone.Add(1)
			return nil
		}
		r.log.Info("range differs and is fetched again", "key", r.key, "range", number)
	}
	crc, err := r.fetchRange(ctx, r.temp, number, off, length)
	if err != nil {
		return err
	}
	p := checkpoint.Part{Number: number, Size: length, CRC64: crc}
	r.parts[number-1] = p
	r.tracker.partsDone.Add(1)
	return r.record(ctx, p)
}

// prove reads a claimed range back from the file.
func (r *ranged) prove(ctx context.Context, claim checkpoint.Part, off int64) (proven bool, err error) {
	err = r.do(ctx, "prove", r.name, priorityPiece, func(context.Context, int) error {
		crc, err := hashRange(r.seal.view(r.temp), off, claim.Size, nil)
		proven = err == nil && crc == claim.CRC64
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // the file is shorter than its record says: fetch
		}
		return err
	})
	return proven, err
}

// record makes a range durable and then says so in the checkpoint. One worker
// syncs at a time, for all ranges that were written before it began; another
// goes on, and once more than one range is waiting, waits as well: what a crash
// costs stays bounded in bytes.
func (r *ranged) record(ctx context.Context, p checkpoint.Part) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = append(r.written, p)
	for r.syncing && len(r.written) > 1 {
		r.synced.Wait()
	}
	if r.syncing {
		return r.failed
	}
	r.syncing = true
	defer func() {
		r.syncing = false
		r.synced.Broadcast()
	}()
	for len(r.written) > 0 && r.failed == nil {
		group := r.written
		r.written = nil
		r.mu.Unlock()
		err := r.recordGroup(ctx, group)
		r.mu.Lock()
		r.failed = err
		r.synced.Broadcast()
	}
	return r.failed
}

func (r *ranged) recordGroup(ctx context.Context, group []checkpoint.Part) error {
	if err := r.temp.SyncData(); err != nil {
		// The kernel may have dropped the pages: nothing of the file can be
		// trusted, and a second fsync would not tell.
		return errors.Join(err, r.drop(ctx))
	}
	for _, p := range group {
		if err := r.journal.AddPart(r.name, p); err != nil {
			return err
		}
	}
	// A commit costs a tenth of the sync before it, and waiting for the next
	// group commit would cost a crash whatever a fast link brings meanwhile.
	return r.journal.Flush(context.WithoutCancel(ctx))
}
