package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestServeProcess looks at a running server from outside: no core file can
// hold its keys, and SIGTERM is a good end.
func TestServeProcess(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "osssync", "serve", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("core files are possible:\n%s", limits)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// TestJobProcess looks at a running copy from outside: neither a core file nor
// its list of arguments can hold a key from the environment, and other
// processes of the user cannot read its memory.
func TestJobProcess(t *testing.T) {
	held, goOn := holdPart(t, newService(t), 1)
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "osssync", "cp", file, "oss://bkt/big")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	proc := "/proc/" + strconv.Itoa(cmd.Process.Pid)
	limits, err := os.ReadFile(proc + "/limits")
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("core files are possible: %v\n%s", err, limits)
	}
	arguments, err := os.ReadFile(proc + "/cmdline")
	if err != nil || bytes.Contains(arguments, []byte(os.Getenv("OSS_ACCESS_KEY_SECRET"))) {
		t.Errorf("%v, arguments %q", err, arguments)
	}
	// A process that cannot be dumped belongs to root in /proc.
	if info, err := os.Stat(proc + "/mem"); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("its memory belongs to %v, %v", info, err)
	}
	close(goOn)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestSignalsAtOnce: timeout(1) signals a process and its group, which is one wish
// to stop.
func TestSignalsAtOnce(t *testing.T) {
	held, goOn := holdPart(t, newService(t), 1)
	defer close(goOn)
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "osssync", "cp", file, "oss://bkt/big")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			break // it has ended
		}
	}
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !regexp.MustCompile(`(?m)^interrupted: .*; to go on: osssync cp `).Match(stderr.Bytes()) {
		t.Errorf("exit code %d, %v\n%s", code, err, stderr.String())
	}
}
