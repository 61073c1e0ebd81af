package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/oss"
)

// Cuts come out of a checkpoint as they went in, as many as may be, and what is
// no key of the side, or no text, stays out.
func TestPackedCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SampledFrom([]string{"", "a/", "äß/"}).Draw(t, "path")
		names := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab/éè日\x00<\U0010ffff")), 0, 300, -1), 0, 100).Draw(t, "names")
		slices.Sort(names)
		var cuts, want []lister.Cut
		for i, name := range names {
			if rapid.IntRange(0, 9).Draw(t, "spoiled") == 0 {
				cuts = append(cuts, lister.Cut{At: path + name + "\xff"}, lister.Cut{At: "\x01" + path + name})
				if path == "" {
					want = append(want, cuts[len(cuts)-1])
				}
			}
			c := lister.Cut{At: path + name, Page: i%2 == 0}
			cuts, want = append(cuts, c), append(want, c)
		}
		after := ""
		if len(names) > 0 && rapid.Bool().Draw(t, "gone on with") {
			after = rapid.SampledFrom(names).Draw(t, "after")
		}
		want = slices.DeleteFunc(want, func(c lister.Cut) bool { return c.At <= path+after })
		packed := pack(cuts, path, after)
		text, err := json.Marshal(packed)
		if err != nil || len(text) > cutsMost+2 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		var read []cut
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		got := unpack(read, path)
		if len(got) < len(want) && (len(text) < cutsMost-6*1200 || len(got) == 0) {
			t.Fatalf("%d of %d cuts in %d bytes", len(got), len(want), len(text))
		}
		if !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("%q, want %q", fmt.Sprint(got), fmt.Sprint(want))
		}
	})
}

// As many as a listing has fit, of names as long as they mostly are.
func TestPackedCutsFit(t *testing.T) {
	var cuts []lister.Cut
	for i := range 80 {
		cuts = append(cuts, lister.Cut{At: fmt.Sprintf("%s/%03d/%s", strings.Repeat("all the same ", 60), i, strings.Repeat("x", 150)), Page: true})
	}
	if packed := pack(cuts, "", ""); len(packed) != len(cuts) {
		t.Errorf("%d of %d", len(packed), len(cuts))
	}
}

// Whatever a checkpoint has, what comes of it is no panic, and cuts of the side.
func FuzzUnpackCuts(f *testing.F) {
	f.Add(`[{"r":"a/b"},{"s":2,"r":"c","p":true}]`)
	f.Add(`[{"s":1,"r":"a"}]`)
	f.Add(`[{"s":-1,"r":"a"}]`)
	f.Add(`[{"r":"é"},{"s":1,"r":"x"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var packed []cut
		if json.Unmarshal([]byte(text), &packed) != nil {
			return
		}
		for _, c := range unpack(packed, "p/") {
			if !strings.HasPrefix(c.At, "p/") {
				t.Errorf("%q", c.At)
			}
		}
	})
}

// Until a listing begins its cuts are those of the run before.
func TestDivisionBefore(t *testing.T) {
	before := []lister.Cut{{At: "a", Page: true}, {At: "b"}}
	d := &division{before: before}
	if !slices.Equal(d.cuts(), before) {
		t.Errorf("%v", d.cuts())
	}
	page := func(context.Context, *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
		return &oss.ListObjectsV2Result{}, nil
	}
	for range lister.List(t.Context(), d.within(lister.Options{Page: page, StartAfter: "a"})) {
		t.Error("an object of none")
	}
	if cuts := d.cuts(); len(cuts) > 0 {
		t.Errorf("%v", cuts)
	}
}
