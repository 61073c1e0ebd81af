package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/metrics"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// manyKeysVariable makes the benchmarks of many keys go on to 10,000,000: minutes.
const manyKeysVariable = "OSSSYNC_BENCH_MANY_KEYS"

func manyKeys() []int {
	if os.Getenv(manyKeysVariable) != "" {
		return []int{10_000, 100_000, 1_000_000, 10_000_000}
	}
	return []int{10_000, 100_000, 1_000_000}
}

// BenchmarkListing lists a bucket, from the signed request to the object that is
// yielded.
func BenchmarkListing(b *testing.B) {
	for _, n := range manyKeys() {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			endless := &endlessBucket{keys: n}
			measure(b, endless, n, func(engine *transfer.Engine, client *oss.Client) {
				listed := 0
				for _, err := range engine.Objects(b.Context(), client.Bucket("from"), nil) {
					if err != nil {
						b.Fatal(err)
					}
					listed++
				}
				if listed != n {
					b.Fatalf("%d of %d objects", listed, n)
				}
			})
		})
	}
}

// BenchmarkMerge is a dry run of a sync between two buckets: two listings and
// their merge, where the other side has the same keys, or none.
func BenchmarkMerge(b *testing.B) {
	for _, other := range []string{"same", "empty"} {
		for _, n := range manyKeys() {
			b.Run(fmt.Sprintf("other=%s/keys=%d", other, n), func(b *testing.B) {
				endless := &endlessBucket{keys: n, empty: "nothing-is-here"}
				to := "to-bucket"
				if other == "empty" {
					to = endless.empty
				}
				measure(b, endless, n, func(engine *transfer.Engine, client *oss.Client) {
					report, err := engine.Sync(b.Context(), transfer.Remote(client.Bucket("from"), ""), transfer.Remote(client.Bucket(to), ""),
						&transfer.SyncOptions{DryRun: true})
					if err != nil {
						b.Fatal(err)
					}
					if o := report.Objects; o.Total != int64(n) || other == "same" && o.Skipped != o.Total || other == "empty" && o.Skipped != 0 {
						b.Fatalf("of %d objects: %+v", n, o)
					}
				})
			})
		}
	}
}

// measure runs fn, which goes through n keys. The service is a function in the
// same process and its cost is in the figures.
//
// peak-MiB is the most memory that the Go runtime held of the system meanwhile,
// rss-MiB the most that the kernel counted until now: of this benchmark if the
// process has run no larger one.
func measure(b *testing.B, endless *endlessBucket, n int, fn func(*transfer.Engine, *oss.Client)) {
	client, err := oss.New("http://oss.test", oss.StaticCredentials("id", "secret", ""), &oss.Options{
		Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: endless},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine, err := transfer.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	stop := peakMemory()
	cpu := cpuOf(os.Getpid())
	for b.Loop() {
		fn(engine, client)
	}
	keys := float64(n) * float64(b.N)
	b.ReportMetric(float64(stop())/(1<<20), "peak-MiB")
	b.ReportMetric(float64(peakRSS(os.Getpid()))/(1<<20), "rss-MiB")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/keys, "ns/key")
	b.ReportMetric(float64((cpuOf(os.Getpid())-cpu).Nanoseconds())/keys, "cpu-ns/key")
	b.ReportMetric(float64(endless.requests.Load())/float64(b.N), "requests/op")
	b.ReportMetric(0, "ns/op")
}

// TestMergeOfManyKeys is BenchmarkMerge with the real binary, as a process of its
// own against the service in this one, over loopback. It prints a line each, for
// bench/results, and fails if memory or the time for each key grows. It runs only with
// OSSSYNC_BENCH_MANY_KEYS.
func TestMergeOfManyKeys(t *testing.T) {
	binary := manyKeysBinary(t)
	for _, other := range []string{"to-bucket", "nothing-is-here"} {
		cost := map[int]time.Duration{}
		for _, n := range manyKeys() {
			cost[n] = dryRun(t, binary, n, "other="+other, "oss://from/", "oss://"+other+"/")
		}
		checkCost(t, cost)
	}
}

// TestMergeOfManyFiles is the same between a folder and a bucket, compared by
// size. The files are links to a few: they take no disk but for their names,
// 0.4 GB for 10,000,000, below $TMPDIR.
func TestMergeOfManyFiles(t *testing.T) {
	binary := manyKeysBinary(t)
	dir := t.TempDir()
	files, nothing := filepath.Join(dir, "files"), filepath.Join(dir, "nothing")
	for _, folder := range []string{files, nothing} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	costs := map[string]map[int]time.Duration{}
	planted := 0
	for _, n := range manyKeys() {
		plantLinks(t, files, planted, n)
		planted = n
		for _, way := range []struct{ name, from, to string }{
			{"up to the same", files, "oss://to-bucket/"},
			{"up to nothing", files, "oss://nothing-is-here/"},
			{"down to the same", "oss://from/", files},
			{"down to nothing", "oss://from/", nothing},
		} {
			if costs[way.name] == nil {
				costs[way.name] = map[int]time.Duration{}
			}
			costs[way.name][n] = dryRun(t, binary, n, way.name, "--size-only", way.from, way.to)
		}
	}
	for _, cost := range costs {
		checkCost(t, cost)
	}
}

// linksEach is how many links a file gets, of the 65,000 that ext4 allows.
const linksEach = 60_000

// plantLinks makes the files of an endlessBucket below dir that have the numbers from
// one on to below another, both of which are multiples of 1000.
func plantLinks(t *testing.T, dir string, from, to int) {
	t.Helper()
	key := (&endlessBucket{}).key
	for i := from; i < to; i++ {
		if i%1000 == 0 {
			if err := os.Mkdir(filepath.Join(dir, filepath.Dir(key(i))), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		content := fmt.Sprintf("%s-content-%d", dir, i/linksEach)
		if i == from || i%linksEach == 0 {
			if err := os.WriteFile(content, []byte("hello"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Link(content, filepath.Join(dir, key(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// manyKeysBinary is the binary for a test of many keys, if there is to be one.
func manyKeysBinary(t *testing.T) string {
	t.Helper()
	if os.Getenv(manyKeysVariable) == "" {
		t.Skip("takes minutes; set " + manyKeysVariable)
	}
	binary, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// dryRun is a sync of n keys that transfers nothing, with further arguments. It
// prints what it took and returns the binary's own time of the CPU for each key:
// that of the system is the file system's, and depends on what it has in memory.
func dryRun(t *testing.T, binary string, n int, name string, args ...string) time.Duration {
	t.Helper()
	endless := &endlessBucket{keys: n, empty: "nothing-is-here"}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Host, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		resp, err := endless.RoundTrip(r)
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		maps.Copy(w.Header(), resp.Header)
		w.Header().Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
		_, _ = io.Copy(w, resp.Body)
	}))
	defer service.Close()
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"--checkpoint-dir", t.TempDir(), "--no-progress", "--quiet", "sync", "-n"}, args...)...)
	cmd.Env = append(plainEnviron(), "OSS_ENDPOINT="+service.URL, "OSS_REGION="+region, "OSS_ACCESS_KEY_ID=id", "OSS_ACCESS_KEY_SECRET=secret")
	cmd.Stderr = &output
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := watch(cmd.Process.Pid)
	err := cmd.Wait()
	rss, _ := stop()
	if err != nil {
		t.Fatalf("%v\n%s", err, output.Bytes())
	}
	own, system := cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
	cpu := own + system
	t.Logf("%s keys=%d: %.1fs, %.1fs of CPU (%.1fs of the system), %.2f us of CPU for each key, rss %.1f MiB, %d requests", name, n,
		time.Since(begun).Seconds(), cpu.Seconds(), system.Seconds(), cpu.Seconds()*1e6/float64(n), float64(rss)/(1<<20), endless.requests.Load())
	if n >= 1_000_000 && rss > 100<<20 {
		t.Errorf("%s: %d MiB of memory", name, rss>>20)
	}
	return own / time.Duration(n)
}

// checkCost fails if a key of many costs more than one of few.
func checkCost(t *testing.T, cost map[int]time.Duration) {
	t.Helper()
	if million, ten := cost[1_000_000], cost[10_000_000]; ten > million*5/4 {
		t.Errorf("a key takes %v of a million, and %v of ten", million, ten)
	}
}

// peakMemory samples what the process holds until the returned function is
// called, which tells the most.
func peakMemory() (stop func() uint64) {
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		most := uint64(0)
		for {
			metrics.Read(samples)
			most = max(most, samples[0].Value.Uint64()-samples[1].Value.Uint64())
			select {
			case <-tick.C:
			case <-done:
				peak <- most
				return
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-peak
	}
}

// endlessBucket answers listings of numbered keys without keeping any.
type endlessBucket struct {
	keys     int
	empty    string // the name of a bucket without keys
	requests atomic.Int64
}

func (e *endlessBucket) key(i int) string {
	return fmt.Sprintf("folder-%05d/file-%03d.bin", i/1000, i%1000)
}

// RoundTrip implements http.RoundTripper.
func (e *endlessBucket) RoundTrip(r *http.Request) (*http.Response, error) {
	e.requests.Add(1)
	q := r.URL.Query()
	if q.Get("list-type") != "2" {
		return nil, fmt.Errorf("%s %s is no listing", r.Method, r.URL)
	}
	after := q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		after = token
	}
	keys := e.keys
	if e.empty != "" && strings.HasPrefix(r.URL.Host, e.empty) {
		keys = 0
	}
	first := sort.Search(keys, func(i int) bool { return e.key(i) > after })
	end := min(first+1000, keys)
	var b bytes.Buffer
	b.Grow(256 << 10)
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType>`)
	fmt.Fprintf(&b, "<IsTruncated>%v</IsTruncated>", end < keys)
	if end < keys {
		fmt.Fprintf(&b, "<NextContinuationToken>%s</NextContinuationToken>", e.key(end-1))
	}
	for i := first; i < end; i++ {
		b.WriteString("<Contents><Key>")
		b.WriteString(strings.ReplaceAll(e.key(i), "/", "%2F"))
		b.WriteString(`</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"5D41402ABC4B2A76B9719D911017C592"</ETag>` +
			"<Type>Normal</Type><Size>5</Size><StorageClass>Standard</StorageClass></Contents>")
	}
	b.WriteString("</ListBucketResult>")
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/xml"}, "X-Oss-Request-Id": {"1"}},
		ContentLength: int64(b.Len()), Body: io.NopCloser(&b),
	}, nil
}
