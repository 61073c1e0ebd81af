package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
// What cannot be removed is told to OnGarbage, and the error is then non-nil;
// its checkpoint stays, for the next GC.
func (e *Engine) GC(ctx context.Context, opts *GCOptions) error {
	if opts == nil {
		opts = &GCOptions{}
	}
	g := &collector{Engine: e, opts: *opts, known: map[string]bool{}, began: time.Now()}
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
	cause  error // the first failure's
	began  time.Time
	known  map[string]bool // upload ids that are dealt with, or of jobs that are not dead
}

func (g *collector) old(since time.Time) bool { return time.Since(since) > g.opts.OlderThan }

// remove removes one piece, or says what it would, and reports whether it is
// gone.
func (g *collector) remove(found Garbage, remove func() error) bool {
	if !g.opts.DryRun {
		found.Err = remove()
	}
	if found.Err != nil {
		g.failed++
		g.cause = cmp.Or(g.cause, found.Err)
	}
	if g.opts.OnGarbage != nil {
		g.opts.OnGarbage(found)
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
	journal, err := checkpoint.Open(g.Engine.opts.StateDir, job, &checkpoint.Options{Logger: g.log, Unsafe: g.Engine.opts.AllowNetworkState})
	if _, held := errors.AsType[*checkpoint.HeldError](err); held {
		g.log.Info("a running job is left alone", "job", job.ID)
		return g.spare(job.ID)
	}
	if err != nil {
		return err
	}
	dead := g.old(updated)
	var objects []checkpoint.Object
	for o, err := range journal.Objects() {
		if err != nil {
			return errors.Join(err, journal.Close())
		}
		if dead {
			objects = append(objects, o)
		}
		if o.UploadID != "" {
			g.known[o.UploadID] = true
		}
	}
	if !dead {
		return journal.Close()
	}
	all := true
	for _, o := range objects {
		all = g.object(ctx, job, journal, o) && all
	}
	if !all || job.State == string(StateDone) {
		return journal.Close()
	}
	found := Garbage{Kind: "checkpoint", Name: job.ID, JobID: job.ID, Since: updated}
	g.remove(found, journal.Remove)
	return journal.Close()
}

// spare keeps the uploads of a running job, which may change meanwhile: what
// began after this GC is not old.
func (g *collector) spare(id string) error {
	c, err := checkpoint.Inspect(g.Engine.opts.StateDir, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("job %s is running, and which uploads are its cannot be read: %w", id, err)
	}
	for _, o := range c.Objects {
		g.known[o.UploadID] = true
	}
	return nil
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
		dir, name := c.Destination.Path, o.Key
		if c.Method == "download" {
			dir, name = localfs.SplitRoot(dir)
		}
		found.Kind, found.Name = "temporary file", dir+"/"+o.TempName
		return g.remove(found, func() error {
			root, err := localfs.OpenRoot(dir)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			defer root.Close()
			c.Files.prepare(root, false)
			return errors.Join(root.RemoveTemp(name, o.TempName), journal.Forget(ctx, o.Key))
		})
	}
	if c.Method == "append" { // nothing but the record
		return g.opts.DryRun || journal.Forget(ctx, o.Key) == nil
	}
	if g.opts.Bucket == nil {
		return false
	}
	key := c.Destination.Path
	if c.Method == "sync" || c.Method == "apply" {
		key += o.Key
	}
	name := c.Destination.Bucket
	if o.Target != "" {
		name, key = o.Bucket, o.Target
	}
	found.Kind, found.Name = "upload", printable("oss://"+name+"/"+key)
	return g.remove(found, func() error {
		bucket, err := g.opts.Bucket(c.Destination.Endpoint, name)
		if err != nil {
			return err
		}
		j := &job{Engine: g.Engine, id: of.ID, journal: journal, log: g.log}
		j.meter = startMeter(j)
		defer j.meter.stop()
		return j.abandon(ctx, bucket, key, o)
	})
}

// uploads goes through a bucket.
func (g *collector) uploads(ctx context.Context, l Location) error {
	for u, err := range l.Bucket.MultipartUploads(ctx, &oss.ListMultipartUploadsOptions{Prefix: l.Path}) {
		if err != nil {
			return err
		}
		if !g.old(u.Initiated) || !u.Initiated.Before(g.began) || g.known[u.UploadID] {
			continue
		}
		found := Garbage{Kind: "upload", Name: Remote(l.Bucket, u.Key).String(), Since: u.Initiated}
		g.remove(found, func() error {
			return abortUpload(ctx, l.Bucket, u.Key, u.UploadID)
		})
	}
	return nil
}
