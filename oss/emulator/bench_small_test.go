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

// BenchmarkSmall sends small requests over 16 connections on loopback; client
// and server share the processors. Every request is signed and verified.
func BenchmarkSmall(b *testing.B) {
	for _, tc := range []struct {
		name, method string
		opts         emulator.Options
	}{
		{"op=put", "PUT", emulator.Options{}},
		{"op=get", "GET", emulator.Options{}},
		{"op=head", "HEAD", emulator.Options{}},
		{"op=get/log=on", "GET", emulator.Options{RequestLog: io.Discard}},
		{"op=get/faults=idle", "GET", emulator.Options{Faults: parseFaults(b, "503 on=UploadPart", "lost on=PutObject key=x", "latency=1s prob=1e-12")}},
		{"op=get/tls=on", "GET", emulator.Options{TLSDir: b.TempDir()}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			opts := tc.opts
			opts.AccessKeyID, opts.AccessKeySecret = testID, testSecret
			s, err := emulator.Open(&opts)
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
			transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
			if opts.TLSDir != "" {
				transport.TLSClientConfig = trustedBy(b, s.CAFile())
			}
			defer transport.CloseIdleConnections()
			body := strings.Repeat("x", 1<<10)
			send := func(method string, n int64) error {
				r, err := http.NewRequestWithContext(b.Context(), method, fmt.Sprintf("%s/%s/k%08d", endpoint, testBucket, n), strings.NewReader(body))
				if err != nil {
					return err
				}
				if method != "PUT" {
					r.Body, r.ContentLength = nil, 0
				}
				signV1(r, time.Now())
				res, err := transport.RoundTrip(r)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if err == nil && res.StatusCode != 200 {
					err = fmt.Errorf("status %d", res.StatusCode)
				}
				return err
			}
			const keys = 1000
			for i := range int64(keys) {
				if err := send("PUT", i); err != nil {
					b.Fatal(err)
				}
			}
			var n atomic.Int64
			b.SetParallelism(8) // times 2 processors
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := send(tc.method, n.Add(1)%keys); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
