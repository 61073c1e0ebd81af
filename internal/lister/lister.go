package lister

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/osssync/osssync/oss"
)

// Defaults and bounds of Options.
const (
	// DefaultParallel is the number of requests at once. At 50 ms of latency
	// 8 list 120,000 keys a second, about what one core can parse and
	// compare (bench/results/lister.txt).
	DefaultParallel = 8

	// windowEach is the default of Window for each request at once.
	windowEach = 6

	// stride is how many pages a range is to have. Its last page is fetched to no
	// use in part, so shorter ones cost more requests; longer ones fill the
	// window where they are not needed yet.
	stride = 8

	// minTrust is how many guesses may be made at once after some that found
	// nothing.
	minTrust = 2

	// usefulEach is how many pages there must be for each guess that found
	// nothing before the next guess is made.
	usefulEach = 4

	// shortRange is the part of a page below which a range counts as empty.
	shortRange = 4

	pageSize = 1000 // keys, the most that OSS gives
)

// Options says what is listed. Page alone is required.
type Options struct {
	// Page fetches a page, as oss.Bucket.ListObjectsV2 does. It is called by
	// several goroutines at the same time.
	Page func(ctx context.Context, opts *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error)

	// Prefix is what all keys begin with.
	Prefix string

	// StartAfter is the key after which the listing begins, End the last key
	// that it may yield. Neither need exist; "" means no bound.
	StartAfter, End string

	// Enter, if not nil, says of a key that ends in a slash whether what begins
	// with it is wanted. What is not wanted is passed over, though some of it may
	// be yielded. It is not asked of Prefix, nor by two goroutines at once.
	Enter func(folder string) bool

	// Cuts are those of the Position of an earlier listing, with which this one
	// begins. They are hints: wrong ones, and those out of order, without the
	// prefix or beyond the bounds, cost requests at most.
	Cuts []Cut

	// Position, if not nil, tells where the listing stands.
	Position *Position

	// Parallel is the most pages that are fetched at once. 0 means
	// DefaultParallel; 1 lists sequentially, and still ahead of its caller.
	Parallel int

	// Window is the most pages that are under way or wait for their turn,
	// but for up to two that are next. 0 means six for each of Parallel.
	Window int

	// PageSize is the most keys in a page. 0 means 1000, the most of OSS.
	PageSize int
}

// List yields the objects in the order of their keys' bytes. The first error
// ends it: one of Page, an *OrderError, or the cause of ctx. When it returns,
// all that it started has ended.
func List(ctx context.Context, o Options) iter.Seq2[oss.ObjectSummary, error] {
	o.Parallel = max(cmp.Or(o.Parallel, DefaultParallel), 1)
	o.Window = max(cmp.Or(o.Window, windowEach*o.Parallel), 1)
	o.PageSize = cmp.Or(o.PageSize, pageSize)
	return func(yield func(oss.ObjectSummary, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		l := &listing{
			Options: o,
			trust:   1,
			last:    o.StartAfter,
			changed: make(chan struct{}, 1),
		}
		l.ranges = l.divided()
		l.useful = len(l.ranges) - 1 // pages of the earlier listing: there is that much to ask for at once
		if o.Position != nil {
			o.Position.of.Store(l)
		}
		defer func() {
			cancel()
			l.fetches.Wait()
		}()
		for {
			page, err := l.next(ctx)
			if err != nil {
				yield(oss.ObjectSummary{}, err)
				return
			}
			if page == nil {
				return
			}
			for _, object := range page {
				if !yield(object, nil) {
					return
				}
			}
		}
	}
}

// keyRange is a range of keys that is listed page by page. Between two ranges
// that follow each other no key is left out.
type keyRange struct {
	to    string // the last key that it may have; "": no end
	after string // the key up to which it is listed
	token string // continues after it; "" before the first page

	pages   [][]oss.ObjectSummary // fetched, and not yet yielded
	read    int                   // pages, since to was set
	busy    bool                  // a page is being fetched
	done    bool                  // nothing is left to fetch
	empty   int                   // pages without a key in a row
	guessed bool                  // it begins at a guessed key, or a kept one, and has no page yet
	kept    bool                  // it begins at one of Options.Cuts
	whole   bool                  // it was one page in an earlier listing, and has none yet

	scale scale  // how far pages take us here
	cuts  [2]cut // after a stride, and after half of one
}

// listing is one run of List. All fields below mu are guarded by it.
type listing struct {
	Options
	fetches sync.WaitGroup
	changed chan struct{} // tells the consumer to look again

	mu      sync.Mutex
	ranges  []*keyRange // in the order of keys; the first is being yielded
	err     error       // ends the listing
	last    string      // the last key that was given to the consumer
	used    int         // pages under way or waiting
	running int         // requests
	useful  int         // pages that had something of their range
	useless int         // guesses that found nothing
	guesses int         // requests at guessed keys
	trust   int         // the most guesses at once
	refused bool        // a guess was: no more of them

	alphabet alphabet
	trail    trail

	ends    [256]string // the last keys of the pages that were yielded last
	yielded int         // pages
}

// next waits for the next page in order; nil is the end.
func (l *listing) next(ctx context.Context) ([]oss.ObjectSummary, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		page, more, err := l.take(ctx)
		if page != nil || !more || err != nil {
			return page, err
		}
		select {
		case <-l.changed:
		case <-ctx.Done():
		}
	}
}

// take takes the next page if it is there, and says whether any may come.
func (l *listing) take(ctx context.Context) (page []oss.ObjectSummary, more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, false, l.err
	}
	if first := l.first(); first != nil && len(first.pages) > 0 {
		page, first.pages[0] = first.pages[0], nil
		first.pages = first.pages[1:]
		l.used--
		l.last = page[len(page)-1].Key
		l.ends[l.yielded%len(l.ends)] = l.last
		l.yielded++
		l.trail.add(page[0].Key, l.last, float64(len(page))/float64(l.PageSize))
	}
	more = l.first() != nil
	l.dispatch(ctx)
	return page, more, nil
}

// first is the range that is being yielded, nil at the end of all.
func (l *listing) first() *keyRange {
	for len(l.ranges) > 0 {
		if r := l.ranges[0]; !r.done || len(r.pages) > 0 {
			return r
		}
		l.ranges = slices.Delete(l.ranges, 0, 1)
	}
	return nil
}

// dispatch starts requests while there is something to ask for.
func (l *listing) dispatch(ctx context.Context) {
	for l.err == nil && l.running < min(l.Parallel, max(l.useful, 1)) {
		r := l.choose()
		if r == nil {
			return
		}
		r.busy = true
		if r.guessed {
			l.guesses++
		}
		l.running++
		l.used++
		opts := &oss.ListObjectsV2Options{Prefix: l.Prefix, ContinuationToken: r.token, MaxKeys: l.PageSize}
		if r.token == "" {
			opts.StartAfter = r.after
		}
		l.fetches.Go(func() { l.fetch(ctx, r, opts) })
	}
}

// choose finds the range whose next page is wanted most, the nearer the sooner.
// One that is waited for or far enough ahead is cut if it seems long.
func (l *listing) choose() *keyRange {
	if first := l.first(); first == nil {
		return nil
	} else if !first.busy && !first.done && len(first.pages) < 2 {
		return first // whatever the window holds, so that it cannot stand still
	}
	if l.used >= l.Window {
		return nil
	}
	for i, r := range l.ranges {
		if !r.busy && !r.done && len(r.pages) < stride {
			return r
		}
		if upper := l.split(i, 0); upper != nil {
			return upper
		}
	}
	// Toward the end shorter ranges keep the requests going.
	for i := range l.ranges {
		if upper := l.split(i, 1); upper != nil {
			return upper
		}
	}
	return nil
}

// split cuts range i a stride after what it has, or half of one, if it seems to
// have more.
func (l *listing) split(i, halved int) *keyRange {
	r := l.ranges[i]
	if r.done || r.whole || l.refused || l.guesses >= l.trust || l.useless*usefulEach > l.useful {
		return nil
	}
	if !r.cuts[halved].known {
		r.cuts[halved] = cut{true, l.within(r, l.behind(l.guess(r, stride>>halved)))}
	}
	at := r.cuts[halved].at
	if at == "" {
		return nil
	}
	upper := &keyRange{after: at, to: r.to, guessed: true, scale: r.scale}
	r.to, r.read, r.cuts = at, 0, [2]cut{}
	l.ranges = slices.Insert(l.ranges, i+1, upper)
	return upper
}

func (l *listing) fetch(ctx context.Context, r *keyRange, opts *oss.ListObjectsV2Options) {
	result, err := l.Page(ctx, opts)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.used--
	r.busy = false
	if r.guessed {
		l.guesses--
	}
	if err == nil {
		err = r.check(result, l.Prefix)
	}
	switch {
	case err == nil:
		l.add(r, result)
	case ctx.Err() != nil:
		l.err = cmp.Or(l.err, context.Cause(ctx))
	case r.guessed:
		l.retract(r)
	case l.err == nil:
		l.err = err
	}
	l.dispatch(ctx)
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// add puts a page to what r has.
func (l *listing) add(r *keyRange, page *oss.ListObjectsV2Result) {
	objects := page.Objects
	l.alphabet.learnPage(objects)
	if n := len(objects); n > 0 {
		r.scale = scale{objects[0].Key, objects[n-1].Key, 1}
	}
	if r.to != "" {
		end, found := slices.BinarySearchFunc(objects, r.to, func(o oss.ObjectSummary, to string) int { return strings.Compare(o.Key, to) })
		if found {
			end++
		}
		r.done = found || end < len(objects)
		objects = objects[:end:end]
	}
	if r.guessed && !r.kept {
		// One that ends within a fraction of a page hardly was worth a request.
		l.trust = min(l.trust*2, l.Parallel)
		if len(objects) == 0 || r.done && len(objects) < l.PageSize/shortRange {
			l.trust = max(l.trust/4, minTrust)
			l.useless++
		}
	}
	r.guessed, r.whole = false, false
	r.done = r.done || !page.IsTruncated
	r.token, r.cuts = page.NextContinuationToken, [2]cut{}
	r.read++
	if n := len(objects); n > 0 {
		r.after = objects[n-1].Key
		if next := l.behind(r.after); !r.done && next > r.after {
			r.after, r.token = next, ""
			r.done = r.to != "" && next >= r.to
		}
		r.pages = append(r.pages, objects)
		l.used++
		l.useful++
	} else if r.done && len(r.pages) == 0 {
		l.ranges = slices.DeleteFunc(l.ranges, func(o *keyRange) bool { return o == r })
	}
}

// retract takes a guess back that the service would not have, or answered with
// what cannot be. What the range below asks for next is no guess and will tell
// whether it was the guess.
func (l *listing) retract(r *keyRange) {
	l.refused = true
	r.guessed = false
	i := slices.Index(l.ranges, r)
	switch {
	case i == 0:
		r.after = l.last
	case l.ranges[i-1].done:
		r.after = l.ranges[i-1].after
	default:
		l.ranges[i-1].to = r.to
		l.ranges = slices.Delete(l.ranges, i, i+1)
	}
}
