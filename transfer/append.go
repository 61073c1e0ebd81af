package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// AppendOptions tunes one Append or AppendStream.
type AppendOptions struct {
	JobOptions

	// Headers are stored with the object if there was none; OSS ignores those
	// of later appends.
	Headers oss.ObjectHeaders
}

// Append adds the file at path to the end of the object dst.Path, which it
// makes if there is none, and returns once all is there and the object's CRC-64
// equals that of what it held and the bytes read. OSS lets an object grow to
// 5 GiB in this way, if it was made by an append: errors.Is
// oss.ErrObjectNotAppendable says that it was not.
//
// Bytes are never added twice: the same call after any error, or after a kill,
// finds by length and CRC-64 how much had arrived and adds the rest. The error
// matches ErrChanged if somebody else wrote to the object meanwhile, or if the
// file no longer begins with what was added; JobOptions.NoResume begins anew,
// at the end of what is there.
func (e *Engine) Append(ctx context.Context, path string, dst Location, opts *AppendOptions) (*Report, error) {
	var o AppendOptions
	if opts != nil {
		o = *opts
	}
	if err := appendable(dst); err != nil {
		return nil, err
	}
	root, name, abs, err := openNamed(path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	j, err := e.begin(ctx, spec{
		kind: "append", source: abs, destination: o.location(dst), options: shape(o.Headers, dst),
		call: call{Method: "append", Source: where{Path: abs}, Destination: place(dst), Headers: o.Headers}.text(o.JobOptions),
	}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	a := &appending{job: j, bucket: dst.Bucket, key: dst.Path, headers: o.Headers, root: root, name: name}
	err = a.file(ctx, o.NoResume)
	j.blame(ctx, dst.Path, "append", err)
	return j.end(ctx, err, false)
}

// AppendStream is Append for what r yields. A stream cannot be read twice:
// after an error what was added stays, and Report.Bytes says how much that is.
func (e *Engine) AppendStream(ctx context.Context, r io.Reader, dst Location, opts *AppendOptions) (*Report, error) {
	var o AppendOptions
	if opts != nil {
		o = *opts
	}
	if err := appendable(dst); err != nil {
		return nil, err
	}
	j, err := e.withoutState().begin(ctx, spec{kind: "append", source: "-", destination: o.location(dst), options: shape(o.Headers, dst)}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.report.Resumable = false
	j.seen(true, 0)
	j.meter.setPhase(PhaseTransferring)
	a := &appending{job: j, bucket: dst.Bucket, key: dst.Path, headers: o.Headers, source: r}
	if err = a.look(ctx); err == nil {
		err = a.run(ctx)
	}
	j.blame(ctx, dst.Path, "append", err)
	return j.end(ctx, err, false)
}

func appendable(dst Location) error {
	switch {
	case dst.Bucket == nil || dst.Path == "":
		return usagef("append needs a bucket and a key as its destination")
	case dst.Keys != nil:
		return usagef("an encrypted object cannot be appended to")
	}
	return nil
}

// appending is the growth of one object by what source yields.
type appending struct {
	*job
	bucket  *oss.Bucket
	key     string
	headers oss.ObjectHeaders
	source  io.Reader
	root    *localfs.Root // of a file, and its name there
	name    string
	tracker *tracker // nil for a stream, whose size is not known
	added   int64    // by this run and those before
	pieces  int      // that are recorded

	resuming bool // an earlier run has begun
	doubt    bool // a piece may have been added that nobody heard of

	end    int64 // the object's length
	sum    uint64
	hasSum bool // the server tells CRC-64s
}

// maxAppended is the length that OSS lets an object reach by appends.
const maxAppended = 5 << 30

// file adds what the object does not have of a file. The file, and the length and
// sum that the object had, are recorded first.
func (a *appending) file(ctx context.Context, anew bool) error {
	file, id, err := a.root.Open(a.name)
	if err != nil {
		return err
	}
	defer file.Close()
	a.source = io.NewSectionReader(file, 0, id.Size)
	a.seen(true, id.Size)
	a.meter.totalsKnown.Store(true)
	a.meter.setPhase(PhaseTransferring)
	rec, found, err := a.journal.Object(a.key)
	if err != nil {
		return err
	}
	if found && anew {
		if err := a.journal.Forget(ctx, a.key); err != nil {
			return err
		}
		found = false
	}
	if err := a.look(ctx); err != nil {
		return err
	}
	if a.end+id.Size > maxAppended && !found {
		return usagef("%s would grow to %d bytes; OSS lets an object grow to %d by appends", printable(a.key), a.end+id.Size, int64(maxAppended))
	}
	a.tracker = a.meter.track(a.key, id.Size)
	defer a.tracker.end()
	if a.resuming = found; found {
		if rec.Source.ModTime == 0 { // of a release that recorded no file
			rec.Before = rec.Source
		}
		err = a.takeUp(ctx, file, id, rec.Before)
	} else {
		rec = checkpoint.Object{
			Key: a.key, State: checkpoint.StateActive, Started: time.Now(),
			Before: checkpoint.Identity{Size: a.end, CRC64: a.sum, HasCRC64: a.hasSum},
		}
	}
	if err != nil {
		return err
	}
	rec.Source = sourceIdentity(id)
	if err := a.record(ctx, rec); err != nil {
		return err
	}
	err = a.run(ctx)
	if errors.Is(err, ErrChanged) && a.added == 0 && !a.doubt {
		// Nothing of ours is in the object: the next run begins at its end.
		err = errors.Join(err, a.journal.Forget(context.WithoutCancel(ctx), a.key))
	}
	if err != nil {
		return err
	}
	now, err := a.root.Stat(a.name)
	if err == nil && now.Inode == id.Inode && now.Size <= id.Size && difference(id, now) != "" {
		return &ChangedError{
			Name: a.name, What: difference(id, now),
			Hint: "what was added may be a mix of old and new; bytes cannot be taken out of an object again",
		}
	}
	if err != nil || difference(id, now) != "" {
		a.warn(printable(a.name) + " grew or was replaced while it was read; what was added is what it held at first")
	}
	return nil
}

// record notes the file and what of it is in the object.
func (a *appending) record(ctx context.Context, rec checkpoint.Object) error {
	if a.resuming {
		if err := a.journal.DropParts(ctx, a.key); err != nil {
			return err
		}
	}
	if err := a.journal.PutObject(ctx, rec); err != nil || a.added == 0 {
		return err
	}
	return a.recordPiece(a.added)
}

// recordPiece notes that so many bytes more are in the object: for whoever looks
// at the job, for a run that goes on asks the object itself.
func (a *appending) recordPiece(size int64) error {
	a.pieces++
	return a.journal.AddPart(a.key, checkpoint.Part{Number: a.pieces, Size: size})
}

// takeUp goes on where an earlier run stopped, which found the object as began
// says: what was added since must be what the file begins with.
func (a *appending) takeUp(ctx context.Context, file io.ReaderAt, id localfs.Identity, began checkpoint.Identity) error {
	added := a.end - began.Size
	switch {
	case added < 0, added > id.Size:
		return a.disturbed("it has a length that this job did not give it")
	case added == 0 && !began.HasCRC64:
		return nil
	case !a.hasSum || !began.HasCRC64:
		return a.disturbed("the service tells no CRC-64, so nothing shows what was added")
	}
	sum, err := hashRange(until(ctx, file), 0, added, nil)
	if err != nil {
		return err
	}
	if crc64.Combine(began.CRC64, sum, added) != a.sum {
		return a.disturbed("it does not hold what this job found and the beginning of the file")
	}
	a.source, a.added = io.NewSectionReader(file, added, id.Size-added), added
	a.tracker.resumed(added)
	return nil
}

// count counts n bytes as added.
func (a *appending) count(n int64) {
	a.added += n
	if a.tracker != nil {
		a.tracker.add(n)
		return
	}
	a.meter.bytesTotal.Add(n)
	a.meter.bytesDone.Add(n)
}

// look finds the end of the object.
func (a *appending) look(ctx context.Context) error {
	return a.do(ctx, "head", a.key, priorityObject, func(ctx context.Context, _ int) error {
		meta, err := a.bucket.HeadObject(ctx, a.key, nil)
		switch {
		case errors.Is(err, oss.ErrNoSuchKey):
			a.end, a.sum, a.hasSum = 0, 0, true
			return nil
		case err != nil:
			return err
		}
		a.end, a.sum, a.hasSum = meta.Size, meta.CRC64, meta.HasCRC64
		return nil
	})
}

// run adds the source piece by piece. An object that is not there is made, be
// it of nothing.
func (a *appending) run(ctx context.Context) error {
	buf := make([]byte, min(a.Engine.opts.PartSize, maxAppended))
	for first := true; ; first = false {
		n, err := readPart(a.source, buf)
		last := err == io.EOF
		if err != nil && !last {
			return err
		}
		if n > 0 || first {
			if err := a.add(ctx, buf[:n]); err != nil {
				return err
			}
		}
		if last {
			break
		}
	}
	a.meter.totalsKnown.Store(true)
	if a.tracker != nil && a.added != a.tracker.size {
		return &ChangedError{Name: a.name, What: "it became shorter"}
	}
	a.job.done("append", a.key, "", a.added)
	return nil
}

// add adds one piece. When the answer is lost, or the object turns out to be of
// another length, its length and CRC-64 tell whether the piece is there.
func (a *appending) add(ctx context.Context, piece []byte) error {
	size := int64(len(piece))
	grown := crc64.Combine(a.sum, crc64.Checksum(piece), size)
	digest, err := contentMD5(a.bucket, bytes.NewReader(piece), size)
	if err != nil {
		return err
	}
	o := &oss.AppendObjectOptions{ContentMD5: digest}
	if a.end == 0 {
		o.ObjectHeaders = a.headers
	}
	if a.hasSum {
		o.InitCRC64 = &a.sum
	}
	unsettled := false // a try may have added the piece
	err = a.do(ctx, "append", a.key, priorityPiece, func(ctx context.Context, _ int) error {
		if unsettled {
			there, err := a.settled(ctx, size, grown)
			if there || err != nil {
				return err
			}
		}
		_, err := a.bucket.AppendObject(ctx, a.key, a.end, bytes.NewReader(piece), o)
		unsettled = undecided(err)
		a.doubt = a.doubt || unsettled
		if errors.Is(err, oss.ErrPositionNotEqualToLength) {
			there, settleErr := a.settled(ctx, size, grown)
			if there || settleErr != nil {
				return settleErr
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	a.end, a.sum = a.end+size, grown
	a.count(size)
	if size == 0 {
		return nil
	}
	return a.recordPiece(size)
}

// settled asks whether the object has grown by the piece of size bytes, which
// makes its sum grown, or is as it was.
func (a *appending) settled(ctx context.Context, size int64, grown uint64) (bool, error) {
	meta, err := a.bucket.HeadObject(ctx, a.key, nil)
	switch {
	case errors.Is(err, oss.ErrNoSuchKey) && a.end == 0:
		return false, nil
	case err != nil:
		return false, err
	}
	holds := func(sum uint64) bool { return !a.hasSum || !meta.HasCRC64 || meta.CRC64 == sum }
	switch {
	case meta.Size == a.end+size && holds(grown):
		return true, nil
	case meta.Size == a.end && holds(a.sum):
		return false, nil
	}
	return false, a.disturbed(fmt.Sprintf("it was %d bytes long, is %d", a.end, meta.Size))
}

func (a *appending) disturbed(what string) error {
	err := &ChangedError{Name: a.key, What: what, Destination: true}
	if a.added > 0 || a.resuming || a.doubt {
		err.Hint = "what this job added is in it; to add the whole file at its end, begin anew (--no-resume)"
	}
	return err
}
