//go:build unix

package file_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/osssync/osssync/internal/file"
)

// TestWriteIntoPipe: what is no file is not replaced by one.
func TestWriteIntoPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		defer close(got)
		r, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		got <- string(b)
	}()
	if err := file.Write(name, body("data")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "data" {
		t.Errorf("the pipe gave %q", s)
	}
	if info, err := os.Lstat(name); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("%v, %v", info, err)
	}
}
