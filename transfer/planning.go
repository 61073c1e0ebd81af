package transfer

import (
	"context"
	"errors"
	"io"
)

// Plan writes to w what Sync would do, for Apply to do it later: a line of JSON
// for each action, with its reason and what was seen of both sides, as they are
// found. opts are those of Sync; nothing is transferred or deleted. The plan is
// whole only if the error is nil or matches ErrIncomplete, which is that of
// names that could not be looked at: they are not in it.
//
// What stands in the way of deleting is an UnsafeError, as it is for Sync.
func (e *Engine) Plan(ctx context.Context, src, dst Location, w io.Writer, opts *SyncOptions) (*Report, error) {
	var o SyncOptions
	if opts != nil {
		o = *opts
	}
	o.DryRun = true
	t, err := e.newTree(ctx, src, dst, &o, "sync")
	if err != nil {
		return nil, err
	}
	defer t.close()
	t.plan = newPlanWriter(w)
	c := t.call
	c.Service, c.Adopt, c.PartSize, c.Threshold = o.Service, o.Adopt, e.opts.PartSize, e.opts.MultipartThreshold
	err = t.plan.line(planHeader{
		Version: PlanVersion, Type: "plan", Operation: t.report.Kind, Source: t.report.Source, Destination: t.report.Destination,
		Options: t.shape, Job: t.id, Created: t.report.Started, Call: c,
	})
	if err == nil {
		err = t.run(ctx)
	}
	report, err := t.finish(ctx, err)
	if err != nil && !errors.Is(err, ErrIncomplete) {
		return report, err
	}
	if end := t.plan.end(*report.Plan); end != nil {
		report.State, report.Error = StateFailed, end.Error()
		return report, errors.Join(err, end)
	}
	return report, err
}

// Actions of a plan.
const (
	actionPut    = "put"
	actionGet    = "get"
	actionCopy   = "copy"
	actionDelete = "delete"
	actionRemove = "remove" // a source that is at the destination already
)

func actionOf(d direction) string {
	return [...]string{up: actionPut, down: actionGet, across: actionCopy}[d]
}

// Reasons to do something.
const (
	reasonNew      = "new"
	reasonSize     = "size differs"
	reasonTime     = "time differs"
	reasonContent  = "content differs"
	reasonUpdated  = "newer"
	reasonTouched  = "changed since it was last the same"
	reasonReplaced = "replaced"
	reasonCopied   = "copied" // without a look at the destination
	reasonExtra    = "not at the source"
)

// why says for what reason an action is to be carried out.
func (t *tree) why(a action) string {
	switch {
	case !a.looked && !a.exists && t.compare == CompareNone:
		return reasonCopied
	case !a.exists:
		return reasonNew
	case t.compare == CompareNone:
		return reasonReplaced
	case t.compare == CompareUpdate:
		return reasonUpdated
	case a.src.size != a.dst.size:
		return reasonSize
	case a.ask && (t.compare == CompareChecksum || t.direction == across):
		return reasonContent
	case a.ask:
		return reasonTime
	}
	return reasonTouched
}

// planTransfer tells of a transfer that would be, when it is its turn.
func (t *tree) planTransfer(ctx context.Context, a action) error {
	operation, key, size := t.describe(a)
	if t.direction == down {
		if err := t.options.Files.checkName(a.name, size == 0); err != nil {
			return err
		}
	}
	if a.src.link {
		var err error
		if a.src.target, err = t.sourceTarget(ctx, a.name); err != nil {
			return err
		}
	}
	a.turn.wait()
	line := planLine{Type: "action", Action: actionOf(t.direction), Name: a.name, Reason: t.why(a), Size: size, Moves: t.options.RemoveSource, Source: a.src.seen()}
	if a.exists {
		line.Destination = a.dst.seen()
	}
	t.planned.transfer(t, a)
	t.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomePlanned, Reason: line.Reason, Size: size})
	return t.plan.action(line)
}

// planRemoval tells of a source that would be removed. Where it is transferred
// first, the line of that says so.
func (t *tree) planRemoval(ctx context.Context, a action, key string) error {
	a.turn.wait()
	t.planned.moved(t, a)
	t.event(ObjectEvent{Key: key, Operation: "remove", Outcome: OutcomePlanned, Size: a.src.size})
	if !a.same {
		return nil
	}
	if a.src.link {
		var err error
		if a.src.target, err = t.sourceTarget(ctx, a.name); err != nil {
			return err
		}
	}
	return t.plan.action(planLine{Type: "action", Action: actionRemove, Name: a.name, Reason: reasonSame, Size: a.src.size, Source: a.src.seen(), Destination: a.dst.seen()})
}

// planDelete tells of a name that would be removed from the destination.
func (t *tree) planDelete(e extra) error {
	there := e.entry()
	t.planned.remove(t, there)
	t.event(ObjectEvent{Key: t.extraKey(e), Operation: "delete", Outcome: OutcomePlanned, Reason: reasonExtra, Size: e.Size})
	return t.plan.action(planLine{Type: "action", Action: actionDelete, Name: e.Name, Reason: reasonExtra, Size: e.Size, Destination: there.seen()})
}

// queue hands out turns.
type queue struct{ last chan struct{} }

// next is the turn after the one before.
func (q *queue) next() turn {
	t := turn{before: q.last, done: make(chan struct{})}
	q.last = t.done
	return t
}

// turn is one task's in a row of tasks that run at once and are started in
// their order. The zero value waits for nobody.
type turn struct {
	before <-chan struct{} // closed when it is this one's turn; nil for the first
	done   chan struct{}
}

// wait returns when all before have ended.
func (t turn) wait() {
	if t.before != nil {
		<-t.before
	}
}

// end gives the turn to the next.
func (t turn) end() {
	if t.done != nil {
		t.wait()
		close(t.done)
	}
}
