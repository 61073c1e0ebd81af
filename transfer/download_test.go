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
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

func isRange(r *http.Request) bool { return r.Method == http.MethodGet && r.Header.Get("Range") != "" }

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
// reason; unless the checkpoint is to be trusted.
func TestDownloadProvesItsClaims(t *testing.T) {
	for _, trust := range []bool{false, true} {
		t.Run(fmt.Sprint("trust ", trust), func(t *testing.T) { testClaims(t, trust) })
	}
}

func testClaims(t *testing.T, trust bool) {
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
	e := w.engine(func(o *transfer.Options) { o.TrustCheckpoint = trust })
	report, err := e.Download(t.Context(), w.at("k"), filepath.Join(dir, "dst"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "dst")); !trust && !bytes.Equal(got, data) {
		t.Error("file differs from the object")
	}
	if believed := report.Bytes.Resumed; !trust && believed != 0 || trust && believed != 10*partSize {
		t.Errorf("%d bytes were believed", believed)
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
			if test.want != nil && len(files) != 0 {
				t.Errorf("%d files left of a damaged download", len(files))
			}
			if test.want == nil && files["dst"] != string(data) {
				t.Error("file differs from the object")
			}
			if _, there := files["dst"]; test.want != nil && there {
				t.Error("a damaged file has the final name")
			}
		})
	}
}
