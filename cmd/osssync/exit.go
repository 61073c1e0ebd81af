package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
)

// Exit codes. They are documented, and stable once released.
const (
	exitOK          = 0
	exitUsage       = 1
	exitServer      = 2
	exitLocal       = 3
	exitIncomplete  = 4
	exitInterrupted = 5
	exitIntegrity   = 6
	exitSafety      = 7
	exitLimit       = 8
	exitNothing     = 9
	exitParked      = 10
	exitHeld        = 11
)

// exitHelp is the part of every help text that names the codes above.
const exitHelp = `Exit codes:
  0   everything asked for is done and verified, or nothing was to do
  1   wrong usage or configuration; nothing was done
  2   the service refused: credentials, permission, no such bucket, object or job
  3   a local or network failure stopped it
  4   finished, but some objects failed; run it again for those
  5   interrupted; run it again to go on
  6   the object changed meanwhile or arrived damaged; a checkpoint is damaged
  7   deleting was not safe, nothing more was deleted; of a plan, something has changed
      since and was left alone
  8   the limit of --max-transfer was reached; run it again to go on
  9   nothing was to do, and --error-on-no-transfer is given
  10  --max-duration, --deadline or --window ended, or the credentials; run it again to go on
  11  another process holds this job or folder
`

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	var (
		usage    *usageError
		ossUsage *oss.UsageError
		jobUsage *transfer.UsageError
		inUse    *emulator.InUseError
		server   *oss.ServerError
		selftest *selftestError
		state    *damagedStateError
		ran      *runError
		end      *boundError
		plan     *transfer.PlanError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ran):
		return ran.code
	case errors.As(err, &end):
		return end.code
	case errors.As(err, &selftest), errors.As(err, &state):
		return exitIntegrity
	case errors.As(err, &usage), errors.As(err, &ossUsage), errors.As(err, &jobUsage), errors.As(err, &plan):
		return exitUsage
	case errors.Is(err, transfer.ErrJobHeld), errors.As(err, &inUse):
		return exitHeld
	case errors.Is(err, transfer.ErrUnsafe), errors.Is(err, transfer.ErrStale):
		return exitSafety
	case errors.Is(err, transfer.ErrDifferent):
		return exitIntegrity
	case errors.Is(err, transfer.ErrIncomplete):
		return exitIncomplete
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, transfer.ErrChanged), errors.Is(err, transfer.ErrCorrupt), errors.Is(err, oss.ErrIntegrity):
		return exitIntegrity
	case errors.Is(err, transfer.ErrNoMatch), errors.Is(err, transfer.ErrNoJob):
		return exitServer
	case errors.Is(err, oss.ErrSecurityTokenExpired):
		return exitParked
	case errors.As(err, &server):
		switch oss.Classify(err) {
		case oss.ClassRetryable, oss.ClassThrottled:
			return exitLocal // it did not refuse, it was not able to
		case oss.ClassIdentity, oss.ClassIntegrity:
			return exitIntegrity
		default:
			return exitServer
		}
	default:
		return exitLocal
	}
}

// usageError says that the command line or the configuration is wrong.
type usageError struct {
	message string
	hint    string
	help    bool // show the command's usage as well
}

func (e *usageError) Error() string { return e.message }

// hintedError is an error with a hint of the command's own.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// hintFor says what a person can do about err, "" if nothing comes to mind.
func hintFor(err error) string {
	var (
		usage *usageError
		own   *hintedError
		creds *oss.CredentialsError
		inUse *emulator.InUseError
		job   *jobError
		state *damagedStateError
		bound *boundError

		noState *transfer.StateError
		noPart  *transfer.NoPartError
		part    *transfer.IncompleteError
		unsafe  *transfer.UnsafeError
	)
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &own):
		return own.hint
	case errors.As(err, &job):
		return job.hint
	case errors.Is(err, errNothing):
		return ""
	case errors.As(err, &bound):
		return cmp.Or(bound.hint, "run the same command again: it goes on")
	case errors.As(err, new(*transfer.PlanError)):
		return "make the plan anew with: osssync plan; it is not meant to be edited"
	case errors.Is(err, transfer.ErrStale):
		return "the rest of the plan is done, but for deletions if they depend on it; make it anew with: osssync apply --replan PLAN"
	case errors.As(err, &state):
		return "run their jobs again: they start over and prove what is there; or give them up with: osssync jobs rm"
	case errors.As(err, &part) && part.Left != nil && part.Left.Failed == part.Failed: // nothing failed now
		return "what is left stays as it is; the last line has the command for all of it"
	case serviceHint(err) != "":
		return serviceHint(err)
	case globHint(err) != "":
		return globHint(err)
	case errors.As(err, &creds), errors.Is(err, oss.ErrInvalidAccessKeyID), errors.Is(err, oss.ErrSignatureDoesNotMatch):
		return "check OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET"
	case errors.Is(err, oss.ErrNoSuchBucket):
		return "check the name and --endpoint, or make the bucket with: osssync mb oss://BUCKET"
	case errors.As(err, new(*noMatchError)):
		return "see what is there with: osssync ls; in quotes a pattern is not the shell's"
	case errors.As(err, new(*partlyError)):
		return "" // each failure has been printed
	case errors.Is(err, oss.ErrBucketNotEmpty):
		return "remove what is in it as well with: osssync rb -f"
	case errors.Is(err, oss.ErrObjectNotAppendable):
		return "only an object that was made by an append can grow; append to another key"
	case errors.As(err, &noPart):
		return "see what is missing, and why, with: osssync jobs show " + noPart.JobID
	case errors.Is(err, transfer.ErrNoMatch):
		return "check the prefix with: osssync ls; a single object goes without -r; if there may be nothing, give --allow-empty"
	case errors.As(err, &noState):
		return "name another folder with --checkpoint-dir, or do without one: --no-checkpoint"
	case errors.As(err, &unsafe):
		return unsafeHints[unsafe.Cause]
	case errors.Is(err, transfer.ErrJobHeld), errors.As(err, &inUse):
		return "wait for the other process, or stop it"
	case errors.Is(err, transfer.ErrDifferent):
		return "bring DST to the state of SRC with osssync sync, with --delete for names that only DST has, or a single object with osssync cp"
	case errors.As(err, &part) && strings.HasPrefix(part.First.Cause, `key "`):
		return "no file can have such a name: give --encode-names for files with %XX in theirs, or leave it out with --exclude"
	case errors.Is(err, transfer.ErrIncomplete):
		return "mend the causes and run the same command again: it does only what is missing"
	case errors.Is(err, syscall.ENOSPC):
		return "make room and run the same command again: it goes on"
	case errors.Is(err, oss.ErrSecurityTokenExpired):
		return "get new temporary credentials and run the same command again: it goes on"
	case errors.Is(err, oss.ErrNoSuchKey), errors.Is(err, oss.ErrNotFound):
		return "check the name with: osssync ls"
	case errors.Is(err, fs.ErrNotExist):
		return "check the name"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: name a destination that can be written"
	case errors.Is(err, fs.ErrPermission):
		return "run it as a user who may, or change the permissions"
	case errors.Is(err, syscall.EFBIG):
		return "the file system or a limit (ulimit -f) allows no file of this size"
	case errors.As(err, new(*oss.AnswerError)):
		return notService
	case isNetwork(err):
		return "check --endpoint and the network, then run the same command again; " + seeProbe
	}
	return ""
}

var unsafeHints = map[transfer.UnsafeCause]string{
	transfer.UnsafeUnread:  "make everything at SRC readable, or leave it out, and run the same command again",
	transfer.UnsafeEmpty:   "check that SRC is the right one, and mounted; if it may be empty, give --allow-empty-source",
	transfer.UnsafeFailed:  "mend the causes and run the same command again; to delete all the same, give --ignore-errors",
	transfer.UnsafeTooMany: "look at them with --dry-run; if that is right, give a higher --max-delete",
	transfer.UnsafeListing: "the service's answers contradict each other; run the same command again later",
}

func isNetwork(err error) bool {
	_, ok := errors.AsType[*oss.TransportError](err)
	return ok && !errors.Is(err, context.Canceled)
}

// finish prints what is to be said about err, the job's last line, and returns
// the exit code.
func (a *app) finish(cmd *cobra.Command, err error) int {
	code := exitCode(err)
	if lost := a.lostOutput(); err == nil && lost != nil {
		err, code = lost, exitLocal
	}
	a.logEnd(err, code)
	if a.logFile != nil {
		if closeErr := a.logFile.Close(); err == nil && closeErr != nil {
			err, code = closeErr, exitLocal
		}
		if lost := a.logFile.lost.Load(); lost != nil {
			a.warn("the log is not whole: %v", *lost)
		}
	}
	if quietPipe(err) && a.outcome == nil { // a filter of the shell's, as cat and ls are
		return code
	}
	if err != nil {
		var usage *usageError
		if errors.As(err, &usage) && usage.help {
			io.WriteString(a.stderr, shortUsage(cmd)) //nolint:errcheck // stderr may be closed
			usage.hint = cmp.Or(usage.hint, "see: "+cmd.CommandPath()+" --help")
		}
		a.explain(err, code)
	}
	if a.outcome != nil {
		a.outcome.last(a, code)
	}
	return code
}

// shortUsage is how cmd is called, and what commands are below it. Its flags are
// for --help: they would push what is wrong off the screen.
func shortUsage(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage:\n  %s\n\n", cmd.UseLine())
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
		}
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n")
	}
	return b.String()
}

// explain prints err and its hint.
func (a *app) explain(err error, code int) {
	hint := hintFor(err)
	switch {
	case errors.Is(err, transfer.ErrIncomplete) && a.outcome != nil:
		a.outcome.failures(a)
	case code == exitInterrupted && errors.As(err, new(*runError)):
		a.printf("%s", err)
	case code == exitInterrupted:
		hint = ""
		a.printf("interrupted")
	default:
		if errors.Is(err, transfer.ErrUnsafe) && a.outcome != nil {
			a.outcome.failures(a) // which are what makes it unsafe, or come besides
		}
		a.printf("error: %s", oneLine(err.Error()))
	}
	if hint != "" {
		a.printf("hint: %s", hint)
	}
	summed := errors.As(err, new(*runError)) || errors.As(err, new(*probeError)) // their last lines are out
	if a.flags.json && a.outcome == nil && !summed {
		a.emit(errorLine{V: jsonVersion, Type: "error", Error: err.Error(), Hint: hint, ExitCode: code})
	}
}

// pipeWriter tells that the reader of stdout has gone, and remembers what else
// became of a write. Safe for concurrent use if w is.
//
// It cannot tell that stdout was closed when the program began: Go's runtime
// opens /dev/null in its place before any of our code runs, for reading and
// writing, and that is just what Python's and Node's way to throw output away
// hands down, access mode and all.
type pipeWriter struct {
	w    io.Writer
	lost atomic.Pointer[error]
}

// brokenPipe is the error of a write that nobody reads.
type brokenPipe struct{ err error }

func (e *brokenPipe) Error() string { return "nobody reads stdout any more" }
func (e *brokenPipe) Unwrap() error { return e.err }

func (p *pipeWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	switch {
	case errors.Is(err, syscall.EPIPE):
		err = &brokenPipe{err}
	case err != nil:
		p.lost.CompareAndSwap(nil, &err)
	}
	return n, err
}

// quietPipe reports whether err only says that nobody reads stdout any more.
func quietPipe(err error) bool {
	_, ok := errors.AsType[*brokenPipe](err)
	return ok
}
