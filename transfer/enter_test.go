package transfer_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// A folder that the filter leaves out is not listed in full, whatever lists it.
func TestExcludedFolderIsNotListed(t *testing.T) {
	w := newWorld(t)
	var g errgroup.Group
	g.SetLimit(4)
	put := func(key string) {
		g.Go(func() error {
			_, err := w.bucket.PutObject(t.Context(), key, strings.NewReader(""), nil)
			return err
		})
	}
	for i := range 6000 {
		put(fmt.Sprintf("d/cache/%05d", i))
	}
	for i := range 10 {
		put(fmt.Sprintf("d/a/%02d", i))
		put(fmt.Sprintf("d/z/%02d", i))
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	set := choose(t, "- /cache/")
	enter := func(folder string) bool { return set.Dir(strings.TrimPrefix(folder, "d/")) }
	e, dir := w.engine(), t.TempDir()
	tests := []struct {
		name string
		do   func() (int64, error)
		most int
		want int64
	}{
		{"sync", func() (int64, error) {
			r, err := e.Sync(t.Context(), w.at("d"), transfer.Local(dir), &transfer.SyncOptions{Filter: set})
			return r.Objects.Done, err
		}, 3, 20},
		{"sync --delete", func() (int64, error) {
			r, err := e.Sync(t.Context(), transfer.Local(dir), w.at("d"), &transfer.SyncOptions{Filter: set, Delete: true})
			return r.Objects.Skipped, err
		}, 3, 20},
		{"check", func() (int64, error) {
			r, err := e.Check(t.Context(), transfer.Local(dir), w.at("d"), &transfer.CheckOptions{Filter: set})
			return r.Check.Same, err
		}, 3, 20},
		{"let in again", func() (int64, error) {
			o := &transfer.SyncOptions{Filter: choose(t, "+ /cache/0599?", "- /cache/"), DryRun: true}
			r, err := e.Sync(t.Context(), w.at("d"), transfer.Local(t.TempDir()), o)
			return r.Plan.Downloads, err
		}, 20, 30},
		{"list", func() (n int64, err error) {
			for o, err := range e.ObjectsIn(t.Context(), w.bucket, &oss.ListObjectsV2Options{Prefix: "d/"}, enter) {
				if err != nil {
					return n, err
				}
				if !strings.HasPrefix(o.Key, "d/cache/") {
					n++
				}
			}
			return n, nil
		}, 3, 20},
		{"delete", func() (int64, error) {
			match := func(o oss.ObjectSummary) bool { return set.MatchName(strings.TrimPrefix(o.Key, "d/")).In }
			r, err := e.Delete(t.Context(), w.at("d/"), &transfer.DeleteOptions{Recursive: true, Match: match, Enter: enter})
			return r.Objects.Done, err
		}, 3, 20},
	}
	for _, tt := range tests {
		w.log.forget()
		n, err := tt.do()
		if err != nil || n != tt.want {
			t.Errorf("%s: %d of %d, %v", tt.name, n, tt.want, err)
		}
		if pages := len(w.log.requests(t, "ListObjectsV2")); pages > tt.most {
			t.Errorf("%s: %d pages, for one of each side and one of what is left out", tt.name, pages)
		}
	}
	left := 0
	for _, err := range w.bucket.Objects(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		left++
	}
	if left != 6000 {
		t.Errorf("%d left", left)
	}
}
