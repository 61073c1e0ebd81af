package checkpoint

import (
	"errors"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// contents is what a survey found in a file of ours.
type contents struct {
	schema   uint64
	meta     map[string][]byte // payloads of intact records
	sums     [bucketCount]tally
	damaged  []recordID
	dropped  [bucketCount]uint64 // damaged records by bucket
	unknown  string              // a bucket that is not ours
	expected [bucketCount]tally
}

// load checks and opens an existing file and returns its header. The error is
// fs.ErrNotExist if there is none.
func (s *store) load(job Job) (*Job, error) {
	found := contents{meta: make(map[string][]byte)}
	shape, err := surveyFile(s.path, "", found.visit)
	if err != nil {
		return nil, err
	}
	stored, err := found.header(s.path)
	if err != nil {
		return nil, err
	}
	if !stored.same(job) || stored.ID != job.ID {
		return nil, &MismatchError{Path: s.path, Wanted: job, Found: stored}
	}
	if err := found.check(); err != nil {
		return nil, err
	}
	if shape.rolledBack {
		s.log.Warn("last commit of checkpoint is unreadable, going on from the one before", "path", s.path)
	}
	s.sums = found.sums
	if err := s.open(); err != nil {
		if errors.Is(err, berrors.ErrTimeout) {
			err = &HeldError{Path: s.path}
		}
		return nil, err
	}
	if err := s.repair(found.damaged); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if found.schema < schemaVersion {
		if err := s.upgrade(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	if shape.size > compactAbove && shape.free > shape.size/shape.pageSize/2 {
		if err := s.compact(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return &stored, nil
}

// visit sorts one record into what is good and what is not.
func (f *contents) visit(bucket string, key, value []byte) {
	id := metaBucket
	for id < bucketCount && id.name() != bucket {
		id++
	}
	if id == bucketCount {
		f.unknown = bucket
		return
	}
	place := string(key)
	payload, err := unframe(id, place, value)
	if err == nil && id == metaBucket {
		f.meta[place] = append([]byte(nil), payload...)
		return
	}
	if err == nil {
		err = validate(id, place, payload)
	}
	if err != nil {
		f.damaged = append(f.damaged, recordID{id, place})
		f.dropped[id]++
		return
	}
	f.sums[id].add(recordSum(value))
}

// validate decodes a record, for its fields may be wrong under a right sum
// only if a release with another layout wrote them.
func validate(id bucketID, key string, payload []byte) (err error) {
	switch id {
	case objectBucket:
		_, err = decodeObject(key, payload)
	case settledBucket:
		_, err = decodeSettled(key, payload)
	case failureBucket:
		_, err = decodeFailure(key, payload)
	case changeBucket:
		_, err = decodeChange(key, payload)
	case partBucket:
		_, block, ok := splitBlockKey([]byte(key))
		if !ok {
			return errRecord
		}
		_, err = decodeBlock(block, payload)
	}
	return err
}

// header returns the job, once the schema is known to be ours.
func (f *contents) header(path string) (Job, error) {
	schema, err := decodeSchema(f.meta[schemaKey])
	if err != nil || schema == 0 {
		return Job{}, damaged("no schema version")
	}
	if f.schema = schema; schema > schemaVersion {
		return Job{}, &VersionError{Path: path, Found: schema, Supported: schemaVersion}
	}
	job, err := decodeJob(f.meta[jobKey])
	if err != nil {
		return Job{}, damaged("no job header")
	}
	if f.expected, err = decodeTallies(f.meta[tallyKey]); err != nil {
		return Job{}, damaged("no record counts")
	}
	return job, nil
}

// check compares what is there with what should be. Damaged records are known
// to be missing; the rest must be all there was.
func (f *contents) check() error {
	if f.unknown != "" {
		return damaged("bucket %q", f.unknown)
	}
	for id := range bucketCount {
		got, want := f.sums[id], f.expected[id]
		if got.records+f.dropped[id] != want.records || (f.dropped[id] == 0 && got.xor != want.xor) {
			return damaged("%d of %d records in bucket %q", got.records, want.records, id.name())
		}
	}
	return nil
}

// upgrade gives a file of an earlier schema what it lacks.
func (s *store) upgrade() error {
	schema, err := frame(metaBucket, schemaKey, encodeSchema())
	if err != nil {
		return err
	}
	return s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			for id := range bucketCount {
				if _, err := tx.CreateBucketIfNotExists([]byte(id.name())); err != nil {
					return err
				}
			}
			if err := tx.Bucket([]byte(metaBucket.name())).Put([]byte(schemaKey), schema); err != nil {
				return err
			}
			return putTallies(tx, s.sums)
		})
	})
}

// repair deletes damaged records.
func (s *store) repair(ids []recordID) error {
	if len(ids) == 0 {
		return nil
	}
	return s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			for _, id := range ids {
				s.warnRecord(id.bucket, id.key)
				if err := tx.Bucket([]byte(id.bucket.name())).Delete([]byte(id.key)); err != nil {
					return err
				}
			}
			return putTallies(tx, s.sums)
		})
	})
}

// compact rewrites the file without its free pages and opens the new one. If
// there is no room for it, the old one does as well.
func (s *store) compact() error {
	const perTransaction = 4 << 20 // bytes; bounds the memory of the copy
	err := s.rewrite(func(temp *store) error {
		return s.guard(func() error { return bolt.Compact(temp.db, s.db, perTransaction) })
	})
	if err != nil {
		s.log.Warn("checkpoint not compacted", "path", s.path, "err", err)
	}
	return s.open()
}
