package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/metrics"
	"sort"
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
