package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// ResumeOptions tunes one Resume.
type ResumeOptions struct {
	// JobOptions are those of this run. Service and Adopt are the first
	// run's.
	JobOptions

	// Bucket reaches a bucket the job needs; endpoint is that of the client
	// the job was begun with. It is called once for each.
	Bucket func(endpoint, name string) (*oss.Bucket, error)

	// Keys are those of a job that encrypts or decrypts; a checkpoint holds
	// none.
	Keys crypto.Provider

	// Part chooses among what is missing, for this run to do only that. The
	// zero value is all of it.
	Part Part
}

// Resume goes on with the job of that id as if the call that began it, Upload,
// Download, Copy, Append or Sync, were made again. A Sync that deletes, removes and
// backs up nothing goes on from the name up to which all was done: what was
// changed below it since is for the next Sync to find, and a warning says so. Pages
// that had been listed behind it are listed once more, all at once.
//
// With a Part it does only that. What else is missing stays as it is, in the
// checkpoint and in the report, whose Left counts it, and the error matches
// ErrIncomplete as long as there is any: the job is done when nothing is. A part
// deletes nothing at the destination. If there is nothing that the Part chooses the
// error matches ErrNoMatch.
//
// The error matches ErrNoJob if the
// StateDir has no such job: one that has succeeded is not kept, but for a Sync.
// Sizes of parts are those of the first run, so that what is there counts.
func (e *Engine) Resume(ctx context.Context, id string, opts *ResumeOptions) (*Report, error) {
	if opts == nil || opts.Bucket == nil {
		return nil, usagef("resume needs a way to reach buckets")
	}
	job, c, err := e.find(id)
	if err != nil {
		return nil, err
	}
	if opts.Part.some() {
		return e.resumePart(ctx, job, c, opts)
	}
	if job.State == string(StateDone) {
		c.Cursor, c.SourceCuts, c.DestinationCuts = "", nil, nil // there is nothing to go on with: begin again
	}
	return e.repeat(ctx, c, opts)
}

// find is the job of that id, and the call that began it.
func (e *Engine) find(id string) (job checkpoint.Job, c call, err error) {
	if e.opts.StateDir == "" {
		return job, c, usagef("jobs are found in a state folder, and there is none")
	}
	for job, err := range checkpoint.Jobs(e.opts.StateDir) {
		if job.ID != id {
			if job.ID == "" && err != nil {
				return job, c, err
			}
			continue
		}
		if err != nil {
			return job, c, err
		}
		if err := json.Unmarshal([]byte(job.Spec), &c); err != nil {
			return job, c, fmt.Errorf("job %s does not say how it was begun: %w", id, err)
		}
		return job, c, nil
	}
	return job, c, fmt.Errorf("%w: %s", ErrNoJob, printable(id))
}

// call is a call of the engine as a checkpoint keeps it. It holds no secret.
type call struct {
	Method      string
	Service     string `json:",omitempty"`
	Adopt       bool   `json:",omitempty"`
	Source      where
	Destination where
	Headers     oss.ObjectHeaders `json:",omitzero"`
	VersionID   string            `json:",omitempty"`
	Compare     Compare           `json:",omitempty"`

	ModifyWindow time.Duration `json:",omitempty"`
	ExistingOnly bool          `json:",omitempty"`

	Exclude     []string `json:",omitempty"`
	AllowEmpty  bool     `json:",omitempty"`
	KeepACL     bool     `json:",omitempty"`
	Relay       bool     `json:",omitempty"`
	IfUnchanged bool     `json:",omitempty"`

	RemoveSource bool `json:",omitempty"`

	Delete           bool        `json:",omitempty"`
	MaxDelete        DeleteLimit `json:",omitzero"`
	AllowEmptySource bool        `json:",omitempty"`
	IgnoreErrors     bool        `json:",omitempty"`
	DeleteExcluded   bool        `json:",omitempty"`
	Filter           *Filter     `json:",omitempty"`
	Backup           where       `json:",omitzero"`
	Files            FileOptions `json:",omitzero"`
	Single           bool        `json:",omitempty"`
	Plan             string      `json:",omitempty"` // where Apply's is

	// Cursor is how far a Sync that did not end has come: all names up to this
	// one are dealt with.
	Cursor string `json:",omitempty"`

	// SourceCuts and DestinationCuts are how the listings were divided behind
	// the Cursor: hints.
	SourceCuts      []cut `json:",omitempty"`
	DestinationCuts []cut `json:",omitempty"`

	// Stopped is why the last run did not go through, Through whether it tried
	// all objects.
	Stopped string `json:",omitempty"`
	Through bool   `json:",omitempty"`

	// Those of the engine, in bytes. With others the parts that are there
	// would be of no use.
	PartSize  int64 `json:",omitempty"`
	Threshold int64 `json:",omitempty"`
}

// where is a Location without its client.
type where struct {
	Endpoint string `json:",omitempty"`
	Bucket   string `json:",omitempty"`
	Path     string
	Sealed   bool   `json:",omitempty"` // has Keys
	Only     string `json:",omitempty"` // see Location
}

func place(l Location) where {
	if l.Bucket == nil {
		return where{Path: l.Path, Only: l.only}
	}
	return where{Endpoint: l.Bucket.Client().Endpoint(), Bucket: l.Bucket.Name(), Path: l.Path, Sealed: l.Keys != nil, Only: l.only}
}

// text is c as begin takes it.
func (c call) text(o JobOptions) string {
	c.Service, c.Adopt = o.Service, o.Adopt
	b, err := json.Marshal(c)
	if err != nil {
		return "" // strings and numbers: cannot be
	}
	return string(b)
}

// withSizes adds the engine's sizes to the text of a call.
func (e *Engine) withSizes(text string) string {
	var c call
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return text // a job that cannot be resumed has none
	}
	c.PartSize, c.Threshold = e.opts.PartSize, e.opts.MultipartThreshold
	b, err := json.Marshal(c)
	if err != nil {
		return text
	}
	return string(b)
}

// methodApply is that of Apply, which goes on when it is called again.
const methodApply = "apply"

// methods are those that repeat knows.
var methods = []string{"upload", "download", "copy", "sync", "append"}

func (e *Engine) repeat(ctx context.Context, c call, opts *ResumeOptions) (*Report, error) {
	o := opts.JobOptions
	// The job is the same one however its service is reached now.
	o.Service, o.Adopt = cmp.Or(c.Service, c.endpoint()), c.Adopt
	src, err := opts.reach(c, c.Source)
	if err != nil {
		return nil, err
	}
	dst, err := opts.reach(c, c.Destination)
	if err != nil {
		return nil, err
	}
	var kept Location
	if c.Backup != (where{}) {
		if kept, err = opts.reach(c, c.Backup); err != nil {
			return nil, err
		}
	}
	e = e.sized(c)
	switch c.Method {
	case "upload":
		return e.Upload(ctx, src.Path, dst, &UploadOptions{JobOptions: o, Headers: c.Headers, RemoveSource: c.RemoveSource, Preserve: c.Files.Preserve})
	case "append":
		return e.Append(ctx, src.Path, dst, &AppendOptions{JobOptions: o, Headers: c.Headers})
	case "download":
		return e.Download(ctx, src, dst.Path, &DownloadOptions{JobOptions: o, VersionID: c.VersionID, RemoveSource: c.RemoveSource, Preserve: c.Files.Preserve, Sparse: c.Files.Sparse})
	case "copy":
		return e.Copy(ctx, src, dst, &CopyOptions{JobOptions: o, VersionID: c.VersionID, Headers: c.Headers, KeepACL: c.KeepACL, Relay: c.Relay, RemoveSource: c.RemoveSource})
	case "sync":
		s := c.sync(o, kept)
		s.after, s.srcCuts, s.dstCuts = c.Cursor, c.SourceCuts, c.DestinationCuts
		if opts.Part.some() {
			s.part = &portion{Part: opts.Part, through: c.Through, deletes: c.Delete}
			s.Delete, s.AllowEmpty = false, true
		}
		return e.Sync(ctx, src, dst, s)
	case methodApply:
		return nil, usagef("the job is of a plan: apply the plan again, and it goes on")
	}
	return nil, fmt.Errorf("this release does not know how to %q", c.Method)
}

// sized is the engine with the part sizes of the call.
func (e *Engine) sized(c call) *Engine {
	if c.PartSize <= 0 || c.Threshold <= 0 {
		return e
	}
	sized := *e
	sized.opts.PartSize, sized.opts.MultipartThreshold = c.PartSize, c.Threshold
	return &sized
}

// sync is the call's options of a Sync.
func (c call) sync(o JobOptions, kept Location) *SyncOptions {
	return &SyncOptions{
		JobOptions: o, Compare: c.Compare, ModifyWindow: c.ModifyWindow, ExistingOnly: c.ExistingOnly, Headers: c.Headers, Exclude: c.Exclude, AllowEmpty: c.AllowEmpty, KeepACL: c.KeepACL, Relay: c.Relay,
		RemoveSource: c.RemoveSource, IfUnchanged: c.IfUnchanged, Delete: c.Delete, MaxDelete: c.MaxDelete,
		AllowEmptySource: c.AllowEmptySource, IgnoreErrors: c.IgnoreErrors, DeleteExcluded: c.DeleteExcluded,
		Filter: c.Filter, Backup: kept, Files: c.Files, Single: c.Single,
	}
}

// reach is a Location of a call, through the buckets and keys of this one.
func (o *ResumeOptions) reach(c call, w where) (l Location, err error) {
	l.Path, l.only = w.Path, w.Only
	if w.Sealed {
		if l.Keys = o.Keys; l.Keys == nil {
			return l, usagef("the job encrypts or decrypts: resume it with its keys")
		}
	}
	if w.Bucket != "" {
		l.Bucket, err = o.Bucket(cmp.Or(c.endpoint(), w.Endpoint), w.Bucket)
	}
	return l, err
}
