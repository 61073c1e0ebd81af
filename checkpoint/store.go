package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockTimeout is how long bbolt may wait for its own lock. Ours is held by
// then, so only a foreign tool can be in the way.
const lockTimeout = 2 * time.Second

// fillPercent is how full pages are packed: most keys come in order, and
// half-full pages would double the file.
const fillPercent = 0.9

// store is the file of a job. Reads may run at once with each other and with
// one commit.
type store struct {
	path  string
	log   *slog.Logger
	watch func(op string, done bool) // nil: nobody
	db    *bolt.DB
	file  *os.File // of db
	sums  [bucketCount]tally

	// panicked says that bbolt was left in the middle of something: its locks
	// may be held, so it is abandoned instead of closed.
	panicked atomic.Bool
}

// guard runs fn and makes an error of a panic or of a fault in mapped memory,
// which a damaged or truncated file causes inside bbolt.
// Nothing runs after that: bbolt does not give back all its locks.
func (s *store) guard(fn func() error) (err error) {
	if s.panicked.Load() {
		return &damageError{reason: "unusable since an earlier fault"}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			s.panicked.Store(true)
			err = &damageError{reason: fmt.Sprint(p)}
		}
	}()
	return fn()
}

// open maps the file at s.path, creating it if it is not there.
func (s *store) open() error {
	err := s.guard(func() (err error) {
		s.db, err = bolt.Open(s.path, 0o600, &bolt.Options{
			Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, NoStatistics: true,
			OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, perm)
				s.file = f
				return f, err
			},
		})
		return err
	})
	if err == nil {
		return nil
	}
	s.db = nil
	if s.panicked.Load() && s.file != nil {
		s.file.Close()
	}
	return err
}

// close ends the use of the file. It may be called after a failed open.
func (s *store) close() error {
	switch {
	case s.db == nil:
		return nil
	case s.panicked.Load():
		return s.file.Close()
	default:
		return s.db.Close()
	}
}

// create makes a file for job.
func (s *store) create(job Job) error {
	return s.rewrite(func(temp *store) error { return temp.initialize(job) })
}

// rewrite makes a file under a temporary name, lets fill put everything into
// it, and renames it to s.path: no crash leaves a file half made.
func (s *store) rewrite(fill func(temp *store) error) error {
	temp := &store{path: s.path + ".new", log: s.log}
	if err := os.Remove(temp.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := temp.open(); err != nil {
		return err
	}
	err := errors.Join(fill(temp), temp.close(), s.close())
	if err == nil {
		err = replace(temp.path, s.path)
	}
	if err != nil {
		os.Remove(temp.path)
	}
	return err
}

func (s *store) initialize(job Job) error {
	schema, err := frame(metaBucket, schemaKey, encodeSchema())
	if err != nil {
		return err
	}
	header, err := frame(metaBucket, jobKey, encodeJob(job))
	if err != nil {
		return err
	}
	return s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			for id := range bucketCount {
				if _, err := tx.CreateBucket([]byte(id.name())); err != nil {
					return err
				}
			}
			meta := tx.Bucket([]byte(metaBucket.name()))
			if err := meta.Put([]byte(schemaKey), schema); err != nil {
				return err
			}
			if err := meta.Put([]byte(jobKey), header); err != nil {
				return err
			}
			return putTallies(tx, s.sums)
		})
	})
}

// replace moves a closed file to its final name, both durably.
func replace(from, to string) error {
	f, err := os.OpenFile(from, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// get returns a copy of one record, nil if there is none.
func (s *store) get(bucket bucketID, key string) (rec []byte, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			rec = bytes.Clone(tx.Bucket([]byte(bucket.name())).Get([]byte(key)))
			return nil
		})
	})
	return rec, err
}

// record is one key and value as they are in the file.
type record struct {
	key string
	rec []byte
}

// page returns up to limit records of a bucket whose keys begin with prefix
// and are at or above from. A transaction that stays open would keep the
// writer from growing the file, so listings go page by page.
func (s *store) page(bucket bucketID, prefix, from []byte, limit int) (recs []record, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			c := tx.Bucket([]byte(bucket.name())).Cursor()
			for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix) && len(recs) < limit; k, v = c.Next() {
				recs = append(recs, record{string(k), bytes.Clone(v)})
			}
			return nil
		})
	})
	return recs, err
}

// step does what changes the file, and tells whoever watches.
func (s *store) step(op string, do func() error) error {
	if s.watch == nil {
		return do()
	}
	s.watch(op, false)
	if err := do(); err != nil {
		return err
	}
	s.watch(op, true)
	return nil
}

// commit makes one batch durable, in one transaction.
func (s *store) commit(b *batch) error {
	sums := s.sums
	err := s.step("commit", func() error {
		return s.guard(func() error {
			return s.db.Update(func(tx *bolt.Tx) error {
				w := writer{tx: tx, sums: &sums}
				if err := w.batch(b); err != nil {
					return err
				}
				return putTallies(tx, sums)
			})
		})
	})
	if err == nil {
		s.sums = sums
	}
	return err
}

// writer changes records within a transaction and keeps the tallies right.
type writer struct {
	tx   *bolt.Tx
	sums *[bucketCount]tally
}

func (w writer) batch(b *batch) error {
	for id := range bucketCount {
		if b.cleared[id] {
			if err := w.clear(id); err != nil {
				return err
			}
		}
	}
	for key, change := range b.parts {
		if err := w.parts(key, change); err != nil {
			return err
		}
	}
	for _, id := range b.sorted() {
		if err := w.set(id.bucket, []byte(id.key), b.records[id]); err != nil {
			return err
		}
	}
	return nil
}

func (w writer) clear(id bucketID) error {
	w.sums[id] = tally{}
	if err := w.tx.DeleteBucket([]byte(id.name())); err != nil {
		return err
	}
	_, err := w.tx.CreateBucket([]byte(id.name()))
	return err
}

func (w writer) parts(key string, change blocks) error {
	if change.dropped {
		prefix := blockPrefix(key)
		var gone [][]byte
		c := w.tx.Bucket([]byte(partBucket.name())).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			gone = append(gone, k)
		}
		for _, k := range gone {
			if err := w.set(partBucket, bytes.Clone(k), nil); err != nil {
				return err
			}
		}
	}
	for block, rec := range change.records {
		if err := w.set(partBucket, []byte(blockKey(key, block)), rec); err != nil {
			return err
		}
	}
	return nil
}

// set writes one record, or deletes it if rec is nil.
func (w writer) set(id bucketID, key, rec []byte) error {
	bucket := w.tx.Bucket([]byte(id.name()))
	bucket.FillPercent = fillPercent
	old := bucket.Get(key)
	if old != nil {
		w.sums[id].remove(recordSum(old))
	}
	if rec == nil {
		if old == nil {
			return nil
		}
		return bucket.Delete(key)
	}
	w.sums[id].add(recordSum(rec))
	return bucket.Put(key, rec)
}
