package transfer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
)

// publisher gives finished temporary files their names. It takes what has
// gathered while it was busy as one group, so that many small files share one
// sync of their folder, and the writes of their own.
type publisher struct {
	job   *job
	root  *localfs.Root
	queue chan finished
	names *claims // of a tree; else nil
	gone  sync.WaitGroup
}

// finished is a temporary file that is complete, synced or not.
type finished struct {
	name, temp string
	file       *localfs.Temp // sealed by the publisher where it is not; nil for a link
	guard      guard
	settled    checkpoint.Settled // Dest is filled in by the publisher
	answer     chan<- error
}

// publishGroup bounds a group, and with it what a crash between rename and
// record makes us fetch again.
const publishGroup = 256

func startPublisher(j *job, root *localfs.Root) *publisher {
	p := &publisher{job: j, root: root, queue: make(chan finished, publishGroup)}
	p.gone.Go(p.run)
	return p
}

// stop waits until everything handed over has its answer. No publish may
// follow.
func (p *publisher) stop() {
	close(p.queue)
	p.gone.Wait()
}

// publish returns once the file has its name for good. It does not watch ctx:
// a group takes milliseconds, and its answer must not be lost.
func (p *publisher) publish(_ context.Context, f finished) error {
	answer := make(chan error, 1)
	f.answer = answer
	p.queue <- f
	return <-answer
}

func (p *publisher) run() {
	for first := range p.queue {
		group := append(make([]finished, 0, publishGroup), first)
	gather:
		for len(group) < publishGroup {
			select {
			case f, ok := <-p.queue:
				if !ok {
					break gather
				}
				group = append(group, f)
			default:
				break gather
			}
		}
		p.publishGroup(group)
	}
}

func (p *publisher) publishGroup(group []finished) {
	group = p.seal(group)
	renamed := group[:0]
	names := make([]string, 0, len(group))
	for _, f := range group {
		err := p.names.check(p.root, f.name)
		if err == nil {
			err = f.guard.undisturbedFile(p.root, f.name)
		}
		if err == nil {
			f.settled.Dest, err = p.rename(f)
		}
		if err != nil {
			p.refuse(f, err)
			continue
		}
		p.names.take(p.root, f.name)
		renamed = append(renamed, f)
		names = append(names, f.name)
	}
	err := p.root.SyncDirs(names...)
	for _, f := range renamed {
		if err != nil {
			f.answer <- err
			continue
		}
		f.answer <- p.settle(f)
	}
}

// sealers is how many files are waited for at once: a disk that is busy answers
// many as soon as one.
const sealers = 16

// seal makes the files of the group durable that are not yet, and returns those
// that are.
func (p *publisher) seal(group []finished) []finished {
	for _, f := range group {
		if f.file != nil && !f.file.Sealed() {
			f.file.StartSync()
		}
	}
	errs := make([]error, len(group))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(sealers, len(group)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(group)); i = next.Add(1) - 1 {
				if f := group[i]; f.file != nil && !f.file.Sealed() {
					errs[i] = f.file.Seal()
				}
			}
		})
	}
	all.Wait()
	sealed := group[:0]
	for i, f := range group {
		if errs[i] != nil {
			p.refuse(f, errs[i])
			continue
		}
		sealed = append(sealed, f)
	}
	return sealed
}

// refuse ends a file that could not be published.
func (p *publisher) refuse(f finished, err error) {
	if errors.Is(err, localfs.ErrReplaced) {
		f.answer <- err // what is there is not ours to remove
		return
	}
	if rmErr := p.root.RemoveTemp(f.name, f.temp); rmErr != nil {
		p.job.log.Warn("temporary file not removed", "name", f.name, "err", rmErr)
	}
	f.answer <- err
}

// rename gives the file its name, and tells what has it: not what somebody else
// has made of it since.
func (p *publisher) rename(f finished) (checkpoint.Identity, error) {
	var (
		id  localfs.Identity
		err error
	)
	if f.file != nil {
		id, err = p.root.PublishTemp(f.name, f.temp, f.file)
	} else {
		id, err = p.root.PublishStat(f.name, f.temp)
	}
	return sourceIdentity(id), err
}

func (p *publisher) settle(f finished) error {
	f.settled.At = time.Now()
	return p.job.journal.Settle(f.settled)
}
