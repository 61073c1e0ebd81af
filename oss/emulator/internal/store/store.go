// Package store keeps buckets, objects and multipart uploads, in memory or in
// a directory.
//
// It has two halves. The index is an ordered key-value store (a skip list, or
// one bbolt file) that holds all metadata. Blobs are immutable byte strings
// (chunks, or plain files) named by number; an object is a list of segments of
// blobs, so that completing a multipart upload and copying an object move no
// bytes. The index counts the references to every blob.
//
// A blob is written and synced before the transaction that refers to it; it
// is removed after the transaction that drops its last reference, and not
// before every reader that had it open is done.
package store

import (
	"errors"
	"io"
	"sync"
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("store is closed")

// table is one key space of the index.
type table byte

const (
	tableBuckets  table = iota // bucket
	tableObjects               // bucket 0 key
	tableUploads               // bucket 0 key 0 upload id
	tableParts                 // upload id, part number (2 bytes, big-endian)
	tableBlobs                 // blob id (8 bytes, big-endian) → reference count
	tableConfigs               // bucket 0 family 0 name
	tableVersions              // bucket 0 key 0, 8 bytes that fall with age
	tableStats                 // bucket
	tableCount
)

// kv is a transaction on the index. Slices passed in are kept, and those
// passed out are valid until the transaction ends; neither may be changed.
type kv interface {
	get(t table, key []byte) []byte
	put(t table, key, value []byte) error
	del(t table, key []byte) error
	// scan yields entries with key >= from, ascending, until yield says stop.
	scan(t table, from []byte, yield func(key, value []byte) bool)
}

// backend is where a store keeps its bytes.
type backend interface {
	view(fn func(kv) error) error
	// update runs fn alone; an fn that returns an error must not have written.
	// It returns when the effect is durable, as are all blobs synced before.
	update(fn func(kv) error) error
	create(id uint64, sizeHint int64) (blobFile, error)
	open(id uint64) (blobReader, error)
	remove(id uint64) error
	close() error
}

type blobFile interface {
	io.Writer
	sync() error // makes the bytes durable and ends writing
	discard()    // ends writing and removes the bytes
}

type blobReader interface {
	// copyTo writes n bytes from off on to w.
	copyTo(w io.Writer, off, n int64) error
	io.Closer
}

// Store is safe for concurrent use.
type Store struct {
	b     backend
	swept Swept

	mu     sync.Mutex
	nextID uint64
	pins   map[uint64]int  // blobs being read
	doomed map[uint64]bool // unreferenced, but pinned
}

func newStore(b backend, nextID uint64) *Store {
	return &Store{b: b, nextID: nextID, pins: make(map[uint64]int), doomed: make(map[uint64]bool)}
}

// NewMemory returns a store that forgets everything on Close.
func NewMemory() *Store { return newStore(newMemory(), 1) }

// Swept says what OpenDir has removed.
func (s *Store) Swept() Swept { return s.swept }

// Close waits for the running transaction and releases the directory.
func (s *Store) Close() error { return s.b.close() }

// View runs fn on a consistent snapshot.
func (s *Store) View(fn func(*Tx) error) error {
	return s.b.view(func(k kv) error { return fn(&Tx{kv: k}) })
}

// Update runs fn alone and returns once its effect is durable. An fn that
// returns an error must do so before its first write; it may run on another
// goroutine, but only once.
func (s *Store) Update(fn func(*Tx) error) error {
	var dead []uint64
	err := s.b.update(func(k kv) error {
		tx := &Tx{kv: k}
		if err := fn(tx); err != nil {
			return err
		}
		var err error
		if dead, err = tx.countRefs(); err != nil {
			return err
		}
		return tx.writeStats()
	})
	if err != nil {
		return err
	}
	return s.release(dead)
}

// release removes blobs that have lost their last reference, or leaves that
// to the last reader.
func (s *Store) release(dead []uint64) error {
	if len(dead) == 0 {
		return nil
	}
	now := dead[:0]
	s.mu.Lock()
	for _, id := range dead {
		if s.pins[id] > 0 {
			s.doomed[id] = true
		} else {
			now = append(now, id)
		}
	}
	s.mu.Unlock()
	s.remove(now)
	return nil
}

// remove deletes blobs nobody refers to. One that cannot be removed now (a
// scanner holds it open, say) goes with the sweep of the next start.
func (s *Store) remove(ids []uint64) {
	for _, id := range ids {
		_ = s.b.remove(id)
	}
}
