package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/transfer"
)

const ctlLong = `Steer a job that runs, in this or another terminal or as a service.

  osssync ctl J bandwidth-limit        say its limit
  osssync ctl J bandwidth-limit RATE   change it from now on; also: bwlimit

J is a job's id, or its beginning if no other begins so: see osssync jobs. RATE is as
--bandwidth-limit takes it: 20M, UP:DOWN, off, or a timetable. It holds for all that
the process of the job moves, until that ends; it is not kept for the next run. Only
who runs the job may steer it.

Examples:
  osssync ctl 3f2a bwlimit 20M
  osssync ctl 3f2a bwlimit '08:00,5M:10M 19:00,off'
  osssync ctl 3f2a bwlimit off
`

// ctlLine is a setting of a running job, as JSON.
type ctlLine struct {
	V       int    `json:"v"`
	Type    string `json:"type"`
	Job     string `json:"job"`
	Setting string `json:"setting"`
	Value   string `json:"value"`
}

// settingNames are the words for settings, and what they mean.
var settingNames = map[string]string{"bandwidth-limit": settingBandwidth, "bwlimit": settingBandwidth}

func newCtlCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ctl J bandwidth-limit [RATE]", Short: "Steer a running job", Long: ctlLong + "\n" + exitHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly(max(2, min(len(args), 3)), "the id of a job and a setting")(cmd, args)
		},
		RunE: a.ctl,
	}
}

func (a *app) ctl(cmd *cobra.Command, args []string) error {
	setting, known := settingNames[args[1]]
	if !known {
		e := &usageError{message: "no setting " + printable(args[1]), hint: "see: osssync ctl --help"}
		if near := nearest(args[1], []string{"bandwidth-limit", "bwlimit"}); near != "" {
			e.message += "; did you mean " + near + "?"
		}
		return e
	}
	value := ""
	if len(args) == 3 {
		value = args[2]
		if err := new(bandwidth).Set(value); err != nil {
			return &usageError{message: printable(value) + ": " + err.Error(), hint: "see: osssync ctl --help"}
		}
	}
	_, d, err := a.findJob(cmd, args[0])
	if err != nil {
		return err
	}
	if d.State != transfer.StateRunning {
		return &jobError{message: fmt.Sprintf("job %s does not run", d.ID), hint: "give the limit when it goes on: osssync resume " + d.ID + " --bandwidth-limit RATE"}
	}
	dir, err := a.stateDir()
	if err != nil {
		return err
	}
	reply, err := askJob(socketName(dir, d.ID), controlRequest{V: jsonVersion, Setting: setting, Value: value})
	if err != nil {
		return fmt.Errorf("job %s does not answer: %w", d.ID, err)
	}
	if a.flags.json {
		return a.writeJSON(a.stdout, ctlLine{V: jsonVersion, Type: "setting", Job: d.ID, Setting: setting, Value: reply})
	}
	_, err = fmt.Fprintf(a.stdout, "%s of job %s: %s\n", setting, d.ID, cmp.Or(printable(reply), "off"))
	return err
}

// askJob sends one request to the job that listens there.
func askJob(socket string, r controlRequest) (string, error) {
	conn, err := net.DialTimeout("unix", socket, controlTime)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(controlTime)); err != nil {
		return "", err
	}
	if err := writeLine(conn, r); err != nil {
		return "", err
	}
	var reply controlReply
	if err := readLine(conn, &reply); err != nil {
		return "", err
	}
	if reply.Error != "" {
		return "", errors.New(oneLine(reply.Error))
	}
	return reply.Value, nil
}
