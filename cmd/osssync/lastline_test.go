//go:build !windows

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// oddName is all that a shell, a terminal or a pattern could take for something
// else, and a file name may hold.
const oddName = "-o'dd \"$HOME\" `id` \\ !! %s 漢字 ~;&|<>(){}[]*?# =\t\x1b[31m\u202e\nend"

// lastLine is the form of the last line of a job.
var lastLine = regexp.MustCompile(`^(done|nothing to transfer|incomplete|interrupted|failed|parked|held)\b.*\d+ objects?, \d.*B\b.*, (\d+) skipped, (\d+) failed, (\d+) changed; job ([0-9a-f]{16})(?:; to go on: (.*))?$`)

// TestLastLine brings jobs to each of their ends. The last line says which it
// is, the last JSON line the same, and the command in it, given to a shell,
// finishes the job.
func TestLastLine(t *testing.T) {
	for _, tc := range []struct {
		name   string
		faults string // staged until the job has ended
		stop   bool   // at the first part
		code   int
		state  string
	}{
		{"done", "", false, exitOK, "done"},
		{"failed", "404=NoSuchBucket on=UploadPart", false, exitServer, "failed"},
		{"reset", "reset on=UploadPart", false, exitIncomplete, "incomplete"},
		{"incomplete", "403=AccessDenied on=UploadPart", false, exitIncomplete, "incomplete"},
		{"interrupted", "", true, exitInterrupted, "interrupted"},
		{"parked", "expire on=UploadPart", false, exitParked, "parked"},
	} {
		for _, command := range []string{"cp", "sync"} {
			t.Run(tc.name+" "+command, func(t *testing.T) {
				service := newService(t)
				t.Chdir(t.TempDir())
				makeOddTree(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.stop {
					service.atPart(func(int64) { cancel() })
				}
				stage(t, service, tc.faults)
				code, last, summary := runOdd(t, ctx, command)
				if code != tc.code || last[1] != tc.state || summary.State != tc.state || summary.ExitCode != code {
					t.Fatalf("exit code %d, %q, %+v", code, last, summary)
				}
				service.atPart(func(int64) {})
				stage(t, service, "")
				goOn(t, last, summary, tc.code != exitOK)
			})
		}
	}
}

// TestLastLineHeld: so does a second run of a job that runs.
func TestLastLineHeld(t *testing.T) {
	service := newService(t)
	t.Chdir(t.TempDir())
	makeOddTree(t)
	reached, goAhead := make(chan struct{}), make(chan struct{})
	service.atPart(func(n int64) {
		if n == 1 {
			close(reached)
			<-goAhead
		}
	})
	first := make(chan int)
	go func() {
		code, _, _ := command(t.Context(), oddCommand("cp")...)
		first <- code
	}()
	<-reached
	code, last, summary := runOdd(t, t.Context(), "cp")
	close(goAhead)
	if firstCode := <-first; firstCode != exitOK {
		t.Errorf("the first run ended with %d", firstCode)
	}
	if code != exitHeld || last[1] != "held" || summary.State != "held" || summary.ExitCode != code {
		t.Fatalf("exit code %d, %q, %+v", code, last, summary)
	}
	goOn(t, last, summary, true)
}

// TestLastLineUsage: what is no job has no last line, but says what is wrong.
func TestLastLineUsage(t *testing.T) {
	newService(t)
	code, stdout, stderr := command(t.Context(), "sync", "nowhere", "oss://bkt/p", "--json", "--no-such-flag")
	if code != exitUsage || strings.Contains(stderr, "job ") || !strings.HasPrefix(stderr, "osssync: error: ") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if stdout != "" && !strings.HasPrefix(stdout, `{"v":1,"type":"error"`) {
		t.Errorf("stdout: %s", stdout)
	}
}

func makeOddTree(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(oddName, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "it's"} {
		if err := os.WriteFile(filepath.Join(oddName, name), []byte(strings.Repeat(name, 3<<20/len(name))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func oddCommand(command string) []string {
	args := []string{
		command, "--json", "--part-size=1Mi", "--bigfile-threshold=1Mi", "--parallel=auto", "-j", "2", "--retry-times=0",
		"--metadata=note=it's $HOME", "--no-resume", "--", oddName, "oss://bkt/p '$x'/",
	}
	if command == "cp" {
		args[1] = "-rf"
		args = append([]string{"cp", "--json"}, args[1:]...)
	}
	return args
}

type oddSummary struct {
	Type, State, Job, Continue string
	ExitCode                   int `json:"exit_code"`
}

// runOdd runs a command on the odd tree and reads its last lines.
func runOdd(t *testing.T, ctx context.Context, name string) (code int, last []string, summary oddSummary) {
	t.Helper()
	code, stdout, stderr := command(ctx, oddCommand(name)...)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last = lastLine.FindStringSubmatch(lines[len(lines)-1]); last == nil {
		t.Fatalf("exit code %d, last line of\n%s", code, stderr)
	}
	lines = strings.Split(strings.TrimSpace(stdout), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil || summary.Type != "summary" || summary.Job != last[5] {
		t.Fatalf("%v: last line of\n%s", err, stdout)
	}
	return code, last, summary
}

// goOn gives the command that the last line names to a shell.
func goOn(t *testing.T, last []string, summary oddSummary, want bool) {
	t.Helper()
	again := last[6]
	if summary.Continue != again || (again != "") != want {
		t.Fatalf("to go on: %s\nin JSON:  %s", again, summary.Continue)
	}
	if !want {
		return
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", again).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	now := lastLine.FindStringSubmatch(lines[len(lines)-1])
	if err != nil || now == nil || now[1] != "done" || now[5] != last[5] {
		t.Fatalf("%v\n%s\n%s", err, again, out)
	}
}

// TestQuoteWord lets a shell read back what was quoted for it.
func TestQuoteWord(t *testing.T) {
	for _, s := range []string{
		"", "a", "a/b.txt", "-", "-n", "=x", "it's", `"`, `\`, "a\nb", "\n", "a\x01%s", "-\t", oddName, "\xff\xfe'", "!\x07!", "é", "$(id)\x00"[:5] + "\r",
	} {
		quoted := quoteWord(s)
		if oneLine(quoted) != quoted {
			t.Errorf("%q is not fit for one line: %q", s, quoted)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quoted+"; echo .").Output()
		if err != nil || string(out) != s+".\n" {
			if strings.HasSuffix(s, "\n") { // needs a shell that knows $'…'
				continue
			}
			t.Errorf("%q became %s, which a shell reads as %q: %v", s, quoted, out, err)
		}
	}
}

func TestProgramName(t *testing.T) {
	for called, want := range map[string]string{
		"osssync": "osssync", "./osssync": "./osssync", "/opt/bin/osssync": "/opt/bin/osssync",
		"/tmp/go-build12/b001/exe/osssync": "osssync", "/tmp/x/osssync.test": "osssync", "": "osssync",
	} {
		if have := programName(called); have != want {
			t.Errorf("%q is called as %q, want %q", called, have, want)
		}
	}
}

// TestPasted: whatever command stops, and for whatever reason, what it prints is
// taken by a shell as it stands, with names that are odd to it, and finishes.
func TestPasted(t *testing.T) {
	small := []string{"--part-size=1Mi", "--bigfile-threshold=1Mi", "--parallel=1", "--retry-times=0"}
	for _, tc := range []struct {
		name    string
		before  []string // a command that must go well
		faults  string
		command []string
		code    int
	}{
		{"mv", nil, "403=AccessDenied on=UploadPart", []string{"mv", "-r", oddName, "oss://bkt/'$x/"}, exitIncomplete},
		{"down", []string{"cp", "-r", oddName, "oss://bkt/o'd d/"}, "403=AccessDenied on=GetObject", []string{"cp", "-r", "oss://bkt/o'd d/", oddName + "2"}, exitIncomplete},
		{"between buckets", []string{"cp", "-r", oddName, "oss://bkt/o'd d/"}, "403=AccessDenied on=CopyObject", []string{"sync", "oss://bkt/o'd d/", "oss://bkt/`x`/"}, exitIncomplete},
		{"limit", nil, "", []string{"cp", "-r", "-j", "1", oddName, "oss://bkt/l/", "--max-transfer", "2M", "--bwlimit", "00:00,off 12:00,1G:2G"}, exitLimit},
		{"filters", nil, "403=AccessDenied on=UploadPart", []string{"sync", oddName, "oss://bkt/f/", "--exclude", "a*\\?", "--filter", "+ it's", "--filter", "- **", "--min-age", "0"}, exitIncomplete},
		{"pattern", []string{"cp", "-r", oddName, "oss://bkt/p1/"}, "403=AccessDenied on=GetObject", []string{"cp", "oss://bkt/p?/it*", "o'ut"}, exitIncomplete},
	} {
		t.Run(tc.name, func(t *testing.T) {
			service := newService(t)
			t.Chdir(t.TempDir())
			makeOddTree(t)
			if tc.before != nil {
				if code, _, stderr := command(t.Context(), append([]string{tc.before[0], "--no-progress"}, dashed(tc.before[1:])...)...); code != exitOK {
					t.Fatalf("exit code %d\n%s", code, stderr)
				}
			}
			stage(t, service, tc.faults)
			args := append([]string{tc.command[0]}, small...)
			code, _, stderr := command(t.Context(), append(args, dashed(tc.command[1:])...)...)
			if code != tc.code {
				t.Fatalf("exit code %d\n%s", code, stderr)
			}
			stage(t, service, "")
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			last := lastLine.FindStringSubmatch(lines[len(lines)-1])
			if last == nil || last[6] == "" {
				t.Fatalf("no way to go on:\n%s", stderr)
			}
			again := last[6]
			for n := 0; ; n++ {
				out, err := exec.CommandContext(t.Context(), "sh", "-c", again).CombinedOutput()
				if err == nil {
					break
				}
				if code := exitOf(err); n == 9 || code != exitLimit {
					t.Fatalf("%v\n%s\n%s", err, again, out)
				}
			}
		})
	}
}

// dashed puts flags before names, and -- between them where a name needs it.
func dashed(args []string) []string {
	var names, flags []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == oddName || args[i] == oddName+"2" || !strings.HasPrefix(args[i], "-"):
			names = append(names, args[i])
		case args[i] == "-r":
			flags = append(flags, args[i])
		default:
			flags = append(flags, args[i], args[i+1])
			i++
		}
	}
	return append(append(flags, "--"), names...)
}

func exitOf(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}

// TestPastedJob: so is what a list of jobs says.
func TestPastedJob(t *testing.T) {
	service := newService(t)
	t.Chdir(t.TempDir())
	makeOddTree(t)
	stage(t, service, "403=AccessDenied on=UploadPart")
	if code, _, stderr := runOdd(t, t.Context(), "cp"); code != exitIncomplete {
		t.Fatal(code, stderr)
	}
	stage(t, service, "")
	_, list, _ := command(t.Context(), "jobs")
	line := regexp.MustCompile(`(?m)^ +(osssync retry [0-9a-f]{16})$`).FindStringSubmatch(list)
	if line == nil {
		t.Fatalf("no command in\n%s", list)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", line[1]).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", line[1], err, out)
	}
}
