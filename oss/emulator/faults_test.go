package emulator_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/oss/emulator"
)

// parseFaults reads faults, one an argument.
func parseFaults(t testing.TB, lines ...string) []emulator.Fault {
	t.Helper()
	faults, err := emulator.ParseFaults(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestParseFaults(t *testing.T) {
	const file = `
# what a bad day looks like
503 on=UploadPart key=logs/* nth=3   # once
500=InternalError every=2 max=4 retry=2s
latency=20ms jitter=10ms prob=0.1 seed=7
bandwidth=200K per=total from=10s to=1m
flip=1M dir=up bucket=b
key	reset=body
`
	_, err := emulator.ParseFaults(strings.NewReader(file))
	if err == nil || !strings.Contains(err.Error(), "line 8") || !strings.Contains(err.Error(), `"key"`) {
		t.Errorf("error is %v", err)
	}
	got := parseFaults(t, strings.Split(strings.ReplaceAll(file, "key	", ""), "\n")...)
	want := []emulator.Fault{
		{Kind: "503", On: "UploadPart", Key: "logs/*", Nth: 3},
		{Kind: "500", Code: "InternalError", Every: 2, Max: 4, Retry: 2 * time.Second},
		{Kind: "latency", Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, Prob: 0.1, Seed: 7},
		{Kind: "bandwidth", N: 200 << 10, Per: "total", From: 10 * time.Second, To: time.Minute},
		{Kind: "flip", N: 1 << 20, Dir: "up", Bucket: "b"},
		{Kind: "reset", Word: "body"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d faults, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("fault %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for _, line := range []string{
		"502 on=", "boom", "199", "600", "+503", "0503", "=x", `"x`, "latency", "latency=0s", "latency=-1s", "latency=1s prob=0", "latency=1s prob=2",
		"latency=1s prob=NaN", "latency=1s at=3", "expire=1", "expire expire=1", "503 nth=0", "503 nth=-1", "503 nth=x", "503 nth=1 nth=1", "503 jitter=1s", "503 location=\"a\\nb\"", "lost location=a",
		"503 key=[", "bandwidth=0", "bandwidth=1T", "bandwidth=9999999999G", "bandwidth=1 per=day", "flip=-1", "flip dir=left", "reset=now",
		"reset at=4", "reset=after at=4", "etag", "etag=right", "lost=100", "qps=1K", "qps=0", "503 from=2s to=1s", "503 seed=-1", "503 nth", `503 on="\z"`,
		"503 on=NoSuchOperation", "503 on=putobject", "change on=HeadObject", "repeat on=GetObject",
	} {
		if got, err := emulator.ParseFaults(strings.NewReader(line)); err == nil {
			t.Errorf("%q is read as %v", line, got)
		}
	}
	if _, err := emulator.ParseFaults(strings.NewReader(strings.Repeat("x", 1<<20))); err == nil {
		t.Error("an endless line is read")
	}
}

// TestSetFaultsRefuses: what cannot be written down cannot be set.
func TestSetFaultsRefuses(t *testing.T) {
	c := newClient(t)
	s := c.h.(*emulator.Server)
	for _, f := range []emulator.Fault{
		{},
		{Kind: "#"},
		{Kind: "503 nth=1"},
		{Kind: "lost", Delay: time.Second},
		{Kind: "latency"},
		{Kind: "reset", At: 3},
		{Kind: "503", Nth: -1},
		{Kind: "qps", N: -3},
		{Kind: "503", Key: "["},
	} {
		if err := s.SetFaults([]emulator.Fault{f}); err == nil {
			t.Errorf("%+v is set", f)
		}
		if _, err := emulator.Open(&emulator.Options{Faults: []emulator.Fault{f}}); err == nil {
			t.Errorf("%+v is an option", f)
		}
	}
}

// TestFaultsPrint: what prints is read back as the same.
func TestFaultsPrint(t *testing.T) {
	kinds := []string{
		"503", "429=Slow", "200=Odd retry=3s", "307=Elsewhere location=http://a.test/?b", "latency=1ms", "latency=1s jitter=2s", "clock=-1h", "stall", "stall=2s at=5", "bandwidth=3M per=connection",
		"throttle=1G retry=5s", "qps=100", "reset", "reset=after", "reset=body at=1", "truncate", "truncate=77", "flip", "flip=3 dir=down", "lost",
		"lost=503", "html", "html=502", "etag=wrong", "crc=wrong", "repeat", "endearly", "shuffle", "vanish", "expire", "change",
	}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom(kinds).Draw(t, "kind")
		f, err := emulator.ParseFaults(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		want := f[0]
		on := []string{"", "PutObject"}
		switch want.Kind {
		case "repeat", "endearly", "shuffle":
			on[1] = "ListObjects"
		case "change":
			on[1] = "GetObject"
		}
		want.On = rapid.SampledFrom(on).Draw(t, "on")
		want.Bucket = rapid.StringMatching(`[a-z]{0,3}`).Draw(t, "bucket")
		want.Key = rapid.StringMatching(`[a "#=é\n*?/'-]{0,6}`).Draw(t, "key")
		want.Nth = rapid.IntRange(0, 3).Draw(t, "nth")
		want.Every = rapid.IntRange(0, 3).Draw(t, "every")
		want.Max = rapid.IntRange(0, 3).Draw(t, "max")
		want.Prob = float64(rapid.IntRange(0, 64).Draw(t, "prob")) / 64
		want.Seed = rapid.Uint64().Draw(t, "seed")
		want.From = time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "from"))
		if n := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "to")); n > want.From {
			want.To = n
		}
		got, err := emulator.ParseFaults(strings.NewReader(want.String()))
		if err != nil || len(got) != 1 || got[0] != want {
			t.Fatalf("%s is read as %v, %v", want, got, err)
		}
	})
}

func FuzzParseFaults(f *testing.F) {
	f.Add("503 on=UploadPart key=\"a b\" nth=3 # c\nflip=1K dir=up")
	f.Add("reset=body at=2\nstall=1s")
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := emulator.ParseFaults(strings.NewReader(text))
		if err != nil {
			return
		}
		var lines []string
		for _, f := range faults {
			lines = append(lines, f.String())
		}
		again, err := emulator.ParseFaults(strings.NewReader(strings.Join(lines, "\n")))
		if err != nil || len(again) != len(faults) {
			t.Fatalf("%q: %v", lines, err)
		}
		for i := range again {
			if again[i] != faults[i] {
				t.Errorf("%q is read as %+v", lines[i], again[i])
			}
		}
	})
}
