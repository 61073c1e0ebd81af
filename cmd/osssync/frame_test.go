package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/vt"
	"github.com/osssync/osssync/transfer"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares have with testdata/NAME.
func golden(t *testing.T, name, have string) {
	t.Helper()
	file := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil { //nolint:gosec // a golden file
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if have != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s differs (-update writes it anew); have\n%s", file, have)
	}
}

// states are what a job may look like on its way.
var states = map[string]transfer.Progress{
	"starting": {Phase: transfer.PhaseStarting, ETA: -1, Limit: 16},
	"listing": {
		Phase: transfer.PhaseListing, ETA: -1, ObjectsTotal: 104_096, ObjectsDone: 99_312, ObjectsSkipped: 600, BytesTotal: 80 << 20, BytesDone: 78 << 20,
		Rate: 3.4 * (1 << 20), MeanRate: 3.1 * (1 << 20), Running: 16, Limit: 16, Elapsed: 25 * time.Second,
	},
	"transferring": {
		Phase: transfer.PhaseTransferring, TotalsKnown: true, ObjectsTotal: 1024, ObjectsDone: 312, BytesTotal: 80 << 30, BytesDone: 36 << 30,
		Rate: 112 * (1 << 20), MeanRate: 98 * (1 << 20), ETA: 402 * time.Second, Running: 14, Limit: 16, Elapsed: 376 * time.Second,
		Active: []transfer.ActiveObject{
			{Key: "just begun", Size: 10, Elapsed: time.Second},
			{Key: "photos/2026/a very long name indeed that cannot fit.raw", Size: 1 << 30, Done: 640 << 20, Parts: 128, PartsDone: 78},
			{Key: "a small one that takes long", Size: 100_000, Done: 4096, Elapsed: 4 * time.Second},
			{Key: "video.mp4", Size: 64 << 20, Done: 64 << 20, Parts: 8, PartsDone: 8},
			{Key: "four", Size: 64 << 20},
			{Key: "five is one too many", Size: 64 << 20},
		},
	},
	"trouble": {
		Phase: transfer.PhaseTransferring, TotalsKnown: true, ObjectsTotal: 99_999, ObjectsDone: 81_222, ObjectsSkipped: 12_000, ObjectsFailed: 21,
		BytesTotal: 1023 << 40, BytesDone: 1022 << 40, BytesResumed: 500 << 40,
		Rate: 1023.9 * (1 << 20), MeanRate: 1023.9 * (1 << 20), ETA: 359_999 * time.Second, Elapsed: time.Hour, Running: 3, Limit: 4, Retries: 1234, Throttled: 567,
	},
	"names": {
		Phase: transfer.PhaseTransferring, TotalsKnown: true, ObjectsTotal: 9, BytesTotal: 1 << 30, BytesDone: 1<<30 - 1, BytesResumed: 1 << 29,
		Rate: 1, ETA: -1, Running: 9, Limit: 16,
		Active: []transfer.ActiveObject{
			{Key: "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字.bin", Size: 64 << 20, Done: 1},
			{Key: "🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉 party 👨\u200d👩\u200d👧", Size: 64 << 20, Done: 2 << 20},
			{Key: "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301 combining", Size: 64 << 20, Done: 63 << 20},
			{Key: "esc\x1b[2J\x07\r\nnew \u202egpj.exe \xff", Size: 64 << 20, Done: 64 << 20},
		},
	},
	"at first": {
		Phase: transfer.PhaseTransferring, TotalsKnown: true, ObjectsTotal: 1003, ObjectsDone: 900, BytesTotal: 80 << 20, BytesDone: 1 << 20,
		Rate: 1 << 20, MeanRate: 1 << 20, ETA: 2 * time.Second, Running: 16, Limit: 16, Elapsed: time.Second,
	},
	"no bytes": { // a deletion
		Phase: transfer.PhaseTransferring, TotalsKnown: true, ObjectsTotal: 3000, ObjectsDone: 1500, ETA: 3 * time.Second, Elapsed: 3 * time.Second, Running: 1, Limit: 16,
	},
}

// TestFrame compares the screen of each state at several widths with what a
// person has looked at and found good.
func TestFrame(t *testing.T) {
	for name, p := range states {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, width := range []int{1, 20, 40, 80, 200} {
				fmt.Fprintf(&b, "== %d columns\n", width)
				for _, line := range frame(p, width) {
					b.WriteString(line + "\n")
				}
			}
			golden(t, "frame/"+strings.ReplaceAll(name, " ", "-")+".txt", b.String())
		})
	}
}

// TestPlainProgress does the same for lines in a log.
func TestPlainProgress(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"starting", "listing", "transferring", "trouble", "names", "no bytes"} {
		line := plainProgress(states[name])
		if oneLine(line) != line {
			t.Errorf("%s: not one line: %q", name, line)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, line)
	}
	golden(t, "frame/plain.txt", b.String())
}

// drawProgress is any state, sensible or not.
func drawProgress(t *rapid.T) transfer.Progress {
	n := rapid.Int64Range(0, 1<<60)
	p := transfer.Progress{
		Phase: rapid.SampledFrom([]transfer.Phase{
			transfer.PhaseStarting, transfer.PhaseListing, transfer.PhaseTransferring, transfer.PhaseFinishing, transfer.PhaseDone,
		}).Draw(t, "phase"),
		ObjectsTotal: n.Draw(t, "total"), ObjectsDone: n.Draw(t, "done"), ObjectsFailed: n.Draw(t, "failed"), ObjectsSkipped: n.Draw(t, "skipped"),
		BytesTotal: n.Draw(t, "bytes total"), BytesDone: n.Draw(t, "bytes"), BytesResumed: n.Draw(t, "resumed"), TotalsKnown: rapid.Bool().Draw(t, "known"),
		Rate: float64(n.Draw(t, "rate")), MeanRate: float64(n.Draw(t, "mean")), ETA: time.Duration(rapid.Int64().Draw(t, "eta")),
		Retries: n.Draw(t, "retries"), Throttled: n.Draw(t, "throttled"), Running: int(n.Draw(t, "running")), Limit: int(n.Draw(t, "limit")),
	}
	for range rapid.IntRange(0, transfer.MaxActive).Draw(t, "active") {
		p.Active = append(p.Active, transfer.ActiveObject{
			Key: rapid.String().Draw(t, "key"), Size: n.Draw(t, "size"), Done: n.Draw(t, "done"),
			Parts: int(n.Draw(t, "parts")), PartsDone: int(n.Draw(t, "parts done")), Elapsed: time.Duration(n.Draw(t, "elapsed")),
		})
	}
	return p
}

// TestFrameFits: whatever the state, no line reaches the last column or holds
// what does not belong on a terminal, and nothing is above 100 %.
func TestFrameFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProgress(t)
		width := rapid.IntRange(0, 200).Draw(t, "width")
		for _, line := range frame(p, width) {
			if w := runewidth.StringWidth(line); w >= max(width, 1) {
				t.Fatalf("%q has %d columns of %d", line, w, width)
			}
			if framed := "|" + line + "|"; oneLine(framed) != framed {
				t.Fatalf("%q is not fit for a terminal", line)
			}
		}
		if percent := totalBar(p).percent(); len(percent) != 4 {
			t.Fatalf("%q", percent)
		}
	})
}

// TestScreen draws frames on a terminal that is resized between them. What
// stood there before stays, the newest frame stands below it, and nothing of
// the earlier ones is left.
func TestScreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rows = 40
		cols := rapid.IntRange(20, 120)
		s := &screen{reflows: true, width: cols.Draw(t, "cols"), height: rows}
		terminal := vt.New(s.width, rows)
		write := func(text string) {
			if _, err := terminal.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		write("$ osssync\r\n")
		lines := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab =é漢字🎉")), 1, 15, -1), 0, 5)
		for range rapid.IntRange(1, 6).Draw(t, "frames") {
			want := lines.Draw(t, "lines")
			for i, line := range want {
				want[i] = strings.TrimRight(runewidth.Truncate(line, s.width-1, "")+"|", " ")
			}
			write(s.draw(want))
			if have := terminal.All(); !slices.Equal(have, append([]string{"$ osssync"}, want...)) {
				t.Fatalf("have %q\nwant %q", have, want)
			}
			s.width = cols.Draw(t, "cols")
			terminal.Resize(s.width, rows)
		}
		write(s.draw(nil) + "done")
		if have := terminal.All(); !slices.Equal(have, []string{"$ osssync", "done"}) {
			t.Fatalf("have %q", have)
		}
	})
}

// TestScreenLow: of a frame that is higher than the terminal the first lines
// are shown, and its last row stays free for the cursor.
func TestScreenLow(t *testing.T) {
	s := &screen{width: 80, height: 3}
	terminal := vt.New(80, 3)
	for _, frame := range []string{"1\n2\n3\n4", "a\nb\nc\nd", "e"} {
		if _, err := terminal.Write([]byte(s.draw(s.fit(frame)))); err != nil {
			t.Fatal(err)
		}
	}
	if have, want := terminal.All(), []string{"e"}; !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}

func BenchmarkFrame(b *testing.B) {
	p := states["transferring"]
	s := &screen{width: 80, height: 24, reflows: true}
	b.ReportAllocs()
	for b.Loop() {
		s.draw(frame(p, 80))
	}
}
