package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the program itself when it is called by the
// program's name, so that scripts and signal tests run the real main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"osssync":          main,
		"osssync-asnobody": mainAsNobody,
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return openToAll(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode":    cmdExitCode,
			"startserver": cmdStartServer,
			"jsonlines":   cmdJSONLines,
			"mode":        cmdMode,
			"fetch":       cmdFetch,
			"object":      cmdObject,
			"mkfile":      cmdMkfile,
			"age":         cmdAge,
			"capture":     cmdCapture,
			"damage":      cmdDamage,
		},
	})
}

// openToAll lets other users reach the folder of a script, for the script that
// becomes one.
func openToAll(dir string) error {
	for d := dir; d != filepath.Clean(os.TempDir()) && d != filepath.Dir(d); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// exitcode N PROGRAM [ARG...] runs a program and demands its exit code.
func cmdExitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	have := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		have = exit.ExitCode()
	}
	if have != want {
		ts.Fatalf("exit code is %d, want %d", have, want)
	}
}

// startserver [ARG...] runs osssync serve on a free port until the script ends
// and points the OSS_ variables at it. What it said is in server.stdout and
// server.stderr.
func cmdStartServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: startserver [arg...]")
	}
	cmd := exec.Command("osssync", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.Getenv("WORK")
	said, err := os.Create(ts.MkAbs("server.stderr"))
	ts.Check(err)
	defer said.Close()
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			_ = cmd.Process.Kill() // no signals on Windows
		}
		_ = cmd.Wait()
	})
	text, err := bufio.NewReader(out).ReadBytes('\n')
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("server.stdout"), text, 0o600))
	var ready readyLine
	ts.Check(json.Unmarshal(text, &ready))
	ts.Setenv("OSS_ENDPOINT", ready.Endpoint)
	ts.Setenv("SERVER", strings.TrimPrefix(ready.Endpoint, "http://"))
	ts.Setenv("OSS_REGION", "cn-hangzhou")
	ts.Setenv("OSS_ACCESS_KEY_ID", ready.AccessKeyID)
	ts.Setenv("OSS_ACCESS_KEY_SECRET", ready.AccessKeySecret)
}

// jsonlines FILE TYPE... demands that FILE is lines of JSON of version 1 that
// have these types, in this order; "object+" stands for one or more.
func cmdJSONLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: jsonlines file type...")
	}
	var have []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var v struct {
			V    int
			Type string
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.V != 1 || v.Type == "" {
			ts.Fatalf("not a line of version 1: %s", line)
		}
		if len(have) == 0 || have[len(have)-1] != v.Type {
			have = append(have, v.Type)
		}
	}
	if want := strings.Join(args[1:], " "); strings.Join(have, " ") != want {
		ts.Fatalf("types are %q, want %q", have, want)
	}
}

// mode OCTAL FILE demands the permissions of a file.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode octal file")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if have := strconv.FormatUint(uint64(info.Mode().Perm()), 8); have != args[0] {
		ts.Fatalf("mode is %s, want %s", have, args[0])
	}
}

// mkfile SIZE FILE makes a file of so many bytes.
func cmdMkfile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkfile size file")
	}
	n, err := parseSize(args[0])
	ts.Check(err)
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// age FILE... makes files as old as the century.
func cmdAge(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
		ts.Check(os.Chtimes(ts.MkAbs(name), old, old))
	}
}

// capture VARIABLE REGEXP FILE sets a variable to what the first group of the
// expression, or all of it, matches in a file.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: capture variable regexp file")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	match := re.FindStringSubmatch(ts.ReadFile(args[2]))
	if match == nil {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], match[len(match)-1])
}

// damage FILE flips a bit in each page of a file but the first two.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage file")
	}
	text := []byte(ts.ReadFile(args[0]))
	for i := 2*os.Getpagesize() + 20; i < len(text); i += os.Getpagesize() {
		text[i] ^= 4
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}
