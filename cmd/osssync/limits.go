package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss/limit"
	"github.com/osssync/osssync/transfer"
)

// limitFlags bound how much a run moves, and when.
type limitFlags struct {
	bandwidth   bandwidth
	requests    perSecond
	maxTransfer byteSize
	maxDuration timeout
	deadline    deadline
	window      window
	orNothing   bool
}

func (l *limitFlags) register(f *pflag.FlagSet) {
	f.Var(&l.bandwidth, "bandwidth-limit", "at most this `RATE` of bytes a second, as 20M; UP:DOWN as 10M:off; or a timetable as '08:00,10M 19:00,off'; also --bwlimit; osssync ctl changes it")
	f.Var(&l.requests, "tpslimit", "begin at most `N` requests a second")
	f.BoolVar(&l.orNothing, "error-on-no-transfer", false, "exit code 9 if nothing was to do")
	f.Var(&l.maxTransfer, "max-transfer", "begin nothing new once `SIZE` has moved; then exit code 8")
	f.Var(&l.maxDuration, "max-duration", "stop after this `TIME`, as 90m; then exit code 10")
	f.Var(&l.deadline, "deadline", "stop at this `TIME`: 06:00, the next one, or 2006-01-02T15:04; then exit code 10")
	f.Var(&l.window, "window", "run only between two `TIMES` of the day, as 22:00-06:00: stop at its end, and begin nothing outside; then exit code 10")
}

// limits are what a run is held to. The lines of a run share its limits, but
// for lines that have their own.
type limits struct {
	limiter *limit.Limiter
	given   string // by flags

	mu        sync.Mutex
	bandwidth string // in force, "" for none
	cancels   map[*context.CancelCauseFunc]bool
	reached   error
}

// boundError says that a job ended at a bound that its flags gave.
type boundError struct {
	message string
	code    int
	hint    string // "" = it goes on
}

func (e *boundError) Error() string { return e.message }

// Is makes errors.Is(err, transfer.ErrParked) true.
func (e *boundError) Is(target error) bool { return target == transfer.ErrParked }

var (
	errSpent   = &boundError{message: "the limit of --max-transfer is reached", code: exitLimit}
	errNothing = &boundError{message: "there was nothing to transfer", code: exitNothing}
)

// limited are the limits of this run.
func (a *app) limited() *limits {
	f := &a.flags.limits
	given := fmt.Sprintf("%s/%s/%s", &f.bandwidth, &f.requests, &f.maxTransfer)
	if a.limits == nil || a.limits.given != given {
		l := &limits{given: given, bandwidth: f.bandwidth.text, cancels: map[*context.CancelCauseFunc]bool{}}
		l.limiter = limit.New(&limit.Options{
			Bandwidth: f.bandwidth.table, Requests: float64(f.requests), MaxBytes: int64(f.maxTransfer),
			OnSpent: func() { l.stop(errSpent) },
		})
		a.limits = l
	}
	return a.limits
}

// hold is a context that ends at the bounds of the flags, with a *boundError as
// its cause, or at release. It is an error if they let nothing begin.
func (a *app) hold(parent context.Context) (ctx context.Context, release func(), err error) {
	f, now := &a.flags.limits, time.Now()
	ends := []struct {
		flag string
		at   time.Time
	}{{"deadline", f.deadline.at}, {"window", f.window.end(now)}}
	if f.maxDuration > 0 {
		ends = append(ends, struct {
			flag string
			at   time.Time
		}{"max-duration", now.Add(time.Duration(f.maxDuration))})
	}
	ctx, cancel := context.WithCancelCause(parent)
	timers := []*time.Timer{}
	l := a.limited()
	l.add(&cancel)
	release = func() {
		for _, t := range timers {
			t.Stop()
		}
		l.remove(&cancel)
		cancel(nil)
	}
	for _, end := range ends {
		cause := &boundError{message: fmt.Sprintf("the end of --%s is reached", end.flag), code: exitParked}
		switch {
		case end.at.IsZero():
		case end.at.After(now):
			if end.flag == "deadline" && f.deadline.past(end.at) {
				cause.hint = "run the same command again without that --deadline: it goes on"
			}
			timers = append(timers, time.AfterFunc(end.at.Sub(now), func() { cancel(cause) }))
		default:
			release()
			switch end.flag {
			case "window":
				cause.message = fmt.Sprintf("it is outside of --window %s: nothing was begun", f.window.text)
				cause.hint = "run the same command again when it opens"
			case "deadline":
				cause.message = fmt.Sprintf("the end of --deadline %s is reached: nothing was begun", printable(f.deadline.text))
				cause.hint = "give a later --deadline, or leave it out"
			}
			return nil, nil, cause
		}
	}
	return ctx, release, nil
}

func (l *limits) add(cancel *context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancels[cancel] = true; l.reached != nil {
		(*cancel)(l.reached)
	}
}

func (l *limits) remove(cancel *context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.cancels, cancel)
}

// stop ends all that run, and what begins later.
func (l *limits) stop(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reached = cause
	for cancel := range l.cancels {
		(*cancel)(cause)
	}
}

// bound is the bound that ended ctx, nil if none did.
func bound(ctx context.Context) *boundError {
	end, _ := errors.AsType[*boundError](context.Cause(ctx))
	return end
}

// bandwidth is a flag of a rate, one for each direction, or a timetable.
type bandwidth struct {
	table limit.Timetable
	text  string
}

func (b *bandwidth) String() string { return b.text }
func (b *bandwidth) Type() string   { return "rate" }

func (b *bandwidth) Set(s string) error {
	words := strings.Fields(strings.ReplaceAll(s, ";", " "))
	var table limit.Timetable
	for _, word := range words {
		when, rate, timed := strings.Cut(word, ",")
		if !timed {
			if len(words) > 1 {
				return fmt.Errorf("%s: want TIME,RATE in a timetable, as 08:00,10M", printable(word))
			}
			when, rate = "00:00", word
		}
		slot, err := parseSlot(when)
		if err != nil {
			return err
		}
		if slot.Rates, err = parseRates(rate); err != nil {
			return err
		}
		table = append(table, slot)
	}
	if len(words) == 0 {
		return errRate
	}
	b.table, b.text = table, strings.Join(words, " ")
	return nil
}

var errRate = errors.New("want bytes a second such as 20M, UP:DOWN, off, or a timetable such as '08:00,10M 19:00,off'")

// parseRates reads RATE or UP:DOWN.
func parseRates(s string) (r limit.Rates, err error) {
	up, down, two := strings.Cut(s, ":")
	if !two {
		down = up
	}
	if r.Up, err = parseRate(up); err == nil {
		r.Down, err = parseRate(down)
	}
	return r, err
}

// parseRate reads bytes a second; off is 0, no bound.
func parseRate(s string) (int64, error) {
	if s == "off" {
		return 0, nil
	}
	n, err := parseSize(strings.TrimSuffix(s, "/s"))
	if err != nil || n < 1 {
		return 0, errRate
	}
	return n, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseSlot reads 08:00 or Mon-08:00.
func parseSlot(s string) (limit.Slot, error) {
	slot := limit.Slot{Day: limit.Daily}
	if day, clock, ok := strings.Cut(s, "-"); ok {
		for i, name := range weekdays {
			if len(day) >= 3 && strings.EqualFold(day[:3], name) {
				slot.Day = i
			}
		}
		if slot.Day == limit.Daily {
			return slot, fmt.Errorf("%s is no day of the week, such as Mon", printable(day))
		}
		s = clock
	}
	var err error
	slot.Clock, err = parseClock(s)
	return slot, err
}

// parseClock reads 15:04 as the time since midnight.
func parseClock(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%s is no time of the day, such as 08:00", printable(s))
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// next is the first time after now that has that clock, in local time.
func next(now time.Time, clock time.Duration) time.Time {
	on := func(day int) time.Time {
		y, m, d := now.Date()
		return time.Date(y, m, d+day, int(clock/time.Hour), int(clock/time.Minute)%60, 0, 0, now.Location())
	}
	if t := on(0); t.After(now) {
		return t
	}
	return on(1)
}

// deadline is a flag of a moment.
type deadline struct {
	at   time.Time
	text string
}

// past reports whether the moment is over for good: a time of the day comes again.
func (d *deadline) past(now time.Time) bool {
	_, err := parseClock(d.text)
	return d.text != "" && err != nil && !d.at.After(now)
}

func (d *deadline) String() string { return d.text }
func (d *deadline) Type() string   { return "moment" }

func (d *deadline) Set(s string) error {
	if clock, err := parseClock(s); err == nil {
		d.at, d.text = next(time.Now(), clock), s
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			d.at, d.text = at, s
			return nil
		}
	}
	return errors.New("want a time such as 06:00 or 2006-01-02T15:04")
}

// window is a flag of two times of the day.
type window struct {
	from, to time.Duration
	text     string
}

func (w *window) String() string { return w.text }
func (w *window) Type() string   { return "times" }

func (w *window) Set(s string) error {
	from, to, ok := strings.Cut(s, "-")
	var err error
	if !ok {
		return errors.New("want two times of the day, as 22:00-06:00")
	}
	if w.from, err = parseClock(from); err == nil {
		w.to, err = parseClock(to)
	}
	if err == nil && w.from == w.to {
		err = errors.New("both times are the same")
	}
	w.text = s
	return err
}

// end is when the window that now lies in ends: now outside of it, zero if
// there is none.
func (w *window) end(now time.Time) time.Time {
	if w.text == "" {
		return time.Time{}
	}
	opens, closes := next(now, w.from), next(now, w.to)
	if opens.Before(closes) {
		return now
	}
	return closes
}

// perSecond is a flag of a number a second.
type perSecond float64

func (p *perSecond) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'g', -1, 64)
}
func (p *perSecond) Type() string { return "N" }

func (p *perSecond) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0.001 && v <= 1e6) {
		return errors.New("want a number from 0.001 to 1000000")
	}
	*p = perSecond(v)
	return nil
}
