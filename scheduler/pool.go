package scheduler

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// The defaults of [Options].
const (
	DefaultWorkers  = 16        // tasks at once
	DefaultMemory   = 256 << 20 // bytes
	DefaultAttempts = 10        // tries; with the default delays about a minute
	DefaultMinDelay = 200 * time.Millisecond
	DefaultMaxDelay = 20 * time.Second
)

// Options tunes a [Pool]. The zero value is ready to use, and a value below
// zero counts as zero.
type Options struct {
	// Workers is how many tasks run at once. 0 means DefaultWorkers.
	Workers int

	// Memory is how many bytes the running tasks hold together. 0 means
	// DefaultMemory. A task that asks for more is counted as all of it, so it
	// waits for everything else that holds memory to end, and then runs.
	Memory int64

	// Attempts is how often a task is tried, the first time included. 0 means
	// DefaultAttempts, 1 means no retry.
	Attempts int

	// MinDelay and MaxDelay bound the mean wait before a retry: it doubles
	// from one to the other, and each wait is uniform between zero and twice
	// the mean. 0 means DefaultMinDelay and DefaultMaxDelay. A MinDelay above
	// MaxDelay is lowered to it.
	MinDelay, MaxDelay time.Duration

	// Judge says what the error of an attempt leads to. nil means that every
	// error stops its task. It runs before the worker is given back, on the
	// goroutine that called Do, for many tasks at the same time.
	Judge func(error) Verdict

	// OnRetry is called before each wait, on the goroutine that called Do, for
	// many tasks at the same time. The wait begins when it returns.
	OnRetry func(Retry)
}

// Task is one unit of work for [Pool.Do].
type Task struct {
	Name     string // for errors and Options.OnRetry, may be empty
	Priority int    // higher starts first; equal ones start as they came
	Bytes    int64  // memory held while it runs

	// Run does the work. attempt counts from 1. It must return soon after ctx
	// ends, and must not call Do or Close of the same pool: it could wait for
	// itself.
	Run func(ctx context.Context, attempt int) error
}

// Stats is a snapshot of a [Pool].
type Stats struct {
	Running  int   // tasks that hold a worker
	Waiting  int   // tasks in the queue
	Sleeping int   // tasks between two attempts
	Limit    int   // tasks that may run at once now, 1 to Options.Workers
	Bytes    int64 // memory held by running tasks

	Retries   int64 // waits before another attempt, since New
	Throttled int64 // SlowDown verdicts, since New
}

// Pool runs tasks within bounds. Its methods are safe for concurrent use.
// Create it with [New].
type Pool struct {
	opts     Options
	arrivals atomic.Uint64
	closing  chan struct{} // closed by the first Close
	drained  chan struct{} // closed once closed and nothing runs

	mu        sync.Mutex
	queue     queue
	limit     limit
	running   int
	sleeping  int
	bytes     int64
	retries   int64
	throttled int64
	closed    bool
}

// New returns a pool that starts no goroutine and holds no resource. opts is
// copied; nil means the zero value.
func New(opts *Options) *Pool {
	var o Options
	if opts != nil {
		o = *opts
	}
	orDefault(&o.Workers, DefaultWorkers)
	orDefault(&o.Memory, DefaultMemory)
	orDefault(&o.Attempts, DefaultAttempts)
	orDefault(&o.MinDelay, DefaultMinDelay)
	orDefault(&o.MaxDelay, DefaultMaxDelay)
	o.MaxDelay = min(o.MaxDelay, math.MaxInt64/4) // twice it must not overflow
	o.MinDelay = min(o.MinDelay, o.MaxDelay)
	return &Pool{
		opts:    o,
		closing: make(chan struct{}),
		drained: make(chan struct{}),
		limit:   limit{workers: o.Workers, allowed: o.Workers},
	}
}

func orDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Do runs t on the calling goroutine as soon as the pool has a worker and
// memory for it, and again as Options.Judge decides. It returns nil after the
// first success, even if ctx has ended meanwhile.
//
// A failed task returns the error of its last attempt, in an [*AttemptsError]
// if there was more than one, or a [*PanicError] in its place. If ctx ends
// while the task waits or sleeps, or the attempt fails because of that, Do
// returns the cause of ctx; if the pool closes while the task waits or sleeps,
// [ErrClosed].
func (p *Pool) Do(ctx context.Context, t Task) error {
	t.Bytes = min(max(t.Bytes, 0), p.opts.Memory)
	arrival := p.arrivals.Add(1)
	var own delays
	for n := 1; ; n++ {
		epoch, err := p.acquire(ctx, &t, arrival)
		if err != nil {
			return err
		}
		verdict, err := p.attempt(ctx, &t, n, epoch)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return context.Cause(ctx)
		}
		if !verdict.retry() || n >= p.opts.Attempts {
			return attemptsError(t.Name, n, err)
		}
		if err := p.pause(ctx, Retry{
			Name: t.Name, Attempt: n, Err: err,
			Delay: own.next(verdict, &p.opts), Throttled: verdict.Action == SlowDown,
		}); err != nil {
			return err
		}
	}
}

// attempt runs t once, with the worker that acquire granted, and gives that
// back whatever happens, runtime.Goexit included.
func (p *Pool) attempt(ctx context.Context, t *Task, n int, epoch uint64) (v Verdict, err error) {
	success := false
	defer func() { p.release(t.Bytes, epoch, success, v.Action) }()
	caught := contain(func() {
		err = t.Run(ctx, n)
		success = err == nil
		if err != nil && p.opts.Judge != nil {
			v = p.opts.Judge(err)
		}
	})
	if caught != nil {
		return Verdict{}, caught
	}
	return v, err
}

// acquire waits for a worker and the memory of t, and returns the epoch of the
// limit under which they were granted.
func (p *Pool) acquire(ctx context.Context, t *Task, arrival uint64) (epoch uint64, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return 0, ErrClosed
	}
	if len(p.queue) == 0 && p.fits(t.Bytes) {
		epoch = p.take(t.Bytes)
		p.mu.Unlock()
		return epoch, nil
	}
	w := &waiter{priority: t.Priority, arrival: arrival, bytes: t.Bytes, ready: make(chan struct{})}
	p.queue.add(w)
	p.grant() // w may be first and fit
	p.mu.Unlock()

	select {
	case <-w.ready:
		return w.epoch, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-p.closing:
		err = ErrClosed
	}
	p.leave(w)
	return 0, err
}

// leave takes w out of the queue, or undoes its grant if that came first.
func (p *Pool) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.index < 0 {
		p.giveBack(w.bytes)
		return
	}
	p.queue.remove(w)
	p.grant() // w may have been what held up the others
}

// release ends an attempt and lets the limit learn from it.
func (p *Pool) release(bytes int64, epoch uint64, success bool, action Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case success:
		p.limit.success()
	case action == SlowDown:
		p.throttled++
		p.limit.throttled(epoch, time.Now())
	}
	p.giveBack(bytes)
}

// fits reports whether one more task may run now. fits, take, giveBack and
// grant are called with p.mu held.
func (p *Pool) fits(bytes int64) bool {
	return p.running < p.limit.allowed && bytes <= p.opts.Memory-p.bytes
}

func (p *Pool) take(bytes int64) (epoch uint64) {
	p.running++
	p.bytes += bytes
	return p.limit.epoch
}

func (p *Pool) giveBack(bytes int64) {
	p.running--
	p.bytes -= bytes
	p.grant()
	if p.closed && p.running == 0 {
		close(p.drained)
	}
}

// grant hands workers and memory to the head of the queue while they last.
// Nothing is granted once the pool is closed, so that a waiter on its way to
// the select of acquire cannot find both channels ready and start.
func (p *Pool) grant() {
	for !p.closed && len(p.queue) > 0 && p.fits(p.queue[0].bytes) {
		w := p.queue[0]
		p.queue.remove(w)
		w.epoch = p.take(w.bytes)
		close(w.ready)
	}
}

// Stats returns the state of the pool at one instant.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{
		Running:   p.running,
		Waiting:   len(p.queue),
		Sleeping:  p.sleeping,
		Limit:     p.limit.allowed,
		Bytes:     p.bytes,
		Retries:   p.retries,
		Throttled: p.throttled,
	}
}

// Close drains the pool: tasks that wait or sleep, and any later Do, fail with
// [ErrClosed]; attempts that run are left to end, and Close returns when the
// last one has. To end them sooner, cancel their contexts first. Further calls
// wait just the same. The error is always nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
		if p.running == 0 {
			close(p.drained)
		}
	}
	p.mu.Unlock()
	<-p.drained
	return nil
}
