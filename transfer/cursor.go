package transfer

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/osssync/osssync/internal/lister"
)

// cursorEvery bounds how much of a tree a run that was killed makes Resume go
// through again. Each time costs one commit of the checkpoint.
const cursorEvery = 10 * time.Second

// cursor knows the name up to which a tree is dealt with: no name at or below it
// is under way, has failed, or is yet to be looked at. It takes memory for what
// is under way alone.
type cursor struct {
	mu    sync.Mutex
	last  string      // the last name that was looked at
	under []*underway // in order; the first is not ended
	saved time.Time

	src, dst division // of those sides that are listed
}

// source and destination are the divisions of the sides; there is none without a cursor.
func (c *cursor) source() *division {
	if c == nil {
		return nil
	}
	return &c.src
}

func (c *cursor) destination() *division {
	if c == nil {
		return nil
	}
	return &c.dst
}

// underway is a name that is under way.
type underway struct {
	after string // the name before it
	ended bool
}

// pass says that a name needs nothing more.
func (c *cursor) pass(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = name
}

// begin says that a name is under way. One that fails never ends.
func (c *cursor) begin(name string) *underway {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &underway{after: c.last}
	c.last = name
	c.under = append(c.under, p)
	return p
}

// end says that a name is done.
func (c *cursor) end(p *underway) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.ended = true
	for len(c.under) > 0 && c.under[0].ended {
		c.under[0] = nil
		c.under = c.under[1:]
	}
}

// name is where the cursor stands.
func (c *cursor) name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.under) > 0 {
		return c.under[0].after
	}
	return c.last
}

// due says, to one caller, that it is time to save.
func (c *cursor) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.saved) < cursorEvery {
		return false
	}
	c.saved = now
	return true
}

// hasCursor says whether an interrupted run may be gone on with from its cursor: not
// where all names are needed to know what to delete, remove or put back.
func (o *SyncOptions) hasCursor() bool {
	return !o.DryRun && o.part == nil && !o.Delete && !o.RemoveSource && o.Backup == (Location{})
}

// pass has the cursor know what was decided about a name. What is dealt with has
// lost its name.
func (t *tree) pass(ctx context.Context, name string, a *action) {
	switch {
	case t.cursor == nil:
		return
	case a.name == "" && a.err == nil:
		t.cursor.pass(name)
	default:
		a.underway = t.cursor.begin(name)
	}
	if t.cursor.due() {
		t.saveCursor(ctx)
	}
}

// settled has the cursor know that a name is done.
func (t *tree) settled(ctx context.Context, a action) {
	if a.underway == nil {
		return
	}
	t.cursor.end(a.underway)
	if t.cursor.due() {
		t.saveCursor(ctx)
	}
}

// specMost bounds the text of a call with cuts, in bytes. What a checkpoint takes
// is 64 KiB, with the names of the job.
const specMost = 56 << 10

// saveCursor records how far the tree has come, and how the listings are divided
// behind that, for Resume. Without it Resume only takes longer.
func (t *tree) saveCursor(ctx context.Context) {
	if t.cursor == nil {
		return
	}
	c := t.call
	c.Cursor = t.cursor.name()
	c.SourceCuts, c.DestinationCuts = pack(t.cursor.src.cuts(), t.src.Path, c.Cursor), pack(t.cursor.dst.cuts(), t.dst.Path, c.Cursor)
	if c.Cursor == "" && len(c.SourceCuts)+len(c.DestinationCuts) == 0 || !utf8.ValidString(c.Cursor) {
		return
	}
	text := t.withSizes(c.text(t.opts))
	if len(text) > specMost {
		c.SourceCuts, c.DestinationCuts = nil, nil
		text = t.withSizes(c.text(t.opts))
	}
	if err := t.journal.SetState(ctx, stateRunning, text); err != nil {
		t.log.Warn("cursor not recorded", "err", err)
	}
}

// bounds are the names of a side that the job has to do with: those after the first,
// up to the second; "" is no bound.
func (t *tree) bounds(set *Filter) (after, end string) {
	after, end = set.Range()
	return max(after, t.options.after), end
}

// narrowed is what to list of a prefix within the bounds; false if nothing is.
func narrowed(path, prefix, after, end string) (o lister.Options, some bool) {
	o.Prefix = path + prefix
	switch {
	case strings.HasPrefix(after, prefix) && after != "":
		o.StartAfter = path + after
	case after > prefix:
		return o, false
	}
	switch {
	case end == "":
	case strings.HasPrefix(end, prefix):
		o.End = path + end
	case end < prefix:
		return o, false
	}
	return o, true
}
