package store

import (
	"encoding/binary"
	"iter"
	"strings"
)

// Tx is one transaction. Records it returns are the caller's own. A record put
// may refer to blobs just synced, and to those of records read in the same
// transaction; others may be gone.
type Tx struct {
	kv   kv
	refs map[uint64]int // changes to reference counts, applied at the end

	stats map[string]*Stat // changes to the counts of buckets, likewise
}

func bucketKey(bucket string) []byte { return []byte(bucket) }

func objectKey(bucket, key string) []byte {
	b := make([]byte, 0, len(bucket)+1+len(key))
	b = append(b, bucket...)
	b = append(b, 0)
	return append(b, key...)
}

func uploadKey(bucket, key, id string) []byte { return objectKey(bucket, key+"\x00"+id) }

func partKey(uploadID string, number int) []byte {
	return binary.BigEndian.AppendUint16([]byte(uploadID), uint16(number))
}

func blobKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// Bucket returns the bucket, or nil if there is none.
func (tx *Tx) Bucket(name string) (*Bucket, error) {
	v := tx.kv.get(tableBuckets, bucketKey(name))
	if v == nil {
		return nil, nil
	}
	return decodeBucket(name, v)
}

// PutBucket adds or replaces a bucket.
func (tx *Tx) PutBucket(b *Bucket) error {
	if tx.kv.get(tableBuckets, bucketKey(b.Name)) == nil {
		if err := tx.kv.put(tableStats, bucketKey(b.Name), encodeStat(&Stat{})); err != nil {
			return err
		}
	}
	return tx.kv.put(tableBuckets, bucketKey(b.Name), encodeBucket(b))
}

// DeleteBucket removes a bucket, which the caller has found to be empty, and
// its configuration.
func (tx *Tx) DeleteBucket(name string) error {
	if err := tx.DeleteConfigs(name); err != nil {
		return err
	}
	if err := tx.kv.del(tableStats, bucketKey(name)); err != nil {
		return err
	}
	return tx.kv.del(tableBuckets, bucketKey(name))
}

// BucketEmpty reports whether a bucket has no objects, in any version, and no
// uploads.
func (tx *Tx) BucketEmpty(name string) bool {
	for range tx.Versions(name, "") {
		return false
	}
	for range tx.Uploads(name, "") {
		return false
	}
	return true
}

// Buckets yields the buckets from the given name on, in order.
func (tx *Tx) Buckets(from string) iter.Seq2[*Bucket, error] {
	return func(yield func(*Bucket, error) bool) {
		tx.kv.scan(tableBuckets, []byte(from), func(k, v []byte) bool {
			return yield(decodeBucket(string(k), v))
		})
	}
}

// Object returns the current object, or nil if there is none.
func (tx *Tx) Object(bucket, key string) (*Object, error) {
	v := tx.kv.get(tableObjects, objectKey(bucket, key))
	if v == nil {
		return nil, nil
	}
	return decodeObject(key, v)
}

// PutObject adds or replaces a current object; old versions stay as they are.
func (tx *Tx) PutObject(bucket string, o *Object) error {
	if err := tx.dropObject(bucket, o.Key); err != nil {
		return err
	}
	tx.count(bucket, o, 1)
	return tx.kv.put(tableObjects, objectKey(bucket, o.Key), encodeObject(o))
}

// DeleteObject removes a current object if it is there.
func (tx *Tx) DeleteObject(bucket, key string) error {
	if err := tx.dropObject(bucket, key); err != nil {
		return err
	}
	return tx.kv.del(tableObjects, objectKey(bucket, key))
}

func (tx *Tx) dropObject(bucket, key string) error {
	old, err := tx.Object(bucket, key)
	if err != nil || old == nil {
		return err
	}
	tx.count(bucket, old, -1)
	return nil
}

// Objects yields a bucket's objects with keys >= from, in byte order.
func (tx *Tx) Objects(bucket, from string) iter.Seq[Row] {
	return tx.rows(tableObjects, bucket, from)
}

// Uploads yields a bucket's uploads, ordered by key and then id, with
// key+"\x00"+id >= from.
func (tx *Tx) Uploads(bucket, from string) iter.Seq[Row] {
	return tx.rows(tableUploads, bucket, from)
}

// Row is an undecoded record of a scan, valid within the transaction.
type Row struct {
	// Key is the object's key.
	Key string
	// ID is an upload's id, or the place of an old version; empty for current
	// objects.
	ID    string
	value []byte
}

// Info decodes of an object's row what listings show: all up to Class.
func (r Row) Info() (*Object, error) {
	d := newDecoder(r.value)
	o := decodeInfo(r.Key, d)
	d.b = nil
	return o, d.end("object", r.Key)
}

// Object decodes all of an object's row, or of a version's.
func (r Row) Object() (*Object, error) { return decodeObject(r.Key, r.value) }

// Upload decodes the row of an upload scan.
func (r Row) Upload() (*Upload, error) { return decodeUpload(r.Key, r.ID, r.value) }

func (tx *Tx) rows(t table, bucket, from string) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		n := len(bucket) + 1
		tx.kv.scan(t, objectKey(bucket, from), func(k, v []byte) bool {
			if len(k) < n || string(k[:n-1]) != bucket || k[n-1] != 0 {
				return false
			}
			key, id, _ := strings.Cut(string(k[n:]), "\x00")
			return yield(Row{Key: key, ID: id, value: v})
		})
	}
}

// Upload returns the upload, or nil if there is none.
func (tx *Tx) Upload(bucket, key, id string) (*Upload, error) {
	v := tx.kv.get(tableUploads, uploadKey(bucket, key, id))
	if v == nil {
		return nil, nil
	}
	return decodeUpload(key, id, v)
}

// PutUpload adds or replaces an upload's own record.
func (tx *Tx) PutUpload(bucket string, u *Upload) error {
	if tx.kv.get(tableUploads, uploadKey(bucket, u.Key, u.ID)) == nil {
		tx.stat(bucket).Uploads++
	}
	return tx.kv.put(tableUploads, uploadKey(bucket, u.Key, u.ID), encodeUpload(u))
}

// DeleteUpload removes an upload and its parts.
func (tx *Tx) DeleteUpload(bucket, key, id string) error {
	var numbers []int
	for p, err := range tx.Parts(id, 1) {
		if err != nil {
			return err
		}
		tx.ref(p.Segments, -1)
		numbers = append(numbers, p.Number)
	}
	tx.stat(bucket).Parts -= int64(len(numbers))
	if tx.kv.get(tableUploads, uploadKey(bucket, key, id)) != nil {
		tx.stat(bucket).Uploads--
	}
	for _, n := range numbers {
		if err := tx.kv.del(tableParts, partKey(id, n)); err != nil {
			return err
		}
	}
	return tx.kv.del(tableUploads, uploadKey(bucket, key, id))
}

// PutPart adds or replaces a part of an upload to a bucket.
func (tx *Tx) PutPart(bucket, uploadID string, p *Part) error {
	k := partKey(uploadID, p.Number)
	if v := tx.kv.get(tableParts, k); v != nil {
		old, err := decodePart(p.Number, v)
		if err != nil {
			return err
		}
		tx.ref(old.Segments, -1)
	} else {
		tx.stat(bucket).Parts++
	}
	tx.ref(p.Segments, 1)
	return tx.kv.put(tableParts, k, encodePart(p))
}

// Parts yields an upload's parts with numbers >= from, in order.
func (tx *Tx) Parts(uploadID string, from int) iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		tx.kv.scan(tableParts, partKey(uploadID, from), func(k, v []byte) bool {
			if len(k) != len(uploadID)+2 || string(k[:len(uploadID)]) != uploadID {
				return false
			}
			return yield(decodePart(int(binary.BigEndian.Uint16(k[len(uploadID):])), v))
		})
	}
}

func (tx *Tx) ref(segs []Segment, by int) {
	if tx.refs == nil && len(segs) > 0 {
		tx.refs = make(map[uint64]int, len(segs))
	}
	for _, s := range segs {
		if s.Blob != 0 {
			tx.refs[s.Blob] += by
		}
	}
}

// countRefs writes the changed reference counts and returns the blobs that
// nothing refers to any more.
func (tx *Tx) countRefs() (dead []uint64, err error) {
	for id, by := range tx.refs {
		if by == 0 {
			continue
		}
		k := blobKey(id)
		n := int64(by)
		if v := tx.kv.get(tableBlobs, k); v != nil {
			old, _ := binary.Uvarint(v)
			n += int64(old)
		}
		if n > 0 {
			err = tx.kv.put(tableBlobs, k, binary.AppendUvarint(nil, uint64(n)))
		} else {
			dead = append(dead, id)
			err = tx.kv.del(tableBlobs, k)
		}
		if err != nil {
			return nil, err
		}
	}
	return dead, nil
}
