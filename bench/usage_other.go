//go:build !linux

package main

import (
	"runtime"
	"time"
)

// Without /proc these are not known: 0.

func peakRSS(int) int64           { return 0 }
func bytesRead(int) int64         { return 0 }
func cpuOf(int) time.Duration     { return 0 }
func cpuOfMachine() time.Duration { return 0 }
func cpuModel() string            { return runtime.GOARCH }
func kernel() string              { return runtime.GOOS }
