package transfer

import (
	"context"
	"iter"

	"github.com/osssync/osssync/checkpoint"
)

// journal is what the engine needs of a checkpoint; *checkpoint.Checkpoint is
// one.
type journal interface {
	Object(key string) (checkpoint.Object, bool, error)
	Objects() iter.Seq2[checkpoint.Object, error]
	PutObject(ctx context.Context, o checkpoint.Object) error
	AddPart(key string, p checkpoint.Part) error
	Parts(key string) ([]checkpoint.Part, error)
	DropParts(ctx context.Context, key string, numbers ...int) error
	Forget(ctx context.Context, key string) error
	Settle(s checkpoint.Settled) error
	Settled(key string) (checkpoint.Settled, bool, error)
	ClearSettled(ctx context.Context) error
	Fail(f checkpoint.Failure) error
	SetState(ctx context.Context, state, spec string) error
	Flush(ctx context.Context) error
	Close() error
	Remove() error
}

var _ journal = (*checkpoint.Checkpoint)(nil)

// noJournal remembers nothing: every object starts anew.
type noJournal struct{}

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
func (noJournal) SetState(context.Context, string, string) error               { return nil }
func (noJournal) Flush(context.Context) error                                  { return nil }
func (noJournal) Close() error                                                 { return nil }
func (noJournal) Remove() error                                                { return nil }
