package checkpoint

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Options tunes a checkpoint. The zero value is ready to use.
type Options struct {
	// Logger receives warnings about damage. nil discards them.
	Logger *slog.Logger

	// Unsafe allows a state folder on a network file system.
	Unsafe bool

	// Watch is told before and after every transaction and before and after
	// the file is made or removed, by the goroutine that does it. It is there
	// to end the process at that point. nil is told nothing.
	Watch func(op string, done bool)

	// FlushEvery is the longest a queued record waits for its commit.
	// 0 means 50 ms.
	FlushEvery time.Duration

	// FlushCount is how many queued changes start a commit at once. Four
	// times as many may queue up during a commit; then callers wait.
	// 0 means 256.
	FlushCount int
}

const (
	// defaultFlushEvery and defaultFlushCount bound what a crash makes us do
	// again. Past 256 a commit is dominated by its records, not its fsync.
	defaultFlushEvery = 50 * time.Millisecond
	defaultFlushCount = 256

	// pageRecords is how many records a listing holds in memory.
	pageRecords = 256
)

// Checkpoint is the open checkpoint of one job. It is safe for concurrent use.
type Checkpoint struct {
	store    *store
	lock     *lock
	resumed  bool
	setAside string

	flushEvery time.Duration
	flushCount int

	wake     chan struct{} // the writer has something to look at
	finished chan struct{} // the writer has ended

	mu         sync.Mutex
	job        Job    // as it will be once all is durable
	active     *batch // takes changes
	committing *batch // being written; nil = none
	closing    bool
	err        error // sticky *WriteError

	closeOnce sync.Once
	closeErr  error
}

// Job returns the header: that of the first run, with the last state set.
func (c *Checkpoint) Job() Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.job.clone()
}

// Resumed reports whether an earlier run's file was found and trusted.
func (c *Checkpoint) Resumed() bool { return c.resumed }

// SetAside returns where a damaged file of an earlier run went, "" if there
// was none. It is kept for inspection and never read again.
func (c *Checkpoint) SetAside() string { return c.setAside }

// SetState changes the state of the job, and its spec unless that is empty. It
// is durable on return.
func (c *Checkpoint) SetState(ctx context.Context, state, spec string) error {
	return c.durable(ctx, func(b *batch) error {
		job := c.job
		job.State, job.Spec = state, cmp.Or(spec, job.Spec)
		rec, err := frame(metaBucket, jobKey, encodeJob(job))
		if err != nil {
			return err
		}
		c.job = job
		b.set(metaBucket, jobKey, rec)
		return nil
	})
}

// PutObject records an object in flight, in place of what was known of it. It
// is durable on return; concurrent calls share a commit. If ctx ends first,
// the record may still become durable. Parts are kept: who starts an object
// anew calls Forget or DropParts first.
func (c *Checkpoint) PutObject(ctx context.Context, o Object) error {
	rec, err := framed(objectBucket, o.Key, encodeObject(o))
	if err != nil {
		return err
	}
	return c.durable(ctx, func(b *batch) error {
		b.set(objectBucket, o.Key, rec)
		return nil
	})
}

// Object returns the object in flight under key, and false if there is none.
func (c *Checkpoint) Object(key string) (Object, bool, error) {
	return lookup(c, objectBucket, key, decodeObject)
}

// Objects lists the objects in flight in key order. The loop body may change
// the checkpoint; whether the listing shows such changes is open.
func (c *Checkpoint) Objects() iter.Seq2[Object, error] { return list(c, objectBucket, decodeObject) }

// AddPart queues one finished part of an object in flight, in place of an
// earlier one of the same number. It returns ErrNoObject if PutObject has not
// announced the key, and waits only while the queue is full.
func (c *Checkpoint) AddPart(key string, p Part) error {
	if p.Number < 1 || p.Number > MaxPartNumber {
		return fmt.Errorf("checkpoint: part number %d, 1 to %d allowed", p.Number, MaxPartNumber)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := c.change(nil, func(b *batch) error {
		rec, err := c.peek(objectBucket, key)
		if err != nil {
			return err
		}
		if rec == nil {
			return ErrNoObject
		}
		return c.editBlock(b, key, blockOf(p.Number), func(parts []Part) []Part {
			at, found := slices.BinarySearchFunc(parts, p.Number, byNumber)
			if found {
				parts[at] = p
				return parts
			}
			return slices.Insert(parts, at, p)
		})
	})
	return err
}

func byNumber(p Part, number int) int { return cmp.Compare(p.Number, number) }

// DropParts removes the parts with these numbers, or all if there are none:
// before they are sent or fetched again. It is durable on return.
func (c *Checkpoint) DropParts(ctx context.Context, key string, numbers ...int) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return c.durable(ctx, func(b *batch) error {
		if len(numbers) == 0 {
			b.dropParts(key)
			return nil
		}
		byBlock := make(map[uint32][]int)
		for _, n := range numbers {
			if n >= 1 && n <= MaxPartNumber {
				byBlock[blockOf(n)] = append(byBlock[blockOf(n)], n)
			}
		}
		for block, gone := range byBlock {
			err := c.editBlock(b, key, block, func(parts []Part) []Part {
				return slices.DeleteFunc(parts, func(p Part) bool { return slices.Contains(gone, p.Number) })
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Parts returns the parts recorded for key, ascending by number.
func (c *Checkpoint) Parts(key string) ([]Part, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	recs, err := c.blocks(key)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for block, rec := range recs {
		parts = append(parts, c.decodeParts(key, block, rec)...)
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Number, b.Number) })
	return parts, nil
}

// Settle queues the end of an object that is done: one transaction removes the
// object in flight, its parts and its failure, and records s.
func (c *Checkpoint) Settle(s Settled) error {
	rec, err := framed(settledBucket, s.Key, encodeSettled(s))
	if err != nil {
		return err
	}
	_, err = c.change(nil, func(b *batch) error {
		b.set(settledBucket, s.Key, rec)
		b.set(objectBucket, s.Key, nil)
		b.set(failureBucket, s.Key, nil)
		b.dropParts(s.Key)
		return nil
	})
	return err
}

// Settled returns what was recorded when key was done, queued records
// included, and false if it was not. It costs 1 to 2 µs.
func (c *Checkpoint) Settled(key string) (Settled, bool, error) {
	return lookup(c, settledBucket, key, decodeSettled)
}

// ClearSettled drops all settled records. It is durable on return.
func (c *Checkpoint) ClearSettled(ctx context.Context) error {
	return c.clear(ctx, settledBucket)
}

// Forget removes an object in flight and its parts, as it is given up. Its
// failure, if any, stays. It is durable on return.
func (c *Checkpoint) Forget(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return c.durable(ctx, func(b *batch) error {
		b.set(objectBucket, key, nil)
		b.dropParts(key)
		return nil
	})
}

// Fail queues the reason why an object is not done, in place of an earlier
// one. The object in flight and its parts stay, for a later try.
func (c *Checkpoint) Fail(f Failure) error {
	rec, err := framed(failureBucket, f.Key, encodeFailure(f))
	if err != nil {
		return err
	}
	_, err = c.change(nil, func(b *batch) error {
		b.set(failureBucket, f.Key, rec)
		return nil
	})
	return err
}

// Failure returns why the object of that key is not done, queued records
// included, and false if it has not failed.
func (c *Checkpoint) Failure(key string) (Failure, bool, error) {
	return lookup(c, failureBucket, key, decodeFailure)
}

// DropFailure forgets the failure of a key, for it was done after all. It only
// queues.
func (c *Checkpoint) DropFailure(key string) error { return c.drop(failureBucket, key) }

// drop queues the removal of a record.
func (c *Checkpoint) drop(bucket bucketID, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := c.change(nil, func(b *batch) error {
		b.set(bucket, key, nil)
		return nil
	})
	return err
}

// Failures lists the failures in key order, as Objects does.
func (c *Checkpoint) Failures() iter.Seq2[Failure, error] {
	return list(c, failureBucket, decodeFailure)
}

// ClearFailures drops all failures. It is durable on return.
func (c *Checkpoint) ClearFailures(ctx context.Context) error {
	return c.clear(ctx, failureBucket)
}

func (c *Checkpoint) clear(ctx context.Context, bucket bucketID) error {
	return c.durable(ctx, func(b *batch) error {
		b.clear(bucket)
		return nil
	})
}

// PutChange records what is about to be done to a destination, so that it can
// be undone. It is durable on return. The first record of a key stays: what was
// there before all of the job's runs. Later ones add their After to it.
func (c *Checkpoint) PutChange(ctx context.Context, v Change) error {
	if err := checkKey(v.Key); err != nil {
		return err
	}
	return c.durable(ctx, func(b *batch) error {
		old, err := c.peek(changeBucket, v.Key)
		if err != nil {
			return err
		}
		put := v
		if first, err := open(changeBucket, v.Key, old, decodeChange); err == nil {
			put = first.follow(v)
		}
		rec, err := framed(changeBucket, v.Key, encodeChange(put))
		if err == nil {
			b.set(changeBucket, v.Key, rec)
		}
		return err
	})
}

// Changes lists the changes in key order, as Objects does.
func (c *Checkpoint) Changes() iter.Seq2[Change, error] {
	return list(c, changeBucket, decodeChange)
}

// DropChange forgets a change. It only queues.
func (c *Checkpoint) DropChange(key string) error { return c.drop(changeBucket, key) }

// ClearChanges drops all changes. It is durable on return.
func (c *Checkpoint) ClearChanges(ctx context.Context) error {
	return c.clear(ctx, changeBucket)
}
