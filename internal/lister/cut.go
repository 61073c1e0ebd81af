package lister

import "sync/atomic"

// Cut is a key at which a listing is divided: one range of it ends there, and the
// next one begins behind it.
type Cut struct {
	At   string // the last key of its range
	Page bool   // all keys of its range came in one page
}

// maxCuts bounds what a listing takes of Options.Cuts. A Position has fewer.
const maxCuts = 1000

// Position tells where a listing stands, while it goes on and after its end, to
// callers on any goroutine. The zero value is ready for one List at a time.
type Position struct {
	of atomic.Pointer[listing]
}

// Cuts returns where the listing is divided, in order: behind each page that was
// fetched and not yet yielded, behind the last 256 that were, and at the ends of the
// ranges that are still listed. A listing that goes on behind any key that was
// yielded fetches with them each of these pages again by one request, many at once. It is nil
// before the listing begins.
func (p *Position) Cuts() []Cut {
	l := p.of.Load()
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	cuts := []Cut{}
	first := max(0, l.yielded-len(l.ends))
	for i := first; i < l.yielded; i++ {
		// What is before the first is known only if that was the first of all.
		cuts = append(cuts, Cut{At: l.ends[i%len(l.ends)], Page: i > first || first == 0})
	}
	end := true // all pages up to the last key are fetched
	for i, r := range l.ranges {
		for _, page := range r.pages {
			cuts = append(cuts, Cut{At: page[len(page)-1].Key, Page: true})
		}
		if end = r.done; !r.done && i < len(l.ranges)-1 {
			cuts = append(cuts, Cut{At: r.to, Page: r.whole})
		}
	}
	if end && len(cuts) > 0 {
		cuts = cuts[:len(cuts)-1] // nothing is behind it
	}
	return cuts
}

// divided is the ranges that the listing begins with. A cut that cannot be one
// is passed over: there is no gap between the ranges whatever Cuts has.
func (l *listing) divided() []*keyRange {
	last := &keyRange{after: l.behind(l.StartAfter), to: l.End}
	ranges := []*keyRange{last}
	for _, c := range l.Options.Cuts[:min(len(l.Options.Cuts), maxCuts)] {
		at := l.within(last, l.behind(c.At))
		if at == "" {
			continue
		}
		last.to, last.whole = at, c.Page
		last = &keyRange{after: at, to: l.End, guessed: true, kept: true}
		ranges = append(ranges, last)
	}
	return ranges
}
