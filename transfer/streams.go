package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
	"github.com/osssync/osssync/scheduler"
	"golang.org/x/sync/errgroup"
)

// streamParallel is how many parts of a stream are under way at once: each
// costs a whole part of memory, since a stream cannot be read twice.
const streamParallel = 4

// streamMemory is what the parts of one stream hold per worker.
func streamMemory(o Options) int64 { return o.PartSize * streamParallel / int64(o.Concurrency) }

// streamGrowth is the number of parts after which the part size doubles, so
// that a stream of unknown length does not run out of part numbers: 8 MiB
// parts reach 496 GB, at no more than sixteen times the memory.
const streamGrowth = maxParts / 5

// UploadStream sends what r yields to the key dst.Path and returns once the
// object is complete and its CRC-64 equals that of the bytes read. r is read
// by one goroutine at a time, never after UploadStream returned.
//
// A stream cannot be read twice, so nothing survives an error: parts already
// sent are removed. Memory is a few parts.
func (e *Engine) UploadStream(ctx context.Context, r io.Reader, dst Location, opts *UploadOptions) (*Report, error) {
	var o UploadOptions
	if opts != nil {
		o = *opts
	}
	if dst.Bucket == nil || dst.Path == "" {
		return nil, usagef("upload needs a bucket and a key as its destination")
	}
	if o.RemoveSource {
		return nil, usagef("a stream has no source to remove")
	}
	what := spec{kind: "upload", source: "-", destination: o.location(dst), options: shape(o.Headers, dst)}
	j, err := e.withoutState().begin(ctx, what, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.report.Resumable = false
	j.seen(true, 0)
	j.meter.setPhase(PhaseTransferring)
	s := &stream{job: j, state: e.opts.StateDir, bucket: dst.Bucket, key: dst.Path, headers: o.Headers, source: callersReader{r}, keys: dst.Keys}
	s.books = func() (Journal, error) {
		return e.open(checkpoint.Job{
			ID: j.id, Kind: what.kind, Source: what.source, Destination: what.destination, Options: what.options, Created: time.Now(),
			Spec: call{Method: "stream", Destination: place(dst)}.text(o.JobOptions),
		})
	}
	err = s.run(ctx)
	j.blame(ctx, dst.Path, "upload", err)
	return j.end(ctx, err, false)
}

// stream is the upload of bytes that come once.
type stream struct {
	*job
	bucket   *oss.Bucket
	key      string
	headers  oss.ObjectHeaders
	source   io.Reader
	keys     crypto.Provider
	books    func() (Journal, error) // opens the checkpoint
	state    string                  // the folder it is in
	uploadID string
	began    time.Time // the upload
	size     int64

	mu    sync.Mutex
	parts []oss.Part // in the order of their arrival, sorted at the end
}

func (s *stream) run(ctx context.Context) error {
	first := make([]byte, s.Engine.opts.PartSize)
	n, err := readPart(s.source, first)
	if err == io.EOF {
		return s.put(ctx, first[:n])
	}
	if err != nil {
		return err
	}
	if s.keys != nil {
		return usagef("an encrypted stream of more than %d bytes, one part: OSS must know its length; send it as a file, or choose a larger part size", len(first))
	}
	if err := s.multipart(ctx, first); err != nil {
		return err
	}
	s.job.done("upload", s.key, "", s.size)
	return nil
}

// multipart sends a stream of more than one part. Though nobody can go on with
// it, its upload is in a checkpoint: the next run, or GC, finds what a killed
// one left.
func (s *stream) multipart(ctx context.Context, first []byte) (err error) {
	books, err := s.books()
	if err != nil {
		return stateError(s.state, heldError(s.id, err))
	}
	s.journal = books
	clean := false // nothing is left that the checkpoint knows of
	defer func() {
		if clean {
			err = errors.Join(err, books.Remove())
		} else {
			err = errors.Join(err, books.Close())
		}
	}()
	left := leftovers{bucket: s.bucket, keyOf: func(key string) string { return key }}
	if err := s.dropObjects(ctx, left); err != nil {
		return err
	}
	rec := checkpoint.Object{Key: s.key, PartSize: s.Engine.opts.PartSize}
	if err := s.newUpload(ctx, s.bucket, s.key, s.headers, &rec); err != nil {
		return err
	}
	s.uploadID, s.began = rec.UploadID, rec.Started
	err = s.send(ctx, first)
	if err != nil {
		left := s.abandon(ctx, s.bucket, s.key, rec)
		clean = left == nil
		return errors.Join(err, left)
	}
	clean = true
	return nil
}

// readPart fills buf; io.EOF says that the stream ended within it. It is not
// io.ReadFull, whose io.ErrUnexpectedEOF may be the stream's own, which broke.
func readPart(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if n == len(buf) && err == io.EOF {
		err = nil // it ends the next part
	}
	return n, err
}

func (s *stream) put(ctx context.Context, data []byte) error {
	s.grow(int64(len(data)))
	seal, err := newSeal(ctx, s.keys)
	if err != nil {
		return err
	}
	seal.apply(data, 0)
	digest, err := contentMD5(s.bucket, bytes.NewReader(data), s.size)
	if err != nil {
		return err
	}
	q := &request{bucket: s.bucket, key: s.key, size: s.size, headers: seal.envelope(s.headers), crc: crc64.Checksum(data)}
	err = s.do(ctx, "put", s.key, priorityObject, func(ctx context.Context, n int) error {
		if meta, err := s.made(ctx, q); meta != nil || err != nil {
			return err
		}
		_, err := s.bucket.PutObject(ctx, s.key, bytes.NewReader(data), &oss.PutObjectOptions{ObjectHeaders: q.headers, ContentMD5: digest})
		q.open = undecided(err)
		_, err = s.met(ctx, q, n, err)
		return err
	})
	if err != nil {
		return err
	}
	s.meter.bytesDone.Add(int64(len(data)))
	s.meter.totalsKnown.Store(true)
	s.job.done("upload", s.key, "", s.size)
	return nil
}

func (s *stream) grow(n int64) {
	s.size += n
	s.meter.bytesTotal.Add(n)
}

// send reads part after part and sends up to streamParallel of them at once,
// then completes the upload. first is the part that was read already.
func (s *stream) send(ctx context.Context, first []byte) error {
	g, gctx := errgroup.WithContext(ctx)
	free := make(chan []byte, streamParallel)
	for range streamParallel {
		free <- nil
	}
	read := func() error {
		part, size := first, s.Engine.opts.PartSize
		<-free // first takes the place of one buffer
		for number := 1; len(part) > 0; number++ {
			if number > maxParts {
				return usagef("the stream is longer than %d parts of this size hold; choose a larger part size", maxParts)
			}
			data := part
			s.grow(int64(len(data)))
			g.Go(func() error {
				defer func() { free <- data[:cap(data)] }()
				return s.sendPart(gctx, number, data)
			})
			if number%streamGrowth == 0 {
				size *= 2
			}
			var next []byte
			select {
			case next = <-free:
			case <-gctx.Done():
				return context.Cause(gctx)
			}
			if int64(cap(next)) < size {
				next = make([]byte, size)
			}
			n, err := readPart(s.source, next[:size])
			if err != nil && err != io.EOF {
				return err
			}
			part = next[:n]
		}
		return nil
	}
	if err := errors.Join(read(), g.Wait()); err != nil {
		return err
	}
	slices.SortFunc(s.parts, func(a, b oss.Part) int { return a.Number - b.Number })
	s.meter.totalsKnown.Store(true)
	return s.complete(ctx)
}

func (s *stream) sendPart(ctx context.Context, number int, data []byte) error {
	return s.pool.Do(ctx, scheduler.Task{
		Name: fmt.Sprintf("part %d of %s", number, printable(s.key)), Priority: priorityPiece, Bytes: int64(len(data)),
		Run: func(ctx context.Context, _ int) error {
			result, err := s.bucket.UploadPart(ctx, s.key, s.uploadID, number, bytes.NewReader(data), nil)
			if err != nil {
				return err
			}
			s.meter.bytesDone.Add(int64(len(data)))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.parts = append(s.parts, result.Part)
			return nil
		},
	})
}

func (s *stream) complete(ctx context.Context) error {
	whole := uint64(0)
	for _, p := range s.parts {
		whole = crc64.Combine(whole, p.CRC64, p.Size)
	}
	return s.do(ctx, "complete", s.key, priorityPiece, func(ctx context.Context, _ int) error {
		_, err := s.bucket.CompleteMultipartUpload(ctx, s.key, s.uploadID, s.parts, nil)
		if !errors.Is(err, oss.ErrNoSuchUpload) {
			return err // where it is lost, it is asked again
		}
		meta, headErr := s.holds(ctx, s.bucket, s.key, s.size, whole)
		switch {
		case headErr != nil:
			return headErr
		case meta == nil || !modifiedSince(meta, s.began):
			return err
		}
		return nil
	})
}

// DownloadTo writes the object src.Path to w, in order, and returns once its
// last byte is written and the CRC-64 of all equals the server's. A lost
// connection is taken up where it broke. What was written before an error
// stays written: a stream has no atomic name. The error matches ErrChanged if
// the object was overwritten or removed meanwhile.
func (e *Engine) DownloadTo(ctx context.Context, src Location, w io.Writer, opts *DownloadOptions) (*Report, error) {
	var o DownloadOptions
	if opts != nil {
		o = *opts
	}
	if src.Bucket == nil || src.Path == "" {
		return nil, usagef("download needs a bucket and a key as its source")
	}
	if o.RemoveSource {
		return nil, usagef("what goes to a stream is copied, not moved")
	}
	j, err := e.withoutState().begin(ctx, spec{kind: "download", source: o.location(src), destination: "-"}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.report.Resumable = false
	j.seen(true, 0)
	j.meter.setPhase(PhaseTransferring)
	err = j.downloadTo(ctx, src, w, o)
	j.blame(ctx, src.Path, "download", err)
	return j.end(ctx, err, false)
}

// writerError is an error of the caller's writer: no retry helps.
type writerError struct{ err error }

func (e *writerError) Error() string { return "write: " + e.err.Error() }
func (e *writerError) Unwrap() error { return e.err }

// reader is the state of one DownloadTo between its tries.
type reader struct {
	*job
	src     Location
	options DownloadOptions
	to      io.Writer

	pinned  *oss.GetObjectResult // the first answer: which object, which bytes
	seal    *seal
	written int64
	crc     uint64
	tracker *tracker
}

func (j *job) downloadTo(ctx context.Context, src Location, w io.Writer, o DownloadOptions) error {
	r := &reader{job: j, src: src, options: o, to: callersWriter{w}}
	for !r.complete() {
		before := r.written
		if err := j.do(ctx, "get", src.Path, priorityPiece, r.read); err != nil {
			return changedMeanwhile(src.Path, err, r.pinned != nil)
		}
		if r.written == before && !r.complete() {
			return io.ErrUnexpectedEOF
		}
	}
	r.tracker.end()
	meta := r.pinned.ObjectMeta
	if r.written == r.pinned.Total && meta.HasCRC64 && r.crc != meta.CRC64 {
		return &CorruptError{Name: src.Path, Expected: meta.CRC64, Have: r.crc}
	}
	j.done("download", src.Path, "", r.written)
	return nil
}

// changedMeanwhile is err, or that an object of which something was seen is
// another one or none now.
func changedMeanwhile(key string, err error, seen bool) error {
	if seen && (oss.Classify(err) == oss.ClassIdentity || gone(err)) {
		return changedObject(key, err)
	}
	return err
}

func (r *reader) complete() bool { return r.pinned != nil && r.written == r.pinned.Length }

// read is one try: it takes up where the one before broke off.
func (r *reader) read(ctx context.Context, _ int) error {
	if r.complete() {
		return nil // the try before had failed after its last byte
	}
	o := &oss.GetObjectOptions{Range: r.options.Range, VersionID: r.options.VersionID}
	if r.pinned != nil {
		first := r.pinned.Offset
		o.Range = oss.RangeBetween(first+r.written, first+r.pinned.Length-1)
		o.IfMatch = r.pinned.ETag
	}
	result, err := r.src.Bucket.GetObject(ctx, r.src.Path, o)
	if err != nil {
		return err
	}
	defer result.Body.Close()
	if r.pinned == nil {
		if r.seal, err = openSeal(ctx, r.src.Keys, &result.ObjectMeta); err != nil {
			return err
		}
		r.pinned = result
		r.meter.bytesTotal.Add(result.Length)
		r.meter.totalsKnown.Store(true)
		r.tracker = r.meter.track(r.src.Path, result.Length)

	}
	at := r.pinned.Offset + r.written
	n, crc, err := copyHashed(r.to, result.Body, r.tracker, func(p []byte, off int64) { r.seal.apply(p, at+off) })
	r.written += n
	r.crc = crc64.Combine(r.crc, crc, n)
	return err
}

// copyHashed copies r to w, by way of turn, and returns the CRC-64 of what was
// read and w took.
func copyHashed(w io.Writer, r io.Reader, t *tracker, turn func(p []byte, off int64)) (written int64, crc uint64, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			before := crc
			crc = crc64.Update(crc, buf[:n])
			turn(buf[:n], written)
			k, werr := w.Write(buf[:n])
			if k < n { // what w did not take is not counted
				turn(buf[:k], written)
				crc = crc64.Update(before, buf[:k])
			}
			written += int64(k)
			t.add(int64(k))
			if werr != nil {
				return written, crc, &writerError{werr}
			}
		}
		if err == io.EOF {
			return written, crc, nil
		}
		if err != nil {
			return written, crc, err
		}
	}
}
