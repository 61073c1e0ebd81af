package checkpoint_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

var testJob = checkpoint.Job{
	Kind: "upload", Source: "/data/a b", Destination: "oss://bucket/p/",
	Options: map[string]string{"part-size": "8388608", "storage-class": "IA"},
	Created: time.Date(2026, 7, 1, 2, 3, 4, 5, time.UTC), State: "running",
}

func mustOpen(t testing.TB, dir string, job checkpoint.Job) *checkpoint.Checkpoint {
	t.Helper()
	c, err := checkpoint.Open(dir, job, nil)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testObject(key string, n int) checkpoint.Object {
	return checkpoint.Object{
		Key: key, State: checkpoint.StateActive, PartSize: 8 << 20, UploadID: fmt.Sprintf("upload-%d", n),
		TempName: ".osssync-0123456789abcdef.part", Nonce: "n", CRC64: uint64(n), Started: time.Unix(int64(n), 7).UTC(),
		Source: checkpoint.Identity{Size: int64(n) << 20, ModTime: 12345, ChangeTime: -1, Device: 66306, Inode: 1 << 40},
	}
}

func testPart(n int) checkpoint.Part {
	return checkpoint.Part{Number: n, Size: 8 << 20, CRC64: uint64(n) * 0x9E3779B97F4A7C15, ETag: fmt.Sprintf("%032X", n)}
}

func testSettled(key string, n int) checkpoint.Settled {
	return checkpoint.Settled{
		Key: key, At: time.Unix(1<<31, 3).UTC(),
		Source: checkpoint.Identity{Size: int64(n), ModTime: 1719800000123456789, ChangeTime: 1719800000123456789, Device: 2049, Inode: uint64(n)},
		Dest:   checkpoint.Identity{Size: int64(n), ETag: fmt.Sprintf("%032X", n), CRC64: uint64(n) << 32, HasCRC64: true},
	}
}

func testFailure(key string, n int) checkpoint.Failure {
	return checkpoint.Failure{
		Key: key, Operation: "put", Cause: "disk on fire", Status: 503, Code: "SlowDown", RequestID: "5C3D", Attempts: n,
		Retryable: true, At: time.Unix(9, 9).UTC(),
	}
}

func objects(t testing.TB, c *checkpoint.Checkpoint) []checkpoint.Object {
	t.Helper()
	var all []checkpoint.Object
	for o, err := range c.Objects() {
		must(t, err)
		all = append(all, o)
	}
	return all
}

func failures(t testing.TB, c *checkpoint.Checkpoint) []checkpoint.Failure {
	t.Helper()
	var all []checkpoint.Failure
	for f, err := range c.Failures() {
		must(t, err)
		all = append(all, f)
	}
	return all
}

// TestLife goes through what a job does, and finds all of it after reopening.
func TestLife(t *testing.T) {
	dir, ctx := filepath.Join(t.TempDir(), "state", "deep"), t.Context()
	c := mustOpen(t, dir, testJob)
	if c.Resumed() || c.SetAside() != "" || c.Job().ID != checkpoint.JobID(testJob.Kind, testJob.Source, testJob.Destination, testJob.Options) {
		t.Fatalf("new checkpoint: resumed %v, set aside %q, job %+v", c.Resumed(), c.SetAside(), c.Job())
	}
	for n, key := range []string{"b", "a", "a/b", "done", "given up"} {
		must(t, c.PutObject(ctx, testObject(key, n)))
		for _, number := range []int{65, 1, 64, 200, 2} {
			must(t, c.AddPart(key, testPart(number)))
		}
	}
	must(t, c.DropParts(ctx, "b"))
	must(t, c.DropParts(ctx, "a/b", 200, 1, 77))
	must(t, c.Fail(testFailure("done", 1)))
	must(t, c.Fail(testFailure("a", 2)))
	must(t, c.Settle(testSettled("done", 3)))
	must(t, c.Forget(ctx, "given up"))
	must(t, c.SetState(ctx, "paused", ""))

	check := func(t *testing.T, c *checkpoint.Checkpoint) {
		t.Helper()
		if want := []checkpoint.Object{testObject("a", 1), testObject("a/b", 2), testObject("b", 0)}; !slices.Equal(objects(t, c), want) {
			t.Errorf("objects %+v", objects(t, c))
		}
		for key, want := range map[string][]int{"a": {1, 2, 64, 65, 200}, "a/b": {2, 64, 65}, "b": nil, "done": nil, "given up": nil} {
			parts, err := c.Parts(key)
			must(t, err)
			var wanted []checkpoint.Part
			for _, n := range want {
				wanted = append(wanted, testPart(n))
			}
			if !slices.Equal(parts, wanted) {
				t.Errorf("parts of %q: %+v, want %v", key, parts, want)
			}
		}
		if f := failures(t, c); !slices.Equal(f, []checkpoint.Failure{testFailure("a", 2)}) {
			t.Errorf("failures %+v", f)
		}
		if s, ok, err := c.Settled("done"); err != nil || !ok || s != testSettled("done", 3) {
			t.Errorf("settled %+v, %v, %v", s, ok, err)
		}
		if _, ok, err := c.Settled("a"); err != nil || ok {
			t.Errorf("settled although in flight: %v, %v", ok, err)
		}
		if job := c.Job(); job.State != "paused" || !job.Created.Equal(testJob.Created) || job.Options["storage-class"] != "IA" {
			t.Errorf("job %+v", job)
		}
	}
	check(t, c)
	must(t, c.Close())
	again := testJob
	again.Created, again.State = time.Now(), "other"
	c = mustOpen(t, dir, again)
	if !c.Resumed() {
		t.Error("not resumed")
	}
	check(t, c)
	must(t, c.ClearFailures(ctx))
	must(t, c.ClearSettled(ctx))
	if _, ok, _ := c.Settled("done"); ok || len(failures(t, c)) > 0 {
		t.Error("cleared records are still there")
	}
	must(t, c.Remove())
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left after Remove: %v", left)
	}
	if err := c.Fail(testFailure("x", 1)); !errors.Is(err, checkpoint.ErrClosed) {
		t.Errorf("after Remove: %v", err)
	}
	must(t, c.Close())
}
