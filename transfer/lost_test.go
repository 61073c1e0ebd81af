package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/transfer"
)

// initiations lets a test come between each InitiateMultipartUpload of the
// engine and its answer.
func (w *world) initiations(hook func(n int, send func() (*http.Response, error)) (*http.Response, error)) {
	var n atomic.Int32
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploads") && r.Header.Get("X-Oss-Meta-Theirs") == "" {
			return hook(int(n.Add(1)), send)
		}
		return send()
	})
}

// lose sends a request and forgets its answer.
func lose(send func() (*http.Response, error)) (*http.Response, error) {
	resp, err := send()
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// theirs begins an upload of the key as somebody else.
func (w *world) theirs(key string) string {
	w.t.Helper()
	r, err := w.bucket.InitMultipartUpload(context.Background(), key, &oss.InitMultipartOptions{
		ObjectHeaders: oss.ObjectHeaders{ACL: "public-read", Meta: map[string]string{"theirs": "1"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.UploadID
}

// TestLostInitiate: the upload whose answer was lost does not stay, unless
// somebody else began one at the same moment, whose is never touched.
func TestLostInitiate(t *testing.T) {
	for _, others := range []bool{false, true} {
		w := newWorld(t)
		data := noise(1, 3*partSize)
		src := filepath.Join(t.TempDir(), "src")
		write(t, src, data)
		var id string
		w.initiations(func(n int, send func() (*http.Response, error)) (*http.Response, error) {
			if n > 1 {
				return send()
			}
			if others {
				id = w.theirs("k")
			}
			return lose(send)
		})
		report, err := w.engine().Upload(t.Context(), src, w.at("k"), &transfer.UploadOptions{Headers: oss.ObjectHeaders{ACL: "private"}})
		if err != nil {
			t.Fatal(err)
		}
		acl, err := w.bucket.GetObjectACL(t.Context(), "k", nil)
		if err != nil || acl != "private" || !bytes.Equal(w.get("k"), data) {
			t.Errorf("others %v: %s, %v", others, acl, err)
		}
		if !others {
			if n := w.uploads(); n != 0 {
				t.Errorf("%d uploads left", n)
			}
			continue
		}
		if _, err := w.bucket.ListParts(t.Context(), "k", id, nil); err != nil {
			t.Errorf("theirs: %v", err)
		}
		if len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "none is touched") {
			t.Errorf("warnings %q", report.Warnings)
		}
	}
}

// TestSlowInitiate: it has as long as any other request.
func TestSlowInitiate(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for five seconds")
	}
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 3*partSize))
	w.initiations(func(_ int, send func() (*http.Response, error)) (*http.Response, error) {
		<-time.After(5 * time.Second) // the engine's own clock is what is tested
		return send()
	})
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil {
		t.Error(err)
	}
}

// TestMayNotListUploads: an intent that nobody may settle does not stop the
// job.
func TestMayNotListUploads(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 3*partSize))
	ctx, cancel := context.WithCancel(t.Context())
	w.initiations(func(int, func() (*http.Response, error)) (*http.Response, error) {
		cancel()
		return nil, io.ErrUnexpectedEOF
	})
	if _, err := w.engine().Upload(ctx, src, w.at("k"), nil); err == nil {
		t.Fatal("was not stopped")
	}
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodGet && r.URL.Query().Has("uploads") {
			return &http.Response{
				StatusCode: 403, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader("<Error><Code>AccessDenied</Code></Error>")),
			}, nil
		}
		return send()
	})
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || len(report.Warnings) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestInvalidPart: when the service refuses a part at the end, that part is
// sent again and no other.
func TestInvalidPart(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 5*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && r.URL.Query().Get("partNumber") == "3" && !once.Swap(true) {
			resp, err := send()
			if err == nil {
				resp.Header.Set("Etag", `"0123456789ABCDEF0123456789ABCDEF"`)
			}
			return resp, err
		}
		return send()
	})
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || !bytes.Equal(w.get("k"), data) || report.Bytes.Resumed != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := len(w.log.requests(t, "UploadPart")); n > 6 {
		t.Errorf("%d parts were sent for 5", n)
	}
}

// TestAdoptedHeaders: an adopted upload's access and metadata are not what the
// object gets.
func TestAdoptedHeaders(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 4*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	id := w.theirs("k")
	if _, err := w.bucket.UploadPart(t.Context(), "k", id, 1, bytes.NewReader(data[:partSize]), nil); err != nil {
		t.Fatal(err)
	}
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), &transfer.UploadOptions{
		JobOptions: transfer.JobOptions{Adopt: true},
		Headers:    oss.ObjectHeaders{Meta: map[string]string{"ours": "2"}, ContentType: "x/y"},
	})
	if err != nil || report.Bytes.Resumed != partSize {
		t.Fatalf("%+v, %v", report, err)
	}
	meta, err := w.bucket.HeadObject(t.Context(), "k", nil)
	if err != nil || meta.Meta["ours"] != "2" || meta.Meta["theirs"] != "" || meta.Meta["mtime"] == "" || meta.ContentType != "x/y" {
		t.Errorf("%+v, %v", meta, err)
	}
	if acl, err := w.bucket.GetObjectACL(t.Context(), "k", nil); err != nil || acl != "default" {
		t.Errorf("%+v, %v", acl, err)
	}
	if !bytes.Equal(w.get("k"), data) {
		t.Error("the object differs")
	}
}

// TestKilledStream: what a run left that had no time to clean up is known to
// the next one, and to GC.
func TestKilledStream(t *testing.T) {
	for _, gc := range []bool{false, true} {
		w := newWorld(t)
		data := noise(1, 3*partSize)
		// A run that is stopped and may not abort leaves what a killed one does.
		ctx, cancel := context.WithCancel(t.Context())
		w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			switch {
			case r.Method == http.MethodDelete:
				return nil, io.ErrUnexpectedEOF
			case r.Method == http.MethodPut:
				defer cancel()
			}
			return send()
		})
		if _, err := w.engine().UploadStream(ctx, bytes.NewReader(data), w.at("k"), nil); err == nil {
			t.Fatal("was not stopped")
		}
		cancel()
		w.wire.between(nil)
		if n := w.uploads(); n != 1 {
			t.Fatalf("%d uploads left", n)
		}
		if gc {
			err := w.engine().GC(t.Context(), &transfer.GCOptions{
				OlderThan: -1, Bucket: func(string, string) (*oss.Bucket, error) { return w.bucket, nil },
			})
			if err != nil {
				t.Error(err)
			}
		} else if _, err := w.engine().UploadStream(t.Context(), bytes.NewReader(data), w.at("k"), nil); err != nil || !bytes.Equal(w.get("k"), data) {
			t.Errorf("again: %v", err)
		}
		if n := w.uploads(); n != 0 {
			t.Errorf("gc %v: %d uploads left", gc, n)
		}
	}
}

// TestTwoStateFolders: two runs of one download that no lock keeps apart do not
// write into one file.
func TestTwoStateFolders(t *testing.T) {
	for _, size := range []int{partSize / 2, 6 * partSize} {
		w := newWorld(t)
		data := noise(1, size)
		w.put("k", data)
		dst := filepath.Join(t.TempDir(), "dst")
		first, second := make(chan struct{}), make(chan struct{})
		run := func(ctx context.Context, watch func(transfer.Step)) error {
			_, err := w.engine(func(o *transfer.Options) {
				o.StateDir, o.Concurrency, o.Watch = t.TempDir(), 1, watch
			}).Download(ctx, w.at("k"), dst, nil)
			return err
		}
		var once atomic.Bool
		done := make(chan error)
		go func() {
			done <- run(t.Context(), func(s transfer.Step) {
				// The first run has its file, and waits until the other has its own.
				if s.Op == "file write" && s.Done && !once.Swap(true) {
					close(first)
					<-second
				}
			})
		}()
		<-first
		ctx, cancel := context.WithCancel(t.Context())
		err := run(ctx, func(s transfer.Step) {
			if s.Op == "file write" && s.Done {
				cancel() // it is killed with something in its file
			}
		})
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(second)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := tree(t, filepath.Dir(dst))["dst"]; got != string(data) {
			t.Errorf("%d bytes: the file has %d", size, len(got))
		}
	}
}

// faults stages what text says.
func (w *world) faults(text string) {
	w.t.Helper()
	faults, err := emulator.ParseFaults(strings.NewReader(text))
	if err == nil {
		err = w.server.SetFaults(faults)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestBrokenStream: a stream that breaks is not one that ends, whatever its
// error.
func TestBrokenStream(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int{10, 3*partSize + 10} {
		for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("reader broke")} {
			for name, send := range map[string]func(io.Reader) error{
				"upload": func(r io.Reader) error {
					_, err := w.engine().UploadStream(t.Context(), r, w.at("up"), nil)
					return err
				},
				"append": func(r io.Reader) error {
					_, err := w.engine().AppendStream(t.Context(), r, w.at("app"), nil)
					return err
				},
			} {
				err := send(io.MultiReader(bytes.NewReader(noise(1, size)), iotest.ErrReader(broken)))
				if !errors.Is(err, broken) {
					t.Errorf("%s of %d bytes and %v: %v", name, size, broken, err)
				}
			}
			if w.get("up") != nil || w.uploads() != 0 {
				t.Errorf("%d bytes and %v: the object or its upload is there", size, broken)
			}
		}
	}
}

// TestRefusedInitiate: where the service has plainly refused to begin an upload
// nobody's is looked for, and no intent is left that a later run would look for.
func TestRefusedInitiate(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 3*partSize))
	theirs, err := w.bucket.InitMultipartUpload(t.Context(), "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.faults("503 on=InitiateMultipartUpload max=3")
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err == nil {
		t.Fatal("was not refused")
	}
	if _, err := w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bucket.ListParts(t.Context(), "k", theirs.UploadID, nil); err != nil {
		t.Errorf("the upload of somebody else: %v", err)
	}
	if n := len(w.log.requests(t, "ListMultipartUploads")); n != 0 {
		t.Errorf("uploads were listed %d times", n)
	}
}

// TestUnansweredQuestion: a question that is not answered is asked again, and is
// no reason to send anything twice.
func TestUnansweredQuestion(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 5*partSize)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, data)
	w.faults("lost on=CompleteMultipartUpload nth=1\n503 on=HeadObject nth=1")
	report, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if err != nil || len(report.Warnings) != 0 || !bytes.Equal(w.get("k"), data) {
		t.Fatalf("%+v, %v", report, err)
	}
	if n := len(w.log.requests(t, "UploadPart")); n != 5 {
		t.Errorf("%d parts were sent for 5", n)
	}
	// So it is when the answer was lost to a run that ended there.
	w.faults("lost on=CompleteMultipartUpload\n503 on=HeadObject")
	if _, err := w.engine().Upload(t.Context(), src, w.at("l"), nil); err == nil {
		t.Fatal("was answered")
	}
	w.faults("503 on=HeadObject nth=1")
	if _, err := w.engine().Upload(t.Context(), src, w.at("l"), nil); err != nil || !bytes.Equal(w.get("l"), data) {
		t.Fatal(err)
	}
	if n := len(w.log.requests(t, "UploadPart")); n != 10 {
		t.Errorf("%d parts were sent for 10", n)
	}
	// And with a small object, sent whole.
	for _, key := range []string{"stream", "small"} {
		w.faults("lost on=PutObject nth=1\n503 on=HeadObject nth=1")
		small := filepath.Join(t.TempDir(), key)
		write(t, small, data[:100])
		if key == "stream" {
			_, err = w.engine().UploadStream(t.Context(), bytes.NewReader(data[:100]), w.at(key), nil)
		} else {
			_, err = w.engine().Upload(t.Context(), small, w.at(key), nil)
		}
		if err != nil || !bytes.Equal(w.get(key), data[:100]) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if n := len(w.log.requests(t, "PutObject")); n != 2 {
		t.Errorf("%d puts for 2 small objects", n)
	}
}

// TestVanishedTwice: who aborts uploads all the time is told of.
func TestVanishedTwice(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 5*partSize))
	w.faults("vanish on=UploadPart every=3")
	_, err := w.engine().Upload(t.Context(), src, w.at("k"), nil)
	if !errors.Is(err, transfer.ErrChanged) || !strings.Contains(err.Error(), "lifecycle") {
		t.Error(err)
	}
}

// TestTrustedFile: trust in the checkpoint ends where the file is plainly not
// the one it tells of.
func TestTrustedFile(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 8*partSize)
	w.put("k", data)
	dst := filepath.Join(t.TempDir(), "dst")
	ctx, cancel := context.WithCancel(t.Context())
	stopAfter(w, 5, cancel, isRange)
	if _, err := w.engine(oneByOne).Download(ctx, w.at("k"), dst, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.wire.between(nil)
	temps, err := filepath.Glob(filepath.Join(filepath.Dir(dst), ".osssync-*"))
	if err != nil || len(temps) != 1 {
		t.Fatalf("%q, %v", temps, err)
	}
	if err := os.Truncate(temps[0], partSize+1); err != nil {
		t.Fatal(err)
	}
	report, err := w.engine(func(o *transfer.Options) { o.TrustCheckpoint = true }).Download(t.Context(), w.at("k"), dst, nil)
	if err != nil || report.Bytes.Resumed != partSize {
		t.Errorf("%+v, %v", report, err)
	}
	if got := tree(t, filepath.Dir(dst))["dst"]; got != string(data) {
		t.Errorf("the file has %d other bytes", len(got))
	}
}

// TestInterruptedBytes: a report of a stop counts what is at its destination.
func TestInterruptedBytes(t *testing.T) {
	w := newWorld(t)
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, noise(1, 6*partSize))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var parts atomic.Int64
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if isPart(r) && parts.Add(1) > 2 {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return send()
	})
	report, err := w.engine(oneByOne).Upload(ctx, src, w.at("k"), nil)
	if !errors.Is(err, context.Canceled) || report.Bytes.Done != 2*partSize {
		t.Fatalf("%+v, %v", report, err)
	}
	w.wire.between(nil)
	if report, err = w.engine().Upload(t.Context(), src, w.at("k"), nil); err != nil || report.Bytes.Resumed != 2*partSize {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestOneWriter: two jobs do not write to one place at once.
func TestOneWriter(t *testing.T) {
	w := newWorld(t)
	w.put("a/x", []byte("a"))
	w.put("b/x", []byte("b"))
	dir := t.TempDir()
	for name, run := range map[string]func(from string) (*transfer.Report, error){
		"download": func(from string) (*transfer.Report, error) {
			return w.engine().Download(t.Context(), w.at(from+"x"), filepath.Join(dir, "file"), nil)
		},
		"sync": func(from string) (*transfer.Report, error) {
			return w.engine().Sync(t.Context(), w.at(from), transfer.Local(filepath.Join(dir, "tree")), nil)
		},
	} {
		var second error
		asked := false
		w.wire.between(func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			w.wire.between(nil)
			asked = true
			_, second = run("b/")
			return send()
		})
		if _, err := run("a/"); err != nil || !asked {
			t.Errorf("%s: %v", name, err)
		}
		held, ok := errors.AsType[*transfer.HeldError](second)
		if !ok || held.Path == "" {
			t.Errorf("%s: the second one: %v", name, second)
		}
		if _, err := run("b/"); err != nil {
			t.Errorf("%s: after it: %v", name, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(w.state, "*.lock")); err != nil || len(left) > 2 { // of the syncs
		t.Errorf("%q, %v", left, err)
	}
}
