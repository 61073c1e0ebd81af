package store

import (
	"encoding/binary"
	"iter"
)

// Versioning states of a bucket. A bucket that never had versions has "".
const (
	VersioningEnabled   = "Enabled"
	VersioningSuspended = "Suspended"
)

// A key's current object is in the table of objects, whatever the bucket's
// versioning: reading and listing know nothing of versions. What is not
// current, and delete markers, are in the table of versions, newest first. So
// a key whose newest version is a delete marker has no current object.
//
// The version that is written while there is no versioning has no id; the
// protocol calls it null.

// versionKey orders the versions of a key from the newest to the oldest.
func versionKey(bucket, key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(objectKey(bucket, key), 0), ^seq)
}

// AddVersion makes o the current object of its key. What was current becomes
// an old version, or is dropped, as versioning, the bucket's state, says; o's
// VersionID counts only if it is enabled.
func (tx *Tx) AddVersion(versioning, bucket string, o *Object) error {
	switch versioning {
	case VersioningEnabled, VersioningSuspended:
		if err := tx.makeRoom(versioning, bucket, o); err != nil {
			return err
		}
	default:
		o.VersionID, o.Seq = "", 0
	}
	return tx.PutObject(bucket, o)
}

// AddMarker makes m, which needs only a Key, a VersionID and a time, the
// newest version of its key: a delete marker.
func (tx *Tx) AddMarker(versioning, bucket string, m *Object) error {
	m.Marker = true
	if err := tx.makeRoom(versioning, bucket, m); err != nil {
		return err
	}
	return tx.putVersion(bucket, m)
}

// makeRoom moves what is current out of the way of a newer version o, and
// gives o its place in the order.
func (tx *Tx) makeRoom(versioning, bucket string, o *Object) error {
	current, err := tx.Object(bucket, o.Key)
	if err != nil {
		return err
	}
	var old, null *Object
	for v, err := range tx.oldVersions(bucket, o.Key) {
		if err != nil {
			return err
		}
		if old == nil {
			old = v
		}
		if versioning != VersioningSuspended {
			break // there may be very many
		}
		if v.VersionID == "" {
			null = v
		}
	}
	o.Seq = uint64(max(0, o.Modified.UnixNano()))
	for _, v := range []*Object{current, old} {
		if v != nil {
			o.Seq = max(o.Seq, v.Seq+1)
		}
	}
	if versioning == VersioningSuspended {
		o.VersionID = ""
		if null != nil {
			if err := tx.dropVersion(bucket, null); err != nil {
				return err
			}
		}
	}
	switch {
	case current == nil:
		return nil
	case current.VersionID == "" && versioning == VersioningSuspended:
		return tx.DeleteObject(bucket, o.Key)
	}
	return tx.move(bucket, current, tableObjects, tableVersions)
}

// Version returns a version of a key by its id, nil if there is none.
func (tx *Tx) Version(bucket, key, id string) (*Object, error) {
	current, err := tx.Object(bucket, key)
	if err != nil || current != nil && current.VersionID == id {
		return current, err
	}
	for v, err := range tx.oldVersions(bucket, key) {
		if err != nil || v.VersionID == id {
			return v, err
		}
	}
	return nil, nil
}

// Newest returns the newest version of a key, which may be a delete marker;
// nil if there is none.
func (tx *Tx) Newest(bucket, key string) (*Object, error) {
	current, err := tx.Object(bucket, key)
	if err != nil || current != nil {
		return current, err
	}
	for v, err := range tx.oldVersions(bucket, key) {
		return v, err
	}
	return nil, nil
}

// ChangeVersion replaces the record of a version that is there.
func (tx *Tx) ChangeVersion(bucket string, o *Object) error {
	current, err := tx.Object(bucket, o.Key)
	if err != nil {
		return err
	}
	if current != nil && current.VersionID == o.VersionID {
		return tx.PutObject(bucket, o)
	}
	return tx.putVersion(bucket, o)
}

// DeleteVersion removes a version for good. If it was the newest, the one
// before it takes its place.
func (tx *Tx) DeleteVersion(bucket string, o *Object) error {
	current, err := tx.Object(bucket, o.Key)
	if err != nil {
		return err
	}
	if current != nil && current.VersionID == o.VersionID {
		if err := tx.DeleteObject(bucket, o.Key); err != nil {
			return err
		}
		current = nil
	} else if err := tx.dropVersion(bucket, o); err != nil {
		return err
	}
	if current != nil {
		return nil
	}
	for v, err := range tx.oldVersions(bucket, o.Key) {
		if err != nil || v.Marker {
			return err
		}
		return tx.move(bucket, v, tableVersions, tableObjects)
	}
	return nil
}

// move takes a record from one table to the other.
func (tx *Tx) move(bucket string, o *Object, from, to table) error {
	place := func(t table) []byte {
		if t == tableObjects {
			return objectKey(bucket, o.Key)
		}
		return versionKey(bucket, o.Key, o.Seq)
	}
	if err := tx.kv.del(from, place(from)); err != nil {
		return err
	}
	return tx.kv.put(to, place(to), encodeObject(o))
}

func (tx *Tx) putVersion(bucket string, o *Object) error {
	k := versionKey(bucket, o.Key, o.Seq)
	if v := tx.kv.get(tableVersions, k); v != nil {
		old, err := decodeObject(o.Key, v)
		if err != nil {
			return err
		}
		tx.count(bucket, old, -1)
	}
	tx.count(bucket, o, 1)
	return tx.kv.put(tableVersions, k, encodeObject(o))
}

func (tx *Tx) dropVersion(bucket string, o *Object) error {
	tx.count(bucket, o, -1)
	return tx.kv.del(tableVersions, versionKey(bucket, o.Key, o.Seq))
}

// oldVersions yields what the table of versions has of a key, newest first.
func (tx *Tx) oldVersions(bucket, key string) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		prefix := string(objectKey(bucket, key)) + "\x00"
		tx.kv.scan(tableVersions, []byte(prefix), func(k, v []byte) bool {
			return len(k) == len(prefix)+8 && string(k[:len(prefix)]) == prefix && yield(decodeObject(key, v))
		})
	}
}

// Versions yields all versions of a bucket's keys from the given one on, by
// key, and of each key from the newest on.
func (tx *Tx) Versions(bucket, from string) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		old, stop := iter.Pull(tx.rows(tableVersions, bucket, from))
		defer stop()
		next, more := old()
		for current := range tx.Objects(bucket, from) {
			for more && next.Key < current.Key {
				if !yield(next) {
					return
				}
				next, more = old()
			}
			if !yield(current) {
				return
			}
		}
		for more {
			if !yield(next) {
				return
			}
			next, more = old()
		}
	}
}
