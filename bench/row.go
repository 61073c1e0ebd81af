package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	okResult     = "ok"
	failedResult = "FAILED"
)

// row is a scenario's result. Times are seconds.
type row struct {
	Scenario string  `json:"scenario"`
	Result   string  `json:"result"`
	Runs     int     `json:"runs"`
	Wall     float64 `json:"wall"`
	User     float64 `json:"user"`
	Sys      float64 `json:"sys"`
	RSS      int64   `json:"rss"` // bytes
	Server   float64 `json:"server"`
	Other    float64 `json:"other"`

	Bytes   int64 `json:"bytes"`   // of the data
	Objects int   `json:"objects"` // of the data

	// Sent is what a resumed transfer moved in all, divided by Bytes.
	Sent float64 `json:"sent,omitempty"`

	// Requests are the last run's, by operation.
	Requests map[string]requests `json:"requests"`
}

func newRow(s scenario, d *data) *row {
	c := d.config
	switch {
	case s.tree:
		return &row{Scenario: s.name, Objects: c.files, Bytes: int64(c.files) * c.fileSize}
	case s.name == "list":
		return &row{Scenario: s.name, Objects: c.keys}
	}
	return &row{Scenario: s.name, Objects: 1, Bytes: c.size}
}

// fill takes the median of each column.
func (r *row) fill(samples []sample) {
	seconds := func(of func(sample) time.Duration) float64 { return median(samples, of).Seconds() }
	r.Result, r.Runs = okResult, len(samples)
	r.Wall = seconds(func(s sample) time.Duration { return s.wall })
	r.User = seconds(func(s sample) time.Duration { return s.user })
	r.Sys = seconds(func(s sample) time.Duration { return s.sys })
	r.Server = seconds(func(s sample) time.Duration { return s.server })
	r.Other = seconds(func(s sample) time.Duration { return s.other })
	r.RSS = median(samples, func(s sample) int64 { return s.rss })
	r.Requests = samples[len(samples)-1].requests
	moved := func(s sample) int64 { return s.requests["UploadPart"].BytesIn + s.requests["GetObject"].BytesOut }
	if strings.HasPrefix(r.Scenario, "resume-") {
		r.Sent = float64(median(samples, moved)) / float64(r.Bytes)
	}
}

// median is the middle of an odd number of samples, else the lower middle.
func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// cpuPer is the child's CPU time for a unit of data.
func (r *row) cpuPer() string {
	if r.Objects > 1 || r.Bytes == 0 {
		return fmt.Sprintf("%.1f us", (r.User+r.Sys)*1e6/float64(r.Objects))
	}
	return fmt.Sprintf("%.2f s/GB", (r.User+r.Sys)*1e9/float64(r.Bytes))
}

// counts is Requests for people.
func (r *row) counts() string {
	var b strings.Builder
	if r.Sent > 0 {
		fmt.Fprintf(&b, "sent x%.3f; ", r.Sent)
	}
	for i, op := range slices.Sorted(maps.Keys(r.Requests)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", op, r.Requests[op].N)
		if failed := r.Requests[op].Failed; failed > 0 {
			fmt.Fprintf(&b, " (%d)", failed)
		}
	}
	return b.String()
}

// machine says where and of what the rows are.
type machine struct {
	Time    time.Time `json:"time"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Go      string    `json:"go"`
	Kernel  string    `json:"kernel"`
	Commit  string    `json:"commit,omitempty"` // of the working folder
	Flags   []string  `json:"flags,omitempty"`
	Runs    int       `json:"runs"`
	Size    int64     `json:"size"`
	Files   int       `json:"files"`
	FileLen int64     `json:"file_size"`
	Keys    int       `json:"keys"`
}

func describe(ctx context.Context, c *config) machine {
	m := machine{
		Time: time.Now().UTC().Truncate(time.Second), CPU: cpuModel(), Cores: runtime.NumCPU(), Go: runtime.Version(), Kernel: kernel(),
		Flags: c.flags, Runs: c.runs, Size: c.size, Files: c.files, FileLen: c.fileSize, Keys: c.keys,
	}
	// Without git, or outside of a repository, there is no commit to tell.
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

func (m machine) String() string {
	s := fmt.Sprintf("# %s; %s, %d cores; %s; %s; commit %s\n# median of %d; large %d MiB; %d files of %d KiB; %d keys",
		m.Time.Format(time.RFC3339), m.CPU, m.Cores, m.Kernel, m.Go, cmp.Or(m.Commit, "unknown"),
		m.Runs, m.Size>>20, m.Files, m.FileLen>>10, m.Keys)
	if len(m.Flags) > 0 {
		s += "; osssync " + strings.Join(m.Flags, " ")
	}
	return s
}

// printer writes rows as they come.
type printer struct {
	w    io.Writer
	json *json.Encoder // nil: for people
}

func newPrinter(w io.Writer, asJSON bool) *printer {
	p := &printer{w: w}
	if asJSON {
		p.json = json.NewEncoder(w)
	}
	return p
}

func (p *printer) head(m machine) error {
	if p.json != nil {
		return p.json.Encode(m)
	}
	_, err := fmt.Fprintf(p.w, "%v\n%-11s %8s %8s %8s %11s %8s %8s %8s  %-6s  %s\n", m,
		"scenario", "wall s", "user s", "sys s", "cpu per", "rss MiB", "server s", "other s", "result", "requests")
	return err
}

func (p *printer) row(r *row) error {
	if p.json != nil {
		return p.json.Encode(r)
	}
	_, err := fmt.Fprintf(p.w, "%-11s %8.3f %8.3f %8.3f %11s %8.1f %8.2f %8.2f  %-6s  %s\n",
		r.Scenario, r.Wall, r.User, r.Sys, r.cpuPer(), float64(r.RSS)/(1<<20), r.Server, r.Other, r.Result, r.counts())
	return err
}
