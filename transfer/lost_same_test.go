package transfer_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// looks is what a HEAD and the ACL of an object say of what it was made with.
func (w *world) looks(key string) string {
	w.t.Helper()
	meta, err := w.bucket.HeadObject(w.t.Context(), key, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	acl, err := w.bucket.GetObjectACL(w.t.Context(), key, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return meta.StorageClass + " " + acl + " " + meta.Meta["who"]
}

// makers are the ways to make an object of the bytes of a file, which the
// object "src" has, too.
func (w *world) makers(file string, data []byte) map[string]func(h oss.ObjectHeaders) (*transfer.Report, error) {
	copying := func(h oss.ObjectHeaders, relay bool) (*transfer.Report, error) {
		return w.engine().Copy(w.t.Context(), w.at("src"), w.at("k"), &transfer.CopyOptions{Headers: h, Relay: relay})
	}
	return map[string]func(h oss.ObjectHeaders) (*transfer.Report, error){
		"upload": func(h oss.ObjectHeaders) (*transfer.Report, error) {
			return w.engine().Upload(w.t.Context(), file, w.at("k"), &transfer.UploadOptions{Headers: h})
		},
		"stream": func(h oss.ObjectHeaders) (*transfer.Report, error) {
			return w.engine().UploadStream(w.t.Context(), bytes.NewReader(data), w.at("k"), &transfer.UploadOptions{Headers: h})
		},
		"copy":  func(h oss.ObjectHeaders) (*transfer.Report, error) { return copying(h, false) },
		"relay": func(h oss.ObjectHeaders) (*transfer.Report, error) { return copying(h, true) },
	}
}

// TestFailedOverSame: a request that was not done, and said so in no clear
// words, is not taken for done because the key has the same bytes already, from
// a moment before or from long ago.
func TestFailedOverSame(t *testing.T) {
	for _, size := range []int{partSize / 2, 9 * partSize} {
		for _, ago := range []time.Duration{0, 10 * time.Minute} {
			for _, h := range []oss.ObjectHeaders{
				{ACL: "private"}, {StorageClass: "IA"}, {Meta: map[string]string{"Who": "new"}},
			} {
				w := newWorld(t)
				data := noise(1, size)
				file := filepath.Join(t.TempDir(), "src")
				write(t, file, data)
				w.put("src", data)
				for name, make := range w.makers(file, data) {
					w.faults("")
					w.ahead.Store(int64(-ago))
					w.put("k", data)
					w.ahead.Store(0)
					w.faults("500 on=PutObject nth=1\n500 on=CopyObject nth=1\nreset=before on=CompleteMultipartUpload nth=1")
					report, err := make(h)
					if err != nil || report.Objects.Done != 1 || report.Bytes.Done != int64(size) || report.Retries == 0 {
						t.Errorf("%s of %d bytes: %+v, %v", name, size, report, err)
					}
					want := "Standard default "
					switch {
					case h.ACL != "":
						want = "Standard private "
					case h.StorageClass != "":
						want = "IA default "
					default:
						want += "new"
					}
					if got := w.looks("k"); got != want || !bytes.Equal(w.get("k"), data) {
						t.Errorf("%s of %d bytes over one of %v ago: the object is %q, want %q", name, size, ago, got, want)
					}
					if n := w.uploads(); n != 0 {
						t.Errorf("%s: %d uploads left", name, n)
					}
				}
			}
		}
	}
}

// TestLostOverOld: what was done is not done once more, though the key had the
// same bytes before, and its bytes are counted.
func TestLostOverOld(t *testing.T) {
	for _, size := range []int{partSize / 2, 9 * partSize} {
		w := newWorld(t)
		data := noise(1, size)
		file := filepath.Join(t.TempDir(), "src")
		write(t, file, data)
		w.put("src", data)
		for name, make := range w.makers(file, data) {
			w.faults("")
			w.ahead.Store(int64(-10 * time.Minute))
			w.put("k", data)
			w.ahead.Store(0)
			w.log.forget()
			w.faults("lost on=PutObject nth=1\nlost on=CopyObject nth=1\nlost=503 on=CompleteMultipartUpload nth=1")
			report, err := make(oss.ObjectHeaders{Meta: map[string]string{"who": "new "}})
			if err != nil || report.Objects.Done != 1 || report.Bytes.Done != int64(size) || report.Retries != 1 {
				t.Errorf("%s of %d bytes: %+v, %v", name, size, report, err)
			}
			if got := w.looks("k"); got != "Standard default new" {
				t.Errorf("%s of %d bytes: the object is %q", name, size, got)
			}
			sent := 0
			for _, op := range []string{"PutObject", "CopyObject", "CompleteMultipartUpload"} {
				sent += len(w.log.requests(t, op))
			}
			if n := w.uploads(); sent > 1 || n != 0 {
				t.Errorf("%s of %d bytes: made %d times, %d uploads left", name, size, sent, n)
			}
		}
	}
}

// TestVanishedOverSame: an upload that somebody has aborted was not completed,
// though the key has the same bytes, from before it began.
func TestVanishedOverSame(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 9*partSize)
	file := filepath.Join(t.TempDir(), "src")
	write(t, file, data)
	w.put("src", data)
	for name, make := range w.makers(file, data) {
		if name == "stream" {
			continue // cannot start over
		}
		w.faults("")
		w.ahead.Store(int64(-10 * time.Minute))
		w.put("k", data)
		w.ahead.Store(0)
		w.faults("vanish on=CompleteMultipartUpload nth=1")
		report, err := make(oss.ObjectHeaders{Meta: map[string]string{"who": "new"}})
		if err != nil || w.looks("k") != "Standard default new" || w.uploads() != 0 {
			t.Errorf("%s: %+v, %v; %s, %d uploads left", name, report, err, w.looks("k"), w.uploads())
		}
	}
}

// TestSameMeanwhile: where nothing may be replaced and somebody else has put the
// same bytes there, the object is there, and our upload is not left.
func TestSameMeanwhile(t *testing.T) {
	w := newWorld(t)
	data := noise(1, 5*partSize)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "f"), data)
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && !once.Swap(true) {
			w.put("p/f", data)
		}
		return send()
	})
	report, err := w.engine().Sync(t.Context(), transfer.Local(dir), w.at("p/"), &transfer.SyncOptions{Compare: transfer.CompareExisting})
	if err != nil || report.Objects.Done != 1 || !once.Load() {
		t.Errorf("%+v, %v", report, err)
	}
	if n := w.uploads(); n != 0 {
		t.Errorf("%d uploads left", n)
	}
}

// TestDoneButRefused: what the first try has made, though the service said that
// it was busy, is not somebody else's.
func TestDoneButRefused(t *testing.T) {
	for _, size := range []int{partSize / 2, 9 * partSize} {
		w := newWorld(t)
		dir := t.TempDir()
		write(t, filepath.Join(dir, "f"), noise(1, size))
		w.put("s/f", noise(1, size))
		for name, run := range map[string]struct {
			src   transfer.Location
			relay bool
		}{"upload": {src: transfer.Local(dir)}, "copy": {src: w.at("s/")}, "relay": {src: w.at("s/"), relay: true}} {
			w.faults("lost=503 on=PutObject nth=1\nlost=503 on=CopyObject nth=1\nlost=503 on=CompleteMultipartUpload nth=1")
			report, err := w.engine().Sync(t.Context(), run.src, w.at(name+"/"), &transfer.SyncOptions{Compare: transfer.CompareExisting, Relay: run.relay})
			if err != nil || report.Objects.Done != 1 || report.Bytes.Done != int64(size) || report.Retries == 0 || w.uploads() != 0 {
				t.Errorf("%s of %d bytes: %+v, %v", name, size, report, err)
			}
		}
	}
}

// TestTheirsWhileRefused: a busy service is no reason to take what somebody else
// has put there meanwhile for ours.
func TestTheirsWhileRefused(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "f"), noise(1, 10))
	w.faults("503 on=PutObject nth=2")
	var once atomic.Bool
	w.wire.between(func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && r.Header.Get("X-Oss-Forbid-Overwrite") != "" && !once.Swap(true) {
			w.put("p/f", []byte("theirs"))
		}
		return send()
	})
	report, err := w.engine().Sync(t.Context(), transfer.Local(dir), w.at("p/"), &transfer.SyncOptions{Compare: transfer.CompareExisting})
	if err == nil || report.Objects.Changed != 1 || report.Retries != 1 || string(w.get("p/f")) != "theirs" {
		t.Errorf("%+v, %v", report, err)
	}
}
