package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"path/filepath"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
	"golang.org/x/sync/errgroup"
)

// CheckOptions tunes one Check. The zero value compares sizes and CRC-64 of two
// trees.
type CheckOptions struct {
	// JobOptions are those of any job. OnObject is told of every name, in key
	// order: relative to both sides, with the operation "check".
	JobOptions

	// Single compares one file or object with another; without it both sides
	// are trees.
	Single bool

	// SizeOnly compares sizes, without a request for each object or a read of
	// any file.
	SizeOnly bool

	// Download compares the bytes of both sides. It is for services without a
	// CRC-64, and for those whose word is not enough.
	Download bool

	// OneWay takes what only the second side has for no difference.
	OneWay bool

	// Filter chooses among the names of both sides; nil is all.
	Filter *Filter

	// Exclude is that of SyncOptions.
	Exclude []string

	// Files is that of SyncOptions. A Check compares no links and no folders:
	// of it EncodeNames and LinksFollow count.
	Files FileOptions
}

// CheckCounts are the findings of a Check, in names.
type CheckCounts struct {
	Same               int64 `json:"same"`
	SameBytes          int64 `json:"same_bytes"` // of one side
	Differ             int64 `json:"differ"`
	MissingSource      int64 `json:"missing_source"`
	MissingDestination int64 `json:"missing_destination"`
	Unreadable         int64 `json:"unreadable"` // on either side: not known
}

// Differences is the number of names that are not the same on both sides.
func (c CheckCounts) Differences() int64 { return c.Differ + c.MissingSource + c.MissingDestination }

// The outcomes of a name in a Check. One that could not be read is
// OutcomeFailed.
const (
	OutcomeSame               Outcome = "same"
	OutcomeDiffers            Outcome = "differs" // Reason says in what
	OutcomeMissingSource      Outcome = "missing_source"
	OutcomeMissingDestination Outcome = "missing_destination"
)

// StateDifferent is the state of a Check that went through and found
// differences.
const StateDifferent State = "different"

// ErrDifferent is matched by the error of a Check that found differences.
var ErrDifferent = errors.New("the sides differ")

// DifferenceError is the error of a Check that found differences. It matches
// ErrDifferent.
type DifferenceError struct{ CheckCounts }

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("the sides differ: %d differ, %d missing at the source, %d missing at the destination",
		e.Differ, e.MissingSource, e.MissingDestination)
}

// Is makes errors.Is(err, ErrDifferent) true.
func (e *DifferenceError) Is(target error) bool { return target == ErrDifferent }

var errNoSum = errors.New("the service has no CRC-64 of it; compare the bytes")

// Check compares the trees at a and b, the source and the destination of
// earlier jobs, and changes nothing. One side at least is in a bucket. Names
// that differ in size cost no request; else objects are asked for their CRC-64
// and files are read.
//
// Memory does not grow with the number of names. If any differ the error
// matches ErrDifferent; if some could not be read, ErrIncomplete, too. What
// neither side can transfer, such as a symlink, is skipped with a warning. It
// keeps no checkpoint.
func (e *Engine) Check(ctx context.Context, a, b Location, opts *CheckOptions) (*Report, error) {
	var o CheckOptions
	if opts != nil {
		o = *opts
	}
	exclude := o.Exclude
	if e.opts.StateDir != "" {
		exclude = append([]string{e.opts.StateDir}, exclude...)
	}
	c := &check{
		options: o,
		tree: &tree{src: a, dst: b, options: SyncOptions{
			JobOptions: o.JobOptions, Filter: o.Filter, Exclude: exclude,
			Files: FileOptions{EncodeNames: o.Files.EncodeNames, Links: min(o.Files.Links, LinksFollow)},
		}},
	}
	switch {
	case a.Bucket == nil && b.Bucket == nil:
		return nil, usagef("neither side is in a bucket")
	case a.Bucket != nil && b.Bucket != nil && (a.Keys != nil || b.Keys != nil):
		return nil, usagef("between buckets the encrypted bytes are compared, without keys")
	case o.SizeOnly && o.Download:
		return nil, usagef("sizes only, and the bytes: choose one")
	case o.Single && o.Filter != nil:
		return nil, usagef("filters choose among the names of a tree")
	case a.Bucket == nil:
		c.direction = up
	case b.Bucket == nil:
		c.direction = down
	default:
		c.direction = across
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	if c.root != nil {
		defer c.root.Close()
	}
	var err error
	c.job, err = e.withoutState().begin(ctx, spec{
		kind: "check", source: o.location(c.src), destination: o.location(c.dst), look: true,
	}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	c.report.Check = &c.counts
	err = c.run(ctx)
	if err == nil && c.counts.Differences() > 0 {
		err = &DifferenceError{c.counts}
		if n := c.failed(); n > 0 {
			err = errors.Join(err, &IncompleteError{JobID: c.id, Failed: n, First: c.report.Failures[0]})
		}
	}
	report, err := c.end(ctx, err, false)
	report.Bytes = ByteCounts{Done: c.counts.SameBytes}
	report.Resumable = false // run again, it begins anew
	if errors.Is(err, ErrDifferent) {
		report.State = StateDifferent
	}
	return report, err
}

// check is the job of one Check.
type check struct {
	*tree
	options CheckOptions
	name    string // of the source of a single check, for reports
	file    string // of its file, below root
	counts  CheckCounts

	// The folder on each side that could not be read and was passed last:
	// nothing is known of what lies below it.
	blind [2]blindSpot
}

type blindSpot struct {
	folder string
	err    error
}

// open makes the sides ready to be read.
func (c *check) open() error {
	for _, l := range []*Location{&c.src, &c.dst} {
		var err error
		switch {
		case c.options.Single && l.Bucket != nil:
			if l.Path == "" {
				return usagef("%s is a bucket, not an object", l)
			}
			c.name = cmp.Or(c.name, path.Base(l.Path))
		case c.options.Single:
			err = c.openFile(l)
		default:
			if *l, err = side(*l); err == nil && l.Bucket == nil {
				if c.root, err = localfs.OpenRoot(l.Path); err == nil {
					c.tree.options.Files.prepare(c.root, true)
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *check) openFile(l *Location) error {
	abs := l.Path
	if real, err := filepath.EvalSymlinks(abs); err == nil { // a link named by the user is meant
		abs = real
	}
	abs, err := filepath.Abs(abs)
	if err != nil {
		return err
	}
	dir, name := localfs.SplitRoot(abs)
	if l.Path, c.file = abs, name; name == "" {
		return usagef("%s is a folder, not a file", l)
	}
	c.name = cmp.Or(c.name, name)
	c.root, err = localfs.OpenRoot(dir)
	return err
}

// checkAhead is how many names may be known before their turn to be told.
const checkAhead = 4096

// finding is what a Check says of one name.
type finding struct {
	name    string
	size    int64
	outcome Outcome
	reason  string
	err     error // of OutcomeFailed
}

// pending is a finding that may come later.
type pending struct {
	finding
	later <-chan finding
}

func (c *check) run(ctx context.Context) error {
	c.meter.setPhase(PhaseListing)
	queue := make(chan pending, checkAhead)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(queue)
		return c.feed(gctx, queue)
	})
	g.Go(func() error {
		for p := range queue {
			if p.later != nil {
				select {
				case p.finding = <-p.later:
				case <-gctx.Done():
					return context.Cause(gctx)
				}
			}
			c.tell(p.finding)
		}
		return nil
	})
	err := g.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err == nil && c.meter.objectsTotal.Load() == 0 {
		c.warn(fmt.Sprintf("nothing was compared: %s and %s have no name in common or apart", c.src, c.dst))
	}
	return err
}

// feed goes through both sides in key order and has compared what a listing
// alone does not tell, several names at a time.
func (c *check) feed(ctx context.Context, queue chan<- pending) error {
	tasks, tctx := errgroup.WithContext(ctx)
	tasks.SetLimit(c.objects)
	err := func() error {
		for a, err := range c.actions(tctx) {
			if err != nil {
				return err
			}
			p, ask := c.consider(a)
			if p.outcome == "" && !ask {
				continue
			}
			c.seen(ask, p.size)
			later := make(chan finding, 1)
			if ask {
				p.later = later
			}
			select {
			case queue <- p:
			case <-tctx.Done():
				return context.Cause(tctx)
			}
			if ask {
				tasks.Go(func() error {
					var f finding
					err := c.comparison(tctx, func() (err error) {
						f, err = c.compareContent(tctx, a)
						return err
					})
					later <- f
					return err
				})
			}
		}
		c.meter.totalsKnown.Store(true)
		c.meter.setPhase(PhaseTransferring)
		return nil
	}()
	if failed := tasks.Wait(); failed != nil {
		return failed
	}
	return err
}

// actions are the names of both sides, in key order.
func (c *check) actions(ctx context.Context) iter.Seq2[action, error] {
	if c.options.Single {
		return func(yield func(action, error) bool) { yield(c.only(ctx)) }
	}
	stream := func(l Location) iter.Seq2[entry, error] {
		if l.Bucket == nil {
			return c.walk(ctx, c.root, c.options.Filter)
		}
		return c.list(ctx, l, c.options.Filter, nil)
	}
	return plan(c.chosen(stream(c.src)), unreadable(stream(c.dst)))
}

// skipUnreadable marks an entry of the destination that could not be read: plan
// passes over errors there.
const skipUnreadable = "could not be read: "

func unreadable(seq iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for e, err := range seq {
			if err != nil && e.name != "" {
				e, err = entry{name: e.name, skip: skipUnreadable + err.Error()}, nil
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// consider decides about a as far as that takes no request. A finding without
// an outcome is none; ask means that the contents must be compared.
func (c *check) consider(a action) (p pending, ask bool) {
	p.name, p.size = a.name, max(a.src.size, a.dst.size)
	say := func(o Outcome, reason string) (pending, bool) {
		p.outcome, p.reason = o, reason
		return p, false
	}
	fail := func(err error) (pending, bool) {
		p.outcome, p.err = OutcomeFailed, err
		return p, false
	}
	if err := c.unreadSource(a); err != nil {
		return fail(err)
	}
	if err := c.unreadDestination(a); err != nil {
		if a.extra && c.options.OneWay {
			return p, false
		}
		return fail(err)
	}
	switch {
	case a.extra && c.spared(a.dst), a.src.skip == reasonFiltered, c.marker(a):
		return p, false
	case a.err != nil && (!a.exists || c.options.OneWay):
		return fail(a.err)
	case a.err != nil:
		return say(OutcomeMissingSource, "")
	case a.extra && a.dst.skip != "":
		return say(OutcomeSkipped, a.dst.skip)
	case a.extra && c.options.OneWay:
		return p, false
	case a.extra:
		return say(OutcomeMissingSource, "")
	case a.src.skip != "" && (!a.exists || a.dst.skip != ""):
		return say(OutcomeSkipped, a.src.skip)
	case a.src.skip != "":
		return say(OutcomeDiffers, "at the source it is no file: "+a.src.skip)
	case a.dst.skip != "":
		return say(OutcomeDiffers, "at the destination it is no file: "+a.dst.skip)
	case !a.exists:
		return say(OutcomeMissingDestination, "")
	case a.src.size != a.dst.size:
		return say(OutcomeDiffers, sizes(a.src.size, a.dst.size))
	case c.options.SizeOnly:
		return say(OutcomeSame, "")
	case c.direction == across && !c.options.Download && len(a.src.etag) == md5HexSize && a.src.etag == a.dst.etag:
		return say(OutcomeSame, "") // the ETag of what was put whole is its MD5
	}
	return p, true
}

func sizes(a, b int64) string { return fmt.Sprintf("size: %d and %d bytes", a, b) }

// unreadSource is why nothing is known of a name at the source, nil if
// something is.
func (c *check) unreadSource(a action) error {
	if a.err != nil && !errors.Is(a.err, errUnlisted) {
		if strings.HasSuffix(a.name, "/") {
			c.blind[0] = blindSpot{a.name, a.err}
		}
		return a.err
	}
	if a.extra && !c.options.OneWay && !c.spared(a.dst) {
		return c.blind[0].covers(a.name)
	}
	return nil
}

// unreadDestination is the same of the destination.
func (c *check) unreadDestination(a action) error {
	if cause, ok := strings.CutPrefix(a.dst.skip, skipUnreadable); ok {
		err := errors.New(cause)
		if strings.HasSuffix(a.name, "/") {
			c.blind[1] = blindSpot{a.name, err}
		} else if a.extra && c.spared(a.dst) {
			return nil
		}
		return err
	}
	if !a.extra && !a.exists && a.src.skip == "" && a.err == nil {
		return c.blind[1].covers(a.name)
	}
	return nil
}

func (b blindSpot) covers(name string) error {
	if b.folder != "" && strings.HasPrefix(name, b.folder) {
		return b.err
	}
	return nil
}

// marker says whether a is an empty object that stands for a folder, of which
// a file system tells nothing.
func (c *check) marker(a action) bool {
	return c.direction != across && strings.HasSuffix(a.name, "/") && max(a.src.size, a.dst.size) == 0
}

// tell counts a finding and passes it on.
func (c *check) tell(f finding) {
	n := &c.counts
	switch f.outcome {
	case OutcomeFailed:
		n.Unreadable++
		c.fail(f.name, "check", f.err)
		return
	case OutcomeSkipped:
		c.warn(fmt.Sprintf("%s is not compared: %s", printable(f.name), f.reason))
		c.skip("check", f.name, f.reason, f.size)
		return
	case OutcomeSame:
		n.Same++
		n.SameBytes += f.size
	case OutcomeDiffers:
		n.Differ++
	case OutcomeMissingSource:
		n.MissingSource++
	case OutcomeMissingDestination:
		n.MissingDestination++
	}
	c.meter.objectsDone.Add(1)
	c.mu.Lock()
	c.report.Objects.Done++
	c.mu.Unlock()
	c.event(ObjectEvent{Key: f.name, Operation: "check", Outcome: f.outcome, Reason: f.reason, Size: f.size})
}
