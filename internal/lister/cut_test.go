package lister_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/oss"
)

// begins notes where the requests of a listing begin.
type begins struct {
	*server
	mu   sync.Mutex
	at   []string
	when []time.Time
}

func (b *begins) page(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
	at := o.StartAfter
	if token, ok := strings.CutPrefix(o.ContinuationToken, "token "); ok {
		at = token
	}
	b.mu.Lock()
	b.at, b.when = append(b.at, at), append(b.when, time.Now())
	b.mu.Unlock()
	return b.server.page(ctx, o)
}

// in counts those from one key on and below another.
func (b *begins) in(from, below string) (n int) {
	for _, at := range b.at {
		if at >= from && at < below {
			n++
		}
	}
	return n
}

// A listing that goes on with the cuts of one that was stopped yields what is
// left and fetches no page of that one twice, nor splits it.
func TestCuts(t *testing.T) {
	const pageSize = 50
	random := rand.New(rand.NewPCG(6, 6))
	for _, layout := range layouts {
		keys := layout.sorted(20_000)
		n := len(keys)
		for _, stop := range []int{1, 150, 2000, random.IntN(n), random.IntN(n), random.IntN(n), n, n + 1} {
			synctest.Test(t, func(t *testing.T) {
				about := fmt.Sprintf("%s, stopped after %d", layout.name, stop)
				s := &server{keys: keys, latency: latency}
				var position lister.Position
				if cuts := position.Cuts(); cuts != nil {
					t.Errorf("before it began: %v", cuts)
				}
				taken, lag := 0, []int{5, 500}[random.IntN(2)]*pageSize
				for range lister.List(t.Context(), lister.Options{Page: s.page, PageSize: pageSize, Position: &position}) {
					if taken++; taken == stop {
						break
					}
				}
				cuts := position.Cuts()
				if len(cuts) > 256+100 || stop > n && cuts[len(cuts)-1].At >= keys[n-1] {
					t.Errorf("%s: %d cuts: %v", about, len(cuts), cuts)
				}
				cursor := keys[max(0, min(stop, n)-1-random.IntN(lag))] // what was done of what was yielded
				b := &begins{server: &server{keys: keys, latency: latency}}
				i, _ := slices.BinarySearch(keys, cursor)
				known, usable := 0, 0
				for object, err := range lister.List(t.Context(), lister.Options{Page: b.page, PageSize: pageSize, StartAfter: cursor, Cuts: cuts}) {
					if i++; err != nil || i >= n || object.Key != keys[i] {
						t.Fatalf("%s: %q, %v", about, object.Key, err)
					}
				}
				if i != n-1 {
					t.Errorf("%s: ends after %d of %d keys", about, i+1, n)
				}
				for c, cut := range cuts {
					if cut.At > cursor {
						usable++
					}
					if cut.At <= cursor || !cut.Page {
						continue
					}
					known++
					after := cursor
					if c > 0 {
						after = max(cursor, cuts[c-1].At)
					}
					if requests := b.in(after, cut.At); requests != 1 {
						t.Errorf("%s: %d requests from %q up to %q, which are one page", about, requests, after, cut.At)
					}
				}
				if stop > 4000 && stop < n/2 && known < 10 {
					t.Errorf("%s: %d pages are known", about, known)
				}
				if atOnce := slices.IndexFunc(b.when, b.when[0].Before); usable > 0 && atOnce >= 0 && atOnce < min(usable, 8) {
					t.Errorf("%s: %d requests at first, of %d cuts", about, atOnce, usable)
				}
			})
		}
	}
}

// A listing that is stopped again and again, each time with the cuts of the one
// before, is that in sequence.
func TestCutsOfCuts(t *testing.T) {
	const pageSize = 50
	for _, layout := range layouts {
		keys := layout.sorted(10_000)
		random := rand.New(rand.NewPCG(7, 7))
		s := &server{keys: keys}
		var cuts []lister.Cut
		cursor, i, runs, requests := "", 0, 0, int64(0)
		for ; i < len(keys); runs++ {
			var position lister.Position
			begun, stop := i, i+1+random.IntN(2000)
			for object, err := range lister.List(t.Context(), lister.Options{Page: s.page, PageSize: pageSize, StartAfter: cursor, Cuts: cuts, Position: &position}) {
				if err != nil || object.Key != keys[i] {
					t.Fatalf("%s: %q, %v, want %q", layout.name, object.Key, err, keys[i])
				}
				if i++; i == stop {
					break
				}
			}
			if i == begun {
				t.Fatalf("%s: nothing after %q", layout.name, cursor)
			}
			cursor = keys[i-1]
			before := cuts
			cuts = position.Cuts()
			for _, cut := range before {
				if cut.Page && cut.At >= cursor && cut.At < keys[len(keys)-1] && !slices.Contains(cuts, cut) {
					t.Errorf("%s: %q is forgotten to end a page", layout.name, cut.At)
				}
			}
			requests += s.requests.Swap(0)
		}
		// Each run fetches what the window of the one before had.
		if most := int64(len(keys)/pageSize*3/2 + 60*runs); requests > most {
			t.Errorf("%s: %d requests for %d pages in %d runs", layout.name, requests, len(keys)/pageSize, runs)
		}
	}
}

// The cuts of a listing may be taken at any time, and whatever they are, of
// whatever keys: all that is between the bounds comes, in order.
func TestAnyCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := []rune(rapid.SampledFrom([]string{"ab", "0123456789", "a/é日😀\ue000\ud7ff"}).Draw(t, "letters"))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		word := func() string {
			b := make([]rune, 1+random.IntN(8))
			for i := range b {
				b[i] = letters[random.IntN(len(letters))]
			}
			return string(b)
		}
		var keys []string
		for range rapid.IntRange(0, 1000).Draw(t, "keys") {
			keys = append(keys, word())
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		o := lister.Options{
			PageSize: rapid.IntRange(1, 40).Draw(t, "page size"),
			Parallel: rapid.IntRange(0, 10).Draw(t, "parallel"), Window: rapid.IntRange(0, 20).Draw(t, "window"),
		}
		if rapid.Bool().Draw(t, "prefix") {
			o.Prefix = word()[:1]
			if !slices.Contains(letters, rune(o.Prefix[0])) {
				o.Prefix = ""
			}
		}
		// An earlier listing, which someone watches, and which is stopped.
		var position lister.Position
		o.Position = &position
		o.Page = (&server{keys: keys}).page
		stop := rapid.IntRange(0, len(keys)).Draw(t, "stop")
		seen := 0
		var watching sync.WaitGroup
		watching.Go(func() { position.Cuts() })
		for range lister.List(context.Background(), o) {
			if seen++; seen > stop {
				break
			}
			if seen%100 == 0 {
				position.Cuts()
			}
		}
		watching.Wait()
		o.Cuts = position.Cuts()
		if !slices.IsSortedFunc(o.Cuts, func(a, b lister.Cut) int { return strings.Compare(a.At, b.At) }) {
			t.Fatalf("not in order: %v", o.Cuts)
		}
		// Meanwhile keys come and go, and the cuts are damaged.
		keys = slices.DeleteFunc(keys, func(string) bool { return random.IntN(4) == 0 })
		for range rapid.IntRange(0, 300).Draw(t, "new keys") {
			keys = append(keys, word())
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		for range rapid.IntRange(0, 20).Draw(t, "damages") {
			at := 0
			if len(o.Cuts) > 0 {
				at = random.IntN(len(o.Cuts))
			}
			switch random.IntN(6) {
			case 0:
				o.Cuts = slices.Insert(o.Cuts, at, lister.Cut{At: word(), Page: random.IntN(2) == 0})
			case 1:
				o.Cuts = slices.Insert(o.Cuts, at, lister.Cut{At: "\xff\x00" + word(), Page: true})
			case 2:
				o.Cuts = slices.Insert(o.Cuts, at, lister.Cut{At: strings.Repeat(word(), 2000)})
			case 3:
				o.Cuts = slices.Insert(o.Cuts, at, lister.Cut{Page: true})
			default:
				if len(o.Cuts) > 0 {
					o.Cuts[at].At, o.Cuts[at].Page = o.Cuts[random.IntN(len(o.Cuts))].At, !o.Cuts[at].Page
				}
			}
		}
		if rapid.Bool().Draw(t, "bounds") {
			o.StartAfter, o.End = word(), word()
		}
		var want, got []string
		for _, k := range keys {
			if strings.HasPrefix(k, o.Prefix) && k > o.StartAfter && (o.End == "" || k <= o.End) {
				want = append(want, k)
			}
		}
		o.Page = (&server{keys: keys}).page
		for object, err := range lister.List(context.Background(), o) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, object.Key)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %d keys, %q, want %d, %q, of %v", len(got), got, len(want), want, o.Cuts)
		}
	})
}

// Cuts at which the service will not begin cost requests and no key.
func TestCutsRefused(t *testing.T) {
	for _, layout := range layouts {
		keys := layout.sorted(5000)
		synctest.Test(t, func(t *testing.T) {
			var cuts []lister.Cut
			for i := 100; i < len(keys); i += 100 {
				cuts = append(cuts, lister.Cut{At: keys[i] + "!", Page: true})
			}
			s := &server{keys: keys, latency: latency}
			page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
				if _, known := slices.BinarySearch(keys, o.StartAfter); o.StartAfter != "" && !known {
					return nil, fmt.Errorf("no such key: %q", o.StartAfter)
				}
				return s.page(ctx, o)
			}
			n := 0
			for object, err := range lister.List(t.Context(), lister.Options{Page: page, PageSize: 100, Cuts: cuts}) {
				if err != nil || object.Key != keys[n] {
					t.Fatalf("%s: %q, %v, want %q", layout.name, object.Key, err, keys[n])
				}
				n++
			}
			if n != len(keys) {
				t.Errorf("%s: %d of %d keys", layout.name, n, len(keys))
			}
		})
	}
}

// What is said to be one page and has many is listed like all else.
func TestCutsTooFarApart(t *testing.T) {
	const pageSize = 100
	keys := layouts[0].sorted(20_000)
	synctest.Test(t, func(t *testing.T) {
		s := &server{keys: keys, latency: latency}
		begun := time.Now()
		_, n := digest(t, lister.Options{Page: s.page, PageSize: pageSize, Cuts: []lister.Cut{{At: keys[len(keys)-2], Page: true}}})
		if took := time.Since(begun); n != len(keys) || took > latency*time.Duration(len(keys)/pageSize)/4 {
			t.Errorf("%d of %d keys in %v", n, len(keys), took)
		}
	})
}
