package emulator_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// model lists the slow way: what a page must contain, given all keys.
func model(keys []string, prefix, delimiter, marker string, limit int) (entries []string, truncated bool) {
	for _, k := range keys {
		if !strings.HasPrefix(k, prefix) || k <= marker {
			continue
		}
		entry := k
		if i := strings.Index(k[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			entry = k[:len(prefix)+i+len(delimiter)] + "*" // a group
			if entry == marker+"*" {
				continue
			}
		}
		if slices.Contains(entries, entry) {
			continue
		}
		if len(entries) == limit {
			return entries, true
		}
		entries = append(entries, entry)
	}
	return entries, false
}

// page reads the entries of an answer, in order.
func page(a *answer) []string {
	entries := make([]string, 0, 10)
	for _, k := range a.elements("Key") {
		k, _ = url.PathUnescape(k)
		entries = append(entries, k)
	}
	for _, p := range a.elements("Prefix")[1:] {
		p, _ = url.PathUnescape(p)
		entries = append(entries, p+"*")
	}
	slices.Sort(entries)
	return entries
}

func TestListAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClient(t)
		key := rapid.StringMatching(`[ab/\x01ü]{1,5}`).Filter(func(s string) bool { return s[0] != '/' })
		keys := rapid.SliceOfNDistinct(key, 0, 20, func(s string) string { return s }).Draw(rt, "keys")
		for _, k := range keys {
			c.put(k, "x")
		}
		slices.Sort(keys)
		prefix := rapid.StringMatching(`[ab/]{0,2}`).Draw(rt, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "a", "ab", "ü"}).Draw(rt, "delimiter")
		marker := rapid.StringMatching(`[ab/\x01]{0,3}`).Draw(rt, "marker")
		limit := rapid.IntRange(1, 5).Draw(rt, "limit")
		q := url.Values{"prefix": {prefix}, "delimiter": {delimiter}, "max-keys": {fmt.Sprint(limit)}, "encoding-type": {"url"}}
		encode := func() string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

		// Each page against the model, and the markers into the next.
		for _, style := range []string{"marker", "start-after", "key-marker"} {
			from, token := marker, ""
			for range len(keys) + 1 {
				for _, name := range []string{"marker", "start-after", "key-marker", "list-type", "versions", "continuation-token"} {
					q.Del(name)
				}
				q.Set(style, from)
				next := "NextMarker"
				switch style {
				case "start-after":
					q.Set("list-type", "2")
					next = "NextContinuationToken"
					if token != "" {
						q.Set("continuation-token", token)
						q.Set("start-after", "ignored")
					}
				case "key-marker":
					q.Set("versions", "")
					next = "NextKeyMarker"
				}
				a := c.want(c.do("GET", target(testBucket, "", encode()), ""), 200, "")
				want, truncated := model(keys, prefix, delimiter, from, limit)
				slices.Sort(want)
				if got := page(a); !slices.Equal(got, want) {
					rt.Fatalf("%s after %q: got %q, want %q", style, from, got, want)
				}
				if a.element("IsTruncated") != fmt.Sprint(truncated) || (a.element(next) != "") != truncated {
					rt.Fatalf("%s after %q: truncated is %s, want %v", style, from, a.element("IsTruncated"), truncated)
				}
				if !truncated {
					break
				}
				if style == "start-after" {
					token, _ = url.PathUnescape(a.element(next))
					from = strings.TrimSuffix(want[len(want)-1], "*")
				} else {
					from, _ = url.PathUnescape(a.element(next))
				}
			}
		}
	})
}

func TestListDocuments(t *testing.T) {
	c := newClient(t)
	c.put("a b", "xyz", "x-oss-storage-class", "IA")
	c.put("dir/x", "")
	const owner = "<Owner><ID>1000000000000001</ID><DisplayName>1000000000000001</DisplayName></Owner>"
	info := `<LastModified>2024-06-12T08:15:30.000Z</LastModified><ETag>"` + md5Hex("xyz") + `"</ETag><Type>Normal</Type><Size>3</Size><StorageClass>IA</StorageClass>`
	for _, tc := range []struct{ name, query, want string }{
		{
			"v1", "delimiter=/&encoding-type=url&max-keys=10",
			"<ListBucketResult><Name>examplebucket</Name><Prefix></Prefix><Marker></Marker><MaxKeys>10</MaxKeys><Delimiter>%2F</Delimiter><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" +
				"<Contents><Key>a%20b</Key>" + info + owner + "</Contents><CommonPrefixes><Prefix>dir%2F</Prefix></CommonPrefixes></ListBucketResult>",
		},
		{
			"v2", "list-type=2&prefix=a&start-after=A",
			"<ListBucketResult><Name>examplebucket</Name><Prefix>a</Prefix><StartAfter>A</StartAfter><MaxKeys>100</MaxKeys><Delimiter></Delimiter><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>" +
				"<Contents><Key>a b</Key>" + info + "</Contents></ListBucketResult>",
		},
		{
			"v2 with owner", "list-type=2&prefix=a&fetch-owner=true",
			"<ListBucketResult><Name>examplebucket</Name><Prefix>a</Prefix><MaxKeys>100</MaxKeys><Delimiter></Delimiter><IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>" +
				"<Contents><Key>a b</Key>" + info + owner + "</Contents></ListBucketResult>",
		},
		{
			"versions", "versions&prefix=a",
			"<ListVersionsResult><Name>examplebucket</Name><Prefix>a</Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><MaxKeys>100</MaxKeys><Delimiter></Delimiter><IsTruncated>false</IsTruncated>" +
				"<Version><Key>a b</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>" + info + owner + "</Version></ListVersionsResult>",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := c.want(c.do("GET", target(testBucket, "", tc.query), ""), 200, "")
			if want := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + tc.want; a.body != want {
				t.Errorf("got  %s\nwant %s", a.body, want)
			}
		})
	}
}

func TestListRefusals(t *testing.T) {
	c := newClient(t)
	for _, q := range []string{
		"max-keys=0", "max-keys=1001", "max-keys=x", "max-keys=-1", "encoding-type=base64", "list-type=3",
		"list-type=2&continuation-token=madeup", "versions&version-id-marker=a", "prefix=" + strings.Repeat("a", 1024),
		"prefix=%FF", "prefix=%zz",
	} {
		t.Run(q[:min(len(q), 40)], func(t *testing.T) {
			c.want(c.do("GET", target(testBucket, "", q), ""), 400, "InvalidArgument")
		})
	}
	c.want(c.do("GET", target("missing", "", ""), ""), 404, "NoSuchBucket")
}
