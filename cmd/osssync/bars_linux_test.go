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
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return outside, inside
}

// TestBars runs a copy on a terminal: bars while it runs, gone at its end,
// whatever the keys hold.
func TestBars(t *testing.T) {
	service := newService(t)
	t.Setenv("TERM", "xterm")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big\x1b[31m"), make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	outside, inside := openTerminal(t)

	// The second part waits until its object's bar was drawn.
	drawn := make(chan struct{})
	service.at = func(n int64) {
		if n == 2 {
			<-drawn
		}
	}
	var (
		screen bytes.Buffer
		read   sync.WaitGroup
	)
	read.Go(func() {
		buf := make([]byte, 4096)
		var once sync.Once
		for {
			n, err := outside.Read(buf)
			screen.Write(buf[:n])
			if strings.Contains(screen.String(), "ETA") && strings.Contains(screen.String(), `big\x1b[31m`) {
				once.Do(func() { close(drawn) })
			}
			if err != nil { // EIO once the inside is closed
				return
			}
		}
	})
	code := run(t.Context(), []string{"cp", "-r", "--parallel", "1", dir, "oss://bkt/p"}, strings.NewReader(""), io.Discard, inside)
	inside.Close()
	read.Wait()
	text := screen.String()
	if code != exitOK {
		t.Fatalf("exit code %d\n%q", code, text)
	}
	if strings.Contains(text, "\x1b[31m") {
		t.Errorf("a key's control characters got through: %q", text)
	}
	if !regexp.MustCompile(`\x1b\[J(\r?\n)?done: 1 object`).MatchString(text) {
		t.Errorf("the bars are not gone before the last line: %q", text)
	}
	for line := range strings.SplitSeq(strings.NewReplacer("\r", "", "\x1b[J", "\n").Replace(text), "\n") {
		if strings.HasPrefix(line, "[") && len([]rune(line)) >= 80 {
			t.Errorf("line is too long: %q", line)
		}
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
