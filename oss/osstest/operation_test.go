package osstest_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/osstest"
)

type answerer func(*http.Request) (*http.Response, error)

func (f answerer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOperation: the name a rule is written with is the one errors have.
func TestOperation(t *testing.T) {
	const key = "dir/a b"
	var op, seen string
	rt := answerer(func(r *http.Request) (*http.Response, error) {
		op, seen = osstest.Operation(r)
		return &http.Response{StatusCode: http.StatusTeapot, Header: http.Header{}, Body: http.NoBody}, nil
	})
	for _, endpoint := range []string{"http://127.0.0.1:9000", "http://[::1]:9000", "http://oss.test"} {
		c := newClient(t, endpoint, oss.StaticCredentials("id", "secret", ""), &oss.Options{HTTPClient: &http.Client{Transport: rt}})
		if _, err := c.ListBuckets(t.Context(), nil); endpoint != "http://oss.test" && op != "ListBuckets" {
			t.Errorf("%s: ListBuckets is %s, %v", endpoint, op, err)
		}
		for i, call := range calls(t, c.Bucket("bucket"), key) {
			err := call()
			se, ok := errors.AsType[*oss.ServerError](err)
			if !ok || op != se.Operation || seen != se.Key {
				t.Errorf("%s, call %d: operation %s of key %q, but %v", endpoint, i, op, seen, err)
			}
		}
	}
}

// calls is every call that a rule may want to spoil.
func calls(t *testing.T, b *oss.Bucket, key string) []func() error {
	ctx := t.Context()
	part := []oss.Part{{Number: 1, ETag: "x"}}
	return []func() error{
		func() error { _, err := b.PutObject(ctx, key, nil, nil); return err },
		func() error { _, err := b.GetObject(ctx, key, nil); return err },
		func() error { _, err := b.HeadObject(ctx, key, nil); return err },
		func() error { _, err := b.GetObjectMeta(ctx, key, nil); return err },
		func() error { _, err := b.DeleteObject(ctx, key, nil); return err },
		func() error { _, err := b.CopyObject(ctx, "source", "key", key, nil); return err },
		func() error { _, err := b.AppendObject(ctx, key, 0, nil, nil); return err },
		func() error { _, err := b.InitMultipartUpload(ctx, key, nil); return err },
		func() error { _, err := b.UploadPart(ctx, key, "id", 1, nil, nil); return err },
		func() error {
			_, err := b.UploadPartCopy(ctx, "source", "key", oss.Range{}, key, "id", 1, nil)
			return err
		},
		func() error { _, err := b.CompleteMultipartUpload(ctx, key, "id", part, nil); return err },
		func() error { return b.AbortMultipartUpload(ctx, key, "id", nil) },
		func() error { _, err := b.ListParts(ctx, key, "id", nil); return err },
		func() error { _, err := b.PutSymlink(ctx, key, "target", nil); return err },
		func() error { _, err := b.GetSymlink(ctx, key, nil); return err },
		func() error { _, err := b.PutObjectACL(ctx, key, "private", nil); return err },
		func() error { _, err := b.GetObjectACL(ctx, key, nil); return err },
		func() error { _, err := b.PutObjectTagging(ctx, key, nil, nil); return err },
		func() error { _, err := b.GetObjectTagging(ctx, key, nil); return err },
		func() error { _, err := b.DeleteObjectTagging(ctx, key, nil); return err },
		func() error { _, err := b.RestoreObject(ctx, key, &oss.RestoreOptions{Days: 1}); return err },
		func() error { _, err := b.CleanRestoredObject(ctx, key, nil); return err },
		func() error { _, err := b.SealAppendObject(ctx, key, 0); return err },
		func() error { _, err := b.BatchDeleteObjects(ctx, []string{key}, nil); return err },
		func() error { _, err := b.ListObjects(ctx, nil); return err },
		func() error { _, err := b.ListObjectsV2(ctx, nil); return err },
		func() error { _, err := b.ListObjectVersions(ctx, nil); return err },
		func() error { _, err := b.ListMultipartUploads(ctx, nil); return err },
		func() error { _, err := b.CreateBucket(ctx, &oss.CreateBucketOptions{StorageClass: "IA"}); return err },
		func() error { _, err := b.DeleteBucket(ctx); return err },
		func() error { _, err := b.GetBucketInfo(ctx); return err },
		func() error { _, err := b.GetBucketLocation(ctx); return err },
		func() error { _, err := b.GetBucketStat(ctx); return err },
		func() error { _, err := b.PutBucketACL(ctx, "private"); return err },
		func() error { _, err := b.GetBucketACL(ctx); return err },
		func() error { _, err := b.PutBucketVersioning(ctx, "Enabled"); return err },
		func() error { _, err := b.GetBucketVersioning(ctx); return err },
		func() error { _, err := b.PutBucketCORS(ctx, &oss.BucketCORS{}, nil); return err },
		func() error { _, err := b.GetBucketLifecycle(ctx); return err },
		func() error { _, err := b.DeleteBucketWebsite(ctx); return err },
		func() error { _, err := b.DeleteBucketTagging(ctx, "a"); return err },
		func() error { _, err := b.PutBucketPolicy(ctx, "{}"); return err },
		func() error { _, err := b.GetBucketAccessMonitor(ctx); return err },
	}
}
