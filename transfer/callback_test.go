package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// angry panics at whatever it is asked for.
type angry struct{}

func (angry) Read([]byte) (int, error)           { panic("no") }
func (angry) Write([]byte) (int, error)          { panic("no") }
func (angry) WriteAt([]byte, int64) (int, error) { panic("no") }

// What panics of the caller's ends the job with an error that names it, and gives
// the job back.
func TestCallersPanic(t *testing.T) {
	w := newWorld(t)
	w.put("k", noise(1, 10*partSize))
	dir := t.TempDir()
	for i := range 6 {
		write(t, filepath.Join(dir, "src", fmt.Sprint("f", i)), noise(i, 1000))
	}
	e := w.engine()
	start := transfer.JobOptions{OnStart: func(string, bool) { panic("no") }}
	object := transfer.JobOptions{OnObject: func(transfer.ObjectEvent) { panic("no") }}
	progress := transfer.JobOptions{OnProgress: func(transfer.Progress) { panic("no") }, ProgressEvery: time.Millisecond}
	tree := func(o transfer.JobOptions) (*transfer.Report, error) {
		return e.Sync(t.Context(), transfer.Local(filepath.Join(dir, "src")), w.at("p/"), &transfer.SyncOptions{JobOptions: o})
	}
	up := func(o transfer.JobOptions) (*transfer.Report, error) {
		return e.Upload(t.Context(), filepath.Join(dir, "src", "f0"), w.at("x"), &transfer.UploadOptions{JobOptions: o})
	}
	for _, c := range []struct {
		name, callback string
		run            func() (*transfer.Report, error)
	}{
		{"start of a tree", "OnStart", func() (*transfer.Report, error) { return tree(start) }},
		{"object of a tree", "OnObject", func() (*transfer.Report, error) { return tree(object) }},
		{"progress of a tree", "OnProgress", func() (*transfer.Report, error) { return tree(progress) }},
		{"start", "OnStart", func() (*transfer.Report, error) { return up(start) }},
		{"object", "OnObject", func() (*transfer.Report, error) { return up(object) }},
		{"progress", "OnProgress", func() (*transfer.Report, error) { return up(progress) }},
		{"reader", "Read", func() (*transfer.Report, error) { return e.UploadStream(t.Context(), angry{}, w.at("s"), nil) }},
		{"later read", "Read", func() (*transfer.Report, error) {
			first := io.LimitReader(zeros{}, 2*partSize)
			return e.UploadStream(t.Context(), io.MultiReader(first, angry{}), w.at("s"), nil)
		}},
		{"writer", "Write", func() (*transfer.Report, error) { return e.DownloadTo(t.Context(), w.at("k"), angry{}, nil) }},
		{"writer at", "WriteAt", func() (*transfer.Report, error) { return e.DownloadAt(t.Context(), w.at("k"), angry{}, nil) }},
	} {
		report, err := c.run()
		if broken, ok := errors.AsType[*transfer.CallbackError](err); !ok || broken.Name != c.callback {
			t.Errorf("%s: %v", c.name, err)
		}
		if report == nil || report.State == transfer.StateDone || report.Error == "" {
			t.Errorf("%s: %+v", c.name, report)
		}
	}
	if w.uploads() > 0 {
		t.Error("uploads are left")
	}
	for _, run := range []func(transfer.JobOptions) (*transfer.Report, error){tree, up} {
		if report, err := run(transfer.JobOptions{}); err != nil || report.State != transfer.StateDone {
			t.Error(err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A job whose context has ended before it begins has a report, and one cause.
func TestCancelledBefore(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := w.engine().Upload(ctx, src, w.at("k"), nil)
	if err == nil || err.Error() != context.Canceled.Error() || report == nil || report.State != transfer.StateInterrupted {
		t.Errorf("%v: %+v", err, report)
	}
}

// An object that is removed or overwritten while it is streamed has changed.
func TestStreamOfAChangedObject(t *testing.T) {
	for _, how := range []string{"removed", "overwritten"} {
		for _, at := range []bool{false, true} {
			w := newWorld(t)
			w.put("k", noise(1, 10*partSize))
			w.faults("reset=body on=GetObject nth=1")
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				answer, err := send()
				if r.Method == http.MethodGet && err == nil {
					w.wire.between(nil)
					if w.put("k", noise(2, 10*partSize)); how == "removed" {
						_, err = w.bucket.DeleteObject(t.Context(), "k", nil)
					}
				}
				return answer, err
			})
			var report *transfer.Report
			var err error
			if at {
				f, failed := os.Create(filepath.Join(t.TempDir(), "f"))
				if failed != nil {
					t.Fatal(failed)
				}
				report, err = w.engine().DownloadAt(t.Context(), w.at("k"), f, nil)
				f.Close()
			} else {
				report, err = w.engine().DownloadTo(t.Context(), w.at("k"), io.Discard, nil)
			}
			if !errors.Is(err, transfer.ErrChanged) || report.Objects.Changed != 1 {
				t.Errorf("%s, at %v: %v", how, at, err)
			}
		}
	}
}

// A temporary file that has become something else is made anew.
func TestTempIsSomethingElse(t *testing.T) {
	for _, what := range []string{"linked", "a link"} {
		w := newWorld(t)
		data := noise(1, 10*partSize)
		w.put("k", data)
		dst := filepath.Join(t.TempDir(), "dst")
		ctx, cancel := context.WithCancel(t.Context())
		stopAfter(w, 5, cancel, isRange)
		if _, err := w.engine(oneByOne).Download(ctx, w.at("k"), dst, nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		w.wire.between(nil)
		temps, err := filepath.Glob(filepath.Join(filepath.Dir(dst), ".osssync-*"))
		if err != nil || len(temps) != 1 {
			t.Fatal(temps, err)
		}
		other := filepath.Join(t.TempDir(), "other")
		if err = os.Link(temps[0], other); err == nil && what == "a link" {
			if err = os.Remove(temps[0]); err == nil {
				err = os.Symlink(other, temps[0])
			}
		}
		if err != nil {
			t.Skip(err)
		}
		before := tree(t, filepath.Dir(other))
		if _, err := w.engine().Download(t.Context(), w.at("k"), dst, nil); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got, err := os.ReadFile(dst); err != nil || string(got) != string(data) {
			t.Errorf("%s: wrong file: %v", what, err)
		}
		if after := tree(t, filepath.Dir(other)); after["other"] != before["other"] {
			t.Errorf("%s: the other name's bytes were changed", what)
		}
	}
}

// A job whose source is not there has begun nothing, and leaves nothing to go on
// with.
func TestMistypedSource(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	e := w.engine()
	for name, run := range map[string]func() (*transfer.Report, error){
		"download": func() (*transfer.Report, error) {
			return e.Download(t.Context(), w.at("no"), filepath.Join(dir, "f"), nil)
		},
		"move": func() (*transfer.Report, error) {
			return e.Download(t.Context(), w.at("no"), filepath.Join(dir, "f"), &transfer.DownloadOptions{RemoveSource: true})
		},
		"copy": func() (*transfer.Report, error) { return e.Copy(t.Context(), w.at("no"), w.at("to"), nil) },
		"upload": func() (*transfer.Report, error) {
			return e.Upload(t.Context(), filepath.Join(dir, "no"), w.at("to"), nil)
		},
		"tree": func() (*transfer.Report, error) {
			return e.Sync(t.Context(), w.at("no/"), transfer.Local(filepath.Join(dir, "t")), &transfer.SyncOptions{Compare: transfer.CompareNone})
		},
	} {
		report, err := run()
		if err == nil || report != nil && report.Resumable {
			t.Errorf("%s: %v", name, err)
		}
		for job := range e.Jobs(t.Context()) {
			t.Errorf("%s: job %s is left", name, job.State)
		}
	}
}
