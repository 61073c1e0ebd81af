package transfer_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// A part that is killed at any step loses no failure, ends no job, and is gone on
// with.
func TestPartKilled(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			for at := 1; partKilled(t, direction, at); at++ {
			}
		})
	}
}

// partKilled is false if the part had ended before that step.
func partKilled(t *testing.T, direction string, at int) bool {
	s := newSides(t, direction)
	s.add(false, "a", "b", "c", "d")
	if s.from != "" {
		write(t, filepath.Join(s.from, "b"), noise(1, 2*partSize+1))
	} else {
		s.put("from/b", noise(1, 2*partSize+1))
	}
	refuse := &refusals{}
	s.wire.between(refuse.hook)
	refuse.set(map[string]string{"b": "403 AccessDenied", "c": "409 FileImmutable", "d": "403 AccessDenied"})
	first, err := s.sync(partOptions["copy"])
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatalf("%+v, %v", first, err)
	}
	id, p := first.JobID, transfer.Part{Codes: []string{"AccessDenied"}}

	k := newKilled(s.state, at)
	k.save()
	s.wire.between(k.request)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := s.part(ctx, id, p, func(o *transfer.Options) { o.Concurrency, o.Parallel, o.Watch = 1, 1, k.step })
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, transfer.ErrIncomplete) {
			t.Fatal(err)
		}
		return false
	case <-k.dead:
	}
	defer func() {
		cancel()
		close(k.bury)
		<-ended
	}()
	s.state = k.left(t)
	refuse.set(map[string]string{"c": "409 FileImmutable"})
	s.wire.between(refuse.hook)
	d := s.detail(id)
	if d.State != transfer.StateIncomplete || !slices.ContainsFunc(d.Failures, func(f transfer.Failure) bool { return f.HasCode("FileImmutable") }) {
		t.Errorf("killed at step %d: %+v", at, d)
	}
	report, err := s.part(t.Context(), id, p)
	switch {
	case errors.Is(err, transfer.ErrNoMatch): // the dead run had done all of it
	case !errors.Is(err, transfer.ErrIncomplete) || *report.Left != (transfer.Left{Failed: 1}):
		t.Errorf("killed at step %d: %+v, %v", at, report, err)
	}
	if got := slices.Sorted(maps.Keys(s.seen())); !slices.Equal(got, []string{"a", "b", "d"}) {
		t.Errorf("killed at step %d: there are %q", at, got)
	}
	refuse.set(nil)
	report, err = s.part(t.Context(), id, transfer.Part{States: []transfer.ItemState{transfer.ItemFailed}})
	if err != nil || report.Objects.Done != 1 || len(s.seen()) != 4 || s.uploads() != 0 {
		t.Errorf("killed at step %d: %+v, %v; there are %v", at, report, err, s.seen())
	}
	return !t.Failed()
}
