//go:build linux

// Command capture draws the picture of the README: it builds osssync, runs it
// on a terminal against the embedded server, interrupts it, runs it again, and
// draws what a person sees at that moment.
//
//	go run ./internal/capture internal/capture/osssync.svg
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/osssync/osssync/internal/vt"
)

// The terminal that is drawn.
const (
	cols = 100
	rows = 15
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: capture FILE.svg")
		os.Exit(1)
	}
	if err := capture(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func capture(ctx context.Context, to string) (err error) {
	dir, err := os.MkdirTemp("", "capture")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	build := exec.CommandContext(ctx, "go", "build", "-o", dir, "./cmd/osssync")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	if err := makePhotos(filepath.Join(dir, "photos")); err != nil {
		return err
	}
	s := &stage{dir: dir, terminal: vt.New(cols, rows)}
	stop, err := s.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	command := "osssync sync -j 4 photos oss://demo/photos/"
	if _, err := s.run(ctx, command, regexp.MustCompile(`\] +[67]\d%  .*ETA`)); err != nil {
		return err
	}
	seen, err := s.run(ctx, command, regexp.MustCompile(`\] +[78]\d%  .*ETA`))
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(svg(seen, cols)), 0o644) //nolint:gosec // a picture
}

// makePhotos makes a tree that is large enough to watch.
func makePhotos(dir string) error {
	files := map[string]int{"2026/05 harbour.raw": 44 << 20, "2026/06 市場.raw": 36 << 20, "2026/07 peaks.raw": 28 << 20}
	for i := range 60 {
		files[fmt.Sprintf("2025/img-%03d.jpg", i)] = 150_000 + 1000*i
	}
	for name, size := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// stage is where osssync is watched.
type stage struct {
	dir      string
	env      []string
	terminal *vt.Terminal
}

func (s *stage) command(ctx context.Context, line string) *exec.Cmd {
	words := strings.Fields(line)
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, words[0]), words[1:]...)
	cmd.Dir, cmd.Args[0] = s.dir, words[0]
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "XDG_STATE_HOME="+filepath.Join(s.dir, "state"))
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// serve starts the embedded server, no faster than a fair line, with a bucket.
func (s *stage) serve(ctx context.Context) (stop func() error, err error) {
	faults := filepath.Join(s.dir, "faults")
	if err := os.WriteFile(faults, []byte("bandwidth=10M per=total\n"), 0o600); err != nil {
		return nil, err
	}
	server := s.command(ctx, "osssync serve --dir cloud --listen 127.0.0.1:0 --faults faults")
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop = func() error { return errors.Join(server.Process.Signal(os.Interrupt), server.Wait()) }
	var ready struct {
		Endpoint        string `json:"endpoint"`
		AccessKeyID     string `json:"access_key_id"`
		AccessKeySecret string `json:"access_key_secret"`
	}
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		return nil, errors.Join(err, stop())
	}
	s.env = []string{
		"OSS_ENDPOINT=" + ready.Endpoint, "OSS_REGION=cn-hangzhou",
		"OSS_ACCESS_KEY_ID=" + ready.AccessKeyID, "OSS_ACCESS_KEY_SECRET=" + ready.AccessKeySecret,
	}
	if err := s.command(ctx, "osssync mb oss://demo").Run(); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// run types a command, waits until the screen matches, returns it, and
// interrupts the command.
func (s *stage) run(ctx context.Context, line string, until *regexp.Regexp) (seen []string, err error) {
	outside, inside, err := openTerminal()
	if err != nil {
		return nil, err
	}
	defer outside.Close()
	_, _ = s.terminal.Write([]byte("$ " + line + "\r\n"))
	cmd := s.command(ctx, line)
	cmd.Stdout, cmd.Stderr = inside, inside
	err = cmd.Start()
	inside.Close()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		n, err := outside.Read(buf)
		_, _ = s.terminal.Write(buf[:n])
		if err != nil { // EIO: the command has ended
			break
		}
		if screen := s.terminal.Screen(); seen == nil && until.MatchString(strings.Join(screen, "\n")) {
			seen = screen
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				return nil, err
			}
		}
	}
	if err := cmd.Wait(); seen == nil {
		return nil, fmt.Errorf("%s ended too early: %v\n%s", line, err, strings.Join(s.terminal.All(), "\n"))
	}
	return seen, nil
}

// openTerminal makes a pseudo-terminal and returns both its ends.
func openTerminal() (outside, inside *os.File, err error) {
	outside, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(outside.Fd())
	err = errors.Join(
		unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}),
	)
	n, numberErr := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, numberErr); err == nil {
		inside, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, outside.Close())
	}
	return outside, inside, nil
}
