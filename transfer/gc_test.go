package transfer_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// What interrupted jobs left is found and removed, and nothing else.
func TestGC(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src", "large"), noise(60, 10*partSize))
	w.put("from/d/large", noise(61, 10*partSize))
	interrupt := func(run func(context.Context, *transfer.Engine) error, parts int64) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		match := isPart
		if parts > 5 {
			match = isRange
		}
		stopAfter(w, parts, cancel, match)
		defer w.wire.between(nil)
		if err := run(ctx, w.engine(oneByOne)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	interrupt(func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Sync(ctx, transfer.Local(filepath.Join(dir, "src")), w.at("up"), nil)
		return err
	}, 3)
	interrupt(func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Upload(ctx, filepath.Join(dir, "src", "large"), w.at("one"), nil)
		return err
	}, 3)
	interrupt(func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Sync(ctx, w.at("from"), transfer.Local(filepath.Join(dir, "down")), nil)
		return err
	}, 6)
	interrupt(func(ctx context.Context, e *transfer.Engine) error {
		_, err := e.Download(ctx, w.at("from/d/large"), filepath.Join(dir, "one"), nil)
		return err
	}, 6)
	write(t, filepath.Join(dir, "small", "x"), []byte("x"))
	if _, err := w.engine().Sync(t.Context(), transfer.Local(filepath.Join(dir, "small")), w.at("small"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bucket.InitMultipartUpload(t.Context(), "up/foreign", nil); err != nil {
		t.Fatal(err)
	}
	jobs := func() (n int) {
		for range checkpoint.Jobs(w.state) {
			n++
		}
		return n
	}
	gc := func(o transfer.GCOptions) []string {
		t.Helper()
		var found []string
		o.OnGarbage = func(g transfer.Garbage) { found = append(found, g.Kind) }
		o.Bucket = func(_, name string) (*oss.Bucket, error) { return w.bucket.Client().Bucket(name), nil }
		if err := w.engine().GC(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		return found
	}
	leftovers := []string{"checkpoint", "checkpoint", "checkpoint", "checkpoint", "temporary file", "temporary file", "upload", "upload"}
	if found := gc(transfer.GCOptions{}); len(found) > 0 {
		t.Errorf("young jobs are garbage: %q", found)
	}
	if found := gc(transfer.GCOptions{OlderThan: -1, DryRun: true}); !slices.Equal(found, leftovers) || jobs() != 5 || w.uploads() != 3 {
		t.Errorf("dry run: %q, %d jobs, %d uploads", found, jobs(), w.uploads())
	}
	up := w.at("up/")
	if found := gc(transfer.GCOptions{Uploads: &up}); len(found) > 0 {
		t.Errorf("young uploads are garbage: %q", found)
	}
	if found := gc(transfer.GCOptions{OlderThan: -1}); !slices.Equal(found, leftovers) || jobs() != 1 || w.uploads() != 1 {
		t.Errorf("%q, %d jobs, %d uploads", found, jobs(), w.uploads())
	}
	if found := gc(transfer.GCOptions{OlderThan: -1, Uploads: &up}); !slices.Equal(found, []string{"upload"}) || w.uploads() != 0 {
		t.Errorf("of a bucket: %q, %d uploads", found, w.uploads())
	}
	if left := tree(t, dir); len(left) != 2 {
		t.Errorf("%d files", len(left))
	}
}
