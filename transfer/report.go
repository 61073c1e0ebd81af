package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/scheduler"
)

// ReportVersion is the version of the Report's JSON form. A field may be added
// within a version; none changes its meaning.
const ReportVersion = 1

// State is how a job ended.
type State string

// The states of a job that has ended.
const (
	StateDone        State = "done"        // everything is at its destination, verified
	StateIncomplete  State = "incomplete"  // went through, some objects failed
	StateInterrupted State = "interrupted" // cancelled; can go on
	StateParked      State = "parked"      // its credentials ended, or it came to a bound of its caller's (ErrParked); can go on
	StateFailed      State = "failed"      // ended as a whole; can go on when the cause is gone
)

// Report says what a job did. It is complete: what is in no counter did not
// happen.
type Report struct {
	Version     int       `json:"version"`
	JobID       string    `json:"job"`
	Kind        string    `json:"kind"` // "upload", "download", "copy", "append", "sync", "move", "delete", "check", "apply"
	Source      string    `json:"source"`
	Destination string    `json:"destination,omitempty"`
	State       State     `json:"state"`
	Error       string    `json:"error,omitempty"`
	Resumed     bool      `json:"resumed"` // goes on with a run that did not end
	Resumable   bool      `json:"resumable"`
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished"`

	Objects ObjectCounts `json:"objects"`
	Bytes   ByteCounts   `json:"bytes"`
	Retries int64        `json:"retries"`

	// Check has the findings of a Check, whose Objects.Done counts what was
	// compared and Objects.Failed what could not be read.
	Check *CheckCounts `json:"check,omitempty"`

	// Plan sums up what a dry run, or an Engine.Plan, says would be done.
	Plan *PlanCounts `json:"plan,omitempty"`

	// Failures lists the failed objects, at most MaxFailures; Objects.Failed
	// has their true number, and the checkpoint has them all.
	Failures []Failure `json:"failures,omitempty"`

	// Left is what is missing of the job besides, after a Resume of a Part; nil
	// if nothing is.
	Left *Left `json:"left,omitempty"`

	// Warnings are things a person should know that failed nothing.
	Warnings []string `json:"warnings,omitempty"`
}

// MaxFailures bounds Report.Failures and Report.Warnings.
const MaxFailures = 1000

// ObjectCounts counts objects by their outcome.
type ObjectCounts struct {
	Total   int64 `json:"total"`
	Done    int64 `json:"done"`
	Skipped int64 `json:"skipped"`
	Failed  int64 `json:"failed"`            // what a Resume of a Part has left included
	Changed int64 `json:"changed"`           // of the failed: their source moved, or their destination
	Stale   int64 `json:"stale,omitempty"`   // of the failed: not as the plan had seen them
	Deleted int64 `json:"deleted"`           // of the done: removed at the destination
	Removed int64 `json:"removed,omitempty"` // of a move: at the source, after they were done or found to be
}

// ByteCounts counts bytes of objects.
type ByteCounts struct {
	Done    int64 `json:"done"`    // at their destination, resumed ones included; of an interrupted job, also pieces of objects under way
	Resumed int64 `json:"resumed"` // proven to be there from an earlier run
}

// Elapsed is the time the job took.
func (r *Report) Elapsed() time.Duration { return r.Finished.Sub(r.Started) }

// Failure says why one object could not be done.
type Failure struct {
	Key       string `json:"key"`
	Operation string `json:"operation"`
	Cause     string `json:"cause"`
	Status    int    `json:"status,omitempty"` // HTTP
	Code      string `json:"code,omitempty"`   // of OSS
	RequestID string `json:"request_id,omitempty"`
	Attempts  int    `json:"attempts"`
	Retryable bool   `json:"retryable"` // whether trying again may help
}

// String is the failure in one line.
func (f Failure) String() string {
	return fmt.Sprintf("%s %s: %s", f.Operation, printable(f.Key), f.Cause)
}

// newFailure takes from err what a report needs.
func newFailure(key, operation string, err error) Failure {
	f := Failure{Key: key, Operation: operation, Cause: oneLine(err.Error()), Attempts: 1}
	if attempts, ok := errors.AsType[*scheduler.AttemptsError](err); ok {
		f.Attempts = attempts.Attempts
	}
	if server, ok := errors.AsType[*oss.ServerError](err); ok {
		f.Status, f.Code, f.RequestID = server.Status, server.Code, server.RequestID
	}
	f.Retryable = judge(err).Action != scheduler.Stop || errors.Is(err, ErrChanged) && !errors.Is(err, ErrStale)
	return f
}

// record is the failure as the checkpoint keeps it.
func (f Failure) record(at time.Time) checkpoint.Failure {
	return checkpoint.Failure{
		Key: f.Key, Operation: f.Operation, Cause: f.Cause, Status: f.Status, Code: f.Code,
		RequestID: f.RequestID, Attempts: f.Attempts, Retryable: f.Retryable, At: at,
	}
}

// failureOf is the failure that the checkpoint has kept.
func failureOf(f checkpoint.Failure) Failure {
	return Failure{
		Key: f.Key, Operation: f.Operation, Cause: f.Cause, Status: f.Status, Code: f.Code, RequestID: f.RequestID,
		Attempts: f.Attempts, Retryable: f.Retryable,
	}
}
