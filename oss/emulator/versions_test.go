package emulator_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// history is what the versions of one key should be, newest first.
type history []version

type version struct {
	id, body string
	marker   bool
}

func (h history) without(id string) history {
	return slices.DeleteFunc(slices.Clone(h), func(v version) bool { return v.id == id })
}

const versioned = "<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>"

// A random history of writes and deletions, with versioning switched on and
// off, against the simplest account of what it should leave.
func TestVersions(t *testing.T) {
	c := newClient(t)
	r := rand.New(rand.NewPCG(1, 2))
	keys := []string{"a", "a/b", "a/c", "b"}
	want := map[string]history{}
	state := ""
	for step := range 400 {
		key := keys[r.IntN(len(keys))]
		h := want[key]
		newest := func(v version) history {
			switch state {
			case "":
				v.id, h = "null", nil
			case "Suspended":
				v.id, h = "null", h.without("null")
			}
			return append(history{v}, h...)
		}
		switch n := r.IntN(12); {
		case n == 0 && step > 30:
			state = []string{"Enabled", "Suspended"}[r.IntN(2)]
			c.want(c.do("PUT", target(testBucket, "", "versioning"), fmt.Sprintf(versioned, state)), 200, "")
		case n < 6:
			body := fmt.Sprint("body ", step)
			a := c.want(c.do("PUT", target(testBucket, key, ""), body), 200, "")
			id := a.header.Get("x-oss-version-id")
			if (id == "") != (state == "") || state == "Suspended" && id != "null" || state == "Enabled" && len(id) != 64 {
				t.Fatalf("%s: version id %q", state, id)
			}
			want[key] = newest(version{id: id, body: body})
		case n < 9:
			a := c.want(c.do("DELETE", target(testBucket, key, ""), ""), 204, "")
			if state == "" {
				want[key] = nil
				break
			}
			if a.header.Get("x-oss-delete-marker") != "true" {
				t.Fatal(a.header)
			}
			want[key] = newest(version{id: a.header.Get("x-oss-version-id"), marker: true})
		case len(h) > 0:
			v := h[r.IntN(len(h))]
			a := c.want(c.do("DELETE", target(testBucket, key, "versionId="+v.id), ""), 204, "")
			if got := a.header.Get("x-oss-delete-marker") == "true"; got != v.marker && state != "" {
				t.Fatal(a.header)
			}
			want[key] = h.without(v.id)
		}
		checkHistory(t, c, key, want[key])
	}
	checkVersionLists(t, c, keys, want)
	stat := c.want(c.do("GET", target(testBucket, "", "stat"), ""), 200, "").body
	var objects, markers, bytes int
	for _, h := range want {
		for _, v := range h {
			if v.marker {
				markers++
			} else {
				objects, bytes = objects+1, bytes+len(v.body)
			}
		}
	}
	for _, e := range []string{
		fmt.Sprintf("<ObjectCount>%d<", objects), fmt.Sprintf("<DeleteMarkerCount>%d<", markers), fmt.Sprintf("<Storage>%d<", bytes),
	} {
		if !strings.Contains(stat, e) {
			t.Errorf("no %s in %s", e, stat)
		}
	}
}

func checkHistory(t *testing.T, c *client, key string, h history) {
	t.Helper()
	switch {
	case len(h) == 0:
		c.want(c.get(key), 404, "NoSuchKey")
	case h[0].marker:
		if a := c.want(c.get(key), 404, "NoSuchKey"); a.header.Get("x-oss-delete-marker") != "true" || a.header.Get("x-oss-version-id") != h[0].id {
			t.Fatal(a.header)
		}
	default:
		if a := c.want(c.get(key), 200, ""); a.body != h[0].body {
			t.Fatalf("%s is %q, not %q", key, a.body, h[0].body)
		}
	}
	for _, v := range h {
		a := c.do("GET", target(testBucket, key, "versionId="+v.id), "")
		if v.marker {
			if c.want(a, 405, "MethodNotAllowed"); a.header.Get("x-oss-delete-marker") != "true" {
				t.Fatal(a.header)
			}
		} else if c.want(a, 200, ""); a.body != v.body {
			t.Fatalf("version %s of %s is %q, not %q", v.id, key, a.body, v.body)
		}
	}
}

// checkVersionLists reads all versions at every page size.
func checkVersionLists(t *testing.T, c *client, keys []string, want map[string]history) {
	t.Helper()
	var all []string
	for _, key := range slices.Sorted(slices.Values(keys)) {
		for i, v := range want[key] {
			all = append(all, fmt.Sprint(key, " ", v.id, " ", v.marker, " ", i == 0))
		}
	}
	for _, size := range []int{1, 2, 3, 1000} {
		var got []string
		marker, id := "", ""
		for {
			q := fmt.Sprintf("versions&max-keys=%d&key-marker=%s&version-id-marker=%s", size, url.QueryEscape(marker), id)
			a := c.want(c.do("GET", target(testBucket, "", q), ""), 200, "")
			page := a.body
			for page != "" {
				i := strings.Index(page, "<VersionId>")
				if i < 0 {
					break
				}
				keyAt := strings.LastIndex(page[:i], "<Key>")
				kind := page[:keyAt]
				got = append(got, fmt.Sprint(
					between(page[keyAt:], "Key"), " ", between(page, "VersionId"), " ", strings.HasSuffix(kind, "<DeleteMarker>"), " ", between(page[i:], "IsLatest")))
				page = page[i+1:]
			}
			if between(a.body, "IsTruncated") != "true" {
				break
			}
			marker, id = between(a.body, "NextKeyMarker"), between(a.body, "NextVersionIdMarker")
		}
		if !slices.Equal(got, all) {
			t.Fatalf("pages of %d:\n%s\nwant\n%s", size, strings.Join(got, "\n"), strings.Join(all, "\n"))
		}
	}
	a := c.want(c.do("GET", target(testBucket, "", "versions&delimiter=/"), ""), 200, "")
	if !strings.Contains(a.body, "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>") {
		t.Error(a.body)
	}
}

// between is the text of the first element of that name.
func between(s, name string) string {
	_, rest, _ := strings.Cut(s, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

func TestVersionsOfOtherKinds(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target(testBucket, "", "versioning"), "<VersioningConfiguration><Status>Sometimes</Status></VersioningConfiguration>"), 400, "MalformedXML")
	c.want(c.do("PUT", target(testBucket, "", "versioning"), "<VersioningConfiguration><Status>Enabled</Status><Status>Enabled</Status></VersioningConfiguration>"), 400, "MalformedXML")
	c.want(c.do("PUT", target(testBucket, "", "versioning"), fmt.Sprintf(versioned, "Enabled")), 200, "")
	if a := c.want(c.do("GET", target(testBucket, "", "versioning"), ""), 200, ""); !strings.Contains(a.body, "<Status>Enabled<") {
		t.Error(a.body)
	}
	old := c.want(c.do("PUT", target(testBucket, "k", ""), "old"), 200, "").header.Get("x-oss-version-id")
	now := c.want(c.do("PUT", target(testBucket, "k", ""), "new", "x-oss-forbid-overwrite", "true"), 200, "").header.Get("x-oss-version-id")

	// Tags and ACL belong to a version.
	c.want(c.do("PUT", target(testBucket, "k", "tagging&versionId="+old), "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"), 200, "")
	if a := c.want(c.do("GET", target(testBucket, "k", "tagging"), ""), 200, ""); strings.Contains(a.body, "<Key>") || a.header.Get("x-oss-version-id") != now {
		t.Error(a.header, a.body)
	}
	if a := c.want(c.do("GET", target(testBucket, "k", "tagging&versionId="+old), ""), 200, ""); !strings.Contains(a.body, "<Key>a<") {
		t.Error(a.body)
	}
	c.want(c.do("PUT", target(testBucket, "k", "acl&versionId="+old), "", "x-oss-object-acl", "public-read"), 200, "")

	// A copy of an old version becomes the newest of its key.
	a := c.want(c.do("PUT", target(testBucket, "k", ""), "", "x-oss-copy-source", "/"+testBucket+"/k?versionId="+old), 200, "")
	if a.header.Get("x-oss-copy-source-version-id") != old || a.header.Get("x-oss-version-id") == old {
		t.Error(a.header)
	}
	if a := c.want(c.get("k"), 200, ""); a.body != "old" {
		t.Error(a.body)
	}
	c.want(c.do("GET", target(testBucket, "k", "versionId=CAEQnone"), ""), 404, "NoSuchVersion")
	c.want(c.do("GET", target(testBucket, "k", "versionId=234"), ""), 400, "InvalidArgument")

	// Many at once: a marker for one, a version of another, a marker's own end.
	body := "<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>" + old + "</VersionId></Object></Delete>"
	a = c.want(c.deleteObjects("", body), 200, "")
	marker := between(a.body, "DeleteMarkerVersionId")
	if marker == "" || !strings.Contains(a.body, "<VersionId>"+old+"<") {
		t.Error(a.body)
	}
	a = c.want(c.deleteObjects("", "<Delete><Object><Key>k</Key><VersionId>"+marker+"</VersionId></Object></Delete>"), 200, "")
	if !strings.Contains(a.body, "<DeleteMarker>true<") {
		t.Error(a.body)
	}
	c.want(c.get("k"), 200, "")

	// What is appended makes no versions.
	appended := ""
	for i, text := range []string{"x", "y"} {
		a := c.want(c.do("POST", target(testBucket, "log", fmt.Sprint("append&position=", i)), text), 200, "")
		id := a.header.Get("x-oss-version-id")
		if len(id) != 64 || i > 0 && id != appended {
			t.Error(a.header)
		}
		appended = id
	}
	c.want(c.do("DELETE", target(testBucket, "", ""), ""), 409, "BucketNotEmpty")
}

func TestRestore(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	c.want(c.do("PUT", target(testBucket, "cold", ""), "x", "x-oss-storage-class", "ColdArchive"), 200, "")
	c.put("warm", "x")
	c.want(c.get("cold"), 403, "InvalidObjectState")
	c.want(c.do("PUT", target(testBucket, "copy", ""), "", "x-oss-copy-source", "/"+testBucket+"/cold"), 403, "InvalidObjectState")
	c.want(c.do("POST", target(testBucket, "cold", "cleanRestoredObject"), ""), 409, "ArchiveRestoreFileStale")
	c.want(c.do("POST", target(testBucket, "warm", "restore"), ""), 400, "OperationNotSupported")
	c.want(c.do("POST", target(testBucket, "cold", "restore"), "<RestoreRequest><Days>0</Days></RestoreRequest>"), 400, "MalformedXML")
	const tier = "<RestoreRequest><Days>1</Days><JobParameters><Tier>%s</Tier></JobParameters></RestoreRequest>"
	c.want(c.do("POST", target(testBucket, "cold", "restore"), fmt.Sprintf(tier, "Soon")), 400, "InvalidArgument")
	c.want(c.do("PUT", target(testBucket, "archive", ""), "x", "x-oss-storage-class", "Archive"), 200, "")
	c.want(c.do("POST", target(testBucket, "archive", "restore"), fmt.Sprintf(tier, "Bulk")), 400, "MalformedXML")
	c.want(c.do("POST", target(testBucket, "cold", "restore"), "<RestoreRequest><Days>2</Days></RestoreRequest>"), 202, "")
	c.want(c.do("POST", target(testBucket, "cold", "restore"), ""), 409, "RestoreAlreadyInProgress")
	if a := c.want(c.do("HEAD", target(testBucket, "cold", ""), ""), 200, ""); a.header.Get("x-oss-restore") != `ongoing-request="true"` {
		t.Error(a.header)
	}
	if a := c.want(c.do("GET", target(testBucket, "", "list-type=2"), ""), 200, ""); !strings.Contains(a.body, "<RestoreInfo>ongoing-request=&quot;true&quot;</RestoreInfo>") && !strings.Contains(a.body, `<RestoreInfo>ongoing-request="true"</RestoreInfo>`) {
		t.Error(a.body)
	}
	c.want(c.get("cold"), 403, "InvalidObjectState")
	c.want(c.do("POST", target(testBucket, "cold", "cleanRestoredObject"), ""), 409, "ArchiveRestoreNotFinished")
	now = now.Add(time.Minute)
	c.want(c.do("POST", target(testBucket, "cold", "restore"), "<RestoreRequest><Days>3</Days></RestoreRequest>"), 200, "")
	a := c.want(c.do("HEAD", target(testBucket, "cold", ""), ""), 200, "")
	if h := a.header.Get("x-oss-restore"); !strings.HasPrefix(h, `ongoing-request="false", expiry-date="`) {
		t.Error(h)
	}
	if a := c.want(c.get("cold"), 200, ""); a.body != "x" {
		t.Error(a.body)
	}
	c.want(c.do("POST", target(testBucket, "cold", "cleanRestoredObject"), ""), 204, "")
	c.want(c.get("cold"), 403, "InvalidObjectState")
}

func TestSeal(t *testing.T) {
	c := newClient(t)
	c.put("plain", "x")
	c.want(c.do("POST", target(testBucket, "plain", "seal&position=1"), ""), 409, "ObjectNotAppendable")
	c.want(c.do("POST", target(testBucket, "log", "append&position=0"), "abc"), 200, "")
	c.want(c.do("POST", target(testBucket, "log", "seal&position=2"), ""), 409, "PositionNotEqualToLength")
	a := c.want(c.do("POST", target(testBucket, "log", "seal&position=3"), ""), 200, "")
	if _, err := time.Parse(http.TimeFormat, a.header.Get("x-oss-sealed-time")); err != nil {
		t.Error(err)
	}
	c.want(c.do("POST", target(testBucket, "log", "append&position=3"), "d"), 409, "ObjectIsSealed")
}

// TestCopyBack: a copy of an old version over the newest brings back all of it.
func TestCopyBack(t *testing.T) {
	c := newClient(t)
	c.want(c.do("PUT", target(testBucket, "", "versioning"), fmt.Sprintf(versioned, "Enabled")), 200, "")
	old := c.put("k", "old", "x-oss-meta-a", "old").header.Get("x-oss-version-id")
	c.put("k", "new", "x-oss-meta-a", "new")
	a := c.want(c.copy("k", "/"+testBucket+"/k?versionId="+old), 200, "")
	if got := a.header.Get("x-oss-copy-source-version-id"); got != old {
		t.Errorf("source is version %s, want %s", got, old)
	}
	got := c.want(c.get("k"), 200, "")
	if got.body != "old" || got.header.Get("x-oss-meta-a") != "old" || got.header.Get("x-oss-version-id") != a.header.Get("x-oss-version-id") {
		t.Errorf("%q with %v", got.body, got.header)
	}
}
