package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// selftestPart is the smallest part the service takes.
const selftestPart = 100 << 10

// Files of a round, below its folder.
const (
	selftestSource = "source" // of what is uploaded
	selftestTarget = "target" // of what is downloaded
	selftestState  = "state"
)

// selftestBucket holds everything. What every round reads lies below "from",
// what one takes away below "taken", and what one keeps below "kept".
const selftestBucket = "selftest"

// scenario is one kind of job that is killed.
type scenario struct {
	name string
	tree bool // many objects; else one

	// down says that the destination is the round's folder, else it is its key.
	down bool

	// moves says that the source is to be gone in the end.
	moves bool

	// undoes says that all is to be as it was before.
	undoes bool

	run func(ctx context.Context, e *transfer.Engine, bucket *oss.Bucket, dir, key string) (*transfer.Report, error)

	// fresh and resumed are steps that a first run and a run after a kill in
	// its middle must take: a test fails if one of them is not reached.
	fresh, resumed []string

	// middle is where the first run is killed to look at the second.
	middle point
}

var (
	selftestOne   = "large"
	selftestFrom  = "from/"
	selftestTaken = "taken/"
	selftestKept  = "kept/"
)

// scenarios are all of them. What they take for granted is in crashTest.seed.
func scenarios() []scenario {
	checkpoint := []string{"checkpoint create", "checkpoint commit"}
	files := []string{"file create", "file write", "file sync data", "file sync", "file rename", "file sync folder"}
	all := func(lists ...[]string) []string { return slices.Concat(lists...) }
	return []scenario{
		{
			name: "upload", middle: point{"part", true, 4},
			fresh:   all(checkpoint, []string{"initiate", "part", "complete", "checkpoint remove"}),
			resumed: []string{"list parts", "prove", "part", "complete", "checkpoint commit", "checkpoint remove"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, key string) (*transfer.Report, error) {
				return e.Upload(ctx, filepath.Join(dir, selftestSource, selftestOne), transfer.Remote(b, key+selftestOne), nil)
			},
		},
		{
			name: "download", down: true, middle: point{"range", true, 5},
			fresh:   all(checkpoint, files, []string{"head", "range", "checkpoint remove"}),
			resumed: []string{"head", "prove", "range", "file write", "file sync", "file rename", "file sync folder", "checkpoint remove"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, _ string) (*transfer.Report, error) {
				return e.Download(ctx, transfer.Remote(b, selftestFrom+selftestOne), filepath.Join(dir, selftestTarget, selftestOne), nil)
			},
		},
		{
			name: "copy", middle: point{"part", true, 1},
			fresh:   all(checkpoint, []string{"head", "initiate", "part", "list parts", "complete", "checkpoint remove"}),
			resumed: []string{"head", "list parts", "complete", "checkpoint remove"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, _, key string) (*transfer.Report, error) {
				return e.Copy(ctx, transfer.Remote(b, selftestFrom+selftestOne), transfer.Remote(b, key+selftestOne), nil)
			},
		},
		{
			name: "relay", middle: point{"part", true, 4},
			fresh:   all(checkpoint, []string{"head", "initiate", "part", "complete", "checkpoint remove"}),
			resumed: []string{"head", "list parts", "part", "complete", "checkpoint remove"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, _, key string) (*transfer.Report, error) {
				return e.Copy(ctx, transfer.Remote(b, selftestFrom+selftestOne), transfer.Remote(b, key+selftestOne), &transfer.CopyOptions{Relay: true})
			},
		},
		{
			name: "sync up", tree: true, middle: point{"part", true, 3},
			fresh:   all(checkpoint, []string{"list", "put", "initiate", "part", "complete"}),
			resumed: []string{"list", "list parts", "prove", "part", "complete", "checkpoint commit"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, key string) (*transfer.Report, error) {
				return e.Sync(ctx, transfer.Local(filepath.Join(dir, selftestSource)), transfer.Remote(b, key), nil)
			},
		},
		{
			name: "sync down", tree: true, down: true, middle: point{"range", true, 3},
			fresh:   all(checkpoint, files, []string{"list", "get", "head", "range", "file make folder"}),
			resumed: all(files[1:], []string{"list", "head", "range", "checkpoint commit"}),
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, _ string) (*transfer.Report, error) {
				return e.Sync(ctx, transfer.Remote(b, selftestFrom), transfer.Local(filepath.Join(dir, selftestTarget)), nil)
			},
		},
		{
			name: "apply up", tree: true, middle: point{"part", true, 3},
			fresh:   all(checkpoint, []string{"put", "initiate", "part", "complete"}),
			resumed: []string{"list parts", "prove", "part", "complete", "checkpoint commit"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, key string) (*transfer.Report, error) {
				return planAndApply(ctx, e, transfer.Local(filepath.Join(dir, selftestSource)), transfer.Remote(b, key), dir)
			},
		},
		{
			name: "apply down", tree: true, down: true, middle: point{"range", true, 3},
			fresh:   all(checkpoint, files, []string{"get", "head", "range", "file make folder"}),
			resumed: all(files[1:], []string{"head", "range", "checkpoint commit"}),
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, _ string) (*transfer.Report, error) {
				return planAndApply(ctx, e, transfer.Remote(b, selftestFrom), transfer.Local(filepath.Join(dir, selftestTarget)), dir)
			},
		},
		{
			name: "move up", moves: true, middle: point{"part", true, 4},
			fresh:   all(checkpoint, []string{"initiate", "part", "complete", "remove", "checkpoint remove"}),
			resumed: []string{"list parts", "prove", "part", "complete", "remove", "checkpoint remove"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, key string) (*transfer.Report, error) {
				return e.Upload(ctx, filepath.Join(dir, selftestSource, selftestOne), transfer.Remote(b, key+selftestOne), &transfer.UploadOptions{RemoveSource: true})
			},
		},
		{
			name: "move down", tree: true, down: true, moves: true, middle: point{"range", true, 3},
			fresh:   all(checkpoint, files, []string{"list", "get", "head", "range", "file make folder", "remove"}),
			resumed: all(files[1:], []string{"list", "head", "range", "remove"}),
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, _ string) (*transfer.Report, error) {
				return e.Sync(ctx, transfer.Remote(b, selftestTaken), transfer.Local(filepath.Join(dir, selftestTarget)), &transfer.SyncOptions{Compare: transfer.CompareNone, RemoveSource: true})
			},
		},
		{
			name: "undo up", tree: true, undoes: true, middle: point{"part", true, 3},
			fresh:   all(checkpoint, []string{"list", "put", "head", "initiate", "part", "list parts", "complete", "delete"}),
			resumed: []string{"list", "list parts", "prove", "head", "initiate", "part", "complete", "delete", "checkpoint commit"},
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, key string) (*transfer.Report, error) {
				return syncAndUndo(ctx, e, transfer.Local(filepath.Join(dir, selftestSource)), transfer.Remote(b, key), transfer.Remote(b, selftestKept))
			},
		},
		{
			name: "undo down", tree: true, down: true, undoes: true, middle: point{"range", true, 3},
			fresh:   all(checkpoint, files, []string{"list", "get", "head", "range", "file remove"}),
			resumed: all(files[1:], []string{"list", "head", "range", "file remove", "checkpoint commit"}),
			run: func(ctx context.Context, e *transfer.Engine, b *oss.Bucket, dir, _ string) (*transfer.Report, error) {
				return syncAndUndo(ctx, e, transfer.Remote(b, selftestFrom), transfer.Local(filepath.Join(dir, selftestTarget)), transfer.Local(filepath.Join(dir, selftestKept)))
			},
		},
	}
}

// syncAndUndo synchronises with a backup, unless that has ended, and takes it back.
func syncAndUndo(ctx context.Context, e *transfer.Engine, src, dst, kept transfer.Location) (*transfer.Report, error) {
	id := ""
	for job, err := range e.Jobs(ctx) {
		if err != nil {
			return nil, err
		}
		if job.State == transfer.StateDone {
			id = job.ID
		}
	}
	if id == "" {
		report, err := e.Sync(ctx, src, dst, &transfer.SyncOptions{Backup: kept})
		if err != nil {
			return nil, err
		}
		id = report.JobID
	}
	o := &transfer.UndoOptions{}
	o.Bucket = func(string, string) (*oss.Bucket, error) { return cmp.Or(src.Bucket, dst.Bucket), nil }
	return e.Undo(ctx, id, o)
}

// planAndApply applies the plan in the round's folder, which the first run
// makes: those after a kill apply what that has seen.
func planAndApply(ctx context.Context, e *transfer.Engine, src, dst transfer.Location, dir string) (*transfer.Report, error) {
	name := filepath.Join(dir, "plan")
	if !exists(name) {
		if err := makePlan(ctx, src, dst, name); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := transfer.ReadPlan(f)
	if err != nil {
		return nil, err
	}
	o := &transfer.ApplyOptions{}
	o.Bucket = func(string, string) (*oss.Bucket, error) { return cmp.Or(src.Bucket, dst.Bucket), nil }
	return e.Apply(ctx, p, o)
}

// makePlan is not killed: a plan that is not whole is none.
func makePlan(ctx context.Context, src, dst transfer.Location, name string) error {
	e, err := transfer.New(&transfer.Options{PartSize: selftestPart, MultipartThreshold: selftestPart})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := e.Plan(ctx, src, dst, &text, nil); err != nil {
		return err
	}
	return os.WriteFile(name, text.Bytes(), 0o600)
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// act is the process that is killed.
type act struct {
	app      *app
	dir, key string
	at       string
	trace    bool
}

// selftestParallel is how many pieces it has under way.
const selftestParallel = 2

func (a *act) run(ctx context.Context, name string) error {
	i := slices.IndexFunc(scenarios(), func(s scenario) bool { return s.name == name })
	if i < 0 {
		return &usageError{message: fmt.Sprintf("no scenario %q", name)}
	}
	var at point
	if a.at != "" {
		var err error
		if at, err = parsePoint(a.at); err != nil {
			return err
		}
	}
	client, err := oss.New(a.app.target("").endpoint, oss.EnvironmentCredentials(), &oss.Options{Region: selftestRegion})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	w := &stepWatcher{at: at, counts: map[point]int{}}
	e, err := transfer.New(&transfer.Options{
		StateDir: filepath.Join(a.dir, selftestState), PartSize: selftestPart, MultipartThreshold: selftestPart,
		Concurrency: selftestParallel, Parallel: selftestParallel, Watch: w.step, Logger: a.app.log,
	})
	if err != nil {
		return err
	}
	_, err = scenarios()[i].run(ctx, e, client.Bucket(selftestBucket), a.dir, a.key)
	if a.trace {
		for p, n := range w.counts {
			p.n = n
			if _, err := fmt.Fprintln(a.app.stdout, p); err != nil {
				return err
			}
		}
	}
	return err
}

// stepWatcher counts the steps and ends the process at one of them.
type stepWatcher struct {
	at     point
	mu     sync.Mutex
	counts map[point]int // by op and done
}

func (w *stepWatcher) step(s transfer.Step) {
	w.mu.Lock() // for good, if this is the end: nothing happens after it
	p := point{op: s.Op, done: s.Done}
	w.counts[p]++
	if p.n = w.counts[p]; p == w.at {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(fmt.Sprintf("cannot die: %v", err))
		}
		select {}
	}
	w.mu.Unlock()
}
