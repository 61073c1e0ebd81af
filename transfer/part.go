package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
)

// Part chooses among what is missing of a job. What it is to be must match all
// of its fields.
type Part struct {
	// States are how far an object has come. nil is all.
	States []ItemState

	// Codes choose what failed with one of these codes of OSS, such as
	// "AccessDenied" in letters of any case, or of HTTP, such as "503", and
	// nothing else. nil is all.
	Codes []string

	// Include chooses by names, which are those below the source; that of a job
	// of one object is the last element of its source. nil is all. Sizes, times
	// and storage classes are not looked at.
	Include *Filter
}

// ItemState is how far an object of a job has come that is not done.
type ItemState string

// The states of what is missing of a job.
const (
	ItemFailed   ItemState = "failed"    // it could not be done
	ItemInFlight ItemState = "in-flight" // it was begun, and has not failed
	ItemPending  ItemState = "pending"   // no run has come to it, for none has gone through
)

// ItemStates are all that there are.
func ItemStates() []ItemState { return []ItemState{ItemFailed, ItemInFlight, ItemPending} }

// some says whether p chooses, and does not take all.
func (p Part) some() bool { return len(p.States) > 0 || len(p.Codes) > 0 || p.Include != nil }

func (p Part) check() error {
	for _, s := range p.States {
		if !slices.Contains(ItemStates(), s) {
			return usagef("%q is no state of an object", string(s))
		}
	}
	return nil
}

// has says whether what is in a state may be chosen by it.
func (p Part) has(s ItemState) bool {
	return (len(p.States) == 0 || slices.Contains(p.States, s)) && (s == ItemFailed || len(p.Codes) == 0)
}

// failed says whether what failed so is chosen, if its name is.
func (p Part) failed(status int, code string) bool {
	return p.has(ItemFailed) && (len(p.Codes) == 0 || slices.ContainsFunc(p.Codes, func(c string) bool {
		return strings.EqualFold(c, code) && code != "" || c == strconv.Itoa(status)
	}))
}

// HasCode says whether the failure has one of these codes of OSS, in letters of
// any case, or of HTTP.
func (f Failure) HasCode(codes ...string) bool {
	return len(codes) > 0 && Part{Codes: codes}.failed(f.Status, f.Code)
}

func (p Part) named(name string) bool { return p.Include.MatchName(name).In }

// Left is what is missing of a job besides what a Resume of a Part was to do.
type Left struct {
	Failed    int64 `json:"failed"`    // objects that failed in an earlier run
	InFlight  int64 `json:"in_flight"` // objects that were begun, and have not failed
	Pending   bool  `json:"pending"`   // whether there may be objects that no run has come to
	Deletions bool  `json:"deletions"` // whether what only the destination has is yet to be deleted
}

// String is l in one line, without a verb.
func (l Left) String() string {
	var parts []string
	if l.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed earlier", l.Failed))
	}
	if l.InFlight > 0 {
		parts = append(parts, fmt.Sprintf("%d under way", l.InFlight))
	}
	if l.Pending {
		parts = append(parts, "what no run has come to")
	}
	if l.Deletions {
		parts = append(parts, "deletions")
	}
	return "left: " + strings.Join(parts, ", ")
}

// NoPartError says that a Part chooses nothing of what is missing of a job, of
// which nothing was done. It matches ErrNoMatch.
type NoPartError struct {
	JobID string
	Codes []string // some of those that its failures have
}

func (e *NoPartError) Error() string {
	text := fmt.Sprintf("nothing that is missing of job %s is chosen", e.JobID)
	if len(e.Codes) > 0 {
		text += "; what failed has the codes " + strings.Join(e.Codes, ", ")
	}
	return text
}

// Is makes errors.Is(err, ErrNoMatch) true.
func (e *NoPartError) Is(target error) bool { return target == ErrNoMatch }

// note takes down the codes of a failure, for a person who has mistyped one.
func (e *NoPartError) note(status int, code string) {
	if status != 0 {
		code = strings.TrimSpace(code + " " + strconv.Itoa(status))
	}
	if code = printable(code); code != "" && len(e.Codes) < maxCodes && !slices.Contains(e.Codes, code) {
		e.Codes = append(e.Codes, code)
	}
}

// maxCodes is how many codes an error names.
const maxCodes = 8

// incomplete is the error of a job that went through, nil if nothing of it is
// missing.
func (r *Report) incomplete() error {
	if r.Objects.Failed == 0 && r.Left == nil {
		return nil
	}
	err := &IncompleteError{JobID: r.JobID, Failed: r.Objects.Failed, Stale: r.Objects.Stale, Left: r.Left}
	if len(r.Failures) > 0 {
		err.First = r.Failures[0]
	}
	return err
}

// resumePart is Resume of a part.
func (e *Engine) resumePart(ctx context.Context, job checkpoint.Job, c call, opts *ResumeOptions) (*Report, error) {
	switch {
	case opts.NoResume:
		return nil, usagef("a part of a job is of what its earlier run has left")
	case job.State == string(StateDone):
		return nil, &NoPartError{JobID: job.ID}
	}
	if err := opts.Part.check(); err != nil {
		return nil, err
	}
	if c.Method == "sync" || !slices.Contains(methods, c.Method) {
		return e.repeat(ctx, c, opts)
	}

	// The job of one object is its own part, or nothing is.
	d, err := e.Job(job.ID)
	if err != nil {
		return nil, err
	}
	p, none := opts.Part, &NoPartError{JobID: job.ID}
	chosen := d.Failed == 0 && p.has(ItemPending)
	if d.InFlight > 0 {
		chosen = d.Failed == 0 && p.has(ItemInFlight)
	}
	for _, f := range d.Failures {
		none.note(f.Status, f.Code)
		chosen = chosen || p.failed(f.Status, f.Code)
	}
	if chosen && p.named(path.Base(filepath.ToSlash(c.Source.Path))) {
		return e.repeat(ctx, c, opts)
	}
	now := time.Now()
	left := &Left{Failed: d.Failed, Pending: d.Failed+d.InFlight == 0}
	if d.Failed == 0 {
		left.InFlight = d.InFlight
	}
	return &Report{
		Version: ReportVersion, JobID: job.ID, Kind: job.Kind, Source: job.Source, Destination: job.Destination, Started: now, Finished: now,
		State: StateFailed, Error: none.Error(), Resumed: true, Resumable: true,
		Objects: ObjectCounts{Total: 1, Failed: d.Failed}, Failures: d.Failures, Left: left,
	}, none
}

// portion is the part of a tree that a run is for.
type portion struct {
	Part
	through bool // an earlier run has tried all objects
	deletes bool // the job is to delete as well

	folder string // the last one that was asked about, and what was said
	whole  bool
}

// pending says whether names that no run has come to belong to the part.
func (p *portion) pending() bool { return !p.through && p.has(ItemPending) }

// surveyPart finds whether there is anything that the part chooses.
func (t *tree) surveyPart() error {
	p := t.options.part
	if p == nil {
		return nil
	}
	t.since = t.report.Started
	any, none := p.pending(), &NoPartError{JobID: t.id}
	for f, err := range t.journal.Failures() {
		if err != nil {
			return err
		}
		if next := f.At.Add(1); next.After(t.since) { // by a clock that was set
			t.since = next
		}
		none.note(f.Status, f.Code)
		any = any || t.choosesFailure(f)
	}
	for o, err := range t.journal.Objects() {
		if err != nil || any {
			return err
		}
		if o.Target != "" {
			continue // a copy beside: of no name
		}
		failed, err := t.failures(o.Key)
		if err != nil {
			return err
		}
		any = len(failed) == 0 && p.has(ItemInFlight) && p.named(o.Key)
	}
	if !any {
		return none
	}
	return nil
}

// choosesFailure says whether the part has what failed so.
func (t *tree) choosesFailure(f checkpoint.Failure) bool {
	p := t.options.part
	name, ok := t.nameOf(f)
	if !ok || !p.failed(f.Status, f.Code) {
		return false
	}
	return p.named(name) || strings.HasSuffix(name, "/") && p.Include.Dir(name)
}

// nameOf is the name of what failed; false for deletions, which belong to no
// name of the source.
func (t *tree) nameOf(f checkpoint.Failure) (name string, ok bool) {
	side := t.dst
	switch {
	case f.Operation == "delete":
		return "", false
	case f.Operation == "remove" && t.direction == up:
		name, err := filepath.Rel(t.src.Path, f.Key)
		return filepath.ToSlash(name), err == nil
	case f.Operation == "remove" || t.direction == down:
		side = t.src
	}
	return strings.CutPrefix(f.Key, side.Path)
}

// failures are the ways in which a name has failed, at most two.
func (t *tree) failures(name string) (all []checkpoint.Failure, err error) {
	_, key, _ := t.describe(action{name: name})
	keys := []string{key}
	switch {
	case !t.options.RemoveSource:
	case t.direction == up:
		keys = append(keys, filePath(t.root, name))
	case t.direction == across:
		keys = append(keys, t.src.Path+name)
	}
	for _, key := range keys {
		f, found, err := t.journal.Failure(key)
		if err != nil {
			return nil, err
		}
		if found && f.Operation != "delete" {
			all = append(all, f)
		}
	}
	return all, nil
}

// partly is the source without what the part leaves out.
func (t *tree) partly(src iter.Seq2[entry, error]) iter.Seq2[entry, error] {
	if t.options.part == nil {
		return src
	}
	return func(yield func(entry, error) bool) {
		for e, err := range src {
			if err != nil && e.name == "" {
				yield(e, err)
				return
			}
			in, lost := t.chooses(e.name)
			if lost != nil {
				yield(entry{}, lost)
				return
			}
			if in && !yield(e, err) {
				return
			}
		}
	}
}

// chooses says whether the part has a name of the source. It is asked about names
// in their order.
func (t *tree) chooses(name string) (bool, error) {
	p := t.options.part
	if !p.named(name) && !(strings.HasSuffix(name, "/") && p.Include.Dir(name)) {
		return false, nil
	}
	failed, err := t.failures(name)
	if err != nil {
		return false, err
	}
	if len(failed) > 0 {
		return slices.ContainsFunc(failed, func(f checkpoint.Failure) bool { return p.Part.failed(f.Status, f.Code) }), nil
	}
	if strings.HasSuffix(name, "/") && t.options.Files.Folders {
		// Done, it goes along: what happens in a folder changes it, or empties it.
		if _, done, err := t.journal.Settled(name); done || err != nil || p.through {
			return err == nil, err
		}
	}
	if p.has(ItemInFlight) || p.pending() {
		_, begun, err := t.journal.Object(name)
		if err != nil || begun {
			return begun && p.has(ItemInFlight), err
		}
	}
	if p.pending() {
		return true, nil
	}
	return t.choosesFolder(parent(strings.TrimSuffix(name, "/")))
}

// choosesFolder says whether the part has a folder that could not be read, and
// with it whatever is in it.
func (t *tree) choosesFolder(dir string) (bool, error) {
	p := t.options.part
	if dir == "" || t.direction != up {
		return false, nil
	}
	if dir == p.folder {
		return p.whole, nil
	}
	failed, err := t.failures(dir + "/")
	if err != nil {
		return false, err
	}
	whole := slices.ContainsFunc(failed, func(f checkpoint.Failure) bool { return p.Part.failed(f.Status, f.Code) })
	if !whole {
		if whole, err = t.choosesFolder(parent(dir)); err != nil {
			return false, err
		}
	}
	p.folder, p.whole = dir, whole
	return whole, nil
}

// forgive drops the failures of earlier runs of a name that this one has dealt
// with, unless err says that it has not. What failed anew stays.
func (t *tree) forgive(name string, err error) error {
	if t.options.part == nil || err != nil {
		return err
	}
	failed, err := t.failures(name)
	if err != nil {
		return err
	}
	for _, f := range failed {
		if !f.At.Before(t.since) {
			continue
		}
		if err := t.journal.DropFailure(f.Key); err != nil {
			return err
		}
	}
	return nil
}

// finishPart ends the run of a part. The job is done if nothing of it is missing.
func (t *tree) finishPart(ctx context.Context, err error) (*Report, error) {
	p := t.options.part
	if err == nil && p.pending() && p.Include == nil {
		p.through, t.through = true, true
		err = t.journal.SetState(ctx, string(StateIncomplete), t.stopped(ErrIncomplete))
	}
	left, failures, lost := t.whatIsLeft(ctx, err == nil)
	if err == nil {
		err = lost
	}
	if err == nil && left == (Left{}) && t.failed() == 0 {
		err = t.dropRest(ctx) // of copies beside
	}
	t.mu.Lock()
	r := &t.report
	r.Objects.Failed += left.Failed
	r.Objects.Total += left.Failed
	r.Failures = append(r.Failures, failures[:min(len(failures), MaxFailures-len(r.Failures))]...)
	if left != (Left{}) {
		r.Left = &left
	}
	t.mu.Unlock()
	return t.end(ctx, err, t.compare != CompareNone)
}

// whatIsLeft counts what is missing that was not of this run, and lists the first
// of the failures. With settle it looks at the source for what was chosen and has
// not been come across: what is gone is missing no more.
func (t *tree) whatIsLeft(ctx context.Context, settle bool) (left Left, list []Failure, err error) {
	p := t.options.part
	left.Pending, left.Deletions = !p.through, p.deletes
	for f, err := range t.journal.Failures() {
		if err != nil {
			return left, list, err
		}
		if !f.At.Before(t.since) {
			continue
		}
		gone := false
		if settle && t.choosesFailure(f) {
			if gone, err = t.gone(ctx, f); err != nil && (ctx.Err() != nil || fatal(err)) {
				return left, list, err
			}
		}
		if gone {
			t.seen(false, 0)
			t.skip(f.Operation, f.Key, reasonGone, 0)
			if err := t.journal.DropFailure(f.Key); err != nil {
				return left, list, err
			}
			continue
		}
		if left.Failed++; len(list) < MaxFailures {
			list = append(list, failureOf(f))
		}
	}
	for o, err := range t.journal.Objects() {
		if err != nil {
			return left, list, err
		}
		if o.Target != "" {
			continue // a copy beside: of no name
		}
		failed, err := t.failures(o.Key)
		if err != nil {
			return left, list, err
		}
		if len(failed) == 0 {
			left.InFlight++
		}
	}
	return left, list, nil
}

const reasonGone = "no longer at the source"

// gone asks the source whether what failed is not there. A folder that could not
// be read and can be is dealt with like one that is gone, if all that is in it
// was chosen.
func (t *tree) gone(ctx context.Context, f checkpoint.Failure) (bool, error) {
	name, _ := t.nameOf(f)
	if t.direction != up {
		meta, err := t.metaOf(ctx, t.src, name)
		return err == nil && meta == nil, err
	}
	if f.Operation == "remove" {
		_, err := os.Lstat(f.Key)
		return errors.Is(err, fs.ErrNotExist), nil
	}
	if strings.HasSuffix(name, "/") {
		return t.options.part.Include == nil && t.unread == 0, nil
	}
	_, err := t.root.Stat(name)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, localfs.ErrIsFile), nil
}
