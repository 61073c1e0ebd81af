package checkpoint_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"pgregory.net/rapid"
)

// model is a checkpoint as maps.
type model struct {
	state    string
	objects  map[string]checkpoint.Object
	parts    map[string]map[int]checkpoint.Part
	settled  map[string]checkpoint.Settled
	failures map[string]checkpoint.Failure
}

func newModel() *model {
	return &model{
		objects: map[string]checkpoint.Object{}, parts: map[string]map[int]checkpoint.Part{},
		settled: map[string]checkpoint.Settled{}, failures: map[string]checkpoint.Failure{},
	}
}

func (m *model) clone() *model {
	c := &model{state: m.state, objects: maps.Clone(m.objects), settled: maps.Clone(m.settled), failures: maps.Clone(m.failures)}
	c.parts = make(map[string]map[int]checkpoint.Part)
	for key, parts := range m.parts {
		c.parts[key] = maps.Clone(parts)
	}
	return c
}

// machine runs random operations on a checkpoint and its model. Its writer
// commits only when somebody waits, so what a crash leaves is known: all up to
// the last call that was durable on return.
type machine struct {
	dir     string
	runs    int
	c       *checkpoint.Checkpoint
	now     *model
	durable *model
}

var modelKeys = []string{"a", "a\x00\x00\x00\x00\x00", "a/b", "ab", "b", "\xff\xfe", "日本"}

func (m *machine) open(t *rapid.T) {
	c, err := checkpoint.Open(m.path(), testJob, &checkpoint.Options{FlushEvery: time.Hour, FlushCount: 1 << 20})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if c.SetAside() != "" || c.Resumed() != (m.runs > 0) {
		t.Fatalf("set aside %q, resumed %v in run %d", c.SetAside(), c.Resumed(), m.runs)
	}
	m.c = c
}

func (m *machine) path() string { return filepath.Join(m.dir, string(rune('a'+m.runs%26)), "state") }

func ok(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) key(t *rapid.T) string { return rapid.SampledFrom(modelKeys).Draw(t, "key") }

func number(t *rapid.T) int {
	return rapid.OneOf(rapid.IntRange(1, 5), rapid.IntRange(60, 70), rapid.Just(checkpoint.MaxPartNumber)).Draw(t, "number")
}

func (m *machine) actions(ctx context.Context) map[string]func(*rapid.T) {
	synced := func() { m.durable = m.now.clone() }
	all := map[string]func(*rapid.T){
		"PutObject": func(t *rapid.T) {
			o := genObject(t, m.key(t))
			ok(t, m.c.PutObject(ctx, o))
			m.now.objects[o.Key] = o
			synced()
		},
		"AddPart": func(t *rapid.T) {
			key, p := m.key(t), genPart(t, number(t))
			err := m.c.AddPart(key, p)
			if _, there := m.now.objects[key]; !there {
				if !errors.Is(err, checkpoint.ErrNoObject) {
					t.Fatalf("AddPart without an object: %v", err)
				}
				return
			}
			ok(t, err)
			if m.now.parts[key] == nil {
				m.now.parts[key] = map[int]checkpoint.Part{}
			}
			m.now.parts[key][p.Number] = p
		},
		"DropParts": func(t *rapid.T) {
			key, numbers := m.key(t), []int(nil)
			for range rapid.IntRange(0, 3).Draw(t, "count") {
				numbers = append(numbers, number(t))
			}
			ok(t, m.c.DropParts(ctx, key, numbers...))
			for _, n := range numbers {
				delete(m.now.parts[key], n)
			}
			if len(numbers) == 0 {
				delete(m.now.parts, key)
			}
			synced()
		},
		"Settle": func(t *rapid.T) {
			s := genSettled(t, m.key(t))
			ok(t, m.c.Settle(s))
			m.now.settled[s.Key] = s
			delete(m.now.objects, s.Key)
			delete(m.now.parts, s.Key)
			delete(m.now.failures, s.Key)
		},
		"Forget": func(t *rapid.T) {
			key := m.key(t)
			ok(t, m.c.Forget(ctx, key))
			delete(m.now.objects, key)
			delete(m.now.parts, key)
			synced()
		},
		"Fail": func(t *rapid.T) {
			f := genFailure(t, m.key(t))
			ok(t, m.c.Fail(f))
			m.now.failures[f.Key] = f
		},
		"DropFailure": func(t *rapid.T) {
			key := m.key(t)
			ok(t, m.c.DropFailure(key))
			delete(m.now.failures, key)
		},
		"Failure": func(t *rapid.T) {
			key := m.key(t)
			f, found, err := m.c.Failure(key)
			ok(t, err)
			if want, known := m.now.failures[key]; found != known || f != want {
				t.Fatalf("failure of %q: %+v, %v, want %+v", key, f, found, want)
			}
		},
		"ClearSettled": func(t *rapid.T) {
			ok(t, m.c.ClearSettled(ctx))
			clear(m.now.settled)
			synced()
		},
		"ClearFailures": func(t *rapid.T) {
			ok(t, m.c.ClearFailures(ctx))
			clear(m.now.failures)
			synced()
		},
		"SetState": func(t *rapid.T) {
			m.now.state = rapid.String().Draw(t, "state")
			ok(t, m.c.SetState(ctx, m.now.state, ""))
			synced()
		},
		"Flush": func(t *rapid.T) {
			ok(t, m.c.Flush(ctx))
			synced()
		},
		"Reopen": func(t *rapid.T) {
			ok(t, m.c.Close())
			m.runs++
			ok(t, os.MkdirAll(m.path(), 0o700))
			m.move(t, os.Rename)
			m.durable = m.now.clone()
			m.open(t)
		},
		"Crash": func(t *rapid.T) {
			m.runs++
			ok(t, os.MkdirAll(m.path(), 0o700))
			m.move(t, copyFile)
			ok(t, m.c.Close())
			m.now = m.durable.clone()
			m.open(t)
		},
		"": m.check,
	}
	// Queued operations more often: they make the batches, and cost no fsync.
	for _, name := range []string{"AddPart", "Settle", "Fail"} {
		all[name+" too"], all[name+" as well"], all[name+" again"] = all[name], all[name], all[name]
	}
	return all
}

// move brings the database of the last run to the next.
func (m *machine) move(t *rapid.T, how func(from, to string) error) {
	last := &machine{dir: m.dir, runs: m.runs - 1}
	name := m.c.Job().ID + ".db"
	os.Remove(filepath.Join(m.path(), name))
	ok(t, how(filepath.Join(last.path(), name), filepath.Join(m.path(), name)))
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// check compares point reads after every operation. Listings flush, so they
// are compared once, at the end.
func (m *machine) check(t *rapid.T) {
	for _, key := range modelKeys {
		o, found, err := m.c.Object(key)
		ok(t, err)
		if want, there := m.now.objects[key]; found != there || o != want {
			t.Fatalf("object %q: %+v, %v\nwant %+v", key, o, found, want)
		}
		s, found, err := m.c.Settled(key)
		ok(t, err)
		if want, there := m.now.settled[key]; found != there || s != want {
			t.Fatalf("settled %q: %+v, %v\nwant %+v", key, s, found, want)
		}
		parts, err := m.c.Parts(key)
		ok(t, err)
		var want []checkpoint.Part
		for _, n := range slices.Sorted(maps.Keys(m.now.parts[key])) {
			want = append(want, m.now.parts[key][n])
		}
		if !slices.Equal(parts, want) {
			t.Fatalf("parts of %q: %+v\nwant %+v", key, parts, want)
		}
	}
	if m.c.Job().State != m.now.state {
		t.Fatalf("state %q, want %q", m.c.Job().State, m.now.state)
	}
}

func (m *machine) finish(t *rapid.T) {
	var objects []string
	for o, err := range m.c.Objects() {
		ok(t, err)
		if o != m.now.objects[o.Key] {
			t.Fatalf("listed %+v\nwant %+v", o, m.now.objects[o.Key])
		}
		objects = append(objects, o.Key)
	}
	if !slices.Equal(objects, slices.Sorted(maps.Keys(m.now.objects))) {
		t.Fatalf("objects %q", objects)
	}
	var failed []string
	for f, err := range m.c.Failures() {
		ok(t, err)
		if f != m.now.failures[f.Key] {
			t.Fatalf("listed %+v\nwant %+v", f, m.now.failures[f.Key])
		}
		failed = append(failed, f.Key)
	}
	if !slices.Equal(failed, slices.Sorted(maps.Keys(m.now.failures))) {
		t.Fatalf("failures %q", failed)
	}
	ok(t, m.c.Close())
}

func TestModel(t *testing.T) {
	base, round := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		m := &machine{dir: filepath.Join(base, time.Duration(round).String()), now: newModel(), durable: newModel()}
		m.now.state, m.durable.state = testJob.State, testJob.State
		m.open(r)
		defer func() { m.c.Close() }()
		r.Repeat(m.actions(t.Context()))
		m.finish(r)
	})
}
