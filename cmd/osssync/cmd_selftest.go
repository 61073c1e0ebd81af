package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const selftestLong = `Prove on this machine that a kill loses nothing.

"selftest crash" starts an embedded server in memory, and for every step that an
upload, a download, a copy, a sync or an undo takes (each request, each transaction of the
checkpoint, each operation on a file) runs a process that is killed there, runs it
again, and compares what came out. It ends with one line:

  points=N rounds=R lost=0 corrupt=0 orphan_uploads=0 resent_bytes_max=B …

points      different steps at which a process was killed, before or after
rounds      processes killed and resumed
lost        objects that were not at their destination in the end
corrupt     names that showed anything but the old or the new content, at any time
resent      bytes that went over the network more than once, at most, in one round

It needs no network and no account, and a minute.
`

func newSelftestCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Prove that a kill loses nothing",
		Long:  selftestLong + "\n" + exitHelp,
		Args:  upTo(0),
		RunE: func(*cobra.Command, []string) error {
			return &usageError{message: "no test", hint: "osssync selftest crash", help: true}
		},
	}
	t := &crashTest{app: a}
	crash := &cobra.Command{
		Use:   "crash",
		Short: "Kill a process at every step, and resume it",
		Long:  selftestLong + "\n" + exitHelp,
		Args:  upTo(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return t.run(cmd.Context()) },
	}
	crash.Flags().StringVar(&t.only, "only", "", "run one of `"+strings.Join(scenarioNames(), ", ")+"`")
	crash.Flags().BoolVar(&t.verbose, "list", false, "print a line for every point")

	act := &act{app: a}
	child := &cobra.Command{
		Use: "act SCENARIO", Short: "Be the process that is killed", Hidden: true,
		Args: exactly(1, "SCENARIO"),
		RunE: func(cmd *cobra.Command, args []string) error { return act.run(cmd.Context(), args[0]) },
	}
	child.Flags().StringVar(&act.dir, "dir", "", "the folder of the round")
	child.Flags().StringVar(&act.key, "key", "", "the key or prefix of the round")
	child.Flags().StringVar(&act.at, "at", "", "die at this point")
	child.Flags().BoolVar(&act.trace, "trace", false, "print each step")
	cmd.AddCommand(crash, child)
	return cmd
}

// point is a moment of a run: the n-th time that a step is about to be taken,
// or was. The zero value is never reached.
type point struct {
	op   string
	done bool
	n    int
}

func (p point) String() string {
	when := "before"
	if p.done {
		when = "after"
	}
	return fmt.Sprintf("%s %s #%d", when, p.op, p.n)
}

func parsePoint(s string) (p point, err error) {
	when, rest, _ := strings.Cut(s, " ")
	i := strings.LastIndex(rest, " #")
	if i < 0 || (when != "before" && when != "after") {
		return p, &usageError{message: fmt.Sprintf("%q is no point", s)}
	}
	p.op, p.done = rest[:i], when == "after"
	if _, err := fmt.Sscanf(rest[i+2:], "%d", &p.n); err != nil || p.n < 1 {
		return p, &usageError{message: fmt.Sprintf("%q is no point", s)}
	}
	return p, nil
}
