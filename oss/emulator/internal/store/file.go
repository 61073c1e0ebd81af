package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// shardBits is how many low bits of a blob's number are not in the name of
// its folder: 4096 blobs in a row share one, so a group of commits syncs one
// folder, hardly ever two.
const shardBits = 12

// file is the backend in a directory: lock, index.db, blobs/SHARD/BLOB.
type file struct {
	dir  string
	lock *os.File
	db   *bolt.DB

	swept Swept

	commits chan *commit
	closing chan struct{} // closed by close
	done    chan struct{} // closed when the committer has ended

	mu     sync.Mutex
	closed bool
	shards map[uint64]bool // folders that exist
	dirty  map[string]bool // folders with names that are not synced yet
}

// Swept says what opening a directory has removed.
type Swept struct {
	Blobs int
	Bytes int64
}

// OpenDir opens the store in dir, which it makes if it is missing, and removes
// blobs that a crash left without a reference. A directory in use by another
// process gives *LockedError at once.
func OpenDir(dir string) (*Store, error) {
	blobs := filepath.Join(dir, "blobs")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	f := &file{
		dir: dir, lock: lock, commits: make(chan *commit), closing: make(chan struct{}), done: make(chan struct{}),
		shards: make(map[uint64]bool), dirty: make(map[string]bool),
	}
	next, err := f.load()
	if err != nil {
		if f.db != nil {
			err = errors.Join(err, f.db.Close())
		}
		return nil, errors.Join(err, lock.Close())
	}
	go f.run()
	s := newStore(f, next)
	s.swept = f.swept
	return s, nil
}

// load opens the index, sweeps, and returns the next free blob number.
func (f *file) load() (next uint64, err error) {
	index := filepath.Join(f.dir, "index.db")
	if _, err := os.Stat(index); errors.Is(err, fs.ErrNotExist) {
		if err := makeIndex(index); err != nil {
			return 0, fmt.Errorf("make index: %w", err)
		}
	}
	_ = syncDir(filepath.Dir(f.dir)) // may not be ours to read
	for _, d := range []string{f.dir, filepath.Join(f.dir, "blobs")} {
		if err := syncDir(d); err != nil {
			return 0, err
		}
	}
	if f.db, err = openIndex(index); err != nil {
		return 0, fmt.Errorf("open index: %w", err)
	}
	if err := makeTables(f.db); err != nil {
		return 0, fmt.Errorf("open index: %w", err)
	}
	last, err := f.sweep()
	return last + 1, err
}

func openIndex(path string) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
}

// makeIndex makes an empty index under another name first: no crash leaves a
// half-made one that every later start would refuse.
func makeIndex(path string) error {
	temp := path + ".new"
	if err := ignoreMissing(os.Remove(temp)); err != nil {
		return err
	}
	db, err := openIndex(temp)
	if err != nil {
		return err
	}
	if err := errors.Join(makeTables(db), db.Close()); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// makeTables adds the tables that an index lacks: all, or those that an older
// version of this package did not know.
func makeTables(db *bolt.DB) error {
	complete := true
	err := db.View(func(tx *bolt.Tx) error {
		for t := range tableCount {
			complete = complete && tx.Bucket([]byte{byte(t)}) != nil
		}
		return nil
	})
	if err != nil || complete {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for t := range tableCount {
			if _, err := tx.CreateBucketIfNotExists([]byte{byte(t)}); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweep removes unreferenced blobs, a folder at a time, and returns the
// highest blob number in use.
func (f *file) sweep() (last uint64, err error) {
	root := filepath.Join(f.dir, "blobs")
	shards, err := os.ReadDir(root)
	if err != nil {
		return 0, err
	}
	for _, d := range shards {
		shard, err := strconv.ParseUint(d.Name(), 16, 64-shardBits)
		if err != nil || d.Name() != shardName(shard) {
			continue // not ours
		}
		kept, err := f.sweepShard(shard)
		if err != nil {
			return 0, fmt.Errorf("sweep blobs: %w", err)
		}
		if kept > 0 {
			last = max(last, kept)
			f.shards[shard] = true
		}
	}
	return last, nil
}

func (f *file) sweepShard(shard uint64) (last uint64, err error) {
	live := make(map[uint64]bool)
	from, to := shard<<shardBits, (shard+1)<<shardBits
	err = f.view(func(k kv) error {
		k.scan(tableBlobs, blobKey(from), func(key, _ []byte) bool {
			id := binary.BigEndian.Uint64(key)
			if id >= to {
				return false
			}
			live[id] = true
			last = id
			return true
		})
		return nil
	})
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(f.dir, "blobs", shardName(shard))
	names, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, n := range names {
		id, err := strconv.ParseUint(n.Name(), 16, 64)
		if err != nil || live[id] {
			continue
		}
		if info, err := n.Info(); err == nil {
			f.swept.Blobs++
			f.swept.Bytes += info.Size()
		}
		if err := os.Remove(filepath.Join(dir, n.Name())); err != nil {
			return 0, err
		}
	}
	if last == 0 {
		return 0, ignoreNotEmpty(os.Remove(dir))
	}
	return last, nil
}

// ignoreNotEmpty lets a folder stay that holds something foreign.
func ignoreNotEmpty(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func shardName(shard uint64) string { return fmt.Sprintf("%08x", shard) }

func (f *file) blobPath(id uint64) string {
	return filepath.Join(f.dir, "blobs", shardName(id>>shardBits), fmt.Sprintf("%012x", id))
}

func (f *file) view(fn func(kv) error) error {
	err := f.db.View(func(tx *bolt.Tx) error { return fn(&boltKV{tx: tx}) })
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// close ends the committer after the group it is at. It may be called twice.
func (f *file) close() error {
	f.mu.Lock()
	again := f.closed
	f.closed = true
	f.mu.Unlock()
	if again {
		return nil
	}
	close(f.closing)
	<-f.done
	return errors.Join(f.db.Close(), f.lock.Close())
}

// boltKV is a transaction on the index; wrote tells whether it was only read.
type boltKV struct {
	tx    *bolt.Tx
	wrote bool
}

func (k *boltKV) bucket(t table) *bolt.Bucket { return k.tx.Bucket([]byte{byte(t)}) }

func (k *boltKV) get(t table, key []byte) []byte { return k.bucket(t).Get(key) }

func (k *boltKV) put(t table, key, value []byte) error {
	k.wrote = true
	return k.bucket(t).Put(key, value)
}

func (k *boltKV) del(t table, key []byte) error {
	k.wrote = true
	return k.bucket(t).Delete(key)
}

func (k *boltKV) scan(t table, from []byte, yield func(key, value []byte) bool) {
	c := k.bucket(t).Cursor()
	for key, v := c.Seek(from); key != nil; key, v = c.Next() {
		if !yield(key, v) {
			return
		}
	}
}

type fileBlob struct {
	f     *file
	w     *os.File
	id    uint64
	ended bool
}

func (f *file) create(id uint64, _ int64) (blobFile, error) {
	if err := f.makeShard(id >> shardBits); err != nil {
		return nil, err
	}
	w, err := os.OpenFile(f.blobPath(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileBlob{f: f, w: w, id: id}, nil
}

func (f *file) makeShard(shard uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shards[shard] {
		return nil
	}
	root := filepath.Join(f.dir, "blobs")
	if err := os.Mkdir(filepath.Join(root, shardName(shard)), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f.shards[shard] = true
	f.dirty[root] = true
	return nil
}

func (b *fileBlob) Write(p []byte) (int, error) { return b.w.Write(p) }

func (b *fileBlob) sync() error {
	if err := errors.Join(b.w.Sync(), b.w.Close()); err != nil {
		return err
	}
	b.ended = true
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.dirty[filepath.Dir(b.f.blobPath(b.id))] = true
	return nil
}

// discard drops bytes nobody was promised; what it leaves, the sweep takes.
func (b *fileBlob) discard() {
	if !b.ended {
		_ = b.w.Close()
	}
	_ = b.f.remove(b.id)
}

func (f *file) remove(id uint64) error { return ignoreMissing(os.Remove(f.blobPath(id))) }

func (f *file) open(id uint64) (blobReader, error) {
	r, err := os.Open(f.blobPath(id))
	if err != nil {
		return nil, err
	}
	return fileReader{r}, nil
}

type fileReader struct{ *os.File }

func (r fileReader) copyTo(w io.Writer, off, n int64) error {
	if off > 0 {
		if _, err := r.Seek(off, io.SeekStart); err != nil {
			return err
		}
	}
	// Of the types that net.TCPConn hands to sendfile, one is a
	// LimitedReader of a bare *os.File.
	m, err := io.Copy(w, &io.LimitedReader{R: r.File, N: n})
	if err == nil && m < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}
