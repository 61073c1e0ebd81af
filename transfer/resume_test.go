package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// A job that was broken off goes on by its id, as it was begun.
func TestResume(t *testing.T) {
	w := newWorld(t)
	data := noise(50, 10*partSize)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src", "large"), filepath.Join(dir, "dst")
	write(t, src, data)
	w.put("from/large", data)
	headers := oss.ObjectHeaders{CacheControl: "no-cache", Meta: map[string]string{"a": "b"}}
	for _, test := range []struct {
		name string
		stop func(*http.Request) bool
		run  func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error)
		got  func() []byte
	}{
		{"upload", isPart, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Upload(ctx, src, w.at("up"), &transfer.UploadOptions{Headers: headers})
		}, func() []byte { return w.get("up") }},
		{"download", isRange, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Download(ctx, w.at("from/large"), dst, nil)
		}, func() []byte { return []byte(tree(t, dir)["dst"]) }},
		{"copy", isPart, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Copy(ctx, w.at("from/large"), w.at("copied"), &transfer.CopyOptions{Relay: true, Headers: headers})
		}, func() []byte { return w.get("copied") }},
		{"sync", isPart, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Sync(ctx, transfer.Local(filepath.Join(dir, "src")), w.at("synced"), &transfer.SyncOptions{Headers: headers, Compare: transfer.CompareSize})
		}, func() []byte { return w.get("synced/large") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			stopAfter(w, 4, cancel, test.stop)
			report, err := test.run(ctx, w.engine(oneByOne))
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			w.wire.between(nil)
			asked := 0
			again, err := w.engine().Resume(t.Context(), report.JobID, &transfer.ResumeOptions{
				Bucket: func(endpoint, name string) (*oss.Bucket, error) {
					asked++
					if endpoint != w.bucket.Client().Endpoint() {
						t.Errorf("endpoint %s", endpoint)
					}
					return w.bucket.Client().Bucket(name), nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if again.JobID != report.JobID || !again.Resumed || again.Bytes.Resumed == 0 || asked == 0 {
				t.Errorf("%+v", again)
			}
			if !bytes.Equal(test.got(), data) {
				t.Error("what arrived differs")
			}
		})
	}
	for _, key := range []string{"up", "copied", "synced/large"} {
		meta, err := w.bucket.HeadObject(t.Context(), key, nil)
		if err != nil || meta.Header.Get("Cache-Control") != "no-cache" || meta.Meta["a"] != "b" {
			t.Errorf("%s: %v, %v", key, meta, err)
		}
	}
	_, err := w.engine().Resume(t.Context(), "0123456789abcdef", &transfer.ResumeOptions{Bucket: func(string, string) (*oss.Bucket, error) { return w.bucket, nil }})
	if !errors.Is(err, transfer.ErrNoJob) {
		t.Errorf("a job that is not there: %v", err)
	}
}

// Without a disk a job goes on after an error, with a checkpoint in memory.
func TestJournalInMemory(t *testing.T) {
	w := newWorld(t)
	data := noise(51, 10*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	var memory checkpoint.Memory
	inMemory := func(o *transfer.Options) {
		o.StateDir = ""
		o.OpenJournal = func(job checkpoint.Job) (transfer.Journal, error) { return memory.Open(job) }
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 4, cancel, isPart)
	if _, err := w.engine(oneByOne, inMemory).Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	for job := range memory.Jobs() {
		c, err := memory.Open(job)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.engine(inMemory).Upload(t.Context(), src, w.at("k"), nil)
		if !errors.Is(err, transfer.ErrJobHeld) {
			t.Errorf("a job that is open: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	report, err := w.engine(inMemory).Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || report.Bytes.Resumed != 4*partSize || !bytes.Equal(w.get("k"), data) {
		t.Errorf("%v, %+v", err, report)
	}
	for job := range memory.Jobs() {
		t.Errorf("job %s is left", job.ID)
	}
}

// A copy that goes on takes nothing for done that was touched since, even if
// size and time are as they were.
func TestResumedCopySeesWhatWasTouched(t *testing.T) {
	for _, direction := range []string{"up", "down"} {
		t.Run(direction, func(t *testing.T) {
			m := newMoving(t, direction)
			m.plant("a", []byte("one"))
			m.plant("b", noise(1, 4*partSize))
			arrived := make(chan struct{})
			settled := sync.OnceFunc(func() { close(arrived) })
			copies := func(o *transfer.SyncOptions) {
				o.RemoveSource = false
				o.OnObject = func(e transfer.ObjectEvent) {
					if strings.HasSuffix(e.Key, "a") {
						settled()
					}
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			var parts atomic.Int64
			m.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if (isPart(r) || isRange(r)) && parts.Add(1) > 2 {
					<-arrived
					cancel()
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return send()
			})
			if _, err := m.all(ctx, m.engine(oneByOne), copies); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			m.wire.between(nil)
			if m.arrived()["a"] != "one" {
				t.Fatal("the small one has not arrived")
			}
			name := filepath.Join(m.here, "a")
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			write(t, name, []byte("two"))
			if err := os.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
			report, err := m.all(t.Context(), m.engine(), copies)
			if err != nil || !report.Resumed {
				t.Fatalf("%v, %+v", err, report)
			}
			if want := map[string]string{"up": "two", "down": "one"}[direction]; m.arrived()["a"] != want {
				t.Errorf("arrived %q, want %q", m.arrived()["a"], want)
			}
		})
	}
}
