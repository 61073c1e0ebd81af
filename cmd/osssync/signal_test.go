package main

import (
	"context"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestObey: what comes within a second of the first signal is the same one, and
// the program has an end in any case.
func TestObey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var at []time.Duration
		mark := func() { at = append(at, time.Since(began)) }
		signals := make(chan os.Signal, 1)
		signals <- os.Interrupt
		obey(ctx, signals, func() { cancel(); mark() }, mark, mark)
		if want := []time.Duration{0, echoTime, drainTime}; !slices.Equal(at, want) {
			t.Errorf("cancels, lets the next signal kill, and leaves after %v, want %v", at, want)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	released := false
	obey(ctx, nil, nil, func() { released = true }, func() { t.Error("leaves without a signal") })
	if !released {
		t.Error("keeps the signals")
	}
}
