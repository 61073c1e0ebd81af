package main

import (
	"io"
	"slices"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

// jobList is a list of jobs: which, and how each is printed.
type jobList struct {
	states []string
	codes  []string // of OSS or HTTP; any failure with one of them
	format string
}

func (a *app) listJobs(cmd *cobra.Command, l *jobList) error {
	states, err := parseStates(l.states)
	if err != nil {
		return err
	}
	show, err := a.jobPrinter(cmd, l.format)
	if err != nil {
		return err
	}
	engine, err := a.engine()
	if err != nil {
		return err
	}
	shown := int64(0)
	for job, err := range engine.Jobs(cmd.Context()) {
		if err != nil {
			return err
		}
		if len(states) > 0 && !slices.Contains(states, job.State) || len(l.codes) > 0 && !l.failed(engine, &job) {
			continue
		}
		shown++
		if err := show(&job); err != nil {
			return err
		}
	}
	if a.flags.json {
		return a.writeJSON(a.stdout, countLine{V: jsonVersion, Type: "summary", Count: shown})
	}
	if shown == 0 && !a.flags.onlyErrors {
		a.printf("no jobs; those that have succeeded are not kept")
	}
	return nil
}

// failed reports whether an object of the job failed with one of the codes.
func (l *jobList) failed(engine *transfer.Engine, job *transfer.JobInfo) bool {
	if job.Failed == 0 {
		return false
	}
	d, err := engine.Job(job.ID)
	return err == nil && slices.ContainsFunc(d.Failures, func(f transfer.Failure) bool { return f.HasCode(l.codes...) })
}

// jobPrinter prints jobs as the flags say.
func (a *app) jobPrinter(cmd *cobra.Command, format string) (func(*transfer.JobInfo) error, error) {
	switch {
	case format != "" && a.flags.json:
		return nil, &usageError{message: "--format and --json exclude each other"}
	case format != "":
		t, err := template.New("--format").Parse(format + "\n")
		if err == nil {
			err = t.Execute(io.Discard, jobLine{})
		}
		if err != nil {
			return nil, &usageError{message: err.Error(), hint: "see: osssync jobs --help"}
		}
		return func(job *transfer.JobInfo) error {
			line := a.jobLine(cmd, job)
			for _, name := range []*string{&line.Source, &line.Destination, &line.Endpoint, &line.Reason, &line.Error} {
				*name = oneLine(*name) // names are anybody's
			}
			return t.Execute(a.stdout, line)
		}, nil
	case a.flags.json:
		return func(job *transfer.JobInfo) error { return a.writeJSON(a.stdout, a.jobLine(cmd, job)) }, nil
	}
	return func(job *transfer.JobInfo) error { return a.printJob(cmd, job) }, nil
}
