package checkpoint

import (
	bolt "go.etcd.io/bbolt"
)

// Keys of the meta bucket.
const (
	schemaKey = "schema"
	jobKey    = "job"
	tallyKey  = "tally"
)

// schemaVersion changes with the meaning of buckets and keys. Its record and
// the frame around it keep their form for ever, so that any release can tell.
const schemaVersion = 5

func encodeSchema() []byte {
	var e encoder
	e.uint(schemaVersion)
	return e.b
}

func decodeSchema(payload []byte) (uint64, error) {
	d := decoder{b: payload}
	v := d.uint()
	return v, d.end()
}

// tally is what a bucket should hold: how many records, and the XOR of their
// checksums. It is written with every commit, and finds keys that a damaged
// page has lost without a trace.
type tally struct {
	records uint64
	xor     uint32
}

func (t *tally) add(sum uint32) {
	t.records++
	t.xor ^= sum
}

func (t *tally) remove(sum uint32) {
	t.records--
	t.xor ^= sum
}

// putTallies writes the tallies of all buckets but meta, which holds them.
func putTallies(tx *bolt.Tx, sums [bucketCount]tally) error {
	var e encoder
	for _, t := range sums[metaBucket+1:] {
		e.uint(t.records)
		e.uint(uint64(t.xor))
	}
	rec, err := frame(metaBucket, tallyKey, e.b)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(metaBucket.name())).Put([]byte(tallyKey), rec)
}

func decodeTallies(payload []byte) ([bucketCount]tally, error) {
	var sums [bucketCount]tally
	d := decoder{b: payload}
	for id := metaBucket + 1; id < bucketCount; id++ {
		if id == changeBucket && !d.more() {
			break // before schema 3
		}
		sums[id] = tally{records: d.uint(), xor: uint32(d.uint())}
	}
	return sums, d.end()
}
