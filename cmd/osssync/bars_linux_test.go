package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/osssync/osssync/internal/vt"
)

// openTerminal makes a pseudo-terminal of 80 columns and returns both its ends.
func openTerminal(t *testing.T) (outside, inside *os.File) {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outside.Close() })
	fd := int(outside.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	resize(t, outside, 80, 24)
	return outside, inside
}

func resize(t *testing.T, terminal *os.File, cols, rows uint16) {
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		t.Error(err)
	}
}

// TestBars runs a copy on a terminal that becomes narrower meanwhile: bars while
// it runs, and nothing of them at its end, whatever the keys hold.
func TestBars(t *testing.T) {
	service := newService(t)
	for name, value := range map[string]string{"TERM": "xterm", "XTERM_VERSION": "", "STY": ""} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big\x1b[31m"), make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	outside, inside := openTerminal(t)

	// The second part waits until bars were drawn at both widths.
	drawn := make(chan struct{})
	service.atPart(func(n int64) {
		if n == 2 {
			<-drawn
		}
	})
	var (
		screen   = vt.New(80, 24)
		all      bytes.Buffer
		wide     = regexp.MustCompile(`(?s)^\[=+ +\]  \d\d%  .* objects  ETA .*\n\[=+ +\]  \d\d% .* 1/3 parts  "p/big\\x1b\[31m"$`)
		narrow   = regexp.MustCompile(`^\[=+ +\]  \d\d%\n.* objects  ETA .*`)
		expected = wide
		read     sync.WaitGroup
	)
	read.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := outside.Read(buf)
			all.Write(buf[:n])
			_, _ = screen.Write(buf[:n])
			switch {
			case err != nil: // EIO once the inside is closed
				return
			case expected == nil || !expected.MatchString(strings.Join(screen.Screen(), "\n")):
			case expected == wide:
				expected = narrow
				screen.Resize(50, 24)
				resize(t, outside, 50, 24)
			default:
				expected = nil
				close(drawn)
			}
		}
	})
	code := run(t.Context(), []string{"cp", "-r", "--parallel", "1", dir, "oss://bkt/p"}, strings.NewReader(""), io.Discard, inside)
	inside.Close()
	read.Wait()
	if code != exitOK {
		t.Fatalf("exit code %d\n%q", code, all.String())
	}
	if strings.Contains(all.String(), "\x1b[31m") {
		t.Errorf("a key's control characters got through: %q", all.String())
	}
	if left := strings.Join(screen.All(), ""); !strings.HasPrefix(left, "done: 1 object") || strings.Contains(left, "[") {
		t.Errorf("the bars are not gone: %q", left)
	}
}

// TestDumbTerminal gets lines without control characters.
func TestDumbTerminal(t *testing.T) {
	newService(t)
	t.Setenv("TERM", "dumb")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside, inside := openTerminal(t)
	code := run(t.Context(), []string{"cp", "-r", dir, "oss://bkt/p"}, strings.NewReader(""), io.Discard, inside)
	inside.Close()
	text, _ := io.ReadAll(outside) // ends with EIO
	if code != exitOK || strings.Contains(string(text), "\x1b") {
		t.Errorf("exit code %d: %q", code, text)
	}
}
