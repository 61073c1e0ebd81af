package osstest

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// minPart is the least a part but the last may have.
const minPart = 100 << 10

func begin(t *testing.T, b *oss.Bucket, key string) string {
	t.Helper()
	r, err := b.InitMultipartUpload(t.Context(), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.UploadID
}

func part(t *testing.T, b *oss.Bucket, key, id string, number int, data []byte) oss.Part {
	t.Helper()
	r, err := b.UploadPart(t.Context(), key, id, number, bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.CRC64 != sum(data) || r.Size != int64(len(data)) || r.ETag == "" || r.Number != number {
		t.Errorf("part %d: %+v", number, r.Part)
	}
	return r.Part
}

func testMultipart(t *testing.T, b *oss.Bucket) {
	const key = "dir/a b+文"
	data := content(2*minPart+77, 4)
	id := begin(t, b, key)
	parts := []oss.Part{
		part(t, b, key, id, 7, data[2*minPart:]),
		part(t, b, key, id, 1, data[:minPart]),
		part(t, b, key, id, 3, content(minPart, 99)), // replaced below
	}
	parts[2] = part(t, b, key, id, 3, data[minPart:2*minPart])
	given := slices.Clone(parts)
	r, err := b.CompleteMultipartUpload(t.Context(), key, id, parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(given, parts) {
		t.Error("the caller's parts were reordered")
	}
	etags := strings.ToUpper(parts[1].ETag + parts[2].ETag + parts[0].ETag) // as text, in order of their numbers
	if want := fmt.Sprintf("%X-3", md5.Sum([]byte(etags))); r.ETag != want {
		t.Errorf("ETag %s, want %s", r.ETag, want)
	}
	if !r.HasCRC64 || r.CRC64 != sum(data) {
		t.Errorf("complete: %+v", r)
	}
	if got := read(t, b, key, nil, data); got.Type != "Multipart" || got.ETag != r.ETag {
		t.Errorf("object: %+v", got.ObjectMeta)
	}
	_, err = b.CompleteMultipartUpload(t.Context(), key, id, parts, nil)
	wantError(t, err, oss.ErrNoSuchUpload)

	id = begin(t, b, key)
	part(t, b, key, id, 2, data[:500])
	if _, err := b.CompleteMultipartUpload(t.Context(), key, id, nil, &oss.CompleteMultipartOptions{CompleteAll: true}); err != nil {
		t.Fatal(err)
	}
	read(t, b, key, nil, data[:500])
}

func testMultipartErrors(t *testing.T, b *oss.Bucket) {
	id := begin(t, b, "key")
	small := []oss.Part{part(t, b, "key", id, 1, []byte("small")), part(t, b, "key", id, 2, []byte("last"))}
	_, err := b.CompleteMultipartUpload(t.Context(), "key", id, small, nil)
	wantError(t, err, oss.ErrEntityTooSmall)
	_, err = b.CompleteMultipartUpload(t.Context(), "key", id, []oss.Part{{Number: 9, ETag: small[0].ETag}}, nil)
	wantError(t, err, oss.ErrInvalidPart)
	if err := b.AbortMultipartUpload(t.Context(), "key", id, nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.AbortMultipartUpload(t.Context(), "key", id, nil), oss.ErrNoSuchUpload)
	_, err = b.UploadPart(t.Context(), "key", id, 1, nil, nil)
	wantError(t, err, oss.ErrNoSuchUpload)
	_, err = b.ListParts(t.Context(), "key", id, nil)
	wantError(t, err, oss.ErrNoSuchUpload)
	_, err = b.HeadObject(t.Context(), "key", nil)
	wantError(t, err, oss.ErrNotFound)
}

func testPartCopy(t *testing.T, b *oss.Bucket) {
	data := content(3*minPart, 5)
	put(t, b, "source", data)
	id := begin(t, b, "target")
	var parts []oss.Part
	for i, rng := range []oss.Range{oss.RangeBetween(0, minPart-1), oss.RangeBetween(minPart, 3*minPart-1)} {
		r, err := b.UploadPartCopy(t.Context(), b.Name(), "source", rng, "target", id, i+1, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, r.Part)
	}
	if _, err := b.CompleteMultipartUpload(t.Context(), "target", id, parts, nil); err != nil {
		t.Fatal(err)
	}
	read(t, b, "target", nil, data)
}

func testListParts(t *testing.T, b *oss.Bucket) {
	id := begin(t, b, "key")
	var want []oss.Part
	for n := 1; n <= 5; n++ {
		want = append(want, part(t, b, "key", id, 2*n, content(100*n, uint32(n))))
	}
	var got []oss.Part
	for p, err := range b.Parts(t.Context(), "key", id, &oss.ListPartsOptions{MaxParts: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if p.LastModified.IsZero() {
			t.Errorf("part %d has no time", p.Number)
		}
		p.LastModified = want[0].LastModified
		got = append(got, p)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func testListUploads(t *testing.T, b *oss.Bucket) {
	var want []string
	for _, key := range []string{"a", "b/1", "b/2", "c d+", "c d+"} {
		want = append(want, key+" "+begin(t, b, key))
	}
	slices.Sort(want)
	var got []string
	for u, err := range b.MultipartUploads(t.Context(), &oss.ListMultipartUploadsOptions{MaxUploads: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if u.Initiated.IsZero() {
			t.Errorf("upload of %q has no time", u.Key)
		}
		got = append(got, u.Key+" "+u.UploadID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r, err := b.ListMultipartUploads(t.Context(), &oss.ListMultipartUploadsOptions{Delimiter: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Uploads) != 3 || !slices.Equal(r.CommonPrefixes, []string{"b/"}) {
		t.Errorf("with a delimiter: %d uploads, prefixes %q", len(r.Uploads), r.CommonPrefixes)
	}
}
