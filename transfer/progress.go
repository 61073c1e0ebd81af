package transfer

import "time"

// Phase is what a job is doing.
type Phase string

// The phases of a job, in their order.
const (
	PhaseStarting     Phase = "starting"
	PhaseListing      Phase = "listing" // totals still grow; transfers run already
	PhaseTransferring Phase = "transferring"
	PhaseDeleting     Phase = "deleting" // what only the destination has
	PhaseFinishing    Phase = "finishing"
	PhaseDone         Phase = "done"
)

// Progress is the state of a job at one moment. Counters never go back, and
// BytesDone never passes BytesTotal.
type Progress struct {
	JobID string
	Phase Phase

	// Final is set in the last call, and only there.
	Final bool

	// Objects. Total is the number seen so far; it is final once TotalsKnown.
	ObjectsTotal, ObjectsDone, ObjectsSkipped, ObjectsFailed int64

	// Bytes of the objects that are transferred, skipped ones left out.
	// BytesResumed is the part of BytesDone that an earlier run had done.
	BytesTotal, BytesDone, BytesResumed int64

	TotalsKnown bool

	// Retries counts tries after the first, Throttled the answers in which the
	// service asked for less.
	Retries, Throttled int64

	Elapsed time.Duration

	// Rate is bytes per second over the last seconds, MeanRate since the
	// start; resumed bytes count in neither.
	Rate, MeanRate float64

	// ETA is the expected time to the end; negative means not known. It
	// follows the pace of the last half minute, requests included, and so
	// does not jump where Rate does.
	ETA time.Duration

	// Running is the number of pieces of the engine that move now, Limit how
	// many may: fewer than asked for while the service throttles.
	Running, Limit int

	// Active lists the objects under way, the longest-running first, at most
	// MaxActive of them.
	Active []ActiveObject
}

// MaxActive bounds Progress.Active.
const MaxActive = 8

// ActiveObject is one object under way.
type ActiveObject struct {
	Key        string
	Size, Done int64 // bytes

	// Parts is the number of its parts or ranges, 0 if it moves as a whole,
	// PartsDone how many of them are at their destination.
	Parts, PartsDone int

	Elapsed time.Duration // since it was begun
}

// Outcome is what became of one object.
type Outcome string

// The outcomes of an object.
const (
	OutcomeDone    Outcome = "done"
	OutcomeSkipped Outcome = "skipped"
	OutcomeFailed  Outcome = "failed"
	OutcomePlanned Outcome = "planned" // dry run: would be done
)

// ObjectEvent tells what became of one object.
type ObjectEvent struct {
	Key       string
	Operation string // "upload", "download", "delete"
	Outcome   Outcome
	Reason    string // why it was skipped or is done
	Size      int64  // bytes
	Failure   *Failure
}

// JobOptions are common to all jobs. The zero value is ready to use.
type JobOptions struct {
	// Service names the service in the job's id in place of the bucket's
	// endpoint, for endpoints that change from run to run.
	Service string

	// NoResume drops what an earlier run of the same job left: its uploads
	// are aborted and its temporary files removed before the job starts.
	NoResume bool

	// Adopt goes on with an open multipart upload of exactly the same key
	// where the checkpoint knows of none: that of another machine, or of a
	// state folder that is lost. Its parts are proven before they count, and
	// what it was begun with is replaced; only above 5 GiB the object keeps
	// its metadata, with a warning. Do not use it while somebody else is still
	// uploading to these keys.
	Adopt bool

	// What panics in one of the functions below ends the job with a
	// CallbackError; it is not called again.

	// OnStart is told the job's id before anything is done, and whether it
	// goes on with an earlier run that did not end.
	OnStart func(jobID string, resumed bool)

	// OnProgress receives the state of the job: never two calls at once, at
	// least ProgressEvery apart, the last with Final set. It must not block.
	OnProgress func(Progress)

	// ProgressEvery is the time between two calls of OnProgress. 0 means
	// DefaultProgressEvery.
	ProgressEvery time.Duration

	// OnObject is told the outcome of each object: never two calls at once.
	// It must not block.
	OnObject func(ObjectEvent)
}

// DefaultProgressEvery is the time between two calls of OnProgress: half a
// second reads well and costs nothing.
const DefaultProgressEvery = 500 * time.Millisecond
