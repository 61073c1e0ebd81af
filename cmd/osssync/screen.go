package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/osssync/osssync/transfer"
)

// newBars draws the newest state on a terminal until it is stopped, and then
// takes it away.
func newBars(terminal *os.File) view {
	var latest atomic.Pointer[transfer.Progress]
	container := mpb.New(mpb.WithConsoleWriter(&screen{terminal: terminal, reflows: reflows()}), mpb.WithRefreshRate(barsEvery))
	bar, err := container.Add(0, mpb.BarFillerFunc(func(w io.Writer, st decor.Statistics) error {
		p := latest.Load()
		if p == nil {
			return nil
		}
		_, err := io.WriteString(w, strings.Join(frame(*p, st.AvailableWidth), "\n"))
		return err
	}), mpb.BarFillerTrim())
	if err != nil {
		return view{stop: container.Shutdown}
	}
	return view{
		every:    barsEvery,
		progress: func(p transfer.Progress) { latest.Store(&p) },
		stop: func() {
			bar.Abort(true)
			container.Wait()
		},
	}
}

// canDraw says whether a terminal can do what a screen asks of it.
func canDraw(terminal *os.File) bool {
	return os.Getenv("TERM") != "dumb" && enableEscapes(terminal)
}

// reflows says whether the terminal breaks long lines anew when it becomes
// narrower, as almost all do. Nothing tells but its name.
func reflows() bool {
	return os.Getenv("XTERM_VERSION") == "" && os.Getenv("STY") == "" && os.Getenv("TERM") != "linux"
}

// screen replaces one frame of lines by the next, at the place where the first
// was drawn. Each is one write, which overwrites in place of erasing, so that
// nothing flickers. It is an mpb.ConsoleWriter.
type screen struct {
	terminal      *os.File
	reflows       bool
	width, height int
	next          bytes.Buffer // the frame to come
	widths        []int        // columns of the lines that are on the terminal
}

func (s *screen) Write(b []byte) (int, error)               { return s.next.Write(b) }
func (s *screen) ReadFrom(r io.Reader) (n int64, err error) { return s.next.ReadFrom(r) }
func (s *screen) IsTerminal() bool                          { return true }

func (s *screen) GetTermSize() (width, height int, err error) {
	s.width, s.height, err = term.GetSize(int(s.terminal.Fd()))
	return s.width, s.height, err
}

// Flush draws what was written since the last call. It counts lines itself: a
// frame is one bar of mpb's.
func (s *screen) Flush(int) error {
	draw := s.draw(s.fit(s.next.String()))
	s.next.Reset()
	if draw == "" {
		return nil
	}
	_, err := s.terminal.WriteString(draw)
	return err
}

// fit is the lines of text that the terminal has rows for, its last row left to
// the cursor.
func (s *screen) fit(text string) []string {
	text = strings.Trim(text, "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[:min(len(lines), max(s.height-1, 0))]
}

// draw is what makes the terminal show lines in place of the ones before.
// Lines are cut and never wrapped, for a terminal may take a character for
// wider than we do.
func (s *screen) draw(lines []string) string {
	var b strings.Builder
	if up := s.rows(); up > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", up)
	}
	if len(lines) > 0 {
		b.WriteString("\x1b[?7l")
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\r\n")
	}
	if len(lines) > 0 {
		b.WriteString("\x1b[?7h")
	}
	if len(s.widths) > 0 {
		b.WriteString("\x1b[J")
	}
	s.widths = s.widths[:0]
	for _, line := range lines {
		s.widths = append(s.widths, runewidth.StringWidth(line))
	}
	return b.String()
}

// rows is the number of the terminal's rows that the frame before now takes.
func (s *screen) rows() int {
	rows := len(s.widths)
	if s.reflows && s.width > 0 {
		for _, w := range s.widths {
			rows += max(0, w-1) / s.width
		}
	}
	return min(rows, max(s.height-1, 0))
}
