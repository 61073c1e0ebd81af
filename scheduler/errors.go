package scheduler

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by [Pool.Do] for a task that could not start, or start
// again, because the pool is closed.
var ErrClosed = errors.New("scheduler: pool is closed")

// AttemptsError is the failure of a task that ran more than once. A task that
// failed at its first attempt returns its own error instead.
type AttemptsError struct {
	Name     string // of the task, may be empty
	Attempts int    // how often it ran, at least 2
	Err      error  // the error of the last attempt
}

// Error names the task, how often it ran, and the last error.
func (e *AttemptsError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("after %d attempts: %v", e.Attempts, e.Err)
	}
	return fmt.Sprintf("%s: after %d attempts: %v", e.Name, e.Attempts, e.Err)
}

// Unwrap returns the error of the last attempt.
func (e *AttemptsError) Unwrap() error { return e.Err }

// PanicError is a panic of Task.Run, Options.Judge or Options.OnRetry, caught
// by the pool. The task is not tried again.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that panicked, as debug.Stack prints it
}

// Error shows the value only. The stack is for a log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
