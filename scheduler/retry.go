package scheduler

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Action is what a failed attempt leads to.
type Action int

// An unknown Action counts as Stop.
const (
	Stop     Action = iota // the task has failed
	Again                  // try again after a wait
	SlowDown               // as Again, and allow fewer tasks at once
)

// Verdict is the judgement on the error of one attempt. The zero value stops
// the task.
type Verdict struct {
	Action Action

	// After, if positive, is how long to wait before the next attempt, as a
	// server asked (Retry-After). It replaces the pool's own delay without
	// jitter, even above Options.MaxDelay.
	After time.Duration
}

func (v Verdict) retry() bool { return v.Action == Again || v.Action == SlowDown }

// Retry tells [Options].OnRetry of an attempt that failed and will be repeated.
type Retry struct {
	Name      string        // of the task
	Attempt   int           // the one that failed, from 1
	Err       error         // why it failed
	Delay     time.Duration // the wait before the next attempt may queue
	Throttled bool          // the verdict was SlowDown
}

// delays yields the waits of one task.
type delays struct{ own *backoff.ExponentialBackOff }

// next returns the server's wish, or else the pool's own next delay with full
// jitter. A task that never fails never builds the latter.
func (d *delays) next(v Verdict, opts *Options) time.Duration {
	if v.After > 0 {
		return v.After
	}
	if d.own == nil {
		d.own = backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(opts.MinDelay),
			backoff.WithMaxInterval(opts.MaxDelay),
			backoff.WithMultiplier(2),
			backoff.WithRandomizationFactor(1),
			backoff.WithMaxElapsedTime(0), // attempts are counted, not timed
		)
	}
	return d.own.NextBackOff()
}

// pause reports r and waits out its delay. It returns early, with an error, if
// ctx ends or the pool closes.
func (p *Pool) pause(ctx context.Context, r Retry) error {
	if err := p.startSleep(ctx); err != nil {
		return err
	}
	defer p.endSleep()
	if p.opts.OnRetry != nil {
		if err := contain(func() { p.opts.OnRetry(r) }); err != nil {
			return attemptsError(r.Name, r.Attempt, err)
		}
	}
	timer := time.NewTimer(r.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.closing:
		return ErrClosed
	}
}

func (p *Pool) startSleep(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.retries++
	p.sleeping++
	return nil
}

func (p *Pool) endSleep() {
	p.mu.Lock()
	p.sleeping--
	p.mu.Unlock()
}

// contain calls f and turns a panic into a [*PanicError].
func contain(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	f()
	return nil
}

func attemptsError(name string, attempts int, err error) error {
	if attempts == 1 {
		return err
	}
	return &AttemptsError{Name: name, Attempts: attempts, Err: err}
}
