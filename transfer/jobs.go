package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
)

// States of a job in the StateDir, besides those of a job that has ended.
const (
	StateRunning State = "running" // a process has it open
	StateNew     State = "new"     // nothing was begun: what a dry run that was killed leaves
	StateDamaged State = "damaged" // its checkpoint cannot be trusted and will start over
	StateNewer   State = "newer"   // a newer release wrote its checkpoint
)

// JobStates are all that a JobInfo can have.
func JobStates() []State {
	return []State{StateRunning, StateInterrupted, StateParked, StateFailed, StateIncomplete, StateDone, StateNew, StateDamaged, StateNewer}
}

// JobInfo is what the StateDir knows of a job.
type JobInfo struct {
	ID string

	// Kind is that of Report. It, Source and Destination are "" if the
	// checkpoint cannot be read; Err then has the reason.
	Kind, Source, Destination string

	// State is how its last run ended, if none is under way. Whatever stopped
	// it, it is incomplete if objects failed that Resume would do.
	State State
	Err   error

	// Reason is what stopped its last run, such as a deletion that was not
	// safe: "" if it was cancelled or went through.
	Reason string

	// PID is the process that runs it; 0 means none, or not known.
	PID int

	// Created is when it was begun, Updated when its checkpoint was last
	// written.
	Created, Updated time.Time

	// Objects that are done, under way, and failed in the last run. What an
	// interrupted run had not yet come to is in none of them.
	Done, InFlight, Failed int64

	// BytesDone are those of the objects that are done; of the
	// BytesInFlight, BytesArrived are at their destination already.
	BytesDone, BytesInFlight, BytesArrived int64

	// Service is that of JobOptions, Endpoint that of the client it was
	// begun with.
	Service, Endpoint string

	// Plan is the Name of ApplyOptions if its last run was an Apply, whose Kind
	// is "apply": another one goes on with it, and Resume cannot.
	Plan string

	// Resumable says whether Resume can go on with it.
	Resumable bool
}

// JobDetail is all that the StateDir knows of a job.
type JobDetail struct {
	JobInfo

	// Options are those that shape the bytes at the destination.
	Options map[string]string

	// Objects are those under way, Failures those that failed, in the order
	// of their keys, at most checkpoint.MaxListed of each.
	Objects  []JobObject
	Failures []Failure
}

// JobObject is an object that was under way when its job stopped.
type JobObject struct {
	Key           string
	State         string // "intent", "active" or "completing"
	Size, Arrived int64  // bytes
	PartSize      int64
	UploadID      string // of an upload or copy
	TempName      string // of a download, beside its destination
	Started       time.Time
}

// Jobs lists the jobs of the StateDir in the order of their ids, without
// disturbing those that run.
func (e *Engine) Jobs(ctx context.Context) iter.Seq2[JobInfo, error] {
	return func(yield func(JobInfo, error) bool) {
		if e.opts.StateDir == "" {
			yield(JobInfo{}, usagef("there is no state folder"))
			return
		}
		for job, err := range checkpoint.Jobs(e.opts.StateDir) {
			if err != nil && job.ID == "" {
				yield(JobInfo{}, err)
				return
			}
			if err := ctx.Err(); err != nil {
				yield(JobInfo{}, context.Cause(ctx))
				return
			}
			d, err := e.look(job.ID)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it has ended since
			}
			if d.Updated.IsZero() {
				d.Updated = job.Updated
			}
			if !yield(d.JobInfo, nil) {
				return
			}
		}
	}
}

// Job returns all that is known of one job. The error matches ErrNoJob if it is
// not there.
func (e *Engine) Job(id string) (*JobDetail, error) {
	if e.opts.StateDir == "" {
		return nil, usagef("there is no state folder")
	}
	d, err := e.look(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoJob, printable(id))
	}
	return d, nil
}

// look reads a job. Its error is in the result too, and is fs.ErrNotExist only
// for a job that is not there.
func (e *Engine) look(id string) (*JobDetail, error) {
	d := &JobDetail{JobInfo: JobInfo{ID: id}}
	pid, held := checkpoint.Holder(e.opts.StateDir, id)
	c, err := checkpoint.Inspect(e.opts.StateDir, id)
	if err != nil {
		d.Err, d.State = err, StateDamaged
		if _, newer := errors.AsType[*checkpoint.VersionError](err); newer {
			d.State = StateNewer
		}
		if held { // it is being written to
			d.State, d.PID = StateRunning, pid
		}
		return d, err
	}
	job := c.Job
	d.Kind, d.Source, d.Destination, d.Options = job.Kind, job.Source, job.Destination, job.Options
	d.Created, d.Updated = job.Created, job.Updated
	d.Done, d.InFlight, d.Failed = c.Done, c.InFlight, c.Failed
	d.BytesDone, d.BytesInFlight, d.BytesArrived = c.DoneBytes, c.InFlightBytes, c.PartBytes
	var made call
	if err := json.Unmarshal([]byte(job.Spec), &made); err == nil {
		d.Resumable, d.Service = slices.Contains(methods, made.Method), made.Service
		d.Source, d.Destination = made.Source.String(), made.Destination.String()
		d.Endpoint, d.Reason = made.endpoint(), made.Stopped
		if made.Method == methodApply {
			d.Kind, d.Plan = methodApply, made.Plan
		}
	}
	switch {
	case held:
		d.State, d.PID = StateRunning, pid
	case job.State == string(StateDone):
		d.State = StateDone
	case job.State == "":
		d.State = StateNew
	case job.State == stateRunning:
		d.State, d.Reason = StateInterrupted, "its process ended in the middle"
	case job.State == string(StateFailed) && c.Failed > 0:
		d.State = StateIncomplete
	default:
		d.State = State(job.State)
	}
	for _, o := range c.Objects {
		d.Objects = append(d.Objects, JobObject{
			Key: cmp.Or(o.Target, o.Key), State: o.State.String(), Size: o.Source.Size, Arrived: c.PartsOf[o.Key], PartSize: o.PartSize,
			UploadID: o.UploadID, TempName: o.TempName, Started: o.Started,
		})
	}
	for _, f := range c.Failures {
		d.Failures = append(d.Failures, failureOf(f))
	}
	return d, nil
}

// endpoint is where c's buckets are, "" if they are in two places. A run that
// reached them by another way has noted the first one's as its service.
func (c call) endpoint() string {
	switch {
	case strings.Contains(c.Service, "://"):
		return c.Service
	case c.Source.Endpoint == "" || c.Source.Endpoint == c.Destination.Endpoint:
		return c.Destination.Endpoint
	case c.Destination.Endpoint == "":
		return c.Source.Endpoint
	}
	return ""
}

// String is w as a command line names it.
func (w where) String() string {
	if w.Bucket != "" {
		return printable("oss://" + w.Bucket + "/" + w.key(""))
	}
	return printable(filepath.Join(w.Path, w.Only))
}

// Remove gives up a job: its multipart uploads are aborted, its temporary files
// removed, and its checkpoint. Of opts it uses Bucket, DryRun and OnGarbage.
//
// The error matches ErrNoJob if the job is not there and ErrJobHeld if it runs.
// What cannot be removed is told to OnGarbage, and the error is then non-nil;
// the checkpoint stays for another try.
func (e *Engine) Remove(ctx context.Context, id string, opts *GCOptions) error {
	if opts == nil {
		opts = &GCOptions{}
	}
	d, err := e.Job(id)
	if err != nil {
		return err
	}
	g := e.collector(opts)
	g.named = true
	leftover := Garbage{Kind: "checkpoint", Name: id, JobID: id, Since: d.Updated}
	c, err := checkpoint.Inspect(e.opts.StateDir, id)
	if checkpoint.Damaged(err) && d.State == StateDamaged {
		c, err = &checkpoint.Contents{Job: checkpoint.Job{ID: id}}, nil // Open sets the file aside
	}
	if err != nil {
		return err
	}
	if opts.DryRun && d.State == StateDamaged {
		g.remove(leftover, nil)
		return nil
	}
	journal, err := checkpoint.Open(e.opts.StateDir, c.Job, &checkpoint.Options{Logger: e.log, Unsafe: e.opts.AllowNetworkState})
	if err != nil {
		return heldError(id, err)
	}
	var objects []checkpoint.Object
	for o, err := range journal.Objects() {
		if err != nil {
			return errors.Join(err, journal.Close())
		}
		objects = append(objects, o)
	}
	all := true
	for _, o := range objects {
		all = g.object(ctx, c.Job, journal, o) && all
	}
	if c.Job.State != string(StateDone) {
		all = g.temps(ctx, c.Job) && all
	}
	if !all {
		cause := cmp.Or(g.cause, errors.New("its bucket is not known"))
		return errors.Join(fmt.Errorf("job %s is not removed, for something it left could not be: %w", id, cause), journal.Close())
	}
	g.remove(leftover, journal.Remove)
	if g.broken != nil {
		return errors.Join(g.broken, journal.Close())
	}
	return journal.Close()
}

// CheckJob reads the whole checkpoint of a job in a state folder and changes
// nothing. It returns StateDone for a sound one, or else what is wrong:
// StateDamaged, StateNewer, StateRunning for one that is in use, StateFailed
// for one that could not be read. The error has the reason.
//
// What finds damage in a database may END THE PROCESS that meets it. Call it in
// a child process of its own.
func CheckJob(dir, id string) (State, error) {
	err := checkpoint.Check(dir, id)
	switch {
	case err == nil:
		return StateDone, nil
	case errors.Is(err, fs.ErrNotExist):
		return StateFailed, fmt.Errorf("%w: %s", ErrNoJob, printable(id))
	case checkpoint.Damaged(err):
		return StateDamaged, err
	}
	if _, held := errors.AsType[*checkpoint.HeldError](err); held {
		return StateRunning, heldError(id, err)
	}
	if _, newer := errors.AsType[*checkpoint.VersionError](err); newer {
		return StateNewer, err
	}
	return StateFailed, err
}
