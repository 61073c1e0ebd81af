package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// check compares the sides and says what was found: a line for each name, in
// the order in which they were told.
func (s *sides) check(change func(*transfer.CheckOptions)) (found []string, report *transfer.Report, err error) {
	s.t.Helper()
	o := &transfer.CheckOptions{}
	if change != nil {
		change(o)
	}
	next := o.OnObject
	o.OnObject = func(e transfer.ObjectEvent) {
		if e.Operation != "check" {
			s.t.Errorf("operation %q", e.Operation)
		}
		found = append(found, fmt.Sprintf("%s: %s", e.Key, e.Outcome))
		if next != nil {
			next(e)
		}
	}
	report, err = s.engine().Check(s.t.Context(), s.src, s.dst, o)
	if report == nil {
		s.t.Fatal(err)
	}
	if c := report.Check; report.Objects.Total != c.Same+c.Differences()+c.Unreadable+report.Objects.Skipped {
		s.t.Errorf("%d names, but %+v", report.Objects.Total, c)
	}
	return found, report, err
}

// set gives one name this content on a side.
func (s *sides) set(dst bool, name string, content []byte) {
	folder, prefix := s.from, "from/"
	if dst {
		folder, prefix = s.to, "to/"
	}
	if folder != "" {
		write(s.t, filepath.Join(folder, filepath.FromSlash(name)), content)
	} else {
		s.put(prefix+name, content)
	}
}

// withoutCRC makes the service one that has no CRC-64.
func (s *sides) withoutCRC() {
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil {
			resp.Header.Del("X-Oss-Hash-Crc64ecma")
		}
		return resp, err
	})
}

func TestCheck(t *testing.T) {
	large, flipped := noise(1, 3*partSize+5), noise(1, 3*partSize+5)
	flipped[2*partSize] ^= 1
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b/c", "empty", "z")
			s.add(true, "a", "b/c", "empty", "z")
			for _, dst := range []bool{false, true} {
				s.set(dst, "empty", nil)
				s.set(dst, "large", large)
			}
			all := []string{"a: same", "b/c: same", "empty: same", "large: same", "z: same"}
			found, report, err := s.check(nil)
			if err != nil || !slices.Equal(found, all) || report.Check.Same != 5 || report.Check.SameBytes != int64(5+len(large)) || report.State != transfer.StateDone {
				t.Fatalf("the same: %q, %+v, %v", found, report, err)
			}

			s.set(true, "large", flipped)
			s.set(true, "b/c", []byte("longer"))
			s.add(false, "0", "b/a", "y")
			s.add(true, "b-", "b/d", "zz")
			want := []string{
				"0: missing_destination", "a: same", "b-: missing_source", "b/a: missing_destination", "b/c: differs",
				"b/d: missing_source", "empty: same", "large: differs", "y: missing_destination", "z: same", "zz: missing_source",
			}
			found, report, err = s.check(nil)
			var different *transfer.DifferenceError
			if !errors.As(err, &different) || !errors.Is(err, transfer.ErrDifferent) || errors.Is(err, transfer.ErrIncomplete) || different.Differences() != 8 ||
				different.MissingDestination != 3 || different.MissingSource != 3 || !slices.Equal(found, want) {
				t.Errorf("different: %q, %v", found, err)
			}
			if report.State != transfer.StateDifferent || report.Resumable || report.Objects.Done != 11 {
				t.Errorf("%+v", report)
			}

			bytewise := func(o *transfer.CheckOptions) { o.Download = true }
			s.withoutCRC()
			if found, _, err = s.check(bytewise); !errors.Is(err, transfer.ErrDifferent) || !slices.Equal(found, want) {
				t.Errorf("by their bytes: %q, %v", found, err)
			}
			// Without either there is no telling; what is an MD5 is one.
			if _, report, err = s.check(nil); !errors.Is(err, transfer.ErrIncomplete) || report.Check.Unreadable == 0 || !strings.Contains(report.Failures[0].Cause, "no CRC-64") {
				t.Errorf("no CRC-64: %+v, %v", report, err)
			}
			s.wire.between(nil)

			oneWay := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return strings.HasSuffix(s, "missing_source") })
			if found, _, err = s.check(func(o *transfer.CheckOptions) { o.OneWay = true }); !errors.Is(err, transfer.ErrDifferent) || !slices.Equal(found, oneWay) {
				t.Errorf("one way: %q, %v", found, err)
			}

			s.log.forget()
			found, report, _ = s.check(func(o *transfer.CheckOptions) { o.SizeOnly = true })
			if !slices.Contains(found, "large: same") || report.Check.Differ != 1 || len(s.log.requests(t, "HeadObject")) > 0 {
				t.Errorf("by size: %q", found)
			}
		})
	}
}

// TestCheckFilters: what the filter leaves out is compared on neither side.
func TestCheckFilters(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		s := newSides(t, direction)
		s.add(false, "a.txt", "b.tmp", "dir/long.txt", "same.txt")
		s.add(true, "c.tmp", "d.txt", "same.txt", "dir/longer.txt")
		most := int64(8)
		set := chooseWith(t, &filter.Builder{MaxSize: &most}, "- *.tmp")
		found, report, err := s.check(func(o *transfer.CheckOptions) { o.Filter = set })
		if want := []string{"a.txt: missing_destination", "d.txt: missing_source", "same.txt: same"}; !slices.Equal(found, want) || !errors.Is(err, transfer.ErrDifferent) {
			t.Errorf("%s: %q, %v, %+v", direction, found, err, report)
		}
		names := &filter.Names{}
		for _, n := range []string{"a.txt", "d.txt", "nowhere"} {
			names.Add(n)
		}
		found, _, err = s.check(func(o *transfer.CheckOptions) { o.Filter = chooseWith(t, &filter.Builder{Names: names}) })
		if want := []string{"a.txt: missing_destination", "d.txt: missing_source", "nowhere: failed"}; !slices.Equal(found, want) || !errors.Is(err, transfer.ErrIncomplete) {
			t.Errorf("%s: names from a list: %q, %v", direction, found, err)
		}
	}
}

// TestCheckSingle compares one file or object with another.
func TestCheckSingle(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "one")
			s.set(true, "other", []byte("one"))
			s.set(true, "odd", []byte("ONE"))
			prefix := func(l transfer.Location, name string) transfer.Location {
				if l.Bucket == nil {
					l.Path = filepath.Join(l.Path, name)
				} else {
					l.Path += name
				}
				return l
			}
			src, dst := s.src, s.dst
			for name, want := range map[string]string{"other": "same", "odd": "differs", "nothing": "missing_destination"} {
				s.src, s.dst = prefix(src, "one"), prefix(dst, name)
				for _, change := range []func(*transfer.CheckOptions){
					func(o *transfer.CheckOptions) { o.Single = true },
					func(o *transfer.CheckOptions) { o.Single, o.Download = true, true },
				} {
					found, _, err := s.check(change)
					if !slices.Equal(found, []string{"one: " + want}) || errors.Is(err, transfer.ErrDifferent) == (want == "same") {
						t.Errorf("%s: %q, %v", name, found, err)
					}
				}
			}
			s.src, s.dst = prefix(src, "no"), prefix(dst, "nothing")
			report, err := s.engine().Check(t.Context(), s.src, s.dst, &transfer.CheckOptions{Single: true})
			if !errors.Is(err, os.ErrNotExist) || report == nil || report.State != transfer.StateFailed {
				t.Errorf("neither is there: %+v, %v", report, err)
			}
		})
	}
}

// TestCheckUnreadable: what could not be read is neither the same nor missing.
func TestCheckUnreadable(t *testing.T) {
	t.Run("object", func(t *testing.T) {
		s := newSides(t, "across")
		s.add(false, "a", "b", "c")
		s.add(true, "a", "c")
		s.set(true, "b", []byte("B"))
		s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/b") {
				return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			return send()
		})
		found, report, err := s.check(nil)
		if !slices.Equal(found, []string{"a: same", "b: failed", "c: same"}) || !errors.Is(err, transfer.ErrIncomplete) || errors.Is(err, transfer.ErrDifferent) || report.Check.Unreadable != 1 {
			t.Errorf("%q, %v", found, err)
		}
		s.add(false, "d")
		if found, _, err = s.check(nil); len(found) != 4 || !errors.Is(err, transfer.ErrIncomplete) || !errors.Is(err, transfer.ErrDifferent) {
			t.Errorf("both: %q, %v", found, err)
		}
	})
	for _, direction := range []string{"up", "down"} {
		t.Run("folder "+direction, func(t *testing.T) {
			s := newSides(t, direction)
			names := []string{"a", "locked/x", "locked/y", "z"}
			s.add(false, names...)
			s.add(true, names...)
			folder := filepath.Join(s.from+s.to, "locked")
			if err := os.Chmod(folder, 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(folder, 0o700) })
			if _, err := os.ReadDir(folder); err == nil {
				t.Skip("nothing is unreadable for this user")
			}
			found, _, err := s.check(nil)
			want := []string{"a: same", "locked/: failed", "locked/x: failed", "locked/y: failed", "z: same"}
			if !slices.Equal(found, want) || !errors.Is(err, transfer.ErrIncomplete) || errors.Is(err, transfer.ErrDifferent) {
				t.Errorf("%q, %v", found, err)
			}
		})
	}
	t.Run("listing", func(t *testing.T) {
		s := newSides(t, "up")
		s.add(false, "a")
		s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		})
		report, err := s.engine().Check(t.Context(), s.src, s.dst, nil)
		if err == nil || errors.Is(err, transfer.ErrDifferent) || report.State != transfer.StateFailed {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// TestCheckChanges: what changes or goes while it is compared is said to.
func TestCheckChanges(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "file")
	s.add(true, "file")
	touched := s.engine(func(o *transfer.Options) {
		o.Watch = func(step transfer.Step) {
			if step.Op == "hash" && !step.Done {
				write(t, filepath.Join(s.from, "file"), []byte("FILE"))
			}
		}
	})
	report, err := touched.Check(t.Context(), s.src, s.dst, nil)
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Changed != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	s = newSides(t, "across")
	s.set(false, "a", []byte("a"))
	s.set(true, "a", []byte("b"))
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/to/a") {
			r.URL.Path += "gone"
			return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return send()
	})
	if found, _, err := s.check(nil); !slices.Equal(found, []string{"a: missing_destination"}) || !errors.Is(err, transfer.ErrDifferent) {
		t.Errorf("%q, %v", found, err)
	}
}

// TestCheckOddities: what no side can transfer is no difference; where a file
// should be it is.
func TestCheckOddities(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	s.add(true, "a", "link2")
	s.put("to/folder/", nil)
	for _, name := range []string{"link", "link2"} {
		if err := os.Symlink("a", filepath.Join(s.from, name)); err != nil {
			t.Skip(err)
		}
	}
	found, report, err := s.check(nil)
	if !slices.Equal(found, []string{"a: same", "link: skipped", "link2: differs"}) || !errors.Is(err, transfer.ErrDifferent) || len(report.Warnings) != 1 {
		t.Errorf("%q, %v, %q", found, err, report.Warnings)
	}
}

// TestCheckSealed: a file is compared with the object that it would become.
func TestCheckSealed(t *testing.T) {
	s := newSides(t, "up")
	s.dst.Keys = masterKeys(t)
	s.set(false, "large", noise(1, 3*partSize+5))
	s.add(false, "a")
	if _, err := s.sync(nil); err != nil {
		t.Fatal(err)
	}
	bytewise := func(o *transfer.CheckOptions) { o.Download = true }
	for _, change := range []func(*transfer.CheckOptions){nil, bytewise} {
		if found, _, err := s.check(change); err != nil || len(found) != 2 {
			t.Errorf("%q, %v", found, err)
		}
	}
	s.set(false, "a", []byte("b"))
	for _, change := range []func(*transfer.CheckOptions){nil, bytewise} {
		if found, _, err := s.check(change); !slices.Equal(found, []string{"a: differs", "large: same"}) || !errors.Is(err, transfer.ErrDifferent) {
			t.Errorf("%q, %v", found, err)
		}
	}
}

// TestCheckStops: a check that is stopped says so, and has told nothing twice.
func TestCheckStops(t *testing.T) {
	s := newSides(t, "up")
	for i := range 300 {
		name := fmt.Sprintf("%03d", i)
		s.add(false, name)
		s.add(true, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := 0
	report, err := s.engine().Check(ctx, s.src, s.dst, &transfer.CheckOptions{JobOptions: transfer.JobOptions{OnObject: func(transfer.ObjectEvent) {
		if told++; told == 10 {
			cancel()
		}
	}}})
	if !errors.Is(err, context.Canceled) || report.State != transfer.StateInterrupted || told >= 300 {
		t.Errorf("%+v, %v, %d told", report, err, told)
	}
}

func TestCheckUsage(t *testing.T) {
	w := newWorld(t)
	var usage *transfer.UsageError
	for name, call := range map[string]func() (*transfer.Report, error){
		"no bucket": func() (*transfer.Report, error) {
			return w.engine().Check(t.Context(), transfer.Local("a"), transfer.Local("b"), nil)
		},
		"bucket": func() (*transfer.Report, error) {
			return w.engine().Check(t.Context(), w.at(""), w.at("x"), &transfer.CheckOptions{Single: true})
		},
		"two answers": func() (*transfer.Report, error) {
			return w.engine().Check(t.Context(), w.at("a"), w.at("x"), &transfer.CheckOptions{SizeOnly: true, Download: true})
		},
	} {
		if report, err := call(); !errors.As(err, &usage) || report != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.engine().Check(t.Context(), transfer.Local(filepath.Join(t.TempDir(), "no")), w.at("x"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if !bytes.Equal(w.get("x"), nil) {
		t.Error("something was made")
	}
}
