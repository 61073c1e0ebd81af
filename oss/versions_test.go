package oss_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

func TestListObjectVersions(t *testing.T) {
	first := `<Name>examplebucket</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
		<NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>
		<DeleteMarker><Key>a%20b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest><LastModified>2024-06-30T08:15:30.000Z</LastModified></DeleteMarker>
		<Version><Key>a%20b</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><Size>7</Size><ETag>"E"</ETag><Type>Normal</Type>
			<StorageClass>IA</StorageClass><Owner><ID>1</ID><DisplayName>me</DisplayName></Owner></Version>`
	second := `<IsTruncated>false</IsTruncated><Version><Key>c</Key><VersionId>null</VersionId></Version><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>`
	var queries []string
	page := pages(t, "ListVersionsResult", first, second)
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		queries = append(queries, r.URL.RawQuery)
		return page(r)
	}))
	var got []oss.VersionSummary
	for v, err := range b.ObjectVersions(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 4 {
		t.Fatalf("got %+v", got)
	}
	if v := got[0]; v.Key != "a b" || v.VersionID != "v3" || !v.IsLatest || !v.IsDeleteMarker || v.LastModified.Day() != 30 {
		t.Errorf("marker: %+v", v)
	}
	if v := got[1]; v.Size != 7 || v.ETag != "E" || v.StorageClass != "IA" || v.Owner.DisplayName != "me" || v.IsDeleteMarker {
		t.Errorf("version: %+v", v)
	}
	if !got[3].IsPrefix || got[3].Key != "p/" {
		t.Errorf("prefix: %+v", got[3])
	}
	want := []string{
		"encoding-type=url&max-keys=1000&versions",
		"encoding-type=url&key-marker=a%20b&max-keys=1000&version-id-marker=v2&versions",
	}
	if !slices.Equal(queries, want) {
		t.Errorf("queries %q", queries)
	}
}

func TestDeleteVersions(t *testing.T) {
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), "<Object><Key>a</Key><VersionId>v1</VersionId></Object><Object><Key>b</Key></Object>") {
			t.Errorf("got %s, %v", body, err)
		}
		return answer(200, `<DeleteResult><Deleted><Key>a</Key><VersionId>v1</VersionId></Deleted>
			<Deleted><Key>b</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted></DeleteResult>`), nil
	}))
	r, err := b.DeleteObjectVersions(t.Context(), []oss.ObjectVersion{{Key: "a", VersionID: "v1"}, {Key: "b"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []oss.DeletedObject{{Key: "a", VersionID: "v1"}, {Key: "b", DeleteMarker: true, DeleteMarkerVersionID: "m"}}
	if !slices.Equal(r.Entries, want) {
		t.Errorf("got %+v", r.Entries)
	}
}

func TestVersionsOfObjects(t *testing.T) {
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		if r.URL.RawQuery != "versionId=v1" && r.URL.RawQuery != "objectMeta&versionId=v1" {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		return answer(200, "", "X-Oss-Version-Id: v1", "X-Oss-Delete-Marker: true"), nil
	}))
	if r, err := b.DeleteObject(t.Context(), "key", &oss.DeleteObjectOptions{VersionID: "v1"}); err != nil || r.VersionID != "v1" || !r.DeleteMarker {
		t.Errorf("delete: %+v, %v", r, err)
	}
	for _, head := range []func() (*oss.ObjectMeta, error){
		func() (*oss.ObjectMeta, error) {
			return b.HeadObject(t.Context(), "key", &oss.HeadObjectOptions{VersionID: "v1"})
		},
		func() (*oss.ObjectMeta, error) {
			return b.GetObjectMeta(t.Context(), "key", &oss.HeadObjectOptions{VersionID: "v1"})
		},
	} {
		if m, err := head(); err != nil || m.VersionID != "v1" {
			t.Errorf("head: %+v, %v", m, err)
		}
	}
}

func TestCallbackAnswer(t *testing.T) {
	b := bucketOf(t, always(200, `{"Status":"OK"}`))
	headers := oss.ObjectHeaders{Callback: "eyJjYWxsYmFja1VybCI6Ii4uLiJ9"}
	r, err := b.PutObject(t.Context(), "key", nil, &oss.PutObjectOptions{ObjectHeaders: headers})
	if err != nil || string(r.CallbackBody) != `{"Status":"OK"}` {
		t.Errorf("put: %v, %v", r, err)
	}
	parts := []oss.Part{{Number: 1, ETag: "x"}}
	c, err := b.CompleteMultipartUpload(t.Context(), "key", "id", parts, &oss.CompleteMultipartOptions{Callback: headers.Callback})
	if err != nil || string(c.CallbackBody) != `{"Status":"OK"}` {
		t.Errorf("complete: %v, %v", c, err)
	}
}
