package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

const resumeLong = `Go on with a job that did not reach its end, as it was begun.

  osssync resume J
  osssync retry J

J is an id as "osssync jobs" lists it and the last line of a job names it, or its
beginning if no other job's id begins so. Source, destination and what shapes the
objects are those of the first run; credentials come from the flags, the environment
and the configuration of this one. The endpoint is the first run's too, unless
--endpoint names another way to the same service; so is the folder of --local. Limits
such as --bandwidth-limit, --tpslimit and -j are those of this command line.

What is done is not done again: an upload sends only the parts that are missing, a
tree only what failed or was not yet reached. A sync or cp -r that deletes nothing
goes on from the name up to which all was done, and says so: what was changed up to
there since is for the next sync to find. Both words do the same; "retry" is the
word for a job that went through with some objects failed.

With --state, --code or --include only that part is done, and what else is missing
stays as it is: the last line counts what is left and says how to go on with it, and
the exit code is 4 until nothing is. What must hold is all of them: with --code, only
what failed is chosen. States: failed; in-flight (begun, and not failed); pending (no
run has come to it). Patterns are those of "osssync cp": names below SRC, or for one
object the last part of SRC. "osssync jobs show J" lists what failed, with the codes.
A part deletes nothing at the destination; a sync --delete does that when the whole
job goes on.

Examples:
  osssync resume 3f2a9c81d0e4b756
  osssync retry 3f2a --report report.json
  osssync retry 3f2a --code AccessDenied,503
  osssync resume 3f2a --state in-flight,pending --include '/2026/**'
`

func newResumeCommand(a *app, name, short string) *cobra.Command {
	var p partFlags
	cmd := &cobra.Command{
		Use:   name + " J",
		Short: short,
		Long:  resumeLong + "\n" + exitHelp,
		Args:  exactly(1, "the id of a job"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.resume(cmd, args, &p) },
	}
	p.register(cmd)
	return cmd
}

// partFlags choose among what is missing of a job.
type partFlags struct {
	codes  []string // of OSS or HTTP
	states choices
	rules  []ruleArg
}

// partFlagNames are those of partFlags.
var partFlagNames = []string{"state", "code", "include"}

func (p *partFlags) register(cmd *cobra.Command) {
	for _, s := range transfer.ItemStates() {
		p.states.allowed = append(p.states.allowed, string(s))
	}
	cmd.Flags().Var(&p.states, "state", "only what is in these `STATES`: "+strings.Join(p.states.allowed, ", "))
	cmd.Flags().StringSliceVar(&p.codes, "code", nil, "only what failed with one of these `CODES` of OSS or HTTP, as AccessDenied,503")
	cmd.Flags().Var(&ruleFlag{name: "include", rules: &p.rules}, "include", "only names that match `PATTERN`, such as '*.jpg' or /2026/")
}

// part is what the flags of cmd choose.
func (p *partFlags) part(cmd *cobra.Command) (part transfer.Part, err error) {
	noCode := &usageError{message: "--code: want codes of OSS or HTTP, as AccessDenied,503"}
	if cmd.Flags().Changed("code") && len(p.codes) == 0 {
		return part, noCode // not all of them, as without the flag
	}
	for _, s := range p.states.values {
		part.States = append(part.States, transfer.ItemState(s))
	}
	for _, code := range p.codes {
		if code = strings.TrimSpace(code); code == "" {
			return part, noCode
		}
		part.Codes = append(part.Codes, code)
	}
	if len(part.Codes) > 0 && len(part.States) > 0 && !slices.Contains(part.States, transfer.ItemFailed) {
		return part, &usageError{message: "--code chooses among what failed, and --state leaves that out", hint: "leave out --state, or one of the two at a time"}
	}
	if len(p.rules) > 0 {
		var b filter.Builder
		for _, rule := range p.rules {
			if err := rule.addTo(&b, nil); err != nil {
				return part, err
			}
		}
		if part.Include, err = b.Build(); err != nil {
			return part, &usageError{message: err.Error()}
		}
	}
	return part, nil
}

func (a *app) resume(cmd *cobra.Command, args []string, flags *partFlags) error {
	part, err := flags.part(cmd)
	if err != nil {
		return err
	}
	if a.flags.noCheckpoint || a.flags.noResume {
		return &usageError{message: cmd.Name() + " without a checkpoint has nothing to go on from", hint: "leave out --no-checkpoint and --no-resume"}
	}
	_, d, err := a.findJob(cmd, args[0])
	if err != nil {
		return err
	}
	switch {
	case d.Err != nil:
		return d.Err
	case d.Kind == "apply":
		e := &usageError{message: fmt.Sprintf("job %s is of a plan", d.ID), hint: "apply the plan again, and it goes on"}
		if line := a.resumeCommand(cmd, &d.JobInfo); line != "" {
			e.hint += ": " + line
		}
		return e
	case !d.Resumable:
		return &usageError{
			message: fmt.Sprintf("job %s does not say how it was begun", d.ID),
			hint:    "run its command line again, or give it up: osssync jobs rm " + d.ID,
		}
	}
	return a.reaching(cmd, &d.JobInfo, func(bucket bucketFunc) error {
		t := task{cmd: cmd, args: []string{d.ID}, src: shown(d.Source), dst: shown(d.Destination)}
		t.rest = lineOf(cmd, []string{cmd.Name()}, t.args, func(f *pflag.Flag) bool { return !slices.Contains(partFlagNames, f.Name) })
		t.call = func(ctx context.Context, e *transfer.Engine, o transfer.JobOptions) (*transfer.Report, error) {
			return e.Resume(ctx, d.ID, &transfer.ResumeOptions{JobOptions: o, Bucket: bucket, Part: part})
		}
		return a.runJob(&service{}, t)
	})
}

// shown is a place that was printed before.
func shown(text string) place {
	if p, err := parsePlace(text); err == nil {
		return p
	}
	return place{path: text}
}

// bucketFunc reaches a bucket of a job; endpoint is where the job was begun.
type bucketFunc func(endpoint, name string) (*oss.Bucket, error)

// localService begins the name of the embedded server in a job's id.
const localService = "local:"

// reaching calls fn with a way to the buckets of a job, and closes that after.
// Nothing is connected to before it is asked for.
func (a *app) reaching(cmd *cobra.Command, job *transfer.JobInfo, fn func(bucketFunc) error) error {
	services := map[string]*service{}
	reach := func(endpoint, name string) (*oss.Bucket, error) {
		elsewhere, err := a.namesService(cmd)
		if err != nil {
			return nil, err
		}
		dir, local := strings.CutPrefix(job.Service, localService)
		if elsewhere || local {
			endpoint = "" // one service for all
		}
		s := services[endpoint]
		if s == nil {
			switch {
			case elsewhere:
				s, err = a.connect(cmd)
			case local:
				a.flags.local = dir
				s, err = a.connectLocal(nil)
			default:
				// A bucket's own style of addressing belongs to its endpoint.
				t := a.target(name)
				if !sameEndpoint(t.endpoint, endpoint) {
					t = target{region: t.region, addressing: a.flags.addressing.value}
				}
				if t.endpoint = endpoint; regionOf(endpoint) != "" {
					t.region = "" // the name has it
				}
				s, err = a.connectTo(cmd.Context(), t, false)
			}
			if err != nil {
				return nil, err
			}
			services[endpoint] = s
		}
		return s.bucket(place{bucket: name}), nil
	}
	err := fn(reach)
	for _, s := range services {
		err = errors.Join(err, s.close())
	}
	return err
}

// namesService reports whether this command line names a service itself.
func (a *app) namesService(cmd *cobra.Command) (bool, error) {
	local, err := a.useLocal(cmd)
	return local || a.flags.endpoint != "", err
}

// sameEndpoint compares two ways to write an endpoint.
func sameEndpoint(a, b string) bool {
	plain := func(s string) string {
		return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(s, "https://"), "/"))
	}
	return plain(a) == plain(b)
}
