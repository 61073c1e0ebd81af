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
