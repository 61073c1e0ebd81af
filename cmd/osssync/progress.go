package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/osssync/osssync/transfer"
)

// How often each kind of progress is shown. Bars are drawn from the newest
// state there is; five times a second reads as motion.
const (
	barsEvery  = 200 * time.Millisecond
	jsonEvery  = time.Second
	plainEvery = 5 * time.Second
)

// view shows the progress of one job.
type view struct {
	every    time.Duration
	progress func(transfer.Progress) // nil shows nothing
	stop     func()                  // called once, after the last progress
}

// newView is bars on a terminal, lines elsewhere, and nothing if so asked.
func (a *app) newView() view {
	switch {
	case a.flags.json:
		return view{every: jsonEvery, progress: a.progressJSON, stop: func() {}}
	case a.flags.quiet || a.flags.noProgress:
		return view{stop: func() {}}
	case isTerminal(a.stderr) && os.Getenv("TERM") != "dumb":
		return newBars(a.stderr)
	}
	return view{every: plainEvery, stop: func() {}, progress: func(p transfer.Progress) {
		if !p.Final {
			a.printf("%s", plainProgress(p))
		}
	}}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) progressJSON(p transfer.Progress) {
	if p.Final {
		return // the summary says it
	}
	line := progressLine{
		V: jsonVersion, Type: "progress", Job: p.JobID, Phase: p.Phase,
		ObjectsTotal: p.ObjectsTotal, ObjectsDone: p.ObjectsDone, ObjectsSkipped: p.ObjectsSkipped, ObjectsFailed: p.ObjectsFailed,
		BytesTotal: p.BytesTotal, BytesDone: p.BytesDone, BytesResumed: p.BytesResumed, TotalsKnown: p.TotalsKnown,
		Rate: p.Rate, ElapsedSeconds: p.Elapsed.Seconds(), Retries: p.Retries,
	}
	if p.ETA >= 0 {
		line.ETASeconds = new(p.ETA.Seconds())
	}
	a.emit(line)
}

// plainProgress is p in one line for a log.
func plainProgress(p transfer.Progress) string {
	more := ""
	if !p.TotalsKnown {
		more = " or more"
	}
	s := fmt.Sprintf("%d of %d%s objects, %s of %s, %s/s",
		p.ObjectsDone+p.ObjectsSkipped+p.ObjectsFailed, p.ObjectsTotal, more, size(p.BytesDone), size(p.BytesTotal), size(int64(p.Rate)))
	if p.ETA >= 0 {
		s += ", " + clock(p.ETA) + " left"
	}
	if p.ObjectsFailed > 0 {
		s += fmt.Sprintf(", %d failed", p.ObjectsFailed)
	}
	return s
}

// maxActive is how many objects get a line of their own, and largeObject the
// bytes from which one is worth it: smaller ones come and go unread.
const (
	maxActive   = 4
	largeObject = transfer.DefaultMultipartThreshold
)

// newBars draws on a terminal: one bar for all and a line for each of a few
// large objects, whatever the number of objects.
func newBars(out io.Writer) view {
	var latest atomic.Pointer[transfer.Progress]
	latest.Store(&transfer.Progress{ETA: -1})
	line := func(i int) mpb.BarFillerFunc {
		return func(w io.Writer, st decor.Statistics) error {
			lines := frame(*latest.Load(), st.AvailableWidth)
			if i >= len(lines) {
				return nil
			}
			text := lines[i]
			if i > 0 {
				text += "\n"
			}
			_, err := io.WriteString(w, text)
			return err
		}
	}
	var extra []mpb.BarFiller
	for i := range maxActive {
		extra = append(extra, line(i+1))
	}
	container := mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(barsEvery))
	bar, err := container.Add(0, line(0), mpb.BarFillerTrim(), mpb.BarBtmExtender(extra...))
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

// frame draws p as lines of fewer than width columns, without control
// characters: a line for the whole, then one for each large object under way.
func frame(p transfer.Progress, width int) []string {
	width--
	more := ""
	if !p.TotalsKnown {
		more = "+"
	}
	eta := "-:--"
	if p.ETA >= 0 {
		eta = clock(p.ETA)
	}
	text := fmt.Sprintf("%d/%d%s  %s/%s%s  %s/s  ETA %s", p.ObjectsDone+p.ObjectsSkipped+p.ObjectsFailed, p.ObjectsTotal, more,
		size(p.BytesDone), size(p.BytesTotal), more, size(int64(p.Rate)), eta)
	if p.ObjectsFailed > 0 {
		text += fmt.Sprintf("  %d failed", p.ObjectsFailed)
	}
	done, total := p.BytesDone, p.BytesTotal
	if total == 0 {
		done, total = p.ObjectsDone+p.ObjectsSkipped+p.ObjectsFailed, p.ObjectsTotal
	}
	lines := []string{withBar(text, done, total, width)}
	for _, o := range p.Active {
		if o.Size < largeObject || len(lines) > maxActive {
			continue
		}
		name := "  " + fit(printable(o.Key), max(width/2-2, 0))
		lines = append(lines, withBar(pad(name, width/2)+"  "+size(o.Size), o.Done, o.Size, width))
	}
	return lines
}

// withBar puts a bar before text where there is room for one.
func withBar(text string, done, total int64, width int) string {
	const percent, least = 9, 6 // columns of "[] 100%  ", and of the shortest bar
	room := width - runewidth.StringWidth(text) - percent
	if room < least {
		return runewidth.Truncate(text, max(width, 0), "")
	}
	room = min(room, 30)
	part := 0.0
	if total > 0 {
		part = min(1, float64(done)/float64(total))
	}
	full := int(part * float64(room))
	return fmt.Sprintf("[%s%s] %3d%%  %s", strings.Repeat("=", full), strings.Repeat(" ", room-full), int(part*100), text)
}
