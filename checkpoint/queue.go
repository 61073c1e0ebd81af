package checkpoint

import (
	"context"
	"errors"
	"time"
)

// errCancelled is how change says that its caller no longer waits.
var errCancelled = errors.New("cancelled")

// change lets fn add to the active batch, under the lock. It waits while the
// queue is full, until done is closed; a nil done waits for the writer only.
func (c *Checkpoint) change(done <-chan struct{}, fn func(b *batch) error) (*batch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.usable() == nil && c.active.calls >= 4*c.flushCount {
		taken, cancelled := c.active.taken, false
		c.mu.Unlock()
		select {
		case <-taken:
		case <-done:
			cancelled = true
		}
		c.mu.Lock()
		if cancelled {
			return nil, errCancelled
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
		c.signal()
		return nil
	})
	if errors.Is(err, errCancelled) {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
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
			due, armed = true, false
		}
		b, end := c.take(due)
		switch {
		case b != nil:
			timer.Stop()
			armed = false
			if !c.commit(b) {
				return
			}
			c.signal() // look again: the call for this batch may have been Close's
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
