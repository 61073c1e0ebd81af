package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/osssync/osssync/oss/emulator"
)

// liarVariable makes the test binary an osssync that serves, and claims to have
// done everything else.
const liarVariable = "BENCH_TEST_LIAR"

func TestMain(m *testing.M) {
	if os.Getenv(liarVariable) != "" {
		if err := lie(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func lie(args []string) error {
	if args[0] != "serve" {
		return nil
	}
	log, err := os.Create(args[slices.Index(args, "--request-log")+1])
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := emulator.Open(&emulator.Options{RequestLog: log})
	if err != nil {
		return err
	}
	defer s.Close()
	endpoint, err := s.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	id, secret := s.Credentials()
	err = json.NewEncoder(os.Stdout).Encode(map[string]string{"endpoint": endpoint, "access_key_id": id, "access_key_secret": secret})
	<-ctx.Done()
	return err
}

// tiny makes every scenario small, with 11 parts in the large file.
var tiny = []string{
	"-size", "1Mi", "-files", "50", "-file-size", "1Ki", "-keys", "1200", "-json",
	"-flags", "--part-size 100Ki --bigfile-threshold 200Ki --parallel 2",
}

// rows reads what -json printed, without the machine's line.
func rows(t *testing.T, out []byte) []row {
	t.Helper()
	var all []row
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if i == 0 {
			var m machine
			if err := json.Unmarshal([]byte(line), &m); err != nil || m.Cores < 1 || m.CPU == "" {
				t.Errorf("machine %s: %v", line, err)
			}
			continue
		}
		var r row
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestEveryScenario(t *testing.T) {
	var stdout, stderr bytes.Buffer
	file := filepath.Join(t.TempDir(), "out.json")
	if err := run(t.Context(), append(tiny, "-dir", t.TempDir(), "-o", file, "-runs", "2"), &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if written, err := os.ReadFile(file); err != nil || !bytes.Equal(written, stdout.Bytes()) {
		t.Errorf("-o has not what stdout has: %v", err)
	}
	// Exact counts: a request too many is what this must not hide.
	want := map[string]map[string]int{
		"up-large":   {"InitiateMultipartUpload": 1, "UploadPart": 11, "CompleteMultipartUpload": 1},
		"down-large": {"HeadObject": 1, "GetObject": 11},
		"up-small":   {"PutObject": 50},
		"down-small": {"ListObjectsV2": 1, "GetObject": 50},
		"list":       {"ListObjectsV2": 2},
		"noop":       {"ListObjectsV2": 1},
	}
	got := rows(t, stdout.Bytes())
	if len(got) != len(scenarios) {
		t.Fatalf("%d rows for %d scenarios", len(got), len(scenarios))
	}
	for i, r := range got {
		if r.Scenario != scenarios[i].name || r.Result != okResult || r.Runs != 2 || r.Wall <= 0 {
			t.Errorf("row %+v", r)
		}
		if linux := runtime.GOOS == "linux"; linux && r.RSS == 0 {
			t.Errorf("%s: no memory measured", r.Scenario)
		}
		for op, n := range want[r.Scenario] {
			if r.Requests[op].N != n {
				t.Errorf("%s: %d requests %s, want %d", r.Scenario, r.Requests[op].N, op, n)
			}
		}
		if w := want[r.Scenario]; w != nil && len(w) != len(r.Requests) {
			t.Errorf("%s: requests %v, want %v", r.Scenario, r.Requests, w)
		}
		// Killed at half: all sent again would be 1.5 and what was in flight.
		if resumed := strings.HasPrefix(r.Scenario, "resume-"); resumed != (r.Sent != 0) || resumed && (r.Sent < 1 || r.Sent > 2) {
			t.Errorf("%s: sent %v", r.Scenario, r.Sent)
		}
		if r.Scenario == "resume-up" && r.Sent >= 1.5 {
			t.Errorf("%s: sent %v: nothing was resumed", r.Scenario, r.Sent)
		}
	}
}

// A scenario whose bytes did not arrive fails, and the others still run.
func TestLiar(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(liarVariable, "1")
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), append(tiny, "-dir", t.TempDir(), "-osssync", self), &stdout, &stderr)
	if err == nil {
		t.Fatal("nothing failed")
	}
	got := rows(t, stdout.Bytes())
	if len(got) != len(scenarios) {
		t.Fatalf("%d rows for %d scenarios", len(got), len(scenarios))
	}
	for _, r := range got {
		if r.Result != failedResult || !strings.Contains(stderr.String(), "bench: "+r.Scenario+": ") {
			t.Errorf("row %+v", r)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string // in the error
	}{
		{"scenario", []string{"-scenario", "up-large,sideways"}, `"sideways"`},
		{"argument", []string{"up-large"}, `"up-large"`},
		{"runs", []string{"-runs", "0"}, "-runs"},
		{"size of nothing", []string{"-size", "0"}, "no size"},
		{"size with a letter", []string{"-size", "1x"}, "no size"},
		{"size with two units", []string{"-size", "1GiMi"}, "no size"},
		{"size beyond everything", []string{"-size", "9999999999Gi"}, "no size"},
		{"binary", []string{"-scenario", "noop", "-osssync", filepath.Join(t.TempDir(), "none")}, "noop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"-dir", t.TempDir()}, tt.args...), io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestCheckTree(t *testing.T) {
	c := &config{files: 3, fileSize: 10}
	for _, tt := range []struct {
		name  string
		spoil func(root, file string) error
		want  error
	}{
		{"whole", func(string, string) error { return nil }, nil},
		{"missing", func(_, file string) error { return os.Remove(file) }, errContent},
		{"short", func(_, file string) error { return os.Truncate(file, 9) }, errContent},
		{"litter", func(root, _ string) error { return os.WriteFile(filepath.Join(root, ".temp"), nil, 0o600) }, errContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &data{dir: t.TempDir(), config: c}
			root, sums, err := d.tree()
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(root, filepath.Join(root, "folder-000", "file-00001.bin")); err != nil {
				t.Fatal(err)
			}
			if err := checkTree(root, sums); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestCheckLines(t *testing.T) {
	want := func(i int) string { return fmt.Sprintf("oss://b/%d", i) }
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"right", "title\nsize oss://b/0\nsize oss://b/1\ncount", nil},
		{"missing", "size oss://b/0\n", errContent},
		{"too many", "oss://b/0\noss://b/1\noss://b/2\n", errContent},
		{"other", "oss://b/0\noss://b/3\n", errContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lines")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := checkLines(path, 2, want); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestRelayTripsOnce(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	for _, upward := range []bool{true, false} {
		t.Run(fmt.Sprintf("upward=%v", upward), func(t *testing.T) {
			trips := 0
			r, err := startRelay(echo.Addr().String(), upward, 1000, func() { trips++ })
			if err != nil {
				t.Fatal(err)
			}
			passed := make([]int64, 2)
			for i := range passed { // the first ends at the limit, the second is whole
				c, err := net.Dial("tcp", r.listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				for range 20 {
					if _, err := c.Write(make([]byte, 100)); err != nil {
						break
					}
					n, err := io.ReadFull(c, make([]byte, 100))
					passed[i] += int64(n)
					if err != nil {
						break
					}
				}
				_ = c.Close()
			}
			if err := r.close(); err != nil {
				t.Error(err)
			}
			if trips != 1 || passed[0] >= 1000 || passed[1] != 2000 {
				t.Errorf("%d trips, %v bytes passed", trips, passed)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	var samples []sample
	for _, n := range []int64{5, 1, 9, 2} {
		samples = append(samples, sample{usage: usage{rss: n}})
	}
	rss := func(s sample) int64 { return s.rss }
	if m := median(samples, rss); m != 2 {
		t.Errorf("of four: %d", m)
	}
	if m := median(samples[:3], rss); m != 5 {
		t.Errorf("of three: %d", m)
	}
}
