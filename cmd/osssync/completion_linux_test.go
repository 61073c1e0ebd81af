package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBashCompletion types into a bash on a real terminal, which has nothing but
// the script, and looks at what becomes of its line.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	newService(t)
	for _, key := range []string{"dir/a.txt", "dir/b b.txt", "dim", "it's/only one/$x.csv", "漢字/1"} {
		putObject(t, key)
	}
	dir := t.TempDir()
	for _, name := range []string{"oscar", "tree/file", "with blank"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("INPUTRC", "/dev/null")
	t.Setenv("TERM", "dumb")
	t.Setenv("BKT", "bkt")
	shell := startShell(t, dir, bash, "--norc", "--noprofile", "-i")
	shell.say(`PS1='$ '; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; bind 'set show-all-if-ambiguous off'` + "\r")
	shell.say(`bind -x '"\C-o": printf "<%s>\n" "$READLINE_LINE"'; source <(osssync completion bash)` + "\r")
	for _, tc := range []struct{ typed, want string }{
		{"osssync resu", "osssync resume "},
		{"osssync cp --mode Ra", "osssync cp --mode RamRoleArn "},
		{"osssync cp --mode=Ra", "osssync cp --mode=RamRoleArn "},
		{"osssync cp --local=tr", "osssync cp --local=tree/"},
		{"osssync cp tr", "osssync cp tree/"},
		{"osssync cp wi", `osssync cp with\ blank/`},
		{"osssync cp os", "osssync cp os"}, // oss:// or oscar
		{"osssync cp oss:", "osssync cp oss://"},
		{"osssync cat oss://bk", "osssync cat oss://bkt/"},
		{"osssync cat oss://bkt/d", "osssync cat oss://bkt/di"},
		{"osssync cat oss://bkt/dir", "osssync cat oss://bkt/dir/"},
		{"osssync cat oss://bkt/dir/a", "osssync cat oss://bkt/dir/a.txt"},
		{"osssync cat oss://bkt/dir/b", `osssync cat oss://bkt/dir/b\ b.txt`},
		{`osssync cat oss://bkt/dir/b\ b`, `osssync cat oss://bkt/dir/b\ b.txt`},
		{`osssync cat "oss://bkt/d`, `osssync cat "oss://bkt/di`},
		{`osssync cat "oss://bkt/dir/b`, `osssync cat "oss://bkt/dir/b b.txt"`},
		{`osssync cat 'oss://bkt/dir/b `, `osssync cat 'oss://bkt/dir/b b.txt'`},
		{`osssync cat "oss://bkt/dir`, `osssync cat "oss://bkt/dir/`},
		{`osssync cat "oss://bkt/it`, `osssync cat "oss://bkt/it's/only one/\$x.csv"`},
		{`osssync cat "oss://bkt/it's/only one/\$`, `osssync cat "oss://bkt/it's/only one/\$x.csv"`},
		{`osssync cat 'oss://bkt/it`, `osssync cat 'oss://bkt/it'\''s/only one/$x.csv'`},
		{`osssync cat oss://bkt/it`, `osssync cat oss://bkt/it\'s/`},
		{"osssync cat oss://bkt/漢", "osssync cat oss://bkt/漢字/"},
		{`osssync cp "with blank" oss://bkt/dir/a`, `osssync cp "with blank" oss://bkt/dir/a.txt`},
		{"osssync cp -e $OSS_ENDPOINT oss://bkt/dir/a", "osssync cp -e $OSS_ENDPOINT oss://bkt/dir/a.txt"},
		{"true && osssync cat oss://bkt/dir/a", "true && osssync cat oss://bkt/dir/a.txt"},
		{"osssync jobs 'o$(touch ran)` touch ran`", "osssync jobs 'o$(touch ran)` touch ran`"},
		{"osssync cat oss://nowhere/d", "osssync cat oss://nowhere/d"},
	} {
		shell.say("\x15" + tc.typed + "\t\x0f")
		said := shell.until(">\r\n")
		if got := said[strings.LastIndexByte(said, '<')+1:]; got != tc.want {
			t.Errorf("%s<TAB>\n have %s\n want %s", tc.typed, got, tc.want)
		}
	}
	shell.say("\x15COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]}\rosssync cp --request-payer=req\t oss://bkt/dir/a\t\x0f")
	said := shell.until(">\r\n")
	if want := "<osssync cp --request-payer=requester  oss://bkt/dir/a.txt"; !strings.HasSuffix(said, want) {
		t.Errorf("without : and = as breaks: %q, want %q", said, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a command in the line was run")
	}
	shell.say("\x15osssync re\t\t\x0f")
	if list := shell.until(">\r\n"); !strings.Contains(list, "read-symlink  (Print where a link leads)") {
		t.Errorf("names without descriptions: %s", list)
	}
}

// putObject makes an object of the bucket that newService has made.
func putObject(t *testing.T, key string) {
	t.Helper()
	code := run(t.Context(), []string{"cp", "-q", "-", "oss://bkt/" + key}, strings.NewReader("x"), io.Discard, io.Discard)
	if code != exitOK {
		t.Fatalf("%s: exit code %d", key, code)
	}
}

// shell is a program on a terminal of its own.
type shell struct {
	t    *testing.T
	tty  *os.File
	seen []byte
}

func startShell(t *testing.T, dir string, program string, args ...string) *shell {
	outside, inside := openTerminal(t)
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inside, inside, inside
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inside.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &shell{t: t, tty: outside}
}

func (s *shell) say(text string) {
	if _, err := io.WriteString(s.tty, text); err != nil {
		s.t.Fatal(err)
	}
}

// until is what the program says up to end.
func (s *shell) until(end string) string {
	s.t.Helper()
	for !bytes.Contains(s.seen, []byte(end)) {
		buf := make([]byte, 4096)
		n, err := s.tty.Read(buf)
		if err != nil {
			s.t.Fatalf("%v after %q", err, s.seen)
		}
		s.seen = append(s.seen, buf[:n]...)
	}
	text, rest, _ := bytes.Cut(s.seen, []byte(end))
	s.seen = rest
	return string(text)
}
