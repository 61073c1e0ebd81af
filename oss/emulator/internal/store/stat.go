package store

// ClassStat counts the versions of one storage class.
type ClassStat struct{ Bytes, Objects int64 }

// Stat counts what is in a bucket.
type Stat struct {
	Classes map[string]ClassStat
	Markers int64 // delete markers
	Uploads int64
	Parts   int64
}

// Stat returns the counts of a bucket, which are kept with every change. Those
// of a bucket that is older than this record are counted.
func (tx *Tx) Stat(bucket string) (*Stat, error) {
	if v := tx.kv.get(tableStats, bucketKey(bucket)); v != nil {
		return decodeStat(bucket, v)
	}
	st := &Stat{Classes: map[string]ClassStat{}}
	for row := range tx.Versions(bucket, "") {
		o, err := row.Object()
		if err != nil {
			return nil, err
		}
		st.object(o, 1)
	}
	for row := range tx.Uploads(bucket, "") {
		st.Uploads++
		for _, err := range tx.Parts(row.ID, 1) {
			if err != nil {
				return nil, err
			}
			st.Parts++
		}
	}
	return st, nil
}

func (st *Stat) object(o *Object, by int64) {
	if o.Marker {
		st.Markers += by
		return
	}
	c := st.Classes[o.Class]
	st.Classes[o.Class] = ClassStat{c.Bytes + by*o.Size, c.Objects + by}
}

// count notes that a version has come or gone, for its blobs and for the
// bucket's counts.
func (tx *Tx) count(bucket string, o *Object, by int) {
	tx.ref(o.Segments, by)
	tx.stat(bucket).object(o, int64(by))
}

// stat is what this transaction changes of a bucket's counts.
func (tx *Tx) stat(bucket string) *Stat {
	st := tx.stats[bucket]
	if st == nil {
		st = &Stat{Classes: map[string]ClassStat{}}
		if tx.stats == nil {
			tx.stats = map[string]*Stat{}
		}
		tx.stats[bucket] = st
	}
	return st
}

// writeStats adds the changes to the buckets' records. A bucket without one is
// older than the table, or is gone.
func (tx *Tx) writeStats() error {
	for bucket, change := range tx.stats {
		v := tx.kv.get(tableStats, bucketKey(bucket))
		if v == nil {
			continue
		}
		st, err := decodeStat(bucket, v)
		if err != nil {
			return err
		}
		for class, c := range change.Classes {
			old := st.Classes[class]
			if c = (ClassStat{old.Bytes + c.Bytes, old.Objects + c.Objects}); c == (ClassStat{}) {
				delete(st.Classes, class)
			} else {
				st.Classes[class] = c
			}
		}
		st.Markers += change.Markers
		st.Uploads += change.Uploads
		st.Parts += change.Parts
		if err := tx.kv.put(tableStats, bucketKey(bucket), encodeStat(st)); err != nil {
			return err
		}
	}
	return nil
}

func encodeStat(st *Stat) []byte {
	e := newEncoder()
	e.uint(uint64(len(st.Classes)))
	for class, c := range st.Classes {
		e.string(class)
		e.uint(uint64(c.Bytes))
		e.uint(uint64(c.Objects))
	}
	e.uint(uint64(st.Markers))
	e.uint(uint64(st.Uploads))
	e.uint(uint64(st.Parts))
	return e
}

func decodeStat(bucket string, v []byte) (*Stat, error) {
	d := newDecoder(v)
	st := &Stat{Classes: map[string]ClassStat{}}
	for range d.count(3) {
		class := d.string()
		st.Classes[class] = ClassStat{d.int(), d.int()}
	}
	st.Markers, st.Uploads, st.Parts = d.int(), d.int(), d.int()
	return st, d.end("counts of bucket", bucket)
}
