package osstest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

func testAttributes(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	put(t, b, "key", []byte("data"))
	testObjectACL(t, b)

	tags := []oss.Tag{{Key: "a", Value: "1"}, {Key: "b c", Value: "+="}}
	if _, err := b.PutObjectTagging(ctx, "key", tags, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.GetObjectTagging(ctx, "key", nil); err != nil || !slices.Equal(got, tags) {
		t.Errorf("tags %v, %v", got, err)
	}
	if _, err := b.DeleteObjectTagging(ctx, "key", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.GetObjectTagging(ctx, "key", nil); err != nil || len(got) != 0 {
		t.Errorf("tags after their deletion: %v, %v", got, err)
	}

	if _, err := b.PutSymlink(ctx, "dir/link", "key", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.GetSymlink(ctx, "dir/link", nil); err != nil || got != "key" {
		t.Errorf("the link is to %q, %v", got, err)
	}
	if r := read(t, b, "dir/link", nil, []byte("data")); r.Type != "Symlink" {
		t.Errorf("the link's type is %s", r.Type)
	}
	if _, err := b.RestoreObject(ctx, "key", nil); !errors.Is(err, oss.ErrNotImplemented) {
		wantError(t, err, oss.ErrOperationNotSupported)
	}
	if _, err := b.CleanRestoredObject(ctx, "key", nil); !errors.Is(err, oss.ErrNotImplemented) {
		wantError(t, err, oss.ErrOperationNotSupported)
	}
	_, err := b.PutObject(ctx, "tagged", nil, &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{Tagging: oss.EncodeTags(tags...)}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.GetObjectTagging(ctx, "tagged", nil); err != nil || !slices.Equal(got, tags) {
		t.Errorf("tags on put %v, %v", got, err)
	}
}

func testObjectACL(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	if acl, err := b.GetObjectACL(ctx, "key", nil); err != nil || acl != "default" {
		t.Errorf("ACL %q, %v", acl, err)
	}
	if _, err := b.PutObjectACL(ctx, "key", "private", nil); err != nil {
		t.Fatal(err)
	}
	if acl, err := b.GetObjectACL(ctx, "key", nil); err != nil || acl != "private" {
		t.Errorf("ACL %q, %v", acl, err)
	}
	if r, err := b.GetBucketACL(ctx); err != nil || r.ACL != "private" || r.Owner.ID == "" {
		t.Errorf("ACL of the bucket %+v, %v", r, err)
	}
	if _, err := b.PutBucketACL(ctx, "private"); err != nil {
		t.Error(err)
	}
}

// testVersions leaves it at that if the server says that it has no versioning.
func testVersions(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	if r, err := b.GetBucketVersioning(ctx); err != nil || r.Versioning != "" {
		t.Errorf("versioning %+v, %v", r, err)
	}
	_, err := b.PutBucketVersioning(ctx, "Enabled")
	if errors.Is(err, oss.ErrNotImplemented) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeVersions(t, b) })
	first, second := put(t, b, "key", []byte("first")), put(t, b, "key", []byte("second"))
	if first.VersionID == "" || first.VersionID == second.VersionID {
		t.Fatalf("versions %q and %q", first.VersionID, second.VersionID)
	}
	read(t, b, "key", nil, []byte("second"))
	read(t, b, "key", &oss.GetObjectOptions{VersionID: first.VersionID}, []byte("first"))
	r, err := b.DeleteObject(ctx, "key", nil)
	if err != nil || !r.DeleteMarker || r.VersionID == "" {
		t.Errorf("delete: %+v, %v", r, err)
	}
	_, err = b.GetObject(ctx, "key", nil)
	wantError(t, err, oss.ErrNoSuchKey)
	var got []string
	for v, err := range b.ObjectVersions(ctx, &oss.ListObjectVersionsOptions{MaxKeys: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v.VersionID)
	}
	if want := []string{r.VersionID, second.VersionID, first.VersionID}; !slices.Equal(got, want) {
		t.Errorf("versions %q, want %q", got, want)
	}
	if _, err := b.DeleteObject(ctx, "key", &oss.DeleteObjectOptions{VersionID: r.VersionID}); err != nil {
		t.Fatal(err)
	}
	read(t, b, "key", nil, []byte("second"))
}

func removeVersions(t *testing.T, b *oss.Bucket) {
	var all []oss.ObjectVersion
	for v, err := range b.ObjectVersions(cleanup(t), nil) {
		if err != nil {
			t.Error(err)
			return
		}
		all = append(all, oss.ObjectVersion{Key: v.Key, VersionID: v.VersionID})
	}
	if _, err := b.DeleteObjectVersions(cleanup(t), all, nil); err != nil {
		t.Error(err)
	}
}

// testSignURLPut signs an upload with headers, which must then be sent.
func testSignURLPut(t *testing.T, b *oss.Bucket) {
	header := http.Header{"Content-Type": {"text/x"}, "X-Oss-Meta-A": {"1"}}
	text, err := b.SignURL(t.Context(), http.MethodPut, "up", 3600e9, &oss.SignURLOptions{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"as signed", header, http.StatusOK},
		{"other header", http.Header{"Content-Type": {"text/y"}, "X-Oss-Meta-A": {"1"}}, http.StatusForbidden},
		{"no header", http.Header{}, http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, text, strings.NewReader("data"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = v.header.Clone()
		resp, err := b.Client().Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != v.want {
			t.Errorf("%s: status %d, want %d", v.name, resp.StatusCode, v.want)
		}
	}
	if r := read(t, b, "up", nil, []byte("data")); r.ContentType != "text/x" || r.Meta["a"] != "1" {
		t.Errorf("stored %+v", r.ObjectMeta)
	}
}
