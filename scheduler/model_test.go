package scheduler_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/scheduler"
)

// step is one thing that happens to the pool. Which task it strikes is pick
// modulo the number of candidates.
type step struct {
	Op       string // submit, succeed, fail, throttle, cancel, wait
	Pick     int
	Priority int
	Bytes    int64
}

var steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
	return step{
		Op:       rapid.SampledFrom([]string{"submit", "submit", "submit", "succeed", "succeed", "fail", "throttle", "cancel", "wait"}).Draw(t, "op"),
		Pick:     rapid.IntRange(0, 100).Draw(t, "pick"),
		Priority: rapid.IntRange(-1, 2).Draw(t, "priority"),
		Bytes:    rapid.Int64Range(-1, 12).Draw(t, "bytes"),
	}
}), 1, 60)

// TestModel compares the pool, after each of many random steps, with a model
// that keeps its queue as a plain list: the same tasks run, and the limit is
// the same.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			workers: rapid.IntRange(1, 5).Draw(rt, "workers"),
			memory:  rapid.Int64Range(1, 10).Draw(rt, "memory"),
		}
		todo := steps.Draw(rt, "steps")
		var failure error
		// rapid's T must not fail on the bubble's goroutine.
		synctest.Test(t, func(t *testing.T) { failure = m.run(t, todo) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

type modelTask struct {
	*call
	id, priority, epoch int
	bytes               int64
}

type model struct {
	workers int
	memory  int64

	limit, successes, epoch int
	lastCut                 time.Time
	nextID                  int
	waiting, running        []*modelTask
}

func (m *model) run(t *testing.T, todo []step) error {
	p := scheduler.New(&scheduler.Options{Workers: m.workers, Memory: m.memory, Attempts: 1, Judge: judge})
	m.limit = m.workers
	for i, s := range todo {
		m.apply(t, p, s)
		if err := m.compare(p); err != nil {
			m.drain(t)
			return fmt.Errorf("step %d, %+v: %w", i, s, err)
		}
	}
	m.drain(t)
	if got, want := p.Stats(), m.limit; got.Running+got.Waiting != 0 || got.Bytes != 0 || got.Limit != want {
		return fmt.Errorf("not empty at the end: %+v", got)
	}
	return p.Close()
}

// drain ends everything, so that the bubble can end whatever the pool did.
func (m *model) drain(t *testing.T) {
	for _, task := range m.waiting {
		task.cancel(nil)
	}
	for _, task := range slices.Concat(m.waiting, m.running) {
		synctest.Wait()
		if task.running {
			task.finish(errFatal)
		}
		_ = task.returned(t)
	}
}

func (m *model) apply(t *testing.T, p *scheduler.Pool, s step) {
	switch s.Op {
	case "submit":
		task := &modelTask{id: m.nextID, priority: s.Priority, bytes: min(max(s.Bytes, 0), m.memory)}
		m.nextID++
		m.waiting = append(m.waiting, task)
		m.grant()
		task.call = start(t, p, scheduler.Task{Priority: s.Priority, Bytes: s.Bytes})
	case "wait":
		time.Sleep(700 * time.Millisecond)
	case "cancel":
		if len(m.waiting) > 0 {
			i := s.Pick % len(m.waiting)
			task := m.waiting[i]
			m.waiting = slices.Delete(m.waiting, i, i+1)
			m.grant()
			task.cancel(errFatal)
			if err := task.returned(t); err != errFatal {
				t.Errorf("a cancelled waiter returned %v", err)
			}
		}
	default:
		if len(m.running) > 0 {
			i := s.Pick % len(m.running)
			task := m.running[i]
			m.running = slices.Delete(m.running, i, i+1)
			result := map[string]error{"succeed": nil, "fail": errFatal, "throttle": errBusy}[s.Op]
			m.learn(task, result)
			m.grant()
			task.finish(result)
			if err := task.returned(t); err != result {
				t.Errorf("a task returned %v, want %v", err, result)
			}
		}
	}
}

func (m *model) learn(task *modelTask, result error) {
	switch result {
	case nil:
		if m.successes++; m.limit < m.workers && m.successes >= m.limit {
			m.limit, m.successes = m.limit+1, 0
		}
		if m.limit == m.workers {
			m.successes = 0
		}
	case errBusy:
		if task.epoch == m.epoch && time.Since(m.lastCut) >= time.Second {
			m.limit, m.successes, m.epoch, m.lastCut = max(1, m.limit/2), 0, m.epoch+1, time.Now()
		}
	}
}

func (m *model) grant() {
	for len(m.waiting) > 0 && len(m.running) < m.limit {
		best := slices.MinFunc(m.waiting, func(a, b *modelTask) int {
			if a.priority != b.priority {
				return b.priority - a.priority
			}
			return a.id - b.id
		})
		free := m.memory
		for _, r := range m.running {
			free -= r.bytes
		}
		if best.bytes > free {
			return
		}
		best.epoch = m.epoch
		m.waiting = slices.DeleteFunc(m.waiting, func(w *modelTask) bool { return w == best })
		m.running = append(m.running, best)
	}
}

func (m *model) compare(p *scheduler.Pool) error {
	for _, task := range m.running {
		if !task.running {
			return fmt.Errorf("task %d waits, the model runs it", task.id)
		}
	}
	for _, task := range m.waiting {
		if task.running {
			return fmt.Errorf("task %d runs, in the model it waits", task.id)
		}
	}
	s := p.Stats()
	if s.Limit != m.limit || s.Running != len(m.running) || s.Waiting != len(m.waiting) || s.Bytes > m.memory {
		return fmt.Errorf("%+v, in the model limit %d, %d running, %d waiting", s, m.limit, len(m.running), len(m.waiting))
	}
	return nil
}
