package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	harden()
	// A reader that left is an error of the write, not the end of a transfer.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// drainTime is what a command gets to stop in after a signal. The engine takes
// at most 4 s; whoever sent the signal is promised an end within 5 s, whatever
// disk or server hangs.
const drainTime = 4500 * time.Millisecond

// echoTime is how long further signals are taken for the first one: timeout(1)
// signals its child and then the group that the child is in, and a terminal does
// so while a script passes on what it got.
const echoTime = time.Second

// untilSignal ends the context at the first SIGINT, SIGTERM or SIGHUP and lets one that
// comes echoTime later or more kill the process. The context ends with plain
// context.Canceled, which every package below knows. A program that has not
// ended drainTime after the first is ended, which is no worse than a crash.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants the run to go on
		signal.Notify(signals, syscall.SIGHUP)
	}
	go obey(ctx, signals, cancel, func() { signal.Stop(signals) }, func() {
		fmt.Fprintf(os.Stderr, "osssync: error: still busy %s after the signal; leaving. Nothing finished is lost: run the same command again\n", drainTime)
		os.Exit(exitInterrupted)
	})
	return ctx, cancel
}

// obey waits for a signal and calls cancel at once, release echoTime later and
// leave at drainTime; or only release, when ctx ends without one.
func obey(ctx context.Context, signals <-chan os.Signal, cancel, release, leave func()) {
	select {
	case <-signals:
		cancel()
		time.Sleep(echoTime)
		release()
		time.Sleep(drainTime - echoTime)
		leave()
	case <-ctx.Done():
		release()
	}
}

// run executes one command line, without the program's name, and returns its
// exit code. It is the whole program but for signals and the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: &pipeWriter{w: stdout}, stderr: stderr, log: slog.New(slog.DiscardHandler)}
	return a.execute(ctx, args)
}

func (a *app) execute(ctx context.Context, args []string) int {
	root := newRootCommand(a)
	if len(args) > 0 && args[0] == "--version" {
		args = append([]string{"version"}, args[1:]...)
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		a.addCompletion(root) // cobra keeps what it is given for ever
	}
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.begun {
		a.logRefused(cmd)
		a.flags.json = wantsJSON(args) // its flag may stand behind the wrong one
	}
	return a.finish(cmd, err)
}
