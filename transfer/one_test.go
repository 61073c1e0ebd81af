package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func TestSizes(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for _, size := range []int{0, 1, partSize - 1, partSize, partSize + 1, 2 * partSize, 2*partSize + 1, 25*partSize + 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			data := noise(size, size)
			src := filepath.Join(t.TempDir(), "src")
			write(t, src, data)
			old := time.Unix(1_600_000_000, 123456789)
			if err := os.Chtimes(src, old, old); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("sizes/%d", size)
			report, err := e.Upload(t.Context(), src, w.at(key), nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.State != transfer.StateDone || report.Objects.Done != 1 || report.Bytes.Done != int64(size) {
				t.Errorf("report says %+v", report)
			}
			if !bytes.Equal(w.get(key), data) {
				t.Error("object differs from the file")
			}
			dst := filepath.Join(t.TempDir(), "new", "dst")
			if _, err := e.Download(t.Context(), w.at(key), dst, nil); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(dst)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("file differs from the object: %v", err)
			}
			info, err := os.Stat(dst)
			if err != nil || !info.ModTime().Equal(old) {
				t.Errorf("modification time %v, want %v (%v)", info.ModTime(), old, err)
			}
			var stream bytes.Buffer
			if _, err := e.DownloadTo(t.Context(), w.at(key), &stream, nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(stream.Bytes(), data) {
				t.Error("stream differs from the object")
			}
			if _, err := e.UploadStream(t.Context(), io.MultiReader(bytes.NewReader(data)), w.at(key+"-stream"), nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.get(key+"-stream"), data) {
				t.Error("object differs from the stream")
			}
		})
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d multipart uploads left", n)
	}
	if left := tree(t, w.state); len(left) != 0 {
		t.Errorf("finished jobs left %d files of state", len(left))
	}
}

// stopAfter cancels after n successful requests that match.
func stopAfter(w *world, n int64, cancel context.CancelFunc, match func(*http.Request) bool) {
	var seen atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !match(r) {
			return send()
		}
		if seen.Add(1) > n {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return send()
	})
}

// oneByOne leaves nothing in flight that a test would have to guess about.
func oneByOne(o *transfer.Options) { o.Parallel = 1 }

func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
}

func isRange(r *http.Request) bool { return r.Method == http.MethodGet && r.Header.Get("Range") != "" }

func TestUploadGoesOn(t *testing.T) {
	w := newWorld(t)
	const parts = 20
	data := noise(1, parts*partSize-5)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)

	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isPart)
	report, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil)
	if !errors.Is(err, context.Canceled) || report.State != transfer.StateInterrupted || !report.Resumable {
		t.Fatalf("interrupted upload: %v, %+v", err, report)
	}
	if w.get("k") != nil {
		t.Fatal("an unfinished object is visible")
	}
	w.wire.between(nil)
	report, err = w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("k"), data) {
		t.Error("object differs from the file")
	}
	sent := map[string]int{}
	for _, r := range w.log.requests(t, "UploadPart") {
		sent[r.Part]++
	}
	for number, times := range sent {
		if times != 1 {
			t.Errorf("part %s was sent %d times", number, times)
		}
	}
	if len(sent) != parts || !report.Resumed || report.Bytes.Resumed != 9*partSize || report.Bytes.Done != int64(len(data)) {
		t.Errorf("%d parts sent, report %+v", len(sent), report)
	}
}

func TestDownloadGoesOn(t *testing.T) {
	w := newWorld(t)
	data := noise(2, 20*partSize-5)
	w.put("k", data)
	dst := filepath.Join(t.TempDir(), "dst")
	write(t, dst, []byte("old"))

	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isRange)
	if _, err := w.engine(oneByOne).Download(ctx, w.at("k"), dst, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(dst); string(got) != "old" {
		t.Fatal("the name shows something else before the end")
	}
	w.wire.between(nil)
	w.log.forget()
	report, err := w.engine().Download(t.Context(), w.at("k"), dst, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(dst); !bytes.Equal(got, data) {
		t.Error("file differs from the object")
	}
	if n := len(w.log.requests(t, "GetObject")); n != 11 || report.Bytes.Resumed != 9*partSize {
		t.Errorf("%d ranges fetched again, want 11; report %+v", n, report.Bytes)
	}
	if left := tree(t, filepath.Dir(dst)); len(left) != 1 {
		t.Errorf("left beside the file: %d", len(left))
	}
}

// A range that is not what the checkpoint says is fetched again, whatever the
// reason.
func TestDownloadProvesItsClaims(t *testing.T) {
	w := newWorld(t)
	data := noise(3, 20*partSize)
	w.put("k", data)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 10, cancel, isRange)
	if _, err := w.engine(oneByOne).Download(ctx, w.at("k"), filepath.Join(dir, "dst"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	temps, err := filepath.Glob(filepath.Join(dir, ".osssync-*.part"))
	if err != nil || len(temps) != 1 {
		t.Fatalf("temporary files: %v %v", temps, err)
	}
	content, err := os.ReadFile(temps[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range content {
		content[i] ^= 1 // every claim is wrong now
	}
	if err := os.WriteFile(temps[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := w.engine().Download(t.Context(), w.at("k"), filepath.Join(dir, "dst"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "dst")); !bytes.Equal(got, data) {
		t.Error("file differs from the object")
	}
	if report.Bytes.Resumed != 0 {
		t.Errorf("%d bytes were believed", report.Bytes.Resumed)
	}
}

// A file that was rewritten between two runs starts anew, and its old upload is
// aborted.
func TestUploadOfAnotherFileStartsAnew(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(4, 20*partSize))
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isPart)
	if _, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	data := noise(5, 20*partSize)
	write(t, src, data)
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("k"), data) || report.Bytes.Resumed != 0 {
		t.Errorf("object is not the new file, or old parts were used: %+v", report.Bytes)
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d uploads left", n)
	}
}

// Rewritten in place with size and times kept: parts are proven by their
// content.
func TestUploadProvesParts(t *testing.T) {
	w := newWorld(t)
	data := noise(6, 20*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isPart)
	if _, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	// The server's parts are swapped under the checkpoint: as if the file had
	// had other bytes then.
	var uploadID string
	for u, err := range w.bucket.MultipartUploads(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		uploadID = u.UploadID
	}
	for number := 1; number <= 20; number++ {
		_, err := w.bucket.UploadPart(t.Context(), "k", uploadID, number, bytes.NewReader(noise(7, partSize)), nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("k"), data) || report.Bytes.Resumed != 0 {
		t.Errorf("the object is not the file; report %+v", report.Bytes)
	}
}

func TestSourceChangesDuringUpload(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
	}{{"small", partSize / 2}, {"large", 20 * partSize}} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			src := filepath.Join(t.TempDir(), "src")
			write(t, src, noise(8, test.size))
			var once atomic.Bool
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				if r.Method == http.MethodPut && once.CompareAndSwap(false, true) {
					write(t, src, noise(9, test.size+1))
				}
				return send()
			})
			report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
			if !errors.Is(err, transfer.ErrChanged) || report.Objects.Changed != 1 {
				t.Errorf("got %v, report %+v; want ErrChanged", err, report)
			}
			w.wire.between(nil)
			if w.get("k") != nil {
				t.Error("a mixture became visible")
			}
			if n := w.uploads(); n != 0 {
				t.Errorf("%d uploads left", n)
			}
		})
	}
}

// The answer to a request that took effect is lost.
func TestLostAnswers(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int
		match func(*http.Request) bool
	}{
		{"put", partSize, func(r *http.Request) bool { return r.Method == http.MethodPut }},
		{"part", 5 * partSize, isPart},
		{"complete", 5 * partSize, func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			data := noise(10, test.size)
			src := filepath.Join(t.TempDir(), "src")
			write(t, src, data)
			var once atomic.Bool
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				resp, err := send()
				if err == nil && test.match(r) && once.CompareAndSwap(false, true) {
					resp.Body.Close()
					return nil, io.ErrUnexpectedEOF
				}
				return resp, err
			})
			report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.get("k"), data) || report.Retries != 1 || !once.Load() {
				t.Errorf("object differs, or %d retries", report.Retries)
			}
			if n := len(w.log.requests(t, "PutObject")); test.name == "put" && n != 1 {
				t.Errorf("the object was sent %d times", n)
			}
			if n := len(w.log.requests(t, "UploadPart")); test.name == "complete" && n != 5 {
				t.Errorf("%d parts were sent", n)
			}
			if n := w.uploads(); n != 0 {
				t.Errorf("%d uploads left", n)
			}
		})
	}
}

// The service forgets the upload: it starts over, once.
func TestUploadIDVanishes(t *testing.T) {
	w := newWorld(t)
	data := noise(11, 10*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	var parts atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if isPart(r) && parts.Add(1) == 5 {
			id := r.URL.Query().Get("uploadId")
			if err := w.bucket.AbortMultipartUpload(t.Context(), "k", id, nil); err != nil {
				t.Error(err)
			}
		}
		return send()
	})
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("k"), data) || len(report.Warnings) == 0 || report.Bytes.Done != int64(len(data)) {
		t.Errorf("report %+v", report)
	}
}

func TestObjectOverwrittenDuringDownload(t *testing.T) {
	w := newWorld(t)
	w.put("k", noise(12, 10*partSize))
	data := noise(13, 12*partSize)
	var ranges atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if isRange(r) && ranges.Add(1) == 5 {
			w.put("k", data)
		}
		return send()
	})
	dst := filepath.Join(t.TempDir(), "dst")
	report, err := w.engine().Download(t.Context(), w.at("k"), dst, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(dst); !bytes.Equal(got, data) {
		t.Errorf("file is not the new object; report %+v", report)
	}
}

// flip damages the n-th byte of a body.
type flip struct {
	io.ReadCloser
	at int64
}

func (f *flip) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.at >= 0 && f.at < int64(n) {
		p[f.at] ^= 0x10
	}
	f.at -= int64(n)
	return n, err
}

func TestDamagedDownload(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		all  bool
		want error
	}{
		{"small, once", partSize / 2, false, nil},
		{"large, once", 5 * partSize, false, nil},
		{"small, always", partSize / 2, true, oss.ErrIntegrity},
		{"large, always", 5 * partSize, true, transfer.ErrCorrupt},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			data := noise(14, test.size)
			w.put("k", data)
			var seen atomic.Int64
			w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
				resp, err := send()
				if err == nil && r.Method == http.MethodGet && (test.all || seen.Add(1) == 1) {
					resp.Body = &flip{ReadCloser: resp.Body, at: 1000}
				}
				return resp, err
			})
			dir := t.TempDir()
			_, err := w.engine().Download(t.Context(), w.at("k"), filepath.Join(dir, "dst"), nil)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			files := tree(t, dir)
			if test.want == nil && files["dst"] != string(data) {
				t.Error("file differs from the object")
			}
			if _, there := files["dst"]; test.want != nil && there {
				t.Error("a damaged file has the final name")
			}
		})
	}
}

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

func TestUsage(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, nil)
	e := w.engine()
	for name, call := range map[string]func() error{
		"no key":      func() error { _, err := e.Upload(t.Context(), src, w.at(""), nil); return err },
		"no bucket":   func() error { _, err := e.Upload(t.Context(), src, transfer.Local("x"), nil); return err },
		"both local":  func() error { _, err := e.Sync(t.Context(), transfer.Local("a"), transfer.Local("b"), nil); return err },
		"delete all":  func() error { _, err := e.Delete(t.Context(), w.at(""), nil); return err },
		"part size":   func() error { _, err := transfer.New(&transfer.Options{PartSize: 5}); return err },
		"parallel":    func() error { _, err := transfer.New(&transfer.Options{Parallel: -1}); return err },
		"concurrency": func() error { _, err := transfer.New(&transfer.Options{Concurrency: 100_000}); return err },
		"range to file": func() error {
			_, err := e.Download(t.Context(), w.at("k"), src, &transfer.DownloadOptions{Range: oss.RangeFrom(1)})
			return err
		},
	} {
		if _, ok := errors.AsType[*transfer.UsageError](call()); !ok {
			t.Errorf("%s: got %v, want a UsageError", name, call())
		}
	}
}

func TestOneProcessPerJob(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(17, 5*partSize))
	var second error
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if isPart(r) && once.CompareAndSwap(false, true) {
			_, second = w.engine().Upload(t.Context(), src, w.at("k"), nil)
		}
		return send()
	})
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(second, transfer.ErrJobHeld) || !strings.Contains(second.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second one got %v", second)
	}
}

// Another part size is the same job: its old upload is aborted, not left.
func TestAnotherPartSizeStartsAnew(t *testing.T) {
	w := newWorld(t)
	data := noise(18, 20*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isPart)
	if _, err := w.engine().Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	report, err := w.engine(func(o *transfer.Options) { o.PartSize *= 2 }).Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || report.Bytes.Resumed != 0 || !bytes.Equal(w.get("k"), data) || w.uploads() != 0 {
		t.Errorf("%v, %+v, %d uploads left", err, report.Bytes, w.uploads())
	}
}

// A server that lists no CRC-64 of parts has their MD5.
func TestPartsAreProvenByMD5(t *testing.T) {
	w := newWorld(t)
	data := noise(19, 20*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 9, cancel, isPart)
	if _, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	crc := regexp.MustCompile(`<HashCrc64ecma>\d+</HashCrc64ecma>`)
	w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			body = crc.ReplaceAll(body, nil)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		return resp, err
	})
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || report.Bytes.Resumed != 9*partSize || !bytes.Equal(w.get("k"), data) {
		t.Errorf("%v, %+v", err, report.Bytes)
	}
}
