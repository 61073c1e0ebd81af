package main

import (
	"context"
	"fmt"
	"time"

	"github.com/osssync/osssync/transfer"
)

// tuneDuration is how long each number of requests is measured.
const tuneDuration = 2 * time.Second

// maxTune is the largest number of requests at once that tune tries, without -j.
const maxTune = 64

// enough is the share of the best rate that is as good as the best: rates of one
// setting differ by more from run to run.
const enough = 0.95

// tuneLine is what a size of objects is best moved with, as JSON.
type tuneLine struct {
	V        int        `json:"v"`
	Type     string     `json:"type"`
	Size     int64      `json:"size"`
	Jobs     int        `json:"jobs"`
	Rate     float64    `json:"rate"`
	Measured []tuneStep `json:"measured"`
}

type tuneStep struct {
	Jobs  int     `json:"jobs"`
	Rate  float64 `json:"rate"`
	P50MS float64 `json:"p50_ms"`
}

// tune uploads with 1, 2, 4 … requests at once, and names the smallest number
// that is as good as the best.
func (b *bench) tune(ctx context.Context, length int64) error {
	limit := int(b.app.flags.job.value)
	if limit == 0 {
		limit = maxTune
	}
	line := tuneLine{V: jsonVersion, Type: "tune", Size: length}
	best := 0.0
	for jobs := 1; ; jobs = min(2*jobs, limit) {
		b.jobs = jobs
		l, err := b.measure(ctx, "put", length, length, b.count, func(ctx context.Context, i int64) error {
			return b.put(ctx, i%benchObjects, length)
		})
		if err != nil {
			return err
		}
		step := tuneStep{Jobs: jobs, Rate: l.Rate, P50MS: l.LatencyMS.P50}
		line.Measured = append(line.Measured, step)
		best = max(best, step.Rate)
		if !b.app.flags.json {
			fmt.Fprintf(b.app.stdout, "put of %s, %2d at once: %s/s, p50 %.1f ms\n", size(length), jobs, size(int64(step.Rate)), step.P50MS) //nolint:errcheck // the last line says so
		}
		if jobs == limit {
			break
		}
	}
	for _, step := range line.Measured {
		if step.Rate >= enough*best {
			line.Jobs, line.Rate = step.Jobs, step.Rate
			break
		}
	}
	if b.app.flags.json {
		return b.app.writeJSON(b.app.stdout, line)
	}
	_, err := fmt.Fprintf(b.app.stdout, "best for objects of %s: --job %d (%s/s; the default is %d)\n", size(length), line.Jobs, size(int64(line.Rate)), transfer.DefaultConcurrency)
	return err
}
