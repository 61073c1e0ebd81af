package transfer

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is under way and in whatever order it ends, the cursor is the name
// before the first that is not done, and what it remembers is what is under way.
func TestCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cursor{}
		var names []string // in order
		under := map[string]*underway{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			name := strings.Repeat("a", len(names)+1)
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				c.pass(name)
				names = append(names, name)
			case 1:
				under[name] = c.begin(name)
				names = append(names, name)
			case 2:
				if left := slices.Sorted(maps.Keys(under)); len(left) > 0 {
					n := rapid.SampledFrom(left).Draw(t, "done")
					c.end(under[n])
					delete(under, n)
				}
			}
			want := ""
			for _, n := range names {
				if under[n] != nil {
					break
				}
				want = n
			}
			if got := c.name(); got != want {
				t.Fatalf("%q, want %q", got, want)
			}
			if len(under) == 0 && len(c.under) > 0 {
				t.Fatalf("%d are remembered", len(c.under))
			}
		}
	})
}

// What is listed of a prefix is what lies between the bounds.
func TestNarrowed(t *testing.T) {
	var names []string
	for _, a := range []string{"a", "b", "c"} {
		for _, b := range []string{"", "/", "/a", "/b", "/b/c", "0"} {
			names = append(names, a+b)
		}
	}
	slices.Sort(names)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		prefix, after, end := names[r.IntN(len(names))], names[r.IntN(len(names))], names[r.IntN(len(names))]
		if r.IntN(4) == 0 {
			prefix = ""
		}
		if r.IntN(4) == 0 {
			after = ""
		}
		if r.IntN(4) == 0 {
			end = ""
		}
		var want, got []string
		o, some := narrowed("path/", prefix, after, end)
		for _, n := range names {
			if strings.HasPrefix(n, prefix) && n > after && (end == "" || n <= end) {
				want = append(want, n)
			}
			key := "path/" + n
			if some && strings.HasPrefix(key, o.Prefix) && key > o.StartAfter && (o.End == "" || key <= o.End) {
				got = append(got, n)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q of (%q, %q]: %q, want %q", prefix, after, end, got, want)
		}
	}
}

// A run of a part goes past names that are left, so that no cursor may follow it.
func TestPartHasNoCursor(t *testing.T) {
	if o := (SyncOptions{}); !o.hasCursor() {
		t.Error("a sync has none")
	}
	if o := (SyncOptions{part: &portion{}}); o.hasCursor() {
		t.Error("a part has one")
	}
}
