package transfer

import (
	"context"
	"iter"

	"github.com/osssync/osssync/checkpoint"
)

// Journal is what an Engine needs of the checkpoint of one job, whose records
// package checkpoint explains. *checkpoint.Checkpoint is one on disk,
// *checkpoint.InMemory one that dies with the process. Methods are called from
// many goroutines at once.
//
// What takes a context is durable when it returns; what does not may wait for
// Flush, Close, or a moment of its own choosing.
type Journal interface {
	// Job is the header of the first run, with the last state set. Resumed
	// says whether there was an earlier run.
	Job() checkpoint.Job
	Resumed() bool
	SetState(ctx context.Context, state, spec string) error

	// Objects in flight, and their parts.
	Object(key string) (checkpoint.Object, bool, error)
	Objects() iter.Seq2[checkpoint.Object, error]
	PutObject(ctx context.Context, o checkpoint.Object) error
	AddPart(key string, p checkpoint.Part) error
	Parts(key string) ([]checkpoint.Part, error)
	DropParts(ctx context.Context, key string, numbers ...int) error
	Forget(ctx context.Context, key string) error

	// Objects that are done, and those that are not.
	Settle(s checkpoint.Settled) error
	Settled(key string) (checkpoint.Settled, bool, error)
	ClearSettled(ctx context.Context) error
	Fail(f checkpoint.Failure) error
	Failure(key string) (checkpoint.Failure, bool, error)
	Failures() iter.Seq2[checkpoint.Failure, error]
	DropFailure(key string) error
	ClearFailures(ctx context.Context) error

	// What is about to be done to the destination, for Undo.
	PutChange(ctx context.Context, c checkpoint.Change) error
	Changes() iter.Seq2[checkpoint.Change, error]
	DropChange(key string) error
	ClearChanges(ctx context.Context) error

	// Flush makes everything durable. Close does, and gives the job up;
	// Remove forgets it.
	Flush(ctx context.Context) error
	Close() error
	Remove() error
}

var (
	_ Journal = (*checkpoint.Checkpoint)(nil)
	_ Journal = (*checkpoint.InMemory)(nil)
	_ Journal = noJournal{}
)

// open opens the journal of a job: the caller's, the state folder's, or one
// that is gone with the call.
func (e *Engine) open(job checkpoint.Job) (Journal, error) {
	switch {
	case e.opts.OpenJournal != nil:
		return e.opts.OpenJournal(job)
	case e.opts.StateDir != "":
		c, err := checkpoint.Open(e.opts.StateDir, job, &checkpoint.Options{
			Logger: e.log, Unsafe: e.opts.AllowNetworkState, Watch: e.watchCheckpoint(),
		})
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return noJournal{job}, nil
}

// withoutState is the engine for a job that nothing can go on with.
func (e *Engine) withoutState() *Engine {
	w := *e
	w.opts.StateDir, w.opts.OpenJournal = "", nil
	return &w
}

// noJournal remembers nothing: every object starts anew.
type noJournal struct{ job checkpoint.Job }

func (n noJournal) Job() checkpoint.Job                                      { return n.job }
func (noJournal) Resumed() bool                                              { return false }
func (noJournal) ClearFailures(context.Context) error                        { return nil }
func (noJournal) Object(string) (o checkpoint.Object, found bool, err error) { return }
func (noJournal) Objects() iter.Seq2[checkpoint.Object, error] {
	return func(func(checkpoint.Object, error) bool) {}
}
func (noJournal) PutObject(context.Context, checkpoint.Object) error           { return nil }
func (noJournal) AddPart(string, checkpoint.Part) error                        { return nil }
func (noJournal) Parts(string) ([]checkpoint.Part, error)                      { return nil, nil }
func (noJournal) DropParts(context.Context, string, ...int) error              { return nil }
func (noJournal) Forget(context.Context, string) error                         { return nil }
func (noJournal) Settle(checkpoint.Settled) error                              { return nil }
func (noJournal) Settled(string) (s checkpoint.Settled, found bool, err error) { return }
func (noJournal) ClearSettled(context.Context) error                           { return nil }
func (noJournal) Fail(checkpoint.Failure) error                                { return nil }
func (noJournal) Failure(string) (f checkpoint.Failure, found bool, err error) { return }
func (noJournal) Failures() iter.Seq2[checkpoint.Failure, error] {
	return func(func(checkpoint.Failure, error) bool) {}
}
func (noJournal) DropFailure(string) error                           { return nil }
func (noJournal) SetState(context.Context, string, string) error     { return nil }
func (noJournal) PutChange(context.Context, checkpoint.Change) error { return nil }
func (noJournal) Changes() iter.Seq2[checkpoint.Change, error] {
	return func(func(checkpoint.Change, error) bool) {}
}
func (noJournal) DropChange(string) error            { return nil }
func (noJournal) ClearChanges(context.Context) error { return nil }
func (noJournal) Flush(context.Context) error        { return nil }
func (noJournal) Close() error                       { return nil }
func (noJournal) Remove() error                      { return nil }
