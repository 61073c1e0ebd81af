package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// killed is a run that is dead from some step on: it does nothing more, and of
// its checkpoint there is what was committed before.
type killed struct {
	state string // the folder of the checkpoints

	mu       sync.Mutex
	quiet    sync.Cond
	steps    int
	at       int // the step it dies at
	asking   int // requests that are with the server
	renaming int // files that are being renamed
	saved    map[string][]byte
	isDead   bool
	dead     chan struct{} // closed when isDead is set
	bury     chan struct{} // closed: who hangs may end
}

func newKilled(state string, at int) *killed {
	k := &killed{state: state, at: at, dead: make(chan struct{}), bury: make(chan struct{})}
	k.quiet.L = &k.mu
	return k
}

// step is the engine's Watch.
func (k *killed) step(s transfer.Step) {
	k.mu.Lock()
	if k.isDead {
		if s.Op == "file rename" && s.Done {
			k.renaming--
			k.quiet.Broadcast()
		}
		k.mu.Unlock()
		<-k.bury
		return
	}
	if strings.HasPrefix(s.Op, "checkpoint ") && s.Done {
		k.save()
	}
	k.steps++
	if k.steps == k.at {
		k.isDead = true
		close(k.dead)
	}
	switch {
	case s.Op != "file rename":
	case s.Done:
		k.renaming--
	case !k.isDead:
		k.renaming++
	}
	hang := k.isDead
	k.mu.Unlock()
	if hang {
		<-k.bury
	}
}

// save remembers the checkpoints, in a moment in which nobody writes to them.
func (k *killed) save() {
	k.saved = map[string][]byte{}
	paths, _ := filepath.Glob(filepath.Join(k.state, "*"))
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil {
			k.saved[filepath.Base(path)] = data
		}
	}
}

// request is the wire's hook.
func (k *killed) request(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
	count := func(n int) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asking += n
		k.quiet.Broadcast()
	}
	count(1)
	defer count(-1)
	return send()
}

// left waits until nothing is under way any more and makes a state folder of
// what was durable.
func (k *killed) left(t *testing.T) string {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.asking > 0 || k.renaming > 0 {
		k.quiet.Wait()
	}
	state := t.TempDir()
	for name, data := range k.saved {
		if err := os.WriteFile(filepath.Join(state, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return state
}

// kill makes run die at a step. It leaves the state folder as it was durable
// then; bury is to be called at the end. dead is false if run had ended before.
func (s *sides) kill(at int, run func(context.Context, *transfer.Engine) error) (dead bool, bury func()) {
	s.t.Helper()
	k := newKilled(s.state, at)
	k.save()
	s.wire.between(k.request)
	defer s.wire.between(nil)
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	e := s.engine(func(o *transfer.Options) { o.Concurrency, o.Parallel, o.Watch = 1, 1, k.step })
	go func() { ended <- run(ctx, e) }()
	select {
	case err := <-ended:
		cancel()
		if err != nil {
			s.t.Fatal(err)
		}
		return false, func() {}
	case <-k.dead:
	}
	s.state = k.left(s.t)
	return true, func() {
		cancel()
		close(k.bury)
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			s.t.Errorf("the dead run: %v", err)
		}
	}
}

// TestUndoOfKilled kills a sync at each step, and lets Undo take back what it
// did: at once, or after a sync that has ended its work.
func TestUndoOfKilled(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for _, resume := range []bool{false, true} {
			t.Run(fmt.Sprint(direction, " resume=", resume), func(t *testing.T) {
				t.Parallel()
				for at := 1; undoOfKilled(t, direction, at, resume); at++ {
				}
			})
		}
	}
}

// undoOfKilled is false if the sync had ended before that step.
func undoOfKilled(t *testing.T, direction string, at int, resume bool) bool {
	s := newSides(t, direction)
	kept := s.at("kept/")
	if s.to != "" {
		kept = transfer.Local(t.TempDir())
	}
	s.add(false, "new", "dir/replaced")
	large := noise(1, 2*partSize+1)
	s.add(true, "gone", "same", "dir/replaced")
	if s.from != "" {
		write(t, filepath.Join(s.from, "large"), large)
		write(t, filepath.Join(s.from, "dir", "replaced"), []byte("by this"))
	} else {
		s.put("from/large", large)
		s.put("from/dir/replaced", []byte("by this"))
	}
	s.add(false, "same")
	before := s.seen()

	o := &transfer.SyncOptions{Backup: kept, Delete: true}
	o.MaxDelete.None = true
	if resume && direction != "across" {
		o.Compare = transfer.CompareSize // which records nothing of what is the same
	}
	dead, bury := s.kill(at, func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Sync(ctx, s.src, s.dst, o)
		return err
	})
	defer bury()
	if !dead {
		return false
	}
	if resume {
		left := s.seen()
		report, err := s.engine().Sync(t.Context(), s.src, s.dst, o)
		if err != nil {
			t.Fatalf("killed at step %d: sync: %v", at, err)
		}
		if !report.Resumed { // the dead run had closed its books: this is another one
			before = left
		}
	}
	jobs, err := filepath.Glob(filepath.Join(s.state, "*.db"))
	if err != nil || len(jobs) > 1 {
		t.Fatal(jobs, err)
	}
	if s.to != "" {
		for name := range tree(t, kept.Path) {
			replaceFile(t, filepath.Join(kept.Path, name), nil) // as one on another device is
		}
	}
	for _, path := range jobs {
		id := strings.TrimSuffix(filepath.Base(path), ".db")
		report, err := s.undo(id, nil)
		if report == nil && !resume {
			continue // it had not come to remember what it is, let alone to do it
		}
		if err != nil {
			t.Errorf("killed at step %d: undo: %v; %+v", at, err, report)
		}
	}
	if after := s.seen(); !maps.Equal(after, before) {
		t.Errorf("killed at step %d: undone is %v, was %v", at, after, before)
	}
	if s.to == "" {
		return !t.Failed()
	}
	if !resume {
		if err := s.engine().GC(t.Context(), &transfer.GCOptions{OlderThan: -1}); err != nil {
			t.Errorf("killed at step %d: %v", at, err)
		}
	}
	if temps := temps(t, kept.Path); len(temps) > 0 {
		t.Errorf("killed at step %d: %v are left", at, temps)
	}
	return !t.Failed()
}

// temps are the temporary files below a folder.
func temps(t *testing.T, dir string) (names []string) {
	for name := range tree(t, dir) {
		if isTemp(name) {
			names = append(names, name)
		}
	}
	return names
}

// seen is what lies at the destination, but for temporary files, in a few
// characters each.
func (s *sides) seen() map[string]string {
	all := map[string]string{}
	for name, data := range s.contents() {
		if !isTemp(name) {
			all[name] = short(data)
		}
	}
	return all
}
