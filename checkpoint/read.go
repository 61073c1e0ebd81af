package checkpoint

import "iter"

// peek returns a record as it will be once all is durable. c.mu is held.
func (c *Checkpoint) peek(bucket bucketID, key string) ([]byte, error) {
	if rec, known := c.queued(bucket, key); known {
		return rec, nil
	}
	return c.store.get(bucket, key)
}

func (c *Checkpoint) queued(bucket bucketID, key string) (rec []byte, known bool) {
	rec, known = c.active.get(bucket, key)
	if !known && c.committing != nil {
		rec, known = c.committing.get(bucket, key)
	}
	return rec, known
}

// lookup finds one record. A batch leaves the queue only when it is in the
// file, so what is not found in one is found in the other.
func lookup[T any](c *Checkpoint, bucket bucketID, key string, decode func(string, []byte) (T, error)) (v T, found bool, err error) {
	if err := checkKey(key); err != nil {
		return v, false, err
	}
	c.mu.Lock()
	err = c.usable()
	rec, known := c.queued(bucket, key)
	c.mu.Unlock()
	if err == nil && !known {
		rec, err = c.store.get(bucket, key)
	}
	if err != nil || rec == nil {
		return v, false, err
	}
	v, err = open(bucket, key, rec, decode)
	if err != nil {
		c.store.warnRecord(bucket, key)
		var none T
		return none, false, nil
	}
	return v, true, nil
}

// open unframes and decodes a record.
func open[T any](bucket bucketID, key string, rec []byte, decode func(string, []byte) (T, error)) (v T, err error) {
	payload, err := unframe(bucket, key, rec)
	if err != nil {
		return v, err
	}
	return decode(key, payload)
}

// list makes everything queued durable and lists a bucket page by page.
func list[T any](c *Checkpoint, bucket bucketID, decode func(string, []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		last, err := c.flush()
		if err == nil && last != nil {
			<-last.done
			err = last.err
		}
		var from []byte
		for err == nil {
			var recs []record
			recs, err = c.page(bucket, from)
			for _, r := range recs {
				v, bad := open(bucket, r.key, r.rec, decode)
				if bad != nil {
					c.store.warnRecord(bucket, r.key)
				} else if !yield(v, nil) {
					return
				}
			}
			if err == nil && len(recs) < pageRecords {
				return
			}
			if len(recs) > 0 {
				from = append([]byte(recs[len(recs)-1].key), 0)
			}
		}
		yield(none, err)
	}
}

// page returns the next records of a listing.
func (c *Checkpoint) page(bucket bucketID, from []byte) ([]record, error) {
	c.mu.Lock()
	err := c.usable()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.store.page(bucket, nil, from, pageRecords)
}

// blocks returns the blocks of an object's parts as they will be once all is
// durable.
func (c *Checkpoint) blocks(key string) (map[uint32][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.usable(); err != nil {
		return nil, err
	}
	recs := make(map[uint32][]byte)
	prefix := blockPrefix(key)
	for from := prefix; ; {
		page, err := c.store.page(partBucket, prefix, from, pageRecords)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if _, block, ok := splitBlockKey([]byte(r.key)); ok {
				recs[block] = r.rec
			}
			from = append([]byte(r.key), 0)
		}
		if len(page) < pageRecords {
			break
		}
	}
	if c.committing != nil {
		c.committing.apply(key, recs)
	}
	c.active.apply(key, recs)
	return recs, nil
}

// editBlock changes one block of an object's parts. c.mu is held.
func (c *Checkpoint) editBlock(b *batch, key string, block uint32, edit func([]Part) []Part) error {
	rec, known := b.getBlock(key, block)
	if !known && c.committing != nil {
		rec, known = c.committing.getBlock(key, block)
	}
	if !known {
		var err error
		if rec, err = c.store.get(partBucket, blockKey(key, block)); err != nil {
			return err
		}
	}
	var parts []Part
	if rec != nil {
		parts = c.decodeParts(key, block, rec)
	}
	parts = edit(parts)
	if len(parts) == 0 {
		b.setBlock(key, block, nil)
		return nil
	}
	rec, err := frame(partBucket, blockKey(key, block), encodeBlock(block, parts))
	if err != nil {
		return err
	}
	b.setBlock(key, block, rec)
	return nil
}

// decodeParts returns the parts of a block, none if it is damaged.
func (c *Checkpoint) decodeParts(key string, block uint32, rec []byte) []Part {
	payload, err := unframe(partBucket, blockKey(key, block), rec)
	if err == nil {
		var parts []Part
		if parts, err = decodeBlock(block, payload); err == nil {
			return parts
		}
	}
	c.store.warnRecord(partBucket, key)
	return nil
}
