package transfer_test

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/transfer"
)

// TestProgressDetail watches one object that moves in parts, and a service that
// is throttled once.
func TestProgressDetail(t *testing.T) {
	w := newWorld(t)
	const parts = 6
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, parts*partSize))

	var sent atomic.Int64
	seen := make(chan struct{}) // progress of the last part but one
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !isPart(r) {
			return send()
		}
		switch sent.Add(1) {
		case 2:
			body := `<Error><Code>ServiceUnavailable</Code><Message>slow down</Message></Error>`
			return &http.Response{
				StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Content-Type": {"application/xml"}, "Retry-After": {"0"}},
				Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: r,
			}, nil
		case parts + 1:
			<-seen
		}
		return send()
	})
	var last transfer.Progress
	_, err := w.engine(oneByOne).Upload(t.Context(), src, w.at("k"), &transfer.UploadOptions{JobOptions: transfer.JobOptions{
		ProgressEvery: time.Millisecond,
		OnProgress: func(p transfer.Progress) {
			for _, o := range p.Active {
				if o.Parts != 0 && o.Parts != parts || o.PartsDone > parts || o.Elapsed < 0 {
					t.Errorf("%+v", o)
				}
				if o.PartsDone == parts-1 && last.Throttled == 0 && p.Running == 1 {
					close(seen)
					last = p
				}
			}
			if p.Final && p.Throttled != 1 {
				t.Errorf("%d answers were throttled, not 1", p.Throttled)
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last.Throttled != 1 || last.Retries != 1 || last.Limit != 3 { // of 4
		t.Errorf("%+v", last)
	}
}
