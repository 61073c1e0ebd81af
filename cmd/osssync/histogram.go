package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// maxSamples bounds what percentiles are taken of. Above it each further sample
// takes the place of an old one, in turn.
const maxSamples = 1 << 20

// histogram collects latencies. The zero value is ready to use.
type histogram struct {
	samples []time.Duration
	n       int
	max     time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.max = max(h.max, d)
	if len(h.samples) < maxSamples {
		h.samples = append(h.samples, d)
	} else {
		h.samples[h.n%maxSamples] = d
	}
	h.n++
}

// percentiles are in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (h *histogram) percentiles() percentiles {
	slices.Sort(h.samples)
	at := func(p float64) float64 {
		if len(h.samples) == 0 {
			return 0
		}
		i := int(math.Ceil(p*float64(len(h.samples)))) - 1
		return milliseconds(h.samples[max(0, i)])
	}
	return percentiles{P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: milliseconds(h.max)}
}

// histogramLine counts the latencies from the line before up to its own bound.
type histogramLine struct {
	BelowMS float64 `json:"below_ms"`
	Count   int64   `json:"count"`
}

// lines has a bucket for each doubling, from the first to the last that is not
// empty.
func (h *histogram) lines() []histogramLine {
	counts := map[int]int64{}
	first, last := math.MaxInt, math.MinInt
	for _, d := range h.samples {
		i := 0
		if us := d.Microseconds(); us > 0 {
			i = int(math.Log2(float64(us))) + 1
		}
		counts[i]++
		first, last = min(first, i), max(last, i)
	}
	lines := []histogramLine{}
	for i := first; i <= last; i++ {
		lines = append(lines, histogramLine{BelowMS: math.Pow(2, float64(i)) / 1000, Count: counts[i]})
	}
	return lines
}

// drawHistogram is a bar for each line.
func drawHistogram(lines []histogramLine) string {
	const width = 40
	most := int64(1)
	for _, l := range lines {
		most = max(most, l.Count)
	}
	var b strings.Builder
	for _, l := range lines {
		bar := strings.Repeat("#", int(math.Ceil(float64(l.Count)/float64(most)*width)))
		fmt.Fprintf(&b, "  < %9.3f ms %8d %s\n", l.BelowMS, l.Count, bar)
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

// splitSizes takes a list of sizes apart.
func splitSizes(list string) []string { return strings.Split(list, ",") }

// pattern is an endless source that costs nothing to make and does not compress
// to nothing.
type pattern struct{}

func (pattern) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := uint64(off) + uint64(i)
		p[i] = byte(at*0x9E3779B97F4A7C15>>56 ^ at>>3)
	}
	return len(p), nil
}
