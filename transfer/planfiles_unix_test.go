//go:build unix

package transfer_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// A move takes away the names of a file one after the other, which the system
// counts as a change of those that are left: to a plan they are what they were.
func TestPlanOfMovedHardLinks(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "other")
	for _, name := range []string{"b", "c", "d", "e"} {
		if err := os.Link(filepath.Join(s.from, "a"), filepath.Join(s.from, name)); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := s.plan(asMove)
	p, err := transfer.ReadPlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, filepath.Join(s.from, "other"), 0o600)
	if err := os.Remove(filepath.Join(s.from, "e")); err != nil { // as an apply that was killed leaves it
		t.Fatal(err)
	}
	w := &transfer.ApplyOptions{}
	w.Bucket = func(string, string) (*oss.Bucket, error) { return s.bucket, nil }
	report, err := s.engine(func(o *transfer.Options) { o.Concurrency = 1 }).Apply(t.Context(), p, w)
	if got := failed(report); !errors.Is(err, transfer.ErrStale) || !slices.Equal(got, []string{"to/e", "to/other"}) || report.Objects.Removed != 4 {
		t.Errorf("%+v, failed %q, %v", report.Objects, got, err)
	}
	if got := s.sources(); !slices.Equal(got, []string{"other"}) {
		t.Errorf("left are %q", got)
	}
}
