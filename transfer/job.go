package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/scheduler"
)

// abortTimeout bounds clean-up after a cancelled job: an abort that takes
// longer is left to the next run.
const abortTimeout = 4 * time.Second

// Priorities of the pool: what is started goes before what is new.
const (
	priorityObject = iota // a whole small object
	priorityPiece         // a part or range of a started object
	priorityList          // a page of a listing: everything waits for it
)

// job is one run of one job: what its tasks share.
type job struct {
	*Engine
	opts    JobOptions
	id      string
	claim   *checkpoint.Claim // on where it writes to
	journal Journal
	found   bool // an earlier run left a checkpoint
	look    bool // nothing is to be changed, not even the books
	through bool // all objects were tried
	part    bool // of what an earlier run has left; its books stay

	since time.Time // what failed in this run did so then or later
	meter *meter
	log   *slog.Logger

	unlinked unlinked

	mu        sync.Mutex
	report    Report
	doneBytes int64      // of the objects that are done
	events    sync.Mutex // OnObject's
	broken    atomic.Pointer[CallbackError]
	noCRC     sync.Once
	noACL     sync.Once // warns of ACLs that may not be asked for
}

// spec is what makes a job this job and no other.
type spec struct {
	kind                string
	source, destination string
	options             map[string]string // those that shape the bytes at the destination
	look                bool              // nothing is to be changed, not even the books
	call                string            // for Resume
	part                bool              // of what is missing of the job
	claim               string            // the local path that no other job may write to at the same time
}

// begin opens the checkpoint of the job and starts its meter. Every begin is
// followed by one end.
func (e *Engine) begin(ctx context.Context, s spec, opts JobOptions) (*job, error) {
	j := &job{Engine: e, opts: opts, look: s.look, part: s.part, id: checkpoint.JobID(s.kind, s.source, s.destination, s.options)}
	j.log = e.log.With("job", j.id)
	j.report = Report{
		Version: ReportVersion, JobID: j.id, Kind: s.kind, Source: s.source, Destination: s.destination,
		Started: time.Now(), Resumable: true,
	}
	c, err := e.open(checkpoint.Job{
		ID: j.id, Kind: s.kind, Source: s.source, Destination: s.destination,
		Options: s.options, Created: j.report.Started,
	})
	if err != nil {
		return nil, stateError(e.opts.StateDir, heldError(j.id, err))
	}
	if s.claim != "" && e.opts.StateDir != "" && !s.look {
		if j.claim, err = checkpoint.NewClaim(e.opts.StateDir, s.claim); err != nil {
			giveBack := c.Close
			if !c.Resumed() {
				giveBack = c.Remove
			}
			return nil, errors.Join(claimError(j.id, s.claim, err), giveBack())
		}
	}
	if onDisk, ok := c.(*checkpoint.Checkpoint); ok {
		if aside := onDisk.SetAside(); aside != "" {
			j.warn("the checkpoint was damaged and is set aside as " + aside + "; the job starts over, and what it had begun is not known: a GC of the bucket finds uploads that are left, Adopt goes on with them")
		}
		if info, err := os.Stat(e.opts.StateDir); err == nil && runtime.GOOS != "windows" && info.Mode()&0o022 != 0 {
			j.warn("other users can write to the folder of the checkpoints, " + printable(e.opts.StateDir) + "; make it yours alone with chmod 700")
		}
	}
	j.journal, j.found = c, c.Resumed()
	j.report.Resumed = j.found && c.Job().State != string(StateDone)
	if !j.look && !j.part {
		books := context.WithoutCancel(ctx) // a job that is cancelled now has a report
		if err := errors.Join(c.ClearFailures(books), c.SetState(books, stateRunning, e.withSizes(s.call))); err != nil {
			return nil, errors.Join(err, c.Close(), j.claim.Release())
		}
	}
	if opts.OnStart != nil {
		j.callback("OnStart", func() { opts.OnStart(j.id, j.report.Resumed) })
	}
	j.meter = startMeter(j)
	return j, nil
}

// stateRunning is the state of a job whose process has it open, or died.
const stateRunning = "running"

// end settles the job's books. err is what stopped the job as a whole, nil if
// it went through. keep says that the checkpoint has a use after success.
func (j *job) end(ctx context.Context, err error, keep bool) (*Report, error) {
	interrupted := err != nil && ctx.Err() != nil
	if interrupted {
		err = context.Cause(ctx)
	}
	j.mu.Lock()
	if err == nil {
		err = j.report.incomplete()
	}
	j.mu.Unlock()
	if err == nil {
		err = j.brokenBy()
	}
	removed := err == nil && !keep || j.look && !j.found || j.mistyped(err)
	if removed {
		err = errors.Join(err, j.journal.Remove())
	} else {
		err = errors.Join(err, j.close(ctx, err, interrupted))
	}
	err = errors.Join(err, j.claim.Release())
	last := j.meter.stop()
	if broken := j.brokenBy(); broken != nil && !errors.Is(err, broken) {
		err = errors.Join(err, broken) // OnProgress's last call
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	r := &j.report
	r.Finished = time.Now()
	r.Bytes = ByteCounts{Done: last.BytesDone - j.meter.bytesLost.Load(), Resumed: last.BytesResumed}
	r.Retries = last.Retries
	r.State = endState(err, interrupted)
	switch {
	case err == nil:
	case !interrupted:
		r.Bytes.Done = j.doneBytes
	}
	if err == nil || removed {
		r.Resumable = false
	}
	r.Bytes.Resumed = min(r.Bytes.Resumed, r.Bytes.Done)
	if err != nil {
		r.Error = err.Error()
	}
	out := *r
	return &out, err
}

// mistyped says that the job has found no source and has begun nothing: there is
// nothing to go on with.
func (j *job) mistyped(err error) bool {
	if j.found || j.look || j.meter.bytesDone.Load() > 0 || !gone(err) && !errors.Is(err, ErrNoMatch) && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for range j.journal.Objects() {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report.Objects.Done == 0 && j.report.Objects.Failed <= 1
}

// endState is how a job has ended that err has stopped, nil if it went through.
func endState(err error, interrupted bool) State {
	switch {
	case err == nil:
		return StateDone
	case errors.Is(err, ErrIncomplete):
		return StateIncomplete
	case errors.Is(err, ErrParked), !interrupted && errors.Is(err, oss.ErrSecurityTokenExpired):
		return StateParked
	case interrupted:
		return StateInterrupted
	}
	return StateFailed
}

// close gives the checkpoint back, with a note of how the job has ended. What a
// job died of is only for people to read: where it cannot be written, it is lost.
func (j *job) close(ctx context.Context, cause error, interrupted bool) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	switch state := string(endState(cause, interrupted)); {
	case j.look:
	case cause == nil:
		err = j.journal.SetState(ctx, state, "")
	case j.part:
	default:
		if lost := j.journal.SetState(ctx, state, j.stopped(cause)); lost != nil {
			j.log.Warn("how the job ended is not recorded", "err", lost)
		}
	}
	return errors.Join(err, j.journal.Close())
}

// stopped is the spec of the job with what has stopped it, "" if it has no spec.
func (j *job) stopped(cause error) string {
	var c call
	if err := json.Unmarshal([]byte(j.journal.Job().Spec), &c); err != nil {
		return ""
	}
	c.Through = j.through
	if !errors.Is(cause, ErrIncomplete) && cause != context.Canceled { //nolint:errorlint // one with a cause of its own says more
		text := oneLine(cause.Error())
		c.Stopped = strings.ToValidUTF8(text[:min(len(text), maxStopped)], "")
	}
	b, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return string(b)
}

// maxStopped bounds what a checkpoint keeps of the reason why a job stopped, in
// bytes.
const maxStopped = 1024

// do runs fn, which does op to name, through the pool as one piece.
func (j *job) do(ctx context.Context, op, name string, priority int, fn func(ctx context.Context, attempt int) error) error {
	return j.try(ctx, op+" "+printable(name), priority, func(ctx context.Context, attempt int) error {
		if attempt > 1 {
			j.meter.retries.Add(1)
		}
		j.step(Step{Op: op, Name: name})
		err := fn(ctx, attempt)
		switch {
		case err == nil:
			j.step(Step{Op: op, Name: name, Done: true})
		case judge(err).Action == scheduler.SlowDown:
			j.meter.throttled.Add(1)
		}
		return err
	})
}

// try runs fn through the pool as one piece.
func (e *Engine) try(ctx context.Context, name string, priority int, fn func(ctx context.Context, attempt int) error) error {
	renewed := false
	return e.pool.Do(ctx, scheduler.Task{
		Name: name, Priority: priority, Bytes: bufferSize,
		Run: func(ctx context.Context, attempt int) error {
			err := fn(ctx, attempt)
			if err != nil && !renewed && oss.Classify(err) == oss.ClassExpired {
				renewed = true
				return &expiredError{err}
			}
			return err
		},
	})
}

// expiredError is the first refusal of a piece's credentials: the next try may
// have renewed ones.
type expiredError struct{ err error }

func (e *expiredError) Error() string { return e.err.Error() }
func (e *expiredError) Unwrap() error { return e.err }

// blame counts the one object of a job as failed, unless the job was stopped
// or only waits for new credentials.
func (j *job) blame(ctx context.Context, key, operation string, err error) {
	if err != nil && ctx.Err() == nil && oss.Classify(err) != oss.ClassExpired {
		j.fail(key, operation, err)
	}
}

// done counts an object that is at its destination, proven and recorded.
func (j *job) done(operation, key, reason string, size int64) {
	j.meter.objectsDone.Add(1)
	j.mu.Lock()
	j.report.Objects.Done++
	j.doneBytes += size
	j.mu.Unlock()
	j.log.Debug("done", "op", operation, "key", key, "bytes", size)
	j.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomeDone, Reason: reason, Size: size})
}

// skip counts an object that needs nothing.
func (j *job) skip(operation, key, reason string, size int64) {
	j.meter.objectsSkipped.Add(1)
	j.mu.Lock()
	j.report.Objects.Skipped++
	j.mu.Unlock()
	j.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomeSkipped, Reason: reason, Size: size})
}

// fail counts an object that could not be done.
func (j *job) fail(key, operation string, err error) {
	f := newFailure(key, operation, err)
	j.meter.objectsFailed.Add(1)
	j.mu.Lock()
	j.report.Objects.Failed++
	switch {
	case errors.Is(err, ErrStale):
		j.report.Objects.Stale++
	case errors.Is(err, ErrChanged):
		j.report.Objects.Changed++
	}
	if len(j.report.Failures) < MaxFailures {
		j.report.Failures = append(j.report.Failures, f)
	}
	j.mu.Unlock()
	j.log.Error("failed", "op", operation, "key", key, "err", err)
	at := time.Now()
	if at.Before(j.since) { // somebody has set the clock
		at = j.since
	}
	if !j.look {
		if err := j.journal.Fail(f.record(at)); err != nil {
			j.log.Error("failure not recorded", "key", key, "err", err)
		}
	}
	j.event(ObjectEvent{Key: key, Operation: operation, Outcome: OutcomeFailed, Reason: f.Cause, Failure: &f})
}

// warn adds a line to the report that fails nothing.
func (j *job) warn(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.report.Warnings) < MaxFailures {
		j.report.Warnings = append(j.report.Warnings, text)
	}
}

// unconfirmed warns, once, of a service that sends no CRC-64.
func (j *job) unconfirmed(has bool) {
	if !has {
		j.noCRC.Do(func() {
			j.warn("the service sends no CRC-64: what arrived is checked by its length only")
		})
	}
}

func (j *job) event(e ObjectEvent) {
	if j.opts.OnObject == nil {
		return
	}
	j.events.Lock()
	defer j.events.Unlock()
	j.callback("OnObject", func() { j.opts.OnObject(e) })
}

// seen counts an object into the totals.
func (j *job) seen(transfer bool, size int64) {
	j.meter.objectsTotal.Add(1)
	if transfer {
		j.meter.bytesTotal.Add(size)
	}
	j.mu.Lock()
	j.report.Objects.Total++
	j.mu.Unlock()
}

// tempName is the temporary name for key in this job and with this state
// folder: a later run finds and replaces what a killed one left, and two runs
// that the lock of no checkpoint keeps apart do not meet in one file.
func (j *job) tempName(key string) string {
	return localfs.OwnedTempName(j.owner(), key)
}

// owner is who the temporary files of this job belong to.
func (j *job) owner() string { return j.id + "\x00" + j.Engine.place }

// location is l as a job's id names it: the same for every way to write it.
func (o JobOptions) location(l Location) string {
	if l.Bucket == nil {
		return l.whole()
	}
	service := cmp.Or(o.Service, l.Bucket.Client().Endpoint())
	return "oss://" + l.Bucket.Name() + "/" + l.whole() + " at " + service
}

// shape lists the options that shape the result. The part size is none of
// them: a job with another one is found again, and each object under way starts
// anew with its old upload aborted.
func shape(h oss.ObjectHeaders, sides ...Location) map[string]string {
	m := map[string]string{}
	for _, l := range sides {
		if l.Keys != nil {
			m["keys"] = "client"
		}
	}
	for name, value := range map[string]string{
		"acl": h.ACL, "storage-class": h.StorageClass, "content-type": h.ContentType, "tagging": h.Tagging,
		"encryption": h.ServerSideEncryption, "cache-control": h.CacheControl, "content-disposition": h.ContentDisposition,
		"content-encoding": h.ContentEncoding, "content-language": h.ContentLanguage, "expires": h.Expires,
	} {
		if value != "" {
			m[name] = value
		}
	}
	for name, value := range h.Meta {
		m["meta-"+strings.ToLower(name)] = value
	}
	return m
}

// fatal says whether err will meet every other object as well, so that the job
// stops in place of failing them one by one.
func fatal(err error) bool {
	if _, ok := errors.AsType[*checkpoint.WriteError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*planWriteError](err); ok {
		return true
	}
	for _, target := range []error{
		oss.ErrNoSuchBucket, oss.ErrInvalidAccessKeyID, oss.ErrSignatureDoesNotMatch, scheduler.ErrClosed,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return oss.Classify(err) == oss.ClassExpired || diskFull(err) ||
		errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// doneBefore says whether an earlier run of this job, which did not end, had
// done the one object it is about, and neither side was changed since. same
// compares what was recorded with what there is.
func (j *job) doneBefore(name string, same func(checkpoint.Settled) (bool, error)) (bool, error) {
	if !j.report.Resumed {
		return false, nil
	}
	settled, known, err := j.journal.Settled(name)
	if !known || err != nil {
		return false, err
	}
	return same(settled)
}

// wrapObject names the object in an error that does not.
func wrapObject(operation, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", operation, printable(key), err)
}
