package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/internal/vt"
)

// TestScreens runs a copy on a real terminal of each size, which gets the other
// size meanwhile, and compares what a person sees with what somebody looked at
// and found good: before, after, and at the end. Times and rates are left out.
func TestScreens(t *testing.T) {
	for _, tc := range []struct{ cols, rows, nextCols, nextRows int }{
		{80, 24, 200, 50},
		{200, 50, 80, 24},
	} {
		t.Run(fmt.Sprintf("%dx%d", tc.cols, tc.rows), func(t *testing.T) {
			for name, value := range map[string]string{"TERM": "xterm", "XTERM_VERSION": "", "STY": ""} {
				t.Setenv(name, value)
			}
			held, goOn := holdPart(t, newService(t), 2)
			dir := t.TempDir()
			for name, size := range map[string]int{"漢字 and a name that is too long for a terminal of eighty columns.raw": 20 << 20, "a": 1 << 20, "b": 1 << 20, "c": 0} {
				if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			outside, inside := openTerminal(t)
			resize(t, outside, uint16(tc.cols), uint16(tc.rows))
			ended := make(chan int, 1)
			go func() {
				code := run(t.Context(), []string{"cp", "-r", "--parallel", "1", dir, "oss://bkt/2026/"}, strings.NewReader(""), io.Discard, inside)
				inside.Close()
				ended <- code
			}()
			watcher := &watcher{t: t, from: outside, screen: vt.New(tc.cols, tc.rows)}
			<-held
			var seen strings.Builder
			take := func(cols, rows int) {
				fmt.Fprintf(&seen, "== %d columns, %d rows\n%s\n", cols, rows, watcher.settled("3/4 objects"))
			}
			take(tc.cols, tc.rows)
			watcher.screen.Resize(tc.nextCols, tc.nextRows)
			resize(t, outside, uint16(tc.nextCols), uint16(tc.nextRows))
			take(tc.nextCols, tc.nextRows)
			close(goOn)
			fmt.Fprintf(&seen, "== at the end, with all that scrolled away\n%s\n", watcher.rest())
			if code := <-ended; code != exitOK {
				t.Errorf("exit code %d", code)
			}
			golden(t, fmt.Sprintf("screen/%dx%d.txt", tc.cols, tc.rows), seen.String())
		})
	}
}

// holdPart lets a service take the body of the n-th part and answer only when it
// may go on.
func holdPart(t *testing.T, service *partCounter, n int64) (held <-chan struct{}, goOn chan<- struct{}) {
	reached, release := make(chan struct{}), make(chan struct{})
	var parts atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") && parts.Add(1) == n {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			close(reached)
			<-release
		}
		service.server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	t.Setenv("OSS_ENDPOINT", front.URL)
	return reached, release
}

// watcher reads a terminal from the outside.
type watcher struct {
	t      *testing.T
	from   io.Reader
	screen *vt.Terminal
}

// settled reads until text has stood in several frames one after the other, and
// returns the screen.
func (w *watcher) settled(text string) string {
	frames := 0
	for frames < 4 {
		buf := make([]byte, 4096)
		n, err := w.from.Read(buf)
		if err != nil {
			w.t.Fatal(err)
		}
		_, _ = w.screen.Write(buf[:n])
		if drawn := bytes.Count(buf[:n], []byte("\x1b[?7h")); strings.Contains(strings.Join(w.screen.Screen(), "\n"), text) {
			frames += drawn
		}
	}
	return timeless(w.screen.Screen())
}

// rest reads to the end. Where a long line is broken depends on its times.
func (w *watcher) rest() string {
	text, _ := io.ReadAll(w.from) // ends with EIO
	_, _ = w.screen.Write(text)
	w.screen.Resize(1000, 50)
	return timeless(w.screen.All())
}

// timeless is a screen without what differs from run to run.
func timeless(lines []string) string {
	text := strings.Join(lines, "\n")
	for pattern, with := range map[string]string{
		`\d+(\.\d+)? [KMG]?i?B/s`:      "R/s",
		`ETA [0-9:-]+`:                 "ETA T",
		`in (\d+ ms|[\d.]+ s|[\d:]+) `: "in T ",
		`job [0-9a-f]{16}`:             "job J",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

// ls shows names that can be pasted back on a terminal, and as they are elsewhere.
func TestNamesOnTerminal(t *testing.T) {
	newService(t)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "oss://bkt/it's a *"
	if code, _, stderr := command(t.Context(), "cp", file, url); code != exitOK {
		t.Fatal(stderr)
	}
	for _, args := range [][]string{{"ls", "-s", "oss://bkt"}, {"stat", "--raw", url}, {"hash", "--raw", url, url}} {
		outside, inside := openTerminal(t)
		if code := run(t.Context(), args, strings.NewReader(""), inside, io.Discard); code != exitOK {
			t.Errorf("%q: exit code %d", args, code)
		}
		inside.Close()
		text, _ := io.ReadAll(outside) // ends with EIO
		if want := quoteWord(url) + "\r\n"; !strings.Contains(string(text), want) {
			t.Errorf("%q: a terminal gets %q, want %q in it", args, text, want)
		}
		if _, stdout, _ := command(t.Context(), args...); !strings.Contains(stdout, url+"\n") {
			t.Errorf("%q: a pipe gets %q, want %q in it", args, stdout, url)
		}
	}
}
