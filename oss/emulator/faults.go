package emulator

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"time"
)

// Fault is a failure to stage, and when. Conditions are joined by "and"; the
// zero value of one does not restrict. A fault is written on a line of its own,
//
//	KIND[=VALUE] [NAME=VALUE]...
//
// for example "503 on=UploadPart key=logs/* nth=3". The kinds that answer in
// the operation's place, which is then not done:
//
//	503[=CODE]       that status, as an OSS error; retry=D adds Retry-After and
//	                 x-oss-qos-delay-time, location=URL sends elsewhere, as the
//	                 service does from the wrong region
//	qps=N            503 TotalQpsLimitExceeded above N requests a second
//	throttle=RATE    503 UploadTrafficRateLimitExceeded (or Download...) while
//	                 more than RATE bytes a second have moved. Like qps it has
//	                 retry=D, 1s if absent, and says so in every second answer
//	expire           403 SecurityTokenExpired
//	html[=STATUS]    a page of HTML, as of a proxy; status 200 if absent
//	reset[=WHERE]    a connection reset before the body, in the body after at=N
//	                 bytes (half if absent), or after it. The body is the
//	                 request's, or the answer's if the request has none
//	stall[=D]        silence for D, then go on; without D until the client has
//	                 gone, ten minutes at most. at=N: after N bytes of the body
//
// The kinds that spoil the operation or its answer:
//
//	lost[=STATUS]    it is done, then the connection is reset, or STATUS
//	                 answered (200: an error under a status of success)
//	truncate[=N]     the connection ends after N bytes of the answer's body
//	flip[=N]         byte N of a body is inverted; dir=up or down (if absent)
//	etag=wrong       another ETag than the object's, in headers and documents
//	crc=wrong        another CRC-64
//	repeat           a listing's markers lead to the same page again
//	endearly         the second half of a listing's page and all others are missing
//	shuffle          the entries of a listing's page are out of order
//	vanish           the upload id is forgotten before it is used
//	change           the object is overwritten before GetObject reads it
//	clock=D          the server's clock is off by D, which may be negative
//	latency=D        D more before anything, and up to jitter=D on top
//	bandwidth=RATE   bytes a second of bodies; per=connection (if absent) or total
//
// Conditions: on=OPERATION, as the request log names it; bucket=NAME;
// key=PATTERN of path.Match; nth=N, every=N and max=N count the requests that
// match; prob=P with seed=N; from=D and to=D since the faults were set. Kinds
// look only at requests they can spoil: lost only at those that change
// something, repeat only at listings. RATE and N of bytes may end in K, M or G.
// A value with spaces stands in double quotes.
//
// The first fault that answers decides; those of the second table add up.
type Fault struct {
	// Kind is one of the words above, or a status between 200 and 599.
	Kind string

	// Word is the value of reset, etag and crc.
	Word string

	// Code is the OSS error code of a status; empty: that of the status.
	Code string

	// N is the value of qps, throttle, bandwidth (a second), truncate, flip
	// (bytes), lost and html (a status).
	N int64

	// At is how many bytes of a body reset and stall let pass.
	At int64

	// Delay is the value of latency, stall and clock.
	Delay time.Duration

	// Jitter is the most that latency adds at random.
	Jitter time.Duration

	// Retry is how long a refused client is told to wait.
	Retry time.Duration

	// Location is where a status sends the client.
	Location string

	// Dir is the direction of flip, Per the scope of bandwidth.
	Dir, Per string

	// On, Bucket and Key select requests; Key is a pattern of path.Match.
	On, Bucket, Key string

	// Nth picks one of the matching requests, Every each Nth of them, from 1;
	// Max bounds how often the fault is chosen.
	Nth, Every, Max int

	// Prob is a probability, 0 for always; Seed that of its random numbers,
	// of the jitter's and of shuffle's.
	Prob float64
	Seed uint64

	// From and To bound the time since the faults were set; To 0 is for ever.
	From, To time.Duration
}

// FaultCount says how often a fault came true.
type FaultCount struct {
	Fault Fault

	// Matched counts the requests of its operation, bucket, key and time.
	Matched int

	// Fired counts those that were spoiled. A body too short for the byte to
	// flip, or a document without the ETag to change, is not.
	Fired int
}

// SetFaults replaces all faults, starts their windows and counts anew. It is
// an error if a Fault has fields that its Kind does not use. Requests that are
// under way keep theirs.
func (s *Server) SetFaults(faults []Fault) error {
	set, err := newFaultSet(faults, s.opts.Now())
	if err != nil {
		return fmt.Errorf("set faults: %w", err)
	}
	s.faults.Store(set)
	return nil
}

// FaultCounts says how often each fault came true since the faults were set,
// in their order.
func (s *Server) FaultCounts() []FaultCount {
	set := s.faults.Load()
	if set == nil {
		return nil
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	counts := make([]FaultCount, len(set.states))
	for i, f := range set.states {
		counts[i] = FaultCount{f.Fault, f.matched, f.fired}
	}
	return counts
}

// faultSet is the faults of a server, and how far they have got.
type faultSet struct {
	since time.Time

	mu     sync.Mutex
	states []*faultState
}

// faultState is one fault. What changes is guarded by its set's mu.
type faultState struct {
	Fault
	text    string
	rand    *rand.Rand
	total   *pacer // of bandwidth per=total
	matched int
	chosen  int
	fired   int
	refused int     // of qps and throttle
	level   float64 // of qps and throttle: what may still pass
	filled  time.Time
}

// newFaultSet returns nil for no faults.
func newFaultSet(faults []Fault, now time.Time) (*faultSet, error) {
	if len(faults) == 0 {
		return nil, nil
	}
	set := &faultSet{since: now}
	for i, f := range faults {
		if err := f.validate(); err != nil {
			return nil, err
		}
		st := &faultState{Fault: f, text: f.String(), rand: rand.New(rand.NewPCG(f.Seed, uint64(i))), filled: now}
		switch {
		case f.Kind == "bandwidth" && f.Per == "total":
			st.total = newPacer(f.N)
		case f.Kind == "qps" || f.Kind == "throttle":
			st.level = float64(f.N)
		}
		set.states = append(set.states, st)
	}
	return set, nil
}

// occasion is what a fault looks at in a request.
type occasion struct {
	op, bucket, key string
	changes         bool // something, if it succeeds
	upload          bool // has an upload id
	body            bool // has one
}

// choose returns the faults of a request, the deciding one last, and the
// numbers drawn for it.
func (set *faultSet) choose(at *occasion, now time.Time) []*chosenFault {
	set.mu.Lock()
	defer set.mu.Unlock()
	var out []*chosenFault
	for _, f := range set.states {
		if !f.happens(at, now.Sub(set.since)) {
			continue
		}
		c := &chosenFault{faultState: f, set: set}
		switch f.Kind {
		case "latency":
			c.wait = f.Delay
			if f.Jitter > 0 {
				c.wait += time.Duration(f.rand.Int64N(int64(f.Jitter) + 1))
			}
		case "shuffle":
			c.seed = f.rand.Uint64()
		case "qps", "throttle":
			if f.passes(now) {
				if f.Kind == "throttle" { // it is charged for its bytes
					out = append(out, c)
				}
				continue
			}
			f.refused++
			c.refuses = true
			if f.refused%2 == 1 {
				c.wait = f.Retry
				if c.wait == 0 {
					c.wait = time.Second
				}
			}
		}
		f.chosen++
		out = append(out, c)
		if c.decides() {
			return out
		}
	}
	return out
}

// happens counts a matching request and says whether the fault picks it.
func (f *faultState) happens(at *occasion, since time.Duration) bool {
	if f.On != "" && f.On != at.op || f.Bucket != "" && f.Bucket != at.bucket ||
		since < f.From || f.To > 0 && since >= f.To || !f.concerns(at) {
		return false
	}
	if f.Key != "" {
		if ok, err := path.Match(f.Key, at.key); err != nil || !ok {
			return false
		}
	}
	f.matched++
	switch {
	case f.Nth > 0 && f.matched != f.Nth,
		f.Every > 0 && f.matched%f.Every != 0,
		f.Max > 0 && f.chosen >= f.Max,
		f.Prob > 0 && f.rand.Float64() >= f.Prob:
		return false
	}
	return true
}

// concerns says whether the request is of a sort the kind can spoil.
func (f *faultState) concerns(at *occasion) bool {
	switch f.Kind {
	case "lost":
		return at.changes
	case "vanish":
		return at.upload
	case "flip":
		return f.Dir != "up" || at.body
	}
	return f.spoils(at.op)
}

// spoils says whether there are requests of the operation that the kind can
// spoil.
func (f *Fault) spoils(op string) bool {
	switch f.Kind {
	case "repeat", "endearly", "shuffle":
		return strings.HasPrefix(op, "List")
	case "change":
		return op == "GetObject"
	}
	return true
}

// passes takes one from the level of qps, or asks whether that of throttle is
// used up. Both fill with N a second, up to one second's worth.
func (f *faultState) passes(now time.Time) bool {
	if d := now.Sub(f.filled); d > 0 {
		f.level = min(f.level+d.Seconds()*float64(f.N), float64(f.N))
		f.filled = now
	}
	if f.Kind == "throttle" {
		return f.level > 0
	}
	if f.level < 1 {
		return false
	}
	f.level--
	return true
}

// chosenFault is a fault of one request.
type chosenFault struct {
	*faultState
	set     *faultSet
	pacer   *pacer        // of bandwidth
	wait    time.Duration // of latency, or what a refused client is told
	seed    uint64
	refuses bool // of qps and throttle
	done    bool // it has come true
}

// decides says that the fault answers in the operation's place.
func (c *chosenFault) decides() bool {
	switch c.Kind {
	case "qps", "throttle":
		return c.refuses
	case "expire", "html":
		return true
	case "reset":
		return c.Word != "body" && c.Word != "after"
	}
	return c.Kind[0] >= '0' && c.Kind[0] <= '9'
}

// fire notes that the fault has come true.
func (c *chosenFault) fire() {
	if c.done {
		return
	}
	c.done = true
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	c.fired++
}

// charge takes the bytes that moved from the level of throttle.
func (c *chosenFault) charge(n int64) {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	c.level -= float64(n)
}
