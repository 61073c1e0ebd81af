// Package limit bounds what moves through an HTTP transport: bytes a second in
// each direction, after a timetable if need be, requests a second, and bytes in
// all. It knows bodies and requests, nothing of what they mean, and stands
// between a client and its connections:
//
//	l := limit.New(&limit.Options{Bandwidth: limit.Always(limit.Rates{Up: 20 << 20})})
//	session := oss.NewSession(nil)
//	session.Transport = l.Transport(session.Transport)
package limit

import (
	"context"
	"sync"
	"time"
)

// Options tunes a [Limiter]. The zero value bounds nothing.
type Options struct {
	// Bandwidth is the bytes a second of bodies, over all requests. nil means
	// no bound. SetBandwidth changes it.
	Bandwidth Timetable

	// Requests is how many requests a second begin. 0 means no bound.
	Requests float64

	// MaxBytes is the sum of bytes, in both directions, of the bodies of PUT
	// and of what GET brings, listings left out, after which nothing new
	// begins: further requests wait until those under way have ended, or for
	// drainTime, then OnSpent is called, and they go on. 0 means no bound. What
	// is under way when the bound is reached moves on top of it.
	MaxBytes int64

	// OnSpent is called once, when MaxBytes is spent. It should end the
	// context of all requests. It must not block.
	OnSpent func()
}

// drainTime is what the requests under way get to end in once MaxBytes is
// spent: a part of 8 MiB at 1 MiB/s.
const drainTime = 8 * time.Second

// Limiter bounds what its transports move together. It is safe for concurrent
// use. Create it with [New].
type Limiter struct {
	opts     Options
	up, down pace
	requests pace

	mu        sync.Mutex
	bandwidth Timetable
	moved     int64
	active    int           // requests under way
	spent     bool          // MaxBytes is reached
	open      chan struct{} // closed once OnSpent has been called
	over      bool          // that is so
	patience  *time.Timer
}

// New returns a limiter. opts is copied; nil means the zero value.
func New(opts *Options) *Limiter {
	l := &Limiter{open: make(chan struct{})}
	if opts != nil {
		l.opts = *opts
	}
	l.bandwidth = l.opts.Bandwidth
	return l
}

// SetBandwidth changes the bound from the next piece of a body on.
func (l *Limiter) SetBandwidth(t Timetable) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bandwidth = t
}

// Bandwidth is the bound in force.
func (l *Limiter) Bandwidth() Timetable {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bandwidth
}

// Moved is how many bytes count for MaxBytes so far.
func (l *Limiter) Moved() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moved
}

// rates are those of this moment.
func (l *Limiter) rates() Rates { return l.Bandwidth().At(time.Now()) }

// enter lets a request begin, and leave ends it.
func (l *Limiter) enter(ctx context.Context) error {
	if err := l.requests.wait(ctx, 1, l.opts.Requests); err != nil {
		return err
	}
	l.mu.Lock()
	if !l.spent || l.over {
		l.active++
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	select {
	case <-l.open:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return l.enter(ctx)
}

func (l *Limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	l.drained()
}

// count adds moved bytes.
func (l *Limiter) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved += int64(n)
	if l.opts.MaxBytes > 0 && l.moved >= l.opts.MaxBytes && !l.spent {
		l.spent = true
		l.patience = time.AfterFunc(drainTime, l.finish)
	}
}

// drained finishes once nothing is under way. l.mu is held.
func (l *Limiter) drained() {
	if l.spent && l.active == 0 && l.patience.Stop() {
		l.tell()
	}
}

func (l *Limiter) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell()
}

// tell calls OnSpent once. l.mu is held.
func (l *Limiter) tell() {
	if l.over {
		return
	}
	l.over = true
	if l.opts.OnSpent != nil {
		l.opts.OnSpent()
	}
	close(l.open)
}

// pace lets things pass at a rate, in the order in which they come. The zero
// value is ready to use.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the next one may pass
}

// credit is how long nothing may have passed and be made up for: less than a
// second, so that a second never has more than twice its share.
const credit = 50 * time.Millisecond

// wait lets n units pass at that rate a second; 0 is without a bound.
func (p *pace) wait(ctx context.Context, n int, rate float64) error {
	if rate <= 0 {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-credit); p.next.Before(earliest) {
		p.next = earliest
	}
	at := p.next
	p.next = p.next.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	p.mu.Unlock()
	if !at.After(now) {
		return nil
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
