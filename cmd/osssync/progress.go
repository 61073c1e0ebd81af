package main

import (
	"fmt"
	"os"
	"strings"
	"time"

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
	}
	if isTerminal(a.stderr) && canDraw(a.stderr.(*os.File)) {
		return newBars(a.stderr.(*os.File))
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
		Rate: p.Rate, MeanRate: p.MeanRate, ElapsedSeconds: p.Elapsed.Seconds(),
		Retries: p.Retries, Throttled: p.Throttled, Running: p.Running, Limit: p.Limit,
	}
	if p.ETA >= 0 {
		line.ETASeconds = new(p.ETA.Seconds())
	}
	for _, o := range p.Active {
		line.Active = append(line.Active, activeLine{
			Key: o.Key, Size: o.Size, Done: o.Done, Parts: o.Parts, PartsDone: o.PartsDone, ElapsedSeconds: o.Elapsed.Seconds(),
		})
	}
	a.emit(line)
}

// plainProgress is p in one line for a log.
func plainProgress(p transfer.Progress) string {
	more := ""
	if !p.TotalsKnown {
		more = " or more"
	}
	items := []string{fmt.Sprintf("%d of %d%s objects", settled(p), p.ObjectsTotal, more)}
	if bytesless(p) {
		items = append(items, "mean "+objectRate(p))
	} else {
		items = append(items,
			fmt.Sprintf("%s of %s%s", size(p.BytesDone), size(p.BytesTotal), more),
			fmt.Sprintf("%s/s (mean %s/s)", size(int64(p.Rate)), size(int64(p.MeanRate))),
		)
	}
	if p.ETA >= 0 {
		items = append(items, clock(p.ETA)+" left")
	}
	items = append(items, fmt.Sprintf("%d of %d requests", p.Running, p.Limit))
	return strings.Join(append(items, counters(p)...), ", ")
}

// settled is the number of objects that nothing more is to be done about.
func settled(p transfer.Progress) int64 { return p.ObjectsDone + p.ObjectsSkipped + p.ObjectsFailed }

// bytesless reports whether p is of a job that moves no bytes, as a deletion.
func bytesless(p transfer.Progress) bool {
	return p.BytesTotal == 0 && p.BytesDone == 0 && p.ObjectsTotal > 0
}

// objectRate is how many objects p has done a second.
func objectRate(p transfer.Progress) string {
	rate := 0.0
	if s := p.Elapsed.Seconds(); s > 0 {
		rate = float64(p.ObjectsDone) / s
	}
	return fmt.Sprintf("%.0f objects/s", rate)
}

// counters are the counts of p that are not zero, in words.
func counters(p transfer.Progress) []string {
	var list []string
	if p.BytesResumed > 0 {
		list = append(list, size(p.BytesResumed)+" resumed")
	}
	for _, c := range []struct {
		n    int64
		what string
	}{{p.ObjectsSkipped, "skipped"}, {p.ObjectsFailed, "failed"}, {p.Retries, "retried"}, {p.Throttled, "throttled"}} {
		if c.n > 0 {
			list = append(list, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return list
}
