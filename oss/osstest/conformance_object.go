package osstest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// onlyReader hides the length of what it reads.
type onlyReader struct{ io.Reader }

func testObject(t *testing.T, b *oss.Bucket) {
	for _, size := range []int{0, 1, 4096, 64<<10 + 7, 1<<20 + 1} {
		data := content(size, uint32(size))
		r := put(t, b, "object", data)
		digest := md5.Sum(data)
		if want := strings.ToUpper(hex.EncodeToString(digest[:])); r.ETag != want {
			t.Errorf("size %d: ETag %s, want %s", size, r.ETag, want)
		}
		if r.CRC64 != sum(data) || r.RequestID == "" {
			t.Errorf("size %d: CRC64 %d, want %d; request id %q", size, r.CRC64, sum(data), r.RequestID)
		}
		got := read(t, b, "object", nil, data)
		if got.Size != int64(size) || got.ETag != r.ETag || !got.HasCRC64 || got.ObjectMeta.CRC64 != sum(data) || got.Type != "Normal" {
			t.Errorf("size %d: %+v", size, got.ObjectMeta)
		}
		for name, head := range map[string]func() (*oss.ObjectMeta, error){
			"HeadObject":    func() (*oss.ObjectMeta, error) { return b.HeadObject(t.Context(), "object", nil) },
			"GetObjectMeta": func() (*oss.ObjectMeta, error) { return b.GetObjectMeta(t.Context(), "object", nil) },
		} {
			m, err := head()
			if err != nil {
				t.Fatal(err)
			}
			if m.Size != int64(size) || m.ETag != r.ETag || m.CRC64 != sum(data) || time.Since(m.LastModified) > time.Hour {
				t.Errorf("%s, size %d: %+v", name, size, m)
			}
		}
		if _, err := b.PutObject(t.Context(), "chunked", onlyReader{bytes.NewReader(data)}, nil); err != nil {
			t.Fatal(err)
		}
		read(t, b, "chunked", nil, data)
	}
	if _, err := b.PutObject(t.Context(), "nil", nil, nil); err != nil {
		t.Fatal(err)
	}
	read(t, b, "nil", nil, nil)
	ok, err := b.ObjectExists(t.Context(), "nil")
	if err != nil || !ok {
		t.Errorf("ObjectExists: %v, %v", ok, err)
	}
	if ok, err := b.ObjectExists(t.Context(), "missing"); err != nil || ok {
		t.Errorf("ObjectExists of a missing key: %v, %v", ok, err)
	}
}

func testRanges(t *testing.T, b *oss.Bucket) {
	const size = 1000
	data := content(size, 1)
	put(t, b, "ranged", data)
	for _, v := range []struct {
		rng         oss.Range
		first, last int
	}{
		{oss.RangeBetween(0, 0), 0, 0},
		{oss.RangeBetween(10, 19), 10, 19},
		{oss.RangeBetween(990, 5000), 990, 999},
		{oss.RangeFrom(0), 0, 999},
		{oss.RangeFrom(999), 999, 999},
		{oss.RangeLast(1), 999, 999},
		{oss.RangeLast(1000), 0, 999},
	} {
		r := read(t, b, "ranged", &oss.GetObjectOptions{Range: v.rng}, data[v.first:v.last+1])
		if r.Offset != int64(v.first) || r.Length != int64(v.last-v.first+1) || r.Total != size || r.Status != http.StatusPartialContent {
			t.Errorf("%s: offset %d, length %d, total %d, status %d", v.rng, r.Offset, r.Length, r.Total, r.Status)
		}
		if r.ObjectMeta.CRC64 != sum(data) {
			t.Errorf("%s: the server's CRC-64 is not that of the whole", v.rng)
		}
	}
	_, err := b.GetObject(t.Context(), "ranged", &oss.GetObjectOptions{Range: oss.RangeFrom(size)})
	wantError(t, err, oss.ErrInvalidRange)
}

func testConditions(t *testing.T, b *oss.Bucket) {
	etag := put(t, b, "cond", []byte("data")).ETag
	other := strings.Repeat("0", 32)
	past, future := time.Now().Add(-24*time.Hour), time.Now().Add(time.Hour)
	for _, v := range []struct {
		name    string
		options oss.GetObjectOptions
		want    error
	}{
		{"match", oss.GetObjectOptions{IfMatch: etag}, nil},
		{"match quoted", oss.GetObjectOptions{IfMatch: `"` + etag + `"`}, nil},
		{"no match", oss.GetObjectOptions{IfMatch: other}, oss.ErrPreconditionFailed},
		{"none match", oss.GetObjectOptions{IfNoneMatch: etag}, oss.ErrNotModified},
		{"none match other", oss.GetObjectOptions{IfNoneMatch: other}, nil},
		{"modified since", oss.GetObjectOptions{IfModifiedSince: past}, nil},
		{"unmodified since", oss.GetObjectOptions{IfUnmodifiedSince: future}, nil},
		{"unmodified since past", oss.GetObjectOptions{IfUnmodifiedSince: past}, oss.ErrPreconditionFailed},
	} {
		r, err := b.GetObject(t.Context(), "cond", &v.options)
		if err == nil {
			r.Body.Close()
		}
		if v.want == nil && err != nil {
			t.Errorf("%s: %v", v.name, err)
		} else if v.want != nil {
			wantError(t, err, v.want)
		}
	}
	_, err := b.HeadObject(t.Context(), "cond", &oss.HeadObjectOptions{IfMatch: other})
	wantError(t, err, oss.ErrPreconditionFailed)
}

// awkwardKeys are keys that paths, queries and XML are prone to spoil.
var awkwardKeys = []string{
	"a b", "a+b", "a%2Fb", "%", "a//b", "a/./b", "a/../b", "..", ".", "dir/", "dir/sub/",
	"文件", "e\u0301", "\u00e9", "~-_.!*'()", "q?x=1&y", "#frag", "<&>\"'", ";=,:@$",
	"control\x01\x02\x1f", "line\nfeed\tand\rreturn", "\x7f", "trailing ", "]]>",
	strings.Repeat("k", 1023),
}

func testKeys(t *testing.T, b *oss.Bucket) {
	for i, key := range awkwardKeys {
		put(t, b, key, []byte{byte(i)})
	}
	for i, key := range awkwardKeys {
		read(t, b, key, nil, []byte{byte(i)})
	}
	want := make(map[string]bool)
	for _, key := range awkwardKeys {
		want[key] = true
	}
	for o, err := range b.Objects(t.Context(), &oss.ListObjectsV2Options{MaxKeys: 7}) {
		if err != nil {
			t.Fatal(err)
		}
		if !want[o.Key] {
			t.Errorf("listed %q", o.Key)
		}
		delete(want, o.Key)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %q", slices.Sorted(maps.Keys(want)))
	}
	r, err := b.BatchDeleteObjects(t.Context(), awkwardKeys, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Deleted) != len(awkwardKeys) {
		t.Errorf("%d keys deleted, want %d", len(r.Deleted), len(awkwardKeys))
	}
	for _, key := range awkwardKeys {
		if ok, err := b.ObjectExists(t.Context(), key); ok || err != nil {
			t.Errorf("%q after its deletion: %v, %v", key, ok, err)
		}
	}
}

func testHeaders(t *testing.T, b *oss.Bucket) {
	digest := md5.Sum([]byte("data"))
	options := &oss.PutObjectOptions{
		ObjectHeaders: oss.ObjectHeaders{
			ContentType: "text/x-test", CacheControl: "no-cache", ContentDisposition: "attachment",
			ContentLanguage: "de", Meta: map[string]string{"Some-Name": "value", "other": "2"},
		},
		ContentMD5: base64.StdEncoding.EncodeToString(digest[:]),
	}
	if _, err := b.PutObject(t.Context(), "headers", strings.NewReader("data"), options); err != nil {
		t.Fatal(err)
	}
	m, err := b.HeadObject(t.Context(), "headers", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.ContentType != "text/x-test" || m.Meta["some-name"] != "value" || m.Meta["other"] != "2" ||
		m.Header.Get("Cache-Control") != "no-cache" || m.Header.Get("Content-Disposition") != "attachment" || m.Header.Get("Content-Language") != "de" {
		t.Errorf("stored headers: %+v", m)
	}
	r := read(t, b, "headers", &oss.GetObjectOptions{ResponseContentType: "text/other"}, []byte("data"))
	if r.ContentType != "text/other" {
		t.Errorf("response-content-type gave %q", r.ContentType)
	}
	put(t, b, "page.html", nil)
	if m, err := b.HeadObject(t.Context(), "page.html", nil); err != nil || !strings.HasPrefix(m.ContentType, "text/html") {
		t.Errorf("content type of page.html: %+v, %v", m, err)
	}
	_, err = b.PutObject(t.Context(), "headers", strings.NewReader("other"), options)
	wantError(t, err, oss.ErrInvalidDigest)
	read(t, b, "headers", nil, []byte("data"))
	_, err = b.PutObject(t.Context(), "headers", nil, &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{ForbidOverwrite: true}})
	wantError(t, err, oss.ErrFileAlreadyExists)
}

func testAppend(t *testing.T, b *oss.Bucket) {
	first, second := content(1000, 1), content(500, 2)
	r, err := b.AppendObject(t.Context(), "log", 0, bytes.NewReader(first), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.NextPosition != 1000 || r.CRC64 != sum(first) {
		t.Errorf("first append: %+v", r)
	}
	r, err = b.AppendObject(t.Context(), "log", 1000, bytes.NewReader(second), &oss.AppendObjectOptions{InitCRC64: &r.CRC64})
	if err != nil {
		t.Fatal(err)
	}
	whole := append(first, second...)
	if r.NextPosition != 1500 || r.CRC64 != sum(whole) {
		t.Errorf("second append: %+v", r)
	}
	read(t, b, "log", nil, whole)
	_, err = b.AppendObject(t.Context(), "log", 7, nil, nil)
	wantError(t, err, oss.ErrPositionNotEqualToLength)
	wantError(t, err, oss.ErrConflict)
	if se, ok := errors.AsType[*oss.ServerError](err); ok {
		if next, ok := se.NextAppendPosition(); !ok || next != 1500 {
			t.Errorf("next position %d, %v", next, ok)
		}
	}
	put(t, b, "normal", nil)
	_, err = b.AppendObject(t.Context(), "normal", 0, nil, nil)
	wantError(t, err, oss.ErrObjectNotAppendable)
	testSeal(t, b)
}

// testSeal ends the object that testAppend has made.
func testSeal(t *testing.T, b *oss.Bucket) {
	_, err := b.SealAppendObject(t.Context(), "log", 1)
	wantError(t, err, oss.ErrPositionNotEqualToLength)
	_, err = b.SealAppendObject(t.Context(), "normal", 0)
	wantError(t, err, oss.ErrObjectNotAppendable)
	first, err := b.SealAppendObject(t.Context(), "log", 1500)
	if err != nil || first.SealedTime.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := b.SealAppendObject(t.Context(), "log", 1500); err != nil || !again.SealedTime.Equal(first.SealedTime) {
		t.Errorf("sealed again: %+v, %v", again, err)
	}
	if _, err := b.AppendObject(t.Context(), "log", 1500, strings.NewReader("x"), nil); err == nil {
		t.Error("a sealed object was appended to")
	}
}

func testCopy(t *testing.T, b *oss.Bucket) {
	data := content(5000, 3)
	_, err := b.PutObject(t.Context(), "a b+c/源", bytes.NewReader(data), &oss.PutObjectOptions{
		ObjectHeaders: oss.ObjectHeaders{Meta: map[string]string{"a": "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.CopyObject(t.Context(), b.Name(), "a b+c/源", "copy", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.HasCRC64 || r.CRC64 != sum(data) || r.ETag == "" {
		t.Errorf("copy: %+v", r)
	}
	if got := read(t, b, "copy", nil, data); got.Meta["a"] != "1" {
		t.Errorf("metadata of the copy: %v", got.Meta)
	}
	_, err = b.CopyObject(t.Context(), b.Name(), "a b+c/源", "copy", &oss.CopyObjectOptions{
		MetadataDirective: "REPLACE", ObjectHeaders: oss.ObjectHeaders{Meta: map[string]string{"b": "2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, b, "copy", nil, data); got.Meta["a"] != "" || got.Meta["b"] != "2" {
		t.Errorf("replaced metadata: %v", got.Meta)
	}
	_, err = b.CopyObject(t.Context(), b.Name(), "missing", "copy", nil)
	wantError(t, err, oss.ErrNoSuchKey)
	_, err = b.CopyObject(t.Context(), b.Name(), "copy", "copy2", &oss.CopyObjectOptions{IfMatch: strings.Repeat("0", 32)})
	wantError(t, err, oss.ErrPreconditionFailed)
}

func testDelete(t *testing.T, b *oss.Bucket) {
	put(t, b, "gone", nil)
	for range 2 { // the second finds nothing, which is no error
		if _, err := b.DeleteObject(t.Context(), "gone", nil); err != nil {
			t.Fatal(err)
		}
	}
	put(t, b, "x", nil)
	r, err := b.BatchDeleteObjects(t.Context(), []string{"x", "never was"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Deleted) != 2 {
		t.Errorf("deleted %q", r.Deleted)
	}
	put(t, b, "x", nil)
	if _, err := b.BatchDeleteObjects(t.Context(), []string{"x"}, &oss.BatchDeleteOptions{Quiet: true}); err != nil {
		t.Fatal(err)
	}
	_, err = b.HeadObject(t.Context(), "x", nil)
	wantError(t, err, oss.ErrNotFound)
}

func testErrors(t *testing.T, b *oss.Bucket) {
	_, err := b.GetObject(t.Context(), "missing", nil)
	wantError(t, err, oss.ErrNoSuchKey)
	wantError(t, err, oss.ErrNotFound)
	_, err = b.HeadObject(t.Context(), "missing", nil)
	wantError(t, err, oss.ErrNotFound)
	none := b.Client().Bucket(b.Name() + "-none")
	_, err = none.GetObject(t.Context(), "missing", nil)
	wantError(t, err, oss.ErrNoSuchBucket)
	_, err = none.ListObjectsV2(t.Context(), nil)
	wantError(t, err, oss.ErrNoSuchBucket)
	put(t, b, "object", nil)
	_, err = b.DeleteBucket(t.Context())
	wantError(t, err, oss.ErrBucketNotEmpty)
}

func testSignURL(t *testing.T, b *oss.Bucket) {
	put(t, b, "dir/a b+c", []byte("signed"))
	text, err := b.SignURL(t.Context(), http.MethodGet, "dir/a b+c", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The URL must do for any HTTP client. This one shares the transport, to
	// work without a socket too.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.Client().Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(got) != "signed" {
		t.Errorf("status %d, body %q, error %v", resp.StatusCode, got, err)
	}
	testSignURLPut(t, b)
}
