package lister_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/oss"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// latency is how long a request takes.
const latency = 50 * time.Millisecond

// server lists sorted keys.
type server struct {
	keys     []string
	latency  time.Duration
	requests atomic.Int64
}

func (s *server) page(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
	s.requests.Add(1)
	if s.latency > 0 {
		select {
		case <-time.After(s.latency):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	after := strings.TrimPrefix(o.ContinuationToken, "token ")
	if after == "" {
		after = o.StartAfter
	}
	i, found := slices.BinarySearch(s.keys, max(after, o.Prefix))
	if found && after >= o.Prefix {
		i++
	}
	page := &oss.ListObjectsV2Result{}
	for ; i < len(s.keys) && strings.HasPrefix(s.keys[i], o.Prefix); i++ {
		if len(page.Objects) == o.MaxKeys {
			page.IsTruncated = true
			page.NextContinuationToken = "token " + s.keys[i-1]
			break
		}
		page.Objects = append(page.Objects, oss.ObjectSummary{Key: s.keys[i], Size: int64(len(s.keys[i]))})
	}
	return page, nil
}

// digest lists all and returns a digest of what came, and how many.
func digest(t *testing.T, o lister.Options) (sum string, n int) {
	t.Helper()
	h := sha256.New()
	for object, err := range lister.List(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%q %d\n", object.Key, object.Size)
		n++
	}
	return fmt.Sprintf("%x", h.Sum(nil)), n
}

// The union of what is listed at once is what is listed in sequence, and comes
// several times as fast. The figures in bench/results/lister.txt are those that
// this prints with -v and OSSSYNC_LISTER_KEYS=1000000.
func TestLayouts(t *testing.T) {
	n, pageSize := 50_000, 250
	parallels := []int{1, 8}
	if text := os.Getenv("OSSSYNC_LISTER_KEYS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		pageSize, parallels = 1000, []int{1, 2, 4, 8, 16}
	}
	for _, layout := range layouts {
		t.Run(layout.name, func(t *testing.T) {
			keys := layout.sorted(n)
			var alone time.Duration
			var want string
			pages := int64((len(keys) + pageSize - 1) / pageSize)
			for _, parallel := range parallels {
				synctest.Test(t, func(t *testing.T) {
					s := &server{keys: keys, latency: latency}
					begun := time.Now()
					sum, count := digest(t, lister.Options{Page: s.page, Parallel: parallel, PageSize: pageSize})
					took, requests := time.Since(begun), s.requests.Load()
					if parallel == 1 {
						alone, want = took, sum
						if requests != pages {
							t.Errorf("%d requests for %d pages", requests, pages)
						}
					}
					if sum != want || count != len(keys) {
						t.Errorf("%d at once: %d keys of %d, or others", parallel, count, len(keys))
					}
					faster, more := float64(alone)/float64(took), float64(requests)/float64(pages)
					t.Logf("parallel=%d: %v, %.2f times as fast, %.2f times the requests", parallel, took, faster, more)
					if parallel == 8 && (faster < 2 || more > 1.8) {
						t.Errorf("8 at once are %.2f times as fast, with %.2f times the requests", faster, more)
					}
				})
			}
		})
	}
}

// What fits into few pages takes hardly a request more.
func TestFewKeys(t *testing.T) {
	for _, tt := range []struct {
		keys     int
		requests int64 // at most
	}{{0, 1}, {1, 1}, {999, 1}, {1000, 1}, {1001, 2}, {2000, 2}, {2001, 5}, {3000, 6}, {5000, 9}} {
		for _, layout := range layouts {
			keys, most := layout.sorted(tt.keys), tt.requests
			if layout.name == "zeros before zeros" {
				most *= 3 // it is made to mislead
			}
			synctest.Test(t, func(t *testing.T) {
				s := &server{keys: keys, latency: latency}
				if _, n := digest(t, lister.Options{Page: s.page}); n != len(keys) || s.requests.Load() > most {
					t.Errorf("%s: %d keys of %d, %d requests", layout.name, n, len(keys), s.requests.Load())
				}
			})
		}
	}
}

// Whatever the keys and the options are, what comes is what there is between
// the bounds, in order.
func TestAnyKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			letters = rapid.SampledFrom([]string{"ab", "0123456789", "ab/-0", "a/é日😀\U0010ffff\ue000\ud7ff", "\x00\x01~\x7f", "\xff\xfea"}).Draw(t, "letters")
			seed    = rapid.Uint64().Draw(t, "seed")
			longest = rapid.IntRange(1, 12).Draw(t, "longest")
			random  = rand.New(rand.NewPCG(seed, 0))
			head    = strings.Repeat("é", rapid.SampledFrom([]int{0, 0, 1, 400, 500}).Draw(t, "head"))
		)
		word := func() string {
			var b []byte
			for range 1 + random.IntN(longest) {
				if utf8.ValidString(letters) {
					runes := []rune(letters)
					b = utf8.AppendRune(b, runes[int(float64(len(runes))*random.Float64()*random.Float64())])
				} else { // keys that are no text: nothing can be guessed
					b = append(b, letters[random.IntN(len(letters))])
				}
			}
			return head + string(b)
		}
		var keys []string
		for range rapid.IntRange(0, 1000).Draw(t, "keys") {
			keys = append(keys, word())
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		s := &server{keys: keys}
		o := lister.Options{
			Page: s.page, PageSize: rapid.IntRange(1, 40).Draw(t, "page size"),
			Parallel: rapid.IntRange(0, 10).Draw(t, "parallel"), Window: rapid.IntRange(0, 20).Draw(t, "window"),
		}
		switch rapid.IntRange(0, 3).Draw(t, "part") {
		case 0:
			o.Prefix = head
		case 1:
			o.Prefix = head + word()[len(head):][:1]
		case 2:
			o.StartAfter, o.End = word(), word()
		}
		wanted := func(string) bool { return true }
		if barred := word(); rapid.Bool().Draw(t, "enter") {
			wanted = func(key string) bool { // what lies in no folder that ends so
				folder := key[:strings.LastIndexByte(key, '/')+1]
				return len(folder) <= len(o.Prefix) || !strings.Contains(folder[len(o.Prefix):], barred[len(head):][:1]+"/")
			}
			o.Enter = wanted
		}
		var want, got []string
		for _, k := range keys {
			if wanted(k) && strings.HasPrefix(k, o.Prefix) && k > o.StartAfter && (o.End == "" || k <= o.End) {
				want = append(want, k)
			}
		}
		for object, err := range lister.List(context.Background(), o) {
			if err != nil {
				t.Fatal(err)
			}
			if wanted(object.Key) {
				got = append(got, object.Key)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %d keys, %q, want %d, %q", len(got), got, len(want), want)
		}
	})
}

// Of folders that are not wanted a page is fetched where they begin, and what is
// listed at once is what is listed in sequence.
func TestEnter(t *testing.T) {
	keys := []string{"d/cache", "d/cache/", "d/cache0", "d/cache\x00", "e/cache/"}
	for i := range 20_000 {
		keys = append(keys, fmt.Sprintf("d/cache/%d/%05d", i%7, i), fmt.Sprintf("d/%d/cache/%05d", i%5, i), fmt.Sprintf("d/wanted/%05d", i))
	}
	slices.Sort(keys)
	enter := func(folder string) bool { return !strings.HasSuffix(folder, "/cache/") }
	wanted := func(key string) bool { return !strings.Contains(key[:len(key)-1], "/cache/") }
	for _, parallel := range []int{1, 2, 8} {
		for _, prefix := range []string{"", "d/", "d/c"} {
			synctest.Test(t, func(t *testing.T) {
				s := &server{keys: keys, latency: latency}
				found := []string{}
				for o, err := range lister.List(t.Context(), lister.Options{Page: s.page, Parallel: parallel, Prefix: prefix, Enter: enter}) {
					if err != nil {
						t.Fatal(err)
					}
					if wanted(o.Key) {
						found = append(found, o.Key)
					}
				}
				want := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !wanted(k) || !strings.HasPrefix(k, prefix) })
				if !slices.Equal(found, want) {
					t.Errorf("%d at once below %q: %d keys of %d, or others", parallel, prefix, len(found), len(want))
				}
				if pages, most := s.requests.Load(), int64(26*2); pages > most || parallel == 1 && pages > 27 {
					t.Errorf("%d at once below %q: %d requests for about 26 pages", parallel, prefix, pages)
				}
			})
		}
	}
}

// A caller that takes its time has at most the window ahead of it, and the two
// pages that are next.
func TestWindow(t *testing.T) {
	const pageSize, parallel, window = 100, 4, 12
	for _, layout := range layouts {
		keys := layout.sorted(20_000)
		synctest.Test(t, func(t *testing.T) {
			s := &server{keys: keys, latency: latency}
			var mu sync.Mutex
			ahead := map[string]bool{} // sent and not taken yet
			most := 0
			page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
				p, err := s.page(ctx, o)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					for _, object := range p.Objects {
						ahead[object.Key] = true
					}
				}
				return p, err
			}
			taken := 0
			for object := range lister.List(t.Context(), lister.Options{Page: page, PageSize: pageSize, Parallel: parallel, Window: window}) {
				if taken++; taken%pageSize == 1 {
					time.Sleep(50 * latency)
				}
				mu.Lock()
				most = max(most, len(ahead))
				delete(ahead, object.Key)
				mu.Unlock()
			}
			if most < 6*pageSize || most > (window+2+1)*pageSize {
				t.Errorf("%s: %d keys ahead", layout.name, most)
			}
		})
	}
}

func TestStops(t *testing.T) {
	keys := layouts[0].sorted(20_000)
	stop := errors.New("enough")
	for _, at := range []int{0, 1, 999, 1000, 5000, 19_999} {
		t.Run(fmt.Sprint("break after ", at), func(t *testing.T) {
			s := &server{keys: keys}
			n := 0
			for range lister.List(t.Context(), lister.Options{Page: s.page, PageSize: 100}) {
				if n++; n > at {
					break
				}
			}
			if n != at+1 {
				t.Errorf("%d objects", n)
			}
		})
		t.Run(fmt.Sprint("context ends after ", at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{keys: keys, latency: latency}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				n := 0
				for _, err := range lister.List(ctx, lister.Options{Page: s.page, PageSize: 100}) {
					if err != nil {
						if !errors.Is(err, stop) {
							t.Error(err)
						}
						return
					}
					if n++; n == at+1 {
						cancel(stop)
					}
				}
				if n != len(keys) {
					t.Errorf("%d objects and no error", n)
				}
			})
		})
	}
}

// The first error ends it, wherever it is met.
func TestError(t *testing.T) {
	keys := layouts[0].sorted(20_000)
	broken := errors.New("broken")
	for _, nth := range []int64{1, 2, 3, 7, 40, 150} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{keys: keys, latency: latency}
			page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
				if s.requests.Load()+1 >= nth {
					return nil, broken
				}
				return s.page(ctx, o)
			}
			var last error
			n := 0
			for object, err := range lister.List(t.Context(), lister.Options{Page: page, PageSize: 100}) {
				if last != nil {
					t.Fatal("goes on after an error")
				}
				if last = err; err == nil && object.Key != keys[n] {
					t.Fatalf("%q, want %q", object.Key, keys[n])
				}
				n++
			}
			if !errors.Is(last, broken) {
				t.Errorf("request %d: %v", nth, last)
			}
		})
	}
}

// A service that will not begin at a key we made up is listed in sequence.
func TestGuessesRefused(t *testing.T) {
	for name, refuse := range map[string]func(*server, context.Context, *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error){
		"an error": func(*server, context.Context, *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
			return nil, errors.New("no such key")
		},
		"passed over": func(s *server, ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
			from := *o
			from.StartAfter = ""
			return s.page(ctx, &from)
		},
	} {
		for _, layout := range layouts {
			for _, good := range []int{0, 1, 5} { // guesses that are let through
				keys := layout.sorted(20_000)
				synctest.Test(t, func(t *testing.T) {
					s := &server{keys: keys, latency: latency}
					var guesses atomic.Int64
					page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
						if _, known := slices.BinarySearch(keys, o.StartAfter); o.StartAfter != "" && !known && int(guesses.Add(1)) > good {
							return refuse(s, ctx, o)
						}
						return s.page(ctx, o)
					}
					n := 0
					for object, err := range lister.List(t.Context(), lister.Options{Page: page, PageSize: 100}) {
						if err != nil || object.Key != keys[n] {
							t.Fatalf("%s, %s: %q, %v, want %q", name, layout.name, object.Key, err, keys[n])
						}
						n++
					}
					if n != len(keys) {
						t.Errorf("%s, %s: %d of %d keys", name, layout.name, n, len(keys))
					}
				})
			}
		}
	}
}

func TestListingThatMakesNoSense(t *testing.T) {
	keys := layouts[0].sorted(5000)
	for name, spoil := range map[string]func(p *oss.ListObjectsV2Result){
		"out of order":   func(p *oss.ListObjectsV2Result) { p.Objects[3], p.Objects[4] = p.Objects[4], p.Objects[3] },
		"a key twice":    func(p *oss.ListObjectsV2Result) { p.Objects[4] = p.Objects[3] },
		"another prefix": func(p *oss.ListObjectsV2Result) { p.Objects[99].Key = "zzz" },
		"an empty key":   func(p *oss.ListObjectsV2Result) { p.Objects[0].Key = "" },
		"no token":       func(p *oss.ListObjectsV2Result) { p.NextContinuationToken = "" },
		"a token twice":  func(p *oss.ListObjectsV2Result) { p.NextContinuationToken = "token " + keys[99] },
		"the first page": func(p *oss.ListObjectsV2Result) {
			for i := range p.Objects {
				p.Objects[i].Key = keys[i]
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{keys: keys}
			page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
				p, err := s.page(ctx, o)
				if err == nil && o.ContinuationToken != "" && p.IsTruncated {
					spoil(p)
				}
				return p, err
			}
			n := 0
			var last error
			for object, err := range lister.List(t.Context(), lister.Options{Page: page, PageSize: 100, Prefix: "img-"}) {
				if last = err; err == nil && object.Key != keys[n] {
					t.Fatalf("%q, want %q", object.Key, keys[n])
				}
				n++
			}
			if _, ok := errors.AsType[*lister.OrderError](last); !ok {
				t.Errorf("after %d keys: %v", n, last)
			}
		})
	}
}

// Pages without keys are passed over if they get on, but not for ever.
func TestEmptyPages(t *testing.T) {
	keys := layouts[0].sorted(500)
	for _, tt := range []struct {
		empty int64 // after each page with keys
		fails bool
	}{{1, false}, {999, false}, {1000, true}} {
		s := &server{keys: keys}
		var calls atomic.Int64
		page := func(ctx context.Context, o *oss.ListObjectsV2Options) (*oss.ListObjectsV2Result, error) {
			asked := *o
			asked.ContinuationToken, _, _ = strings.Cut(o.ContinuationToken, " again ")
			if n := calls.Add(1) % (tt.empty + 1); n != 1 {
				token := fmt.Sprint(cmp.Or(asked.ContinuationToken, "token "+asked.StartAfter), " again ", n)
				return &oss.ListObjectsV2Result{IsTruncated: true, NextContinuationToken: token}, nil
			}
			return s.page(ctx, &asked)
		}
		n := 0
		var last error
		for _, last = range lister.List(t.Context(), lister.Options{Page: page, PageSize: 100, Parallel: 1}) {
			n++
		}
		if tt.fails != (last != nil) || !tt.fails && n != len(keys) {
			t.Errorf("%d empty pages: %d of %d keys, %v", tt.empty, n, len(keys), last)
		}
	}
}
