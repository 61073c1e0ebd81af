package checkpoint

import (
	"errors"
	"os"

	bolt "go.etcd.io/bbolt"
)

// What the tests of the codec need of the inside.

// Roundtrip encodes a value and decodes the result.
func Roundtrip(v any) (any, error) {
	switch v := v.(type) {
	case Job:
		return decodeJob(encodeJob(v))
	case Object:
		return decodeObject(v.Key, encodeObject(v))
	case Settled:
		return decodeSettled(v.Key, encodeSettled(v))
	case Failure:
		return decodeFailure(v.Key, encodeFailure(v))
	case Change:
		return decodeChange(v.Key, encodeChange(v))
	case []Part:
		block := blockOf(v[0].Number)
		return decodeBlock(block, encodeBlock(block, v))
	}
	return nil, nil
}

// Older is Roundtrip by way of the first schema, which had not the last field of
// a job, nor the last four of an object: strings, all but an identity.
func Older(v any) (any, error) {
	switch v := v.(type) {
	case Job:
		b := encodeJob(v)
		return decodeJob(b[:len(b)-1])
	case Object:
		b := encodeObject(v)
		return decodeObject(v.Key, b[:len(b)-5])
	case Change:
		v.After = nil // which schema 3 did not have
		return decodeChange(v.Key, encodeChange(v))
	}
	return nil, nil
}

// DecodeAny decodes a payload as every kind of record and returns what was
// accepted.
func DecodeAny(payload []byte, block uint32) (accepted []any) {
	keep := func(v any, err error) {
		if err == nil {
			accepted = append(accepted, v)
		}
	}
	job, err := decodeJob(payload)
	keep(job, err)
	object, err := decodeObject("k", payload)
	keep(object, err)
	settled, err := decodeSettled("k", payload)
	keep(settled, err)
	failure, err := decodeFailure("k", payload)
	keep(failure, err)
	change, err := decodeChange("k", payload)
	keep(change, err)
	parts, err := decodeBlock(block, payload)
	keep(parts, err)
	return accepted
}

// Frame wraps a payload as an object's record.
func Frame(key string, payload []byte) ([]byte, error) { return frame(objectBucket, key, payload) }

// Unframe undoes Frame.
func Unframe(key string, rec []byte) ([]byte, error) { return unframe(objectBucket, key, rec) }

// UnframeSettled reads a record as if it had been found among the settled.
func UnframeSettled(key string, rec []byte) ([]byte, error) { return unframe(settledBucket, key, rec) }

// Survey reads a file as Open does before anything else.
func Survey(path string) error {
	_, err := surveyFile(path, "", func(string, []byte, []byte) {})
	return err
}

// PartsPerBlock is how many parts share a record.
const PartsPerBlock = partsPerBlock

// WriteSchema makes a file look as if another release had written it.
func WriteSchema(path string, version uint64) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	var e encoder
	e.uint(version)
	rec, err := frame(metaBucket, schemaKey, e.b)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("of the future")); err != nil {
			return err
		}
		return tx.Bucket([]byte(metaBucket.name())).Put([]byte(schemaKey), rec)
	})
	return errors.Join(err, db.Close())
}

// SettledRecord is a settled record as it is in the file.
func SettledRecord(s Settled) ([]byte, error) {
	return framed(settledBucket, s.Key, encodeSettled(s))
}

// StillAt reports whether path leads to the open file.
func StillAt(f *os.File, path string) bool { return stillAt(f, path) }

// MakeOlder turns a file into one of schema 2, which had no changes.
func MakeOlder(path string) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	var e encoder
	e.uint(2)
	schema, err := frame(metaBucket, schemaKey, e.b)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(metaBucket.name()))
		tallies, err := unframe(metaBucket, tallyKey, meta.Get([]byte(tallyKey)))
		if err != nil {
			return err
		}
		tallies = tallies[:len(tallies)-2] // those of an empty bucket are two zeros
		rec, err := frame(metaBucket, tallyKey, tallies)
		if err != nil {
			return err
		}
		return errors.Join(
			tx.DeleteBucket([]byte(changeBucket.name())),
			meta.Put([]byte(schemaKey), schema),
			meta.Put([]byte(tallyKey), rec),
		)
	})
	return errors.Join(err, db.Close())
}
