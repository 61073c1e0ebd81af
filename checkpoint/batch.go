package checkpoint

import (
	"maps"
	"slices"
	"strings"
)

// bucketID is a bucket of the file. The numbers go into checksums.
type bucketID uint8

const (
	metaBucket bucketID = iota
	objectBucket
	partBucket
	settledBucket
	failureBucket
	changeBucket // since schema 3
	bucketCount
)

// name is the bucket's name in the file.
func (b bucketID) name() string {
	return [bucketCount]string{"meta", "objects", "parts", "settled", "failures", "changes"}[b]
}

// recordID is the place of a record. Parts have their own index in a batch.
type recordID struct {
	bucket bucketID
	key    string
}

// blocks are changes to the parts of one object.
type blocks struct {
	dropped bool              // what was there before this batch goes
	records map[uint32][]byte // framed; nil deletes
}

// batch gathers what one transaction will change. Later changes of a record
// replace earlier ones. A batch is written by the callers, under the
// checkpoint's lock, until the writer takes it; from then on it is only read.
type batch struct {
	calls   int  // that made changes
	urgent  bool // somebody waits for it
	records map[recordID][]byte
	parts   map[string]blocks
	cleared [bucketCount]bool

	taken chan struct{} // closed once the writer has it
	done  chan struct{} // closed once it is durable, or err is set
	err   error
}

func newBatch() *batch {
	return &batch{
		records: make(map[recordID][]byte), parts: make(map[string]blocks),
		taken: make(chan struct{}), done: make(chan struct{}),
	}
}

// set changes one record; nil deletes it.
func (b *batch) set(bucket bucketID, key string, rec []byte) {
	b.records[recordID{bucket, key}] = rec
}

// get returns the record that will be there after this batch. known is false
// if the batch leaves it as it is.
func (b *batch) get(bucket bucketID, key string) (rec []byte, known bool) {
	if rec, known = b.records[recordID{bucket, key}]; known {
		return rec, true
	}
	return nil, b.cleared[bucket]
}

// clear empties a bucket.
func (b *batch) clear(bucket bucketID) {
	maps.DeleteFunc(b.records, func(id recordID, _ []byte) bool { return id.bucket == bucket })
	b.cleared[bucket] = true
}

// setBlock changes one block of parts; nil deletes it.
func (b *batch) setBlock(key string, block uint32, rec []byte) {
	change := b.parts[key]
	if change.records == nil {
		change.records = make(map[uint32][]byte)
	}
	change.records[block] = rec
	b.parts[key] = change
}

// getBlock is get for a block of parts.
func (b *batch) getBlock(key string, block uint32) (rec []byte, known bool) {
	change := b.parts[key]
	if rec, known = change.records[block]; known {
		return rec, true
	}
	return nil, change.dropped
}

// dropParts removes all parts of an object.
func (b *batch) dropParts(key string) { b.parts[key] = blocks{dropped: true} }

// apply changes a set of an object's blocks as this batch will.
func (b *batch) apply(key string, recs map[uint32][]byte) {
	change := b.parts[key]
	if change.dropped {
		clear(recs)
	}
	for block, rec := range change.records {
		if rec == nil {
			delete(recs, block)
		} else {
			recs[block] = rec
		}
	}
}

// sorted returns the places of all changed records but parts in the order of
// the file: bbolt fills pages several times faster that way.
func (b *batch) sorted() []recordID {
	ids := slices.Collect(maps.Keys(b.records))
	slices.SortFunc(ids, func(x, y recordID) int {
		if x.bucket != y.bucket {
			return int(x.bucket) - int(y.bucket)
		}
		return strings.Compare(x.key, y.key)
	})
	return ids
}
