package transfer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// goOn resumes a job of the world.
func (w *world) goOn(id string, o transfer.JobOptions) (*transfer.Report, error) {
	return w.goOnUntil(w.t.Context(), id, o)
}

// goOnUntil is goOn with a context.
func (w *world) goOnUntil(ctx context.Context, id string, o transfer.JobOptions) (*transfer.Report, error) {
	return w.engine().Resume(ctx, id, &transfer.ResumeOptions{
		JobOptions: o,
		Bucket:     func(_, name string) (*oss.Bucket, error) { return w.bucket.Client().Bucket(name), nil },
	})
}

// cuts are what the checkpoint of a sync from below from/ to below to/ has: the
// name up to which all was done, and by side where the listings were divided.
func (w *world) cuts(id string) (cursor string, cuts map[string][]string) {
	w.t.Helper()
	for job, err := range checkpoint.Jobs(w.state) {
		if err != nil {
			w.t.Fatal(err)
		}
		type cut struct {
			S int
			R string
		}
		var spec struct {
			Cursor                      string
			SourceCuts, DestinationCuts []cut
		}
		if job.ID != id {
			continue
		}
		if err := json.Unmarshal([]byte(job.Spec), &spec); err != nil {
			w.t.Fatal(err)
		}
		cuts = map[string][]string{}
		for side, of := range map[string][]cut{"from/": spec.SourceCuts, "to/": spec.DestinationCuts} {
			name := ""
			for _, c := range of {
				name = name[:c.S] + c.R
				cuts[side] = append(cuts[side], name)
			}
		}
		return spec.Cursor, cuts
	}
	w.t.Fatalf("no job %s", id)
	return "", nil
}

// A sync that is gone on with lists what was not looked at, and no more, whichever
// way it goes.
func TestResumeListsFromCursor(t *testing.T) {
	const keys, stopAt = 12_000, 8_500
	w := newWorld(t)
	var seeding sync.WaitGroup
	for worker := range 8 {
		seeding.Go(func() {
			for i := worker; i < keys; i += 8 {
				for _, side := range []string{"from", "to"} {
					w.put(fmt.Sprintf("%s/%05d", side, i), []byte{'x'})
				}
			}
		})
	}
	seeding.Wait()
	w.log.forget()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	looked := 0
	report, err := w.engine().Sync(ctx, w.at("from"), w.at("to"), &transfer.SyncOptions{JobOptions: transfer.JobOptions{
		OnObject: func(transfer.ObjectEvent) {
			if looked++; looked == stopAt {
				cancel()
			}
		},
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v", report, err)
	}
	w.log.forget()
	var mu sync.Mutex
	begins := map[string]int{} // at which key, of those listings that are no continuation
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if q := r.URL.Query(); q.Get("list-type") == "2" && q.Get("continuation-token") == "" {
			mu.Lock()
			begins[q.Get("start-after")]++
			mu.Unlock()
		}
		return send()
	})
	cursor, cuts := w.cuts(report.JobID)
	for side, names := range cuts {
		cuts[side] = slices.DeleteFunc(names, func(name string) bool { return name <= cursor })
	}
	// One that is stopped at once leaves all as it was.
	stopped, stop := context.WithCancel(t.Context())
	if _, err := w.goOnUntil(stopped, report.JobID, transfer.JobOptions{OnStart: func(string, bool) { stop() }}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if at, kept := w.cuts(report.JobID); at != cursor || !maps.EqualFunc(kept, cuts, slices.Equal) {
		t.Errorf("at %q with cuts at %q, was at %q with %q", at, kept, cursor, cuts)
	}
	clear(begins)
	w.log.forget()
	again, err := w.goOn(report.JobID, transfer.JobOptions{})
	w.wire.between(nil)
	if err != nil || again.Objects.Total != keys-int64(looked) || again.Objects.Skipped != again.Objects.Total {
		t.Errorf("%+v, %v", again, err)
	}
	if len(again.Warnings) != 1 || !strings.Contains(again.Warnings[0], fmt.Sprintf("%05d", looked-1)) {
		t.Errorf("it does not say from where: %q", again.Warnings)
	}
	// Each range is gone on with where it stood.
	for side, names := range cuts {
		if begins[side+cursor] != 1 || len(names) == 0 {
			t.Errorf("%d listings begin at %s, which has the cuts %q", begins[side+cursor], side+cursor, names)
		}
		for _, name := range names {
			if n := begins[side+name]; n != 1 {
				t.Errorf("%d listings begin at %s", n, side+name)
			}
		}
	}
	// Four pages a side, and what guesses cost where a listing is that short.
	if n := len(w.log.requests(t, "ListObjectsV2")); n > 2*6 {
		t.Errorf("%d listings after %d of %d keys", n, looked, keys)
	}
	// It has succeeded: there is nothing to go on with.
	if done, err := w.goOn(report.JobID, transfer.JobOptions{}); err != nil || done.Objects.Total != keys {
		t.Errorf("a job that is done: %+v, %v", done, err)
	}
}

// The cursor stands below whatever was not done, and a sync that is not a resume
// begins at the beginning.
func TestCursorStandsBelowWhatIsMissing(t *testing.T) {
	for _, missing := range []string{"interrupted", "failed"} {
		for _, direction := range []string{"up", "down"} {
			t.Run(direction+" "+missing, func(t *testing.T) {
				w := newWorld(t)
				dir := t.TempDir()
				sources := filepath.Join(dir, "src")
				change := func(i int, text string) {
					if direction == "up" {
						write(t, filepath.Join(sources, fmt.Sprintf("%02d", i)), []byte(text))
					} else {
						w.put(fmt.Sprintf("from/%02d", i), []byte(text))
					}
				}
				got := func(i int) string {
					if direction == "up" {
						return string(w.get(fmt.Sprintf("to/%02d", i)))
					}
					return tree(t, filepath.Join(dir, "dst"))[fmt.Sprintf("%02d", i)]
				}
				run := func(ctx context.Context, o transfer.JobOptions) (*transfer.Report, error) {
					if direction == "up" {
						return w.engine().Sync(ctx, transfer.Local(sources), w.at("to"), &transfer.SyncOptions{JobOptions: o})
					}
					return w.engine().Sync(ctx, w.at("from"), transfer.Local(filepath.Join(dir, "dst")), &transfer.SyncOptions{JobOptions: o})
				}
				const files, stuck = 40, 10
				for i := range files {
					change(i, fmt.Sprint("old ", i))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				method := map[string]string{"up": http.MethodPut, "down": http.MethodGet}[direction]
				w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					if r.Method != method || !strings.HasSuffix(r.URL.Path, fmt.Sprintf("/%02d", stuck)) {
						return send()
					}
					if missing == "failed" {
						return nil, errors.New("no way")
					}
					<-r.Context().Done() // all others pass it by
					return nil, r.Context().Err()
				})
				done := 0
				report, err := run(ctx, transfer.JobOptions{OnObject: func(e transfer.ObjectEvent) {
					if e.Outcome == transfer.OutcomeDone {
						if done++; done == files-1 && missing == "interrupted" {
							cancel()
						}
					}
				}})
				if err == nil {
					t.Fatalf("%+v", report)
				}
				w.wire.between(nil)
				change(3, "new, but before the cursor")
				change(20, "new")
				again, err := w.goOn(report.JobID, transfer.JobOptions{})
				if err != nil || again.Objects.Total != files-stuck || again.Objects.Done != 2 {
					t.Errorf("%+v, %v", again, err)
				}
				if got(stuck) != fmt.Sprint("old ", stuck) || got(20) != "new" || got(3) != "old 3" {
					t.Errorf("%q, %q, %q", got(stuck), got(20), got(3))
				}
				if last, err := run(t.Context(), transfer.JobOptions{}); err != nil || last.Objects.Total != files || got(3) != "new, but before the cursor" {
					t.Errorf("%+v, %v, %q", last, err, got(3))
				}
			})
		}
	}
}

// Where all names are needed, all are looked at again.
func TestNoCursor(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.put(fmt.Sprintf("from/%02d", i), []byte("x"))
	}
	w.put("to/99", []byte("more"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := 0
	report, err := w.engine().Sync(ctx, w.at("from"), w.at("to"), &transfer.SyncOptions{Delete: true, JobOptions: transfer.JobOptions{
		OnObject: func(transfer.ObjectEvent) {
			if done++; done == 20 {
				cancel()
			}
		},
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v", report, err)
	}
	again, err := w.goOn(report.JobID, transfer.JobOptions{})
	if err != nil || again.Objects.Total < 30 || w.get("to/99") != nil || w.get("to/29") == nil {
		t.Errorf("%+v, %v", again, err)
	}
}
