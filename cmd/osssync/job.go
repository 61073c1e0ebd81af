package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

// task is one call of the engine and what is said about it.
type task struct {
	cmd      *cobra.Command
	args     []string
	src, dst place
	dryRun   bool
	planned  bool   // what is planned is written elsewhere
	rest     string // of a part of a job: the command line for what it has left
	call     func(context.Context, *transfer.Engine, transfer.JobOptions) (*transfer.Report, error)
}

// runJob makes the call, shows its progress, and keeps its outcome for the
// last line.
func (a *app) runJob(s *service, t task) error {
	if err := checkReport(a.flags.report); err != nil {
		return err
	}
	engine, err := a.engine()
	if err != nil {
		return err
	}
	out := &outcome{dryRun: t.dryRun, written: t.planned}
	ctx, release, err := a.hold(t.cmd.Context())
	if err != nil {
		return err
	}
	defer release()
	view := a.newView()
	var steered *control
	defer func() { steered.close() }()
	report, err := t.call(ctx, engine, transfer.JobOptions{
		Service:  s.name,
		NoResume: a.flags.noResume,
		Adopt:    a.flags.adopt,
		OnStart: func(id string, resumed bool) {
			a.started(t, id, resumed)
			if !t.dryRun {
				steered = a.listen(id)
			}
		},
		OnProgress:    view.progress,
		ProgressEvery: view.every,
		OnObject: func(e transfer.ObjectEvent) {
			if e.Outcome == transfer.OutcomePlanned {
				out.plan(e, t.cmd.Name() == "rm")
			}
			if e.Outcome != transfer.OutcomePlanned || !t.planned {
				a.object(e)
			}
		},
	})
	view.stop()
	out.again, out.keyless = commandLine(t.cmd, t.args), secretGiven(t.cmd)
	if held, ok := errors.AsType[*transfer.HeldError](err); ok && report == nil {
		report = heldReport(t, held)
	}
	if report == nil {
		return err
	}
	if err == nil && a.flags.limits.orNothing && !t.dryRun && report.Check == nil && report.Objects.Done == 0 {
		err = errNothing
	}
	if out.report = report; a.tookStdin {
		out.again = ""
		if slices.Contains(retried, t.cmd.Name()) && report.JobID != "" && !a.flags.noCheckpoint {
			out.again = retryLine(t.cmd, report.JobID)
		}
	}
	if t.rest != "" && (report.State == transfer.StateIncomplete || errors.As(err, new(*transfer.NoPartError))) {
		out.again = t.rest // what failed may have another code by now
	}
	a.outcome = out
	shown := report.Warnings[:min(len(report.Warnings), maxShown)]
	for _, w := range shown {
		a.warn("%s", oneLine(w))
	}
	for _, w := range report.Warnings[len(shown):] {
		a.log.Warn("warning", "text", oneLine(w))
	}
	if more := len(report.Warnings) - len(shown); more > 0 {
		a.warn("… and %d more in the report", more)
	}
	if a.flags.report != "" {
		err = errors.Join(err, writeReport(a.flags.report, report))
	}
	return err
}

// retried are the commands whose trees of files retry goes on with by itself.
var retried = []string{"cp", "mv", "sync"}

// stateHeld is the state of a job that another process runs.
const stateHeld transfer.State = "held"

// heldReport is the report of a run that did nothing.
func heldReport(t task, err *transfer.HeldError) *transfer.Report {
	now := time.Now()
	return &transfer.Report{
		Version: transfer.ReportVersion, JobID: err.JobID, Source: t.src.String(), Destination: t.dst.String(),
		State: stateHeld, Error: err.Error(), Resumable: true, Started: now, Finished: now,
	}
}

// started says which job begins, if that is more than what was asked for.
func (a *app) started(t task, id string, resumed bool) {
	a.log.Info("start", "job", id, "source", t.src.String(), "destination", t.dst.String(), "resumed", resumed, "dry_run", t.dryRun)
	switch {
	case a.flags.json:
		a.emit(startLine{
			V: jsonVersion, Type: "start", Command: t.cmd.Name(), Source: t.src.String(), Destination: t.dst.String(),
			Job: id, Resumed: resumed, DryRun: t.dryRun,
		})
	case resumed && !a.flags.quiet && !a.flags.onlyErrors:
		a.printf("resuming job %s", id)
	}
}

// object tells stdout about one object: always with --json, else only what a
// dry run would do.
func (a *app) object(e transfer.ObjectEvent) {
	switch {
	case e.Outcome == transfer.OutcomeSkipped:
	case a.flags.json:
		a.emit(objectLine{V: jsonVersion, Type: "object", Key: e.Key, Operation: e.Operation, Outcome: e.Outcome, Reason: e.Reason, Size: e.Size, Failure: e.Failure})
	case e.Outcome == transfer.OutcomePlanned:
		reason := ""
		if e.Reason != "" {
			reason = ": " + e.Reason
		}
		fmt.Fprintf(a.stdout, "would %s %s (%s)%s\n", e.Operation, printable(e.Key), size(e.Size), reason) //nolint:errcheck // a reader that left does not stop a plan
	}
}

// outcome is what became of a job.
type outcome struct {
	report         *transfer.Report
	again          string // the command line that goes on
	keyless        bool   // which needs keys that stood on the command line
	dryRun         bool
	written        bool // as a plan
	planned        int64
	plannedDeletes int64 // of planned, in a job that also transfers
	plannedBytes   int64
	cost           *costFields
	plannedRemoves int64 // sources of a move
}

// plan counts what a dry run would do. alone says that it would only delete.
func (o *outcome) plan(e transfer.ObjectEvent, alone bool) {
	switch {
	case e.Operation == "remove":
		o.plannedRemoves++
		return
	case e.Operation == "delete" && !alone:
		o.plannedDeletes++
	default:
		o.plannedBytes += e.Size
	}
	o.planned++
}

// maxShown is how many failures, and how many warnings, a terminal gets; the
// report has the others.
const maxShown = 20

// failures prints the objects that failed.
func (o *outcome) failures(a *app) {
	all, failed := o.report.Failures, o.report.Objects.Failed
	if left := o.report.Left; left != nil { // which come last, and have been told of before
		failed -= left.Failed
		all = all[:min(int64(len(all)), failed)]
	}
	shown := all[:min(len(all), maxShown)]
	for _, f := range shown {
		a.printf("error: %s", oneLine(f.String()))
	}
	if more := failed - int64(len(shown)); more > 0 {
		where := "the report"
		if a.flags.report == "" {
			where += " that --report FILE writes"
		}
		a.printf("error: … and %d more in %s", more, where)
	}
}

// continuation is the command line that goes on after that exit code, "" if none
// does.
func (o *outcome) continuation(code int) string {
	if code != exitOK && code != exitUsage && o.report.Resumable {
		return o.again
	}
	return ""
}

// last prints the last line, and the last JSON line.
func (o *outcome) last(a *app, code int) {
	again := o.continuation(code)
	if a.flags.json {
		a.emit(summaryLine{
			V: jsonVersion, Type: "summary", Report: o.report, ExitCode: code, Continue: again,
			ElapsedSeconds: o.report.Elapsed().Seconds(), DryRun: o.dryRun, Planned: o.planned, PlannedBytes: o.plannedBytes, PlannedDeletes: o.plannedDeletes, Cost: o.cost,
			PlannedRemoves: o.plannedRemoves,
		})
	}
	if a.flags.onlyErrors && code == exitOK {
		return
	}
	if again != "" && o.keyless {
		a.printf("hint: the command below needs keys, which are never printed: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (and OSS_SESSION_TOKEN)")
	}
	line := o.line()
	if again != "" {
		line += "; to go on: " + again
	}
	fmt.Fprintln(a.stderr, line)
}

// line is the outcome in one line.
func (o *outcome) line() string {
	r := o.report
	if r.Check != nil {
		return checkLine(r)
	}
	n := r.Objects
	took := r.Elapsed()
	var b strings.Builder
	switch {
	case o.written && r.Plan != nil && (r.State == transfer.StateDone || r.State == transfer.StateIncomplete):
		fmt.Fprintf(&b, "planned: %s, %s to transfer (%d replaced), %s to delete", number(o.planned-o.plannedDeletes, "object"), size(o.plannedBytes), r.Plan.Replaced, number(o.plannedDeletes, "object"))
		if o.plannedRemoves > 0 {
			fmt.Fprintf(&b, ", %s to remove", number(o.plannedRemoves, "source"))
		}
	case o.dryRun && r.State == transfer.StateDone:
		fmt.Fprintf(&b, "dry run: %s, %s would be done in a real one", number(o.planned-o.plannedDeletes, "object"), size(o.plannedBytes))
		if o.plannedDeletes > 0 {
			fmt.Fprintf(&b, ", %s to delete", number(o.plannedDeletes, "object"))
		}
		if o.plannedRemoves > 0 {
			fmt.Fprintf(&b, ", %s to remove", number(o.plannedRemoves, "source"))
		}
	case r.State == transfer.StateDone && n.Done == 0:
		verb := "transfer"
		if r.Kind == "delete" {
			verb = "delete"
		}
		fmt.Fprintf(&b, "nothing to %s in %s: 0 objects, 0 B", verb, elapsed(took))
	case r.Kind == "delete":
		fmt.Fprintf(&b, "%s: %s deleted in %s", r.State, number(n.Done, "object"), elapsed(took))
	default:
		fmt.Fprintf(&b, "%s: %s, %s in %s (%s)", r.State, number(n.Done-n.Deleted, "object"), size(r.Bytes.Done), elapsed(took), rate(r.Bytes.Done-r.Bytes.Resumed, took))
		if r.Bytes.Resumed > 0 {
			fmt.Fprintf(&b, ", %s of it by an earlier run", size(r.Bytes.Resumed))
		}
	}
	if n.Deleted > 0 {
		fmt.Fprintf(&b, ", %d deleted", n.Deleted)
	}
	if !o.dryRun && (r.Kind == "move" || n.Removed > 0) {
		fmt.Fprintf(&b, ", %s removed", number(n.Removed, "source"))
	}
	fmt.Fprintf(&b, ", %d skipped, %d failed, %d changed", n.Skipped, n.Failed, n.Changed)
	if n.Stale > 0 {
		fmt.Fprintf(&b, ", %d stale", n.Stale)
	}
	if r.Left != nil {
		b.WriteString("; " + r.Left.String())
	}
	if r.JobID != "" {
		b.WriteString("; job " + r.JobID)
	}
	return b.String()
}

func rate(bytes int64, took time.Duration) string {
	s := took.Seconds()
	if s <= 0 {
		return "0 B/s"
	}
	return size(int64(float64(bytes)/s)) + "/s"
}

// checkReport finds out whether a report can be written, before anything is done.
func checkReport(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".osssync-report-*")
	if err != nil {
		return &usageError{message: "--report: " + err.Error(), hint: "name a file in a folder that is there and can be written"}
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeReport writes r to a file of that name, readable by the owner alone,
// which never shows half a report.
func writeReport(name string, r *transfer.Report) (err error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("report: %s is not a regular file", printable(name))
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".osssync-report-*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("report: %w", err), os.Remove(f.Name()))
	}
	return nil
}
