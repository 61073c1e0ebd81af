package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// sides is a sync in one direction, with what lies on both sides.
type sides struct {
	*world
	direction string
	src, dst  transfer.Location
	from, to  string // folders, where the side is one
}

func newSides(t *testing.T, direction string) *sides {
	s := &sides{world: newWorld(t), direction: direction}
	s.src, s.dst = s.at("from/"), s.at("to/")
	if direction == "up" {
		s.from = t.TempDir()
		s.src = transfer.Local(s.from)
	}
	if direction == "down" {
		s.to = t.TempDir()
		s.dst = transfer.Local(s.to)
	}
	return s
}

func (s *sides) add(dst bool, names ...string) {
	folder, prefix := s.from, "from/"
	if dst {
		folder, prefix = s.to, "to/"
	}
	for _, name := range names {
		if folder != "" {
			write(s.t, filepath.Join(folder, filepath.FromSlash(name)), []byte(name))
		} else {
			s.put(prefix+name, []byte(name))
		}
	}
}

// have is the names at the destination.
func (s *sides) have() []string {
	if s.to != "" {
		return slices.Sorted(maps.Keys(tree(s.t, s.to)))
	}
	var names []string
	for o, err := range s.bucket.Objects(context.Background(), nil) {
		if err != nil {
			s.t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(o.Key, "to/"); ok {
			names = append(names, name)
		}
	}
	return names
}

func (s *sides) sync(change func(*transfer.SyncOptions)) (*transfer.Report, error) {
	o := &transfer.SyncOptions{Delete: true}
	if change != nil {
		change(o)
	}
	return s.engine().Sync(s.t.Context(), s.src, s.dst, o)
}

func TestSyncDeletes(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b/c", "z")
			s.add(true, "0", "a", "b/c", "b/d/e", "b.x", "y", "zz")
			_, err := s.sync(func(o *transfer.SyncOptions) { o.DryRun = true })
			if err != nil || len(s.have()) != 7 {
				t.Fatalf("dry run: %v, %v", s.have(), err)
			}
			report, err := s.sync(nil)
			if err != nil || report.Objects.Deleted != 5 {
				t.Fatalf("%+v, %v", report, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b/c", "z"}) {
				t.Errorf("left are %q", got)
			}
			if s.to != "" {
				if _, err := os.Stat(filepath.Join(s.to, "b", "d")); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("an empty folder is left: %v", err)
				}
			}
			if report, err = s.sync(nil); err != nil || report.Objects.Done != 0 {
				t.Errorf("again: %+v, %v", report, err)
			}
		})
	}
}

// TestDeletesAskForWhatIsNotListed: what is to be deleted is listed once more, and
// a listing that ends early there costs nobody the backup.
func TestDeletesAskForWhatIsNotListed(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	s.add(true, "a", "b", "c", "d", "e")
	faults, err := emulator.ParseFaults(strings.NewReader("endearly on=ListObjectsV2 nth=2"))
	if err == nil {
		err = s.server.SetFaults(faults)
	}
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Backup = s.at("kept/") })
	if err != nil || report.Objects.Deleted != 4 {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := s.undo(report.JobID, nil); err != nil {
		t.Fatal(err)
	}
	if got := s.have(); len(got) != 5 {
		t.Errorf("put back are %q", got)
	}
}

// TestDeletesLongKeys: a listing may begin right before the longest key.
func TestDeletesLongKeys(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	s.add(true, "a")
	for n := 1016; n <= 1020; n++ { // with to/ before it
		s.put("to/"+strings.Repeat("k", n), nil)
	}
	if report, err := s.sync(func(o *transfer.SyncOptions) { o.MaxDelete.None = true }); err != nil || report.Objects.Deleted != 5 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestDeletesLeaveWhatIsExcluded: an object of the name of a file that does not
// belong to the tree is none of its extras.
func TestDeletesLeaveWhatIsExcluded(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "log/x")
	s.add(true, "a", "b", "log/x", "log/y", "logs")
	report, err := s.sync(func(o *transfer.SyncOptions) { o.Exclude = []string{filepath.Join(s.from, "log")} })
	if err != nil || report.Objects.Deleted != 2 || !slices.Equal(s.have(), []string{"a", "log/x", "log/y"}) {
		t.Errorf("%q, %+v, %v", s.have(), report, err)
	}
}

// TestManyDeletes: more than one batch, with objects that stay between them.
func TestManyDeletes(t *testing.T) {
	s := newSides(t, "across")
	var keep []string
	for i := range 2500 {
		name := fmt.Sprintf("%05d", i)
		s.add(true, name)
		if i%10 == 0 {
			s.add(false, name)
			keep = append(keep, name)
		}
	}
	if _, err := s.sync(nil); !errors.Is(err, transfer.ErrUnsafe) || len(s.have()) != 2500 {
		t.Fatalf("2250 of 2500 were deleted without being asked: %v", err)
	}
	report, err := s.sync(func(o *transfer.SyncOptions) { o.MaxDelete.None = true })
	if err != nil || report.Objects.Deleted != 2250 || !slices.Equal(s.have(), keep) {
		t.Errorf("%+v, %v", report.Objects, err)
	}
}

// TestUnsafeDeletes stages what must not cost an object.
func TestUnsafeDeletes(t *testing.T) {
	several := []string{"a", "b", "c", "d", "e", "f"}
	for _, direction := range []string{"up", "down", "across"} {
		for _, v := range []struct {
			name   string
			cause  transfer.UnsafeCause
			source []string
			faults string
			only   string
			change func(*transfer.SyncOptions)
			spoil  func(t *testing.T, s *sides)
		}{
			{name: "empty source", cause: transfer.UnsafeEmpty},
			{name: "nothing but a folder", cause: transfer.UnsafeEmpty, source: []string{"sub/"}, only: "across"},
			{name: "nothing but a folder", cause: transfer.UnsafeEmpty, source: []string{"sub/"}, only: "down"},
			{name: "nothing that is let in", cause: transfer.UnsafeEmpty, source: []string{"longer"}, change: func(o *transfer.SyncOptions) {
				o.Filter = chooseWith(t, &filter.Builder{MaxSize: new(int64(3))})
			}},
			{name: "nothing but a link", cause: transfer.UnsafeEmpty, only: "up", spoil: func(t *testing.T, s *sides) {
				if err := os.Symlink("nowhere", filepath.Join(s.from, "link")); err != nil {
					t.Skip(err)
				}
			}},
			{name: "too many", cause: transfer.UnsafeTooMany, source: several[:1], change: func(o *transfer.SyncOptions) { o.MaxDelete.Objects = 4 }},
			{name: "too large a share", cause: transfer.UnsafeTooMany, source: several[:1], change: func(o *transfer.SyncOptions) { o.MaxDelete.Percent = 80 }},
			{name: "an object fails", cause: transfer.UnsafeFailed, source: []string{"a", "new"}, faults: "403 key=*/new"},
			{name: "listing fails", cause: transfer.UnsafeUnread, source: several[:1], faults: "403 on=ListObjectsV2 nth=2", only: "across"},
			{name: "listing ends early", cause: transfer.UnsafeListing, source: several, faults: "endearly on=ListObjectsV2 nth=1", only: "down"},
			{name: "unreadable folder", cause: transfer.UnsafeUnread, source: several[:1], only: "up", spoil: func(t *testing.T, s *sides) {
				folder := filepath.Join(s.from, "locked")
				write(t, filepath.Join(folder, "x"), nil)
				if err := os.Chmod(folder, 0); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { os.Chmod(folder, 0o700) })
				if _, err := os.ReadDir(folder); err == nil {
					t.Skip("nothing is unreadable for this user")
				}
			}},
		} {
			if v.only != "" && v.only != direction {
				continue
			}
			t.Run(direction+" "+v.name, func(t *testing.T) {
				s := newSides(t, direction)
				s.add(false, v.source...)
				s.add(true, several...)
				before := s.have()
				if v.spoil != nil {
					v.spoil(t, s)
				}
				faults, err := emulator.ParseFaults(strings.NewReader(v.faults))
				if err == nil {
					err = s.server.SetFaults(faults)
				}
				if err != nil {
					t.Fatal(err)
				}
				report, err := s.sync(v.change)
				if err := s.server.SetFaults(nil); err != nil {
					t.Fatal(err)
				}
				s.wire.between(nil)
				var unsafe *transfer.UnsafeError
				if !errors.As(err, &unsafe) || unsafe.Cause != v.cause || !errors.Is(err, transfer.ErrUnsafe) {
					t.Errorf("%v", err)
				}
				if report == nil || report.Objects.Deleted != 0 || strings.Contains(report.Error, "\n") {
					t.Errorf("%+v", report)
				}
				after := s.have()
				for _, name := range before {
					if !slices.Contains(after, name) {
						t.Errorf("%s was deleted", name)
					}
				}
			})
		}
	}
}

// TestDeletesWhatTheyMay: what was unsafe is done where the caller says so.
func TestDeletesWhatTheyMay(t *testing.T) {
	s := newSides(t, "up")
	s.add(true, "a", "b")
	if _, err := s.sync(func(o *transfer.SyncOptions) { o.AllowEmptySource = true }); err != nil || len(s.have()) != 0 {
		t.Errorf("empty source: %v, %v", s.have(), err)
	}
	s = newSides(t, "down")
	s.add(false, "a", "new")
	s.add(true, "a", "b")
	faults, err := emulator.ParseFaults(strings.NewReader("403 key=*/new"))
	if err == nil {
		err = s.server.SetFaults(faults)
	}
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.sync(func(o *transfer.SyncOptions) { o.IgnoreErrors = true })
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Deleted != 1 || report.Objects.Failed != 1 {
		t.Errorf("failed objects: %+v, %v", report, err)
	}
}

// TestDeletedMeanwhile: what somebody else writes after the listing stays.
func TestDeletedMeanwhile(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		s := newSides(t, direction)
		s.add(false, "a")
		s.add(true, "a", "b", "c")
		change := sync.OnceFunc(func() {
			if s.to != "" {
				write(t, filepath.Join(s.to, "b"), []byte("another one"))
			} else {
				s.put("to/b", []byte("another one"))
			}
		})
		// The last request for the source's "c" comes after all listings.
		s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/c") {
				change()
			}
			return send()
		})
		if direction == "up" { // nothing is asked of the server before the second listing
			var listed atomic.Int64
			s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if r.URL.Query().Has("list-type") && listed.Add(1) == 2 {
					change()
				}
				return send()
			})
		}
		report, err := s.sync(nil)
		if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Deleted != 1 || report.Objects.Changed != 1 {
			t.Errorf("%s: %+v, %v", direction, report, err)
		}
		if got := s.have(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: %q", direction, got)
		}
	}
}
