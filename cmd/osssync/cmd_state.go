package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const stateLong = `Look after the folder of the checkpoints.

  osssync state check    read every checkpoint as a whole and say which are sound

It changes nothing and does not disturb running jobs. Each checkpoint is read by a
process of its own, for what finds damage in a database may end the process. A
damaged one loses nothing but time: the next run sets it aside and starts over,
proving what is there; or give the job up with: osssync jobs rm.

  sound      in order
  locked     a running job has it open
  newer      a newer release wrote it; this one leaves it alone
  damaged    not to be trusted: exit code 6
  unreadable could not be read: exit code 6
  set aside  was damaged when a job was run again; can be deleted

Examples:
  osssync state check
  osssync state check --checkpoint-dir /var/lib/osssync --json
`

// checkedLine is a checkpoint, as JSON.
type checkedLine struct {
	V      int    `json:"v"`
	Type   string `json:"type"`
	Job    string `json:"job"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	PID    int    `json:"pid,omitempty"`
}

// damagedStateError says that some checkpoints cannot be trusted.
type damagedStateError struct{ damaged, all int }

func (e *damagedStateError) Error() string {
	return fmt.Sprintf("%d of %s cannot be trusted", e.damaged, number(int64(e.all), "checkpoint"))
}

func newStateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "state check", Short: "Check the checkpoints of this machine", Long: stateLong + "\n" + exitHelp, Args: subcommandOr(0),
		RunE: func(*cobra.Command, []string) error {
			return &usageError{message: "nothing to do with the state", hint: "osssync state check", help: true}
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Read every checkpoint and say which are sound", Long: stateLong + "\n" + exitHelp, Args: upTo(0),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.checkState(cmd.Context()) },
		},
		&cobra.Command{
			Use: "check-one DIR ID", Short: "Be the process that reads one", Hidden: true, Args: exactly(2, "DIR and ID"),
			RunE: func(_ *cobra.Command, args []string) error {
				state, err := transfer.CheckJob(args[0], args[1])
				line := checkedLine{V: jsonVersion, Type: "checked", Job: args[1], State: map[transfer.State]string{
					transfer.StateDone: "sound", transfer.StateRunning: "locked", transfer.StateNewer: "newer", transfer.StateDamaged: "damaged",
				}[state]}
				if line.State == "" {
					line.State = "unreadable"
				}
				if err != nil {
					line.Reason = oneLine(err.Error())
				}
				if held, ok := errors.AsType[*transfer.HeldError](err); ok {
					line.PID = held.PID
				}
				return a.writeJSON(a.stdout, line)
			},
		},
	)
	return cmd
}

func (a *app) checkState(ctx context.Context) error {
	dir, err := a.stateDir()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	bad, all := 0, 0
	for _, e := range entries {
		id, _, aside := strings.Cut(e.Name(), ".db.damaged-")
		line := checkedLine{V: jsonVersion, Type: "checked", Job: id, State: "set aside", Reason: e.Name()}
		if !aside {
			var ok bool
			if id, ok = strings.CutSuffix(e.Name(), ".db"); !ok || !isJobID(id) {
				continue
			}
			all++
			if line, err = checkOne(ctx, dir, id); err != nil {
				return err
			}
			if line.State == "damaged" || line.State == "unreadable" {
				bad++
			}
		}
		if a.flags.json {
			err = a.writeJSON(a.stdout, line)
		} else {
			text := fmt.Sprintf("%s  %-10s  %s", line.Job, line.State, line.Reason)
			_, err = fmt.Fprintln(a.stdout, strings.TrimSpace(text))
		}
		if err != nil {
			return err
		}
	}
	if bad > 0 {
		return &damagedStateError{damaged: bad, all: all}
	}
	if !a.flags.json && !a.flags.onlyErrors {
		a.printf("%s in %s, none damaged", number(int64(all), "checkpoint"), printable(dir))
	}
	return nil
}

// checkTime is what the reading of one checkpoint may take. One of a million
// objects has 200 MiB.
const checkTime = 5 * time.Minute

// checkOne reads one checkpoint in a process of its own, which is told nothing
// of this one's environment.
func checkOne(ctx context.Context, dir, id string) (checkedLine, error) {
	line := checkedLine{V: jsonVersion, Type: "checked", Job: id, State: "damaged"}
	self, err := os.Executable()
	if err != nil {
		return line, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return line, err
	}
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	cmd := exec.CommandContext(limited, self, "state", "check-one", "--", dir, id)
	cmd.Args[0] = os.Args[0] // what it was called as, should that decide what it is
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "GORACE", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return line, context.Cause(ctx)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return line, err
	}
	if err != nil || json.Unmarshal(out, &line) != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		line.State, line.Reason = "damaged", "reading it ended the process: "+oneLine(first)
	}
	return line, nil
}
