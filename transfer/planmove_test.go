package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// sources are the names that are left at the source.
func (s *sides) sources() (left []string) {
	if s.from != "" {
		return slices.Sorted(maps.Keys(tree(s.t, s.from)))
	}
	for o, err := range s.bucket.Objects(context.Background(), &oss.ListObjectsV2Options{Prefix: "from/"}) {
		if err != nil {
			s.t.Fatal(err)
		}
		left = append(left, strings.TrimPrefix(o.Key, "from/"))
	}
	return left
}

func asMove(o *transfer.SyncOptions) {
	o.Delete, o.RemoveSource, o.Compare = false, true, transfer.CompareChecksum
}

func TestPlanOfMove(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b/c", "changes", "same", "same, but changes")
			s.set(false, "large", noise(1, 3*partSize))
			s.add(true, "same", "same, but changes")
			text, report := s.plan(asMove)
			do := actions[direction]
			want := []string{do + " a: new", do + " b/c: new", do + " changes: new", do + " large: new", "remove same: unchanged", "remove same, but changes: unchanged"}
			if got := names(t, text); !slices.Equal(got, want) || report.Plan.Removes != 6 || len(s.sources()) != 6 {
				t.Fatalf("planned is %q, %+v", got, report.Plan)
			}
			s.log.forget()
			if direction == "across" { // what changes is another test
				applied, err := s.apply(t.Context(), text, nil)
				if put, get := s.charged(); err != nil || put != report.Plan.PutRequests || get != report.Plan.GetRequests {
					t.Errorf("took %d and %d requests, planned were %+v; %+v, %v", put, get, report.Plan, applied, err)
				}
				return
			}
			s.set(false, "changes", []byte("it is another now"))
			s.set(false, "same, but changes", []byte("it is another now"))
			applied, err := s.apply(t.Context(), text, nil)
			if !errors.Is(err, transfer.ErrStale) || applied.Objects.Stale != 2 || applied.Objects.Removed != 4 || applied.Objects.Done != 3 {
				t.Fatalf("%+v, %v", applied, err)
			}
			if got := s.sources(); !slices.Equal(got, []string{"changes", "same, but changes"}) {
				t.Errorf("left are %q", got)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b/c", "large", "same", "same, but changes"}) {
				t.Errorf("there are %q", got)
			}
			applied, err = s.apply(t.Context(), text, nil)
			if !errors.Is(err, transfer.ErrStale) || applied.Objects.Stale != 2 || applied.Objects.Skipped != 4 {
				t.Errorf("again: %+v, %v", applied, err)
			}
		})
	}
}

// TestApplyMoveOfWhatIsGone: a source that somebody else has removed is stale,
// though something of its size is at the destination since before the plan.
func TestApplyMoveOfWhatIsGone(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.set(false, "a", []byte("new"))
			s.set(true, "a", []byte("old"))
			text, _ := s.plan(func(o *transfer.SyncOptions) { asMove(o); o.Compare = transfer.CompareNone })
			s.remove(false, "a")
			report, err := s.apply(t.Context(), text, nil)
			if !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 1 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

// TestApplyMoveGoesOn: a move that died before it could remove its sources does
// so when it is applied again, with its state and without.
func TestApplyMoveGoesOn(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(direction, " lost=", lost), func(t *testing.T) {
				s := newSides(t, direction)
				s.add(false, "a", "b", "c")
				text, _ := s.plan(asMove)
				// As a run leaves it that dies between copy and removal.
				if _, err := s.sync(func(o *transfer.SyncOptions) { o.Delete = false }); err != nil {
					t.Fatal(err)
				}
				s.remove(false, "b") // or just after it
				if lost {
					s.state = t.TempDir()
				}
				report, err := s.apply(t.Context(), text, nil)
				if err != nil || report.Objects.Skipped != 3 || report.Objects.Removed != 2 || len(s.sources()) != 0 || len(s.have()) != 3 {
					t.Errorf("%+v, %v; left are %q", report, err, s.sources())
				}
			})
		}
	}
}
