package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// DefaultOlderThan is the age from which a job that did not end is taken for
// dead: a nightly job that failed has had a week to go on.
const DefaultOlderThan = 7 * 24 * time.Hour

// GCOptions tunes one GC. The zero value looks at the state folder only.
type GCOptions struct {
	// OlderThan is how long a job or an upload must have rested. 0 means
	// DefaultOlderThan, negative that age does not matter.
	OlderThan time.Duration

	// Bucket reaches the bucket of a dead job's uploads; endpoint is that of
	// the client the job was begun with. Without it such jobs are left alone.
	Bucket func(endpoint, name string) (*oss.Bucket, error)

	// Uploads lies in a bucket whose open multipart uploads, whoever began
	// them, are garbage too if their key begins with its Path and they are
	// old. Uploads of jobs in the state folder that are not are kept.
	Uploads *Location

	// DryRun removes nothing and tells OnGarbage what would be.
	DryRun bool

	// OnGarbage is told of each piece that is, or would be, removed.
	OnGarbage func(Garbage)
}

// Garbage is a thing that a dead job left.
type Garbage struct {
	Kind  string // "upload", "temporary file", "checkpoint" or "damaged checkpoint"
	Name  string // bucket and key, path, or job id
	JobID string // "" for somebody else's
	Since time.Time
	Err   error // why it could not be removed
}

// GC removes what jobs left that were interrupted and not gone on with: their
// multipart uploads, their temporary files, and their checkpoints. A checkpoint
// that is damaged does not say what its job has begun: it is removed, and told
// as such, for GCOptions.Uploads finds what uploads may be left. A job that
// is running is left alone, and so is the index of a Sync that has succeeded.
// For what is left of small files the destination of a dead download is walked; a
// recorded temporary file whose folder is not there counts as not removed, since
// it may be on a disk that is not mounted.
// What cannot be removed is told to OnGarbage, and the error is then non-nil;
// its checkpoint stays, for the next GC.
func (e *Engine) GC(ctx context.Context, opts *GCOptions) error {
	if opts == nil {
		opts = &GCOptions{}
	}
	g := e.collector(opts)
	if g.opts.OlderThan == 0 {
		g.opts.OlderThan = DefaultOlderThan
	}
	if e.opts.StateDir != "" {
		if err := g.jobs(ctx); err != nil {
			return err
		}
	}
	if opts.Uploads != nil {
		if err := g.uploads(ctx, *opts.Uploads); err != nil {
			return err
		}
	}
	if g.broken != nil {
		return g.broken
	}
	if g.failed > 0 {
		return fmt.Errorf("%d leftovers could not be removed", g.failed)
	}
	return nil
}

// collector is one GC.
type collector struct {
	*Engine
	opts   GCOptions
	failed int
	cause  error              // the first failure's
	known  map[string]bool    // upload ids that are dealt with, or of jobs that are not dead
	begun  map[bucketKey]bool // where such jobs may have begun uploads without knowing their ids
	seen   map[string]bool    // paths of temporary files that are dealt with
	broken *CallbackError     // OnGarbage's
	named  bool               // the job is given up by name: a folder that is not there is gone
}

func (e *Engine) collector(opts *GCOptions) *collector {
	return &collector{Engine: e, opts: *opts, known: map[string]bool{}, begun: map[bucketKey]bool{}, seen: map[string]bool{}}
}

func (g *collector) old(since time.Time) bool { return time.Since(since) > g.opts.OlderThan }

// remove removes one piece, or says what it would, and reports whether it is
// gone.
func (g *collector) remove(found Garbage, remove func() error) bool {
	var err error
	if !g.opts.DryRun {
		err = remove()
	}
	return g.told(found, err)
}

// told tells of one piece that is gone, or why it is not.
func (g *collector) told(found Garbage, err error) bool {
	found.Err = err
	if found.Err != nil {
		g.failed++
		g.cause = cmp.Or(g.cause, found.Err)
	}
	if g.opts.OnGarbage != nil && g.broken == nil {
		g.broken = contain("OnGarbage", func() { g.opts.OnGarbage(found) })
	}
	return found.Err == nil
}

// jobs goes through the state folder.
func (g *collector) jobs(ctx context.Context) error {
	for job, err := range checkpoint.Jobs(g.Engine.opts.StateDir) {
		if err != nil && job.ID == "" {
			return err
		}
		if err != nil && checkpoint.Damaged(err) && g.old(job.Updated) {
			found := Garbage{Kind: "damaged checkpoint", Name: job.ID, JobID: job.ID, Since: job.Updated}
			g.remove(found, func() error { return checkpoint.Discard(g.Engine.opts.StateDir, job.ID) })
			continue
		}
		if err != nil {
			g.log.Warn("a checkpoint cannot be read and is left alone", "job", job.ID, "err", err)
			continue
		}
		if err := g.job(ctx, job); err != nil {
			return err
		}
	}
	return g.tidy()
}

// tidy removes what belongs to no job any more.
func (g *collector) tidy() error {
	dir := g.Engine.opts.StateDir
	asides, err := checkpoint.SetAsides(dir)
	if err != nil {
		return err
	}
	for _, path := range asides {
		info, err := os.Lstat(path)
		if err != nil || !g.old(info.ModTime()) {
			continue
		}
		g.remove(Garbage{Kind: "damaged checkpoint", Name: printable(path), Since: info.ModTime()}, func() error { return os.Remove(path) })
	}
	if g.opts.DryRun {
		return nil
	}
	return checkpoint.Tidy(dir)
}

// job looks at one job, under its lock.
func (g *collector) job(ctx context.Context, job checkpoint.Job) error {
	updated := job.Updated
	if !g.old(updated) {
		return nil
	}
	journal, err := checkpoint.Open(g.Engine.opts.StateDir, job, &checkpoint.Options{Logger: g.log, Unsafe: g.Engine.opts.AllowNetworkState})
	if _, held := errors.AsType[*checkpoint.HeldError](err); held {
		g.log.Info("a running job is left alone", "job", job.ID)
		return nil
	}
	if err != nil {
		return err
	}
	var objects []checkpoint.Object
	for o, err := range journal.Objects() {
		if err != nil {
			return errors.Join(err, journal.Close())
		}
		objects = append(objects, o)
		if o.UploadID != "" {
			g.known[o.UploadID] = true
		}
	}
	all := true
	for _, o := range objects {
		all = g.object(ctx, job, journal, o) && all
	}
	if job.State == string(StateDone) {
		return journal.Close()
	}
	if all = g.temps(ctx, job) && all; !all {
		return journal.Close()
	}
	found := Garbage{Kind: "checkpoint", Name: job.ID, JobID: job.ID, Since: updated}
	g.remove(found, journal.Remove)
	return journal.Close()
}

// object removes what is left of one object in flight.
func (g *collector) object(ctx context.Context, of checkpoint.Job, journal *checkpoint.Checkpoint, o checkpoint.Object) bool {
	var c call
	if err := json.Unmarshal([]byte(of.Spec), &c); err != nil {
		g.log.Warn("a job does not say how it was begun and is left alone", "job", of.ID, "err", err)
		return false
	}
	found := Garbage{JobID: of.ID, Since: o.Started}
	if o.TempName != "" && o.Target != "" {
		dir, _ := localfs.SplitRoot(o.Target)
		found.Kind, found.Name = "temporary file", printable(filepath.Join(dir, o.TempName))
		return g.remove(found, func() error { return errors.Join(removeAsideTemp(o), journal.Forget(ctx, o.Key)) })
	}
	if o.TempName != "" {
		return g.temp(ctx, c, found, journal, o)
	}
	if c.Method == "append" { // nothing but the record
		return g.opts.DryRun || journal.Forget(ctx, o.Key) == nil
	}
	if g.opts.Bucket == nil {
		return false
	}
	at := c.upload(o)
	found.Kind, found.Name = "upload", printable("oss://"+at.bucket+"/"+at.key)
	return g.remove(found, func() error {
		bucket, err := g.opts.Bucket(c.Destination.Endpoint, at.bucket)
		if err != nil {
			return err
		}
		j := &job{Engine: g.Engine, id: of.ID, journal: journal, log: g.log}
		j.meter = startMeter(j)
		defer j.meter.stop()
		return j.abandon(ctx, bucket, at.key, o)
	})
}
