package checkpoint_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

// Inspect sees what there is, also while the job runs, and says who runs it.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	if _, err := checkpoint.Inspect(dir, "1111111111111111"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no job: %v", err)
	}
	if _, err := checkpoint.Inspect(dir, "../x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no id: %v", err)
	}
	job := testJob
	job.ID = "1111111111111111"
	c := mustOpen(t, dir, job)
	must(t, c.PutObject(t.Context(), checkpoint.Object{Key: "a", State: checkpoint.StateActive, Source: checkpoint.Identity{Size: 100}, PartSize: 10}))
	for n := range 3 {
		must(t, c.AddPart("a", checkpoint.Part{Number: 1 + n*70, Size: 10}))
	}
	must(t, c.Settle(checkpoint.Settled{Key: "b", Source: checkpoint.Identity{Size: 7}}))
	must(t, c.Fail(checkpoint.Failure{Key: "c", Operation: "put", Cause: "why", Attempts: 2}))
	must(t, c.Flush(t.Context()))
	look := func() *checkpoint.Contents {
		t.Helper()
		got, err := checkpoint.Inspect(dir, job.ID)
		must(t, err)
		if got.Job.Source != job.Source || got.Job.Updated.IsZero() || got.Done != 1 || got.DoneBytes != 7 || got.InFlight != 1 || got.InFlightBytes != 100 ||
			got.PartBytes != 30 || got.Failed != 1 || got.Damaged != 0 || got.PartsOf["a"] != 30 ||
			got.Objects[0].Key != "a" || got.Failures[0].Cause != "why" {
			t.Errorf("%+v", got)
		}
		return got
	}
	look()
	if pid, held := checkpoint.Holder(dir, job.ID); !held || pid != os.Getpid() {
		t.Errorf("held by %d, %v", pid, held)
	}
	if _, held := errors.AsType[*checkpoint.HeldError](checkpoint.Check(dir, job.ID)); !held {
		t.Error("a job that is open is checked")
	}
	must(t, c.Close())
	look()
	must(t, checkpoint.Check(dir, job.ID))
	if pid, held := checkpoint.Holder(dir, job.ID); held {
		t.Errorf("closed, and held by %d", pid)
	}
	if _, held := checkpoint.Holder(dir, "2222222222222222"); held {
		t.Error("a job that is not there is held")
	}
	mustOpen(t, dir, job).Close() // the lock is whole after a look at it

	must(t, os.WriteFile(filepath.Join(dir, "3333333333333333.db"), bytes.Repeat([]byte{1}, 9999), 0o600))
	if _, err := checkpoint.Inspect(dir, "3333333333333333"); !checkpoint.Damaged(err) {
		t.Errorf("damaged: %v", err)
	}
	if err := checkpoint.Check(dir, "3333333333333333"); !checkpoint.Damaged(err) {
		t.Errorf("damaged: %v", err)
	}
	must(t, checkpoint.WriteSchema(filepath.Join(dir, job.ID+".db"), 9))
	_, err := checkpoint.Inspect(dir, job.ID)
	if _, newer := errors.AsType[*checkpoint.VersionError](err); !newer || checkpoint.Damaged(err) {
		t.Errorf("newer: %v", err)
	}
}
