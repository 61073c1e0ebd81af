package transfer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
)

// TestTenThousandParts: the most parts there can be, up and down, with faults
// on the way and a stop in the middle, after which only what was missing moves.
func TestTenThousandParts(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("moves 2 GB")
	}
	const parts = 10_000
	w := newWorld(t)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	file, err := os.Create(src)
	if err != nil {
		t.Fatal(err)
	}
	// Most of it is a hole; every hundredth part differs from its neighbours.
	for i := int64(0); i < parts; i += 100 {
		if _, err := file.WriteAt(noise(int(i), 100), i*partSize); err != nil {
			t.Fatal(err)
		}
	}
	size := int64(parts*partSize - 7)
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		t.Fatal(err)
	}
	faults, err := emulator.ParseFaults(strings.NewReader("503 prob=0.002 seed=1\nreset=body prob=0.001 seed=2\nlost prob=0.001 seed=3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct {
		op, request string
		run         func(context.Context, *transfer.Engine) (*transfer.Report, error)
	}{
		{"part", "UploadPart", func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Upload(ctx, src, w.at("k"), nil)
		}},
		{"range", "GetObject", func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
			return e.Download(ctx, w.at("k"), dst, nil)
		}},
	} {
		w.log.forget()
		ctx, cancel := context.WithCancel(t.Context())
		var done atomic.Int64
		e := w.engine(func(o *transfer.Options) {
			o.Attempts = 10
			o.Watch = func(s transfer.Step) {
				if s.Op == way.op && s.Done && done.Add(1) == parts/2 {
					cancel()
				}
			}
		})
		if _, err := way.run(ctx, e); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", way.op, err)
		}
		cancel()
		report, err := way.run(t.Context(), w.engine(func(o *transfer.Options) { o.Attempts = 10 }))
		if err != nil {
			t.Fatalf("%s: %v", way.op, err)
		}
		// Beside what was in flight at the stop, faults make some move twice.
		if n := len(w.log.requests(t, way.request)); n < parts || n > parts+100 {
			t.Errorf("%d times %s for %d parts", n, way.request, parts)
		}
		if report.Bytes.Done != size || report.Bytes.Resumed < size/2-100*partSize {
			t.Errorf("%s: %+v", way.op, report.Bytes)
		}
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d uploads left", n)
	}
	a, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dst)
	if err != nil || string(a) != string(b) {
		t.Errorf("the file that came back differs: %v", err)
	}
	for _, c := range w.server.FaultCounts() {
		if c.Fired == 0 {
			t.Errorf("%s never came true", c.Fault)
		}
	}
}
