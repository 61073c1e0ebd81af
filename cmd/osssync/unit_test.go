package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
)

func TestParseSize(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want int64 // -1 is an error
	}{
		{"0", 0},
		{"4096", 4096},
		{"100Mi", 100 << 20},
		{"100M", 100 << 20},
		{"100mb", 100 << 20},
		{"5G", 5 << 30},
		{"5GiB", 5 << 30},
		{"1.5Gi", 3 << 29},
		{"2T", 2 << 40},
		{"7B", 7},
		{"9223372036854775807", math.MaxInt64},
		{"9223372036854775808", -1},
		{"8388608T", -1},
		{"0.3", -1},
		{"", -1},
		{"M", -1},
		{"-1", -1},
		{"+1", -1},
		{"1e3", -1},
		{"5i", -1},
		{"5X", -1},
		{"5MM", -1},
		{"5 M", -1},
		{"1/2", -1},
		{"1.2.3", -1},
		{"0x10", -1},
		{"1_000", -1},
		{strings.Repeat("9", 1000), -1},
	} {
		t.Run(tc.in, func(t *testing.T) {
			have, err := parseSize(tc.in)
			if err != nil {
				have = -1
			}
			if have != tc.want {
				t.Errorf("parseSize(%q) = %d, want %d", tc.in, have, tc.want)
			}
		})
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"1", "1.5Gi", "100MB", "5i", "..", "999999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSize(s); err == nil && n < 0 {
			t.Errorf("parseSize(%q) = %d", s, n)
		}
	})
}

func FuzzParsePlace(f *testing.F) {
	for _, s := range []string{"oss://bkt/a?b", "oss://u:p@bkt/k", "-", "file://x", "s3://b", "oss://bkt/k?x=1", "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePlace(s)
		switch {
		case err != nil:
			if exitCode(err) != exitUsage {
				t.Errorf("%q: %v is no usage error", s, err)
			}
		case p.remote() && s != scheme+p.bucket && s != scheme+p.bucket+"/"+p.key:
			t.Errorf("%q became %+v", s, p)
		case p.remote() && strings.ContainsAny(p.bucket, "@?/:"):
			t.Errorf("%q has bucket %q", s, p.bucket)
		case p.local() && p.path == "":
			t.Errorf("%q is nothing", s)
		}
	})
}

func TestNearest(t *testing.T) {
	list := []string{"cp", "sync", "ls", "parallel", "part-size"}
	for in, want := range map[string]string{
		"parrallel": "parallel", "paralell": "parallel", "cpy": "cp", "pc": "cp", "snyc": "sync",
		"part_size": "part-size", "resume": "", "x": "", "": "",
	} {
		if have := nearest(in, list); have != want {
			t.Errorf("nearest(%q) = %q, want %q", in, have, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	server := func(status int, code string) error {
		return fmt.Errorf("wrapped: %w", &oss.ServerError{Operation: "GetObject", Status: status, Code: code, Header: http.Header{}})
	}
	for _, tc := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"usage", &usageError{message: "x"}, 1},
		{"usage of the client", &oss.UsageError{Reason: "x"}, 1},
		{"usage of the engine", &transfer.UsageError{Reason: "x"}, 1},
		{"credentials", &oss.CredentialsError{Err: &oss.UsageError{Reason: "x"}}, 1},
		{"denied", server(403, "AccessDenied"), 2},
		{"no bucket", server(404, "NoSuchBucket"), 2},
		{"no key", server(404, ""), 2},
		{"expired", server(403, "SecurityTokenExpired"), 10},
		{"server error", server(500, "InternalError"), 3},
		{"throttled", server(503, "QpsLimitExceeded"), 3},
		{"no answer", &oss.TransportError{Err: io.ErrUnexpectedEOF}, 3},
		{"no file", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, 3},
		{"some failed", &transfer.IncompleteError{Failed: 1}, 4},
		{"interrupted", fmt.Errorf("wrapped: %w", context.Canceled), 5},
		{"interrupted in a request", &oss.TransportError{Err: context.Canceled}, 5},
		{"changed", &transfer.ChangedError{Name: "x"}, 6},
		{"other object", server(412, "PreconditionFailed"), 6},
		{"corrupt", &transfer.CorruptError{Name: "x"}, 6},
		{"integrity", &oss.IntegrityError{}, 6},
		{"job held", &transfer.HeldError{}, 11},
		{"folder held", &emulator.InUseError{}, 11},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if have := exitCode(tc.err); have != tc.want {
				t.Errorf("exit code is %d, want %d", have, tc.want)
			}
		})
	}
}

func TestOutcomeLine(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	report := func(change func(*transfer.Report)) *transfer.Report {
		r := &transfer.Report{
			JobID: "1f2e", Kind: "upload", State: transfer.StateDone, Started: start, Finished: start.Add(1200 * time.Millisecond),
			Objects: transfer.ObjectCounts{Done: 312}, Bytes: transfer.ByteCounts{Done: 4_300_000},
		}
		change(r)
		return r
	}
	for _, tc := range []struct {
		name string
		out  outcome
		want string
	}{
		{
			"done",
			outcome{report: report(func(*transfer.Report) {})},
			"done: 312 objects, 4.1 MiB in 1.2 s (3.4 MiB/s), 0 skipped, 0 failed, 0 changed; job 1f2e",
		},
		{
			"nothing",
			outcome{report: report(func(r *transfer.Report) { r.Objects = transfer.ObjectCounts{Skipped: 312} })},
			"nothing to transfer in 1.2 s: 0 objects, 0 B, 312 skipped, 0 failed, 0 changed; job 1f2e",
		},
		{
			"interrupted",
			outcome{report: report(func(r *transfer.Report) {
				r.State = transfer.StateInterrupted
				r.Objects.Done = 1
				r.Bytes.Resumed = 4_300_000
			})},
			"interrupted: 1 object, 4.1 MiB in 1.2 s (0 B/s), 4.1 MiB of it by an earlier run, 0 skipped, 0 failed, 0 changed; job 1f2e",
		},
		{
			"deleted",
			outcome{report: report(func(r *transfer.Report) { r.Kind = "delete" })},
			"done: 312 objects deleted in 1.2 s, 0 skipped, 0 failed, 0 changed; job 1f2e",
		},
		{
			"dry run",
			outcome{dryRun: true, planned: 2, plannedBytes: 10, report: report(func(r *transfer.Report) { r.Objects = transfer.ObjectCounts{} })},
			"dry run: 2 objects, 10 B would be done in a real one, 0 skipped, 0 failed, 0 changed; job 1f2e",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if have := tc.out.line(); have != tc.want {
				t.Errorf("have %s\nwant %s", have, tc.want)
			}
		})
	}
}

func TestFailuresAreCapped(t *testing.T) {
	r := &transfer.Report{Objects: transfer.ObjectCounts{Failed: 5000}}
	for i := range 1000 {
		r.Failures = append(r.Failures, transfer.Failure{Key: fmt.Sprintf("k\x1b%d", i), Operation: "upload", Cause: "two\nlines"})
	}
	var out strings.Builder
	(&outcome{report: r}).failures(&app{stderr: &out})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 21 || lines[20] != "osssync: error: … and 4980 more in the report that --report FILE writes" {
		t.Errorf("have %d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a control character got through")
	}
}

func TestDisplay(t *testing.T) {
	for _, tc := range []struct{ have, want string }{
		{printable("a b"), "a b"},
		{printable("a\nb"), `"a\nb"`},
		{printable("\xff"), `"\xff"`},
		{printable("\u202egpj.exe"), `"\u202egpj.exe"`},
		{oneLine("a\nb\x1b[31m"), `a; b\x1b[31m`},
		{size(0), "0 B"},
		{size(1023), "1023 B"},
		{size(1024), "1.0 KiB"},
		{size(1<<20 - 1), "1.0 MiB"},
		{size(math.MaxInt64), "8.0 EiB"},
		{elapsed(20 * time.Millisecond), "20 ms"},
		{elapsed(61 * time.Second), "1:01"},
		{elapsed(3661 * time.Second), "1:01:01"},
		{quoteWord("a/b.txt"), "a/b.txt"},
		{withoutUser("http://u:MARKER@proxy:3128"), "http://proxy:3128"},
	} {
		if tc.have != tc.want {
			t.Errorf("have %q, want %q", tc.have, tc.want)
		}
	}
}

func TestPatientReader(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	p := newPatientReader(ctx, r)
	go io.WriteString(w, "hello") //nolint:errcheck // a pipe
	buf := make([]byte, 3)
	var have string
	for len(have) < 5 {
		n, err := p.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		have += string(buf[:n])
	}
	if have != "hello" {
		t.Errorf("have %q", have)
	}
	gone := errors.New("gone")
	cancel(gone)
	if _, err := p.Read(buf); !errors.Is(err, gone) {
		t.Errorf("have %v, want %v", err, gone)
	}
}

func TestPatientReaderEnds(t *testing.T) {
	text := strings.Repeat("x", 1<<20)
	have, err := io.ReadAll(newPatientReader(t.Context(), strings.NewReader(text)))
	if err != nil || string(have) != text {
		t.Errorf("%d bytes, %v", len(have), err)
	}
}

func TestIsNear(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "localhost": true, "bkt.localhost": true,
		"oss-cn-hangzhou-internal.aliyuncs.com": true,
		"oss-cn-hangzhou.aliyuncs.com":          false, "10.0.0.1": false, "0.0.0.0": false, "localhost.example.com": false, "": false,
	} {
		if have := isNear(host); have != want {
			t.Errorf("isNear(%q) = %t", host, have)
		}
	}
}
