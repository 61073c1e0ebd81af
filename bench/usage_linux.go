package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every port of Go.
const tick = 10 * time.Millisecond

// peakRSS is the most memory that a running process has had, in bytes, or 0.
func peakRSS(pid int) int64 { return figure(pid, "status", "VmHWM:") << 10 }

// bytesRead is what a running process has read, from files and connections, or 0.
func bytesRead(pid int) int64 { return figure(pid, "io", "rchar:") }

// figure is a number in a file of /proc, or 0.
func figure(pid int, file, name string) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(append([]byte{'\n'}, text...), []byte("\n"+name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return n
}

// cpuOf is the CPU time that a running process has used, or 0.
func cpuOf(pid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The process's name stands in parentheses and may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	return ticks(fields[11]) + ticks(fields[12]) // utime and stime: proc_pid_stat(5)
}

// cpuOfMachine is the CPU time that all processes, the kernel and other guests
// of the host have used, or 0.
func cpuOfMachine() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	// cpu user nice system idle iowait irq softirq steal guest: proc_stat(5)
	fields := bytes.Fields(stat)
	if len(fields) < 9 {
		return 0
	}
	var sum time.Duration
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		sum += ticks(fields[i])
	}
	return sum
}

func ticks(field []byte) time.Duration {
	n, _ := strconv.ParseInt(string(field), 10, 64)
	return time.Duration(n) * tick
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(info), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, " \t:"))
}

func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "linux " + strings.TrimSpace(string(release))
}
