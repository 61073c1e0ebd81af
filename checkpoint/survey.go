package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// damageError says that a file cannot be trusted as a whole.
type damageError struct{ reason string }

func (e *damageError) Error() string { return "checkpoint: damaged file: " + e.reason }

func damaged(format string, args ...any) error {
	return &damageError{reason: fmt.Sprintf(format, args...)}
}

// The layout of a bbolt file, version 2, in the byte order of the machine.
const (
	pageHeader    = 16 // id u64, flags u16, count u16, overflow u32
	metaSize      = 64
	metaSum       = 56
	metaMagic     = 0xED0CDAED
	metaVersion   = 2
	branchElement = 16 // pos u32, key size u32, page u64
	leafElement   = 16 // flags u32, pos u32, key size u32, value size u32
	bucketHeader  = 16 // root u64, sequence u64

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketFlag   = 0x01

	minPage = 1 << 10 // bytes
	maxPage = 16 << 20

	// maxDepth bounds the tree: 2 keys a page is the least bbolt allows.
	maxDepth = 64
)

// survey reads a whole file before bbolt maps it, and proves what bbolt takes
// for granted: that the pages form a tree without cycles, that keys are in
// order within their bounds, that nothing in use is listed as free. Damage of
// these ends a process (a stack that grows for ever cannot be recovered from)
// or destroys records later on.
type survey struct {
	f        *os.File
	size     int64
	pageSize int64
	meta     meta
	used     []uint64 // bitmap of pages
	free     int64    // pages

	// rolledBack says that one of the two meta pages is unreadable: the last
	// commit may be lost, and the state is that of the one before.
	rolledBack bool

	// only names the one bucket to read; "" = all, and the list of free pages.
	only string

	// visit is called with each record, in key order within its bucket. It
	// must not keep the slices.
	visit func(bucket string, key, value []byte)
}

// meta is what the survey needs of a meta page.
type meta struct {
	pageSize             uint32
	root, freelist, high uint64
	tx                   uint64
}

// surveyFile surveys the file at path, or only one bucket of it. A
// *damageError says that it cannot be trusted, any other error that it could
// not be read.
func surveyFile(path, only string, visit func(bucket string, key, value []byte)) (*survey, error) {
	info, err := os.Stat(path) // to open a pipe would wait for a writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("checkpoint: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	s := &survey{f: f, size: info.Size(), only: only, visit: visit}
	return s, s.run()
}

func (s *survey) run() error {
	if err := s.readMeta(); err != nil {
		return err
	}
	pages := uint64(s.size / s.pageSize)
	s.used = make([]uint64, pages/64+1)
	s.mark(0, 1)
	if err := s.root(); err != nil || s.only != "" {
		return err
	}
	return s.freelist()
}

// readMeta takes the newer of the valid meta pages, as bbolt does. Without the
// first, the second is wherever the page size puts it.
func (s *survey) readMeta() error {
	first, okFirst, err := s.metaAt(0)
	if err != nil {
		return err
	}
	var second meta
	okSecond := false
	for size := int64(minPage); size <= maxPage && !okSecond; size *= 2 {
		if okFirst && size != int64(first.pageSize) {
			continue
		}
		if second, okSecond, err = s.metaAt(size); err != nil {
			return err
		}
		okSecond = okSecond && int64(second.pageSize) == size
	}
	s.meta, s.rolledBack = first, !okFirst || !okSecond
	if okSecond && (!okFirst || second.tx > first.tx) {
		s.meta = second
	}
	s.pageSize = int64(s.meta.pageSize)
	if s.pageSize < minPage || s.pageSize > maxPage || s.pageSize&(s.pageSize-1) != 0 {
		return damaged("no valid meta page")
	}
	return nil
}

func (s *survey) metaAt(offset int64) (m meta, ok bool, err error) {
	var b [pageHeader + metaSize]byte
	if _, err := s.f.ReadAt(b[:], offset); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return meta{}, false, err
	}
	p, order := b[pageHeader:], binary.NativeEndian
	h := fnv.New64a()
	h.Write(p[:metaSum])
	if order.Uint32(p) != metaMagic || order.Uint32(p[4:]) != metaVersion || order.Uint64(p[metaSum:]) != h.Sum64() {
		return meta{}, false, nil
	}
	return meta{
		pageSize: order.Uint32(p[8:]), root: order.Uint64(p[16:]), freelist: order.Uint64(p[32:]),
		high: order.Uint64(p[40:]), tx: order.Uint64(p[48:]),
	}, true, nil
}

// page reads a page with its overflow and marks it as used.
func (s *survey) page(id uint64) ([]byte, error) {
	pages := uint64(s.size / s.pageSize)
	if id < 2 || id >= s.meta.high || id >= pages {
		return nil, damaged("page %d of %d", id, pages)
	}
	b := make([]byte, s.pageSize)
	if _, err := s.f.ReadAt(b, int64(id)*s.pageSize); err != nil {
		return nil, err
	}
	if got := binary.NativeEndian.Uint64(b); got != id {
		return nil, damaged("page %d says it is page %d", id, got)
	}
	last := id + uint64(binary.NativeEndian.Uint32(b[12:]))
	if last >= s.meta.high || last >= pages {
		return nil, damaged("page %d goes on to page %d of %d", id, last, pages)
	}
	if !s.mark(id, last) {
		return nil, damaged("page %d is used twice", id)
	}
	if last == id {
		return b, nil
	}
	more := make([]byte, int64(last-id+1)*s.pageSize)
	copy(more, b)
	_, err := s.f.ReadAt(more[s.pageSize:], int64(id+1)*s.pageSize)
	return more, err
}

// mark notes pages as used and reports whether none of them was.
func (s *survey) mark(first, last uint64) bool {
	fresh := true
	for id := first; id <= last && id/64 < uint64(len(s.used)); id++ {
		fresh = fresh && !s.isUsed(id)
		s.used[id/64] |= 1 << (id % 64)
	}
	return fresh
}

func (s *survey) isUsed(id uint64) bool {
	return id/64 < uint64(len(s.used)) && s.used[id/64]&(1<<(id%64)) != 0
}

// root walks the bucket of buckets and then each of them.
func (s *survey) root() error {
	type bucket struct {
		name string
		root uint64
		page []byte // inline
	}
	var buckets []bucket
	err := s.tree(s.meta.root, func(flags uint32, key, value []byte) error {
		if flags != bucketFlag || len(value) < bucketHeader {
			return damaged("entry %q in place of a bucket", key)
		}
		buckets = append(buckets, bucket{string(key), binary.NativeEndian.Uint64(value), bytes.Clone(value[bucketHeader:])})
		return nil
	})
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if s.only != "" && b.name != s.only {
			continue
		}
		entry := func(flags uint32, key, value []byte) error {
			if flags != 0 {
				return damaged("bucket in bucket %q", b.name)
			}
			s.visit(b.name, key, value)
			return nil
		}
		if b.root == 0 {
			w := walk{survey: s, entry: entry}
			err = w.leaf(b.page)
		} else {
			err = s.tree(b.root, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *survey) tree(root uint64, entry func(flags uint32, key, value []byte) error) error {
	w := walk{survey: s, entry: entry}
	return w.page(root, 0)
}

// freelist checks that free pages are in the file's bounds, and not in use.
func (s *survey) freelist() error {
	b, err := s.page(s.meta.freelist)
	if err != nil {
		return err
	}
	if flags := binary.NativeEndian.Uint16(b[8:]); flags != freelistPage {
		return damaged("freelist has flags %#x", flags)
	}
	n, ids := uint64(binary.NativeEndian.Uint16(b[10:])), b[pageHeader:]
	if n == 0xFFFF { // too many for the header: the number comes first
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		return damaged("freelist of %d pages", n)
	}
	seen := make(map[uint64]struct{}, n)
	for i := range n {
		id := binary.NativeEndian.Uint64(ids[i*8:])
		if _, twice := seen[id]; twice || id < 2 || id >= s.meta.high || s.isUsed(id) {
			return damaged("page %d is listed as free", id)
		}
		seen[id] = struct{}{}
	}
	s.free = int64(n)
	return nil
}
