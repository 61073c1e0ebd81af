package transfer

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/internal/localfs"
)

// A file that cannot be synced gets no name, and holds up none of its group.
func TestPublishGroupSyncs(t *testing.T) {
	root, err := localfs.CreateRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var synced atomic.Int64
	root.Watch(func(s localfs.Step) {
		switch {
		case s.Op == "sync" && s.Done:
			synced.Add(1)
		case s.Op == "rename" && !s.Done && synced.Load() != 2:
			t.Errorf("a file gets its name when %d are on the disk", synced.Load())
		}
	})
	names := []string{"a", "bad", "c"}
	temps := make([]*localfs.Temp, len(names))
	for i, name := range names {
		if temps[i], err = root.CreateTemp(name, localfs.TempName(name), 0); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(temps[i], name), temps[i].Complete(int64(len(name)), time.Time{}, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := temps[1].Close(); err != nil {
		t.Fatal(err)
	}
	p := &publisher{job: &job{journal: noJournal{}, log: slog.New(slog.DiscardHandler)}, root: root}
	answers := make([]chan error, len(names))
	group := make([]finished, len(names))
	for i, name := range names {
		answers[i] = make(chan error, 1)
		group[i] = finished{name: name, temp: localfs.TempName(name), file: temps[i], answer: answers[i]}
	}
	p.publishGroup(group)
	for i, name := range names {
		if err := <-answers[i]; errors.Is(err, os.ErrClosed) != (name == "bad") || (err == nil) != (name != "bad") {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := os.ReadDir(root.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range left {
		have = append(have, e.Name())
	}
	if !slices.Equal(have, []string{"a", "c"}) {
		t.Errorf("there are %q", have)
	}
}

func write(temp *localfs.Temp, text string) error {
	_, err := temp.WriteAt([]byte(text), 0)
	return err
}
