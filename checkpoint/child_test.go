package checkpoint_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

// childEnv, when set, makes the test binary run one of the child functions
// below on the folder it names, in place of the tests.
const childEnv = "OSSSYNC_CHECKPOINT_TEST_CHILD"

func runChild() (ran bool) {
	name, dir, ok := strings.Cut(os.Getenv(childEnv), ":")
	if !ok {
		return false
	}
	// Programs that the tests kill or starve.
	children := map[string]func(ctx context.Context, dir string) error{"writer": writerChild, "limited": limitedChild}
	if err := children[name](context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name+":"+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// writerChild records for ever, and prints the number of each round that it
// was told is durable.
func writerChild(ctx context.Context, dir string) error {
	c, err := checkpoint.Open(dir, testJob, nil)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		key := fmt.Sprintf("%08d", n)
		if err := c.PutObject(ctx, testObject(key, n)); err != nil {
			return err
		}
		if err := c.AddPart(key, testPart(1)); err != nil {
			return err
		}
		if n%3 == 0 {
			if err := c.Settle(testSettled(key, n)); err != nil {
				return err
			}
		}
		if n%2 == 1 {
			if err := c.Flush(ctx); err != nil {
				return err
			}
			fmt.Println(n)
		}
	}
}

// TestKill: whatever was acknowledged before a kill is there after it, whole.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 6 {
		cmd := child(t, "writer", dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		acknowledged := -1
		lines := bufio.NewScanner(out)
		for range 5 + 17*round {
			if !lines.Scan() {
				break
			}
			acknowledged, err = strconv.Atoi(lines.Text())
			must(t, err)
		}
		if round == 0 {
			_, err := checkpoint.Open(dir, testJob, nil)
			held, ok := errors.AsType[*checkpoint.HeldError](err)
			if !ok || held.PID != cmd.Process.Pid {
				t.Errorf("second opener: %v, want it held by %d", err, cmd.Process.Pid)
			}
		}
		must(t, cmd.Process.Kill())
		for lines.Scan() { // what it said before it died
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				acknowledged = n
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		killCheck(t, dir, acknowledged)
	}
}

func killCheck(t *testing.T, dir string, acknowledged int) {
	t.Helper()
	c, err := checkpoint.Open(dir, testJob, nil)
	must(t, err)
	if !c.Resumed() || c.SetAside() != "" {
		t.Errorf("resumed %v, set aside %q", c.Resumed(), c.SetAside())
	}
	for n := range acknowledged + 1 {
		key := fmt.Sprintf("%08d", n)
		o, inFlight, err := c.Object(key)
		must(t, err)
		s, settled, err := c.Settled(key)
		must(t, err)
		parts, err := c.Parts(key)
		must(t, err)
		switch {
		case n%3 == 0 && (inFlight || !settled || s != testSettled(key, n) || len(parts) > 0):
			t.Errorf("%s: %+v, %v, %d parts, want it settled", key, s, settled, len(parts))
		case n%3 != 0 && (settled || !inFlight || o != testObject(key, n) || len(parts) != 1 || parts[0] != testPart(1)):
			t.Errorf("%s: %+v, %v, %+v, want it in flight", key, o, inFlight, parts)
		}
	}
	must(t, c.Close())
}
