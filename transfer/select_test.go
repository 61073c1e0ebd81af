package transfer_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

func choose(t *testing.T, rules ...string) *transfer.Filter {
	t.Helper()
	return chooseWith(t, &filter.Builder{}, rules...)
}

func chooseWith(t *testing.T, b *filter.Builder, rules ...string) *transfer.Filter {
	t.Helper()
	for _, r := range rules {
		if err := b.Rule(r, "test"); err != nil {
			t.Fatal(err)
		}
	}
	set, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestFilteredSync: what the filter leaves out is neither transferred nor
// deleted, unless that is asked for.
func TestFilteredSync(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a.txt", "b.tmp", "cache/x", "cache/y.txt", "dir/c.txt", "dir/d.tmp")
			s.add(true, "old.tmp", "old.txt", "cache/old")
			set := choose(t, "- *.tmp", "- /cache/")
			report, err := s.sync(func(o *transfer.SyncOptions) { o.Filter = set })
			if err != nil || report.Objects.Deleted != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a.txt", "cache/old", "dir/c.txt", "old.tmp"}) {
				t.Errorf("%q", got)
			}
			report, err = s.sync(func(o *transfer.SyncOptions) { o.Filter, o.DeleteExcluded = set, true })
			if err != nil || report.Objects.Deleted != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a.txt", "dir/c.txt"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestFilteredBySize: what is left out by its size is not transferred, and what
// is at the destination under its name stays.
func TestFilteredBySize(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "short", "a longer name")
	s.add(true, "a longer name", "another long name", "x")
	most := int64(5)
	set := chooseWith(t, &filter.Builder{MaxSize: &most})
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Filter = set })
	if err != nil || report.Objects.Deleted != 1 || report.Objects.Skipped != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := s.have(); !slices.Equal(got, []string{"a longer name", "another long name", "short"}) {
		t.Errorf("%q", got)
	}
}

// TestFilterNarrowsListing: folders that cannot have a name of the job are not
// looked into, prefixes not listed.
func TestFilterNarrowsListing(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a/x", "b/x")
	if err := os.Chmod(filepath.Join(s.from, "b"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(s.from, "b"), 0o700) })
	if _, err := s.sync(func(o *transfer.SyncOptions) { o.Filter = choose(t, "- /b/") }); err != nil {
		t.Error(err)
	}
	s = newSides(t, "down")
	s.add(false, "a/x", "b/x")
	var prefixes []string
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if q := r.URL.Query(); q.Has("list-type") {
			prefixes = append(prefixes, q.Get("prefix"))
		}
		return send()
	})
	if _, err := s.sync(func(o *transfer.SyncOptions) { o.Filter = choose(t, "+ /a/**", "- **") }); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(prefixes, func(p string) bool { return !strings.HasPrefix(p, "from/a/") }) || len(prefixes) == 0 {
		t.Errorf("listed %q", prefixes)
	}
}

// TestNamesFromList: a name that is not there is a failure, and the others are
// transferred.
func TestNamesFromList(t *testing.T) {
	s := newSides(t, "down")
	s.add(false, "a", "b", "c")
	names := &filter.Names{}
	for _, n := range []string{"c", "a", "nothing", "zzz"} {
		names.Add(n)
	}
	set := chooseWith(t, &filter.Builder{Names: names})
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Filter, o.Delete = set, false })
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Failed != 2 || report.Objects.Done != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	if f := report.Failures[0]; f.Key != "from/nothing" || !strings.Contains(f.Cause, "not at the source") {
		t.Errorf("%+v", f)
	}
	if got := s.have(); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("%q", got)
	}
}
