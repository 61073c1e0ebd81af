package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const jobsLong = `Look at the jobs of this machine's state folder, or give one up.

  osssync jobs [list] [--state interrupted,incomplete]
  osssync jobs show J      one job: what is under way, what failed and why
  osssync jobs export J    all of that as lines of JSON
  osssync jobs rm J...     give it up: its uploads are aborted, its temporary files
                           and its checkpoint removed

A job stands here while it runs, and afterwards if it did not reach its end. One that
has succeeded is not kept, but for a sync: its index lets the next run decide without
a request for each object. J is a job's id, or its beginning if no other begins so.
Looking at a running job does not disturb it. A checkpoint holds no secret.

States: running; interrupted (by a signal, or its process died); parked (a limit of its
command was reached, or its credentials ended); failed (an error or a guard stopped it);
incomplete (some objects failed); done (the index of a sync: nothing is to go on with); new (a dry run
that was killed); damaged; newer (of a newer release). What stopped it stands with it.

Examples:
  osssync jobs
  osssync jobs --state incomplete --json
  osssync jobs --code AccessDenied,503 --format '{{.Job}} {{.ObjectsFailed}}'
  osssync jobs show 3f2a
  osssync resume 3f2a
`

// jobLine is a job, as JSON.
type jobLine struct {
	V               int               `json:"v"`
	Type            string            `json:"type"`
	Job             string            `json:"job"`
	Kind            string            `json:"kind"`
	Source          string            `json:"source"`
	Destination     string            `json:"destination"`
	Endpoint        string            `json:"endpoint,omitempty"`
	State           transfer.State    `json:"state"`
	PID             int               `json:"pid,omitempty"`
	Created         time.Time         `json:"created"`
	Updated         time.Time         `json:"updated"`
	AgeSeconds      float64           `json:"age_seconds"`
	ObjectsDone     int64             `json:"objects_done"`
	ObjectsInFlight int64             `json:"objects_in_flight"`
	ObjectsFailed   int64             `json:"objects_failed"`
	BytesDone       int64             `json:"bytes_done"`
	BytesInFlight   int64             `json:"bytes_in_flight"`
	BytesArrived    int64             `json:"bytes_arrived"`
	Resumable       bool              `json:"resumable"`
	Continue        string            `json:"continue,omitempty"`
	Reason          string            `json:"reason,omitempty"`
	Error           string            `json:"error,omitempty"`
	Options         map[string]string `json:"options,omitempty"`
}

// flightLine is an object under way.
type flightLine struct {
	V        int       `json:"v"`
	Type     string    `json:"type"`
	Job      string    `json:"job"`
	Key      string    `json:"key"`
	State    string    `json:"state"`
	Size     int64     `json:"size"`
	Arrived  int64     `json:"arrived"`
	PartSize int64     `json:"part_size"`
	UploadID string    `json:"upload_id,omitempty"`
	TempName string    `json:"temporary_name,omitempty"`
	Started  time.Time `json:"started"`
}

// failureLine is an object that failed.
type failureLine struct {
	V    int    `json:"v"`
	Type string `json:"type"`
	Job  string `json:"job"`
	transfer.Failure
}

func newJobsCommand(a *app) *cobra.Command {
	var l jobList
	list := func(cmd *cobra.Command, _ []string) error { return a.listJobs(cmd, &l) }
	stateFlag := func(cmd *cobra.Command) {
		cmd.Flags().StringSliceVar(&l.states, "state", nil, "only jobs in these `STATES`, as interrupted,incomplete")
		cmd.Flags().StringSliceVar(&l.codes, "code", nil, "only jobs in which an object failed with one of these `CODES` of OSS or HTTP, as AccessDenied,503")
		cmd.Flags().StringVar(&l.format, "format", "", "print each job by this `TEMPLATE` of Go's, as '{{.Job}} {{.State}}'; names as in: osssync help json")
	}
	cmd := &cobra.Command{
		Use: "jobs [list|show J|export J|rm J...]", Short: "List, show and give up jobs", Long: jobsLong + "\n" + exitHelp,
		Args: subcommandOr(0), RunE: list,
	}
	stateFlag(cmd)
	listing := &cobra.Command{Use: "list", Short: "List the jobs", Long: jobsLong + "\n" + exitHelp, Args: upTo(0), RunE: list}
	stateFlag(listing)
	show := &cobra.Command{
		Use: "show J", Short: "Show one job", Long: jobsLong + "\n" + exitHelp, Args: exactly(1, "the id of a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, d, err := a.findJob(cmd, args[0])
			if err != nil {
				return err
			}
			if a.flags.json {
				return a.exportJob(cmd, d)
			}
			return a.showJob(cmd, d)
		},
	}
	export := &cobra.Command{
		Use: "export J", Short: "Print all that is known of a job as lines of JSON", Long: jobsLong + "\n" + exitHelp, Args: exactly(1, "the id of a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, d, err := a.findJob(cmd, args[0])
			if err != nil {
				return err
			}
			return a.exportJob(cmd, d)
		},
	}
	dryRun := false
	rm := &cobra.Command{
		Use: "rm J...", Short: "Give up jobs", Long: jobsLong + "\n" + exitHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly(max(1, len(args)), "the id of a job")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.removeJobs(cmd, args, dryRun) },
	}
	rm.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "say what would be removed and do nothing")
	cmd.AddCommand(listing, show, export, rm)
	return cmd
}

// subcommandOr allows n arguments to a command that has subcommands, so that a
// mistyped one is named.
func subcommandOr(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		e := &usageError{message: fmt.Sprintf("unknown command %s %s", cmd.Name(), printable(args[n])), hint: "see: " + cmd.CommandPath() + " --help"}
		var names []string
		for _, c := range cmd.Commands() {
			names = append(names, c.Name())
		}
		if near := nearest(args[n], names); near != "" {
			e.message += "; did you mean " + near + "?"
		}
		return e
	}
}

// jobError says that a word names no job.
type jobError struct{ message, hint string }

func (e *jobError) Error() string { return e.message }

func (e *jobError) Is(target error) bool { return target == transfer.ErrNoJob }

// maxNear is how many jobs a hint names.
const maxNear = 5

// findJob finds the job whose id is word, or begins so.
func (a *app) findJob(cmd *cobra.Command, word string) (*transfer.Engine, *transfer.JobDetail, error) {
	engine, err := a.engine()
	if err != nil {
		return nil, nil, err
	}
	short := strings.ToLower(strings.TrimSpace(word))
	var ids, matching []string
	for job, err := range engine.Jobs(cmd.Context()) {
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, job.ID)
		if short != "" && strings.HasPrefix(job.ID, short) {
			matching = append(matching, job.ID)
		}
	}
	switch len(matching) {
	case 1:
		d, err := engine.Job(matching[0])
		return engine, d, err
	case 0:
		e := &jobError{message: "no job " + printable(word), hint: "one that has succeeded is not kept; see: osssync jobs"}
		if near := nearIDs(short, ids); len(near) > 0 {
			e.hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return nil, nil, e
	}
	return nil, nil, &jobError{
		message: fmt.Sprintf("%s is the beginning of %d jobs", printable(word), len(matching)),
		hint:    "write more of it: " + strings.Join(matching[:min(len(matching), maxNear)], ", "),
	}
}

// nearIDs are the ids that text was probably meant to be.
func nearIDs(text string, ids []string) []string {
	type candidate struct {
		id       string
		distance int
	}
	var all []candidate
	for _, id := range ids {
		d := min(distance(text, id), distance(text, id[:min(len(text), len(id))]))
		if len(text) >= 3 && d <= max(1, len(text)/4) {
			all = append(all, candidate{id, d})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.distance - b.distance })
	var near []string
	for _, c := range all[:min(len(all), maxNear)] {
		near = append(near, c.id)
	}
	return near
}

// parseStates reads --state.
func parseStates(words []string) ([]transfer.State, error) {
	var states []transfer.State
	var names []string
	for _, s := range transfer.JobStates() {
		names = append(names, string(s))
	}
	for _, w := range words {
		w = strings.ToLower(strings.TrimSpace(w))
		if !slices.Contains(names, w) {
			e := &usageError{message: fmt.Sprintf("--state %s: want some of %s", printable(w), strings.Join(names, ", "))}
			if near := nearest(w, names); near != "" {
				e.hint = "did you mean " + near + "?"
			}
			return nil, e
		}
		states = append(states, transfer.State(w))
	}
	return states, nil
}

// resumeCommand is the command line that goes on with a job, "" if none does.
func (a *app) resumeCommand(cmd *cobra.Command, job *transfer.JobInfo) string {
	verb, id := "resume", job.ID
	switch {
	case job.State == transfer.StateRunning || job.State == transfer.StateDone:
		return ""
	case job.Plan != "":
		verb, id = "apply", quoteWord(job.Plan)
	case !job.Resumable:
		return ""
	case job.State == transfer.StateIncomplete:
		verb = "retry"
	}
	line := "osssync " + verb + " " + id
	if f := cmd.Flags().Lookup("checkpoint-dir"); f != nil && f.Changed {
		line += " --checkpoint-dir=" + quoteWord(a.flags.stateDir)
	}
	return line
}

func (a *app) jobLine(cmd *cobra.Command, j *transfer.JobInfo) jobLine {
	line := jobLine{
		V: jsonVersion, Type: "job", Job: j.ID, Kind: j.Kind, Source: j.Source, Destination: j.Destination, Endpoint: j.Endpoint,
		State: j.State, PID: j.PID, Created: j.Created, Updated: j.Updated, AgeSeconds: time.Since(j.Updated).Seconds(),
		ObjectsDone: j.Done, ObjectsInFlight: j.InFlight, ObjectsFailed: j.Failed,
		BytesDone: j.BytesDone, BytesInFlight: j.BytesInFlight, BytesArrived: j.BytesArrived,
		Resumable: j.Resumable, Continue: a.resumeCommand(cmd, j), Reason: j.Reason,
	}
	if j.Err != nil {
		line.Error = j.Err.Error()
	}
	return line
}

// printJob is a job of a list. Lines below its first say what stopped it and how
// to go on.
func (a *app) printJob(cmd *cobra.Command, j *transfer.JobInfo) error {
	text := fmt.Sprintf("%s  %-11s  %-14s", j.ID, j.State, age(time.Since(j.Updated))+" ago")
	if j.Err != nil {
		_, err := fmt.Fprintf(a.stdout, "%s  %s\n", text, oneLine(j.Err.Error()))
		return err
	}
	text += fmt.Sprintf("  %s %s to %s  %s\n", j.Kind, oneLine(j.Source), oneLine(j.Destination), counts(j))
	if j.Reason != "" {
		text += "                  " + oneLine(j.Reason) + "\n"
	}
	if line := a.resumeCommand(cmd, j); line != "" {
		text += "                  " + line + "\n"
	} else if j.PID != 0 {
		text += fmt.Sprintf("                  process %d\n", j.PID)
	}
	_, err := fmt.Fprint(a.stdout, text)
	return err
}

// counts is how far a job has come, in one line.
func counts(j *transfer.JobInfo) string {
	s := fmt.Sprintf("%s done (%s)", number(j.Done, "object"), size(j.BytesDone))
	if j.InFlight > 0 {
		s += fmt.Sprintf(", %d under way (%s of %s)", j.InFlight, size(j.BytesArrived), size(j.BytesInFlight))
	}
	return s + fmt.Sprintf(", %d failed", j.Failed)
}

// age writes how long something is ago.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return number(max(0, int64(d/time.Second)), "second")
	case d < time.Hour:
		return number(int64(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return number(int64(d/time.Hour), "hour")
	}
	return number(int64(d/(24*time.Hour)), "day")
}

func (a *app) showJob(cmd *cobra.Command, d *transfer.JobDetail) error {
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s: %s\n", name, oneLine(value))
		}
	}
	state := string(d.State)
	if d.PID != 0 {
		state += fmt.Sprintf(", process %d", d.PID)
	}
	row("Job", d.ID)
	row("State", state)
	row("Reason", d.Reason)
	if d.Err != nil {
		row("Error", d.Err.Error())
		_, err := fmt.Fprint(a.stdout, b.String())
		return err
	}
	row("Kind", d.Kind)
	row("Source", d.Source)
	row("Destination", d.Destination)
	if dir, local := strings.CutPrefix(d.Service, localService); local {
		row("Service", "the embedded server in "+dir)
	} else {
		row("Endpoint", d.Endpoint)
	}
	var options []string
	for name, value := range d.Options {
		if value != "" {
			options = append(options, name+"="+value)
		}
	}
	slices.Sort(options)
	row("Options", strings.Join(options, " "))
	row("Begun", d.Created.Format(time.DateTime))
	row("Last active", d.Updated.Format(time.DateTime)+", "+age(time.Since(d.Updated))+" ago")
	row("Objects", counts(&d.JobInfo))
	row("To go on", a.resumeCommand(cmd, &d.JobInfo))
	for _, o := range d.Objects[:min(len(d.Objects), maxShown)] {
		fmt.Fprintf(&b, "under way   : %s, %s, %s of %s\n", printable(o.Key), o.State, size(o.Arrived), size(o.Size))
	}
	for _, f := range d.Failures[:min(len(d.Failures), maxShown)] {
		fmt.Fprintf(&b, "failed      : %s\n", oneLine(f.String()))
	}
	if more := max(0, d.InFlight-maxShown) + max(0, d.Failed-maxShown); more > 0 {
		fmt.Fprintf(&b, "… and %d more; all of them: osssync jobs export %s\n", more, d.ID)
	}
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}

func (a *app) exportJob(cmd *cobra.Command, d *transfer.JobDetail) error {
	line := a.jobLine(cmd, &d.JobInfo)
	line.Options = d.Options
	if err := a.writeJSON(a.stdout, line); err != nil {
		return err
	}
	for _, o := range d.Objects {
		err := a.writeJSON(a.stdout, flightLine{
			V: jsonVersion, Type: "in_flight", Job: d.ID, Key: o.Key, State: o.State, Size: o.Size, Arrived: o.Arrived,
			PartSize: o.PartSize, UploadID: o.UploadID, TempName: o.TempName, Started: o.Started,
		})
		if err != nil {
			return err
		}
	}
	for _, f := range d.Failures {
		if err := a.writeJSON(a.stdout, failureLine{V: jsonVersion, Type: "failure", Job: d.ID, Failure: f}); err != nil {
			return err
		}
	}
	return nil
}

// removeJobs gives up jobs. All are found before the first is touched.
func (a *app) removeJobs(cmd *cobra.Command, words []string, dryRun bool) (err error) {
	type found struct {
		engine *transfer.Engine
		job    *transfer.JobDetail
	}
	var jobs []found
	for _, word := range words {
		engine, d, err := a.findJob(cmd, word)
		if err != nil {
			return err
		}
		jobs = append(jobs, found{engine, d})
	}
	g := &gc{app: a, dryRun: dryRun}
	for _, f := range jobs {
		err = errors.Join(err, a.reaching(cmd, &f.job.JobInfo, func(bucket bucketFunc) error {
			return f.engine.Remove(cmd.Context(), f.job.ID, &transfer.GCOptions{Bucket: bucket, DryRun: dryRun, OnGarbage: g.print})
		}))
		if cmd.Context().Err() != nil {
			return context.Cause(cmd.Context())
		}
	}
	if !dryRun {
		err = errors.Join(err, a.tidySockets())
	}
	return err
}
