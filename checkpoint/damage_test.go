package checkpoint_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

const (
	damagePage    = 4096
	damageSettled = 700
	damageObjects = 12
	damageParts   = 70
)

// damageFixture is the bytes of a file in which every key ever had one value.
func damageFixture(t *testing.T) (name string, data []byte) {
	t.Helper()
	dir, ctx := t.TempDir(), t.Context()
	c := mustOpen(t, dir, testJob)
	for n := range damageObjects {
		key := fmt.Sprintf("large/%04d", n)
		must(t, c.PutObject(ctx, testObject(key, n)))
		for number := 1; number <= damageParts; number++ {
			must(t, c.AddPart(key, testPart(number)))
		}
		must(t, c.Fail(testFailure(fmt.Sprintf("failed/%04d", n), n)))
	}
	for n := range damageSettled {
		must(t, c.Settle(testSettled(fmt.Sprintf("small/%06d", n), n)))
	}
	must(t, c.Flush(ctx))
	must(t, c.SetState(ctx, testJob.State, ""))
	name = c.Job().ID + ".db"
	must(t, c.Close())
	data, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return name, data
}

// damageResult opens a damaged file and compares what is left with the truth:
// a record may be missing, with a word about it, but never wrong.
func damageResult(t *testing.T, dir string) (setAside, missing bool) {
	t.Helper()
	var log bytes.Buffer
	c, err := checkpoint.Open(dir, testJob, &checkpoint.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer func() { must(t, c.Close()) }()
	found := 0
	for n := range damageSettled {
		key := fmt.Sprintf("small/%06d", n)
		s, ok, err := c.Settled(key)
		must(t, err)
		if ok && s != testSettled(key, n) {
			t.Fatalf("wrong value: %+v", s)
		}
		if ok {
			found++
		}
	}
	n := 0
	for o, err := range c.Objects() {
		must(t, err)
		if _, err := fmt.Sscanf(o.Key, "large/%d", &n); err != nil || o != testObject(o.Key, n) {
			t.Fatalf("wrong value: %+v", o)
		}
		parts, err := c.Parts(o.Key)
		must(t, err)
		for _, p := range parts {
			if p != testPart(p.Number) {
				t.Fatalf("wrong value: %+v", p)
			}
		}
		found += 1 + len(parts)
	}
	for f, err := range c.Failures() {
		must(t, err)
		if _, err := fmt.Sscanf(f.Key, "failed/%d", &n); err != nil || f != testFailure(f.Key, n) {
			t.Fatalf("wrong value: %+v", f)
		}
		found++
	}
	missing = found != damageSettled+damageObjects*(2+damageParts)
	if missing && log.Len() == 0 {
		t.Fatalf("%d records found, the rest is missing without a word", found)
	}
	setAside = c.SetAside() != ""
	if setAside && (found > 0 || c.Resumed()) {
		t.Fatalf("set aside, yet %d records are trusted", found)
	}
	if setAside != strings.Contains(log.String(), "set aside") {
		t.Fatalf("log: %s", log.String())
	}
	must(t, c.Fail(testFailure("still writes", 1)))
	return setAside, missing
}

func TestDamage(t *testing.T) {
	name, intact := damageFixture(t)
	pages := len(intact) / damagePage
	page := func(b []byte, n int) []byte { return b[n*damagePage : (n+1)*damagePage] }
	tests := []struct {
		name   string
		rounds int
		harm   func(rng *rand.Rand, b []byte) []byte
	}{
		{"one bit", 200, func(rng *rand.Rand, b []byte) []byte {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			return b
		}},
		{"one bit of a page header or an element", 100, func(rng *rand.Rand, b []byte) []byte {
			page(b, rng.IntN(pages))[rng.IntN(64)] ^= 1 << rng.IntN(8)
			return b
		}},
		{"zeroed page", 40, func(rng *rand.Rand, b []byte) []byte {
			clear(page(b, rng.IntN(pages)))
			return b
		}},
		{"random page", 40, func(rng *rand.Rand, b []byte) []byte {
			p := page(b, rng.IntN(pages))
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			return b
		}},
		{"random page under its header", 40, func(rng *rand.Rand, b []byte) []byte {
			p := page(b, rng.IntN(pages))[16:]
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			return b
		}},
		{"swapped pages", 30, func(rng *rand.Rand, b []byte) []byte {
			x, y := rng.IntN(pages), rng.IntN(pages)
			copy(page(b, x), page(intact, y))
			copy(page(b, y), page(intact, x))
			return b
		}},
		{"stale page with a right number", 30, func(rng *rand.Rand, b []byte) []byte {
			x, y := rng.IntN(pages), rng.IntN(pages)
			copy(page(b, x)[8:], page(intact, y)[8:])
			return b
		}},
		{"truncated", 30, func(rng *rand.Rand, b []byte) []byte { return b[:rng.IntN(len(b))] }},
		{"both meta pages", 1, func(_ *rand.Rand, b []byte) []byte {
			clear(b[:2*damagePage])
			return b
		}},
		{"empty", 1, func(*rand.Rand, []byte) []byte { return nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			aside, dropped := 0, 0
			for seed := range test.rounds {
				dir := t.TempDir()
				b := test.harm(rand.New(rand.NewPCG(uint64(seed), 7)), bytes.Clone(intact))
				must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
				setAside, missing := damageResult(t, dir)
				if setAside {
					aside++
				} else if missing {
					dropped++
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%d files: %d set aside, %d with records dropped", test.rounds, aside, dropped)
		})
	}
}

// TestSetAsideTwice: the second damaged file does not replace the first.
func TestSetAsideTwice(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir, testJob)
	path := filepath.Join(dir, c.Job().ID+".db")
	must(t, c.Close())
	seen := make(map[string]bool)
	for n := range 3 {
		junk := bytes.Repeat([]byte{byte(n)}, 9000)
		must(t, os.WriteFile(path, junk, 0o600))
		c := mustOpen(t, dir, testJob)
		if got, err := os.ReadFile(c.SetAside()); err != nil || !bytes.Equal(got, junk) {
			t.Errorf("set aside %q: %v", c.SetAside(), err)
		}
		seen[c.SetAside()] = true
		must(t, c.Close())
	}
	if len(seen) != 3 {
		t.Errorf("set aside as %v", seen)
	}
}

// TestTruncatedWhileOpen: a fault in mapped memory is an error of the call.
func TestTruncatedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	c, err := checkpoint.Open(dir, testJob, nil)
	must(t, err)
	for n := range 2000 {
		must(t, c.Settle(testSettled(fmt.Sprintf("%06d", n), n)))
	}
	must(t, c.Flush(t.Context()))
	if err := os.Truncate(filepath.Join(dir, c.Job().ID+".db"), 0); err != nil {
		t.Logf("cannot be done here: %v", err)
		must(t, c.Close())
		return
	}
	if _, _, err := c.Settled("000777"); err == nil {
		t.Error("no error from a truncated file")
	}
	if err := c.PutObject(t.Context(), testObject("x", 1)); err == nil {
		t.Error("no error from a commit to a truncated file")
	}
	if err := c.Close(); err == nil {
		t.Error("no error from Close")
	}
	c = mustOpen(t, dir, testJob)
	if c.SetAside() == "" {
		t.Error("not set aside")
	}
}
