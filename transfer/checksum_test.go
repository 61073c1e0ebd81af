package transfer_test

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// TestChecksum: after a sync nothing that nobody has touched costs a request of
// its own or a read; what was changed with its size and time kept is found, and
// what only was touched is not sent again.
func TestChecksum(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b", "c", "d")
			run := func() (*transfer.Report, map[string]int) {
				t.Helper()
				ops := map[string]int{}
				var mu sync.Mutex // requests run at once
				s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					if !r.URL.Query().Has("list-type") {
						mu.Lock()
						ops[r.Method]++
						mu.Unlock()
					}
					return send()
				})
				defer s.wire.between(nil)
				report, err := s.sync(func(o *transfer.SyncOptions) { o.Delete, o.Compare = false, transfer.CompareChecksum })
				if err != nil {
					t.Fatal(err)
				}
				return report, ops
			}
			run()
			if r, ops := run(); r.Objects.Done != 0 || r.Objects.Skipped != 4 || len(ops) > 0 {
				t.Fatalf("second run: %+v, requests %v", r.Objects, ops)
			}
			// b's content changes and nothing else that a listing or a look shows.
			if direction == "across" || direction == "down" {
				s.put("from/b", []byte("B"))
			} else {
				file := filepath.Join(s.from, "b")
				info, err := os.Stat(file)
				if err != nil {
					t.Fatal(err)
				}
				write(t, file, []byte("B"))
				if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
					t.Fatal(err)
				}
			}
			if r, _ := run(); r.Objects.Done != 1 || r.Objects.Skipped != 3 {
				t.Errorf("one changed: %+v", r.Objects)
			}
			// c is only touched: read, but not sent; and remembered.
			switch direction {
			case "up":
				if err := os.Chtimes(filepath.Join(s.from, "c"), time.Now(), time.Now().Add(-time.Hour)); err != nil {
					t.Fatal(err)
				}
			case "down":
				if err := os.Chtimes(filepath.Join(s.to, "c"), time.Now(), time.Now().Add(-time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			if r, ops := run(); r.Objects.Done != 0 || ops["PUT"]+ops["GET"] > 0 {
				t.Errorf("one touched: %+v, requests %v", r.Objects, ops)
			}
			if r, ops := run(); r.Objects.Done != 0 || len(ops) > 0 {
				t.Errorf("last run: %+v, requests %v", r.Objects, ops)
			}
		})
	}
}

// TestChecksumAfterOtherSync: a record that times were equal proves nothing of
// the content.
func TestChecksumAfterOtherSync(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a")
	s.put("to/a", []byte("b"))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(s.from, "a"), old, old); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		compare transfer.Compare
		done    int64
	}{{transfer.CompareModTime, 0}, {transfer.CompareChecksum, 1}, {transfer.CompareChecksum, 0}} {
		r, err := s.sync(func(o *transfer.SyncOptions) { o.Delete, o.Compare = false, v.compare })
		if err != nil || r.Objects.Done != v.done {
			t.Errorf("%v: %+v, %v", v.compare, r.Objects, err)
		}
	}
}

func TestExistingOnlyAndModifyWindow(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	s.put("to/a", []byte("other"))
	r, err := s.sync(func(o *transfer.SyncOptions) { o.Delete, o.ExistingOnly = false, true })
	if err != nil || r.Objects.Done != 1 || r.Objects.Skipped != 1 || s.get("to/b") != nil {
		t.Errorf("%+v, %v", r.Objects, err)
	}
	file := filepath.Join(s.from, "a")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().Add(time.Second)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	without := s.engine(func(o *transfer.Options) { o.StateDir = "" }) // else the record says that it was touched
	for window, done := range map[time.Duration]int64{2 * time.Second: 0, 0: 1} {
		r, err := without.Sync(t.Context(), s.src, s.dst, &transfer.SyncOptions{ExistingOnly: true, ModifyWindow: window, DryRun: true})
		if err != nil || r.Objects.Skipped != 2-done {
			t.Errorf("window %v: %+v, %v", window, r.Objects, err)
		}
	}
}

// TestCheckers counts the comparisons under way, of which the first waits for
// another: two at once and never a third, in a sync and in a check.
func TestCheckers(t *testing.T) {
	s := newSides(t, "across")
	var names []string
	for i := range 64 {
		names = append(names, fmt.Sprint(i))
	}
	s.add(false, names...)
	s.add(true, names...)
	for name, run := range map[string]func(e *transfer.Engine) (*transfer.Report, error){
		"sync": func(e *transfer.Engine) (*transfer.Report, error) {
			return e.Sync(t.Context(), s.src, s.dst, &transfer.SyncOptions{Compare: transfer.CompareChecksum, DryRun: true})
		},
		"check": func(e *transfer.Engine) (*transfer.Report, error) {
			return e.Check(t.Context(), s.src, s.dst, &transfer.CheckOptions{Download: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				mu      sync.Mutex
				objects = map[string]int{} // requests under way, by name
				most    int
				met     = make(chan struct{})
			)
			s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if r.URL.Query().Has("list-type") {
					return send()
				}
				name := path.Base(r.URL.Path)
				mu.Lock()
				objects[name]++
				if len(objects) == 2 && most < 2 {
					close(met)
				}
				most = max(most, len(objects))
				mu.Unlock()
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					if objects[name]--; objects[name] == 0 {
						delete(objects, name)
					}
				}()
				select {
				case <-met:
				case <-r.Context().Done():
				}
				for range 100 {
					runtime.Gosched() // whoever else may run does
				}
				return send()
			})
			defer s.wire.between(nil)
			engine := s.engine(func(o *transfer.Options) { o.Checkers = 2 })
			if report, err := run(engine); err != nil {
				t.Fatalf("%+v: %v", report, err)
			}
			if most != 2 {
				t.Errorf("%d objects compared at once, want 2", most)
			}
		})
	}
	if _, err := transfer.New(&transfer.Options{Checkers: -1}); err == nil {
		t.Error("a negative number was taken")
	}
}
