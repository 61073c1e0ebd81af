package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// config is the command line.
type config struct {
	dir       string // for all data; "": a temporary one
	osssync   string // the binary; "": built
	flags     []string
	scenarios []scenario
	runs      int
	size      int64 // of the large file
	files     int   // of the tree
	fileSize  int64
	keys      int // to list
	json      bool
	out       string
}

// sizes are the units of -size.
var sizes = []struct {
	suffix string
	unit   int64
}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"", 1}}

func parseSize(s string) (int64, error) {
	for _, u := range sizes {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		var n int64
		if _, err := fmt.Sscanf(digits+"\n", "%d\n", &n); err != nil || n < 1 || n > 1<<50/u.unit {
			break
		}
		return n * u.unit, nil
	}
	return 0, fmt.Errorf("%q is no size such as 1Gi, 64Mi or 1000", s)
}

func parseFlags(args []string, stderr io.Writer) (*config, error) {
	c := &config{size: 1 << 30, fileSize: 16 << 10}
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	names := set.String("scenario", "all", "run only these `NAMES`, with commas between: "+strings.Join(scenarioNames(), ", "))
	flags := set.String("flags", "", "further `FLAGS` for osssync, with spaces between")
	size := func(p *int64) func(string) error {
		return func(s string) (err error) { *p, err = parseSize(s); return err }
	}
	set.StringVar(&c.dir, "dir", "", "put all data below `DIR`: its disk is measured (default: a temporary folder)")
	set.StringVar(&c.osssync, "osssync", "", "measure the binary at `PATH` (default: build it)")
	set.IntVar(&c.runs, "runs", 1, "run each scenario `N` times")
	set.Func("size", "`SIZE` of the large file (default 1Gi)", size(&c.size))
	set.IntVar(&c.files, "files", 10_000, "`N` files in the tree")
	set.Func("file-size", "`SIZE` of each file of the tree (default 16Ki)", size(&c.fileSize))
	set.IntVar(&c.keys, "keys", 100_000, "`N` keys to list")
	set.BoolVar(&c.json, "json", false, "print JSON lines: the machine, then a row for each scenario")
	set.StringVar(&c.out, "o", "", "write the result to `FILE` too")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if c.runs < 1 || c.files < 1 || c.keys < 1 {
		return nil, errors.New("-runs, -files and -keys must be at least 1")
	}
	c.flags = strings.Fields(*flags)
	for name := range strings.SplitSeq(*names, ",") {
		if name == "all" {
			c.scenarios = scenarios
			break
		}
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(scenarioNames(), ", "))
		}
		c.scenarios = append(c.scenarios, scenarios[i])
	}
	return c, nil
}

// run is the whole command. Its error says that something could not be measured
// or that a scenario failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	c, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	if c.dir != "" {
		if err := os.MkdirAll(c.dir, 0o700); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(c.dir, "osssync-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if c.osssync == "" {
		if c.osssync, err = build(ctx, dir); err != nil {
			return err
		}
	}
	if c.osssync, err = filepath.Abs(c.osssync); err != nil {
		return err
	}
	if c.out != "" {
		f, err := os.Create(c.out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		stdout = io.MultiWriter(stdout, f)
	}
	return measureAll(ctx, c, dir, newPrinter(stdout, c.json), stderr)
}

// measureAll runs the scenarios in turn. One that fails does not stop the rest.
func measureAll(ctx context.Context, c *config, dir string, p *printer, stderr io.Writer) error {
	if err := p.head(describe(ctx, c)); err != nil {
		return err
	}
	d := &data{dir: filepath.Join(dir, "data"), config: c}
	var failed []string
	for _, s := range c.scenarios {
		r := newRow(s, d)
		err := s.measure(ctx, c, d, filepath.Join(dir, s.name), r)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, s.name)
			r.Result = failedResult
			fmt.Fprintf(stderr, "bench: %s: %v\n", s.name, err)
		}
		if err := p.row(r); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// build makes the binary to measure.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "osssync")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/osssync/osssync/cmd/osssync").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build osssync: %w\n%s", err, out)
	}
	return path, nil
}
