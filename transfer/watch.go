package transfer

import "github.com/osssync/osssync/internal/localfs"

// Step is something an engine does that outlives its process, or asks a server:
// a try of a request, a transaction of the checkpoint, an operation on a file.
// It is reported twice, before it, and with Done set after it has succeeded.
type Step struct {
	// Op names the kind: a request ("put", "initiate", "part", "list parts",
	// "complete", "abort", "copy", "head", "get", "range", "list", …), "prove"
	// for the reading back of what an earlier run did, "checkpoint create",
	// "checkpoint commit" or "checkpoint remove", or "file" with what is done
	// to it: "file create", "file write", "file sync data", "file sync",
	// "file rename", "file sync folder", "file remove", "file make folder".
	Op   string
	Name string // a key, a path; "" for the checkpoint
	To   string // the new path of a "file rename"
	Done bool
}

// step tells whoever watches.
func (e *Engine) step(s Step) {
	if e.opts.Watch != nil {
		e.opts.Watch(s)
	}
}

// watchCheckpoint and watchFiles pass the steps of other packages on; nil and
// nothing if nobody watches.
func (e *Engine) watchCheckpoint() func(op string, done bool) {
	if e.opts.Watch == nil {
		return nil
	}
	return func(op string, done bool) { e.step(Step{Op: "checkpoint " + op, Done: done}) }
}

func (e *Engine) watchFiles(r *localfs.Root) {
	if e.opts.Watch != nil {
		r.Watch(func(s localfs.Step) {
			e.step(Step{Op: "file " + s.Op, Name: s.Path, To: s.To, Done: s.Done})
		})
	}
}
