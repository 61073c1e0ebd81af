package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// A job that stopped is listed with how far it came, goes on with the sizes it
// was begun with, and leaves nothing when it is given up.
func TestJobs(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(70, 10*partSize))
	bucket := func(_, name string) (*oss.Bucket, error) { return w.bucket.Client().Bucket(name), nil }
	jobs := func() (list []transfer.JobInfo) {
		t.Helper()
		for j, err := range w.engine().Jobs(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, j)
		}
		return list
	}
	if got := jobs(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	interrupt := func(during func(id string)) string {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		stopAfter(w, 4, cancel, isPart)
		defer w.wire.between(nil)
		report, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), &transfer.UploadOptions{
			JobOptions: transfer.JobOptions{OnStart: func(id string, _ bool) { during(id) }},
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return report.JobID
	}
	id := interrupt(func(id string) {
		j := jobs()
		if len(j) != 1 || j[0].State != transfer.StateRunning || j[0].PID != os.Getpid() {
			t.Errorf("%+v", j)
		}
		if err := w.engine().Remove(t.Context(), id, &transfer.GCOptions{Bucket: bucket}); !errors.Is(err, transfer.ErrJobHeld) {
			t.Errorf("a job that runs was removed: %v", err)
		}
	})
	got := jobs()
	if len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	j := got[0]
	if j.ID != id || j.Kind != "upload" || j.State != transfer.StateInterrupted || !j.Resumable || j.Source != src || j.Destination != w.at("k").String() ||
		j.InFlight != 1 || j.BytesInFlight != 10*partSize || j.BytesArrived != 4*partSize || j.Endpoint != w.bucket.Client().Endpoint() || j.Updated.IsZero() {
		t.Errorf("%+v", j)
	}
	other := func(o *transfer.Options) { o.PartSize, o.MultipartThreshold = 0, 0 }
	report, err := w.engine(other).Resume(t.Context(), id, &transfer.ResumeOptions{Bucket: bucket})
	if err != nil || report.JobID != id || report.Bytes.Resumed != 4*partSize {
		t.Errorf("%v, %+v", err, report)
	}
	if got := jobs(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}

	id = interrupt(func(string) {})
	if j := jobs(); len(j) != 1 || j[0].State != transfer.StateInterrupted || j[0].Reason != "" {
		t.Errorf("cancelled: %+v", j)
	}
	died(t, w.state)
	if j := jobs(); len(j) != 1 || j[0].State != transfer.StateInterrupted || j[0].Reason == "" {
		t.Errorf("died: %+v", j)
	}
	d, err := w.engine().Job(id)
	if err != nil || len(d.Objects) != 1 || d.Objects[0].Arrived != 4*partSize || d.Objects[0].PartSize != partSize || d.Objects[0].UploadID == "" {
		t.Errorf("%v, %+v", err, d)
	}
	if err := w.engine().Remove(t.Context(), id, nil); err == nil || w.uploads() != 1 {
		t.Errorf("removed without a way to its upload: %v", err)
	}
	var kinds []string
	err = w.engine().Remove(t.Context(), id, &transfer.GCOptions{Bucket: bucket, OnGarbage: func(g transfer.Garbage) { kinds = append(kinds, g.Kind) }})
	if err != nil || !slices.Equal(kinds, []string{"upload", "checkpoint"}) || w.uploads() != 0 || len(jobs()) != 0 {
		t.Errorf("%v, %q, %d uploads, %+v", err, kinds, w.uploads(), jobs())
	}
	for _, err := range []error{w.engine().Remove(t.Context(), id, nil), func() error { _, err := w.engine().Job(id); return err }()} {
		if !errors.Is(err, transfer.ErrNoJob) {
			t.Errorf("a job that is gone: %v", err)
		}
	}
}

// died has the only job of a state folder look as if its process had died.
func died(t *testing.T, state string) {
	t.Helper()
	for job, err := range checkpoint.Jobs(state) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := checkpoint.Open(state, job, nil)
		if err == nil {
			err = errors.Join(c.SetState(t.Context(), "running", ""), c.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A job says what stopped it until it goes on.
func TestJobReason(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	write(t, filepath.Join(src, "a"), noise(1, 10))
	bucket := func(string, string) (*oss.Bucket, error) { return w.bucket, nil }
	limit := errors.New("the limit is reached")
	ctx, cancel := context.WithCancelCause(t.Context())
	report, err := w.engine().Sync(ctx, transfer.Local(src), w.at("p/"), &transfer.SyncOptions{JobOptions: transfer.JobOptions{OnStart: func(string, bool) { cancel(limit) }}})
	if !errors.Is(err, limit) {
		t.Fatal(err)
	}
	reason := func() (transfer.State, string) {
		t.Helper()
		d, err := w.engine().Job(report.JobID)
		if err != nil {
			t.Fatal(err)
		}
		return d.State, d.Reason
	}
	if state, text := reason(); state != transfer.StateInterrupted || text != limit.Error() {
		t.Errorf("%s, %q", state, text)
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	bound := fmt.Errorf("it is 6 o'clock: %w", transfer.ErrParked)
	again, err := w.engine().Resume(ctx, report.JobID, &transfer.ResumeOptions{Bucket: bucket, JobOptions: transfer.JobOptions{OnStart: func(string, bool) { cancel(bound) }}})
	if state, text := reason(); !errors.Is(err, transfer.ErrParked) || again.State != transfer.StateParked || state != transfer.StateParked || text != bound.Error() {
		t.Errorf("%s, %q, %+v, %v", state, text, again, err)
	}
	gone := w.bucket.Client().Bucket("gone")
	_, err = w.engine().Resume(t.Context(), report.JobID, &transfer.ResumeOptions{Bucket: func(string, string) (*oss.Bucket, error) { return gone, nil }})
	if !errors.Is(err, oss.ErrNoSuchBucket) {
		t.Fatal(err)
	}
	var failed *transfer.JobInfo
	for j := range w.engine().Jobs(t.Context()) {
		if j.ID != report.JobID {
			failed = &j // of another bucket, and so another job
		}
	}
	if failed == nil || failed.State != transfer.StateFailed || !strings.Contains(failed.Reason, "NoSuchBucket") {
		t.Errorf("%+v", failed)
	}
	if _, err := w.engine().Resume(t.Context(), report.JobID, &transfer.ResumeOptions{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	if state, text := reason(); state != transfer.StateDone || text != "" {
		t.Errorf("%s, %q", state, text)
	}
}

// A dry run has nothing to go on with, whatever it has met.
func TestDryRunLeavesNoJob(t *testing.T) {
	w := newWorld(t)
	src := t.TempDir()
	write(t, filepath.Join(src, "a"), noise(1, 10))
	names := &filter.Names{}
	names.Add("a")
	names.Add("missing")
	o := transfer.SyncOptions{Filter: chooseWith(t, &filter.Builder{Names: names})}
	run := func(dry bool) *transfer.Report {
		t.Helper()
		o.DryRun = dry
		r, err := w.engine().Sync(t.Context(), transfer.Local(src), w.at("p/"), &o)
		if !errors.Is(err, transfer.ErrIncomplete) || r.Objects.Failed != 1 {
			t.Fatal(r, err)
		}
		return r
	}
	if r := run(true); r.Resumed || r.Resumable {
		t.Errorf("%+v", r)
	}
	for j, err := range w.engine().Jobs(t.Context()) {
		t.Errorf("%+v, %v", j, err)
	}
	// One that is there stays as it is.
	id := run(false).JobID
	before := w.detail(id)
	run(true)
	if after := w.detail(id); after.State != before.State || !after.Updated.Equal(before.Updated) || !slices.Equal(after.Failures, before.Failures) {
		t.Errorf("%+v, was %+v", after, before)
	}
}
