package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lab is what one scenario needs: a server, a folder, and the data.
type lab struct {
	config *config
	data   *data
	dir    string
	server *server

	state string // checkpoints of the children
	names int    // handed out by newPath
}

func openLab(ctx context.Context, c *config, d *data, dir string) (*lab, error) {
	l := &lab{config: c, data: d, dir: dir}
	l.freshState()
	var err error
	l.server, err = startServer(ctx, c.osssync, dir)
	return l, err
}

// close ends the server and removes everything of the scenario.
func (l *lab) close() error {
	l.server.close()
	return os.RemoveAll(l.dir)
}

// newPath is a path that nothing has used: writing where something was deleted
// is slower on some file systems.
func (l *lab) newPath(name string) string {
	l.names++
	return filepath.Join(l.dir, name+"-"+strconv.Itoa(l.names))
}

// freshState makes the children forget what they have done.
func (l *lab) freshState() { l.state = l.newPath("state") }

// usage is what a child took.
type usage struct {
	wall, user, sys time.Duration
	rss             int64
	read            int64 // bytes, by read calls of any kind
}

// add is the sum of two children that ran in turn.
func (u usage) add(v usage) usage {
	return usage{u.wall + v.wall, u.user + v.user, u.sys + v.sys, max(u.rss, v.rss), u.read + v.read}
}

// osssync runs the binary against the server.
func (l *lab) osssync(ctx context.Context, args ...string) (usage, error) {
	return l.child(ctx, l.server.endpoint, "", args...)
}

// child runs the binary against an endpoint, its output in a file if that has a
// name. When ctx ends the child is killed at once.
func (l *lab) child(ctx context.Context, endpoint, output string, args ...string) (u usage, err error) {
	args = append([]string{"--checkpoint-dir", l.state, "--no-progress"}, args...)
	cmd := exec.CommandContext(ctx, l.config.osssync, append(args, l.config.flags...)...)
	cmd.Env = l.server.environ(endpoint)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if output != "" {
		f, err := os.Create(output)
		if err != nil {
			return usage{}, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		cmd.Stdout = f
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	stop := watch(cmd.Process.Pid)
	err = cmd.Wait()
	u = usage{wall: time.Since(started), user: cmd.ProcessState.UserTime(), sys: cmd.ProcessState.SystemTime()}
	u.rss, u.read = stop()
	if err != nil {
		err = fmt.Errorf("osssync %s: %w\n%s", strings.Join(args[3:], " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return u, err
}

// lookEvery is the time between two looks at a child. What it does in its last
// moments is not seen.
const lookEvery = 5 * time.Millisecond

// watch looks at a process's peak of memory, and at what it has read, until the
// result is called, once.
func watch(pid int) (stop func() (rss, read int64)) {
	type seen struct{ rss, read int64 }
	done, last := make(chan struct{}), make(chan seen)
	go func() {
		var most seen
		t := time.NewTicker(lookEvery)
		defer t.Stop()
		for {
			most = seen{max(most.rss, peakRSS(pid)), max(most.read, bytesRead(pid))}
			select {
			case <-t.C:
			case <-done:
				last <- most
				return
			}
		}
	}()
	return func() (rss, read int64) {
		close(done)
		most := <-last
		return most.rss, most.read
	}
}

// sample is one measured run.
type sample struct {
	usage
	server, other time.Duration
	requests      map[string]requests
}

// measure runs one or more children and adds what they cost elsewhere.
func (l *lab) measure(ctx context.Context, children func() (usage, error)) (sample, error) {
	from, err := l.server.mark(ctx)
	if err != nil {
		return sample{}, err
	}
	pid := l.server.cmd.Process.Pid
	server, machine := cpuOf(pid), cpuOfMachine()
	u, err := children()
	if err != nil {
		return sample{}, err
	}
	s := sample{usage: u, server: cpuOf(pid) - server}
	s.other = max(0, cpuOfMachine()-machine-s.server-u.user-u.sys)
	to, err := l.server.mark(ctx)
	if err != nil {
		return sample{}, err
	}
	s.requests, err = l.server.since(from, to)
	return s, err
}

// once measures one child.
func (l *lab) once(ctx context.Context, args ...string) (sample, error) {
	return l.measure(ctx, func() (usage, error) { return l.osssync(ctx, args...) })
}

// killed measures a child that is killed when half of size has gone one way,
// and the one that goes on.
func (l *lab) killed(ctx context.Context, upward bool, size int64, args ...string) (sample, error) {
	return l.measure(ctx, func() (u usage, err error) {
		first, kill := context.WithCancel(ctx)
		defer kill()
		gone := make(chan struct{})
		r, err := startRelay(strings.TrimPrefix(l.server.endpoint, "http://"), upward, size/2, func() { kill(); <-gone })
		if err != nil {
			return usage{}, err
		}
		defer func() { err = errors.Join(err, r.close()) }()
		u, err = l.child(first, r.endpoint(), "", args...)
		wasKilled := first.Err() != nil
		close(gone)
		switch {
		case ctx.Err() != nil:
			return usage{}, context.Cause(ctx)
		case !wasKilled:
			return usage{}, errors.Join(errors.New("ended before it was killed"), err)
		}
		v, err := l.child(ctx, r.endpoint(), "", args...)
		return u.add(v), err
	})
}
