package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A running job listens on a socket beside its checkpoint, for osssync ctl: one
// line of JSON each way.

// controlRequest asks for a setting, and changes it if Value is not empty.
type controlRequest struct {
	V       int    `json:"v"`
	Setting string `json:"setting"`
	Value   string `json:"value,omitempty"`
}

// controlReply is the setting after that.
type controlReply struct {
	V     int    `json:"v"`
	Value string `json:"value"`
	Error string `json:"error,omitempty"`
}

// settingBandwidth is the only one so far.
const settingBandwidth = "bandwidth-limit"

// controlTime bounds one exchange.
const controlTime = 5 * time.Second

// maxControl bounds a line, in bytes.
const maxControl = 64 << 10

// control answers on the socket of one job.
type control struct {
	app      *app
	listener net.Listener
	done     sync.WaitGroup
}

// socketName is where the job of that id listens.
func socketName(dir, id string) string { return filepath.Join(dir, id+".sock") }

// listen begins to answer for a job. A job that cannot be steered runs all the
// same.
func (a *app) listen(id string) *control {
	dir, err := a.stateDir()
	if err != nil || a.flags.noCheckpoint {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, id+".db")); err != nil {
		return nil // a stream's: nobody would find it
	}
	c := &control{app: a}
	if c.listener, err = listenAt(socketName(dir, id)); err != nil {
		a.log.Info("the job cannot be steered", "job", id, "err", err)
		return nil
	}
	c.done.Go(c.serve)
	return c
}

// listenAt listens on a socket for its owner alone. One that a killed process
// left is replaced.
func listenAt(name string) (net.Listener, error) {
	l, err := net.Listen("unix", name)
	if errors.Is(err, syscall.EADDRINUSE) {
		conn, dialErr := net.DialTimeout("unix", name, controlTime)
		if dialErr == nil {
			return nil, errors.Join(err, conn.Close())
		}
		if err := os.Remove(name); err != nil {
			return nil, err
		}
		l, err = net.Listen("unix", name)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// tidySockets removes the sockets that killed processes left, of jobs that are
// gone.
func (a *app) tidySockets() error {
	dir, err := a.stateDir()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		id, isSocket := strings.CutSuffix(e.Name(), ".sock")
		if !isSocket || !isJobID(id) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, id+".db")); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// isJobID reports whether s has the form of a job's id.
func isJobID(s string) bool { return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == "" }

// close stops listening and removes the socket. A nil control has none.
func (c *control) close() {
	if c == nil {
		return
	}
	c.listener.Close() //nolint:errcheck // nothing depends on it
	c.done.Wait()
}

// serve answers one after the other: an exchange takes no time.
func (c *control) serve() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.answer(conn)
	}
}

func (c *control) answer(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTime)) //nolint:errcheck // then reading fails
	var request controlRequest
	reply := controlReply{V: jsonVersion}
	if err := readLine(conn, &request); err != nil {
		reply.Error = err.Error()
	} else if reply.Value, err = c.app.control(request); err != nil {
		reply.Error = err.Error()
	}
	writeLine(conn, reply) //nolint:errcheck // whoever asked has gone
}

// control does what a request asks of this process.
func (a *app) control(r controlRequest) (string, error) {
	if r.V != jsonVersion || r.Setting != settingBandwidth {
		return "", fmt.Errorf("setting %s is not known to the running process", printable(r.Setting))
	}
	return a.limited().changeBandwidth(r.Value)
}

// changeBandwidth sets the limit unless text is empty, and returns it.
func (l *limits) changeBandwidth(text string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text != "" {
		var b bandwidth
		if err := b.Set(text); err != nil {
			return "", err
		}
		l.limiter.SetBandwidth(b.table)
		l.bandwidth = b.text
	}
	return l.bandwidth, nil
}

func readLine(r io.Reader, to any) error {
	line, err := bufio.NewReader(io.LimitReader(r, maxControl)).ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, to)
}

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}
