package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
)

// app is one run of the program: its streams, its flags, and what became of
// its job.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	flags    globalFlags
	settings settings
	log      *slog.Logger
	logFile  *logWriter
	outcome  *outcome // of the job, nil before it has begun

	tookStdin bool // a list of names, filters or a plan came from there

	http         *http.Client // the session of all clients, once one is made
	warnedVerify bool
	limits       *limits // shared by the lines of a run

	locals     *localServers // shared by the lines of a run; nil elsewhere
	onTerminal bool          // stdout is one

	within bool // it is a line of a run
	line   int  // which one, from 1
	begun  bool // flags and environment are read

	stdoutMu sync.Mutex // makes lines of JSON whole
	lost     error      // of the first line that could not be written
}

const rootLong = `osssync moves files to and from Alibaba Cloud OSS and goes on where it stopped.

SRC and DST are oss://BUCKET/KEY for an object, "-" for stdin or stdout, and
anything else for a file or folder. Every flag can also be set as an environment
variable: --part-size as OSSSYNC_PART_SIZE. A flag wins over the environment, and
that over the configuration files (osssync help config); osssync config show says
what is in force.

Try it without an account: osssync cp -r photos oss://my-bucket/ --local ./cloud
`

// newRootCommand builds the tree of commands for one run.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "osssync COMMAND",
		Short:         "Resumable bulk transfer for Alibaba Cloud OSS",
		Long:          rootLong + "\n" + exitHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return &usageError{message: "no command", hint: "see: osssync help", help: true}
		},
		PersistentPreRunE: a.begin,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetGlobalNormalizationFunc(normalize)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelpCommand(root))
	a.flags.register(root.PersistentFlags())
	root.PersistentFlags().SortFlags = false
	root.AddCommand(newConfigCommand(a), newStateCommand(a), newRunCommand(a), newCompletionCommand(a), newManCommand(a), newProbeCommand(a), newBenchCommand(a))
	root.AddCommand(
		newCpCommand(a, nil), newMvCommand(a, nil), newSyncCommand(a, nil), newLsCommand(a), newStatCommand(a),
		newCatCommand(a), newDuCommand(a), newHashCommand(a), newPresignCommand(a),
		newSetACLCommand(a), newSetMetaCommand(a), newRestoreCommand(a), newReadSymlinkCommand(a),
		newRmCommand(a), newMbCommand(a), newRbCommand(a), newServeCommand(a), newGCCommand(a), newSelftestCommand(a), newVersionCommand(a), newJSONTopic(),
	)
	root.AddCommand(
		newJobsCommand(a), newResumeCommand(a, "resume", "Go on with an interrupted job"), newResumeCommand(a, "retry", "Do what is missing of a job"),
		newFilterTestCommand(a), newUndoCommand(a), newCheckCommand(a), newPlanCommand(a), newApplyCommand(a), newCtlCommand(a), newAppendCommand(a),
	)
	return root
}

// begin runs before every command. args are those that the command gets, and
// are decoded in place.
func (a *app) begin(cmd *cobra.Command, args []string) error {
	if err := a.settings.fromEnvironment(cmd); err != nil {
		return err
	}
	a.begun = true
	if p, ok := a.stdout.(*pipeWriter); ok {
		a.onTerminal = isTerminal(p.w)
	}
	a.readSettings(cmd)
	if !strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		if err := a.openLog(); err != nil {
			return err
		}
		a.log.Info("begin", "command", strings.Join(strings.Fields(cmd.CommandPath())[1:], " "), "version", readVersion().Version, "pid", os.Getpid())
	}
	if err := a.flags.checkHosts(); err != nil {
		return err
	}
	if a.flags.encoding.value != "" {
		if err := decodeNames(cmd, args); err != nil {
			return err
		}
	}
	if a.flags.onlyErrors {
		a.flags.noProgress = true
	}
	if !a.within { // the run has said it
		a.warnSecrets(cmd)
	} else if cmd.Name() == "run" || cmd.Name() == "serve" {
		return &usageError{message: cmd.Name() + " cannot be a line of a run"}
	}
	return nil
}

// openLog makes the logger that --log-file, --log-format and --loglevel ask for,
// if any.
func (a *app) openLog() error {
	level := a.flags.logLevel.value
	if level == "" && a.flags.logFile != "" {
		level = "info"
	}
	if level == "" || level == "off" {
		return nil
	}
	opts := &slog.HandlerOptions{Level: map[string]slog.Level{
		"error": slog.LevelError, "info": slog.LevelInfo, "debug": slog.LevelDebug,
	}[level]}
	if a.flags.logFile == "" {
		a.flags.noProgress = true // lines and bars do not go together
		a.setLog(a.stderr, a.flags.logFormat.value == "json", opts)
		return nil
	}
	if levels := append([]string{"trace", "warn"}, a.flags.logLevel.allowed...); slices.Contains(levels, strings.ToLower(a.flags.logFile)) {
		return &usageError{
			message: "--log-file " + a.flags.logFile + " is the name of a level",
			hint:    "say what is logged with --loglevel, or write the file as ./" + a.flags.logFile,
		}
	}
	f, err := os.OpenFile(a.flags.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return &usageError{message: "--log-file: " + err.Error()}
	}
	a.logFile = &logWriter{File: f}
	a.setLog(a.logFile, a.flags.logFormat.value != "text", opts)
	return nil
}

func (a *app) setLog(w io.Writer, asJSON bool, opts *slog.HandlerOptions) {
	if asJSON {
		a.log = slog.New(slog.NewJSONHandler(w, opts))
	} else {
		a.log = slog.New(slog.NewTextHandler(w, opts))
	}
	if a.line > 0 {
		a.log = a.log.With("line", a.line)
	}
}

// logRefused opens the log of a command line that is not understood, as far as
// its flags, the environment and the files name one.
func (a *app) logRefused(cmd *cobra.Command) {
	if a.settings.fromEnvironment(cmd) == nil {
		a.readSettings(cmd)
	}
	a.openLog() //nolint:errcheck // what is wrong with the line is said
}

// logEnd logs what ended the run, err, if it did not just end, and the summary.
func (a *app) logEnd(err error, code int) {
	if err != nil {
		a.log.Error("ended", "err", oneLine(err.Error()), "exit_code", code)
	}
	args := []any{"exit_code", code}
	if a.outcome != nil {
		r := a.outcome.report
		n := r.Objects
		args = append(args, "job", r.JobID, "state", string(r.State), "done", n.Done, "skipped", n.Skipped, "failed", n.Failed, "changed", n.Changed,
			"deleted", n.Deleted, "bytes", r.Bytes.Done, "elapsed_seconds", r.Elapsed().Seconds(), "dry_run", a.outcome.dryRun)
		if again := a.outcome.continuation(code); again != "" {
			args = append(args, "continue", again)
		}
	}
	a.log.Info("end", args...)
}

// logWriter remembers the first write that failed: slog does not.
type logWriter struct {
	*os.File
	lost atomic.Pointer[error]
}

func (l *logWriter) Write(b []byte) (int, error) {
	n, err := l.File.Write(b)
	if err != nil {
		l.lost.CompareAndSwap(nil, &err)
	}
	return n, err
}

// exactly demands n arguments and shows the command's usage if there are fewer.
func exactly(n int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		hint := "put names with blanks in quotes; see: " + cmd.CommandPath() + " --help"
		if len(args) > n && strings.HasPrefix(args[n], scheme) {
			hint = "give one at a time, a pattern in quotes, or all of them as lines of: osssync run"
		}
		switch {
		case len(args) < n:
			missing := names
			if _, last, two := strings.Cut(names, " and "); two && len(args) == 1 {
				missing = last
			}
			return &usageError{message: "missing " + missing, help: true}
		case len(args) > n:
			return &usageError{
				message: fmt.Sprintf("too many arguments: %s", printable(strings.Join(args[n:], " "))),
				hint:    hint,
			}
		}
		return nil
	}
}

// oneSource is exactly for SRC and DST. More names are mostly what a shell made
// of a pattern.
func oneSource(cmd *cobra.Command, args []string) error {
	err := exactly(2, "SRC and DST")(cmd, args)
	if e, ok := err.(*usageError); ok && len(args) > 2 { //nolint:errorlint // it is as it was made
		e.hint = cmd.Name() + " takes one SRC: copy the folder with -r and say which with --include, or quote a name with blanks"
	}
	return err
}

// upTo allows at most n arguments.
func upTo(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return exactly(min(n, len(args)), "")(cmd, args)
	}
}

func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show help about a command or topic",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(root, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
}
