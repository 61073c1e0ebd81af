package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// partCounter serves the emulator, counts uploaded parts, and calls at for
// each, before it is stored. A handler may outlive the command it answers.
type partCounter struct {
	server *emulator.Server
	parts  atomic.Int64
	at     atomic.Pointer[func(n int64)]
}

// atPart sets what happens at each part, whose number from 1 it is told.
func (p *partCounter) atPart(f func(n int64)) { p.at.Store(&f) }

func (p *partCounter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
		(*p.at.Load())(p.parts.Add(1))
	}
	p.server.ServeHTTP(w, r)
}

// newService starts an emulator in memory and points the environment at it.
func newService(t *testing.T) *partCounter {
	t.Helper()
	server, err := emulator.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &partCounter{server: server}
	p.atPart(func(int64) {})
	front := httptest.NewServer(p)
	t.Cleanup(func() {
		front.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateBucket("bkt"); err != nil {
		t.Fatal(err)
	}
	id, secret := server.Credentials()
	for name, value := range map[string]string{
		"OSS_ENDPOINT": front.URL, "OSS_REGION": "cn-hangzhou", "OSS_ACCESS_KEY_ID": id, "OSS_ACCESS_KEY_SECRET": secret,
		"OSS_SESSION_TOKEN": "", "OSSSYNC_LOCAL": "", "OSSSYNC_CHECKPOINT_DIR": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	return p
}

func stage(t *testing.T, service *partCounter, faults string) {
	t.Helper()
	list, err := emulator.ParseFaults(strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	if err := service.server.SetFaults(list); err != nil {
		t.Fatal(err)
	}
}

// command runs one command line in this process.
func command(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// TestInterrupted stops an upload at its third part. The command that it
// names goes on, and sends no finished part again.
func TestInterrupted(t *testing.T) {
	service := newService(t)
	const parts = 10
	file := filepath.Join(t.TempDir(), "big file")
	if err := os.WriteFile(file, make([]byte, parts<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	service.atPart(func(n int64) {
		if n == 3 {
			cancel()
		}
	})
	args := []string{"cp", "--part-size", "1Mi", "--bigfile-threshold", "1Mi", "--parallel", "1", "--no-resume", file, "oss://bkt/big"}
	code, _, stderr := command(ctx, args...)
	if code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	again := regexp.MustCompile(`^interrupted: 0 objects, .*; job [0-9a-f]{16}; to go on: (osssync cp .*)$`).FindStringSubmatch(last)
	if again == nil {
		t.Fatalf("last line: %s", last)
	}
	if want := "osssync cp --part-size=1048576 --bigfile-threshold=1048576 --parallel=1 '" + file + "' oss://bkt/big"; again[1] != want {
		t.Errorf("to go on: %s\nwant     %s", again[1], want)
	}

	service.atPart(func(int64) {})
	service.parts.Store(0)
	code, _, stderr = command(t.Context(), "cp", "--part-size", "1Mi", "--bigfile-threshold", "1Mi", "--parallel", "1", file, "oss://bkt/big")
	if code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if sent := service.parts.Load(); sent > parts-2 {
		t.Errorf("%d parts sent after the interruption, want at most %d", sent, parts-2)
	}
	if !strings.Contains(stderr, "of it by an earlier run") {
		t.Errorf("stderr: %s", stderr)
	}
}

// TestInterruptedStdin ends while stdin gives nothing.
func TestInterruptedStdin(t *testing.T) {
	newService(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	code := run(ctx, []string{"cp", "-", "oss://bkt/k"}, &cancelling{cancel, r}, &out, &out)
	if code != exitInterrupted {
		t.Fatalf("exit code %d\n%s", code, out.String())
	}
	if strings.Contains(out.String(), "to go on") {
		t.Errorf("a stream cannot go on: %s", out.String())
	}
}

// cancelling is a reader that ends the context when it is first read.
type cancelling struct {
	cancel context.CancelFunc
	r      *os.File
}

func (c *cancelling) Read(b []byte) (int, error) {
	c.cancel()
	return c.r.Read(b)
}

// TestStdoutClosed: a reader that left is no failure of a transfer that only
// reports to it, and no message.
func TestStdoutClosed(t *testing.T) {
	newService(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"cp", "-r", "--json", dir, "oss://bkt/p"}, strings.NewReader(""), w, &stderr); code != exitOK {
		t.Errorf("cp: exit code %d\n%s", code, stderr.String())
	}
	stderr.Reset()
	if code := run(t.Context(), []string{"ls", "oss://bkt"}, strings.NewReader(""), w, &stderr); code != exitLocal || stderr.Len() > 0 {
		t.Errorf("ls: exit code %d\n%s", code, stderr.String())
	}
}

// TestRemoveUploads: unfinished uploads are listed and aborted, and only those
// below the prefix.
func TestRemoveUploads(t *testing.T) {
	newService(t)
	client, err := oss.New(os.Getenv("OSS_ENDPOINT"), oss.EnvironmentCredentials(), &oss.Options{Region: "cn-hangzhou"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for _, key := range []string{"a/1", "a/2", "b"} {
		if _, err := client.Bucket("bkt").InitMultipartUpload(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		args           []string
		stdout, stderr string
	}{
		{[]string{"ls", "-m", "oss://bkt"}, `oss://bkt/a/1\n(?s:.*)oss://bkt/b\nUploadId Number is: 3\n$`, `^$`},
		{[]string{"rm", "-m", "-r", "-n", "oss://bkt/a/"}, `^would abort a/1 \S+\nwould abort a/2 \S+\n$`, `^dry run: 2 uploads would be aborted\n$`},
		{[]string{"rm", "-m", "oss://bkt/a/1"}, `^$`, `^done: 1 upload aborted\n$`},
		{[]string{"rm", "-m", "oss://bkt/a"}, `^$`, `^done: 0 uploads aborted\n$`},
		{[]string{"rm", "-m", "-r", "--json", "oss://bkt/a"}, `^{"v":1,"type":"upload","url":"oss://bkt/a/2".*}\n{"v":1,"type":"summary","count":1}\n$`, `^done: 1 upload aborted\n$`},
		{[]string{"ls", "-m", "-s", "oss://bkt"}, `^oss://bkt/b\nUploadId Number is: 1\n$`, `^$`},
	} {
		code, stdout, stderr := command(t.Context(), step.args...)
		if code != exitOK || !regexp.MustCompile(step.stdout).MatchString(stdout) || !regexp.MustCompile(step.stderr).MatchString(stderr) {
			t.Fatalf("%s: exit code %d\n%s%s", step.args, code, stdout, stderr)
		}
	}
}

// An interrupted run says how many lines it did not begin, and how to go on.
func TestRunInterrupted(t *testing.T) {
	newService(t)
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"a": "a", "lines": "cp a oss://bkt/1\n# none\n\ncp a oss://bkt/2\ncp a oss://bkt/3\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := command(ctx, "run", "-j", "1", "lines")
	if want := `^osssync: interrupted: 0 of 0 lines failed in .*; 3 lines not begun; to go on, from the first line: osssync run --job=1 lines\n$`; code != exitInterrupted || !regexp.MustCompile(want).MatchString(stderr) {
		t.Errorf("exit code %d, want 5; stderr %q, want %s", code, stderr, want)
	}
	code, stdout, _ := command(ctx, "run", "--json", "lines")
	if want := `"lines":0,"failed":0,"not_begun":3,"exit_code":5,"continue":"osssync run --json lines"`; code != exitInterrupted || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d, want 5; stdout %q, want %s", code, stdout, want)
	}
}

// A deadline that is over for good is not in the command that goes on: with it
// nothing would ever begin.
func TestContinueWithoutPastDeadline(t *testing.T) {
	var a app
	cmd, _, err := newRootCommand(&a).Find([]string{"cp"})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"2001-01-01T00:00": "osssync cp a oss://bkt/a",
		"2999-01-01T00:00": "osssync cp --deadline=2999-01-01T00:00 a oss://bkt/a",
		"06:00":            "osssync cp --deadline=06:00 a oss://bkt/a",
	} {
		if err := cmd.ParseFlags([]string{"--deadline", value}); err != nil {
			t.Fatal(err)
		}
		if have := commandLine(cmd, []string{"a", "oss://bkt/a"}); have != want {
			t.Errorf("%s: %s, want %s", value, have, want)
		}
	}
}

// A job that its --deadline has ended goes on with the same command only if that
// time comes again.
func TestDeadlineHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tomorrow := time.Now().Add(24 * time.Hour)
		for text, want := range map[string]string{
			tomorrow.Format("2006-01-02T15:04"): "run the same command again without that --deadline: it goes on",
			tomorrow.Format("15:04"):            "run the same command again: it goes on",
		} {
			var a app
			if err := a.flags.limits.deadline.Set(text); err != nil {
				t.Fatal(err)
			}
			ctx, release, err := a.hold(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			if have := hintFor(context.Cause(ctx)); have != want {
				t.Errorf("%s: %q, want %q", text, have, want)
			}
			release()
		}
	})
}

// The command that goes on has no half of a key, and is told what it needs.
func TestContinueWithoutKeys(t *testing.T) {
	for _, test := range []struct {
		flags []string
		want  string
		given bool
	}{
		{[]string{"-i", "ID", "-k", "SECRET"}, "osssync cp a oss://bkt/a", true},
		{[]string{"-i", "ID", "-k", "SECRET", "-t", "TOKEN", "--job", "3"}, "osssync cp --job=3 a oss://bkt/a", true},
		{[]string{"-i", "ID"}, "osssync cp --access-key-id=ID a oss://bkt/a", false}, // the secret is in OSSSYNC_ACCESS_KEY_SECRET
	} {
		var a app
		cmd, _, err := newRootCommand(&a).Find([]string{"cp"})
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags(test.flags); err != nil {
			t.Fatal(err)
		}
		if have := commandLine(cmd, []string{"a", "oss://bkt/a"}); have != test.want || secretGiven(cmd) != test.given {
			t.Errorf("%q: %s, %v; want %s, %v", test.flags, have, secretGiven(cmd), test.want, test.given)
		}
	}
}
