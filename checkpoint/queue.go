package checkpoint

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// change lets fn add to the active batch, under the lock. It waits while the
// queue is full, until done is closed; a nil done waits for the writer only.
func (c *Checkpoint) change(done <-chan struct{}, fn func(b *batch) error) (*batch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.usable() == nil && c.active.calls >= 4*c.flushCount {
		taken := c.active.taken
		c.mu.Unlock()
		var cancelled bool
		select {
		case <-taken:
		case <-done:
			cancelled = true
		}
		c.mu.Lock()
		if cancelled {
			return nil, context.Canceled
		}
	}
	if err := c.usable(); err != nil {
		return nil, err
	}
	b := c.active
	if err := fn(b); err != nil {
		return nil, err
	}
	b.calls++
	if b.calls == 1 || b.calls == c.flushCount {
		c.signal()
	}
	return b, nil
}

// durable is change, and returns once the change is durable.
func (c *Checkpoint) durable(ctx context.Context, fn func(b *batch) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	b, err := c.change(ctx.Done(), func(b *batch) error {
		if err := fn(b); err != nil {
			return err
		}
		b.urgent = true
		return nil
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	c.signal()
	return b.wait(ctx)
}

// wait returns once the batch is durable, or with why it is not.
func (b *batch) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// usable returns why nothing can be done any more. c.mu is held.
func (c *Checkpoint) usable() error {
	switch {
	case c.err != nil:
		return c.err
	case c.closing:
		return ErrClosed
	default:
		return nil
	}
}

// signal makes the writer look.
func (c *Checkpoint) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Flush returns once everything queued before is durable.
func (c *Checkpoint) Flush(ctx context.Context) error {
	last, err := c.flush()
	if err != nil || last == nil {
		return err
	}
	return last.wait(ctx)
}

// flush starts the commit of everything queued and returns the batch that
// ends it, nil if all is durable already.
func (c *Checkpoint) flush() (*batch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.usable(); err != nil {
		return nil, err
	}
	if c.active.calls == 0 {
		return c.committing, nil
	}
	c.active.urgent = true
	c.signal()
	return c.active, nil
}

// write is the writer: it commits batches until the checkpoint closes or a
// commit fails.
func (c *Checkpoint) write() {
	defer close(c.finished)
	timer := time.NewTimer(c.flushEvery)
	timer.Stop()
	defer timer.Stop()
	armed := false
	for {
		due := false
		select {
		case <-c.wake:
		case <-timer.C:
			due = true
		}
		b, end := c.take(due)
		switch {
		case b != nil:
			timer.Stop()
			armed = false
			if !c.commit(b) {
				return
			}
			c.signal() // what came in meanwhile
		case end:
			return
		case !armed && c.waiting():
			timer.Reset(c.flushEvery)
			armed = true
		}
	}
}

// take returns the active batch if it is time to commit it, and whether
// nothing will follow.
func (c *Checkpoint) take(due bool) (b *batch, end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b = c.active
	if b.calls == 0 {
		return nil, c.closing
	}
	if !due && !c.closing && !b.urgent && b.calls < c.flushCount {
		return nil, false
	}
	c.active, c.committing = newBatch(), b
	close(b.taken)
	return b, false
}

// waiting reports whether the active batch has changes.
func (c *Checkpoint) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active.calls > 0
}

// commit writes a batch and tells who waits for it. It returns false after a
// failure, which also ends the batch behind it.
func (c *Checkpoint) commit(b *batch) bool {
	err := c.store.commit(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.committing = nil
	if err == nil {
		close(b.done)
		return true
	}
	c.err = &WriteError{Path: c.store.path, Err: err}
	b.err, c.active.err = c.err, c.err
	close(b.done)
	close(c.active.taken)
	close(c.active.done)
	return false
}

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

// framed checks the key and frames a payload.
func framed(bucket bucketID, key string, payload []byte) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return frame(bucket, key, payload)
}

func checkKey(key string) error {
	if len(key) == 0 || len(key) > maxKey {
		return fmt.Errorf("checkpoint: key of %d bytes, 1 to %d allowed", len(key), maxKey)
	}
	return nil
}
