package scheduler

import "time"

// cutEvery is the shortest time between two cuts of the limit. One overload
// throttles many requests within a few round trips; a second covers those of
// a far region, and 64 workers still come down to 1 within 6 s.
const cutEvery = time.Second

// limit is how many tasks may run at once: additive increase, multiplicative
// decrease. The pool's mutex guards it.
type limit struct {
	workers   int // the ceiling
	allowed   int // in [1, workers]
	successes int // since allowed last changed
	epoch     uint64
	lastCut   time.Time
}

// success counts one attempt that did its work.
func (l *limit) success() {
	if l.allowed == l.workers {
		return
	}
	l.successes++
	if l.successes >= l.allowed {
		l.allowed++
		l.successes = 0
	}
}

// throttled halves the limit, unless the attempt began in an earlier epoch,
// that is before the last cut, or that cut is too fresh.
func (l *limit) throttled(epoch uint64, now time.Time) {
	if epoch != l.epoch || l.epoch > 0 && now.Sub(l.lastCut) < cutEvery {
		return
	}
	l.allowed = max(1, l.allowed/2)
	l.successes = 0
	l.epoch++
	l.lastCut = now
}
