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

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// moving is a world with something to move in one direction.
type moving struct {
	*world
	way  string // "up", "down", "across" or "relay"
	here string // the folder of the local side
}

var ways = []string{"up", "down", "across", "relay"}

func newMoving(t *testing.T, way string) *moving {
	return &moving{world: newWorld(t), way: way, here: t.TempDir()}
}

// plant makes a source.
func (m *moving) plant(name string, data []byte) {
	m.t.Helper()
	if m.way == "up" {
		write(m.t, filepath.Join(m.here, filepath.FromSlash(name)), data)
		return
	}
	m.put("from/"+name, data)
}

// plantAt makes something at the destination.
func (m *moving) plantAt(name string, data []byte) {
	m.t.Helper()
	if m.way == "down" {
		write(m.t, filepath.Join(m.here, filepath.FromSlash(name)), data)
		return
	}
	m.put("to/"+name, data)
}

// left and arrived are what the sides have.
func (m *moving) left() map[string]string {
	if m.way == "up" {
		return tree(m.t, m.here)
	}
	return m.below("from/")
}

func (m *moving) arrived() map[string]string {
	if m.way == "down" {
		return tree(m.t, m.here)
	}
	return m.below("to/")
}

func (w *world) below(prefix string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for o, err := range w.bucket.Objects(w.t.Context(), &oss.ListObjectsV2Options{Prefix: prefix}) {
		if err != nil {
			w.t.Fatal(err)
		}
		all[strings.TrimPrefix(o.Key, prefix)] = string(w.get(o.Key))
	}
	return all
}

// one moves the object or file of a name.
func (m *moving) one(ctx context.Context, e *transfer.Engine, name string) (*transfer.Report, error) {
	switch m.way {
	case "up":
		return e.Upload(ctx, filepath.Join(m.here, name), m.at("to/"+name), &transfer.UploadOptions{RemoveSource: true})
	case "down":
		return e.Download(ctx, m.at("from/"+name), filepath.Join(m.here, name), &transfer.DownloadOptions{RemoveSource: true})
	}
	return e.Copy(ctx, m.at("from/"+name), m.at("to/"+name), &transfer.CopyOptions{RemoveSource: true, Relay: m.way == "relay"})
}

// all moves the tree.
func (m *moving) all(ctx context.Context, e *transfer.Engine, change ...func(*transfer.SyncOptions)) (*transfer.Report, error) {
	o := &transfer.SyncOptions{RemoveSource: true, Compare: transfer.CompareNone, Relay: m.way == "relay"}
	for _, c := range change {
		c(o)
	}
	src, dst := m.at("from"), m.at("to")
	switch m.way {
	case "up":
		src = transfer.Local(m.here)
	case "down":
		dst = transfer.Local(m.here)
	}
	return e.Sync(ctx, src, dst, o)
}

func TestMove(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			for _, size := range []int{0, 10, 3*copyPart + 1} {
				m := newMoving(t, way)
				data := noise(size, size)
				m.plant("k", data)
				report, err := m.one(t.Context(), m.engine(), "k")
				if err != nil {
					t.Fatal(err)
				}
				if n := report.Objects; report.Kind != "move" || n.Done != 1 || n.Removed != 1 || n.Failed != 0 || n.Total != 1 || report.Bytes.Done != int64(size) {
					t.Errorf("size %d: %+v", size, report)
				}
				if left, arrived := m.left(), m.arrived(); len(left) > 0 || arrived["k"] != string(data) {
					t.Errorf("size %d: %d are left, %d arrived", size, len(left), len(arrived))
				}
				if _, err = m.one(t.Context(), m.engine(), "k"); err == nil {
					t.Error("what is not there was moved")
				}
			}
		})
	}
}

func TestMoveTree(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			m := newMoving(t, way)
			want := map[string]string{}
			for i, name := range []string{"a", "b/c", "b/d/e", "large"} {
				data := noise(i, i*17)
				if name == "large" {
					data = noise(i, 2*copyPart+1)
				}
				m.plant(name, data)
				want[name] = string(data)
			}
			if way == "down" {
				m.put("from/folder/", nil)
			}
			if way == "up" {
				for _, dir := range []string{"empty", "b/kept"} {
					if err := os.MkdirAll(filepath.Join(m.here, dir), 0o700); err != nil {
						t.Fatal(err)
					}
				}
			}
			report, err := m.all(t.Context(), m.engine())
			if err != nil {
				t.Fatal(err)
			}
			if n := report.Objects; n.Removed != n.Done || n.Failed != 0 {
				t.Errorf("%+v", report)
			}
			if !maps.Equal(m.arrived(), want) {
				t.Errorf("arrived %v", slices.Sorted(maps.Keys(m.arrived())))
			}
			if len(m.left()) > 0 {
				t.Errorf("left %v", m.left())
			}
			if way == "up" { // folders that were empty before are somebody's
				for dir, stays := range map[string]bool{"": true, "empty": true, "b": true, "b/kept": true, "b/d": false} {
					if _, err := os.Stat(filepath.Join(m.here, dir)); (err == nil) != stays {
						t.Errorf("folder %q: %v", dir, err)
					}
				}
			}
			if way == "down" {
				if info, err := os.Stat(filepath.Join(m.here, "folder")); err != nil || !info.IsDir() {
					t.Errorf("folder: %v", err)
				}
			}
		})
	}
}

// changeLate changes the source when its copy is made and it is about to go.
func (m *moving) changeLate(change func()) {
	var once sync.Once
	var gone atomic.Bool
	m.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case m.way == "up" && r.Method == http.MethodPut:
			resp, err := send()
			once.Do(change)
			return resp, err
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/from/") || r.Method == http.MethodPut:
			gone.Store(true) // the copy is under way
		case r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/from/") && gone.Load():
			once.Do(func() {
				m.wire.between(nil)
				change()
			})
		}
		return send()
	})
}

// A source that is another one than was copied stays, and goes with the next run.
func TestMoveKeepsWhatChanged(t *testing.T) {
	for _, way := range ways {
		for _, single := range []bool{true, false} {
			t.Run(fmt.Sprint(way, " single=", single), func(t *testing.T) {
				m := newMoving(t, way)
				m.plant("k", []byte("old"))
				m.changeLate(func() { m.plant("k", []byte("new")) })
				run := func() (*transfer.Report, error) {
					if single {
						return m.one(t.Context(), m.engine(), "k")
					}
					return m.all(t.Context(), m.engine())
				}
				report, err := run()
				m.wire.between(nil)
				if err == nil || single && !errors.Is(err, transfer.ErrChanged) || !single && !errors.Is(err, transfer.ErrIncomplete) {
					t.Fatalf("%v, %+v", err, report)
				}
				if n := report.Objects; n.Failed != 1 || n.Changed != 1 || n.Removed != 0 || len(report.Failures) != 1 || report.Failures[0].Operation != "remove" {
					t.Errorf("%+v", report)
				}
				if m.arrived()["k"] != "old" || m.left()["k"] != "new" {
					t.Fatalf("arrived %v, left %v", m.arrived(), m.left())
				}
				if report, err = run(); err != nil || report.Objects.Removed != 1 {
					t.Fatalf("%v, %+v", err, report)
				}
				if m.arrived()["k"] != "new" || len(m.left()) > 0 {
					t.Errorf("arrived %v, left %v", m.arrived(), m.left())
				}
			})
		}
	}
}

// A source that is overwritten before it is read is copied anew, and it is that
// which goes.
func TestMoveOfWhatWasOverwritten(t *testing.T) {
	for _, way := range ways {
		m := newMoving(t, way)
		m.plant("k", []byte("old"))
		var once sync.Once
		m.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			listed := way == "up" && r.Method == http.MethodGet // of the destination, with the walk
			reads := r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/from/") || r.Header.Get("X-Oss-Copy-Source") != ""
			if listed || reads {
				once.Do(func() {
					m.wire.between(nil)
					m.plant("k", []byte("new"))
				})
			}
			return send()
		})
		report, err := m.all(t.Context(), m.engine())
		if err != nil || report.Objects.Removed != 1 || m.arrived()["k"] != "new" || len(m.left()) > 0 {
			t.Errorf("%s: %v, %+v, left %v", way, err, report, m.left())
		}
	}
}

// A copy that fails, or that nobody can vouch for, leaves its source.
func TestMoveKeepsWhatIsUnproven(t *testing.T) {
	for _, way := range ways {
		for _, single := range []bool{true, false} {
			t.Run(fmt.Sprint(way, " single=", single), func(t *testing.T) {
				m := newMoving(t, way)
				data := noise(1, 2*copyPart+1)
				m.plant("k", data)
				m.plant("small", []byte("small"))
				stays := func() {
					t.Helper()
					left := m.left()
					if left["k"] != string(data) || left["small"] != "small" {
						t.Fatalf("the source is gone: %v", slices.Sorted(maps.Keys(left)))
					}
				}
				type hook = func(*http.Request, func() (*http.Response, error)) (*http.Response, error)
				run := func(through hook) (err error) {
					m.wire.between(through)
					defer m.wire.between(nil)
					for _, name := range []string{"k", "small"} {
						if !single {
							name = ""
							_, err = m.all(t.Context(), m.engine())
						} else if _, err = m.one(t.Context(), m.engine(), name); err == nil {
							t.Errorf("%s: no error", name)
						}
					}
					return err
				}
				// Nothing is read, or written.
				broken := func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					if r.Method == http.MethodPut || way == "down" && r.Method == http.MethodGet && r.URL.RawQuery == "" {
						return nil, errors.New("connection refused")
					}
					return send()
				}
				if err := run(broken); err == nil {
					t.Error("no error")
				}
				stays()
				if way == "across" {
					return // the ETags of both sides tell as much
				}
				sumless := func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					resp, err := send()
					if err == nil && (way != "relay" || strings.Contains(r.URL.Path, "/from/")) {
						resp.Header.Del("X-Oss-Hash-Crc64ecma")
					}
					return resp, err
				}
				for range 2 { // what an earlier run has recorded proves no more
					if err := run(sumless); err == nil {
						t.Error("no error")
					}
					stays()
				}
				if single {
					for _, name := range []string{"k", "small"} {
						if _, err := m.one(t.Context(), m.engine(), name); err != nil {
							t.Fatal(err)
						}
					}
				} else if _, err := m.all(t.Context(), m.engine()); err != nil {
					t.Fatal(err)
				}
				if m.arrived()["k"] != string(data) || len(m.left()) > 0 {
					t.Errorf("left %v", slices.Sorted(maps.Keys(m.left())))
				}
			})
		}
	}
}

// One object without a CRC-64 keeps no other from being moved.
func TestMoveKeepsOnlyWhatIsUnproven(t *testing.T) {
	for _, way := range ways {
		m := newMoving(t, way)
		for _, name := range []string{"a", "b", "c"} {
			m.plant(name, []byte(name))
		}
		m.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if err == nil && strings.HasSuffix(r.URL.Path, "/a") {
				resp.Header.Del("X-Oss-Hash-Crc64ecma")
			}
			return resp, err
		})
		report, err := m.all(t.Context(), m.engine(oneByOne))
		m.wire.between(nil)
		if way == "across" { // the ETags tell
			if err != nil || len(m.left()) > 0 {
				t.Errorf("%s: %v, left %v", way, err, m.left())
			}
			continue
		}
		if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Removed != 2 || report.Objects.Failed != 1 || m.left()["a"] != "a" || len(m.left()) != 1 {
			t.Errorf("%s: %v, %+v, left %v", way, err, report, m.left())
		}
	}
}

// Broken off at any step a move has the name at one side at least, and the next
// run ends it.
func TestMoveIsBrokenOff(t *testing.T) {
	for _, way := range ways {
		for _, single := range []bool{true, false} {
			t.Run(fmt.Sprint(way, " single=", single), func(t *testing.T) {
				t.Parallel()
				m := newMoving(t, way)
				want := map[string]string{"k": string(noise(1, 2*partSize+1)), "small": "s"}
				if single {
					delete(want, "small")
				}
				run := func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
					if single {
						return m.one(ctx, e, "k")
					}
					return m.all(ctx, e)
				}
				for at := int64(1); ; at++ {
					for name, data := range want {
						m.plant(name, []byte(data))
					}
					ctx, cancel := context.WithCancel(t.Context())
					var steps atomic.Int64
					_, err := run(ctx, m.engine(func(o *transfer.Options) {
						o.Watch = func(transfer.Step) {
							if steps.Add(1) == at {
								cancel()
							}
						}
					}))
					cancel()
					left, arrived := m.left(), m.arrived()
					for name, data := range want {
						if left[name] != data && arrived[name] != data {
							t.Fatalf("step %d: %s is lost", at, name)
						}
					}
					if steps.Load() < at {
						if err != nil {
							t.Fatal(err)
						}
						break
					}
					if err != nil {
						if _, err := run(t.Context(), m.engine()); err != nil {
							t.Fatalf("broken off at step %d, the next run: %v", at, err)
						}
					}
					if !maps.Equal(m.arrived(), want) || len(m.left()) > 0 || m.uploads() > 0 {
						t.Fatalf("broken off at step %d: arrived %v, left %v", at, slices.Sorted(maps.Keys(m.arrived())), slices.Sorted(maps.Keys(m.left())))
					}
					for name := range want { // for the next round
						if way == "down" {
							os.Remove(filepath.Join(m.here, name))
						} else if _, err := m.bucket.DeleteObject(t.Context(), "to/"+name, nil); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// A run that died after the source was gone, and before its books were closed,
// has moved it: the next one says so.
func TestMoveDiesBeforeItsBooks(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			m := newMoving(t, way)
			m.plant("k", []byte("data"))
			state := filepath.Join(t.TempDir(), "state")
			_, err := m.one(t.Context(), m.engine(func(o *transfer.Options) {
				o.Watch = func(s transfer.Step) {
					if s.Op == "remove" && s.Done {
						if err := os.CopyFS(state, os.DirFS(m.state)); err != nil {
							t.Error(err)
						}
					}
				}
			}), "k")
			if err != nil {
				t.Fatal(err)
			}
			m.state = state
			report, err := m.one(t.Context(), m.engine(), "k")
			if err != nil || report.Objects.Done != 1 || m.arrived()["k"] != "data" {
				t.Errorf("%v, %+v", err, report)
			}

			// But not if the copy is another one since.
			if err := os.CopyFS(filepath.Join(t.TempDir(), "state"), os.DirFS(m.state)); err != nil {
				t.Fatal(err)
			}
			m.plantAt("k", []byte("other"))
			if report, err := m.one(t.Context(), m.engine(), "k"); err == nil {
				t.Errorf("%+v", report)
			}
		})
	}
}
