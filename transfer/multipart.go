package transfer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// errStartOver says that a multipart upload is of no more use: the service has
// forgotten it, or holds other parts than we sent.
var errStartOver = errors.New("multipart upload is of no use any more")

// target is an object that a task makes in a bucket.
type target struct {
	*job
	operation string // "upload" or "copy", for reports
	bucket    *oss.Bucket
	key       string
	name      string // of its record in the checkpoint
	size      int64
	tracker   *tracker
	sealed    bool // encrypted: nobody else's upload has the same content key
	guard     guard
	unproven  bool // it could only be checked by its length
	aside     bool // see copyAside
}

// unconfirmed is the job's, and remembers of which object it was said.
func (t *target) unconfirmed(has bool) {
	t.unproven = t.unproven || !has
	t.job.unconfirmed(has)
}

// content is what a multipart upload makes its object of.
type content interface {
	// identity pins the content in the checkpoint.
	identity() checkpoint.Identity

	// begin prepares a new upload in parts of that length. What it returns is
	// kept in the checkpoint and given to resume, whose error means that the
	// earlier upload is of no use.
	begin(ctx context.Context, partSize int64) (material string, err error)
	resume(ctx context.Context, material string) error

	// headers are stored with the object of a new upload.
	headers() oss.ObjectHeaders

	// send is one try of one part.
	send(ctx context.Context, uploadID string, number int, off, length int64) (oss.Part, error)

	// prove says whether a part that the server lists has the content's bytes
	// from off, and fills in its CRC-64 if the server does not know it.
	prove(listed *oss.Part, off int64) (bool, error)

	// ready is asked before the object of that CRC-64 is made visible.
	ready(ctx context.Context, whole uint64) error
}

// multipart makes the object in parts. It goes on with the upload of an earlier
// run where that is still of this content, and starts over once if the service
// no longer has it.
func (t *target) multipart(ctx context.Context, c content, want int64, rec checkpoint.Object, found bool) error {
	if !found && t.opts.Adopt && !t.sealed && !t.aside {
		var err error
		if rec, found, err = t.adopt(ctx, c); err != nil {
			return err
		}
		want = cmp.Or(rec.PartSize, want)
	}
	partSize, err := partSizeFor(t.size, want)
	if err != nil {
		return err
	}
	usable := found && c.resume(ctx, rec.Material) == nil && t.isPlaceOf(rec)
	if found && (!usable || rec.UploadID == "" || rec.Source != c.identity() || rec.PartSize != partSize) {
		if err := t.giveUp(ctx, rec); err != nil {
			return err
		}
		found = false
	}
	for startsLeft := 1; ; startsLeft-- {
		m := &multipart{target: t, content: c, rec: rec, partSize: partSize}
		err := m.run(ctx, found)
		again := errors.Is(err, errStartOver) || errors.Is(err, ErrCorrupt)
		changed := errors.Is(err, ErrChanged) || oss.Classify(err) == oss.ClassIdentity || gone(err)
		if err == nil || !(again || changed) {
			return err
		}
		if dropErr := t.giveUp(ctx, m.rec); dropErr != nil || !again || startsLeft == 0 || ctx.Err() != nil {
			if errors.Is(err, errStartOver) {
				err = &ChangedError{Name: t.key, What: "its multipart upload vanished twice", Destination: true, Hint: "see whether another program or a lifecycle rule aborts uploads, and run the job again"}
			}
			return errors.Join(err, dropErr)
		}
		t.log.Info("starting over", "key", t.key, "err", err)
		t.warn(fmt.Sprintf("%s was sent from the start again: %v", printable(t.key), err))
		t.tracker.restart(t.size)
		found = false
	}
}

// multipart is one multipart upload of one object.
type multipart struct {
	*target
	content
	rec      checkpoint.Object
	partSize int64
	listed   map[int]oss.Part // what the server has from an earlier run, unproven
	again    bool             // what it has is of this run
	parts    []oss.Part       // by number, less one
}

func (m *multipart) run(ctx context.Context, found bool) error {
	m.parts = make([]oss.Part, (m.size+m.partSize-1)/m.partSize)
	if found {
		settled, err := m.recall(ctx)
		if err != nil || settled {
			return err
		}
	} else if err := m.initiate(ctx); err != nil {
		return err
	}
	err := m.finish(ctx)
	if errors.Is(err, oss.ErrInvalidPart) {
		// The server's list tells which part it means: only that is sent again.
		if m.listed, err = m.list(ctx, m.rec.UploadID); err == nil {
			m.again = true
			m.tracker.add(-m.size)
			err = m.finish(ctx)
		}
	}
	if errors.Is(err, oss.ErrInvalidPart) || errors.Is(err, oss.ErrNoSuchUpload) {
		return fmt.Errorf("%w: %w", errStartOver, err)
	}
	return err
}

// finish brings every part to the server and makes the object of them.
func (m *multipart) finish(ctx context.Context) error {
	if err := m.sendParts(ctx); err != nil {
		return err
	}
	whole, err := m.whole(ctx)
	if err != nil {
		return err
	}
	if err := m.ready(ctx, whole); err != nil {
		return err
	}
	if err := m.undisturbed(ctx); err != nil {
		return err
	}
	err = m.guard.keep(ctx, m.name, func() (checkpoint.Identity, error) {
		return checkpoint.Identity{Size: m.size, CRC64: whole, HasCRC64: true}, nil
	})
	if err != nil {
		return err
	}
	m.rec.State, m.rec.CRC64 = checkpoint.StateCompleting, whole
	if err := m.journal.PutObject(ctx, m.rec); err != nil {
		return err
	}
	return m.complete(ctx)
}

// whole combines the CRC-64 of the object from those of its parts. Parts that
// were copied have theirs from the server's list.
func (m *multipart) whole(ctx context.Context) (uint64, error) {
	if slices.ContainsFunc(m.parts, func(p oss.Part) bool { return !p.HasCRC64 }) {
		listed, err := m.list(ctx, m.rec.UploadID)
		if err != nil {
			return 0, err
		}
		for i, p := range m.parts {
			m.parts[i].CRC64, m.parts[i].HasCRC64 = listed[p.Number].CRC64, listed[p.Number].HasCRC64
		}
	}
	whole := uint64(0)
	for _, p := range m.parts {
		whole = crc64.Combine(whole, p.CRC64, p.Size)
	}
	return whole, nil
}

// initiate begins an upload: first the intent is durable, then the service is
// asked, then its answer is durable, and only then a part is sent.
func (m *multipart) initiate(ctx context.Context) error {
	material, err := m.begin(ctx, m.partSize)
	if err != nil {
		return err
	}
	m.rec = checkpoint.Object{Key: m.name, Source: m.identity(), PartSize: m.partSize, Nonce: rand.Text(), Material: material}
	if m.aside {
		m.rec.Bucket, m.rec.Target = m.bucket.Name(), m.key
	}
	return m.newUpload(ctx, m.bucket, m.key, m.headers(), &m.rec)
}

// newUpload begins a multipart upload and puts it into rec. Before each try rec
// is recorded as the intent. A try after one that may have begun an upload,
// though nobody heard of it, looks for that first; where none can have, nothing
// is looked for and no intent is left.
func (j *job) newUpload(ctx context.Context, bucket *oss.Bucket, key string, headers oss.ObjectHeaders, rec *checkpoint.Object) error {
	open := false // whether the try at rec.Started may have begun one
	err := j.do(ctx, "initiate", key, priorityObject, func(ctx context.Context, _ int) error {
		// A stop waits for the answer: without its id the upload would stay.
		ctx, cancel := lingering(ctx, initiateLinger)
		defer cancel()
		if open {
			if err := j.abortLost(ctx, bucket, key, rec.Started, time.Now()); err != nil {
				return err
			}
		}
		open = false
		rec.State, rec.Started = checkpoint.StateIntent, time.Now()
		if err := j.journal.PutObject(ctx, *rec); err != nil {
			return err
		}
		result, err := bucket.InitMultipartUpload(ctx, key, &oss.InitMultipartOptions{ObjectHeaders: headers})
		if err != nil {
			open = undecided(err)
			return err
		}
		rec.UploadID, rec.State = result.UploadID, checkpoint.StateActive
		return nil
	})
	keep := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		return j.journal.PutObject(keep, *rec)
	case !open && rec.State == checkpoint.StateIntent:
		return errors.Join(err, j.journal.Forget(keep, rec.Key))
	}
	return err
}

// initiateLinger bounds how long a stop waits for an InitiateMultipartUpload.
const initiateLinger = 4 * time.Second

// lingering ends some time after ctx does.
func lingering(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(after, cancel) })
	return inner, func() {
		stop()
		cancel()
	}
}

// recall asks the server what it has of an earlier run's upload. settled is
// true if that run had completed it and only its own books were behind.
func (m *multipart) recall(ctx context.Context) (settled bool, err error) {
	m.listed, err = m.list(ctx, m.rec.UploadID)
	if errors.Is(err, oss.ErrNoSuchUpload) {
		return m.completedBefore(ctx)
	}
	return false, err
}

// list is what the server has of an upload, by part number.
func (t *target) list(ctx context.Context, uploadID string) (map[int]oss.Part, error) {
	listed := map[int]oss.Part{}
	var marker int
	for {
		var page *oss.ListPartsResult
		err := t.do(ctx, "list parts", t.key, priorityList, func(ctx context.Context, _ int) (err error) {
			page, err = t.bucket.ListParts(ctx, t.key, uploadID, &oss.ListPartsOptions{Marker: marker})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range page.Parts {
			listed[p.Number] = p
		}
		if !page.IsTruncated {
			return listed, nil
		}
		marker = page.NextMarker
	}
}

// completedBefore decides after NoSuchUpload: either the object is there with
// the bytes we would send, or the upload is lost.
func (m *multipart) completedBefore(ctx context.Context) (bool, error) {
	if m.rec.State != checkpoint.StateCompleting {
		return false, errStartOver
	}
	var meta *oss.ObjectMeta
	err := m.do(ctx, "head", m.key, priorityPiece, func(ctx context.Context, _ int) (err error) {
		meta, err = m.completed(ctx)
		return err
	})
	if err != nil {
		return false, err
	}
	if meta == nil {
		return false, errStartOver
	}
	m.tracker.resumed(m.size)
	etag, err := m.dress(ctx, meta.ETag)
	if err != nil {
		return false, err
	}
	return true, m.settle(m.rec.Source, etag, m.rec.CRC64, true)
}

// sendParts brings every part to the server, several at a time.
func (m *multipart) sendParts(ctx context.Context) error {
	m.tracker.split(len(m.parts))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(m.Engine.opts.Parallel)
	for i := range m.parts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return m.part(gctx, i+1) })
	}
	if err := g.Wait(); err != nil {
		if errors.Is(err, oss.ErrNoSuchUpload) {
			return fmt.Errorf("%w: %w", errStartOver, err)
		}
		return err
	}
	return context.Cause(ctx)
}

// part proves that the server has part number, or sends it.
func (m *multipart) part(ctx context.Context, number int) error {
	off := int64(number-1) * m.partSize
	length := min(m.partSize, m.size-off)
	if listed, ok := m.listed[number]; ok && listed.Size == length {
		var proven bool
		err := m.do(ctx, "prove", m.name, priorityPiece, func(context.Context, int) (err error) {
			proven, err = m.prove(&listed, off)
			return err
		})
		if err != nil {
			return err
		}
		if proven {
			m.parts[number-1] = listed
			if m.again {
				m.tracker.add(length)
			} else {
				m.tracker.resumed(length)
			}
			m.tracker.partsDone.Add(1)
			return nil
		}
		m.log.Info("part differs and is sent again", "key", m.key, "part", number)
	}
	return m.sendPart(ctx, number, off, length)
}

// sendPart sends one part and records it. The client has compared its CRC-64
// with the server's by then.
func (m *multipart) sendPart(ctx context.Context, number int, off, length int64) error {
	var part oss.Part
	err := m.do(ctx, "part", fmt.Sprintf("%d of %s", number, m.key), priorityPiece, func(ctx context.Context, _ int) (err error) {
		part, err = m.send(ctx, m.rec.UploadID, number, off, length)
		return err
	})
	if err != nil {
		return err
	}
	m.parts[number-1] = part
	m.tracker.partsDone.Add(1)
	return m.journal.AddPart(m.name, checkpoint.Part{
		Number: number, Size: length, CRC64: part.CRC64, ETag: part.ETag,
	})
}

// complete makes the object of its parts. An answer that is lost needs no
// guess: asked again, the service either completes, or no longer knows the
// upload, and then the object itself tells.
func (m *multipart) complete(ctx context.Context) error {
	var (
		etag      string
		confirmed bool
		theirs    bool // somebody else has made the object
	)
	err := m.do(ctx, "complete", m.key, priorityPiece, func(ctx context.Context, _ int) error {
		result, err := m.bucket.CompleteMultipartUpload(ctx, m.key, m.rec.UploadID, slices.Clone(m.parts), &oss.CompleteMultipartOptions{
			ForbidOverwrite: m.fresh(), ACL: m.adoptedACL(),
		})
		var (
			meta    *oss.ObjectMeta
			headErr error
		)
		switch {
		case err == nil:
			etag, confirmed = result.ETag, result.HasCRC64
			return nil
		case errors.Is(err, oss.ErrNoSuchUpload):
			meta, headErr = m.completed(ctx)
		case errors.Is(err, oss.ErrFileAlreadyExists), errors.Is(err, oss.ErrIntegrity):
			meta, headErr = m.has(ctx, m.rec.CRC64)
			theirs = meta != nil && errors.Is(err, oss.ErrFileAlreadyExists)
		default:
			return err
		}
		if headErr != nil {
			return headErr
		}
		if meta == nil {
			return m.incomplete(err)
		}
		etag, confirmed = meta.ETag, true
		return nil
	})
	if err == nil && theirs {
		err = m.abort(ctx, m.bucket, m.key, m.rec.UploadID) // our parts are of no use
	}
	if err == nil {
		etag, err = m.dress(ctx, etag)
	}
	if err != nil {
		return err
	}
	return m.settle(m.rec.Source, etag, m.rec.CRC64, confirmed)
}

// completed is the object that a Complete of the upload has made, nil if none
// has: one with the same bytes that is older than the upload is another.
func (m *multipart) completed(ctx context.Context) (*oss.ObjectMeta, error) {
	meta, err := m.has(ctx, m.rec.CRC64)
	if err != nil || meta == nil || !modifiedSince(meta, m.rec.Started) {
		return nil, err
	}
	return meta, nil
}

// incomplete is the verdict when Complete failed for good and the key does not
// hold our bytes.
func (m *multipart) incomplete(err error) error {
	if errors.Is(err, oss.ErrNoSuchUpload) {
		return fmt.Errorf("%w: %w", errStartOver, err)
	}
	if e, ok := errors.AsType[*oss.IntegrityError](err); ok {
		return &CorruptError{Name: m.key, Expected: m.rec.CRC64, Have: e.Expected}
	}
	return m.disturbed(err)
}

// settle records the object as done and counts it, unless it is an aside, which
// whoever makes it looks after. confirmed says that a CRC-64 of the server's
// agreed.
func (t *target) settle(source checkpoint.Identity, etag string, crc uint64, confirmed bool) error {
	t.unconfirmed(confirmed)
	if t.aside {
		return nil
	}
	err := t.journal.Settle(checkpoint.Settled{
		Key: t.name, Source: source, At: time.Now(),
		Dest: checkpoint.Identity{Size: t.size, ETag: etag, CRC64: crc, HasCRC64: confirmed},
	})
	if err != nil {
		return err
	}
	t.job.done(t.operation, t.key, "", t.size)
	return nil
}

// stands says whether the object is still the one that was recorded, and if so
// counts it as done.
func (t *target) stands(ctx context.Context, s checkpoint.Settled) (bool, error) {
	t.size = s.Source.Size
	var meta *oss.ObjectMeta
	err := t.do(ctx, "head", t.key, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = t.has(ctx, s.Dest.CRC64)
		return err
	})
	if err != nil || meta == nil || meta.ETag != s.Dest.ETag {
		return false, err
	}
	t.meter.bytesDone.Add(t.size)
	t.meter.bytesResumed.Add(t.size)
	t.job.done(t.operation, t.key, reasonBefore, t.size)
	return true, nil
}

// isPlaceOf says whether what rec has under way is made where the target is.
func (t *target) isPlaceOf(rec checkpoint.Object) bool {
	return !t.aside || rec.Bucket == t.bucket.Name() && rec.Target == t.key
}

// giveUp aborts an earlier upload of the object and forgets it.
func (t *target) giveUp(ctx context.Context, rec checkpoint.Object) error {
	return t.abandon(ctx, t.bucket, t.key, rec)
}

// partSizeFor is the part size for an object of size bytes: want, or as much
// more as the limit of 10,000 parts takes, in whole MiB.
func partSizeFor(size, want int64) (int64, error) {
	if need := (size + maxParts - 1) / maxParts; need > want {
		const mib = 1 << 20
		want = (need + mib - 1) / mib * mib
	}
	if want > maxPartSize {
		return 0, usagef("%d bytes are more than %d parts of %d bytes hold; OSS has no larger objects", size, maxParts, maxPartSize)
	}
	return want, nil
}
