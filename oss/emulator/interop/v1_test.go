package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk1 "github.com/aliyun/aliyun-oss-go-sdk/oss"
)

// forEachV1 runs a test with all three signatures and all styles.
func forEachV1(t *testing.T, test func(t *testing.T, r *rig, b *sdk1.Bucket)) {
	for _, version := range []sdk1.AuthVersionType{sdk1.AuthV1, sdk1.AuthV2, sdk1.AuthV4} {
		for _, style := range styles {
			t.Run(string(version)+"/"+style, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				test(t, r, must(r.v1(t, version, style).Bucket(bucket))(t))
			})
		}
	}
}

func getV1(t *testing.T, b *sdk1.Bucket, key string, options ...sdk1.Option) []byte {
	t.Helper()
	body := must(b.GetObject(key, options...))(t)
	defer body.Close()
	return must(io.ReadAll(body))(t)
}

// codeV1 is the OSS code of an error.
func codeV1(err error) string {
	if e, ok := errors.AsType[sdk1.ServiceError](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestV1Objects(t *testing.T) {
	forEachV1(t, func(t *testing.T, _ *rig, b *sdk1.Bucket) {
		body := noise(70_000)
		check(t, b.PutObject(oddKey, bytes.NewReader(body), sdk1.Meta("color", "blue"), sdk1.ContentType("text/x-odd"), sdk1.ObjectStorageClass(sdk1.StorageIA)))
		head := must(b.GetObjectDetailedMeta(oddKey))(t)
		equal(t, "metadata", head.Get("X-Oss-Meta-Color"), "blue")
		equal(t, "size", head.Get("Content-Length"), fmt.Sprint(len(body)))
		equal(t, "ETag", must(b.GetObjectMeta(oddKey))(t).Get("ETag"), head.Get("ETag"))
		if got := getV1(t, b, oddKey); !bytes.Equal(got, body) {
			t.Error("another body")
		}
		if got := getV1(t, b, oddKey, sdk1.Range(10, 99)); !bytes.Equal(got, body[10:100]) {
			t.Error("another range")
		}
		_, err := b.GetObject(oddKey, sdk1.IfMatch(`"0"`))
		equal(t, "code", codeV1(err), "PreconditionFailed")
		equal(t, "code", codeV1(b.PutObject(oddKey, nil, sdk1.ForbidOverWrite(true))), "FileAlreadyExists")
		must(b.CopyObject(oddKey, "copy"))(t)
		equal(t, "exists", must(b.IsObjectExist("copy"))(t), true)
		check(t, b.SetObjectACL("copy", sdk1.ACLPublicRead))
		equal(t, "ACL", must(b.GetObjectACL("copy"))(t).ACL, "public-read")
		check(t, b.PutObjectTagging("copy", sdk1.Tagging{Tags: []sdk1.Tag{{Key: "k", Value: "v"}}}))
		equal(t, "tags", len(must(b.GetObjectTagging("copy"))(t).Tags), 1)
		check(t, b.DeleteObjectTagging("copy"))
		check(t, b.PutSymlink("link", "copy"))
		equal(t, "target", must(b.GetSymlink("link"))(t).Get("X-Oss-Symlink-Target"), "copy")
		next := must(b.AppendObject("log", strings.NewReader("one"), 0))(t)
		must(b.AppendObject("log", strings.NewReader("two"), next))(t)
		equal(t, "appended", string(getV1(t, b, "log")), "onetwo")
		check(t, b.DeleteObject("log"))
		deleted := must(b.DeleteObjects([]string{oddKey, "copy", "link", "missing"}))(t)
		equal(t, "deleted", len(deleted.DeletedObjects), 4)
	})
}

func TestV1Lists(t *testing.T) {
	forEachV1(t, func(t *testing.T, _ *rig, b *sdk1.Bucket) {
		var want []string
		for i := range 5 {
			key := fmt.Sprintf("p/%d é\x02", i)
			want = append(want, key)
			check(t, b.PutObject(key, strings.NewReader("x")))
		}
		var v1, v2 []string
		for marker := ""; ; {
			page := must(b.ListObjects(sdk1.MaxKeys(2), sdk1.Marker(marker)))(t)
			for _, o := range page.Objects {
				v1 = append(v1, o.Key)
			}
			if marker = page.NextMarker; !page.IsTruncated {
				break
			}
		}
		for token := ""; ; {
			page := must(b.ListObjectsV2(sdk1.MaxKeys(2), sdk1.ContinuationToken(token)))(t)
			for _, o := range page.Objects {
				v2 = append(v2, o.Key)
			}
			if token = page.NextContinuationToken; !page.IsTruncated {
				break
			}
		}
		if !slices.Equal(v1, want) || !slices.Equal(v2, want) {
			t.Errorf("lists %q and %q", v1, v2)
		}
		equal(t, "groups", must(b.ListObjects(sdk1.Delimiter("/")))(t).CommonPrefixes[0], "p/")
		equal(t, "versions", len(must(b.ListObjectVersions())(t).ObjectVersions), 5)
	})
}

func TestV1Multipart(t *testing.T) {
	forEachV1(t, func(t *testing.T, _ *rig, b *sdk1.Bucket) {
		source := noise(300_000)
		check(t, b.PutObject("source", bytes.NewReader(source)))
		up := must(b.InitiateMultipartUpload(oddKey))(t)
		one := must(b.UploadPart(up, bytes.NewReader(source), 102_400, 1))(t)
		two := must(b.UploadPartCopy(up, bucket, "source", 102_400, 197_600, 2))(t)
		equal(t, "parts", len(must(b.ListUploadedParts(up))(t).UploadedParts), 2)
		equal(t, "uploads", len(must(b.ListMultipartUploads())(t).Uploads), 1)
		must(b.CompleteMultipartUpload(up, []sdk1.UploadPart{one, two}))(t)
		if got := getV1(t, b, oddKey); !bytes.Equal(got, source) {
			t.Error("another body")
		}
		up = must(b.InitiateMultipartUpload(oddKey))(t)
		check(t, b.AbortMultipartUpload(up))
		equal(t, "code", codeV1(b.AbortMultipartUpload(up)), "NoSuchUpload")
	})
}

// TestV1Files: transfers that stop in the middle go on from their checkpoints.
func TestV1Files(t *testing.T) {
	r := newRig(t)
	b := must(r.v1(t, sdk1.AuthV1, "path").Bucket(bucket))(t)
	body, dir := noise(6*partSize), t.TempDir()
	in, out := writeFile(t, "in", body), filepath.Join(dir, "out")
	for _, step := range []struct {
		op   string
		rest int
		run  func() error
	}{
		{"UploadPart", 3, func() error {
			return b.UploadFile("big", in, partSize, sdk1.Routines(1), sdk1.Checkpoint(true, filepath.Join(dir, "up.cp")))
		}},
		{"GetObject", 3, func() error {
			return b.DownloadFile("big", out, partSize, sdk1.Routines(1), sdk1.Checkpoint(true, filepath.Join(dir, "down.cp")))
		}},
		// The SDK never finds its checkpoint of a copy valid: it compares the
		// magic number with that of a download.
		{"UploadPartCopy", 6, func() error {
			return b.CopyFile(bucket, "big", "copy", partSize, sdk1.Routines(1), sdk1.Checkpoint(true, filepath.Join(dir, "copy.cp")))
		}},
	} {
		r.faults(t, "403=Stopped on="+step.op+" nth=4")
		if err := step.run(); err == nil {
			t.Fatal(step.op, "did not fail")
		}
		counts := r.calls(t, step.op)
		check(t, step.run())
		// The SDK gives up at the first failed part without waiting for what
		// it has yet to record of those before it.
		if n := counts()[0]; n < step.rest || n > 6 {
			t.Errorf("%s: %d requests after the stop, want %d to 6", step.op, n, step.rest)
		}
	}
	if got := must(os.ReadFile(out))(t); !bytes.Equal(got, body) || !bytes.Equal(getV1(t, b, "copy"), body) {
		t.Error("another body")
	}
}

func TestV1SignedURLs(t *testing.T) {
	forEachV1(t, func(t *testing.T, _ *rig, b *sdk1.Bucket) {
		put := must(b.SignURL(oddKey, sdk1.HTTPPut, 60, sdk1.ContentType("text/plain")))(t)
		check(t, b.PutObjectWithURL(put, strings.NewReader("signed"), sdk1.ContentType("text/plain")))
		get := must(b.SignURL(oddKey, sdk1.HTTPGet, 60))(t)
		body := must(b.GetObjectWithURL(get))(t)
		defer body.Close()
		equal(t, "body", string(must(io.ReadAll(body))(t)), "signed")
		_, err := b.GetObjectWithURL(strings.Replace(get, ".txt", ".tx1", 1))
		equal(t, "code", codeV1(err), "SignatureDoesNotMatch")
	})
}

func TestV1Buckets(t *testing.T) {
	c := newRig(t).v1(t, sdk1.AuthV4, "path")
	const name = "another-bucket"
	check(t, c.CreateBucket(name, sdk1.ACL(sdk1.ACLPublicRead)))
	equal(t, "exists", must(c.IsBucketExist(name))(t), true)
	equal(t, "ACL", must(c.GetBucketACL(name))(t).ACL, "public-read")
	check(t, c.SetBucketACL(name, sdk1.ACLPrivate))
	equal(t, "location", must(c.GetBucketLocation(name))(t), "oss-"+region)
	equal(t, "name", must(c.GetBucketInfo(name))(t).BucketInfo.Name, name)
	equal(t, "objects", must(c.GetBucketStat(name))(t).ObjectCount, 0)
	equal(t, "buckets", len(must(c.ListBuckets())(t).Buckets), 2)
	check(t, c.DeleteBucket(name))
	equal(t, "exists", must(c.IsBucketExist(name))(t), false)
}
