// Package vt is a terminal without a window: it takes what a program writes and
// keeps what a person would see. Tests of displays read it, and package capture
// draws it.
//
// It knows the sequences that osssync writes and a few around them, breaks lines
// anew when it is resized, as most terminals do, and ignores what it does not
// know.
package vt

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Terminal is a terminal of so many columns and rows. Create it with [New]. It
// is not safe for concurrent use.
type Terminal struct {
	cols, rows int
	lines      []line // the rows that scrolled away, then those on the screen
	top        int    // the first row of the screen, in lines
	y, x       int    // the cursor: y in lines; x may be cols, past the last column
	noWrap     bool
	rest       []byte // of a sequence that is not complete yet
}

// line is one row. A wrapped one goes on in the next.
type line struct {
	cells   []string // "" is the second column of a wide character
	wrapped bool
}

// New returns an empty terminal.
func New(cols, rows int) *Terminal {
	return &Terminal{cols: max(cols, 1), rows: max(rows, 1), lines: make([]line, 1)}
}

// Write takes output of a program. It never fails.
func (t *Terminal) Write(b []byte) (int, error) {
	text := append(t.rest, b...)
	t.rest = nil
	for len(text) > 0 {
		n := t.step(text)
		if n == 0 {
			t.rest = slices.Clone(text)
			break
		}
		text = text[n:]
	}
	return len(b), nil
}

// step takes one character or sequence and returns its length, 0 if its end is
// not there yet.
func (t *Terminal) step(b []byte) int {
	switch c := b[0]; {
	case c == 0x1b:
		return t.escape(b)
	case c == '\n':
		t.down()
	case c == '\r':
		t.x = 0
	case c == '\b':
		t.x = max(min(t.x, t.cols-1)-1, 0)
	case c < 0x20 || c == 0x7f:
	case !utf8.FullRune(b):
		return 0
	default:
		r, n := utf8.DecodeRune(b)
		t.put(r)
		return n
	}
	return 1
}

// escape takes the sequence that b begins with.
func (t *Terminal) escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != '[' {
		return 2
	}
	end := slices.IndexFunc(b[2:], func(r byte) bool { return r >= 0x40 && r <= 0x7e })
	if end < 0 {
		return 0
	}
	argument := string(b[2 : 2+end])
	n, _ := strconv.Atoi(argument)
	switch b[2+end] {
	case 'A':
		t.y = max(t.y-max(n, 1), t.top)
		t.x = min(t.x, t.cols-1)
	case 'J':
		if n == 0 {
			t.eraseLine()
			t.lines = t.lines[:t.y+1]
		}
	case 'K':
		if n == 0 {
			t.eraseLine()
		}
	case 'h', 'l':
		if argument == "?7" {
			t.noWrap = b[2+end] == 'l'
		}
	}
	return 2 + end + 1
}

// eraseLine blanks the cursor's line from the cursor on.
func (t *Terminal) eraseLine() {
	l := &t.lines[t.y]
	l.cells = l.cells[:min(len(l.cells), t.x)]
	l.wrapped = false
}

// down moves the cursor to the next row and scrolls at the last one.
func (t *Terminal) down() {
	t.y++
	if t.y == len(t.lines) {
		t.lines = append(t.lines, line{})
	}
	t.top = max(t.top, t.y-t.rows+1)
}

// put writes one character at the cursor.
func (t *Terminal) put(r rune) {
	width := runewidth.RuneWidth(r)
	if width == 0 { // it joins the one before
		cells := t.lines[t.y].cells
		for i := min(t.x, len(cells)) - 1; i >= 0; i-- {
			if cells[i] != "" {
				cells[i] += string(r)
				break
			}
		}
		return
	}
	if t.x+width > t.cols {
		if t.noWrap {
			t.x = max(t.cols-width, 0)
		} else {
			t.lines[t.y].wrapped = true
			t.down()
			t.x = 0
		}
	}
	l := &t.lines[t.y]
	for len(l.cells) < t.x+width {
		l.cells = append(l.cells, " ")
	}
	l.cells[t.x] = string(r)
	for i := 1; i < width; i++ {
		l.cells[t.x+i] = ""
	}
	t.x += width
}

// Resize changes the size of the terminal and breaks its long lines anew.
func (t *Terminal) Resize(cols, rows int) {
	t.cols, t.rows = max(cols, 1), max(rows, 1)
	old, y, x := t.lines, t.y, t.x
	t.lines, t.y = nil, 0
	for i := 0; i < len(old); {
		var cells []string
		at := -1 // of the cursor, in cells
		for {
			if i == y {
				at = len(cells) + x
			}
			cells = append(cells, old[i].cells...)
			i++
			if !old[i-1].wrapped || i == len(old) {
				break
			}
		}
		first := len(t.lines)
		for len(cells) > t.cols {
			n := t.cols
			if cells[n] == "" && n > 1 {
				n-- // a wide character moves as a whole
			}
			t.lines = append(t.lines, line{cells: slices.Clone(cells[:n]), wrapped: true})
			cells = cells[n:]
		}
		t.lines = append(t.lines, line{cells: slices.Clone(cells)})
		if at >= 0 {
			t.y = min(first+at/t.cols, len(t.lines)-1)
			t.x = at % t.cols
		}
	}
	t.top = max(0, len(t.lines)-t.rows)
	t.top = min(t.top, t.y)
}

// Screen is what stands on the screen, without trailing blanks and without the
// empty rows at its end.
func (t *Terminal) Screen() []string { return text(t.lines[t.top:]) }

// All is the screen and everything that scrolled away above it.
func (t *Terminal) All() []string { return text(t.lines) }

func text(lines []line) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight(strings.Join(l.cells, ""), " ")
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}
