package osstest

import (
	"errors"
	"slices"
	"testing"

	"github.com/osssync/osssync/oss"
)

func testList(t *testing.T, b *oss.Bucket) {
	all := []string{"a", "b", "dir/1", "dir/2", "dir/sub/3", "dir0", "e f", "z+"}
	for _, key := range all {
		put(t, b, key, []byte(key))
	}
	for _, v := range []struct {
		name    string
		options oss.ListObjectsV2Options
		want    []string
	}{
		{"all", oss.ListObjectsV2Options{}, all},
		{"pages", oss.ListObjectsV2Options{MaxKeys: 3}, all},
		{"pages of one", oss.ListObjectsV2Options{MaxKeys: 1}, all},
		{"prefix", oss.ListObjectsV2Options{Prefix: "dir/"}, []string{"dir/1", "dir/2", "dir/sub/3"}},
		{"delimiter", oss.ListObjectsV2Options{Delimiter: "/"}, []string{"a", "b", "dir/", "dir0", "e f", "z+"}},
		{"delimiter in pages", oss.ListObjectsV2Options{Delimiter: "/", MaxKeys: 2}, []string{"a", "b", "dir/", "dir0", "e f", "z+"}},
		{"prefix and delimiter", oss.ListObjectsV2Options{Prefix: "dir/", Delimiter: "/"}, []string{"dir/1", "dir/2", "dir/sub/"}},
		{"start after", oss.ListObjectsV2Options{StartAfter: "dir/2"}, []string{"dir/sub/3", "dir0", "e f", "z+"}},
		{"nothing", oss.ListObjectsV2Options{Prefix: "none"}, nil},
	} {
		var got []string
		for o, err := range b.Objects(t.Context(), &v.options) {
			if err != nil {
				t.Fatalf("%s: %v", v.name, err)
			}
			if !o.IsPrefix && (o.Size != int64(len(o.Key)) || o.ETag == "" || o.LastModified.IsZero() || o.StorageClass == "" || o.Type == "") {
				t.Errorf("%s: %+v", v.name, o)
			}
			got = append(got, o.Key)
		}
		if !slices.Equal(got, v.want) {
			t.Errorf("%s: got %q, want %q", v.name, got, v.want)
		}
	}
	testListV1(t, b, all)
}

func testListV1(t *testing.T, b *oss.Bucket, all []string) {
	var got []string
	o := oss.ListObjectsOptions{MaxKeys: 3}
	for {
		page, err := b.ListObjects(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Objects {
			got = append(got, s.Key)
		}
		if !page.IsTruncated {
			break
		}
		o.Marker = page.NextMarker
	}
	if !slices.Equal(got, all) {
		t.Errorf("first version: got %q, want %q", got, all)
	}
	page, err := b.ListObjectVersions(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got = got[:0]
	for _, v := range page.Versions {
		got = append(got, v.Key)
	}
	if !slices.Equal(got, all) {
		t.Errorf("versions: got %q, want %q", got, all)
	}
}

func testBucket(t *testing.T, b *oss.Bucket) {
	if _, err := b.CreateBucket(t.Context(), nil); err != nil {
		t.Errorf("the owner's second PutBucket: %v", err)
	}
	found := false
	for s, err := range b.Client().Buckets(t.Context(), &oss.ListBucketsOptions{Prefix: b.Name()}) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || s.Name == b.Name() && !s.CreationDate.IsZero()
	}
	if !found {
		t.Error("the bucket is not listed")
	}
	info, err := b.GetBucketInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	location, err := b.GetBucketLocation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Name != b.Name() || info.Location != location.Location || info.Location == "" {
		t.Errorf("info %+v, location %+v", info, location)
	}
	if _, err := b.GetBucketStat(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := b.HeadBucket(t.Context()); err != nil || r.RequestID == "" {
		t.Errorf("HEAD: %+v, %v", r, err)
	}
	if _, err := b.Client().Bucket(b.Name() + "-missing").HeadBucket(t.Context()); !errors.Is(err, oss.ErrNotFound) {
		t.Errorf("HEAD of a missing bucket: %v", err)
	}
}
