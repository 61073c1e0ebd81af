package store

import (
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// memory is the backend without a directory.
type memory struct {
	mu     sync.RWMutex
	closed bool
	tables [tableCount]*skipList

	blobMu sync.RWMutex
	blobs  map[uint64]*memBlob
}

func newMemory() *memory {
	m := &memory{blobs: make(map[uint64]*memBlob)}
	for i := range m.tables {
		m.tables[i] = newSkipList()
	}
	return m
}

func (m *memory) view(fn func(kv) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return fn(m)
}

func (m *memory) update(fn func(kv) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	return fn(m)
}

func (m *memory) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *memory) get(t table, key []byte) []byte { return m.tables[t].get(key) }

func (m *memory) put(t table, key, value []byte) error {
	m.tables[t].put(key, value)
	return nil
}

func (m *memory) del(t table, key []byte) error {
	m.tables[t].del(key)
	return nil
}

func (m *memory) scan(t table, from []byte, yield func(k, v []byte) bool) {
	m.tables[t].scan(from, yield)
}

// memChunk is the length of all chunks of a blob but its last.
const memChunk = 256 << 10

// memBlob is written by one goroutine, and read only once it is complete.
type memBlob struct {
	m      *memory
	id     uint64
	hint   int64
	chunks [][]byte
}

func (m *memory) create(id uint64, sizeHint int64) (blobFile, error) {
	return &memBlob{m: m, id: id, hint: sizeHint}, nil
}

func (b *memBlob) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == memChunk {
			size := int64(4 << 10)
			if left := b.hint - int64(len(b.chunks))*memChunk; left > 0 {
				size = min(left, memChunk)
			}
			b.chunks = append(b.chunks, make([]byte, 0, size))
			last++
		}
		n := min(len(p), memChunk-len(b.chunks[last]))
		b.chunks[last] = append(b.chunks[last], p[:n]...)
		p = p[n:]
	}
	return total, nil
}

func (b *memBlob) sync() error {
	b.m.blobMu.Lock()
	defer b.m.blobMu.Unlock()
	b.m.blobs[b.id] = b
	return nil
}

func (b *memBlob) discard() { _ = b.m.remove(b.id) }

func (m *memory) remove(id uint64) error {
	m.blobMu.Lock()
	defer m.blobMu.Unlock()
	delete(m.blobs, id)
	return nil
}

func (m *memory) open(id uint64) (blobReader, error) {
	m.blobMu.RLock()
	defer m.blobMu.RUnlock()
	if b := m.blobs[id]; b != nil {
		return b, nil
	}
	return nil, fmt.Errorf("blob %d: %w", id, fs.ErrNotExist)
}

func (b *memBlob) copyTo(w io.Writer, off, n int64) error {
	for n > 0 {
		i, o := off/memChunk, off%memChunk
		if i >= int64(len(b.chunks)) || o >= int64(len(b.chunks[i])) {
			return io.ErrUnexpectedEOF
		}
		c := b.chunks[i][o:]
		c = c[:min(n, int64(len(c)))]
		if _, err := w.Write(c); err != nil {
			return err
		}
		off, n = off+int64(len(c)), n-int64(len(c))
	}
	return nil
}

func (b *memBlob) Close() error { return nil }
