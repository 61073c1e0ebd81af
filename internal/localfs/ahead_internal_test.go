package localfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowDisk is how long each question to a disk, or a server of files, takes here.
const slowDisk = time.Millisecond

// Where each question takes its time, a walk takes a fraction of the time of one
// that reads nothing ahead, in the same order and with bounded memory and handles. The
// figures in bench/results/localfs.txt are those that this prints with -v.
func TestWalkIsFaster(t *testing.T) {
	parallels := []int{1, 8}
	if testing.Verbose() {
		parallels = []int{1, 2, 4, 8, 16}
	}
	for _, tt := range []struct {
		name    string
		folders int
		deep    int
		files   int // in each folder
	}{
		{"one folder of 10000", 1, 1, 10_000},
		{"100 folders of 100", 100, 1, 100},
		{"1000 folders of 1", 1000, 1, 1},
		{"20 chains of 50 folders", 20, 50, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for i := range tt.folders {
				sub := filepath.Join(dir, fmt.Sprintf("%04d", i), strings.Repeat("d/", tt.deep-1))
				if err := os.MkdirAll(sub, 0o755); err != nil {
					t.Fatal(err)
				}
				for j := range max(tt.files, 1) {
					if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%05d", j)), nil, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, err := OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var alone time.Duration
			for _, parallel := range parallels {
				synctest.Test(t, func(t *testing.T) {
					var asked atomic.Int64
					w := &walker{root: r, slow: func() {
						asked.Add(1)
						time.Sleep(slowDisk)
					}}
					top, err := r.top.folder()
					if err != nil {
						t.Fatal(err)
					}
					begun := time.Now()
					a := newAhead(w, parallel, &openFolder{folder: top})
					defer a.stop()
					last, n := "", 0
					for found := a.next(); found != nil; found = a.next() {
						for _, f := range found {
							if f.err != nil || f.entry.Key <= last {
								t.Fatalf("%q after %q: %v", f.entry.Key, last, f.err)
							}
							last = f.entry.Key
							n++
						}
						a.mu.Lock()
						steps := len(a.steps)
						a.mu.Unlock()
						if steps > maxSteps+tt.deep+2 {
							t.Errorf("%d steps ahead", steps)
						}
					}
					if want := tt.folders * max(tt.files, 1); n != want {
						t.Errorf("%d files of %d", n, want)
					}
					took := time.Since(begun)
					if parallel == 1 {
						alone = took
					}
					faster := float64(alone) / float64(took)
					t.Logf("parallel=%d: %v, %.2f times as fast, %d questions", parallel, took, faster, asked.Load())
					if parallel == 8 && faster < 5 {
						t.Errorf("8 at once are %.2f times as fast", faster)
					}
				})
			}
		})
	}
}
