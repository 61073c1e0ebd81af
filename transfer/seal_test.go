package transfer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
	"github.com/osssync/osssync/transfer"
)

func masterKeys(t *testing.T) crypto.Provider {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p, err := crypto.NewRSAProvider(crypto.MasterKey{Public: &private.PublicKey, Private: private}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) sealedAt(keys crypto.Provider, key string) transfer.Location {
	l := w.at(key)
	l.Keys = keys
	return l
}

// decrypted reads an object as another program with the master key would.
func (w *world) decrypted(keys crypto.Provider, key string) []byte {
	w.t.Helper()
	b, err := crypto.NewBucket(w.bucket, keys, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := b.GetObject(w.t.Context(), key, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil || r.Material == nil {
		w.t.Fatal(err, r.Material)
	}
	return data
}

// Encrypted uploads and downloads of every kind, broken off and resumed.
func TestSealed(t *testing.T) {
	keys := masterKeys(t)
	for _, size := range []int{1, partSize, 12*partSize + 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w := newWorld(t)
			data := noise(80, size)
			dir := t.TempDir()
			src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
			write(t, src, data)
			odd := func(o *transfer.Options) { o.PartSize = partSize + 7 } // no multiple of a block
			broken := func(match func(*http.Request) bool, run func(context.Context, *transfer.Engine) (*transfer.Report, error)) *transfer.Report {
				t.Helper()
				if size > 2*partSize {
					ctx, cancel := context.WithCancel(t.Context())
					stopAfter(w, 5, cancel, match)
					if _, err := run(ctx, w.engine(oneByOne, odd)); !errors.Is(err, context.Canceled) {
						t.Fatal(err)
					}
					w.wire.between(nil)
				}
				report, err := run(t.Context(), w.engine(odd))
				if err != nil {
					t.Fatal(err)
				}
				if size > 2*partSize && report.Bytes.Resumed < 5*partSize {
					t.Errorf("%d bytes resumed", report.Bytes.Resumed)
				}
				return report
			}
			broken(isPart, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
				return e.Upload(ctx, src, w.sealedAt(keys, "k"), nil)
			})
			if bytes.Equal(w.get("k"), data) {
				t.Error("the server has the plain text")
			}
			if !bytes.Equal(w.decrypted(keys, "k"), data) {
				t.Error("another program reads something else")
			}
			broken(isRange, func(ctx context.Context, e *transfer.Engine) (*transfer.Report, error) {
				return e.Download(ctx, w.sealedAt(keys, "k"), dst, nil)
			})
			if got, _ := os.ReadFile(dst); !bytes.Equal(got, data) {
				t.Error("the file is not what was sent")
			}
			var out bytes.Buffer
			if _, err := w.engine().DownloadTo(t.Context(), w.sealedAt(keys, "k"), &out, &transfer.DownloadOptions{Range: oss.RangeLast(1)}); err != nil || !bytes.Equal(out.Bytes(), data[size-1:]) {
				t.Errorf("the last byte: %v", err)
			}
			if _, err := w.engine().Copy(t.Context(), w.at("k"), w.at("copy"), nil); err != nil || !bytes.Equal(w.decrypted(keys, "copy"), data) {
				t.Errorf("a copy: %v", err)
			}
			if n := w.uploads(); n != 0 {
				t.Errorf("%d uploads left", n)
			}
		})
	}
}

func TestSealedTree(t *testing.T) {
	w := newWorld(t)
	keys := masterKeys(t)
	dir := t.TempDir()
	for i := range 10 {
		write(t, filepath.Join(dir, "src", fmt.Sprint(i)), noise(i, i*partSize/3))
	}
	for _, done := range []int64{10, 0} {
		report, err := w.engine().Sync(t.Context(), transfer.Local(filepath.Join(dir, "src")), w.sealedAt(keys, "p"), nil)
		if err != nil || report.Objects.Done != done {
			t.Fatalf("%v, %+v", err, report)
		}
	}
	w.put("p/plain", []byte("not encrypted"))
	if _, err := w.engine().Sync(t.Context(), w.sealedAt(keys, "p"), transfer.Local(filepath.Join(dir, "dst")), nil); err != nil {
		t.Fatal(err)
	}
	got, want := tree(t, filepath.Join(dir, "dst")), tree(t, filepath.Join(dir, "src"))
	want["plain"] = "not encrypted"
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s differs", name)
		}
	}

	// Other keys read nothing, and write nothing.
	report, err := w.engine().Sync(t.Context(), w.sealedAt(masterKeys(t), "p"), transfer.Local(filepath.Join(dir, "other")), nil)
	if !errors.Is(err, transfer.ErrIncomplete) || report.Objects.Failed != 10 || report.Retries != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	if left := tree(t, filepath.Join(dir, "other")); len(left) != 1 {
		t.Errorf("%d files", len(left))
	}
}

func TestSealedStream(t *testing.T) {
	w := newWorld(t)
	keys := masterKeys(t)
	if _, err := w.engine().UploadStream(t.Context(), strings.NewReader("short"), w.sealedAt(keys, "k"), nil); err != nil {
		t.Fatal(err)
	}
	if got := w.decrypted(keys, "k"); string(got) != "short" {
		t.Errorf("%q", got)
	}
	_, err := w.engine().UploadStream(t.Context(), bytes.NewReader(noise(1, 2*partSize)), w.sealedAt(keys, "k"), nil)
	if _, ok := errors.AsType[*transfer.UsageError](err); !ok {
		t.Errorf("a long stream: %v", err)
	}
	if _, err := w.engine().Copy(t.Context(), w.sealedAt(keys, "k"), w.at("c"), nil); err == nil {
		t.Error("a copy with keys")
	}
}
