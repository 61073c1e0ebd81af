//go:build unix

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// rounds is how many seeds each way is killed with: 24 rounds of upload and as
// many of download.
const rounds = 8

// TestKill kills the real program at moments chosen by seed, up to three times
// a round, and runs it again until it ends well. After each kill:
//
//   - every name at the destination holds its old content or its new one;
//   - the checkpoint is whole, and nothing it has as done is transferred again.
//     That leaves to be fetched again what was in flight, and what was finished
//     less than one sync and one group commit (50 ms) before the kill;
//   - no part that the server has, recorded or not, is sent again.
//
// In the end the trees are equal by SHA-256, and neither temporary files nor
// multipart uploads are left.
func TestKill(t *testing.T) {
	binary, s := build(t), newSample(t)
	for i, w := range ways {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			total := reference(t, binary, s, w)
			var m maxima
			t.Cleanup(func() { t.Log(m.String()) })
			for seed := range uint64(rounds) {
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					killRound(t, newArena(t, binary, s, w), total, rand.New(rand.NewPCG(seed, uint64(i))), &m)
				})
			}
		})
	}
}

// build makes the program as users have it.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "osssync")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// work is what a run takes that nothing disturbs.
type work struct{ requests, bytes int64 }

func reference(t *testing.T, binary string, s *sample, w way) work {
	t.Helper()
	a := newArena(t, binary, s, w)
	var m moment
	if out := a.start(&m, os.Kill); out.code != 0 || !a.look() {
		t.Fatalf("undisturbed: exit code %d\n%s", out.code, out.stderr)
	}
	return work{requests: m.answered.Load(), bytes: m.bytes.Load()}
}

// choose picks a moment within what is left of the work. A first kill always
// finds the program at work.
func choose(rng *rand.Rand, total, done work, first bool) *moment {
	m := &moment{when: when(rng.IntN(int(atRest)) + 1), delay: time.Duration(rng.IntN(40_000)) * time.Microsecond}
	if first && m.when == atStart {
		m.when = atAnswer
	}
	left := max(total.requests-done.requests, 1)
	switch {
	case m.when == atByte:
		m.count = 1 + rng.Int64N(max(total.bytes-done.bytes, 1))
	case !first && rng.IntN(3) == 0: // while it finds out what it has
		m.count = 1 + rng.Int64N(min(left, 6))
	case first && m.when == atRest:
		m.count = 1 + rng.Int64N(left-1)
	default:
		m.count = 1 + rng.Int64N(left)
	}
	return m
}

func killRound(t *testing.T, a *arena, total work, rng *rand.Rand, max *maxima) {
	kills := 1 + rng.IntN(3)
	var done work
	for n := 0; ; n++ {
		m := &moment{}
		if n < kills {
			m = choose(rng, total, done, n == 0)
		}
		before := len(a.log.all(t))
		out := a.start(m, os.Kill)
		done.requests += m.answered.Load()
		done.bytes += m.bytes.Load()
		max.add(a, before)
		finished := a.look()
		switch {
		case out.code == 0:
			if n == 0 {
				t.Errorf("ended before the kill: %v %d", m.when, m.count)
			}
			if !finished {
				t.Error("exit code 0, and not all is there")
			}
			a.checkEnd(max)
			return
		case out.code != -1:
			t.Fatalf("run %d: exit code %d\n%s", n, out.code, out.stderr)
		}
		t.Logf("killed: %v %d, %d requests so far", m.when, m.count, done.requests)
		if !a.goesOn(finished) {
			// The kill can have come between the removal of the checkpoint and
			// of its lock.
			if out := a.run(&moment{}, os.Kill, a.binary, "gc"); out.code != 0 {
				t.Fatalf("gc: exit code %d\n%s", out.code, out.stderr)
			}
			a.checkEnd(max)
			return
		}
	}
}

// goesOn notes what must not be transferred again. It is false if the job had
// ended and thrown its checkpoint away: the next run would be a new job.
func (a *arena) goesOn(finished bool) bool {
	a.t.Helper()
	b, found, err := a.books()
	if err != nil {
		a.t.Fatal(err)
	}
	switch {
	case found:
	case finished:
		return false
	case len(a.log.all(a.t)) > 0:
		a.t.Fatal("the checkpoint is gone before the work is done")
	}
	a.done = append(a.done, milestone{len(a.log.all(a.t)), b})
	return true
}

// milestone is what was recorded when the log had so many events.
type milestone struct {
	events int
	books  books
}

// checkEnd checks a round as a whole.
func (a *arena) checkEnd(max *maxima) {
	a.t.Helper()
	known, unheard := a.uploads()
	if known > 0 {
		a.t.Errorf("%d multipart uploads are left", known)
	}
	max.note(&max.unheard, unheard)
	events := a.log.all(a.t)
	for _, d := range a.done {
		for _, e := range events[d.events:] {
			if p, _, ok := a.piece(e); ok && d.books.has(p) {
				a.t.Errorf("%s of %q, part %d: transferred again after it was recorded", e.Op, p.name, p.number)
			}
		}
	}
	a.checkParts(events)
	if a.way.verb == "sync" {
		a.checkNothingToDo()
		return
	}
	left, err := os.ReadDir(a.state)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range left {
		a.t.Errorf("the job has ended, and its %s is still there", f.Name())
	}
}

// checkParts finds parts that were sent though the server had them.
func (a *arena) checkParts(events []event) {
	a.t.Helper()
	has := map[piece]bool{}
	for _, e := range events {
		p, finished, ok := a.piece(e)
		if !ok || e.Op != "UploadPart" {
			continue
		}
		if has[p] {
			a.t.Errorf("part %d of %q was sent again", p.number, p.name)
		}
		has[p] = has[p] || finished
	}
}

// checkNothingToDo runs once more: a second sync moves nothing.
func (a *arena) checkNothingToDo() {
	a.t.Helper()
	before := len(a.log.all(a.t))
	if out := a.start(&moment{}, os.Kill); out.code != 0 {
		a.t.Errorf("second sync: exit code %d\n%s", out.code, out.stderr)
	}
	for _, e := range a.log.all(a.t)[before:] {
		if p, _, ok := a.piece(e); ok {
			a.t.Errorf("second sync: %s of %q", e.Op, p.name)
		}
	}
}

// maxima are what the rounds of one way saw at most.
type maxima struct {
	mu             sync.Mutex
	kills, unheard int
	ranges, whole  int // finished, and transferred again: pieces, small objects
}

func (m *maxima) String() string {
	return fmt.Sprintf("%d kills; transferred again after one, at most: %d finished pieces, %d small objects; uploads never heard of: %d",
		m.kills, m.ranges, m.whole, m.unheard)
}

func (m *maxima) note(field *int, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*field = max(*field, n)
}

// add counts what the run whose events begin at from did again.
func (m *maxima) add(a *arena, from int) {
	a.t.Helper()
	events := a.log.all(a.t)
	finished := map[piece]bool{}
	ranges, whole := 0, 0
	for i, e := range events {
		p, whole1, ok := a.piece(e)
		switch {
		case !ok:
		case i < from:
			finished[p] = finished[p] || whole1
		case !finished[p]:
		case p.number == 0:
			whole++
		default:
			ranges++
		}
	}
	m.note(&m.ranges, ranges)
	m.note(&m.whole, whole)
	m.mu.Lock()
	defer m.mu.Unlock()
	if from > 0 {
		m.kills++
	}
}

// TestKillAtRest kills the program when a share of the work is done and
// nothing moves any more. By then everything is recorded, without any further
// event to push it: what the server had answered is not transferred again.
func TestKillAtRest(t *testing.T) {
	binary, s := build(t), newSample(t)
	for _, w := range ways {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			total := reference(t, binary, s, w)
			a := newArena(t, binary, s, w)
			m := &moment{when: atRest, count: total.requests * 2 / 3}
			m.settled = func() { a.awaitBooks() }
			if out := a.start(m, os.Kill); out.code != -1 {
				t.Fatalf("exit code %d\n%s", out.code, out.stderr)
			}
			a.look()
			a.goesOn(false)
			if out := a.start(&moment{}, os.Kill); out.code != 0 || !a.look() {
				t.Errorf("exit code %d\n%s", out.code, out.stderr)
			}
			a.checkOnce()
			a.checkEnd(&maxima{})
		})
	}
}

// awaitBooks returns when everything that was transferred is recorded.
func (a *arena) awaitBooks() {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	limit := time.After(30 * time.Second)
	for {
		b, found, err := a.books() // of a file that is being written: may be torn
		missing := 0
		for _, e := range a.log.all(a.t) {
			if p, whole, ok := a.piece(e); ok && whole && (!found || err != nil || !b.has(p)) {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		select {
		case <-poll.C:
		case <-limit:
			a.t.Errorf("%d pieces are not recorded after half a minute: %v", missing, err)
			return
		}
	}
}

// TestSignal stops the program with SIGINT, SIGTERM and SIGHUP: it ends by itself,
// says how to go on, and that command does the rest.
func TestSignal(t *testing.T) {
	binary, s := build(t), newSample(t)
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as below nohup
		signals = append(signals, syscall.SIGHUP)
	}
	for _, sig := range signals {
		for i, w := range ways {
			t.Run(fmt.Sprint(sig, " ", w), func(t *testing.T) {
				t.Parallel()
				total := reference(t, binary, s, w)
				rng := rand.New(rand.NewPCG(uint64(i), uint64(sig)))
				t.Run("any moment", func(t *testing.T) {
					signalRound(t, newArena(t, binary, s, w), choose(rng, total, work{}, true), sig)
				})
				// All it was ever answered the program has taken by then, and
				// must not ask for again.
				t.Run("all workers waiting", func(t *testing.T) {
					a := newArena(t, binary, s, w)
					m := &moment{when: atFull, count: total.requests / 2, width: jobs}
					if w.single() {
						m.width = parallel
					}
					signalRound(t, a, m, sig)
					a.checkOnce()
				})
			})
		}
	}
}

func signalRound(t *testing.T, a *arena, m *moment, sig os.Signal) {
	out := a.start(m, sig)
	if out.code != 5 || out.took > 5*time.Second {
		t.Fatalf("exit code %d after %v\n%s", out.code, out.took, out.stderr)
	}
	t.Logf("ended %v after the signal: %v %d", out.took, m.when, m.count)
	a.look()
	a.goesOn(false)
	lines := strings.Split(strings.TrimSpace(out.stderr), "\n")
	_, again, ok := strings.Cut(lines[len(lines)-1], "to go on: ")
	if !ok || !strings.Contains(again, "osssync "+strings.Fields(a.way.verb)[0]+" ") {
		t.Fatalf("the last line does not say how to go on:\n%s", out.stderr)
	}
	if out := a.run(&moment{}, sig, "sh", "-c", again); out.code != 0 || !a.look() {
		t.Errorf("%s: exit code %d\n%s", again, out.code, out.stderr)
	}
	a.checkEnd(&maxima{})
}

// checkOnce finds what was transferred again after the server had seen all of
// it go.
func (a *arena) checkOnce() {
	a.t.Helper()
	finished := map[piece]bool{}
	for _, e := range a.log.all(a.t) {
		p, whole, ok := a.piece(e)
		if ok && finished[p] {
			a.t.Errorf("%s of %q, part %d: again", e.Op, p.name, p.number)
		}
		finished[p] = finished[p] || ok && whole
	}
}
