package crypto

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"io"
)

// Reader enciphers or deciphers what r gives, of which the next byte is the
// object's byte off. It says how much is left, by a Len or a Seek method, if r
// does; Seek works as that of r, but not to before where r was.
func (s *Stream) Reader(r io.Reader, off int64) io.Reader {
	x := &xorReader{src: r, stream: s, off: off}
	switch v := r.(type) {
	case nil:
		return bytes.NewReader(nil)
	case *io.LimitedReader:
		return io.LimitReader(s.Reader(v.R, off), v.N)
	case io.Seeker:
		if base, err := v.Seek(0, io.SeekCurrent); err == nil {
			return &seekReader{xorReader: x, seeker: v, base: base, first: off}
		}
	case sized:
		return &sizedReader{xorReader: x, sized: v}
	}
	return x
}

type sized interface{ Len() int }

// xorReader applies a key stream to what it reads.
type xorReader struct {
	src    io.Reader
	stream *Stream
	off    int64         // of the next byte within the object
	at     cipher.Stream // nil after a Seek
}

// Read fills p from the source and changes it there: no buffer of its own.
func (r *xorReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if n < 0 || n > len(p) {
		return 0, errors.New("crypto: the source's Read gave an impossible count")
	}
	if n > 0 {
		if r.at == nil {
			r.at = r.stream.from(r.off)
		}
		r.at.XORKeyStream(p[:n], p[:n])
		r.off += int64(n)
	}
	return n, err
}

// sizedReader is an xorReader that says how much is left.
type sizedReader struct {
	*xorReader
	sized
}

// seekReader is an xorReader of a source that rewinds.
type seekReader struct {
	*xorReader
	seeker io.Seeker
	base   int64 // the source's position that is byte first of the object
	first  int64
}

// Seek implements io.Seeker.
func (r *seekReader) Seek(offset int64, whence int) (int64, error) {
	at, err := r.seeker.Seek(offset, whence)
	if err != nil {
		return at, err
	}
	if at < r.base {
		_, err := r.seeker.Seek(r.base-r.first+r.off, io.SeekStart)
		return 0, errors.Join(errors.New("crypto: seek to before the first byte"), err)
	}
	if off := r.first + at - r.base; off != r.off {
		r.off, r.at = off, nil
	}
	return at, nil
}

// lengthOf is what is left to read of r, -1 if it does not say. It agrees with
// package oss.
func lengthOf(r io.Reader) int64 {
	switch v := r.(type) {
	case nil:
		return 0
	case sized:
		return int64(v.Len())
	case *io.LimitedReader:
		if n := lengthOf(v.R); n >= 0 {
			return max(0, min(n, v.N))
		}
	case io.Seeker:
		at, err := v.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		end, err := v.Seek(0, io.SeekEnd)
		if err != nil {
			return -1
		}
		if _, err := v.Seek(at, io.SeekStart); err != nil {
			return -1
		}
		return max(0, end-at)
	}
	return -1
}
