package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func isAppend(r *http.Request) bool { return r.URL.Query().Has("append") }

// growing is a world with an object that was made by an append, and a file to
// be added to it in three pieces.
func growing(t *testing.T) (w *world, path string, want []byte) {
	w = newWorld(t)
	held, more := noise(1, 1000), noise(2, 2*partSize+77)
	if _, err := w.bucket.AppendObject(t.Context(), "k", 0, bytes.NewReader(held), nil); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "more")
	write(t, path, more)
	return w, path, append(held, more...)
}

func TestAppend(t *testing.T) {
	w, path, want := growing(t)
	report, err := w.engine().Append(t.Context(), path, w.at("k"), nil)
	if err != nil || report.Bytes.Done != int64(len(want)-1000) || report.Objects.Done != 1 || !bytes.Equal(w.get("k"), want) {
		t.Fatalf("%+v, %v", report, err)
	}
	// Done is done: the same call adds the same bytes once more.
	if _, err := w.engine().Append(t.Context(), path, w.at("k"), nil); err != nil || !bytes.Equal(w.get("k"), append(want, want[1000:]...)) {
		t.Fatal(err)
	}
	// An object that is not there is made, with its headers; even of nothing.
	o := &transfer.AppendOptions{Headers: oss.ObjectHeaders{Meta: map[string]string{"a": "b"}}}
	if _, err := w.engine().Append(t.Context(), path, w.at("new"), o); err != nil || !bytes.Equal(w.get("new"), want[1000:]) {
		t.Fatal(err)
	}
	if _, err := w.engine().AppendStream(t.Context(), http.NoBody, w.at("none"), o); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"new", "none"} {
		if meta, err := w.bucket.HeadObject(t.Context(), key, nil); err != nil || meta.Type != "Appendable" || meta.Meta["a"] != "b" {
			t.Errorf("%s: %+v, %v", key, meta, err)
		}
	}
	report, err = w.engine().AppendStream(t.Context(), io.MultiReader(bytes.NewReader(want), bytes.NewReader(want)), w.at("none"), nil)
	if err != nil || report.Bytes.Done != int64(2*len(want)) || !bytes.Equal(w.get("none"), append(want[:len(want):len(want)], want...)) {
		t.Errorf("%+v, %v", report, err)
	}
	// What was not made by an append cannot grow.
	w.put("normal", []byte("x"))
	if _, err := w.engine().Append(t.Context(), path, w.at("normal"), nil); !errors.Is(err, oss.ErrObjectNotAppendable) || string(w.get("normal")) != "x" {
		t.Error(err)
	}
}

// TestAppendShown: of an append that was stopped, and goes on, the StateDir knows
// how long the file is and what of it is in the object.
func TestAppendShown(t *testing.T) {
	w, path, want := growing(t)
	stop := func(append int64) string {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var appends atomic.Int64
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if isAppend(r) && appends.Add(1) == append {
				cancel()
				return nil, context.Canceled
			}
			return send()
		})
		defer w.wire.between(nil)
		report, err := w.engine().Append(ctx, path, w.at("k"), nil)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return report.JobID
	}
	shown := func(id string, arrived int64) {
		t.Helper()
		d, err := w.engine().Job(id)
		if err != nil || len(d.Objects) != 1 || d.InFlight != 1 || d.BytesInFlight != 2*partSize+77 || d.BytesArrived != arrived ||
			d.Objects[0].Arrived != arrived || d.Objects[0].Size != 2*partSize+77 {
			t.Errorf("%+v, %v", d, err)
		}
	}
	shown(stop(1), 0)
	shown(stop(2), partSize)
	shown(stop(1), partSize)
	// A record of an earlier release, which knew of no file.
	id := stop(2)
	shown(id, 2*partSize)
	shown(stop(1), 2*partSize)
	header, err := checkpoint.Inspect(w.state, id)
	if err != nil {
		t.Fatal(err)
	}
	books, err := checkpoint.Open(w.state, header.Job, nil)
	if err != nil {
		t.Fatal(err)
	}
	rec, found, err := books.Object("k")
	if err != nil || !found {
		t.Fatal(err)
	}
	rec.Source, rec.Before = rec.Before, checkpoint.Identity{}
	if err := errors.Join(books.PutObject(t.Context(), rec), books.DropParts(t.Context(), "k"), books.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine().Append(t.Context(), path, w.at("k"), nil); err != nil || !bytes.Equal(w.get("k"), want) {
		t.Error(err)
	}
}

// TestAppendStopped: stopped at any step, or with any answer lost, the next run
// adds what is missing and nothing twice.
func TestAppendStopped(t *testing.T) {
	for n, reached := int64(1), true; reached; n++ {
		w, path, want := growing(t)
		ctx, cancel := context.WithCancel(t.Context())
		var steps atomic.Int64
		first, err := w.engine(func(o *transfer.Options) {
			o.Watch = func(transfer.Step) {
				if steps.Add(1) == n {
					cancel()
				}
			}
		}).Append(ctx, path, w.at("k"), nil)
		cancel()
		reached = steps.Load() >= n
		if err != nil {
			id := "?"
			if first != nil {
				id = first.JobID
			}
			report, err := w.engine().Resume(t.Context(), id, &transfer.ResumeOptions{
				Bucket: func(string, string) (*oss.Bucket, error) { return w.bucket, nil },
			})
			if errors.Is(err, transfer.ErrNoJob) { // it was stopped before it had begun
				report, err = w.engine().Append(t.Context(), path, w.at("k"), nil)
			}
			if err != nil || report.Objects.Done != 1 {
				t.Errorf("step %d: %+v, %v", n, report, err)
			}
		}
		if !bytes.Equal(w.get("k"), want) {
			t.Fatalf("step %d: %d bytes of %d; %v", n, len(w.get("k")), len(want), err)
		}
	}
	for n := range int64(3) {
		w, path, want := growing(t)
		var appends atomic.Int64
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if err == nil && isAppend(r) && appends.Add(1) == n+1 {
				resp.Body.Close()
				return nil, io.ErrUnexpectedEOF
			}
			return resp, err
		})
		if _, err := w.engine().Append(t.Context(), path, w.at("k"), nil); err != nil || !bytes.Equal(w.get("k"), want) {
			t.Errorf("answer %d lost: %v", n+1, err)
		}
		if appends.Load() != 3 {
			t.Errorf("answer %d lost: %d appends", n+1, appends.Load())
		}
	}
}

// TestAppendLate: a piece that arrives after it was asked for, and given up, is
// the piece.
func TestAppendLate(t *testing.T) {
	w, path, want := growing(t)
	var late atomic.Pointer[http.Request]
	var body []byte
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !isAppend(r) {
			return send()
		}
		if late.Load() == nil {
			body, _ = io.ReadAll(r.Body)
			late.Store(r.Clone(context.WithoutCancel(r.Context())))
			return nil, io.ErrUnexpectedEOF
		}
		if body != nil {
			first := late.Load()
			first.Body = io.NopCloser(bytes.NewReader(body))
			body = nil
			if resp, err := w.wire.next.RoundTrip(first); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("late append: %v, %v", resp, err)
			} else {
				resp.Body.Close()
			}
		}
		return send()
	})
	if _, err := w.engine().Append(t.Context(), path, w.at("k"), nil); err != nil || !bytes.Equal(w.get("k"), want) {
		t.Errorf("%d bytes of %d, %v", len(w.get("k")), len(want), err)
	}
}

// TestAppendDisturbed: where somebody else writes, or the file is another one,
// nothing more is added until the user says so.
func TestAppendDisturbed(t *testing.T) {
	for name, disturb := range map[string]func(w *world, path string){
		"appended": func(w *world, _ string) {
			meta, err := w.bucket.HeadObject(t.Context(), "k", nil)
			if err == nil {
				_, err = w.bucket.AppendObject(t.Context(), "k", meta.Size, bytes.NewReader([]byte("!")), nil)
			}
			if err != nil {
				t.Error(err)
			}
		},
		"replaced": func(w *world, _ string) { w.put("k", noise(9, len(w.get("k")))) },
		"file":     func(w *world, path string) { write(w.t, path, noise(8, 2*partSize+77)) },
		"shorter":  func(w *world, path string) { write(w.t, path, noise(2, 5)) },
	} {
		for _, running := range []bool{true, false} {
			if running && (name == "file" || name == "shorter") {
				continue // its pieces are what they were when they were read
			}
			t.Run(fmt.Sprint(name, running), func(t *testing.T) {
				w, path, _ := growing(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var appends atomic.Int64
				w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
					resp, err := send()
					if isAppend(r) && appends.Add(1) == 2 {
						w.wire.between(nil)
						disturb(w, path)
						if !running {
							cancel()
						}
					}
					return resp, err
				})
				_, err := w.engine().Append(ctx, path, w.at("k"), nil)
				if !running {
					if !errors.Is(err, context.Canceled) {
						t.Fatal(err)
					}
					_, err = w.engine().Append(t.Context(), path, w.at("k"), nil)
				}
				if name == "replaced" && running {
					if !errors.Is(err, oss.ErrObjectNotAppendable) {
						t.Error(err)
					}
					return
				}
				if !errors.Is(err, transfer.ErrChanged) {
					t.Error(err)
				}
				if name == "replaced" {
					return
				}
				held, more := w.get("k"), []byte(tree(t, filepath.Dir(path))["more"])
				_, err = w.engine().Append(t.Context(), path, w.at("k"), &transfer.AppendOptions{JobOptions: transfer.JobOptions{NoResume: true}})
				if err != nil || !bytes.Equal(w.get("k"), append(held, more...)) {
					t.Errorf("anew: %v", err)
				}
			})
		}
	}
}

func TestAppendTooMuch(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "large")
	write(t, path, nil)
	if err := os.Truncate(path, 5<<30+1); err != nil {
		t.Fatal(err)
	}
	_, err := w.engine().Append(t.Context(), path, w.at("k"), nil)
	if _, ok := errors.AsType[*transfer.UsageError](err); !ok || w.get("k") != nil {
		t.Error(err)
	}
}
