//go:build unix

package localfs_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/osssync/osssync/internal/localfs"
)

// nobody is a user who owns nothing.
const nobody = 65534

// TestMain lets the test binary also be the process that a test changes: its
// user, its limits, its umask.
func TestMain(m *testing.M) {
	children := map[string]func(*localfs.Root) error{"walk": walkAsNobody, "limit": hitFileSizeLimit, "umask": putWithUmask}
	child, ok := children[os.Getenv("LOCALFS_TEST_CHILD")]
	if !ok {
		os.Exit(m.Run())
	}
	r, err := localfs.OpenRoot(os.Getenv("LOCALFS_TEST_ROOT"))
	if err == nil {
		err = child(r)
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// inChild runs one of TestMain's children and returns the lines it prints.
func inChild(t *testing.T, child, root string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "LOCALFS_TEST_CHILD="+child, "LOCALFS_TEST_ROOT="+root)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func walkAsNobody(r *localfs.Root) error {
	if os.Geteuid() == 0 { // whom no mode keeps out
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	for e, err := range r.Walk(context.Background(), nil) {
		_, isPath := errors.AsType[*fs.PathError](err)
		fmt.Println(e.Key, errors.Is(err, fs.ErrPermission), isPath)
	}
	for _, key := range []string{"closed/in", "secret", "open", "pass/in"} {
		f, _, err := r.Open(key)
		if err == nil {
			err = f.Close()
		}
		fmt.Println("open", key, errors.Is(err, fs.ErrPermission), err == nil)
	}
	return nil
}

// What may not be read is an error of its own, and the walk goes on.
func TestWalkUnreadable(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "closed/in", "listonly/in", "open", "pass/in", "secret", "z")
	modes := map[string]fs.FileMode{"closed": 0, "listonly": 0o444, "pass": 0o111, "secret": 0}
	for key, mode := range modes {
		if err := os.Chmod(filepath.Join(dir, key), mode); err != nil {
			t.Fatal(err)
		}
	}
	got := inChild(t, "walk", dir)
	for key := range modes {
		if err := os.Chmod(filepath.Join(dir, key), 0o755); err != nil { // for t.TempDir
			t.Fatal(err)
		}
	}
	want := []string{
		"a false false", "closed/ true true", "listonly/ true true", "open false false",
		"pass/ true true", "secret false false", "z false false",
		"open closed/in true false", "open secret true false", "open open false true", "open pass/in false true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func hitFileSizeLimit(r *localfs.Root) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	_, err := r.CreateTemp("a/b", localfs.TempName(rand.Text()), 8<<20)
	fmt.Println(errors.Is(err, syscall.EFBIG))
	return put(r, "small", "x")
}

// Where no room can be had for the whole file, it shows at once and leaves no
// file.
func TestReserveFails(t *testing.T) {
	dir := t.TempDir()
	if got := inChild(t, "limit", dir); !slices.Equal(got, []string{"true"}) {
		t.Errorf("too large a file: %q", got)
	}
	if got, want := names(t, dir), []string{"a/", "small"}; !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
}

func putWithUmask(r *localfs.Root) error {
	unix.Umask(0o027)
	r, err := localfs.OpenRoot(r.Dir())
	if err != nil {
		return err
	}
	name := localfs.TempName(rand.Text())
	tmp, err := r.CreateTemp("d/exact", name, 0)
	if err != nil {
		return err
	}
	id, err := tmp.Identity()
	if err != nil {
		return err
	}
	fmt.Println(id.Mode)
	return errors.Join(tmp.Finish(0, time.Time{}, 0o666), r.Publish("d/exact", name), put(r, "d/default", "x"))
}

// A temporary file is the owner's alone, a finished one has the mode it is given,
// or else what the umask leaves.
func TestModes(t *testing.T) {
	dir := t.TempDir()
	if got := inChild(t, "umask", dir); !slices.Equal(got, []string{"-rw-------"}) {
		t.Errorf("temporary file: %q", got)
	}
	for key, want := range map[string]fs.FileMode{"d": 0o750 | fs.ModeDir, "d/exact": 0o666, "d/default": defaultMode} {
		info, err := os.Stat(filepath.Join(dir, key))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", key, info.Mode(), err, want)
		}
	}
}
