package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// oddKey has what clients escape in different ways.
const oddKey = "dir/a b+c%2F?&=#é文.txt"

// forEachV2 runs a test with both signatures and all styles.
func forEachV2(t *testing.T, test func(t *testing.T, r *rig, c *sdk2.Client)) {
	for _, version := range []sdk2.SignatureVersionType{sdk2.SignatureVersionV4, sdk2.SignatureVersionV1} {
		for _, style := range styles {
			t.Run(fmt.Sprintf("V%d/%s", map[sdk2.SignatureVersionType]int{sdk2.SignatureVersionV1: 1, sdk2.SignatureVersionV4: 4}[version], style), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				test(t, r, r.v2(version, style))
			})
		}
	}
}

func putV2(t *testing.T, c *sdk2.Client, key string, body []byte) *sdk2.PutObjectResult {
	t.Helper()
	return must(c.PutObject(t.Context(), &sdk2.PutObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr(key), Body: bytes.NewReader(body)}))(t)
}

func getV2(t *testing.T, c *sdk2.Client, req *sdk2.GetObjectRequest) []byte {
	t.Helper()
	req.Bucket = sdk2.Ptr(bucket)
	res := must(c.GetObject(t.Context(), req))(t)
	defer res.Body.Close()
	return must(io.ReadAll(res.Body))(t)
}

// codeV2 is the OSS code of an error.
func codeV2(err error) string {
	if e, ok := errors.AsType[*sdk2.ServiceError](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestV2Objects(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr(oddKey)
		body := noise(70_000)
		put := must(c.PutObject(ctx, &sdk2.PutObjectRequest{
			Bucket: b, Key: key, Body: bytes.NewReader(body), ContentType: sdk2.Ptr("text/x-odd"),
			Metadata: map[string]string{"color": "blue"}, StorageClass: sdk2.StorageClassIA, Tagging: sdk2.Ptr("a=1&b=2"),
		}))(t)
		head := must(c.HeadObject(ctx, &sdk2.HeadObjectRequest{Bucket: b, Key: key}))(t)
		equal(t, "ETag", *head.ETag, *put.ETag)
		equal(t, "size", head.ContentLength, int64(len(body)))
		equal(t, "metadata", head.Metadata["color"], "blue")
		equal(t, "type", *head.ContentType, "text/x-odd")
		equal(t, "class", *head.StorageClass, "IA")
		meta := must(c.GetObjectMeta(ctx, &sdk2.GetObjectMetaRequest{Bucket: b, Key: key}))(t)
		equal(t, "checksum", *meta.HashCRC64, *put.HashCRC64)
		if got := getV2(t, c, &sdk2.GetObjectRequest{Key: key}); !bytes.Equal(got, body) {
			t.Error("another body")
		}
		part := getV2(t, c, &sdk2.GetObjectRequest{Key: key, Range: sdk2.Ptr("bytes=69990-80000"), RangeBehavior: sdk2.Ptr("standard")})
		if !bytes.Equal(part, body[69990:]) {
			t.Errorf("range of %d bytes", len(part))
		}
		_, err := c.GetObject(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: key, IfMatch: sdk2.Ptr(`"0"`)})
		equal(t, "code", codeV2(err), "PreconditionFailed")
		_, err = c.PutObject(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: key, ForbidOverwrite: sdk2.Ptr("true")})
		equal(t, "code", codeV2(err), "FileAlreadyExists")
		_, err = c.HeadObject(ctx, &sdk2.HeadObjectRequest{Bucket: b, Key: sdk2.Ptr("missing")})
		equal(t, "code of HEAD", codeV2(err), "NoSuchKey")

		copied := must(c.CopyObject(ctx, &sdk2.CopyObjectRequest{Bucket: b, Key: sdk2.Ptr("copy"), SourceKey: key}))(t)
		equal(t, "ETag of the copy", *copied.ETag, *put.ETag)
		equal(t, "exists", must(c.IsObjectExist(ctx, bucket, "copy"))(t), true)
		must(c.DeleteObject(ctx, &sdk2.DeleteObjectRequest{Bucket: b, Key: sdk2.Ptr("copy")}))(t)
		equal(t, "exists", must(c.IsObjectExist(ctx, bucket, "copy"))(t), false)
		putV2(t, c, "x\x01", nil)
		deleted := must(c.DeleteMultipleObjects(ctx, &sdk2.DeleteMultipleObjectsRequest{
			Bucket: b, Objects: []sdk2.DeleteObject{{Key: key}, {Key: sdk2.Ptr("missing")}, {Key: sdk2.Ptr("x\x01")}},
		}))(t)
		equal(t, "deleted", len(deleted.DeletedObjects), 3)
	})
}

func TestV2Attributes(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr("k")
		putV2(t, c, "k", []byte("data"))
		must(c.PutObjectAcl(ctx, &sdk2.PutObjectAclRequest{Bucket: b, Key: key, Acl: sdk2.ObjectACLPublicRead}))(t)
		equal(t, "ACL", *must(c.GetObjectAcl(ctx, &sdk2.GetObjectAclRequest{Bucket: b, Key: key}))(t).ACL, "public-read")
		must(c.PutObjectTagging(ctx, &sdk2.PutObjectTaggingRequest{
			Bucket: b, Key: key, Tagging: &sdk2.Tagging{TagSet: &sdk2.TagSet{Tags: []sdk2.Tag{{Key: sdk2.Ptr("k1"), Value: sdk2.Ptr("v 1")}}}},
		}))(t)
		tags := must(c.GetObjectTagging(ctx, &sdk2.GetObjectTaggingRequest{Bucket: b, Key: key}))(t)
		if len(tags.Tags) != 1 || *tags.Tags[0].Value != "v 1" {
			t.Errorf("tags are %v", tags.Tags)
		}
		must(c.DeleteObjectTagging(ctx, &sdk2.DeleteObjectTaggingRequest{Bucket: b, Key: key}))(t)
		must(c.PutSymlink(ctx, &sdk2.PutSymlinkRequest{Bucket: b, Key: sdk2.Ptr("link"), Target: key}))(t)
		equal(t, "target", *must(c.GetSymlink(ctx, &sdk2.GetSymlinkRequest{Bucket: b, Key: sdk2.Ptr("link")}))(t).Target, "k")
		equal(t, "body by the link", string(getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("link")})), "data")
		var position int64
		for _, s := range []string{"one", "two"} {
			res := must(c.AppendObject(ctx, &sdk2.AppendObjectRequest{
				Bucket: b, Key: sdk2.Ptr("log"), Position: sdk2.Ptr(position), Body: strings.NewReader(s),
			}))(t)
			position = res.NextPosition
		}
		equal(t, "appended", string(getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("log")})), "onetwo")
		f := must(c.AppendFile(ctx, bucket, "log"))(t)
		must(f.Write([]byte("three")))(t)
		check(t, f.Close())
		file := must(c.OpenFile(ctx, bucket, "log"))(t)
		defer file.Close()
		equal(t, "file", string(must(io.ReadAll(file))(t)), "onetwothree")
	})
}

func TestV2Buckets(t *testing.T) {
	for _, style := range []string{"path", "virtual"} {
		t.Run(style, func(t *testing.T) {
			c := newRig(t).v2(sdk2.SignatureVersionV4, style)
			ctx, b := t.Context(), sdk2.Ptr("another-bucket")
			must(c.PutBucket(ctx, &sdk2.PutBucketRequest{Bucket: b, Acl: sdk2.BucketACLPublicRead}))(t)
			equal(t, "exists", must(c.IsBucketExist(ctx, *b))(t), true)
			equal(t, "ACL", *must(c.GetBucketAcl(ctx, &sdk2.GetBucketAclRequest{Bucket: b}))(t).ACL, "public-read")
			must(c.PutBucketAcl(ctx, &sdk2.PutBucketAclRequest{Bucket: b, Acl: sdk2.BucketACLPrivate}))(t)
			info := must(c.GetBucketInfo(ctx, &sdk2.GetBucketInfoRequest{Bucket: b}))(t)
			equal(t, "name", *info.BucketInfo.Name, *b)
			equal(t, "location", *must(c.GetBucketLocation(ctx, &sdk2.GetBucketLocationRequest{Bucket: b}))(t).LocationConstraint, "oss-"+region)
			equal(t, "objects", must(c.GetBucketStat(ctx, &sdk2.GetBucketStatRequest{Bucket: b}))(t).ObjectCount, 0)
			var names []string
			for p := c.NewListBucketsPaginator(&sdk2.ListBucketsRequest{MaxKeys: 1}); p.HasNext(); {
				for _, item := range must(p.NextPage(ctx))(t).Buckets {
					names = append(names, *item.Name)
				}
			}
			equal(t, "buckets", strings.Join(names, " "), "another-bucket "+bucket)
			must(c.DeleteBucket(ctx, &sdk2.DeleteBucketRequest{Bucket: b}))(t)
			equal(t, "exists", must(c.IsBucketExist(ctx, *b))(t), false)
		})
	}
}

func TestV2Paginators(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b := t.Context(), sdk2.Ptr(bucket)
		var want []string
		for i := range 7 {
			key := fmt.Sprintf("p/%d é\x02", i)
			want = append(want, key)
			putV2(t, c, key, []byte("x"))
		}
		var v1, v2, versions []string
		for p := c.NewListObjectsPaginator(&sdk2.ListObjectsRequest{Bucket: b, MaxKeys: 3}); p.HasNext(); {
			for _, o := range must(p.NextPage(ctx))(t).Contents {
				v1 = append(v1, *o.Key)
			}
		}
		for p := c.NewListObjectsV2Paginator(&sdk2.ListObjectsV2Request{Bucket: b, MaxKeys: 3, Prefix: sdk2.Ptr("p/"), FetchOwner: true}); p.HasNext(); {
			for _, o := range must(p.NextPage(ctx))(t).Contents {
				v2 = append(v2, *o.Key)
			}
		}
		for p := c.NewListObjectVersionsPaginator(&sdk2.ListObjectVersionsRequest{Bucket: b, MaxKeys: 3}); p.HasNext(); {
			for _, o := range must(p.NextPage(ctx))(t).ObjectVersions {
				versions = append(versions, *o.Key)
			}
		}
		for name, got := range map[string][]string{"ListObjects": v1, "ListObjectsV2": v2, "ListObjectVersions": versions} {
			if !slices.Equal(got, want) {
				t.Errorf("%s lists %q", name, got)
			}
		}
		grouped := must(c.ListObjectsV2(ctx, &sdk2.ListObjectsV2Request{Bucket: b, Delimiter: sdk2.Ptr("/")}))(t)
		if len(grouped.CommonPrefixes) != 1 || *grouped.CommonPrefixes[0].Prefix != "p/" {
			t.Errorf("%+v", grouped.CommonPrefixes)
		}
	})
}

func TestV2Multipart(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr(oddKey)
		source := noise(300_000)
		putV2(t, c, "source", source)
		id := must(c.InitiateMultipartUpload(ctx, &sdk2.InitiateMultipartUploadRequest{Bucket: b, Key: key}))(t).UploadId
		must(c.UploadPart(ctx, &sdk2.UploadPartRequest{Bucket: b, Key: key, UploadId: id, PartNumber: 1, Body: bytes.NewReader(source[:102_400])}))(t)
		must(c.UploadPartCopy(ctx, &sdk2.UploadPartCopyRequest{
			Bucket: b, Key: key, UploadId: id, PartNumber: 2, SourceKey: sdk2.Ptr("source"), Range: sdk2.Ptr("bytes=102400-299999"),
		}))(t)
		var parts []sdk2.UploadPart
		for p := c.NewListPartsPaginator(&sdk2.ListPartsRequest{Bucket: b, Key: key, UploadId: id, MaxParts: 1}); p.HasNext(); {
			for _, part := range must(p.NextPage(ctx))(t).Parts {
				parts = append(parts, sdk2.UploadPart{PartNumber: part.PartNumber, ETag: part.ETag})
			}
		}
		equal(t, "parts", len(parts), 2)
		uploads := 0
		for p := c.NewListMultipartUploadsPaginator(&sdk2.ListMultipartUploadsRequest{Bucket: b}); p.HasNext(); {
			uploads += len(must(p.NextPage(ctx))(t).Uploads)
		}
		equal(t, "uploads", uploads, 1)
		must(c.CompleteMultipartUpload(ctx, &sdk2.CompleteMultipartUploadRequest{
			Bucket: b, Key: key, UploadId: id, CompleteMultipartUpload: &sdk2.CompleteMultipartUpload{Parts: parts},
		}))(t)
		if got := getV2(t, c, &sdk2.GetObjectRequest{Key: key}); !bytes.Equal(got, source) {
			t.Error("another body")
		}
		id = must(c.InitiateMultipartUpload(ctx, &sdk2.InitiateMultipartUploadRequest{Bucket: b, Key: key}))(t).UploadId
		must(c.AbortMultipartUpload(ctx, &sdk2.AbortMultipartUploadRequest{Bucket: b, Key: key, UploadId: id}))(t)
		_, err := c.ListParts(ctx, &sdk2.ListPartsRequest{Bucket: b, Key: key, UploadId: id})
		equal(t, "code", codeV2(err), "NoSuchUpload")
	})
}

func TestV2Presign(t *testing.T) {
	forEachV2(t, func(t *testing.T, r *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr(oddKey)
		send := func(p *sdk2.PresignResult, body string) (int, string) {
			t.Helper()
			req := must(http.NewRequestWithContext(ctx, p.Method, p.URL, strings.NewReader(body)))(t)
			for k, v := range p.SignedHeaders {
				req.Header.Set(k, v)
			}
			res := must(r.hc.Do(req))(t)
			defer res.Body.Close()
			return res.StatusCode, string(must(io.ReadAll(res.Body))(t))
		}
		put := must(c.Presign(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: key, ContentType: sdk2.Ptr("text/plain")}, sdk2.PresignExpires(time.Minute)))(t)
		if status, body := send(put, "signed"); status != 200 {
			t.Fatal(status, body)
		}
		get := must(c.Presign(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: key, ResponseContentType: sdk2.Ptr("text/html")}))(t)
		if status, body := send(get, ""); status != 200 || body != "signed" {
			t.Error(status, body)
		}
		get.URL = strings.Replace(get.URL, "html", "htm1", 1)
		if status, body := send(get, ""); status != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
			t.Error(status, body)
		}
	})
}
