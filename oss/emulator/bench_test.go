package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// BenchmarkPut sends small objects over 16 connections on loopback; client
// and server share the processors.
func BenchmarkPut(b *testing.B) {
	for _, tc := range []struct {
		name string
		disk bool
		size int
	}{
		{"store=memory/size=1KiB", false, 1 << 10},
		{"store=disk/size=1KiB", true, 1 << 10},
		{"store=disk/size=8KiB", true, 8 << 10},
	} {
		b.Run(tc.name, func(b *testing.B) {
			opts := &emulator.Options{AccessKeyID: testID, AccessKeySecret: testSecret}
			if tc.disk {
				opts.Dir = b.TempDir()
			}
			s, err := emulator.Open(opts)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := s.CreateBucket(testBucket); err != nil {
				b.Fatal(err)
			}
			endpoint, err := s.Start("127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
			defer hc.CloseIdleConnections()
			body := strings.Repeat("x", tc.size)
			var n atomic.Int64
			b.SetParallelism(8) // times 2 processors
			b.SetBytes(int64(tc.size))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := http.NewRequestWithContext(b.Context(), "PUT", fmt.Sprintf("%s/%s/k%08d", endpoint, testBucket, n.Add(1)), strings.NewReader(body))
					signV1(r, time.Now())
					res, err := hc.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.StatusCode != 200 {
						b.Errorf("status %d", res.StatusCode)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}

// BenchmarkList lists pages of 1,000 from buckets of different sizes: a page
// must not cost more in a larger bucket.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{2_000, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			c := newClient(b)
			for i := range n {
				c.put(fmt.Sprintf("key-%07d", i), "")
			}
			page := target(testBucket, "", fmt.Sprintf("max-keys=1000&encoding-type=url&marker=key-%07d", n/3))
			b.ReportAllocs()
			for b.Loop() {
				if a := c.do("GET", page, ""); a.status != 200 {
					b.Fatal(a.body)
				}
			}
		})
	}
}

// BenchmarkGet reads 8 MiB objects over one connection.
func BenchmarkGet(b *testing.B) {
	for _, disk := range []bool{false, true} {
		b.Run(fmt.Sprintf("disk=%v", disk), func(b *testing.B) {
			opts := storeOptions(b, disk)
			opts.AccessKeyID, opts.AccessKeySecret = testID, testSecret
			s, err := emulator.Open(opts)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := s.CreateBucket(testBucket); err != nil {
				b.Fatal(err)
			}
			endpoint, err := s.Start("127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			hc := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer hc.CloseIdleConnections()
			send := func(method string, body io.Reader) {
				r, _ := http.NewRequestWithContext(b.Context(), method, endpoint+target(testBucket, "k", ""), body)
				signV4(r, time.Now())
				res, err := hc.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			const size = 8 << 20
			send("PUT", strings.NewReader(pattern(size)))
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				send("GET", nil)
			}
		})
	}
}
