package checkpoint_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

func TestJobs(t *testing.T) {
	dir := t.TempDir()
	for range checkpoint.Jobs(filepath.Join(dir, "not there")) {
		t.Error("a job in a folder that is not there")
	}
	job := func(id, source string) checkpoint.Job {
		j := testJob
		j.ID, j.Source = id, source
		return j
	}
	must(t, mustOpen(t, dir, job("1111111111111111", "/idle")).Close())
	must(t, mustOpen(t, dir, job("3333333333333333", "/new")).Close())
	must(t, checkpoint.WriteSchema(filepath.Join(dir, "3333333333333333.db"), 9))
	must(t, os.WriteFile(filepath.Join(dir, "4444444444444444.db"), bytes.Repeat([]byte{1}, 99), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "notes.db"), nil, 0o600))

	// A busy job, with enough records for pages to move about.
	c := mustOpen(t, dir, job("2222222222222222", "/busy"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := errors.Join(c.Settle(testSettled(fmt.Sprint(n), n)), c.SetState(t.Context(), fmt.Sprint(n), "")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer wg.Wait()
	defer close(stop)
	for range 100 {
		var got []checkpoint.Job
		var errs []error
		for j, err := range checkpoint.Jobs(dir) {
			got, errs = append(got, j), append(errs, err)
		}
		if len(got) != 4 || got[0].Source != "/idle" || got[0].Options["storage-class"] != "IA" || got[1].Source != "/busy" {
			t.Fatalf("%+v", got)
		}
		if errs[0] != nil || errs[1] != nil || errs[3] == nil || got[3].ID != "4444444444444444" {
			t.Fatalf("%+v, %v", got, errs)
		}
		if _, ok := errors.AsType[*checkpoint.VersionError](errs[2]); !ok || got[2].ID != "3333333333333333" {
			t.Fatalf("%+v, %v", got[2], errs[2])
		}
	}
	for range checkpoint.Jobs(dir) {
		break
	}
}

// TestTidy: only locks that nobody has and that belong to no job are removed.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	running, err := checkpoint.Open(dir, checkpoint.Job{ID: checkpoint.JobID("upload", "a", "b", nil), Kind: "upload"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	held := filepath.Join(dir, running.Job().ID+".lock")
	for _, name := range []string{"0123456789abcdef.lock", "notes.lock", "0123456789abcdef.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := checkpoint.Tidy(dir); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		want := []string{"0123456789abcdef.txt", running.Job().ID + ".db", filepath.Base(held), "notes.lock"}
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("%q, want %q", names, want)
		}
	}
	// A lock that is held without a database is that of a job that begins or ends.
	if err := os.Remove(filepath.Join(dir, running.Job().ID+".db")); err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Tidy(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(held); err != nil {
		t.Error(err)
	}
	if err := running.Remove(); err != nil {
		t.Error(err)
	}
	if err := checkpoint.Tidy(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}
