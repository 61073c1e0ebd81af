package oss_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// pages answers with its strings in turn, the last again and again.
func pages(t *testing.T, root string, bodies ...string) answerer {
	n := 0
	return func(*http.Request) (*http.Response, error) {
		if n++; n > 50 {
			t.Fatal("the listing does not end")
		}
		return answer(200, "<"+root+">"+bodies[min(n, len(bodies))-1]+"</"+root+">"), nil
	}
}

func keys(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>1</Size></Contents>", name)
	}
	return b.String()
}

func next(token string) string {
	return "<IsTruncated>true</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken>"
}

const last = "<IsTruncated>false</IsTruncated>"

func TestObjectsAcrossPages(t *testing.T) {
	b := bucketOf(t, pages(t, "ListBucketResult",
		keys("a", "c")+"<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"+next("1"),
		next("2"), // a page may be empty
		keys("d")+last))
	var got []string
	for o, err := range b.Objects(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(o.Key, o.IsPrefix))
	}
	if want := []string{"afalse", "b/true", "cfalse", "dfalse"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestListingsWithoutProgress(t *testing.T) {
	for _, v := range []struct {
		name  string
		pages []string
	}{
		{"same token", []string{keys("a") + next("1"), keys("b") + next("1")}},
		{"no token", []string{keys("a") + "<IsTruncated>true</IsTruncated>"}},
		{"keys repeat", []string{keys("a", "b") + next("1"), keys("b", "c") + next("2")}},
		{"keys go back", []string{keys("b", "a") + last}},
		{"no IsTruncated", []string{keys("a")}},
		{"no key", []string{"<Contents><Size>1</Size></Contents>" + last}},
		{"size is no number", []string{"<Contents><Key>a</Key><Size>x</Size></Contents>" + last}},
		{"bad escape", []string{"<EncodingType>url</EncodingType>" + keys("a%2") + last}},
	} {
		var err error
		last := ""
		for o, e := range bucketOf(t, pages(t, "ListBucketResult", v.pages...)).Objects(t.Context(), nil) {
			if err = e; err == nil && o.Key <= last {
				t.Errorf("%s: %s came after %s", v.name, o.Key, last)
			}
			last = o.Key
		}
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("%s: got %v", v.name, err)
		}
	}
	const marked = "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>i</NextUploadIdMarker><NextVersionIdMarker>i</NextVersionIdMarker><NextPartNumberMarker>7</NextPartNumberMarker><NextMarker>m</NextMarker>"
	wantError := func(name string, err error) {
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, err := range bucketOf(t, pages(t, "ListMultipartUploadsResult", marked)).MultipartUploads(t.Context(), nil) {
		wantError("uploads", err)
	}
	for _, err := range bucketOf(t, pages(t, "ListVersionsResult", marked)).ObjectVersions(t.Context(), nil) {
		wantError("versions", err)
	}
	for _, err := range bucketOf(t, pages(t, "ListPartsResult", marked)).Parts(t.Context(), "key", "id", nil) {
		wantError("parts", err)
	}
	for _, err := range newClient(t, pages(t, "ListAllMyBucketsResult", marked), nil).Buckets(t.Context(), nil) {
		wantError("buckets", err)
	}
}

func TestEmptyPagesEnd(t *testing.T) {
	requests := 0
	b := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) {
		if requests++; requests > 5000 {
			t.Fatal("the listing does not end")
		}
		return answer(200, "<ListBucketResult>"+next(fmt.Sprint(requests))+"</ListBucketResult>"), nil
	}))
	for _, err := range b.Objects(t.Context(), nil) {
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
}

func TestListingEndsWithTheLoop(t *testing.T) {
	requests := 0
	b := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) {
		requests++
		return answer(200, "<ListBucketResult>"+keys("a", "b")+next("1")+"</ListBucketResult>"), nil
	}))
	for range b.Objects(t.Context(), nil) {
		break
	}
	if requests != 1 {
		t.Errorf("%d requests", requests)
	}
}

func TestEncodedKeysAreDecodedOnce(t *testing.T) {
	const page = "<EncodingType>url</EncodingType><CommonPrefixes><Prefix>%E6%96%87%2F</Prefix></CommonPrefixes>"
	for body, want := range map[string][]string{
		page + keys("a%2520b", "c+d%01") + last:        {"a%20b", "c+d\x01", "文/"},
		keys("a%2520b", "c+d&#x1;") + last:             {"a%2520b", "c+d\x01"},
		keys("a<![CDATA[<&]]>b", "c&#65;&amp;") + last: {"a<&b", "cA&"},
		"<!-- note --><?pi?>" + keys("a\r\nb") + last:  {"a\nb"},
		keys("<x:y xmlns:x='z'>skipped</x:y>a") + last: {"a"},
	} {
		r, err := bucketOf(t, pages(t, "ListBucketResult", body)).ListObjectsV2(t.Context(), nil)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var got []string
		for _, o := range r.Objects {
			got = append(got, o.Key)
		}
		if got = append(got, r.CommonPrefixes...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

func TestListingIsBounded(t *testing.T) {
	body := "<ListBucketResult>" + strings.Repeat(" ", 17<<20) + last + "</ListBucketResult>"
	_, err := bucketOf(t, always(200, body)).ListObjectsV2(t.Context(), nil)
	if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
		t.Errorf("got %v", err)
	}
	_, err = bucketOf(t, always(200, "<ListBucketResult>"+strings.Repeat("<a>", 100))).ListObjectsV2(t.Context(), nil)
	if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
		t.Errorf("got %v", err)
	}
}
