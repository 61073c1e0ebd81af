package localfs

import (
	"bytes"
	"sync"
)

// holeSize is the length of the shortest hole that KeepHoles leaves, in bytes,
// and what its place is a multiple of. A shorter one would save less than its
// entry in the file's map costs.
const holeSize = 64 << 10

type holeBlock [holeSize]byte

var (
	zeros  holeBlock
	blocks = sync.Pool{New: func() any { return new(holeBlock) }}
)

// KeepHoles gives the file its length, size bytes, and has WriteAt leave out
// blocks of 64 KiB that are zeros in the file already, so that they take no
// space. What the file reads as is the same. It is for a file that no space is
// reserved for, and is called before WriteAt; one too small for a hole is left
// as it is.
func (t *Temp) KeepHoles(size int64) error {
	if err := t.check(); err != nil {
		return err
	}
	if size < holeSize {
		return nil
	}
	t.sparse = true
	return t.file.Truncate(size)
}

// writeAround is WriteAt around what may stay a hole.
func (t *Temp) writeAround(p []byte, off int64) (n int, err error) {
	write := func(end int) error {
		if n == end {
			return nil
		}
		k, err := t.write(p[n:end], off+int64(n))
		n += k
		return err
	}
	for at := int(-off & (holeSize - 1)); at+holeSize <= len(p); at += holeSize {
		if !bytes.Equal(p[at:at+holeSize], zeros[:]) || !t.reads0(off+int64(at)) {
			continue
		}
		if err := write(at); err != nil {
			return n, err
		}
		n = at + holeSize
	}
	return n, write(len(p))
}

// reads0 says whether the block at off is zeros in the file. An earlier try may
// have written there.
func (t *Temp) reads0(off int64) bool {
	block := blocks.Get().(*holeBlock)
	defer blocks.Put(block)
	n, err := t.file.ReadAt(block[:], off)
	return n == holeSize && err == nil && *block == zeros
}
