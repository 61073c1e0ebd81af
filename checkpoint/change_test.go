package checkpoint_test

import (
	"context"
	"iter"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
)

func changes(t *testing.T, seq func(func(checkpoint.Change, error) bool)) (all []checkpoint.Change) {
	t.Helper()
	for c, err := range seq {
		must(t, err)
		all = append(all, c)
	}
	return all
}

func testChange(key, kept string) checkpoint.Change {
	return checkpoint.Change{
		Key: key, Kept: kept, At: time.Unix(1_700_000_000, 5).UTC(),
		Before: checkpoint.Identity{Size: 7, ETag: "E", ModTime: 3, Inode: 9, ChangeTime: 4, Device: 1},
	}
}

func TestChanges(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	must(t, c.PutChange(t.Context(), testChange("b", "first")))
	must(t, c.PutChange(t.Context(), testChange("b", "second")))
	must(t, c.PutChange(t.Context(), checkpoint.Change{Key: "a", At: time.Unix(1, 0).UTC()}))
	must(t, c.PutChange(t.Context(), testChange("c", "c")))
	must(t, c.DropChange("c"))
	must(t, c.Close())
	c = mustOpen(t, dir, testJob)
	want := []checkpoint.Change{{Key: "a", At: time.Unix(1, 0).UTC()}, testChange("b", "first")}
	if got := changes(t, c.Changes()); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	must(t, c.ClearChanges(t.Context()))
	if got := changes(t, c.Changes()); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestChangesInMemory(t *testing.T) {
	c, err := new(checkpoint.Memory).Open(testJob)
	must(t, err)
	must(t, c.PutChange(t.Context(), testChange("b", "first")))
	must(t, c.PutChange(t.Context(), testChange("b", "second")))
	must(t, c.PutChange(t.Context(), testChange("c", "c")))
	must(t, c.DropChange("c"))
	if got := changes(t, c.Changes()); !reflect.DeepEqual(got, []checkpoint.Change{testChange("b", "first")}) {
		t.Errorf("%+v", got)
	}
	must(t, c.ClearChanges(t.Context()))
	if got := changes(t, c.Changes()); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestChangeAfter: what a run would make of a key is known beside what runs
// before it would, with no bound on how often it is tried.
func TestChangeAfter(t *testing.T) {
	onDisk := mustOpen(t, t.TempDir(), testJob)
	defer func() { must(t, onDisk.Close()) }()
	inMemory, err := new(checkpoint.Memory).Open(testJob)
	must(t, err)
	for name, c := range map[string]interface {
		PutChange(context.Context, checkpoint.Change) error
		Changes() iter.Seq2[checkpoint.Change, error]
	}{"disk": onDisk, "memory": inMemory} {
		put := func(after ...checkpoint.Identity) []checkpoint.Identity {
			v := testChange("k", "first")
			v.After = after
			must(t, c.PutChange(t.Context(), v))
			return changes(t, c.Changes())[0].After
		}
		of := func(size int64) checkpoint.Identity { return checkpoint.Identity{Size: size, HasCRC64: true} }
		put(of(1))
		put(of(2))
		put()
		if got := put(of(1)); !slices.Equal(got, []checkpoint.Identity{of(2), of(1)}) {
			t.Errorf("%s: %+v", name, got)
		}
		var last []checkpoint.Identity
		for size := range int64(2 * checkpoint.MaxAfter) {
			last = put(of(size))
		}
		if len(last) != checkpoint.MaxAfter || last[len(last)-1] != of(2*checkpoint.MaxAfter-1) {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

// TestOlderFile: a file of the schema before goes on.
func TestOlderFile(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	path := filepath.Join(dir, c.Job().ID+".db")
	must(t, c.Settle(checkpoint.Settled{Key: "k", At: time.Unix(1, 0).UTC()}))
	must(t, c.Close())
	must(t, checkpoint.MakeOlder(path))
	for range 2 {
		c = mustOpen(t, dir, testJob)
		if !c.Resumed() {
			t.Error("the older file was not taken")
		}
		if _, found, err := c.Settled("k"); err != nil || !found {
			t.Errorf("its record is gone: %v", err)
		}
		must(t, c.PutChange(t.Context(), testChange("b", "first")))
		if got := changes(t, c.Changes()); len(got) != 1 {
			t.Errorf("%+v", got)
		}
		must(t, c.Close())
	}
}

// Both kinds of checkpoint know and forget the failure of a key.
func TestFailure(t *testing.T) {
	inMemory, err := new(checkpoint.Memory).Open(testJob)
	must(t, err)
	for name, c := range map[string]interface {
		Fail(f checkpoint.Failure) error
		Failure(key string) (checkpoint.Failure, bool, error)
		DropFailure(key string) error
		Close() error
	}{"disk": mustOpen(t, t.TempDir(), testJob), "memory": inMemory} {
		t.Run(name, func(t *testing.T) {
			must(t, c.Fail(testFailure("a", 1)))
			must(t, c.Fail(testFailure("b", 2)))
			must(t, c.DropFailure("a"))
			must(t, c.DropFailure("never failed"))
			for key, want := range map[string]checkpoint.Failure{"a": {}, "b": testFailure("b", 2)} {
				f, found, err := c.Failure(key)
				if err != nil || f != want || found != (want.Key != "") {
					t.Errorf("%s: %+v, %v, %v", key, f, found, err)
				}
			}
			must(t, c.Close())
		})
	}
}
