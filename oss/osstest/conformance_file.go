package osstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// testFiles are the calls that read and write files, by key and by URL.
func testFiles(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	data := content(300_000, 7)
	src, dst := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "dst")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	same := func(what string, err error) {
		t.Helper()
		got, readErr := os.ReadFile(dst)
		if err != nil || readErr != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %v, %v, %d bytes", what, err, readErr, len(got))
		}
		if err := os.WriteFile(dst, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sign := func(method string) string {
		t.Helper()
		u, err := b.SignURL(ctx, method, "by url", time.Hour, &oss.SignURLOptions{Header: http.Header{"X-Oss-Meta-A": {"b"}}})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	withMeta := &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{Meta: map[string]string{"a": "b"}}}
	if _, err := b.PutObjectFromFile(ctx, "by key", src, nil); err != nil {
		t.Fatal(err)
	}
	_, err := b.GetObjectToFile(ctx, "by key", dst, nil)
	same("GetObjectToFile", err)
	if _, err := b.PutObjectWithURLFromFile(ctx, sign(http.MethodPut), src, withMeta); err != nil {
		t.Fatal(err)
	}
	r, err := b.GetObjectWithURLToFile(ctx, sign(http.MethodGet), dst, &oss.GetObjectOptions{Header: http.Header{"X-Oss-Meta-A": {"b"}}})
	same("GetObjectWithURLToFile", err)
	if r == nil || r.Meta["a"] != "b" {
		t.Errorf("%+v", r)
	}
	part, err := b.GetObjectWithURL(ctx, sign(http.MethodGet), &oss.GetObjectOptions{
		Range: oss.RangeBetween(1, 3), Header: http.Header{"X-Oss-Meta-A": {"b"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(part.Body)
	part.Body.Close()
	if err != nil || !bytes.Equal(got, data[1:4]) {
		t.Errorf("range of a URL: %d bytes, %v", len(got), err)
	}
	if _, err := b.PutObjectWithURL(ctx, sign(http.MethodPut), bytes.NewReader(data[:10]), withMeta); err != nil {
		t.Fatal(err)
	}
	read(t, b, "by url", nil, data[:10])
	_, err = b.PutObjectWithURL(ctx, sign(http.MethodPut), bytes.NewReader(data), nil) // without the header that was signed
	wantError(t, err, oss.ErrSignatureDoesNotMatch)

	// What fails leaves the file as it was.
	if _, err := b.GetObjectToFile(ctx, "none", dst, nil); !errors.Is(err, oss.ErrNoSuchKey) {
		t.Error(err)
	}
	if got, _ := os.ReadFile(dst); string(got) != "old" {
		t.Errorf("%q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dst), ".oss-*")); len(left) > 0 {
		t.Error(left)
	}
}

func testUpdateMeta(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	put(t, b, "key", []byte("data"))
	if _, err := b.UpdateObjectMeta(ctx, "key", oss.ObjectHeaders{CacheControl: "no-cache", Meta: map[string]string{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	if r := read(t, b, "key", nil, []byte("data")); r.Meta["a"] != "b" || r.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%v, %v", r.Meta, r.Header)
	}
	for _, key := range []string{"key", "key2", "ke"} {
		for range 2 {
			if _, err := b.InitMultipartUpload(ctx, key, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	for u, err := range b.KeyUploads(ctx, "key", &oss.ListMultipartUploadsOptions{MaxUploads: 1}) {
		if err != nil || u.Key != "key" {
			t.Errorf("%+v, %v", u, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d uploads of the key", n)
	}
}
