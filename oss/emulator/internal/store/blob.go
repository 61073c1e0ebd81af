package store

import (
	"errors"
	"io"
	"io/fs"
	"slices"
)

// BlobWriter writes one blob. Exactly one of Sync and Discard ends it; a
// synced blob that no transaction came to refer to must be given to Forget.
type BlobWriter struct {
	f    blobFile
	id   uint64
	size int64
}

// NewBlob begins a blob. sizeHint is the expected length in bytes, or -1.
func (s *Store) NewBlob(sizeHint int64) (*BlobWriter, error) {
	s.mu.Lock()
	id := s.nextID
	s.nextID++
	s.mu.Unlock()
	f, err := s.b.create(id, sizeHint)
	if err != nil {
		return nil, err
	}
	return &BlobWriter{f: f, id: id}, nil
}

func (w *BlobWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.size += int64(n)
	return n, err
}

// Sync makes the bytes durable and returns the blob as segments: none for an
// empty blob, which is not kept.
func (w *BlobWriter) Sync() ([]Segment, error) {
	if w.size == 0 {
		w.f.discard()
		return nil, nil
	}
	if err := w.f.sync(); err != nil {
		w.f.discard()
		return nil, err
	}
	return []Segment{{Blob: w.id, Len: w.size}}, nil
}

// Discard gives the blob up.
func (w *BlobWriter) Discard() { w.f.discard() }

// Forget removes synced blobs that no transaction refers to.
func (s *Store) Forget(segs []Segment) {
	for _, g := range segs {
		if g.Blob != 0 {
			s.remove([]uint64{g.Blob})
		}
	}
}

// Content reads an object's bytes. It stays readable, whatever happens to the
// object, until Close.
type Content struct {
	s    *Store
	segs []Segment
}

// Open pins the segments that find looks up. It calls find, in a transaction
// each, until two calls in a row agree: a pin counts only if the blobs were
// still referred to after it was taken.
func (s *Store) Open(find func(*Tx) ([]Segment, error)) (*Content, error) {
	var last []Segment
	for first := true; ; first = false {
		var segs []Segment
		err := s.View(func(tx *Tx) (err error) {
			segs, err = find(tx)
			return err
		})
		if err != nil {
			s.unpin(last)
			return nil, err
		}
		if !first && slices.EqualFunc(segs, last, SameBytes) {
			return &Content{s: s, segs: segs}, nil
		}
		s.unpin(last)
		s.pin(segs)
		last = segs
	}
}

func (s *Store) pin(segs []Segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range segs {
		if g.Blob != 0 {
			s.pins[g.Blob]++
		}
	}
}

func (s *Store) unpin(segs []Segment) {
	var gone []uint64
	s.mu.Lock()
	for _, g := range segs {
		if g.Blob == 0 {
			continue
		}
		s.pins[g.Blob]--
		if s.pins[g.Blob] > 0 {
			continue
		}
		delete(s.pins, g.Blob)
		if s.doomed[g.Blob] {
			delete(s.doomed, g.Blob)
			gone = append(gone, g.Blob)
		}
	}
	s.mu.Unlock()
	s.remove(gone)
}

// Close ends reading. It may be called once.
func (c *Content) Close() { c.s.unpin(c.segs) }

// CopyTo writes n bytes from off on to w, handing whole files to w's ReadFrom
// where it has one.
func (c *Content) CopyTo(w io.Writer, off, n int64) error {
	for _, g := range c.segs {
		if n == 0 {
			return nil
		}
		if off >= g.Len {
			off -= g.Len
			continue
		}
		m := min(n, g.Len-off)
		if err := c.copySegment(w, g, off, m); err != nil {
			return err
		}
		off, n = 0, n-m
	}
	if n > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (c *Content) copySegment(w io.Writer, g Segment, off, n int64) error {
	if g.Blob == 0 {
		_, err := w.Write(g.Data[off : off+n])
		return err
	}
	r, err := c.s.b.open(g.Blob)
	if err != nil {
		return err
	}
	return errors.Join(r.copyTo(w, g.Off+off, n), r.Close())
}

// Slice returns the segments of n bytes from off on.
func Slice(segs []Segment, off, n int64) []Segment {
	var out []Segment
	for _, g := range segs {
		if n == 0 {
			break
		}
		if off >= g.Len {
			off -= g.Len
			continue
		}
		m := min(n, g.Len-off)
		if g.Blob == 0 {
			out = append(out, Inline(g.Data[off:off+m])...)
		} else {
			out = append(out, Segment{Blob: g.Blob, Off: g.Off + off, Len: m})
		}
		off, n = 0, n-m
	}
	return out
}

// ignoreMissing is for removals that may come twice.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
