package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// awayError says that a side no longer has what its listing had.
type awayError struct{ outcome Outcome }

func (e *awayError) Error() string { return string(e.outcome) }

// compareContent compares the bytes of a name that both sides have in the same
// size. Its error ends the job.
func (c *check) compareContent(ctx context.Context, a action) (finding, error) {
	f := finding{name: a.name, size: a.src.size}
	tracker := c.meter.track(a.name, a.src.size)
	defer tracker.end()
	reason, err := c.contents(ctx, a, tracker)
	away, isAway := errors.AsType[*awayError](err)
	switch {
	case isAway:
		f.outcome = away.outcome
	case err == nil && reason == "":
		f.outcome = OutcomeSame
	case err == nil:
		f.outcome, f.reason = OutcomeDiffers, reason
	case ctx.Err() != nil:
		return f, context.Cause(ctx)
	case fatal(err):
		return f, wrapObject("check", a.name, err)
	default:
		f.outcome, f.err = OutcomeFailed, err
	}
	tracker.add(f.size)
	return f, nil
}

// contents says in what the two sides of a name differ, "" if in nothing.
func (c *check) contents(ctx context.Context, a action, tracker *tracker) (string, error) {
	from := &heldContent{check: c, at: c.src, name: a.name, entry: a.src, away: OutcomeMissingSource, tracker: tracker}
	to := &heldContent{check: c, at: c.dst, name: a.name, entry: a.dst, away: OutcomeMissingDestination, tracker: tracker}
	for _, s := range []*heldContent{from, to} {
		if err := s.open(ctx); err != nil {
			return "", err
		}
		defer s.close()
	}
	if from.size != to.size {
		return sizes(from.size, to.size), nil
	}
	for _, s := range []*heldContent{from, to} { // a file is seen as the object has it
		if s.meta != nil {
			seal, err := openSeal(ctx, s.at.Keys, s.meta)
			if err != nil {
				return "", err
			}
			from.seal, to.seal = seal, seal
		}
	}
	var same bool
	var err error
	if c.options.Download {
		same, err = c.sameBytes(ctx, from, to)
	} else {
		same, err = c.sameSums(ctx, from, to)
	}
	if err == nil {
		err = errors.Join(from.unchanged(), to.unchanged())
	}
	if err != nil || same {
		return "", err
	}
	return "content", nil
}

// sameSums compares the CRC-64 of both sides.
func (c *check) sameSums(ctx context.Context, from, to *heldContent) (bool, error) {
	for _, s := range []*heldContent{from, to} {
		if s.file == nil && !s.meta.HasCRC64 {
			return false, errNoSum
		}
	}
	one, err := from.sum(ctx)
	if err != nil {
		return false, err
	}
	other, err := to.sum(ctx)
	return one == other, err
}

// sameBytes compares the bytes of both sides, several ranges at a time.
func (c *check) sameBytes(ctx context.Context, from, to *heldContent) (bool, error) {
	var differ atomic.Bool
	err := from.ranges(ctx, "compare", func(ctx context.Context, off, length int64) error {
		// What one look finds to differ may have been damaged on its way here.
		for range 2 {
			if differ.Load() {
				return nil
			}
			same, err := equalRange(ctx, from, to, off, length)
			if err != nil || same {
				return err
			}
		}
		differ.Store(true)
		return nil
	})
	return !differ.Load(), err
}

func equalRange(ctx context.Context, from, to *heldContent, off, length int64) (bool, error) {
	one, err := from.reader(ctx, off, length)
	if err != nil {
		return false, err
	}
	defer one.Close()
	other, err := to.reader(ctx, off, length)
	if err != nil {
		return false, err
	}
	defer other.Close()
	var bufs [2]*[bufferSize]byte
	for i := range bufs {
		bufs[i] = buffers.Get().(*[bufferSize]byte)
		defer buffers.Put(bufs[i])
	}
	for length > 0 {
		n := min(length, bufferSize)
		if _, err := io.ReadFull(one, bufs[0][:n]); err != nil {
			return false, from.shorter(err)
		}
		if _, err := io.ReadFull(other, bufs[1][:n]); err != nil {
			return false, to.shorter(err)
		}
		if !bytes.Equal(bufs[0][:n], bufs[1][:n]) {
			return false, nil
		}
		length -= n
	}
	return true, nil
}

// heldContent is what one side has under a name, pinned.
type heldContent struct {
	*check
	at      Location
	name    string
	entry   entry
	away    Outcome  // if it is not there
	tracker *tracker // may be nil

	size int64
	seal *seal
	file *os.File // of a file
	id   localfs.Identity
	meta *oss.ObjectMeta // of an object, unless its bytes are all that is asked for
	etag string
}

// open looks at what is there now.
func (s *heldContent) open(ctx context.Context) (err error) {
	if s.at.Bucket == nil {
		s.file, s.id, err = s.root.Open(s.fileName(s.name))
		s.size = s.id.Size
		if errors.Is(err, fs.ErrNotExist) {
			return &awayError{s.away}
		}
		return err
	}
	s.size, s.etag = s.entry.size, s.entry.etag
	if s.options.Download && s.at.Keys == nil {
		return nil
	}
	meta, err := s.metaAt(ctx, s.at, s.key(s.at, s.name))
	if err != nil {
		return err
	}
	if meta == nil {
		return &awayError{s.away}
	}
	s.meta, s.size, s.etag = meta, meta.Size, meta.ETag
	return nil
}

func (s *heldContent) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// unchanged says whether a file is still the one that was opened.
func (s *heldContent) unchanged() error {
	if s.file == nil {
		return nil
	}
	now, err := localfs.Identify(s.file)
	if err != nil {
		return err
	}
	if what := s.unlinked.difference(s.id, now); what != "" {
		return s.changed(what)
	}
	return nil
}

func (s *heldContent) changed(what string) error {
	name := s.key(s.at, s.name)
	if s.file != nil {
		name = filepath.Join(s.root.Dir(), filepath.FromSlash(s.fileName(s.name)))
	}
	return &ChangedError{Name: name, What: what}
}

func (s *heldContent) shorter(err error) error {
	if s.file != nil && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)) {
		return s.changed("it became shorter")
	}
	return err
}

// sum is the CRC-64 of an object as the service keeps it, and of a file as it
// is on the disk.
func (s *heldContent) sum(ctx context.Context) (uint64, error) {
	if s.file == nil {
		return s.meta.CRC64, nil
	}
	piece := s.Engine.opts.PartSize
	sums := make([]uint64, (s.size+piece-1)/piece)
	err := s.ranges(ctx, "hash", func(_ context.Context, off, length int64) (err error) {
		sums[off/piece], err = hashRange(s.seal.view(s.file), off, length, nil)
		return s.shorter(err)
	})
	var whole uint64
	for i, sum := range sums {
		whole = crc64.Combine(whole, sum, min(piece, s.size-int64(i)*piece))
	}
	return whole, err
}

// ranges calls fn for each range of the content through the pool, several at a
// time, so that a large file is soon done and soon stopped.
func (s *heldContent) ranges(ctx context.Context, op string, fn func(ctx context.Context, off, length int64) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.Engine.opts.Parallel)
	for off := int64(0); off < s.size && gctx.Err() == nil; off += s.Engine.opts.PartSize {
		length := min(s.Engine.opts.PartSize, s.size-off)
		g.Go(func() error {
			err := s.do(gctx, op, s.name, priorityPiece, func(ctx context.Context, _ int) error { return fn(ctx, off, length) })
			if err == nil && s.tracker != nil {
				s.tracker.add(length)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// reader reads length bytes from off, as the object has them.
func (s *heldContent) reader(ctx context.Context, off, length int64) (io.ReadCloser, error) {
	if s.file != nil {
		return io.NopCloser(io.NewSectionReader(s.seal.view(s.file), off, length)), nil
	}
	result, err := s.at.Bucket.GetObject(ctx, s.key(s.at, s.name), &oss.GetObjectOptions{
		Range: oss.RangeBetween(off, off+length-1), IfMatch: s.etag,
	})
	switch {
	case err == nil:
		return result.Body, nil
	case oss.Classify(err) == oss.ClassIdentity:
		return nil, s.changed("the object was overwritten")
	case errors.Is(err, oss.ErrNoSuchKey):
		return nil, &awayError{s.away}
	}
	return nil, err
}

// key is the key of a name on side l.
func (c *check) key(l Location, name string) string {
	if c.options.Single {
		return l.Path
	}
	return l.Path + name
}

// fileName is that of a name's file, below root.
func (c *check) fileName(name string) string {
	if c.options.Single {
		return c.file
	}
	return name
}

// metaAt asks for an object's metadata; nil if it is not there.
func (c *check) metaAt(ctx context.Context, l Location, key string) (meta *oss.ObjectMeta, err error) {
	err = c.do(ctx, "head", key, priorityObject, func(ctx context.Context, _ int) (err error) {
		meta, err = l.Bucket.HeadObject(ctx, key, nil)
		return err
	})
	if errors.Is(err, oss.ErrNotFound) && !errors.Is(err, oss.ErrNoSuchBucket) {
		return nil, nil
	}
	return meta, err
}

// only is the one name of a single check.
func (c *check) only(ctx context.Context) (action, error) {
	a := action{name: c.name, looked: true}
	from, there, err := c.look(ctx, c.src)
	if err != nil {
		return a, err
	}
	a.src = from
	if a.dst, a.exists, err = c.look(ctx, c.dst); err != nil {
		return a, err
	}
	if a.extra = !there && a.exists; !there && !a.exists {
		return a, wrapObject("check", c.name, fs.ErrNotExist)
	}
	return a, nil
}

func (c *check) look(ctx context.Context, l Location) (e entry, there bool, err error) {
	e.name = c.name
	if l.Bucket != nil {
		meta, err := c.metaAt(ctx, l, l.Path)
		if meta == nil || err != nil {
			return e, false, err
		}
		e.size, e.etag, e.modTime = meta.Size, meta.ETag, meta.LastModified
		return e, true, nil
	}
	e.id, err = c.root.Stat(c.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, false, nil
	case err == nil && !e.id.Mode.IsRegular():
		err = &fs.PathError{Op: "check", Path: l.Path, Err: localfs.ErrNotRegular}
	}
	e.size = e.id.Size
	return e, err == nil, err
}
