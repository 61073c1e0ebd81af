package transfer

import (
	"fmt"
	"io"
	"runtime/debug"
)

// CallbackError says that something of the caller's panicked: OnStart,
// OnProgress, OnObject or OnGarbage, or the reader or writer of a stream. The job
// has ended as after any other error, its lock given back; no callback was called
// again.
type CallbackError struct {
	Name  string // "OnObject", "Read", …
	Value any    // of the panic
	Stack []byte // where it happened
}

func (e *CallbackError) Error() string { return fmt.Sprintf("%s panicked: %v", e.Name, e.Value) }

// contain calls fn, which is the caller's.
func contain(name string, fn func()) (broken *CallbackError) {
	defer func() {
		if v := recover(); v != nil {
			broken = &CallbackError{Name: name, Value: v, Stack: debug.Stack()}
		}
	}()
	fn()
	return nil
}

// callback calls fn, a callback of that name. After one that panicked it calls
// none.
func (j *job) callback(name string, fn func()) {
	if j.broken.Load() != nil {
		return
	}
	if err := contain(name, fn); err != nil {
		j.broken.CompareAndSwap(nil, err)
		j.log.Error("a callback panicked", "err", err, "stack", string(err.Stack))
	}
}

// brokenBy is the callback that panicked, nil if none has.
func (j *job) brokenBy() error {
	if err := j.broken.Load(); err != nil {
		return err
	}
	return nil
}

// callersReader, callersWriter and callersAt are the caller's, which may panic;
// those that write mark their errors.
type (
	callersReader struct{ r io.Reader }
	callersWriter struct{ w io.Writer }
	callersAt     struct{ w io.WriterAt }
)

func (c callersReader) Read(p []byte) (n int, err error) {
	if broken := contain("Read", func() { n, err = c.r.Read(p) }); broken != nil {
		return 0, broken
	}
	return n, err
}

func (c callersWriter) Write(p []byte) (n int, err error) {
	if broken := contain("Write", func() { n, err = c.w.Write(p) }); broken != nil {
		return 0, broken
	}
	return n, err
}

func (c callersAt) WriteAt(p []byte, off int64) (n int, err error) {
	if broken := contain("WriteAt", func() { n, err = c.w.WriteAt(p, off) }); broken != nil {
		n, err = 0, broken
	}
	if err != nil {
		err = &writerError{err}
	}
	return n, err
}
