package transfer

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts what a job does. Workers only touch atomics; one goroutine sums
// up and calls OnProgress.
type meter struct {
	job     *job
	started time.Time

	objectsTotal, objectsDone, objectsSkipped, objectsFailed atomic.Int64
	bytesTotal, bytesDone, bytesResumed                      atomic.Int64
	bytesLost                                                atomic.Int64 // counted as done, and taken back since
	retries, throttled                                       atomic.Int64
	totalsKnown                                              atomic.Bool

	mu     sync.Mutex
	phase  Phase
	active map[*tracker]struct{}

	rate rate
	pace pace
	quit chan struct{}
	gone sync.WaitGroup
}

func startMeter(j *job) *meter {
	m := &meter{
		job: j, started: time.Now(), phase: PhaseStarting,
		active: map[*tracker]struct{}{}, quit: make(chan struct{}),
		rate: rate{samples: []sample{{}}},
	}
	if j.opts.OnProgress != nil {
		m.gone.Go(m.run)
	}
	return m
}

func (m *meter) run() {
	every := cmp.Or(m.job.opts.ProgressEvery, DefaultProgressEvery)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.job.callback("OnProgress", func() { m.job.opts.OnProgress(m.snapshot()) })
		case <-m.quit:
			return
		}
	}
}

// stop ends the goroutine, makes the last call, and returns what it said.
func (m *meter) stop() Progress {
	close(m.quit)
	m.gone.Wait()
	m.setPhase(PhaseDone)
	p := m.snapshot()
	p.Final = true
	if m.job.opts.OnProgress != nil {
		m.job.callback("OnProgress", func() { m.job.opts.OnProgress(p) })
	}
	return p
}

func (m *meter) setPhase(p Phase) {
	m.mu.Lock()
	m.phase = p
	m.mu.Unlock()
}

func (m *meter) snapshot() Progress {
	stats := m.job.pool.Stats()
	p := Progress{
		JobID:          m.job.id,
		ObjectsDone:    m.objectsDone.Load(),
		ObjectsSkipped: m.objectsSkipped.Load(),
		ObjectsFailed:  m.objectsFailed.Load(),
		BytesDone:      m.bytesDone.Load(),
		BytesResumed:   m.bytesResumed.Load(),
		TotalsKnown:    m.totalsKnown.Load(),
		Retries:        m.retries.Load(),
		Throttled:      m.throttled.Load(),
		Running:        stats.Running,
		Limit:          stats.Limit,
		Elapsed:        time.Since(m.started),
	}
	// Totals are read after the counters they bound.
	p.ObjectsTotal = m.objectsTotal.Load()
	p.BytesTotal = m.bytesTotal.Load()

	m.mu.Lock()
	defer m.mu.Unlock()
	p.Phase = m.phase
	p.Active = m.activeObjects()
	moved := p.BytesDone - p.BytesResumed
	p.Rate = m.rate.add(p.Elapsed, moved)
	if s := p.Elapsed.Seconds(); s > 0 {
		p.MeanRate = float64(moved) / s
	}
	settled := p.ObjectsDone + p.ObjectsFailed
	m.pace.add(p.Elapsed, float64(moved), float64(settled))
	p.ETA = -1
	if p.TotalsKnown {
		p.ETA = m.pace.left(float64(p.BytesTotal-p.BytesDone), float64(p.ObjectsTotal-settled-p.ObjectsSkipped))
	}
	return p
}

// activeObjects lists the longest-running objects. m.mu is held.
func (m *meter) activeObjects() []ActiveObject {
	all := make([]*tracker, 0, len(m.active))
	for t := range m.active {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *tracker) int { return a.started.Compare(b.started) })
	all = all[:min(len(all), MaxActive)]
	out := make([]ActiveObject, len(all))
	for i, t := range all {
		out[i] = ActiveObject{
			Key: t.key, Size: t.size, Done: min(t.credit.Load(), t.size),
			Parts: int(t.parts.Load()), PartsDone: int(t.partsDone.Load()), Elapsed: time.Since(t.started),
		}
	}
	return out
}

// tracker follows the bytes of one object through tries and restarts, so that
// what the job counts never goes back and never passes the object's size.
type tracker struct {
	meter   *meter
	key     string
	size    int64 // changes only between tries, under meter.mu
	started time.Time
	before  atomic.Int64 // bytes that were counted as resumed
	now     atomic.Int64 // bytes that stand in this try
	credit  atomic.Int64 // the highest now has been: what the job has counted

	parts, partsDone atomic.Int64
}

// track starts following an object of size bytes; end stops it.
func (m *meter) track(key string, size int64) *tracker {
	t := &tracker{meter: m, key: key, size: size, started: time.Now()}
	m.mu.Lock()
	m.active[t] = struct{}{}
	m.mu.Unlock()
	return t
}

func (t *tracker) end() {
	t.meter.bytesLost.Add(t.credit.Load() - min(t.now.Load(), t.size))
	t.meter.mu.Lock()
	delete(t.meter.active, t)
	t.meter.mu.Unlock()
}

// add counts n bytes; negative n takes back what a failed try had counted.
func (t *tracker) add(n int64) {
	now := min(t.now.Add(n), t.size)
	for {
		credit := t.credit.Load()
		if now <= credit {
			return
		}
		if t.credit.CompareAndSwap(credit, now) {
			t.meter.bytesDone.Add(now - credit)
			return
		}
	}
}

// split says that the object moves in n parts, none of which is done.
func (t *tracker) split(n int) {
	t.partsDone.Store(0)
	t.parts.Store(int64(n))
}

// resumed counts n bytes that an earlier run had done.
func (t *tracker) resumed(n int64) {
	t.before.Add(n)
	t.meter.bytesResumed.Add(n)
	t.add(n)
}

// restart forgets the bytes of a try that is given up, for one of size bytes.
func (t *tracker) restart(size int64) {
	t.now.Store(0)
	t.split(0)
	t.meter.bytesResumed.Add(-t.before.Swap(0))
	// What is counted stays counted: the totals hold at least that.
	size = max(size, t.credit.Load())
	t.meter.mu.Lock()
	defer t.meter.mu.Unlock()
	t.meter.bytesTotal.Add(size - t.size)
	t.size = size
}

// attempt counts the bytes of one try of one piece.
type attempt struct {
	tracker *tracker
	counted int64
}

func (a *attempt) add(n int) {
	a.counted += int64(n)
	a.tracker.add(int64(n))
}

// undo takes the try back; it did not count.
func (a *attempt) undo() {
	a.tracker.add(-a.counted)
	a.counted = 0
}

// rate is bytes per second over a sliding window.
type rate struct {
	samples []sample
}

type sample struct {
	at    time.Duration
	bytes int64
}

// rateWindow is short enough to follow a change and long enough to read.
const rateWindow = 5 * time.Second

func (r *rate) add(at time.Duration, bytes int64) float64 {
	r.samples = append(r.samples, sample{at, bytes})
	for len(r.samples) > 2 && at-r.samples[0].at > rateWindow {
		r.samples = r.samples[1:]
	}
	first := r.samples[0]
	if at <= first.at {
		return 0
	}
	return float64(bytes-first.bytes) / (at - first.at).Seconds()
}

// pace foresees the end of a job from what its bytes and its objects have cost so
// far: a burst of small objects says nothing about how fast a large one goes. It is
// the mean since the start at first, and forgets what is older than paceWindow.
type pace struct {
	at             time.Duration
	bytes, objects float64 // by then
	spans          []span

	perByte, perObject float64 // seconds; 0 while nobody knows
}

// span is what was done in a while, as far as it is not forgotten.
type span struct{ seconds, bytes, objects float64 }

// paceWindow is long enough to even out pauses and bursts, and short enough to
// follow a line that became slower for good. A span is short enough to tell what
// is slow from what is fast beside it.
const (
	paceWindow = 30 * time.Second
	paceSpan   = 250 * time.Millisecond
)

// objectWork is what an object costs beside its bytes, in bytes, until it is
// known: its requests take as long as these. It keeps a tail of small objects from
// being foreseen as no time at all, as does leastWork when objects went by free.
const (
	objectWork = 64 << 10
	leastWork  = 1 << 10
)

// add tells how many bytes and objects there are by at.
func (p *pace) add(at time.Duration, bytes, objects float64) {
	passed := (at - p.at).Seconds()
	if passed <= 0 {
		return
	}
	if last := len(p.spans) - 1; last < 0 || p.spans[last].seconds >= paceSpan.Seconds() {
		p.spans = append(p.spans, span{})
	}
	last := &p.spans[len(p.spans)-1]
	last.seconds += passed
	last.bytes += max(bytes-p.bytes, 0)
	last.objects += max(objects-p.objects, 0)
	p.at, p.bytes, p.objects = at, bytes, objects
	p.forget()
	p.learn()
}

// forget takes from all spans what makes them longer than paceWindow.
func (p *pace) forget() {
	var all float64
	for _, s := range p.spans {
		all += s.seconds
	}
	if all <= paceWindow.Seconds() {
		return
	}
	keep := paceWindow.Seconds() / all
	for i, s := range p.spans {
		p.spans[i] = span{s.seconds * keep, s.bytes * keep, s.objects * keep}
	}
	if p.spans[0].seconds < paceSpan.Seconds()/100 {
		p.spans = p.spans[1:]
	}
}

// learn shares the time of every span between its bytes and its objects by what
// they cost as far as is known, and takes the costs from that. Where there is much
// of the one and little of the other, they become known better, step by step.
func (p *pace) learn() {
	perByte, perObject := p.costs()
	if perByte == 0 {
		perByte, perObject = 1, objectWork
	}
	var all, ofBytes, ofObjects, bytes, objects float64
	for _, s := range p.spans {
		all += s.seconds
		if work := s.bytes*perByte + s.objects*perObject; work > 0 {
			ofBytes += s.seconds * s.bytes * perByte / work
			ofObjects += s.seconds * s.objects * perObject / work
		}
		bytes, objects = bytes+s.bytes, objects+s.objects
	}
	if ofBytes+ofObjects == 0 {
		return // nothing but a pause: what was known stays
	}
	pauses := all / (ofBytes + ofObjects)
	if bytes > 0 {
		p.perByte = max(ofBytes*pauses/bytes, p.perObject*1e-12)
	}
	if objects > 0 {
		p.perObject = max(ofObjects*pauses/objects, p.perByte*leastWork)
	}
}

// costs are the seconds that a byte and an object take, both 0 if nobody knows.
func (p *pace) costs() (perByte, perObject float64) {
	return cmp.Or(p.perByte, p.perObject/objectWork), cmp.Or(p.perObject, p.perByte*objectWork)
}

// left is the time that so many bytes and objects take, negative if nobody can
// tell.
func (p *pace) left(bytes, objects float64) time.Duration {
	const most = 100 * 24 * time.Hour // beyond it a number says nothing
	perByte, perObject := p.costs()
	switch seconds := max(bytes, 0)*perByte + max(objects, 0)*perObject; {
	case bytes <= 0 && objects <= 0:
		return 0
	case perByte == 0 || seconds > most.Seconds():
		return -1
	default:
		return time.Duration(seconds * float64(time.Second))
	}
}
