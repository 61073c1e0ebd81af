package transfer_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
	"pgregory.net/rapid"
)

// TestAnyHistory drives one object through a random history of runs that meet
// faults or are broken off, and of changes to its source. At every moment the
// destination shows a whole version of the source or what was there before; a
// run that succeeds leaves the version it found; and a last run without faults
// leaves the last version and no litter.
func TestAnyHistory(t *testing.T) {
	// Each history takes a tenth of a second, mostly waiting between tries. The
	// same ones are told every time, unless -rapid.seed and -rapid.checks ask
	// for others.
	for name, value := range map[string]string{"rapid.checks": "15", "rapid.seed": "1"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Value.Set(f.DefValue) }()
		}
	}
	for _, kind := range []string{"upload", "download", "copy", "relay"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { anyHistory(t, rt, kind) })
		})
	}
}

var historyFaults = []string{
	"", "503 prob=0.3 seed=%d", "reset=body prob=0.2 seed=%d", "lost prob=0.2 seed=%d", "flip=0 dir=down prob=0.1 seed=%d",
	"flip=0 dir=up prob=0.1 seed=%d", "vanish prob=0.1 seed=%d", "html prob=0.2 seed=%d", "truncate=5 prob=0.2 seed=%d",
}

// history is one object and all that was ever its source.
type history struct {
	w        *world
	kind     string
	src, dst string
	versions [][]byte
}

func anyHistory(t *testing.T, rt *rapid.T, kind string) {
	w := newWorld(t)
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		rt.Fatal(err)
	}
	h := &history{w: w, kind: kind, src: filepath.Join(dir, "src"), dst: filepath.Join(dir, "dst")}
	h.change(rt)
	for range rapid.IntRange(1, 5).Draw(rt, "steps") {
		if rapid.IntRange(0, 3).Draw(rt, "change") == 0 {
			h.change(rt)
		}
		fault := rapid.SampledFrom(historyFaults).Draw(rt, "fault")
		if strings.Contains(fault, "%d") {
			fault = fmt.Sprintf(fault, rapid.IntRange(1, 1000).Draw(rt, "seed"))
		}
		before := len(h.versions) - 1
		_, err := h.run(rt, fault, rapid.IntRange(0, 12).Draw(rt, "stop at"), rapid.IntRange(0, 9).Draw(rt, "change at"))
		got := h.shown()
		if err == nil && !h.isVersion(got, before) {
			rt.Fatalf("a run succeeded and left none of the versions it can have found")
		}
		if got != nil && !h.isVersion(got, 0) {
			rt.Fatalf("the destination shows %d bytes that are no version of the source", len(got))
		}
	}
	if _, err := h.run(rt, "", 0, 0); err != nil {
		rt.Fatalf("the last run: %v", err)
	}
	if !bytes.Equal(h.shown(), h.versions[len(h.versions)-1]) {
		rt.Fatalf("the last run left another version")
	}
	left := tree(t, dir)
	delete(left, "src")
	delete(left, "dst")
	if len(left) > 0 || w.uploads() > 0 {
		rt.Fatalf("%d files and %d uploads are left", len(left), w.uploads())
	}
}

// change makes a new version of the source, by an atomic replacement.
func (h *history) change(rt *rapid.T) {
	n := len(h.versions)
	data := noise(1000+n, rapid.SampledFrom([]int{0, 1, partSize, partSize + 1, 5*partSize + 3}).Draw(rt, "size"))
	h.versions = append(h.versions, data)
	h.put(data)
}

func (h *history) put(data []byte) {
	if h.kind == "upload" {
		write(h.w.t, h.src+".new", data)
		if err := os.Rename(h.src+".new", h.src); err != nil {
			h.w.t.Fatal(err)
		}
		return
	}
	h.w.put("from", data)
}

// run is one run, under a fault, broken off at a request and with a change of
// the source at one, if these are not 0.
func (h *history) run(rt *rapid.T, fault string, stopAt, changeAt int) (*transfer.Report, error) {
	w := h.w
	faults, err := emulator.ParseFaults(strings.NewReader(fault))
	if err != nil {
		rt.Fatal(err)
	}
	if err := w.server.SetFaults(faults); err != nil {
		rt.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	var changed []byte
	if changeAt > 0 && h.kind != "upload" || changeAt > 5 {
		changed = noise(2000+len(h.versions), 4*partSize)
	}
	var n atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		i := int(n.Add(1))
		if changed != nil && i == changeAt {
			w.wire.between(nil) // the change itself passes, and so does the rest
			if err := w.server.SetFaults(nil); err == nil {
				h.put(changed)
			}
		}
		if i == stopAt {
			cancel()
		}
		return send()
	})
	e := w.engine(func(o *transfer.Options) { o.Attempts = 3 })
	var report *transfer.Report
	switch h.kind {
	case "upload":
		report, err = e.Upload(ctx, h.src, w.at("to"), nil)
	case "download":
		report, err = e.Download(ctx, w.at("from"), h.dst, nil)
	default:
		report, err = e.Copy(ctx, w.at("from"), w.at("to"), &transfer.CopyOptions{Relay: h.kind == "relay"})
	}
	w.wire.between(nil)
	if setErr := w.server.SetFaults(nil); setErr != nil {
		rt.Fatal(setErr)
	}
	if changed != nil && int(n.Load()) >= changeAt {
		h.versions = append(h.versions, changed)
	}
	return report, err
}

// shown is what the destination shows; nil is nothing.
func (h *history) shown() []byte {
	if h.kind != "download" {
		return h.w.get("to")
	}
	b, err := os.ReadFile(h.dst)
	if err != nil {
		return nil
	}
	return b
}

// isVersion says whether data is a version from the given one on.
func (h *history) isVersion(data []byte, from int) bool {
	for _, v := range h.versions[from:] {
		if bytes.Equal(data, v) && data != nil {
			return true
		}
	}
	return false
}
