package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h histogram
	if p := h.percentiles(); p != (percentiles{}) || len(h.lines()) != 0 {
		t.Errorf("empty: %+v, %v", p, h.lines())
	}
	for i := range 100 {
		h.add(time.Duration(100-i) * time.Millisecond)
	}
	if p := h.percentiles(); p != (percentiles{P50: 50, P90: 90, P99: 99, Max: 100}) {
		t.Errorf("%+v", p)
	}
	sum, last := int64(0), 0.0
	for _, l := range h.lines() {
		if sum += l.Count; l.BelowMS != 2*last && last > 0 {
			t.Errorf("%v after %v", l.BelowMS, last)
		}
		last = l.BelowMS
	}
	if sum != 100 || last < 100 || last > 200 {
		t.Errorf("%d samples, up to %v ms", sum, last)
	}
	text := drawHistogram([]histogramLine{{1, 1}, {2, 0}, {4, 80}})
	if lines := strings.Split(text, "\n"); len(lines) != 4 || !strings.HasSuffix(lines[0], " #") || strings.Contains(lines[1], "#") || strings.Count(lines[2], "#") != 40 {
		t.Errorf("\n%s", text)
	}
}

// A bench that is interrupted removes what it made.
func TestBenchInterrupted(t *testing.T) {
	newService(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer time.AfterFunc(200*time.Millisecond, cancel).Stop()
	if code, _, stderr := command(ctx, "bench", "small", "oss://bkt/x", "--count", "1000000"); code != exitInterrupted {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if _, stdout, _ := command(t.Context(), "ls", "-s", "oss://bkt"); !strings.Contains(stdout, "Object Number is: 0") {
		t.Errorf("left behind:\n%s", stdout)
	}
}
