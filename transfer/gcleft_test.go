package transfer_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// leaveTemps has run, a download below dst, end as if its process had been
// killed with all its temporary files under way, and returns their paths: it
// learns them from a run that goes through.
func (w *world) leaveTemps(dst string, run func(context.Context, *transfer.Engine) error) (left []string) {
	w.t.Helper()
	var mu sync.Mutex
	err := run(w.t.Context(), w.engine(func(o *transfer.Options) {
		o.Watch = func(s transfer.Step) {
			mu.Lock()
			defer mu.Unlock()
			if s.Op == "file create" && !s.Done {
				left = append(left, s.Name)
			}
		}
	}))
	if err != nil || len(left) == 0 {
		w.t.Fatal(left, err)
	}
	if err := os.RemoveAll(dst); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	stopAfter(w, 0, cancel, func(r *http.Request) bool {
		return r.Method == http.MethodGet && r.URL.RawQuery == "" && len(r.URL.Path) > 1
	})
	defer w.wire.between(nil)
	if err := run(ctx, w.engine()); !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
	for _, path := range left {
		write(w.t, path, []byte("half"))
	}
	slices.Sort(left)
	return left
}

func (w *world) reach(_, name string) (*oss.Bucket, error) {
	return w.bucket.Client().Bucket(name), nil
}

// The temporary files of small objects are in no record, and are removed all
// the same: by GC, with the job, and at the end of a run that goes on without
// their objects. Those of other jobs stay.
func TestTempsOfSmallObjects(t *testing.T) {
	for _, single := range []bool{false, true} {
		for _, how := range []string{"gc", "remove", "go on"} {
			t.Run(how+map[bool]string{true: " one", false: " tree"}[single], func(t *testing.T) {
				w := newWorld(t)
				w.put("d/a", []byte("a"))
				w.put("d/b/c d/e", []byte("e"))
				dst := filepath.Join(t.TempDir(), "dst")
				run := func(ctx context.Context, e *transfer.Engine) error {
					_, err := e.Sync(ctx, w.at("d"), transfer.Local(dst), nil)
					return err
				}
				if single {
					run = func(ctx context.Context, e *transfer.Engine) error {
						_, err := e.Download(ctx, w.at("d/a"), filepath.Join(dst, "a"), nil)
						return err
					}
				}
				left := w.leaveTemps(dst, run)
				other := filepath.Join(dst, filepath.Base(left[0]))
				other = strings.Replace(other, ".osssync-", ".osssync-0123456789abcdef", 1)
				other = other[:len(other)-len("0123456789abcdef.part")] + ".part"
				write(t, other, []byte("of another job"))
				var told []string
				opts := &transfer.GCOptions{OlderThan: -1, Bucket: w.reach, OnGarbage: func(g transfer.Garbage) {
					if g.Kind == "temporary file" && g.Err == nil {
						told = append(told, g.Name)
					}
				}}
				e := w.engine()
				switch how {
				case "gc":
					opts.DryRun = true
					if err := e.GC(t.Context(), opts); err != nil {
						t.Fatal(err)
					}
					if slices.Sort(told); !slices.Equal(told, left) {
						t.Errorf("a dry run tells of %q, there are %q", told, left)
					}
					told, opts.DryRun = nil, false
					if err := e.GC(t.Context(), opts); err != nil {
						t.Fatal(err)
					}
				case "remove":
					for job := range e.Jobs(t.Context()) {
						if err := e.Remove(t.Context(), job.ID, opts); err != nil {
							t.Fatal(err)
						}
					}
				case "go on":
					if !single {
						if _, err := w.bucket.DeleteObject(t.Context(), "d/a", nil); err != nil {
							t.Fatal(err)
						}
					}
					if err := run(t.Context(), e); err != nil {
						t.Fatal(err)
					}
					told = left
				}
				if slices.Sort(told); !slices.Equal(told, left) {
					t.Errorf("told of %q, there were %q", told, left)
				}
				if _, err := os.Stat(other); err != nil {
					t.Error(err)
				}
				for _, path := range left {
					if _, err := os.Lstat(path); err == nil {
						t.Errorf("%s is left", path)
					}
				}
			})
		}
	}
}

// A temporary file of a folder that is not there may be on a disk that is not
// mounted: GC says so and keeps the checkpoint. To remove the job gives it up.
func TestGCWithoutFolder(t *testing.T) {
	w := newWorld(t)
	w.put("d/b/large", noise(1, 10*partSize))
	dst := filepath.Join(t.TempDir(), "dst")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopAfter(w, 3, cancel, isRange)
	if _, err := w.engine(oneByOne).Sync(ctx, w.at("d"), transfer.Local(dst), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	temps, err := filepath.Glob(filepath.Join(dst, "b", ".osssync-*"))
	if err != nil || len(temps) != 1 {
		t.Fatal(temps, err)
	}
	var all []transfer.Garbage
	opts := &transfer.GCOptions{OlderThan: -1, Bucket: w.reach, OnGarbage: func(g transfer.Garbage) { all = append(all, g) }}
	e := w.engine()
	opts.DryRun = true
	if err := e.GC(t.Context(), opts); err != nil || len(all) != 2 || all[0].Name != temps[0] {
		t.Errorf("%v: %+v", err, all)
	}
	all, opts.DryRun = nil, false
	if err := os.Rename(dst, dst+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := e.GC(t.Context(), opts); err == nil || len(all) != 1 || all[0].Err == nil {
		t.Errorf("%v: %+v", err, all)
	}
	if err := os.Rename(dst+"-away", dst); err != nil {
		t.Fatal(err)
	}
	all = nil
	if err := e.GC(t.Context(), opts); err != nil || len(all) != 2 || all[0].Name != temps[0] {
		t.Errorf("%v: %+v", err, all)
	}
	if left := tree(t, dst); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// What a running job has begun, or is about to, is left alone by a GC of the
// bucket, whatever the clocks say.
func TestGCBesideAJob(t *testing.T) {
	for _, op := range []string{"initiate", "part"} {
		for _, ahead := range []time.Duration{0, -time.Hour, time.Hour} {
			w := newWorld(t)
			w.ahead.Store(int64(ahead))
			src := filepath.Join(t.TempDir(), "src")
			write(t, filepath.Join(src, "large"), noise(1, 3*partSize))
			up := w.at("up/")
			var collected atomic.Bool
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				answer, err := send()
				is := isPart(r)
				if op == "initiate" {
					is = r.Method == http.MethodPost && r.URL.Query().Has("uploads")
				}
				if err == nil && is && collected.CompareAndSwap(false, true) {
					if err := w.engine().GC(t.Context(), &transfer.GCOptions{OlderThan: -1, Uploads: &up, Bucket: w.reach}); err != nil {
						t.Error(err)
					}
				}
				return answer, err
			})
			if _, err := w.engine().Sync(t.Context(), transfer.Local(src), up, nil); err != nil {
				t.Errorf("%s, clock ahead by %v: %v", op, ahead, err)
			}
			if n := len(w.log.requests(t, "AbortMultipartUpload")); n > 0 || !collected.Load() {
				t.Errorf("%s, clock ahead by %v: %d aborts", op, ahead, n)
			}
		}
	}
}

// The age of an upload is by the service's clock, and a failure that passes is
// tried again.
func TestGCOfABucket(t *testing.T) {
	w := newWorld(t)
	w.ahead.Store(int64(-10 * time.Minute)) // not so far that requests are refused
	if _, err := w.bucket.InitMultipartUpload(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	all := w.at("")
	if err := w.engine().GC(t.Context(), &transfer.GCOptions{OlderThan: 5 * time.Minute, Uploads: &all}); err != nil || w.uploads() != 1 {
		t.Errorf("%v: %d uploads", err, w.uploads())
	}
	w.faults("503 on=ListMultipartUploads max=2\n503 on=AbortMultipartUpload nth=1")
	if err := w.engine().GC(t.Context(), &transfer.GCOptions{OlderThan: -1, Uploads: &all}); err != nil || w.uploads() != 0 {
		t.Errorf("%v: %d uploads", err, w.uploads())
	}
}
