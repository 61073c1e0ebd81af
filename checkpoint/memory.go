package checkpoint

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"os"
	"slices"
	"sync"
)

// Memory keeps the checkpoints of jobs while the process lives. Jobs go on
// after an error or a cancelled context, not after a crash. The zero value is
// ready to use.
type Memory struct {
	mu   sync.Mutex
	jobs map[string]*InMemory
}

// Open begins a job or goes on with it. A job that is open already is
// *HeldError.
func (m *Memory) Open(job Job) (*InMemory, error) {
	job = job.clone()
	job.ID = cmp.Or(job.ID, JobID(job.Kind, job.Source, job.Destination, job.Options))
	m.mu.Lock()
	defer m.mu.Unlock()
	c, found := m.jobs[job.ID]
	switch {
	case !found:
		c = &InMemory{
			store: m, job: job, objects: map[string]Object{}, parts: map[string]map[int]Part{},
			settled: map[string]Settled{}, failures: map[string]Failure{}, changes: map[string]Change{},
		}
		if m.jobs == nil {
			m.jobs = map[string]*InMemory{}
		}
		m.jobs[job.ID] = c
	case c.open:
		return nil, &HeldError{Path: "in memory, " + job.ID, PID: os.Getpid()}
	}
	c.open, c.resumed = true, found
	return c, nil
}

// Jobs lists the headers of all jobs in the order of their IDs.
func (m *Memory) Jobs() iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		m.mu.Lock()
		ids := slices.Sorted(maps.Keys(m.jobs))
		m.mu.Unlock()
		for _, id := range ids {
			m.mu.Lock()
			c := m.jobs[id]
			m.mu.Unlock()
			if c != nil && !yield(c.Job(), nil) {
				return
			}
		}
	}
}

// InMemory is an open checkpoint of a Memory. Its methods do what those of
// Checkpoint do, without waiting for a disk.
type InMemory struct {
	store         *Memory
	open, resumed bool // guarded by store.mu

	mu       sync.Mutex
	job      Job
	objects  map[string]Object
	parts    map[string]map[int]Part
	settled  map[string]Settled
	failures map[string]Failure
	changes  map[string]Change
}

// Job is that of Checkpoint.
func (c *InMemory) Job() Job {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.job.clone()
}

// Resumed is that of Checkpoint.
func (c *InMemory) Resumed() bool {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return c.resumed
}

// SetState is that of Checkpoint.
func (c *InMemory) SetState(_ context.Context, state, spec string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.job.State, c.job.Spec = state, cmp.Or(spec, c.job.Spec)
	return nil
}

// PutObject is that of Checkpoint.
func (c *InMemory) PutObject(_ context.Context, o Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[o.Key] = o
	return nil
}

// Object is that of Checkpoint.
func (c *InMemory) Object(key string) (o Object, found bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, found = c.objects[key]
	return o, found, nil
}

// Objects is that of Checkpoint.
func (c *InMemory) Objects() iter.Seq2[Object, error] { return inOrder(&c.mu, c.objects) }

// AddPart is that of Checkpoint.
func (c *InMemory) AddPart(key string, p Part) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, found := c.objects[key]; !found {
		return ErrNoObject
	}
	if c.parts[key] == nil {
		c.parts[key] = map[int]Part{}
	}
	c.parts[key][p.Number] = p
	return nil
}

// Parts is that of Checkpoint.
func (c *InMemory) Parts(key string) ([]Part, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.parts[key]), func(a, b Part) int { return cmp.Compare(a.Number, b.Number) }), nil
}

// DropParts is that of Checkpoint.
func (c *InMemory) DropParts(_ context.Context, key string, numbers ...int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(numbers) == 0 {
		delete(c.parts, key)
	}
	for _, n := range numbers {
		delete(c.parts[key], n)
	}
	return nil
}

// Forget is that of Checkpoint.
func (c *InMemory) Forget(_ context.Context, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.objects, key)
	delete(c.parts, key)
	return nil
}

// Settle is that of Checkpoint.
func (c *InMemory) Settle(s Settled) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.objects, s.Key)
	delete(c.parts, s.Key)
	delete(c.failures, s.Key)
	c.settled[s.Key] = s
	return nil
}

// Settled is that of Checkpoint.
func (c *InMemory) Settled(key string) (s Settled, found bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, found = c.settled[key]
	return s, found, nil
}

// ClearSettled is that of Checkpoint.
func (c *InMemory) ClearSettled(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.settled)
	return nil
}

// Fail is that of Checkpoint.
func (c *InMemory) Fail(f Failure) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures[f.Key] = f
	return nil
}

// Failure is that of Checkpoint.
func (c *InMemory) Failure(key string) (f Failure, found bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, found = c.failures[key]
	return f, found, nil
}

// DropFailure is that of Checkpoint.
func (c *InMemory) DropFailure(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failures, key)
	return nil
}

// Failures is that of Checkpoint.
func (c *InMemory) Failures() iter.Seq2[Failure, error] { return inOrder(&c.mu, c.failures) }

// ClearFailures is that of Checkpoint.
func (c *InMemory) ClearFailures(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.failures)
	return nil
}

// PutChange is that of Checkpoint.
func (c *InMemory) PutChange(_ context.Context, v Change) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, known := c.changes[v.Key]; known {
		v = first.follow(v)
	}
	c.changes[v.Key] = v
	return nil
}

// Changes is that of Checkpoint.
func (c *InMemory) Changes() iter.Seq2[Change, error] { return inOrder(&c.mu, c.changes) }

// DropChange is that of Checkpoint.
func (c *InMemory) DropChange(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.changes, key)
	return nil
}

// ClearChanges is that of Checkpoint.
func (c *InMemory) ClearChanges(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.changes)
	return nil
}

// Flush does nothing.
func (c *InMemory) Flush(context.Context) error { return nil }

// Close gives the job up for others.
func (c *InMemory) Close() error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.open = false
	return nil
}

// Remove forgets the job.
func (c *InMemory) Remove() error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.jobs[c.job.ID] == c {
		delete(c.store.jobs, c.job.ID)
	}
	c.open = false
	return nil
}

// inOrder lists what m has now by key. Changes meanwhile may show or not.
func inOrder[T any](mu *sync.Mutex, m map[string]T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		mu.Lock()
		keys := slices.Sorted(maps.Keys(m))
		mu.Unlock()
		for _, key := range keys {
			mu.Lock()
			v, found := m[key]
			mu.Unlock()
			if found && !yield(v, nil) {
				return
			}
		}
	}
}
