package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
}

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
			report, err := w.engine(neverAnew).Upload(t.Context(), src, w.at("k"), nil)
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

// A service that sends no CRC-64 is worth a warning, once.
func TestServiceWithoutCRC(t *testing.T) {
	w := newWorld(t)
	w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil {
			resp.Header.Del("X-Oss-Hash-Crc64ecma")
		}
		return resp, err
	})
	src := t.TempDir()
	want := grow(t, src)
	for _, sides := range [][2]transfer.Location{{transfer.Local(src), w.at("p/")}, {w.at("p/"), transfer.Local(t.TempDir())}} {
		report, err := w.engine().Sync(t.Context(), sides[0], sides[1], nil)
		if err != nil || len(report.Warnings) != 1 || report.Objects.Done != int64(len(want)) {
			t.Errorf("%v, %+v", err, report)
		}
	}
}

// A body that is damaged on its way never takes the place of a good object.
func TestDamagedUpload(t *testing.T) {
	w := newWorld(t)
	data := noise(21, partSize/2)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	w.put("k", []byte("good"))
	for _, test := range []struct {
		name  string
		times int64
		want  string
		err   error
	}{{"always", 100, "good", oss.ErrInvalidDigest}, {"once", 1, string(data), nil}} {
		var seen atomic.Int64
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.Method == http.MethodPut && seen.Add(1) <= test.times {
				r.Body = &flip{ReadCloser: r.Body, at: 1000}
			}
			return send()
		})
		if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.name, err)
		}
		w.wire.between(nil)
		if string(w.get("k")) != test.want {
			t.Errorf("%s: the key holds something else", test.name)
		}
	}
}

// The answer to InitiateMultipartUpload is lost in a crash: the upload it began
// is found by its intent, and somebody else's is left alone.
func TestUploadUnheardOf(t *testing.T) {
	w := newWorld(t)
	data := noise(20, 5*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	foreign, err := w.bucket.InitMultipartUpload(t.Context(), "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.bucket.UploadPart(t.Context(), "k", foreign.UploadID, 1, bytes.NewReader(data[:10]), nil); err != nil {
		t.Fatal(err)
	}
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err == nil && r.Method == http.MethodPost && r.URL.Query().Has("uploads") {
			resp.Body.Close()
			return nil, &os.PathError{Op: "crash", Err: os.ErrClosed} // no retry
		}
		return resp, err
	})
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err == nil {
		t.Fatal("no failure")
	}
	w.wire.between(nil)
	if w.uploads() != 2 {
		t.Fatal("no upload was begun")
	}
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.get("k"), data) || w.uploads() != 1 {
		t.Errorf("%d uploads left, want the foreign one", w.uploads())
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

// An upload whose checkpoint is lost is found by its key, and its parts are
// proven; those of other keys, and parts that fit nothing, are left alone.
func TestAdopt(t *testing.T) {
	w := newWorld(t)
	data := noise(40, 10*partSize-1)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	foreign := func(key string, size int) string {
		up, err := w.bucket.InitMultipartUpload(t.Context(), key, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.bucket.UploadPart(t.Context(), key, up.UploadID, 1, bytes.NewReader(noise(41, size)), nil); err != nil {
			t.Fatal(err)
		}
		return up.UploadID
	}
	others := map[string]bool{foreign("k", 7): true, foreign("k2", partSize): true, foreign("k", 200*partSize): true}
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 6, cancel, isPart)
	if _, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	w.state = t.TempDir()
	write(t, src, append(noise(42, partSize), data[partSize:]...)) // the first part is another one now
	w.log.forget()
	anotherPartSize := func(o *transfer.Options) { o.PartSize = 3 * partSize }
	report, err := w.engine(anotherPartSize).Upload(t.Context(), src, w.at("k"), &transfer.UploadOptions{JobOptions: transfer.JobOptions{Adopt: true}})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(src)
	if !bytes.Equal(w.get("k"), want) {
		t.Error("the object is not the file")
	}
	if n := len(w.log.requests(t, "UploadPart")); n != 5 || report.Bytes.Resumed != 5*partSize {
		t.Errorf("%d parts sent, %d bytes adopted", n, report.Bytes.Resumed)
	}
	for u, err := range w.bucket.MultipartUploads(t.Context(), nil) {
		if err != nil || !others[u.UploadID] {
			t.Errorf("upload of %s is left, %v", u.Key, err)
		}
		delete(others, u.UploadID)
	}
	if len(others) > 0 {
		t.Errorf("somebody else's uploads were aborted: %v", others)
	}
}
