package transfer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// What is at the destination already is proven by its content, not by size and
// time, and made durable where somebody else may have written it.
func TestMoveFindsCopies(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			m := newMoving(t, way)
			for _, name := range []string{"same", "other"} {
				m.plant(name, []byte(name))
				m.plantAt(name, []byte("same"))
			}
			m.plantAt("other", []byte("diffr"))
			var mu sync.Mutex
			var steps []string
			watch := func(o *transfer.Options) {
				o.Watch = func(s transfer.Step) {
					mu.Lock()
					defer mu.Unlock()
					if s.Done && (s.Name == filepath.Join(m.here, "same") || s.Op == "remove" && strings.HasSuffix(s.Name, "same")) {
						steps = append(steps, s.Op)
					}
				}
			}
			report, err := m.all(t.Context(), m.engine(watch), func(o *transfer.SyncOptions) { o.Compare = transfer.CompareSize })
			if err != nil {
				t.Fatal(err)
			}
			if n := report.Objects; n.Done != 1 || n.Skipped != 1 || n.Removed != 2 || n.Total != 2 {
				t.Errorf("%+v", report)
			}
			if got := m.arrived(); got["same"] != "same" || got["other"] != "other" {
				t.Errorf("arrived %v", got)
			}
			if want := "file sync remove"; way == "down" && strings.Join(steps, " ") != want {
				t.Errorf("steps %q, want %q", steps, want)
			}
		})
	}
}

// What the comparison leaves alone, and what is no file, stays.
func TestMoveLeavesAlone(t *testing.T) {
	for _, way := range ways {
		m := newMoving(t, way)
		m.plant("k", []byte("new"))
		m.plant("n", []byte("n"))
		m.plantAt("k", []byte("old"))
		report, err := m.all(t.Context(), m.engine(), func(o *transfer.SyncOptions) { o.Compare = transfer.CompareExisting })
		if err != nil || report.Objects.Removed != 1 || report.Objects.Skipped != 1 {
			t.Errorf("%s: %v, %+v", way, err, report)
		}
		if got := m.arrived(); got["k"] != "old" || got["n"] != "n" {
			t.Errorf("%s: arrived %v", way, got)
		}
		left := m.left()
		if len(left) != 1 || left["k"] != "new" {
			t.Errorf("%s: left %v", way, left)
		}
	}
}

func TestMoveDryRun(t *testing.T) {
	for _, way := range ways {
		m := newMoving(t, way)
		m.plant("k", []byte("k"))
		m.plant("same", []byte("s"))
		m.plantAt("same", []byte("s"))
		var planned []string
		_, err := m.all(t.Context(), m.engine(), func(o *transfer.SyncOptions) {
			o.DryRun, o.Compare = true, transfer.CompareSize
			o.OnObject = func(e transfer.ObjectEvent) {
				if e.Outcome == transfer.OutcomePlanned {
					planned = append(planned, e.Operation+" "+e.Key[strings.LastIndexAny(e.Key, `/\`)+1:])
				}
			}
		})
		operation := map[string]string{"up": "upload", "down": "download", "across": "copy", "relay": "copy"}[way]
		slices.Sort(planned)
		want := []string{operation + " k", "remove k", "remove same"}
		slices.Sort(want)
		if err != nil || !slices.Equal(planned, want) {
			t.Errorf("%s: %v, planned %q, want %q", way, err, planned, want)
		}
		left := m.left()
		if len(left) != 2 || len(m.arrived()) != 1 {
			t.Errorf("%s: left %v", way, left)
		}
	}
}

func TestMoveRefuses(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), nil)
	ctx := t.Context()
	sync := func(src, dst transfer.Location, o transfer.SyncOptions) (*transfer.Report, error) {
		o.RemoveSource = true
		return e.Sync(ctx, src, dst, &o)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "file"), link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	for name, call := range map[string]func() (*transfer.Report, error){
		"onto itself": func() (*transfer.Report, error) {
			return e.Copy(ctx, w.at("k"), w.at("k"), &transfer.CopyOptions{RemoveSource: true, Headers: oss.ObjectHeaders{ContentType: "a/b"}})
		},
		"a version": func() (*transfer.Report, error) {
			return e.Copy(ctx, w.at("k"), w.at("l"), &transfer.CopyOptions{RemoveSource: true, VersionID: "v"})
		},
		"a version down": func() (*transfer.Report, error) {
			return e.Download(ctx, w.at("k"), filepath.Join(dir, "k"), &transfer.DownloadOptions{RemoveSource: true, VersionID: "v"})
		},
		"a tree into itself":     func() (*transfer.Report, error) { return sync(w.at("a"), w.at("a/b"), transfer.SyncOptions{}) },
		"a tree over its source": func() (*transfer.Report, error) { return sync(w.at("a/b"), w.at("a"), transfer.SyncOptions{}) },
		"a mirror": func() (*transfer.Report, error) {
			return sync(transfer.Local(dir), w.at("a"), transfer.SyncOptions{Delete: true})
		},
		"a backup": func() (*transfer.Report, error) {
			return sync(transfer.Local(dir), w.at("a"), transfer.SyncOptions{Backup: w.at("b")})
		},
		"a stream": func() (*transfer.Report, error) {
			return e.UploadStream(ctx, strings.NewReader(""), w.at("k"), &transfer.UploadOptions{RemoveSource: true})
		},
		"to a stream": func() (*transfer.Report, error) {
			return e.DownloadTo(ctx, w.at("k"), &bytes.Buffer{}, &transfer.DownloadOptions{RemoveSource: true})
		},
		"a link": func() (*transfer.Report, error) {
			return e.Upload(ctx, link, w.at("k"), &transfer.UploadOptions{RemoveSource: true})
		},
	} {
		if name == "a link" && runtime.GOOS == "windows" {
			continue
		}
		report, err := call()
		if _, ok := errors.AsType[*transfer.UsageError](err); !ok || report != nil {
			t.Errorf("%s: %v, %+v", name, err, report)
		}
	}
	if n := len(tree(t, dir)); n < 1 {
		t.Error("the file is gone")
	}
	if _, err := e.Upload(ctx, filepath.Join(dir, "none"), w.at("k"), &transfer.UploadOptions{RemoveSource: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if left, err := os.ReadDir(w.state); err != nil || len(left) > 0 {
		t.Errorf("%v, checkpoints of refused jobs: %v", err, left)
	}
}
