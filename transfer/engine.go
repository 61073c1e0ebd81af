package transfer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/scheduler"
)

// Defaults of Options.
const (
	// DefaultConcurrency is the number of pieces that move at once. At 25 ms
	// of latency and 40 MiB/s per connection 16 connections carry 1 GiB in
	// 2 s; on loopback more than 8 only cost CPU.
	DefaultConcurrency = 16

	// DefaultParallel is the number of pieces of one object that move at
	// once. Writers of one file serialise on its inode lock, so a download
	// gains nothing from more.
	DefaultParallel = 8

	// DefaultPartSize is the length of a part or range in bytes. It is the
	// smallest that still reaches full rate on a fast link, and it bounds
	// what a crash makes us send again.
	DefaultPartSize = 8 << 20

	// DefaultRestarts is how often an object is begun anew whose source has
	// changed. What is written to all the time is not worth more tries.
	DefaultRestarts = 1

	// DefaultMultipartThreshold is the size in bytes above which an object
	// moves in pieces.
	DefaultMultipartThreshold = 16 << 20
)

// Options tunes an Engine. The zero value is ready to use, but keeps no
// checkpoints: set StateDir to be able to go on after a crash.
type Options struct {
	// StateDir is the folder of the checkpoints, one file per job. "" keeps
	// none: an interrupted job then starts over.
	StateDir string

	// OpenJournal keeps checkpoints elsewhere than in a StateDir. It is
	// called once for each job and returns *checkpoint.HeldError for one that
	// is open already. A job goes on by the call that began it; Resume, Undo,
	// Jobs, Job and Remove need a StateDir, and GC finds jobs in one only, beside
	// the uploads of a bucket. A checkpoint.Memory lets jobs go on after an error
	// without any disk:
	//
	//	var memory checkpoint.Memory
	//	open := func(job checkpoint.Job) (transfer.Journal, error) { return memory.Open(job) }
	OpenJournal func(job checkpoint.Job) (Journal, error)

	// AllowNetworkState permits a StateDir on a network file system, where
	// file locks and mapped memory cannot be relied upon.
	AllowNetworkState bool

	// Concurrency is the number of pieces that move at once, over all jobs
	// of the engine. 0 means DefaultConcurrency.
	Concurrency int

	// Parallel is the number of pieces of one object that move at once. 0
	// means DefaultParallel.
	Parallel int

	// Checkers is the number of names of trees that are compared at once, by
	// asking for objects or reading files. 0 means as many as move at once;
	// more than Concurrency is no more than that.
	Checkers int

	// PartSize is the length of every piece but the last, in bytes. 0 means
	// DefaultPartSize; more is used where an object would need over 10,000
	// parts.
	PartSize int64

	// MultipartThreshold is the size in bytes above which an object moves in
	// pieces. 0 means DefaultMultipartThreshold.
	MultipartThreshold int64

	// Attempts is how often a piece is tried before its object fails, the
	// first try included. 0 means scheduler.DefaultAttempts; 1 retries
	// nothing.
	Attempts int

	// Restarts is how often an object is begun anew whose source changes while
	// it moves; then it fails, and the error matches ErrChanged. 0 means
	// DefaultRestarts, less than 0 never. What a plan means is never begun anew.
	Restarts int

	// TrustCheckpoint believes what the checkpoint says of ranges that an
	// earlier run has fetched, in place of reading them back. The CRC-64 of
	// the whole object is then only that of what was recorded.
	TrustCheckpoint bool

	// Watch is told of each Step, on the goroutine that takes it. It is there
	// for tests that end the process at a step, or follow what a power cut
	// would leave.
	Watch func(Step)

	// Logger receives what a person debugging a job wants to know. nil logs
	// nothing.
	Logger *slog.Logger
}

// Engine runs jobs. All its jobs share one pool of workers, one memory budget
// and one rate of retries. It has no goroutine of its own: each method returns
// only when everything it started has ended. It is safe for concurrent use.
type Engine struct {
	opts    Options
	objects int    // under way at once in one tree
	place   string // what no other engine that may run at the same time has
	pool    *scheduler.Pool
	log     *slog.Logger

	checkers chan struct{} // one for each comparison under way, nil without bound
}

// New makes an engine. It returns a *UsageError for sizes and counts that
// make no sense.
func New(opts *Options) (*Engine, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.Concurrency = cmp.Or(o.Concurrency, DefaultConcurrency)
	o.Parallel = cmp.Or(o.Parallel, DefaultParallel)
	o.PartSize = cmp.Or(o.PartSize, DefaultPartSize)
	o.MultipartThreshold = cmp.Or(o.MultipartThreshold, DefaultMultipartThreshold)
	o.Restarts = cmp.Or(o.Restarts, DefaultRestarts)
	switch {
	case o.Concurrency < 1 || o.Concurrency > maxConcurrency:
		return nil, usagef("concurrency %d is not between 1 and %d", o.Concurrency, maxConcurrency)
	case o.Parallel < 1 || o.Parallel > maxConcurrency:
		return nil, usagef("parallel %d is not between 1 and %d", o.Parallel, maxConcurrency)
	case o.Checkers < 0 || o.Checkers > maxConcurrency:
		return nil, usagef("checkers %d is not between 0 and %d", o.Checkers, maxConcurrency)
	case o.PartSize < minPartSize || o.PartSize > maxPartSize:
		return nil, usagef("part size %d is not between %d and %d bytes", o.PartSize, minPartSize, maxPartSize)
	case o.MultipartThreshold < 0 || o.MultipartThreshold > maxPartSize:
		return nil, usagef("multipart threshold %d is not between 0 and %d bytes", o.MultipartThreshold, maxPartSize)
	case o.Attempts < 0:
		return nil, usagef("attempts %d is negative", o.Attempts)
	}
	e := &Engine{opts: o, log: o.Logger, place: placeOf(o)}
	e.objects = e.fitOpenFiles()
	if o.Checkers > 0 {
		e.checkers = make(chan struct{}, o.Checkers)
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.pool = scheduler.New(&scheduler.Options{
		Workers:  e.opts.Concurrency,
		Memory:   int64(o.Concurrency+1) * max(bufferSize, streamMemory(o)),
		Attempts: o.Attempts,
		MaxDelay: maxDelay,
		Judge:    judge,
		OnRetry: func(r scheduler.Retry) {
			e.log.Debug("trying again", "task", r.Name, "attempt", r.Attempt, "wait", r.Delay, "err", r.Err)
		},
	})
	return e, nil
}

// comparison runs fn, which compares one name, as one of Options.Checkers.
func (e *Engine) comparison(ctx context.Context, fn func() error) error {
	if e.checkers == nil {
		return fn()
	}
	select {
	case e.checkers <- struct{}{}:
		defer func() { <-e.checkers }()
		return fn()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// placeOf tells the engines apart that may run one job at the same time: with
// one state folder of one machine they cannot, and without one nobody knows.
func placeOf(o Options) string {
	if o.StateDir == "" && o.OpenJournal == nil {
		return rand.Text()
	}
	dir, err := filepath.Abs(o.StateDir)
	if err != nil {
		dir = o.StateDir
	}
	host, _ := os.Hostname() //nolint:errcheck // then it is one of those without a name
	return host + "\x00" + dir
}

// fitOpenFiles lowers the concurrency to what the process may have open, and
// returns how many objects of a tree may be under way. A few more than one for
// each worker are: while one waits for its turn, its neighbours are being
// published in one group.
func (e *Engine) fitOpenFiles() (objects int) {
	const (
		reserved  = 24 // standard streams, checkpoint, folders of a walk
		perWorker = 4  // a connection, a file, folders on the way to it
	)
	budget := max(localfs.MaxOpenFiles()-reserved, 2*perWorker)
	e.opts.Concurrency = min(e.opts.Concurrency, budget/perWorker)
	return min(e.opts.Concurrency*4, (budget-e.opts.Concurrency)/2)
}

// maxDelay is the mean of the longest wait between two tries: after an outage
// of any length the job moves again within 10 s, and ten tries outlast one of
// half a minute.
const maxDelay = 5 * time.Second

// Bounds of what a caller may ask for. The part sizes are the service's own
// (OSS, "Multipart upload: limits").
const (
	maxConcurrency = 1024
	maxParts       = 10_000

	minPartSize int64 = 100 << 10
	maxPartSize int64 = 5 << 30
)

// DefaultStateDir is where the osssync command keeps its checkpoints:
// $XDG_STATE_HOME/osssync, else ~/.local/state/osssync.
func DefaultStateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "osssync"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for checkpoints: %w", err)
	}
	return filepath.Join(home, ".local", "state", "osssync"), nil
}

// judge is the one place where the engine decides what to do about an error.
// What the service and the network say is classified by oss.Classify; what the
// local side says is final.
func judge(err error) scheduler.Verdict {
	var (
		changed   *ChangedError
		pathErr   *fs.PathError
		recordErr *checkpoint.WriteError
		writerErr *writerError
	)
	if errors.As(err, &changed) || errors.As(err, &pathErr) || errors.As(err, &recordErr) || errors.As(err, &writerErr) {
		return scheduler.Verdict{Action: scheduler.Stop}
	}
	if _, expired := errors.AsType[*expiredError](err); expired {
		return scheduler.Verdict{Action: scheduler.Again}
	}
	switch oss.Classify(err) {
	case oss.ClassThrottled:
		return scheduler.Verdict{Action: scheduler.SlowDown, After: oss.RetryAfter(err)}
	case oss.ClassRetryable, oss.ClassIntegrity:
		return scheduler.Verdict{Action: scheduler.Again, After: oss.RetryAfter(err)}
	default:
		return scheduler.Verdict{Action: scheduler.Stop}
	}
}
