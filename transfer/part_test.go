package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// refusals are what the wire refuses: by the last element of a key, a status of
// HTTP and a code of OSS. A key is asked for below from/ or written below to/.
type refusals struct {
	mu    sync.Mutex
	codes map[string]string // "403 AccessDenied"
	asked map[string]bool   // the names that were transferred, or tried
}

func (r *refusals) set(names map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes, r.asked = maps.Clone(names), map[string]bool{}
}

func (r *refusals) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.asked))
}

func (r *refusals) hook(req *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
	key := req.URL.Path
	name := path.Base(key)
	get := req.Method == http.MethodGet && strings.Contains(key, "/from/")
	if !get && !(req.Method == http.MethodPut && strings.Contains(key, "/to/")) {
		return send()
	}
	r.mu.Lock()
	r.asked[name] = true
	refused := r.codes[name]
	r.mu.Unlock()
	if refused == "" {
		return send()
	}
	var status int
	var code string
	fmt.Sscan(refused, &status, &code)
	return &http.Response{
		StatusCode: status, Header: http.Header{"X-Oss-Request-Id": {"ID"}}, Request: req,
		Body: io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code><Message>no</Message></Error>")),
	}, nil
}

// part resumes a job with a part of what is missing.
func (w *world) part(ctx context.Context, id string, p transfer.Part, change ...func(*transfer.Options)) (*transfer.Report, error) {
	return w.engine(change...).Resume(ctx, id, &transfer.ResumeOptions{
		Part:   p,
		Bucket: func(_, name string) (*oss.Bucket, error) { return w.bucket.Client().Bucket(name), nil },
	})
}

func include(t *testing.T, pattern string) *transfer.Filter {
	t.Helper()
	var b filter.Builder
	if err := b.Include(pattern, "test"); err != nil {
		t.Fatal(err)
	}
	set, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// detail is what the state folder knows of a job.
func (w *world) detail(id string) *transfer.JobDetail {
	w.t.Helper()
	d, err := w.engine().Job(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

var partOptions = map[string]func(*transfer.SyncOptions){
	"sync": func(o *transfer.SyncOptions) { o.Delete = false },
	"copy": func(o *transfer.SyncOptions) { o.Delete, o.Compare = false, transfer.CompareNone },
	"move": func(o *transfer.SyncOptions) {
		o.Delete, o.Compare, o.RemoveSource = false, transfer.CompareNone, true
	},
}

// A part of what failed is done by code and name; what else failed stays, until
// nothing is missing and the job is done.
func TestPart(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		for kind, options := range partOptions {
			t.Run(direction+" "+kind, func(t *testing.T) {
				s := newSides(t, direction)
				s.add(false, "a", "b", "d.txt", "dir/e.txt", "f")
				refuse := &refusals{}
				s.wire.between(refuse.hook)
				refused := map[string]string{"b": "403 AccessDenied", "d.txt": "409 FileImmutable", "e.txt": "403 AccessDenied"}
				refuse.set(refused)
				first, err := s.sync(options)
				if !errors.Is(err, transfer.ErrIncomplete) || first.Objects.Failed != 3 || first.Left != nil {
					t.Fatalf("%+v, %v", first, err)
				}
				id := first.JobID
				before := s.detail(id)
				if before.State != transfer.StateIncomplete || before.Failed != 3 || !before.Failures[0].HasCode("accessdenied") || before.Failures[0].HasCode("") {
					t.Fatalf("%+v", before)
				}

				// What is chosen fails again, and nothing else is touched.
				refuse.set(refused)
				report, err := s.part(t.Context(), id, transfer.Part{Codes: []string{"409"}})
				if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Failed != 3 || report.Objects.Done != 0 || *report.Left != (transfer.Left{Failed: 2}) ||
					len(report.Failures) != 3 || !strings.HasSuffix(report.Failures[0].Key, "d.txt") {
					t.Fatalf("%+v, %+v, %v", report, report.Left, err)
				}
				if got := refuse.seen(); !slices.Equal(got, []string{"d.txt"}) {
					t.Errorf("asked for %q", got)
				}

				// Nothing is chosen, nothing changes.
				var none *transfer.NoPartError
				for _, p := range []transfer.Part{
					{Codes: []string{"404"}},
					{Codes: []string{"AccessDenied"}, Include: include(t, "d.txt")},
					{States: []transfer.ItemState{transfer.ItemInFlight}},
					{States: []transfer.ItemState{transfer.ItemPending}},
				} {
					report, err := s.part(t.Context(), id, p)
					if !errors.As(err, &none) || !errors.Is(err, transfer.ErrNoMatch) || !slices.Contains(none.Codes, "AccessDenied 403") {
						t.Errorf("%+v: %v", p, err)
					}
					if report.Objects.Failed != 3 || report.Left.Failed != 3 || !report.Resumable {
						t.Errorf("%+v: %+v, %+v", p, report, report.Left)
					}
				}
				if _, err := s.part(t.Context(), id, transfer.Part{States: []transfer.ItemState{"odd"}}); !isUsage(err) {
					t.Errorf("a state that is none: %v", err)
				}
				if d := s.detail(id); d.State != transfer.StateIncomplete || d.Failed != 3 {
					t.Errorf("%+v", d)
				}

				// One by code and name, one by status, and the rest.
				for _, step := range []struct {
					part  transfer.Part
					asked string
					left  int64
				}{
					{transfer.Part{Codes: []string{"accessdenied"}, Include: include(t, "*.txt")}, "e.txt", 2},
					{transfer.Part{Codes: []string{"500", "409"}}, "d.txt", 1},
					{transfer.Part{States: []transfer.ItemState{transfer.ItemFailed}}, "b", 0},
				} {
					refuse.set(nil)
					var skipped []string
					report, err := s.engine().Resume(t.Context(), id, &transfer.ResumeOptions{
						JobOptions: transfer.JobOptions{OnObject: func(e transfer.ObjectEvent) {
							if e.Outcome == transfer.OutcomeSkipped {
								skipped = append(skipped, e.Key)
							}
						}},
						Part: step.part, Bucket: func(_, name string) (*oss.Bucket, error) { return s.bucket.Client().Bucket(name), nil },
					})
					if report == nil || report.Objects.Done != 1 || report.Objects.Failed != step.left || len(skipped) > 0 {
						t.Fatalf("%+v: %+v, %v, skipped %q", step.part, report, err, skipped)
					}
					if got := refuse.seen(); !slices.Equal(got, []string{step.asked}) {
						t.Errorf("%+v: asked for %q", step.part, got)
					}
					switch {
					case step.left > 0:
						if d := s.detail(id); !errors.Is(err, transfer.ErrIncomplete) || *report.Left != (transfer.Left{Failed: step.left}) || d.Failed != step.left || d.State != transfer.StateIncomplete || report.State != d.State {
							t.Errorf("%+v: %v, %+v, %+v", step.part, err, report.Left, d)
						}
					case err != nil || report.State != transfer.StateDone || report.Left != nil:
						t.Errorf("%+v, %v", report, err)
					}
				}
				if got := s.have(); !slices.Equal(got, []string{"a", "b", "d.txt", "dir/e.txt", "f"}) {
					t.Errorf("arrived are %q", got)
				}
				d, err := s.engine().Job(id)
				if kind == "sync" && (err != nil || d.State != transfer.StateDone || d.Failed != 0) || kind != "sync" && !errors.Is(err, transfer.ErrNoJob) {
					t.Errorf("%+v, %v", d, err)
				}
				if kind == "sync" {
					if _, err := s.part(t.Context(), id, transfer.Part{States: transfer.ItemStates()}); !errors.Is(err, transfer.ErrNoMatch) {
						t.Errorf("of a job that is done: %v", err)
					}
				}
				if kind == "move" && s.from != "" && len(tree(t, s.from)) > 0 {
					t.Errorf("sources are left: %v", tree(t, s.from))
				}
			})
		}
	}
}

// A part deletes nothing and does not end a job that is to delete.
func TestPartDeletesNothing(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b", "c")
			s.add(true, "extra")
			refuse := &refusals{}
			s.wire.between(refuse.hook)
			refuse.set(map[string]string{"b": "403 AccessDenied"})
			first, err := s.sync(nil)
			if !errors.Is(err, transfer.ErrUnsafe) {
				t.Fatalf("%+v, %v", first, err)
			}
			if d := s.detail(first.JobID); d.State != transfer.StateIncomplete || !strings.Contains(d.Reason, "nothing is deleted: 1 of 3 objects failed") {
				t.Errorf("%+v", d)
			}
			refuse.set(nil)
			s.add(false, "new") // none of what is missing
			report, err := s.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"AccessDenied"}})
			if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Failed != 0 || *report.Left != (transfer.Left{Deletions: true}) || !strings.Contains(err.Error(), "deletions") {
				t.Fatalf("%+v, %+v, %v", report, report.Left, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b", "c", "extra"}) {
				t.Errorf("there are %q", got)
			}
			if d := s.detail(first.JobID); d.State == transfer.StateDone || !d.Resumable || d.Failed != 0 {
				t.Errorf("%+v", d)
			}
			if report, err := s.goOn(first.JobID, transfer.JobOptions{}); err != nil || report.Objects.Deleted != 1 || report.State != transfer.StateDone {
				t.Errorf("%+v, %v", report, err)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b", "c", "new"}) {
				t.Errorf("there are %q", got)
			}
		})
	}
}

// What a part replaces is kept, and undone with the rest.
func TestPartWithBackup(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			kept := s.at("kept/")
			if s.to != "" {
				kept = transfer.Local(t.TempDir())
			}
			s.add(false, "a", "b", "c")
			for _, name := range []string{"a", "b"} {
				if s.to != "" {
					write(t, filepath.Join(s.to, name), []byte("the old one"))
				} else {
					s.put("to/"+name, []byte("the old one"))
				}
			}
			before := s.seen()
			refuse := &refusals{}
			s.wire.between(refuse.hook)
			refuse.set(map[string]string{"b": "403 AccessDenied", "c": "403 AccessDenied"})
			first, err := s.sync(func(o *transfer.SyncOptions) { o.Delete, o.Backup = false, kept })
			if !errors.Is(err, transfer.ErrIncomplete) {
				t.Fatalf("%+v, %v", first, err)
			}
			for _, name := range []string{"b", "c"} {
				refuse.set(nil)
				report, err := s.part(t.Context(), first.JobID, transfer.Part{States: []transfer.ItemState{transfer.ItemFailed}, Include: include(t, name)})
				if name == "b" && !errors.Is(err, transfer.ErrIncomplete) || name == "c" && err != nil || report.Objects.Done != 1 {
					t.Fatalf("%+v, %v", report, err)
				}
			}
			if d := s.detail(first.JobID); d.State != transfer.StateDone {
				t.Errorf("%+v", d)
			}
			if report, err := s.undo(first.JobID, nil); err != nil || !maps.Equal(s.seen(), before) {
				t.Errorf("%+v, %v: undone is %v, was %v", report, err, s.seen(), before)
			}
		})
	}
}

// Of a job that was interrupted a part may be what was begun, or what no run has
// come to. The job ends when the last part has.
func TestPartOfInterrupted(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b", "d", "e")
			large := noise(7, 6*partSize)
			if s.from != "" {
				write(t, filepath.Join(s.from, "c"), large)
			} else {
				s.put("from/c", large)
			}
			ctx, cancel := context.WithCancel(t.Context())
			refuse := &refusals{}
			refuse.set(map[string]string{"b": "403 AccessDenied"})
			var mu sync.Mutex
			parts := 0
			s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				name := path.Base(r.URL.Path)
				if (name == "d" || name == "e") && r.Method != http.MethodHead {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				if name == "c" && (isPart(r) || isRange(r)) {
					mu.Lock()
					parts++
					stop := parts == 3
					mu.Unlock()
					if stop {
						cancel()
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
				}
				return refuse.hook(r, send)
			})
			o := &transfer.SyncOptions{Compare: transfer.CompareSize, Relay: true}
			first, err := s.engine(oneByOne).Sync(ctx, s.src, s.dst, o)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%+v, %v", first, err)
			}
			id := first.JobID
			d := s.detail(id)
			if d.State != transfer.StateInterrupted || d.Reason != "" || d.Failed != 1 || d.InFlight != 1 {
				t.Fatalf("%+v", d)
			}
			s.wire.between(refuse.hook)
			for _, step := range []struct {
				states []transfer.ItemState
				only   string
				asked  []string
				left   *transfer.Left
			}{
				{[]transfer.ItemState{transfer.ItemInFlight}, "", []string{"c"}, &transfer.Left{Failed: 1, Pending: true}},
				{[]transfer.ItemState{transfer.ItemPending}, "e", []string{"e"}, &transfer.Left{Failed: 1, Pending: true}},
				{[]transfer.ItemState{transfer.ItemPending}, "", []string{"d"}, &transfer.Left{Failed: 1}},
				{[]transfer.ItemState{transfer.ItemFailed}, "", []string{"b"}, nil},
			} {
				refuse.set(nil)
				p := transfer.Part{States: step.states}
				if step.only != "" {
					p.Include = include(t, step.only)
				}
				report, err := s.part(t.Context(), id, p)
				if report == nil || (err == nil) != (step.left == nil) || err != nil && !errors.Is(err, transfer.ErrIncomplete) {
					t.Fatalf("%v: %+v, %v", step, report, err)
				}
				if step.left != nil && *report.Left != *step.left || step.left == nil && report.Left != nil {
					t.Errorf("%v: left %+v", step, report.Left)
				}
				if got := refuse.seen(); !slices.Equal(got, step.asked) {
					t.Errorf("%v: asked for %q", step, got)
				}
				if slices.Contains(step.states, transfer.ItemInFlight) && report.Bytes.Resumed == 0 {
					t.Errorf("sent from the start: %+v", report.Bytes)
				}
			}
			if d := s.detail(id); d.State != transfer.StateDone {
				t.Errorf("%+v", d)
			}
			if got := s.have(); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
				t.Errorf("there are %q", got)
			}
		})
	}
}

// What failed and is not at the source any more is missing no more; what the
// source has is, though no listing has shown it.
func TestPartOfWhatIsGone(t *testing.T) {
	for _, direction := range []string{"up", "down", "across"} {
		t.Run(direction, func(t *testing.T) {
			s := newSides(t, direction)
			s.add(false, "a", "b", "c")
			refuse := &refusals{}
			s.wire.between(refuse.hook)
			refuse.set(map[string]string{"b": "403 AccessDenied", "c": "409 FileImmutable"})
			first, err := s.sync(partOptions["sync"])
			if !errors.Is(err, transfer.ErrIncomplete) {
				t.Fatalf("%+v, %v", first, err)
			}
			remove := func(name string) {
				if s.from != "" {
					err = os.Remove(filepath.Join(s.from, name))
				} else {
					_, err = s.bucket.DeleteObject(t.Context(), "from/"+name, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			remove("b")
			report, err := s.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"403"}})
			if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Skipped != 1 || report.Left == nil || report.Left.Failed != 1 {
				t.Fatalf("%+v, %+v, %v", report, report.Left, err)
			}
			remove("c")
			report, err = s.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"409"}})
			if err != nil || report.Objects.Skipped != 1 || report.State != transfer.StateDone {
				t.Fatalf("%+v, %v", report, err)
			}
		})
	}
}

// What a listing does not show and the source has is still missing.
func TestPartOfWhatIsNotListed(t *testing.T) {
	s := newSides(t, "down")
	s.add(false, "a", "b")
	refuse := &refusals{}
	s.wire.between(refuse.hook)
	refuse.set(map[string]string{"b": "403 AccessDenied"})
	first, err := s.sync(partOptions["sync"])
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatalf("%+v, %v", first, err)
	}
	s.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.URL.Query().Get("list-type") == "2" {
			return &http.Response{StatusCode: 200, Header: http.Header{"X-Oss-Request-Id": {"ID"}}, Request: r, Body: io.NopCloser(strings.NewReader("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"))}, nil
		}
		return send()
	})
	report, err := s.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"403"}})
	if !errors.Is(err, transfer.ErrIncomplete) || report.Left == nil || report.Left.Failed != 1 || s.detail(first.JobID).Failed != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A source that a move could not remove stays a failure until it could.
func TestPartOfMove(t *testing.T) {
	m := newMoving(t, "down")
	m.plant("a", []byte("one"))
	m.plant("b", []byte("two"))
	var mu sync.Mutex
	keep := "b"
	m.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		kept := keep != "" && r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/"+keep)
		mu.Unlock()
		if kept {
			return &http.Response{
				StatusCode: 403, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)),
			}, nil
		}
		return send()
	})
	first, err := m.all(t.Context(), m.engine())
	if !errors.Is(err, transfer.ErrIncomplete) || first.Objects.Failed != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	p := transfer.Part{Codes: []string{"AccessDenied"}}
	if report, err := m.part(t.Context(), first.JobID, p); !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Failed != 1 || report.Left != nil {
		t.Fatalf("%+v, %v", report, err)
	}
	if d := m.detail(first.JobID); d.Failed != 1 || d.Failures[0].Operation != "remove" {
		t.Fatalf("%+v", d)
	}
	mu.Lock()
	keep = ""
	mu.Unlock()
	report, err := m.part(t.Context(), first.JobID, p)
	if err != nil || report.Objects.Removed != 1 || len(m.left()) > 0 {
		t.Errorf("%+v, %v, left %v", report, err, m.left())
	}
}

// The job of one object is its own part, or nothing is.
func TestPartOfOne(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "some.raw")
	write(t, src, noise(3, 5*partSize))
	refuse := &refusals{}
	w.wire.between(refuse.hook)
	refuse.set(map[string]string{"k": "403 AccessDenied"})
	first, err := w.engine().Upload(t.Context(), src, w.at("to/k"), nil)
	if !errors.Is(err, oss.ErrAccessDenied) {
		t.Fatal(err)
	}
	if d := w.detail(first.JobID); d.State != transfer.StateIncomplete || d.Failed != 1 {
		t.Fatalf("%+v", d)
	}
	refuse.set(nil)
	for _, p := range []transfer.Part{
		{Codes: []string{"500"}}, {States: []transfer.ItemState{transfer.ItemInFlight, transfer.ItemPending}}, {Include: include(t, "*.txt")},
	} {
		report, err := w.part(t.Context(), first.JobID, p)
		if !errors.Is(err, transfer.ErrNoMatch) || report.Objects.Failed != 1 || report.Left.Failed != 1 || len(report.Failures) != 1 || report.JobID != first.JobID {
			t.Errorf("%+v: %+v, %v", p, report, err)
		}
	}
	if got := refuse.seen(); len(got) > 0 || w.detail(first.JobID).Failed != 1 {
		t.Errorf("asked for %q", got)
	}
	report, err := w.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"403"}, Include: include(t, "*.raw")})
	if err != nil || report.State != transfer.StateDone || len(w.get("to/k")) != 5*partSize {
		t.Errorf("%+v, %v", report, err)
	}
}

// A clock that was set back in between loses no failure.
func TestPartByWrongClock(t *testing.T) {
	s := newSides(t, "up")
	s.add(false, "a", "b")
	refuse := &refusals{}
	s.wire.between(refuse.hook)
	refuse.set(map[string]string{"a": "403 AccessDenied", "b": "403 AccessDenied"})
	first, err := s.sync(partOptions["sync"])
	if !errors.Is(err, transfer.ErrIncomplete) {
		t.Fatalf("%+v, %v", first, err)
	}
	var header checkpoint.Job
	for job := range checkpoint.Jobs(s.state) {
		header = job
	}
	c, err := checkpoint.Open(s.state, header, nil)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range c.Failures() {
		f.At = time.Now().Add(time.Hour)
		if err := errors.Join(err, c.Fail(f)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	refuse.set(map[string]string{"a": "403 AccessDenied"})
	report, err := s.part(t.Context(), first.JobID, transfer.Part{Codes: []string{"403"}})
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Done != 1 || report.Objects.Failed != 1 || report.Left != nil {
		t.Errorf("%+v, %+v, %v", report, report.Left, err)
	}
	if d := s.detail(first.JobID); d.Failed != 1 || d.Failures[0].Key != "to/a" {
		t.Errorf("%+v", d)
	}
}
