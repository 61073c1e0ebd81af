package transfer_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// TestNothingOfOthersIsReplaced: what somebody else writes between the listing
// of the destination and our write stays, and the object is a failure that says
// so. A run after that decides anew.
func TestNothingOfOthersIsReplaced(t *testing.T) {
	theirs := []byte("theirs")
	for _, large := range []bool{false, true} {
		for _, existing := range []bool{false, true} {
			for _, direction := range []string{"up", "down", "across"} {
				name := direction
				if large {
					name += " large"
				}
				if existing {
					name += " existing"
				}
				t.Run(name, func(t *testing.T) {
					w := newWorld(t)
					size := 1000
					if large {
						size = 3 * partSize
					}
					data, old := noise(1, size), noise(2, size-1)
					folder := t.TempDir()
					file := filepath.Join(folder, "k")
					src, dst := transfer.Local(folder), w.at("to")
					interfere := func() { w.put("to/k", theirs) }
					have := func() []byte { return w.get("to/k") }
					moves := func(r *http.Request) bool { return r.Method == http.MethodPut }
					switch direction {
					case "up":
						write(t, file, data)
						if existing {
							w.put("to/k", old)
						}
					case "down":
						src, dst = w.at("from"), transfer.Local(folder)
						w.put("from/k", data)
						if existing {
							write(t, file, old)
						}
						interfere = func() { write(t, file, theirs) }
						have = func() []byte { b, _ := os.ReadFile(file); return b }
						moves = func(r *http.Request) bool { return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/k") }
					case "across":
						src = w.at("from")
						w.put("from/k", data)
						if existing {
							w.put("to/k", old)
						}
					}
					var done atomic.Bool
					w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
						if moves(r) && !done.Swap(true) {
							interfere()
						}
						return send()
					})
					e := w.engine(func(o *transfer.Options) { o.StateDir = "" })
					if direction == "across" { // small parts, as for the other ways
						e = w.engine(func(o *transfer.Options) { o.StateDir, o.PartSize, o.MultipartThreshold = "", partSize, partSize })
					}
					o := &transfer.SyncOptions{IfUnchanged: true, Relay: large}
					report, err := e.Sync(t.Context(), src, dst, o)
					if existing && !large && direction != "down" {
						// OSS has no condition for this: only what came before the
						// question is noticed.
						if err != nil || !bytes.Equal(have(), data) {
							t.Errorf("%v", err)
						}
						return
					}
					if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Changed != 1 || !strings.Contains(report.Failures[0].String(), "somebody else") {
						t.Fatalf("%+v, %v", report, err)
					}
					if got := have(); !bytes.Equal(got, theirs) {
						t.Errorf("theirs was replaced by %d bytes", len(got))
					}
					if n := w.uploads(); n != 0 {
						t.Errorf("%d uploads left", n)
					}
					if left, _ := filepath.Glob(filepath.Join(folder, ".osssync-*")); len(left) > 0 {
						t.Errorf("left %v", left)
					}
					if _, err := e.Sync(t.Context(), src, dst, o); err != nil || !bytes.Equal(have(), data) {
						t.Errorf("the next run: %v", err)
					}
				})
			}
		}
	}
}

// TestSmallObjectReplacedMeanwhile: with IfUnchanged a small object that was
// overwritten after the listing is noticed.
func TestSmallObjectReplacedMeanwhile(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	write(t, filepath.Join(folder, "k"), noise(1, 100))
	w.put("to/k", noise(2, 50))
	var done atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodHead && !done.Swap(true) {
			w.put("to/k", []byte("theirs"))
		}
		return send()
	})
	report, err := w.engine().Sync(t.Context(), transfer.Local(folder), w.at("to"), &transfer.SyncOptions{IfUnchanged: true})
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Changed != 1 || string(w.get("to/k")) != "theirs" {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestEditedLocally: a file that somebody edits after it was seen, and gives its
// old time and size, is neither deleted nor replaced. Its other names going away
// is no edit.
func TestEditedLocally(t *testing.T) {
	s := newSides(t, "down")
	s.add(false, "a")
	s.add(true, "extra", "one")
	if err := os.Link(filepath.Join(s.to, "one"), filepath.Join(s.to, "two")); err != nil {
		t.Fatal(err)
	}
	var plan bytes.Buffer
	o := &transfer.SyncOptions{Delete: true, MaxDelete: transfer.DeleteLimit{Percent: 100}}
	if _, err := s.engine().Plan(t.Context(), s.src, s.dst, &plan, o); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(s.to, "extra")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Repeat([]byte("!"), int(info.Size()))
	if err := errors.Join(os.WriteFile(name, data, 0o600), os.Chtimes(name, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
	p, err := transfer.ReadPlan(bytes.NewReader(plan.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.engine().Apply(t.Context(), p, &transfer.ApplyOptions{ResumeOptions: transfer.ResumeOptions{
		Bucket: func(string, string) (*oss.Bucket, error) { return s.bucket, nil },
	}})
	if err == nil {
		t.Error("nothing was stale")
	}
	if got := s.have(); !slices.Equal(got, []string{"a", "extra"}) || tree(t, s.to)["extra"] != string(data) {
		t.Errorf("%q", got)
	}
}
