//go:build !windows

package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A reader that leaves ends a copy to stdout, which says so in its last line;
// cat is as quiet as that of the shell.
func TestReaderLeaves(t *testing.T) {
	newService(t)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t.Context(), "cp", file, "oss://bkt/k"); code != exitOK {
		t.Fatal(stderr)
	}
	for want, args := range map[string][]string{
		`^osssync: error: write: nobody reads stdout any more\n(osssync: hint: .*\n)?failed: 0 objects, .*\n$`: {"cp", "oss://bkt/k", "-"},
		`^$`: {"cat", "oss://bkt/k"},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var stderr strings.Builder
		code := run(t.Context(), args, strings.NewReader(""), w, io.Writer(&stderr))
		w.Close()
		if code != exitLocal || !regexp.MustCompile(want).MatchString(stderr.String()) {
			t.Errorf("%q: exit code %d, want 3; stderr %q, want %s", args, code, stderr.String(), want)
		}
	}
}

// A name with a newline in it is the same, in quotes, wherever an error names it.
func TestNamesInErrors(t *testing.T) {
	service := newService(t)
	stage(t, service, "503=ServiceUnavailable on=PutObject")
	file := filepath.Join(t.TempDir(), "a\nb")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, stderr := command(t.Context(), "cp", file, "oss://bkt/", "--retry-times", "1")
	const want = `osssync: error: put "a\nb": after 2 attempts: oss: PutObject "oss://bkt/a\nb": 503 ServiceUnavailable: `
	if !strings.HasPrefix(stderr, want) {
		t.Errorf("stderr is %q, want %q at its beginning", stderr, want)
	}
}
