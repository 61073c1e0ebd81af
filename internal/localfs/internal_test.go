package localfs

import (
	"errors"
	"os"
	"testing"
	"time"
)

// A pipe cannot be synced: it stands for a disk that lost what was written.
func TestFailedSyncPoisons(t *testing.T) {
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	defer wr.Close()
	tmp := &Temp{file: wr}
	if err := tmp.SyncData(); !errors.Is(err, ErrNotDurable) {
		t.Fatalf("sync of a pipe: %v", err)
	}
	calls := map[string]func() error{
		"WriteAt":  func() error { _, err := tmp.WriteAt([]byte("a"), 0); return err },
		"ReadAt":   func() error { _, err := tmp.ReadAt(make([]byte, 1), 0); return err },
		"SyncData": tmp.SyncData,
		"Complete": func() error { return tmp.Complete(0, time.Time{}, DefaultMode) },
		"Seal":     tmp.Seal,
		"Finish":   func() error { return tmp.Finish(0, time.Time{}, DefaultMode) },
	}
	for _, name := range []string{"WriteAt", "ReadAt", "SyncData", "Complete", "Seal", "Finish"} {
		if err := calls[name](); !errors.Is(err, ErrNotDurable) {
			t.Errorf("%s after a failed sync: %v", name, err)
		}
	}
	if err := tmp.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Seal left the file open: %v", err)
	}
}

func TestClosedIsNotPoisoned(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	tmp := &Temp{file: f}
	if err := tmp.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tmp.SyncData(); !errors.Is(err, os.ErrClosed) || errors.Is(err, ErrNotDurable) {
		t.Errorf("got %v", err)
	}
}

func TestWindowsReason(t *testing.T) {
	tests := []struct {
		name string
		good bool
	}{
		{"a", true},
		{"a.b c", true},
		{".a", true},
		{"é", true},
		{"a.", false},
		{"a ", false},
		{"...", false},
		{"a:b", false},
		{`a\b`, false},
		{"a?", false},
		{"a\tb", false},
		{`"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := windowsReason(tt.name); (got == "") != tt.good {
				t.Errorf("got %q", got)
			}
		})
	}
}

// The memory for durable folders is bounded, and a folder that is made again
// is not durable because its predecessor was.
func TestDurableFolders(t *testing.T) {
	r, err := OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.MkdirAll("a/b"); err != nil {
		t.Fatal(err)
	}
	if err := r.SyncDirs("a/b/c"); err != nil {
		t.Fatal(err)
	}
	if !r.isDurable("a") || !r.isDurable("a/b") {
		t.Fatalf("after the sync: %v", r.durable)
	}
	if err := os.Remove(r.path("a/b")); err != nil {
		t.Fatal(err)
	}
	if err := r.MkdirAll("a/b/c"); err != nil {
		t.Fatal(err)
	}
	if !r.isDurable("a") || r.isDurable("a/b") || r.isDurable("a/b/c") {
		t.Fatalf("after making it again: %v", r.durable)
	}
	if err := r.SyncDirs("gone/x"); err == nil || r.isDurable("gone") {
		t.Fatalf("sync of a missing folder: %v, %v", err, r.durable)
	}
	for i := range maxDurable {
		r.durable[string(rune(i+0x4e00))] = struct{}{}
	}
	if err := r.SyncDirs("a/b/x"); err != nil {
		t.Fatal(err)
	}
	if len(r.durable) != 1 || !r.isDurable("a/b") {
		t.Fatalf("%d folders remembered", len(r.durable))
	}
}
