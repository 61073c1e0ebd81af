package transfer_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func TestStreamTakesUpWhereItBroke(t *testing.T) {
	w := newWorld(t)
	data := noise(15, 1<<20)
	w.put("k", data)
	var tries atomic.Int64
	w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil && tries.Add(1) <= 2 {
			resp.Body = &cut{ReadCloser: resp.Body, left: 300_000}
		}
		return resp, err
	})
	var out bytes.Buffer
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Error("stream differs from the object")
	}
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, &transfer.DownloadOptions{Range: oss.RangeLast(1 << 21)}); err != nil {
		t.Error("a suffix longer than the object:", err)
	}
	out.Reset()
	if _, err := w.engine().DownloadTo(t.Context(), w.at("k"), &out, &transfer.DownloadOptions{Range: oss.RangeBetween(5, 9)}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), data[5:10]) {
		t.Error("the range is wrong")
	}
}

type cut struct {
	io.ReadCloser
	left int
}

func (c *cut) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func TestFailedStreamLeavesNothing(t *testing.T) {
	w := newWorld(t)
	broken := errors.New("the pipe broke")
	r := io.MultiReader(bytes.NewReader(noise(16, 5*partSize)), errorReader{broken})
	report, err := w.engine().UploadStream(t.Context(), r, w.at("k"), nil)
	if !errors.Is(err, broken) || report.Resumable {
		t.Errorf("got %v, %+v", err, report)
	}
	if w.get("k") != nil || w.uploads() != 0 {
		t.Error("something is left of a failed stream")
	}
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }
