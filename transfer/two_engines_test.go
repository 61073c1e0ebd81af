package transfer_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/transfer"
)

// TestTwoStores: two runs of one download whose checkpoints no lock joins have
// the same temporary name. Neither gives the other's unfinished file its name.
func TestTwoStores(t *testing.T) {
	for _, size := range []int{partSize / 2, 6 * partSize} {
		w := newWorld(t)
		data := noise(1, size)
		w.put("k", data)
		dst := filepath.Join(t.TempDir(), "dst")
		run := func(ctx context.Context, watch func(transfer.Step)) error {
			var memory checkpoint.Memory
			_, err := w.engine(func(o *transfer.Options) {
				o.StateDir, o.Concurrency, o.Watch = "", 1, watch
				o.OpenJournal = func(job checkpoint.Job) (transfer.Journal, error) { return memory.Open(job) }
			}).Download(ctx, w.at("k"), dst, nil)
			return err
		}
		sealed := make(chan struct{})
		published := make(chan struct{})
		var first, second sync.Once
		done := make(chan error)
		go func() {
			done <- run(t.Context(), func(s transfer.Step) {
				if s.Op == "file sync" && s.Done { // it is complete, and waits to be renamed
					first.Do(func() { close(sealed) })
					<-published
				}
			})
		}()
		<-sealed
		var stopped atomic.Bool
		err := run(t.Context(), func(s transfer.Step) {
			// The other goes on when this one has made a file, with nothing in it.
			if s.Op == "file create" && s.Done {
				second.Do(func() {
					close(published)
					if err := <-done; err == nil {
						t.Errorf("%d bytes: the first run has published what it has not made", size)
					}
					if _, there := tree(t, filepath.Dir(dst))["dst"]; there {
						t.Errorf("%d bytes: there is a file", size)
					}
					stopped.Store(true)
				})
			}
		})
		if err != nil || !stopped.Load() || tree(t, filepath.Dir(dst))["dst"] != string(data) {
			t.Errorf("%d bytes: the second run: %v", size, err)
		}
	}
}
