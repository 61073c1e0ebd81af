package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestParseAge(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{ // -1 is an error
		"0": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "7ms": 7 * time.Millisecond,
		"12h": 12 * time.Hour, "2d": 2 * day, "1w": 7 * day, "6M": 180 * day, "1y": 365 * day, "250y": 250 * 365 * day,
		"1d12h": 36 * time.Hour, "1m1M": 30*day + time.Minute,
		"": -1, "d": -1, "-1": -1, "1.5h": -1, "1 d": -1, "1d12": -1, "2D": -1, "2days": -1, "251y": -1, "250y1s": -1, "200y200y": -1,
		"99999999999999999999": -1, "9223372036854775807": -1,
	} {
		have, err := parseAge(in)
		if err != nil {
			have = -1
		}
		if have != want {
			t.Errorf("parseAge(%q) = %s, want %s", in, have, want)
		}
	}
}

func FuzzParseAge(f *testing.F) {
	for _, s := range []string{"1y6M1w2d3h4m5s6ms", "90", "250y", "999999999999999999d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := parseAge(s); err == nil && d < 0 {
			t.Errorf("parseAge(%q) = %s", s, d)
		}
	})
}

// The command line that goes on has the filters in their order, across flags.
func TestFiltersAgain(t *testing.T) {
	words := []string{
		"--min-size=1024", "--exclude=a", "--include=b", "--exclude-from=c", "--filter=+ d", "--include=e,f", "--exclude=*",
		"--files-from=x", "--files-from=y,z", "--max-size=0", "--max-age=2d", "--min-mtime=2026-01-31", "--only-storage-class=IA,Archive",
	}
	var f filterFlags
	cmd := &cobra.Command{Use: "sync"}
	f.register(cmd)
	if err := cmd.ParseFlags(words); err != nil {
		t.Fatal(err)
	}
	again := commandLine(cmd, nil)
	if rules := "--exclude=a --include=b --exclude-from=c --filter='+ d' --include=e,f --exclude='*'"; strings.Count(again, rules) != 1 {
		t.Errorf("the rules are not there in order: %s", again)
	}
	for _, word := range slices.Concat(words[:1], words[7:]) {
		if strings.Count(again, " "+word) != 1 {
			t.Errorf("%s is not there once: %s", word, again)
		}
	}
	if have, want := strings.Count(again, " --"), 13; have != want {
		t.Errorf("%d flags, want %d: %s", have, want, again)
	}
}

// Without filters there is no Set, and stdin is left alone.
func TestNoFilters(t *testing.T) {
	var f filterFlags
	f.register(&cobra.Command{})
	r, w := io.Pipe()
	defer w.Close()
	if s, err := f.set(t.Context(), &app{stdin: r}); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}
