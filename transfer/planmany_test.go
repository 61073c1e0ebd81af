package transfer_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// many is a service with n objects below from/ and, below to/, every tenth of
// them and as many others. It copies and deletes by saying so.
type many struct{ n int }

var keyPattern = regexp.MustCompile("<Key>[^<]*</Key>")

func (m many) RoundTrip(r *http.Request) (*http.Response, error) {
	var body strings.Builder
	q := r.URL.Query()
	var sent []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	header := http.Header{"Content-Type": {"application/xml"}, "X-Oss-Request-Id": {"1"}}
	status := http.StatusOK
	switch {
	case r.Method == http.MethodGet && q.Get("list-type") == "2":
		m.list(&body, q.Get("prefix"), max(q.Get("start-after"), q.Get("continuation-token")), q.Get("max-keys"))
	case r.Method == http.MethodPut:
		fmt.Fprintf(&body, `<CopyObjectResult><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"%032X"</ETag></CopyObjectResult>`, 7)
	case r.Method == http.MethodPost && q.Has("delete"):
		body.WriteString("<DeleteResult>")
		for _, key := range keyPattern.FindAll(sent, -1) {
			fmt.Fprintf(&body, "<Deleted>%s</Deleted>", key)
		}
		body.WriteString("</DeleteResult>")
	case r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/to/"):
		header.Set("ETag", fmt.Sprintf(`"%032X"`, 8))
		header.Set("Content-Length", "8")
	default:
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body.String())), ContentLength: int64(body.Len()), Request: r,
	}, nil
}

func (m many) list(b *strings.Builder, prefix, after, most string) {
	left, err := strconv.Atoi(most)
	if err != nil {
		left = 1000
	}
	b.WriteString("<ListBucketResult>")
	side, name, _ := strings.Cut(prefix, "/")
	_, from, _ := strings.Cut(after, "/")
	begin := 0
	if digits, _, _ := strings.Cut(max(from, name), "x"); len(digits) > 0 {
		for len(digits) < 8 {
			digits += "0"
		}
		begin, _ = strconv.Atoi(digits[:8]) //nolint:errcheck // 0 is right, too
	}
	last := ""
	for i := begin; i < m.n; i++ {
		for _, key := range []string{fmt.Sprintf("%s/%08d", side, i), fmt.Sprintf("%s/%08dx", side, i)} {
			extra := strings.HasSuffix(key, "x")
			if !strings.HasPrefix(key, prefix) || key <= after || side == "to" && i%10 > 0 || side == "from" && extra {
				continue
			}
			if left == 0 {
				fmt.Fprintf(b, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken></ListBucketResult>", last)
				return
			}
			left--
			last = key
			size, tag := 7, 7
			if side == "to" {
				size, tag = 8, 8
			}
			fmt.Fprintf(b, `<Contents><Key>%s</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"%032X"</ETag><Size>%d</Size><StorageClass>Standard</StorageClass><Type>Normal</Type></Contents>`, key, tag, size)
		}
	}
	b.WriteString("<IsTruncated>false</IsTruncated></ListBucketResult>")
}

// peak is the most memory that was in use while fn ran, in bytes.
func peak(fn func()) (most uint64) {
	runtime.GC() // what the tests before have left
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-ticker.C:
			case <-done:
				return
			}
		}
	})
	fn()
	close(done)
	watch.Wait()
	return most
}

// planMany plans and applies n copies, a tenth of them over others, and a tenth
// as many deletions.
func planMany(tb testing.TB, n int) (plan, apply uint64, size int64) {
	tb.Helper()
	client, err := oss.New("http://127.0.0.1:1", oss.StaticCredentials("id", "secret", ""), &oss.Options{
		Region: "cn-hangzhou", HTTPClient: &http.Client{Transport: many{n}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	bucket := client.Bucket("bucket")
	e, err := transfer.New(&transfer.Options{Attempts: 1})
	if err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(filepath.Join(tb.TempDir(), "plan"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	ctx := context.Background()
	plan = peak(func() {
		w := bufio.NewWriter(f)
		report, err := e.Plan(ctx, transfer.Remote(bucket, "from/"), transfer.Remote(bucket, "to/"), w, &transfer.SyncOptions{Delete: true, MaxDelete: transfer.DeleteLimit{None: true}})
		if err != nil || w.Flush() != nil || report.Plan.Copies != int64(n) || report.Plan.Deletes != int64(n/10) || report.Plan.Replaced != int64(n/10) {
			tb.Fatalf("%+v, %v", report, err)
		}
	})
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	apply = peak(func() {
		p, err := transfer.ReadPlan(f)
		if err != nil {
			tb.Fatal(err)
		}
		o := &transfer.ApplyOptions{}
		o.Bucket = func(string, string) (*oss.Bucket, error) { return bucket, nil }
		report, err := e.Apply(ctx, p, o)
		if err != nil || report.Objects.Done != int64(n+n/10) {
			tb.Fatalf("%+v, %v", report.Objects, err)
		}
	})
	return plan, apply, size
}

// TestPlanIsNotHeld: memory is that of some pages of a listing, whatever the
// number of actions. Held, they would take 50 MiB.
func TestPlanIsNotHeld(t *testing.T) {
	if underRace || testing.Short() {
		t.Skip("measures memory")
	}
	plan, apply, size := planMany(t, 100_000)
	t.Logf("planning took %d KiB, applying %d KiB; the plan has %d KiB", plan>>10, apply>>10, size>>10)
	if plan > 45<<20 || apply > 24<<20 {
		t.Error("the actions are held")
	}
}

// BenchmarkPlan makes and applies a plan of that many actions.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("copies=%d", n), func(b *testing.B) {
			for b.Loop() {
				plan, apply, size := planMany(b, n)
				b.ReportMetric(float64(plan)/(1<<20), "plan-MiB")
				b.ReportMetric(float64(apply)/(1<<20), "apply-MiB")
				b.ReportMetric(float64(size)/(1<<20), "file-MiB")
			}
		})
	}
}
