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

// all keeps all there is of a tree of files.
func all(o *transfer.SyncOptions) {
	o.Files = transfer.FileOptions{Folders: true, Preserve: true, Links: transfer.LinksKeep}
}

func TestPlanOfLinksAndFolders(t *testing.T) {
	for _, move := range []bool{false, true} {
		for _, lost := range []bool{false, true} {
			up, down := newSides(t, "up"), newSides(t, "down")
			down.world, down.src, down.from = up.world, up.dst, ""
			change := func(o *transfer.SyncOptions) {
				all(o)
				o.RemoveSource, o.Delete = move, !move
			}
			up.add(false, "a/file", "sub/file")
			if err := os.Mkdir(filepath.Join(up.from, "empty"), 0o750); err != nil {
				t.Fatal(err)
			}
			symlink(t, "a/file", filepath.Join(up.from, "link"))
			up.put("to/old/", nil)
			up.link("to/oldlink", "to/a")
			want := []string{"put a/: new", "put a/file: new", "put empty/: new", "put link: new", "put sub/: new", "put sub/file: new"}
			if !move {
				want = append(want, "delete old/: not at the source", "delete oldlink: not at the source")
			}
			var files []string
			for i, s := range []*sides{up, down} {
				text, _ := s.plan(change)
				got := names(t, text)
				if i == 1 { // what the first has made, and left
					for k, name := range want {
						want[k] = strings.Replace(name, "put ", "get ", 1)
					}
					want = slices.DeleteFunc(want, func(name string) bool { return strings.HasPrefix(name, "delete ") })
					got = slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "get old") })
				}
				if !slices.Equal(got, want) {
					t.Fatalf("move=%v: planned is %q, want %q", move, got, want)
				}
				s.log.forget()
				applied, err := s.apply(t.Context(), text, nil)
				if err != nil || applied.Objects.Failed > 0 {
					t.Fatalf("move=%v: %+v, %v", move, applied, err)
				}
				if lost {
					s.state = t.TempDir()
				}
				again, err := s.apply(t.Context(), text, nil)
				if err != nil || again.Objects.Done > 0 || again.Objects.Failed > 0 {
					t.Errorf("move=%v lost=%v, %s again: %+v, %v", move, lost, s.src, again, err)
				}
			}
			files = append(files, folders(t, down.to)...)
			if move {
				files = slices.DeleteFunc(files, func(name string) bool { return name == "old" })
				if got := left(t, up.from); len(got) > 0 {
					t.Errorf("left are %q", got)
				}
				if got := up.keysOf("to/"); len(got) > 0 {
					t.Errorf("left are %q", got)
				}
			}
			if target, err := os.Readlink(filepath.Join(down.to, "link")); target != "a/file" || !slices.Equal(files, []string{"a", "empty", "sub"}) {
				t.Errorf("link to %q, %v, folders %q", target, err, files)
			}
			if mode := lstat(t, filepath.Join(down.to, "empty")).Mode().Perm(); mode != 0o750 {
				t.Errorf("mode %o", mode)
			}
		}
	}
}

func TestStaleLinksAndFolders(t *testing.T) {
	change := func(o *transfer.SyncOptions) {
		all(o)
		o.Delete, o.Files.Preserve = false, false
	}
	t.Run("up", func(t *testing.T) {
		s := newSides(t, "up")
		s.add(false, "file", "fine")
		for _, dir := range []string{"dir", "dir2", "there"} {
			if err := os.Mkdir(filepath.Join(s.from, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"elsewhere", "nolink", "taken"} {
			symlink(t, "fine", filepath.Join(s.from, name))
		}
		text, _ := s.plan(change)
		for _, name := range []string{"dir", "dir2", "file", "elsewhere", "nolink"} {
			if err := os.Remove(filepath.Join(s.from, name)); err != nil {
				t.Fatal(err)
			}
		}
		write(t, filepath.Join(s.from, "dir"), []byte("a file"))
		if err := os.Mkdir(filepath.Join(s.from, "file"), 0o755); err != nil {
			t.Fatal(err)
		}
		symlink(t, "file", filepath.Join(s.from, "elsewhere"))
		write(t, filepath.Join(s.from, "nolink"), []byte("a file"))
		s.link("to/taken", "to/other")
		report, err := s.apply(t.Context(), text, nil)
		if got := failed(report); !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 6 || !slices.Equal(got, []string{"to/dir/", "to/dir2/", "to/elsewhere", "to/file", "to/nolink", "to/taken"}) {
			t.Errorf("%+v, failed %q, %v", report.Objects, got, report.Failures)
		}
		if got := s.keysOf("to/"); !slices.Equal(got, []string{"fine", "taken -> to/other", "there/"}) {
			t.Errorf("keys %q", got)
		}
	})
	t.Run("down", func(t *testing.T) {
		s := newSides(t, "down")
		s.add(false, "fine")
		s.put("from/dir/", nil)
		s.put("from/gone/", nil)
		for _, name := range []string{"elsewhere", "nolink", "taken", "vanished"} {
			s.link("from/"+name, "from/fine")
		}
		text, _ := s.plan(change)
		s.remove(false, "gone/")
		s.remove(false, "vanished")
		s.link("from/elsewhere", "from/other")
		s.put("from/nolink", []byte("an object"))
		write(t, filepath.Join(s.to, "taken"), []byte("theirs"))
		write(t, filepath.Join(s.to, "dir"), []byte("theirs"))
		report, err := s.apply(t.Context(), text, nil)
		if got := failed(report); !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 6 || report.Objects.Done != 1 {
			t.Errorf("%+v, failed %q, %v", report.Objects, got, report.Failures)
		}
		if got := left(t, s.to); !slices.Equal(got, []string{"dir", "fine", "taken"}) {
			t.Errorf("there are %q", got)
		}
	})
}
