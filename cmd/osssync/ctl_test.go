//go:build !windows

package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A running job takes another limit, from who asks in another process.
func TestCtl(t *testing.T) {
	service := newService(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big"), bytes.Repeat([]byte("x"), 24<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	reached, goAhead := make(chan struct{}), make(chan struct{})
	service.atPart(func(n int64) {
		if n == 1 {
			close(reached)
			<-goAhead
		}
	})
	first := make(chan int)
	go func() {
		code, _, _ := command(t.Context(), "cp", filepath.Join(dir, "big"), "oss://bkt/big", "--bwlimit", "1M", "--max-duration", "50s")
		first <- code
	}()
	<-reached
	_, jobs, _ := command(t.Context(), "jobs", "--state", "running")
	id := regexp.MustCompile(`^[0-9a-f]{16}`).FindString(jobs)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"ctl", id, "bwlimit"}, exitOK, "bandwidth-limit of job " + id + ": 1M\n"},
		{[]string{"ctl", id, "bwlimit", "fast"}, exitUsage, "want bytes a second"},
		{[]string{"ctl", id, "bwlimt", "1M"}, exitUsage, "did you mean bwlimit?"},
		{[]string{"ctl", "0000", "bwlimit", "1M"}, exitServer, "no job 0000"},
		{[]string{"ctl", id, "bwlimit", "off", "--json"}, exitOK, `"setting":"bandwidth-limit","value":"off"}`},
		{[]string{"ctl", id, "bandwidth-limit"}, exitOK, ": off\n"},
	} {
		code, stdout, stderr := command(t.Context(), tc.args...)
		if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
			t.Errorf("%q: exit code %d\n%s%s", tc.args, code, stdout, stderr)
		}
	}
	socket := socketName(os.Getenv("OSSSYNC_CHECKPOINT_DIR"), id)
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	close(goAhead)
	if code := <-first; code != exitOK { // at 1 MiB/s the time ends first
		t.Errorf("the job ended with %d", code)
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is still there")
	}
}

// What a killed process left does not stop the next one; one that is alive is
// let be.
func TestListenAt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if other, err := listenAt(name); err == nil {
		t.Errorf("two listen at %s", other.Addr())
	}
	l.Close()
	next, err := listenAt(name)
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
}

// Nothing that comes over the socket stops the job or its answers.
func TestControlGarbage(t *testing.T) {
	a := &app{}
	name := filepath.Join(t.TempDir(), "s")
	c := &control{app: a}
	var err error
	if c.listener, err = listenAt(name); err != nil {
		t.Fatal(err)
	}
	c.done.Go(c.serve)
	defer c.close()
	for _, line := range []string{"", "\n", "{}\n", "[1]\n", `{"v":1,"setting":"x"}` + "\n", `{"v":1,"setting":"bandwidth-limit","value":"\u001b"}` + "\n", strings.Repeat("x", 1<<20)} {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "unix", name)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(line)) //nolint:errcheck // it may be cut off
		conn.Close()
	}
	if have, err := askJob(name, controlRequest{V: 1, Setting: settingBandwidth, Value: "3M"}); err != nil || have != "3M" {
		t.Errorf("%q, %v", have, err)
	}
}

func TestWindow(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", "2026-03-"+s, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct{ window, now, end string }{
		{"22:00-06:00", "05 23:00", "06 06:00"},
		{"22:00-06:00", "05 05:59", "05 06:00"},
		{"22:00-06:00", "05 06:00", "05 06:00"},
		{"22:00-06:00", "05 12:00", "05 12:00"},
		{"09:00-17:30", "05 09:00", "05 17:30"},
		{"09:00-17:30", "05 17:30", "05 17:30"},
	} {
		var w window
		if err := w.Set(tc.window); err != nil {
			t.Fatal(err)
		}
		if have := w.end(at(tc.now)); !have.Equal(at(tc.end)) {
			t.Errorf("%s at %s ends %s, want %s", tc.window, tc.now, have, tc.end)
		}
	}
}

// gc removes the sockets of jobs that are gone, and nothing else.
func TestTidySockets(t *testing.T) {
	newService(t)
	dir := os.Getenv("OSSSYNC_CHECKPOINT_DIR")
	names := []string{"0123456789abcdef.sock", "fedcba9876543210.sock", "fedcba9876543210.db", "mine.sock"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := &app{}
	a.flags.stateDir = dir
	if err := a.tidySockets(); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != (i > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
