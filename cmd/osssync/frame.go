package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/osssync/osssync/transfer"
)

// What gets a line of its own: at most maxActive objects, and only those that
// are large or have been under way for longActive. Others come and go unread.
const (
	maxActive   = 4
	largeObject = transfer.DefaultMultipartThreshold
	longActive  = 3 * time.Second
)

// guessAfter is when a person is told the time that is left: what the first
// second says of a speed, mostly of small objects, is soon found to be wrong.
const guessAfter = 2 * time.Second

// frame draws p as lines of fewer than width columns, without control
// characters, the most important first: the whole, its speed, what was out of
// the ordinary, and some of the objects under way.
func frame(p transfer.Progress, width int) []string {
	width-- // terminals differ in what they do with a full line
	if width < 1 {
		return nil
	}
	more, eta := "", "-:--"
	if !p.TotalsKnown {
		more = "+"
	}
	if p.ETA >= 0 && p.Elapsed >= guessAfter {
		eta = clock(p.ETA)
	}
	total := totalBar(p)
	whole := []string{fmt.Sprintf("%d/%d%s objects", settled(p), p.ObjectsTotal, more), "ETA " + eta}
	speed := []string{objectRate(p) + " mean"}
	if !bytesless(p) {
		whole = append([]string{amount(p.BytesDone, p.BytesTotal) + more}, whole...)
		speed = []string{size(int64(p.Rate)) + "/s now", size(int64(p.MeanRate)) + "/s mean"}
	}
	lines := total.beside(width, whole...)
	lines = append(lines, flow(width, append(speed, fmt.Sprintf("%d of %d requests", p.Running, p.Limit))...)...)
	lines = append(lines, flow(width, counters(p)...)...)
	return append(lines, activeObjects(p.Active, width)...)
}

// activeObjects is a line for each of a few objects. Where it is too narrow for
// all there is to say, the percentage and the name remain.
func activeObjects(all []transfer.ActiveObject, width int) []string {
	var (
		shown  []transfer.ActiveObject
		parts  []string
		inPart int // columns
	)
	for _, o := range all {
		if len(shown) == maxActive || o.Size < largeObject && o.Elapsed < longActive {
			continue
		}
		text := ""
		if o.Parts > 0 {
			text = fmt.Sprintf("%d/%d parts", o.PartsDone, o.Parts)
		}
		shown, parts, inPart = append(shown, o), append(parts, text), max(inPart, len(text))
	}
	const sizeColumns = len("1023.9 MiB")
	const leastName = 16 // columns; less tells nothing
	var lines []string
	for i, o := range shown {
		b := bar{done: o.Done, total: o.Size}
		line := b.percent()
		if room := barWidth(width); room > 0 && room+aroundBar+sizeColumns+inPart+leastName+3*len(gap) <= width {
			line = b.draw(room) + gap + fmt.Sprintf("%*s", sizeColumns, size(o.Size))
			if inPart > 0 {
				line += gap + pad(parts[i], inPart)
			}
		}
		if room := width - len(line) - len(gap); room > 0 {
			line += gap + fit(printable(o.Key), room)
		}
		lines = append(lines, runewidth.Truncate(line, width, ""))
	}
	return lines
}

// bar is how far something is. resumed is the part of done that an earlier run
// had done. A bar with a label is about something of unknown length.
type bar struct {
	done, resumed, total int64
	label                string
}

func totalBar(p transfer.Progress) bar {
	b := bar{done: p.BytesDone, resumed: p.BytesResumed, total: p.BytesTotal}
	if b.total == 0 {
		b = bar{done: settled(p), total: p.ObjectsTotal}
	}
	if !p.TotalsKnown {
		b.label = string(p.Phase)
	}
	return b
}

// A bar has at least leastBar columns, which hold every phase's name, and its
// brackets and percentage take aroundBar.
const (
	leastBar  = 12
	mostBar   = 40
	aroundBar = 7
)

// barWidth is the length of the bars on a terminal of that width, 0 for none.
// It does not depend on what stands beside them, so that they keep still.
func barWidth(width int) int {
	if width < leastBar+aroundBar {
		return 0
	}
	return min(max(width/4, leastBar), mostBar)
}

// percent is 4 columns, blank if it is not known.
func (b bar) percent() string {
	switch {
	case b.label != "":
		return "    "
	case b.total <= 0:
		return "  0%"
	case b.done >= b.total:
		return "100%"
	}
	return fmt.Sprintf("%3d%%", int(b.part(b.done)*100))
}

func (b bar) part(of int64) float64 {
	if b.total <= 0 {
		return 0
	}
	return min(1, max(0, float64(of)/float64(b.total)))
}

// draw draws b, its inside that many columns long: # is what an earlier run
// had done, = what this one has.
func (b bar) draw(width int) string {
	if b.label != "" {
		return "[" + pad(b.label, width) + "] " + b.percent()
	}
	full := int(b.part(b.done) * float64(width))
	before := min(full, int(b.part(b.resumed)*float64(width)))
	return "[" + strings.Repeat("#", before) + strings.Repeat("=", full-before) + strings.Repeat(" ", width-full) + "] " + b.percent()
}

// beside puts the items beside the bar, or below it where that is too narrow.
func (b bar) beside(width int, items ...string) []string {
	room := barWidth(width)
	if room == 0 {
		if b.label != "" {
			return flow(width, append([]string{b.label}, items...)...)
		}
		return flow(width, append([]string{strings.TrimSpace(b.percent())}, items...)...)
	}
	text := strings.Join(items, gap)
	if line := b.draw(room) + gap + text; runewidth.StringWidth(line) <= width {
		return []string{line}
	}
	return append([]string{strings.TrimRight(b.draw(width-aroundBar), " ")}, flow(width, items...)...)
}

const gap = "  " // between items

// flow puts items into lines of at most width columns.
func flow(width int, items ...string) []string {
	var lines []string
	for _, item := range items {
		item = runewidth.Truncate(item, width, "")
		if last := len(lines) - 1; last >= 0 && runewidth.StringWidth(lines[last]+gap+item) <= width {
			lines[last] += gap + item
			continue
		}
		lines = append(lines, item)
	}
	return lines
}

// amount is done of total, with the unit once if it is that of both.
func amount(done, total int64) string {
	a, b := size(done), size(total)
	number, unit, _ := strings.Cut(a, " ")
	if _, other, _ := strings.Cut(b, " "); unit == other {
		return number + "/" + b
	}
	return a + "/" + b
}
