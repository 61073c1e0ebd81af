package localfs_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/osssync/osssync/internal/localfs"
)

func open(t testing.TB, dir string) *localfs.Root {
	t.Helper()
	r, err := localfs.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// plant writes files below dir; the content of each is its key.
func plant(t testing.TB, dir string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(key), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// walk returns one line per entry: its key, and after a space why it is not to
// be transferred.
func walk(t testing.TB, r *localfs.Root, opts *localfs.WalkOptions) []string {
	t.Helper()
	var lines []string
	for e, err := range r.Walk(t.Context(), opts) {
		if err != nil {
			t.Fatalf("%q: %v", e.Key, err)
		}
		line := e.Key
		if e.Skipped != "" {
			line += " " + string(e.Skipped)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestWalkOrder(t *testing.T) {
	dir := t.TempDir()
	keys := []string{"a-b", "a.b", "a/b", "a/b-", "a0", "A", "a b/c", "é", "日本/x", "z", "-rf", "a/c/d/e"}
	plant(t, dir, keys...)
	if err := os.MkdirAll(filepath.Join(dir, "empty", "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, want := walk(t, open(t, dir), nil), slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWalkOrderOfAnyTree(t *testing.T) {
	base := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.SampledFrom([]rune("ab-.0/ é")), 1, 8, -1)
		keys := map[string]bool{}
		round++
		dir := filepath.Join(base, fmt.Sprint(round))
		for _, key := range rapid.SliceOfN(name, 0, 30).Draw(t, "keys") {
			path := filepath.Join(dir, filepath.FromSlash(key))
			if localfs.CheckKey(key) != nil || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
				continue // a folder on the way is a file
			}
			if os.WriteFile(path, nil, 0o644) == nil { // else a folder has its name
				keys[key] = true
			}
		}
		r, err := localfs.CreateRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got []string
		for e, err := range r.Walk(context.Background(), nil) {
			if err != nil || e.Skipped != "" {
				t.Fatalf("%+v, %v", e, err)
			}
			got = append(got, e.Key)
		}
		if !slices.IsSorted(got) || len(got) != len(keys) {
			t.Fatalf("got %q of %v", got, keys)
		}
		for _, key := range got {
			if !keys[key] {
				t.Fatalf("%q is not in %v", key, keys)
			}
		}
	})
}

func TestWalkIdentity(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/b", "c")
	r := open(t, dir)
	for e, err := range r.Walk(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		f, id, err := r.Open(e.Key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := localfs.Identify(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if id != e.Identity || again != id || id.Size != int64(len(e.Key)) || !id.Mode.IsRegular() {
			t.Errorf("%s: walk %+v, open %+v, identify %+v", e.Key, e.Identity, id, again)
		}
	}
}

func TestWalkLeavesOut(t *testing.T) {
	dir := t.TempDir()
	temp := localfs.TempName(rand.Text())
	plant(t, dir, "a", "b/c", "state/db", "state/sub/x", "state2", "d/e", "d/f", temp, "b/"+temp, temp+"x")
	r := open(t, dir)
	tests := []struct {
		name    string
		exclude []string
		want    []string
	}{
		{"nothing", nil, []string{temp + "x", "a", "b/c", "d/e", "d/f", "state/db", "state/sub/x", "state2"}},
		{"a folder", []string{"state"}, []string{temp + "x", "a", "b/c", "d/e", "d/f", "state2"}},
		{"another way to it", []string{"b/../state/sub/.."}, []string{temp + "x", "a", "b/c", "d/e", "d/f", "state2"}},
		{"a file", []string{"d/e"}, []string{temp + "x", "a", "b/c", "d/f", "state/db", "state/sub/x", "state2"}},
		{"two", []string{"d", "state"}, []string{temp + "x", "a", "b/c", "state2"}},
		{"what is not there", []string{"nothing", "state2"}, []string{temp + "x", "a", "b/c", "d/e", "d/f", "state/db", "state/sub/x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var paths []string
			for _, p := range tt.exclude {
				paths = append(paths, dir+"/"+p)
			}
			if got := walk(t, r, &localfs.WalkOptions{Exclude: paths}); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWalkStopsWithContext(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "b/c", "b/d", "e")
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var got []string
	for e, err := range open(t, dir).Walk(ctx, nil) {
		got = append(got, fmt.Sprint(e.Key, " ", err))
		if e.Key == "b/c" {
			cancel(stop)
		}
	}
	if want := []string{"a <nil>", "b/c <nil>", " enough"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWalkStopsWithLoop(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "b/c/d", "b/e", "f")
	for n := range 4 {
		count := 0
		for range open(t, dir).Walk(t.Context(), nil) {
			if count++; count > n {
				break
			}
		}
		if count != n+1 {
			t.Errorf("broke after %d, saw %d", n+1, count)
		}
	}
}

// Files and folders that go while the walk is on its way are left out, as far as
// it has not read ahead.
func TestWalkWhileThingsVanish(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/a", "b", "c/d", "e/a/f", "e/g", "h")
	var got []string
	for e, err := range open(t, dir).Walk(t.Context(), &localfs.WalkOptions{Parallel: 1}) {
		if err != nil {
			t.Fatalf("%q: %v", e.Key, err)
		}
		got = append(got, e.Key)
		switch e.Key {
		case "a/a":
			_ = os.Remove(filepath.Join(dir, "b"))
			_ = os.RemoveAll(filepath.Join(dir, "c"))
		case "e/a/f":
			_ = os.RemoveAll(filepath.Join(dir, "e"))
		}
	}
	if want := []string{"a/a", "e/a/f", "h"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A file that becomes a folder meanwhile is an error, since the order would no
// longer hold.
func TestWalkWhileFileBecomesFolder(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/a", "b", "c")
	var got []string
	for e, err := range open(t, dir).Walk(t.Context(), &localfs.WalkOptions{Parallel: 1}) {
		got = append(got, fmt.Sprint(e.Key, " ", err != nil))
		if e.Key == "a/a" {
			_ = os.Remove(filepath.Join(dir, "b"))
			_ = os.Mkdir(filepath.Join(dir, "b"), 0o755)
		}
	}
	if want := []string{"a/a false", "b true", "c false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// However much is read at once and wherever the walk begins, what comes is the
// same, in folders of any size.
func TestWalkAhead(t *testing.T) {
	dir := t.TempDir()
	var keys []string
	for i := range 5000 { // more than is read of a folder before its turn
		keys = append(keys, fmt.Sprintf("large/%04d", i))
	}
	for i := range 40 {
		for j := range 40 {
			keys = append(keys, fmt.Sprintf("many/%02d/%s%02d", i, strings.Repeat("x/", i%4), j))
		}
		keys = append(keys, fmt.Sprintf("many/%02d.x", i), fmt.Sprintf("one-%02d/file", i))
	}
	plant(t, dir, keys...)
	if err := os.Mkdir(filepath.Join(dir, "many", "00-nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	r := open(t, dir)
	for _, parallel := range []int{0, 1, 2, 16} {
		for i, after := range []string{"", "a", "large", "large/", "large/0000", "large/4998", "many/01/", "many/01.x", "many/03/x/x/x/07", "zzz"} {
			if i > 0 && parallel > 0 && i%parallel != 0 {
				continue
			}
			want := keys
			if after != "" {
				i, found := slices.BinarySearch(keys, after)
				if found {
					i++
				}
				want = keys[i:]
			}
			if got := walk(t, r, &localfs.WalkOptions{Parallel: parallel, After: after}); !slices.Equal(got, want) {
				t.Fatalf("%d at once, after %q: %d of %d names, or in another order", parallel, after, len(got), len(want))
			}
		}
	}
}

// Folders come before what is in them, and only those that the walk has to do with.
func TestWalkAheadWithFolders(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/b/c", "a/d", "a.x", "e")
	if err := os.MkdirAll(filepath.Join(dir, "d", "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	all := []string{"a.x", "a/", "a/b/", "a/b/c", "a/d", "d/", "d/nothing/", "e"}
	r := open(t, dir)
	for i, after := range append([]string{""}, all...) {
		for _, parallel := range []int{1, 8} {
			if got := walk(t, r, &localfs.WalkOptions{Folders: true, After: after, Parallel: parallel}); !slices.Equal(got, all[i:]) {
				t.Errorf("%d at once after %q: %q", parallel, after, got)
			}
		}
	}
}

// What begins after a folder does not read it.
func TestWalkAfterReadsNothingBefore(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/x/1", "b/c/1", "b/d/1", "b/d/2", "e/1")
	var mu sync.Mutex
	var entered []string
	got := walk(t, open(t, dir), &localfs.WalkOptions{After: "b/d/1", Enter: func(key string) bool {
		mu.Lock()
		defer mu.Unlock()
		entered = append(entered, key)
		return true
	}})
	slices.Sort(entered)
	if want := []string{"b/d/2", "e/1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"b/", "b/d/", "e/"}; !slices.Equal(entered, want) {
		t.Errorf("entered %q, want %q", entered, want)
	}
}

func TestWalkOfClosedRoot(t *testing.T) {
	r := open(t, t.TempDir())
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	count := 0
	for e, err := range r.Walk(t.Context(), nil) {
		count++
		if e.Key != "" || !errors.Is(err, os.ErrClosed) {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if count != 1 {
		t.Errorf("%d entries", count)
	}
}

func TestWalkDeepTree(t *testing.T) {
	r := create(t)
	key := strings.Repeat("d/", 400) + "f"
	if err := put(r, key, "x"); err != nil {
		t.Fatal(err)
	}
	if got := walk(t, r, nil); !slices.Equal(got, []string{key}) {
		t.Errorf("got %q", got)
	}
}

func BenchmarkWalk(b *testing.B) {
	dir := b.TempDir()
	for i := range 100 {
		sub := filepath.Join(dir, fmt.Sprintf("folder-%02d", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 100 {
			f, err := os.Create(filepath.Join(sub, fmt.Sprintf("file-%03d.dat", j)))
			if err != nil {
				b.Fatal(err)
			}
			_ = f.Close()
		}
	}
	for _, excludes := range []int{0, 1} {
		benchmarkWalk(b, dir, excludes, 1)
		benchmarkWalk(b, dir, excludes, localfs.DefaultWalkParallel)
	}
}

func benchmarkWalk(b *testing.B, dir string, excludes, parallel int) {
	b.Run(fmt.Sprintf("files=10000/excludes=%d/parallel=%d", excludes, parallel), func(b *testing.B) {
		opts := &localfs.WalkOptions{Exclude: []string{filepath.Join(dir, "folder-00")}[:excludes], Parallel: parallel}
		r := open(b, dir)
		b.ReportAllocs()
		entries := 0
		for b.Loop() {
			for _, err := range r.Walk(b.Context(), opts) {
				if err != nil {
					b.Fatal(err)
				}
				entries++
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(entries), "ns/entry")
	})
}

// BenchmarkWalkOneFolder walks a folder of many files, a million of them if
// OSSSYNC_BENCH_MANY_KEYS is set. held-B/entry is what is in memory when the first
// has come, for each file: names alone.
func BenchmarkWalkOneFolder(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if os.Getenv("OSSSYNC_BENCH_MANY_KEYS") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			for i := range n {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%07d.dat", i)), nil, 0o644); err != nil {
					b.Fatal(err)
				}
			}
			r := open(b, dir)
			held := memory()
			entries := 0
			b.ResetTimer()
			for b.Loop() {
				for _, err := range r.Walk(b.Context(), nil) {
					if err != nil {
						b.Fatal(err)
					}
					if entries++; entries == 1 {
						b.StopTimer()
						held = memory() - held
						b.StartTimer()
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(entries), "ns/entry")
			b.ReportMetric(float64(held)/float64(n), "held-B/entry")
		})
	}
}

// memory is how many bytes are in use.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
