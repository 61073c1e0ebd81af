package transfer_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/osssync/osssync/transfer"
)

// oneSides are a world whose sides are one object of another name each.
func oneSides(t *testing.T, direction string) *sides {
	t.Helper()
	s := newSides(t, direction)
	s.src, s.dst = s.at("from/a//one"), s.at("to/other")
	if direction == "up" {
		s.src = transfer.Local(filepath.Join(s.from, "one"))
	}
	if direction == "down" {
		s.dst = transfer.Local(filepath.Join(s.to, "new", "other"))
	}
	return s
}

// setOne gives one side content; nil removes it.
func (s *sides) setOne(dst bool, data []byte) {
	s.t.Helper()
	l := s.src
	if dst {
		l = s.dst
	}
	switch {
	case l.Bucket != nil && data == nil:
		if _, err := s.bucket.DeleteObject(s.t.Context(), l.Path, nil); err != nil {
			s.t.Fatal(err)
		}
	case l.Bucket != nil:
		s.put(l.Path, data)
	case data == nil:
		if err := os.Remove(l.Path); err != nil {
			s.t.Fatal(err)
		}
	default:
		write(s.t, l.Path, data)
	}
}

// one is what a side has; nil is nothing.
func (s *sides) one(l transfer.Location) []byte {
	if l.Bucket != nil {
		return s.get(l.Path)
	}
	b, err := os.ReadFile(l.Path)
	if err != nil {
		return nil
	}
	return b
}

func asOne(move bool) func(*transfer.SyncOptions) {
	return func(o *transfer.SyncOptions) {
		o.Delete, o.Compare, o.Single, o.RemoveSource = false, transfer.CompareNone, true, move
	}
}

func TestPlanOfOne(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for _, size := range []int{10, 3*partSize + 1} {
			for _, move := range []bool{false, true} {
				t.Run(fmt.Sprint(direction, " ", size, " move=", move), func(t *testing.T) {
					s := oneSides(t, direction)
					content := noise(1, size)
					s.setOne(false, content)
					text, report := s.plan(asOne(move))
					if got := names(t, text); len(got) != 1 || report.Plan.Bytes != int64(size) || s.one(s.dst) != nil {
						t.Fatalf("planned is %q, %+v", got, report.Plan)
					}
					for again := range 2 {
						report, err := s.apply(t.Context(), text, nil)
						if err != nil || report.Objects.Done != int64(1-again) || report.Objects.Skipped != int64(again) {
							t.Fatalf("%d: %+v, %v", again, report, err)
						}
						if got := s.one(s.dst); !bytes.Equal(got, content) {
							t.Errorf("%d: %d bytes arrived", again, len(got))
						}
						if there := s.one(s.src) != nil; there == move {
							t.Errorf("%d: the source is there: %v", again, there)
						}
					}
				})
			}
		}
	}
}

func TestStalePlanOfOne(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for what, change := range map[string]func(*sides){
			"source changed":      func(s *sides) { s.setOne(false, []byte("another")) },
			"source gone":         func(s *sides) { s.setOne(false, nil) },
			"destination changed": func(s *sides) { s.setOne(true, []byte("theirs, too")) },
			"destination gone":    func(s *sides) { s.setOne(true, nil) },
		} {
			t.Run(direction+" "+what, func(t *testing.T) {
				s := oneSides(t, direction)
				s.setOne(false, []byte("mine"))
				s.setOne(true, []byte("theirs"))
				text, _ := s.plan(asOne(false))
				change(s)
				before := s.one(s.dst)
				report, err := s.apply(t.Context(), text, nil)
				if !errors.Is(err, transfer.ErrStale) || report.Objects.Stale != 1 {
					t.Errorf("%+v, %v", report, err)
				}
				if got := s.one(s.dst); !bytes.Equal(got, before) {
					t.Errorf("there is %q", got)
				}
			})
		}
	}
}

func TestPlanOfOneThatMakesNoSense(t *testing.T) {
	s := oneSides(t, "up")
	s.setOne(false, []byte("mine"))
	for name, change := range map[string]func(*transfer.SyncOptions){
		"deletes":  func(o *transfer.SyncOptions) { o.Delete = true },
		"compares": func(o *transfer.SyncOptions) { o.Compare = transfer.CompareSize },
		"folders":  func(o *transfer.SyncOptions) { o.Files.Folders = true },
	} {
		o := &transfer.SyncOptions{Single: true, Compare: transfer.CompareNone}
		change(o)
		if _, err := s.engine().Plan(t.Context(), s.src, s.dst, &bytes.Buffer{}, o); !isUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := &transfer.SyncOptions{Single: true, Compare: transfer.CompareNone}
	if _, err := s.engine().Sync(t.Context(), s.src, s.dst, o); !isUsage(err) {
		t.Errorf("sync: %v", err)
	}
	if _, err := s.engine().Plan(t.Context(), s.at("no/such"), s.dst, &bytes.Buffer{}, o); err == nil {
		t.Error("an object that is not there")
	}
}
