package interop_test

import (
	"strings"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	sdk1 "github.com/aliyun/aliyun-oss-go-sdk/oss"
)

func TestV2Versioning(t *testing.T) {
	forEachV2(t, func(t *testing.T, _ *rig, c *sdk2.Client) {
		ctx, b, key := t.Context(), sdk2.Ptr(bucket), sdk2.Ptr("k")
		putV2(t, c, "k", []byte("null"))
		set := func(status sdk2.VersioningStatusType) {
			t.Helper()
			must(c.PutBucketVersioning(ctx, &sdk2.PutBucketVersioningRequest{
				Bucket: b, VersioningConfiguration: &sdk2.VersioningConfiguration{Status: status},
			}))(t)
			equal(t, "status", *must(c.GetBucketVersioning(ctx, &sdk2.GetBucketVersioningRequest{Bucket: b}))(t).VersionStatus, string(status))
		}
		set(sdk2.VersionEnabled)
		first, second := putV2(t, c, "k", []byte("first")), putV2(t, c, "k", []byte("second"))
		for id, body := range map[*string]string{first.VersionId: "first", second.VersionId: "second", sdk2.Ptr("null"): "null", nil: "second"} {
			equal(t, "version", string(getV2(t, c, &sdk2.GetObjectRequest{Key: key, VersionId: id})), body)
		}
		marker := must(c.DeleteObject(ctx, &sdk2.DeleteObjectRequest{Bucket: b, Key: key}))(t)
		equal(t, "marker", marker.DeleteMarker, true)
		_, err := c.GetObject(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: key})
		equal(t, "code", codeV2(err), "NoSuchKey")
		versions, markers := 0, 0
		for p := c.NewListObjectVersionsPaginator(&sdk2.ListObjectVersionsRequest{Bucket: b, MaxKeys: 1}); p.HasNext(); {
			page := must(p.NextPage(ctx))(t)
			versions += len(page.ObjectVersions)
			markers += len(page.ObjectDeleteMarkers)
		}
		equal(t, "versions", versions, 3)
		equal(t, "markers", markers, 1)
		must(c.DeleteObject(ctx, &sdk2.DeleteObjectRequest{Bucket: b, Key: key, VersionId: marker.VersionId}))(t)
		equal(t, "body", string(getV2(t, c, &sdk2.GetObjectRequest{Key: key})), "second")
		must(c.CopyObject(ctx, &sdk2.CopyObjectRequest{Bucket: b, Key: sdk2.Ptr("copy"), SourceKey: key, SourceVersionId: first.VersionId}))(t)
		equal(t, "copy", string(getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("copy")})), "first")
		must(c.DeleteMultipleObjects(ctx, &sdk2.DeleteMultipleObjectsRequest{Bucket: b, Objects: []sdk2.DeleteObject{
			{Key: key, VersionId: first.VersionId}, {Key: key, VersionId: second.VersionId},
		}}))(t)
		equal(t, "body", string(getV2(t, c, &sdk2.GetObjectRequest{Key: key})), "null")
		set(sdk2.VersionSuspended)
		putV2(t, c, "k", []byte("overwritten"))
		equal(t, "version", string(getV2(t, c, &sdk2.GetObjectRequest{Key: key, VersionId: sdk2.Ptr("null")})), "overwritten")
	})
}

func TestV1Versioning(t *testing.T) {
	r := newRig(t)
	c := r.v1(t, sdk1.AuthV1, "path")
	check(t, c.SetBucketVersioning(bucket, sdk1.VersioningConfig{Status: "Enabled"}))
	equal(t, "status", must(c.GetBucketVersioning(bucket))(t).Status, "Enabled")
	b := must(c.Bucket(bucket))(t)
	for _, body := range []string{"one", "two"} {
		check(t, b.PutObject("k", strings.NewReader(body)))
	}
	check(t, b.DeleteObject("k"))
	all := must(b.ListObjectVersions())(t)
	equal(t, "versions", len(all.ObjectVersions), 2)
	equal(t, "markers", len(all.ObjectDeleteMarkers), 1)
	for _, v := range all.ObjectVersions {
		want := "one"
		if v.IsLatest || v.VersionId == all.ObjectVersions[0].VersionId {
			want = "two"
		}
		equal(t, "version", string(getV1(t, b, "k", sdk1.VersionId(v.VersionId))), want)
	}
	var versions []sdk1.DeleteObject
	for _, v := range all.ObjectVersions {
		versions = append(versions, sdk1.DeleteObject{Key: v.Key, VersionId: v.VersionId})
	}
	versions = append(versions, sdk1.DeleteObject{Key: "k", VersionId: all.ObjectDeleteMarkers[0].VersionId})
	equal(t, "deleted", len(must(b.DeleteObjectVersions(versions))(t).DeletedObjectsDetail), 3)
	equal(t, "left", len(must(b.ListObjectVersions())(t).ObjectVersions), 0)
}
