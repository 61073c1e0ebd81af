package transfer

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestPace lets a job of uneven speed run to its end. What is foreseen must
// come down with the clock, never jump, and be about true.
func TestPace(t *testing.T) {
	const (
		tick  = 200 * time.Millisecond
		total = 20e9
	)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct {
		name  string
		speed func(at time.Duration) float64 // bytes per second
	}{
		{"steady", func(time.Duration) float64 { return 100e6 }},
		{"uneven", func(time.Duration) float64 { return rng.Float64() * 200e6 }},
		{"bursts", func(at time.Duration) float64 {
			if int(at.Seconds())%4 < 2 {
				return 0
			}
			return 200e6
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var (
				p     pace
				left  []time.Duration
				bytes float64
				at    time.Duration
			)
			for bytes < total {
				at += tick
				bytes = min(total, bytes+tc.speed(at)*tick.Seconds())
				p.add(at, bytes, 0)
				left = append(left, p.left(total-bytes, 0))
			}
			for i, have := range left {
				now := time.Duration(i+1) * tick
				if now < 10*time.Second {
					continue
				}
				truth := at - now
				if off := (have - truth).Abs(); off > truth/5+2*time.Second {
					t.Fatalf("at %s: foresees %s, in truth %s", now, have, truth)
				}
				if jump := (left[i-1] - tick - have).Abs(); jump > left[i-1]/25+tick {
					t.Fatalf("at %s: jumps from %s to %s", now, left[i-1], have)
				}
			}
		})
	}
}

// TestPaceObjects: a job that ends in many small objects, after a large one, is
// not foreseen as over while they are still to come.
func TestPaceObjects(t *testing.T) {
	var p pace
	p.add(10*time.Second, 1<<30, 1)
	for s := 11; s <= 60; s++ { // 200 objects of 1 KiB a second
		n := float64(s-10) * 200
		p.add(time.Duration(s)*time.Second, 1<<30+n*1024, 1+n)
	}
	left := p.left(12000<<10, 12000) // a minute's worth
	if left < 30*time.Second || left > 70*time.Second {
		t.Errorf("foresees %s, want about a minute", left)
	}
}

// TestPaceMixed: many small objects that come before or beside a few large ones
// take nothing from what those will need, on a line that is limited to 4 MiB/s.
func TestPaceMixed(t *testing.T) {
	const (
		tick  = 200 * time.Millisecond
		line  = 4 << 20 // bytes per second
		small = 1112
		large = 49 << 20
	)
	for _, tc := range []struct {
		name   string
		first  float64 // seconds that pass before the large objects begin
		during float64 // seconds in which all small objects pass
	}{
		{"before", 0.4, 0.4},
		{"beside", 0, 0.4},
		{"beside, slower", 0, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var p pace
			end := tc.first + large/line
			for at := tick; ; at += tick {
				s := at.Seconds()
				if s >= end {
					break
				}
				bytes := min(large, max(0, s-tc.first)*line)
				objects := min(small, math.Floor(small*s/tc.during))
				p.add(at, bytes, objects)
				left := p.left(large-bytes, small+3-objects)
				truth := time.Duration((end - s) * float64(time.Second))
				if off := (left - truth).Abs(); s > tc.during+1.5 && off > truth/5+500*time.Millisecond {
					t.Fatalf("at %s: foresees %s, in truth %s", at, left, truth)
				}
			}
		})
	}
}

func TestPaceUnknown(t *testing.T) {
	var p pace
	if have := p.left(1, 0); have >= 0 {
		t.Errorf("foresees %s before anything moved", have)
	}
	if have := p.left(0, 0); have != 0 {
		t.Errorf("foresees %s with nothing left", have)
	}
	p.add(0, 0, 0)
	p.add(time.Second, 1, 0)
	if have := p.left(1e18, 0); have >= 0 {
		t.Errorf("foresees %s for what never ends", have)
	}
	p.add(2*time.Second, 1, 0)
	if have := p.left(3, 0); have != 6*time.Second {
		t.Errorf("foresees %s, want 6 s", have)
	}
}
