package emulator_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

func TestObjectACL(t *testing.T) {
	c := newClient(t)
	c.put("k", "x")
	acl := func() string {
		return c.want(c.do("GET", target(testBucket, "k", "acl"), ""), 200, "").element("Grant")
	}
	if acl() != "default" {
		t.Error(acl())
	}
	c.want(c.do("PUT", target(testBucket, "k", "acl"), "", "x-oss-object-acl", "public-read"), 200, "")
	if acl() != "public-read" {
		t.Error(acl())
	}
	c.want(c.do("PUT", target(testBucket, "k", "acl"), "", "x-oss-object-acl", "x"), 400, "InvalidArgument")
	c.want(c.do("PUT", target(testBucket, "missing", "acl"), "", "x-oss-object-acl", "private"), 404, "NoSuchKey")
}

func tagging(tags ...string) string {
	var b strings.Builder
	for i := 0; i < len(tags); i += 2 {
		fmt.Fprintf(&b, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", tags[i], tags[i+1])
	}
	return "<Tagging><TagSet>" + b.String() + "</TagSet></Tagging>"
}

func TestTagging(t *testing.T) {
	c := newClient(t)
	c.put("k", "x", "x-oss-tagging", "k1=v1&k2")
	get := func() string {
		a := c.want(c.do("GET", target(testBucket, "k", "tagging"), ""), 200, "")
		return fmt.Sprint(a.elements("Key"), a.elements("Value"))
	}
	if got := get(); got != "[k1 k2] [v1 ]" {
		t.Error(got)
	}
	c.want(c.do("PUT", target(testBucket, "k", "tagging"), tagging("a b", "c+d=e", "x", "")), 200, "")
	if got := get(); got != "[a b x] [c+d=e ]" {
		t.Error(got)
	}
	c.want(c.do("PUT", target(testBucket, "k", "tagging"), tagging("键", "中文")), 200, "")
	if got := get(); got != "[键] [中文]" {
		t.Error(got)
	}
	eleven := make([]string, 22)
	for i := range eleven {
		eleven[i] = fmt.Sprint(i)
	}
	for name, body := range map[string]string{
		"eleven": tagging(eleven...), "twice": tagging("a", "", "a", ""), "long key": tagging(strings.Repeat("k", 129), ""),
		"long value": tagging("k", strings.Repeat("v", 257)), "character": tagging("k", "?"), "no key": tagging("", "v"),
	} {
		t.Run(name, func(t *testing.T) {
			c.want(c.do("PUT", target(testBucket, "k", "tagging"), body), 400, "InvalidTag")
		})
	}
	c.want(c.do("PUT", target(testBucket, "k", "tagging"), "<Tagging/>"), 400, "MalformedXML")
	c.want(c.do("DELETE", target(testBucket, "k", "tagging"), ""), 204, "")
	if got := get(); got != "[] []" {
		t.Error(got)
	}
	if got := c.get("k").header.Get("x-oss-tagging-count"); got != "" {
		t.Errorf("count is %s", got)
	}
}

func TestSymlink(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	link := func(key, to string) *answer {
		return c.do("PUT", target(testBucket, key, "symlink"), "", "x-oss-symlink-target", to, "x-oss-meta-a", "link")
	}
	c.want(link("link", "dir%2Fa%20b"), 200, "")
	c.want(c.get("link"), 404, "SymlinkTargetNotExist")
	now = now.Add(time.Minute)
	c.put("dir/a b", "hello", "x-oss-meta-a", "target")
	for _, method := range []string{"GET", "HEAD"} {
		a := c.want(c.do(method, target(testBucket, "link", ""), ""), 200, "")
		if method == "GET" && a.body != "hello" || a.header.Get("Content-Length") != "5" || a.header.Get("ETag") != `"`+md5Hex("hello")+`"` ||
			a.header.Get("x-oss-object-type") != "Symlink" || a.header.Get("x-oss-meta-a") != "link" ||
			a.header.Get("Last-Modified") != now.Format("Mon, 02 Jan 2006 15:04:05 GMT") {
			t.Error(method, a.body, a.header)
		}
	}
	a := c.want(c.do("GET", target(testBucket, "link", "symlink"), ""), 200, "")
	if a.header.Get("x-oss-symlink-target") != "dir%2Fa%20b" || a.header.Get("ETag") == "" || a.body != "" {
		t.Error(a.header)
	}
	c.want(c.do("GET", target(testBucket, "dir/a b", "symlink"), ""), 400, "NotSymlink")
	c.want(c.do("GET", target(testBucket, "missing", "symlink"), ""), 404, "NoSuchKey")
	c.want(link("second", "link"), 200, "")
	c.want(c.get("second"), 400, "InvalidTargetType")
	c.want(link("bad", ""), 400, "InvalidArgument")
	c.want(link("chain", "later"), 200, "")
	c.want(link("later", "dir%2Fa%20b"), 200, "")
	c.want(c.get("chain"), 400, "InvalidTargetType")
	c.want(c.do("DELETE", target(testBucket, "link", ""), ""), 204, "")
	c.want(c.get("dir/a b"), 200, "")
}

// A client that goes on with the endpoint of a bucket it found in a listing
// must come back to this server.
func TestEndpointsOfBuckets(t *testing.T) {
	c := newClient(t)
	const service, internal = "oss-cn-hangzhou.aliyuncs.com", "oss-cn-hangzhou-internal.aliyuncs.com"
	for _, tt := range []struct{ name, host, target, extranet, intranet string }{
		{"address", "127.0.0.1:6770", target(testBucket, "", "bucketInfo"), "http://127.0.0.1:6770", "http://127.0.0.1:6770"},
		{"listing", "[::1]:6770", "/", "http://[::1]:6770", "http://[::1]:6770"},
		{"virtual host", testBucket + ".localhost:6770", target(testBucket, "", "bucketInfo"), "http://localhost:6770", "http://localhost:6770"},
		{"the service's name", service, "/", service, internal},
		{"a bucket under the service's name", testBucket + "." + service, target(testBucket, "", "bucketInfo"), service, internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+tt.target, nil)
			signV4(r, c.now)
			r.Host = tt.host
			if strings.HasPrefix(tt.host, testBucket+".") {
				r.URL.Path = "/"
			}
			a := c.want(c.send(r), 200, "")
			if got := a.element("ExtranetEndpoint"); got != tt.extranet {
				t.Errorf("ExtranetEndpoint is %q, want %q", got, tt.extranet)
			}
			if got := a.element("IntranetEndpoint"); got != tt.intranet {
				t.Errorf("IntranetEndpoint is %q, want %q", got, tt.intranet)
			}
		})
	}
}

func TestBuckets(t *testing.T) {
	c := newClient(t)
	create := func(name, body string, header ...string) *answer {
		return c.do("PUT", target(name, "", ""), body, header...)
	}
	const ia = "<CreateBucketConfiguration><StorageClass>IA</StorageClass><DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>"
	c.want(create("other", ia, "x-oss-acl", "public-read"), 200, "")
	c.want(create("other", ia), 200, "")
	c.want(create("other", ""), 200, "")
	c.want(create("other", strings.Replace(ia, "IA", "Archive", 1)), 409, "BucketAlreadyExists")
	c.want(create("third", "x"), 400, "MalformedXML")
	c.want(create("third", "<CreateBucketConfiguration><LocationConstraint>oss-ap-southeast-1</LocationConstraint></CreateBucketConfiguration>"), 400, "InvalidLocationConstraint")
	c.want(create("here", "<CreateBucketConfiguration><LocationConstraint>oss-cn-hangzhou</LocationConstraint></CreateBucketConfiguration>"), 200, "")
	c.want(create("third", "", "x-oss-acl", "default"), 400, "InvalidArgument")
	c.want(create("third", strings.Replace(ia, "IA", "Gold", 1)), 400, "InvalidArgument")

	a := c.want(c.do("GET", target("other", "", "bucketInfo"), ""), 200, "")
	for name, want := range map[string]string{
		"Name": "other", "CreationDate": "2024-06-12T08:15:30.000Z", "Location": "oss-cn-hangzhou", "StorageClass": "IA",
		"ExtranetEndpoint": "http://127.0.0.1", "IntranetEndpoint": "http://127.0.0.1",
		"DataRedundancyType": "ZRS", "Grant": "public-read", "ID": "1000000000000001",
	} {
		if got := a.element(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	c.want(c.do("HEAD", target("other", "", ""), ""), 200, "")
	c.want(c.do("HEAD", target("missing", "", ""), ""), 404, "NoSuchBucket")
	if got := c.do("GET", target("other", "", "location"), "").element("LocationConstraint"); got != "oss-cn-hangzhou" {
		t.Error(got)
	}
	c.want(c.do("PUT", target("other", "", "acl"), "", "x-oss-acl", "private"), 200, "")
	if got := c.do("GET", target("other", "", "acl"), "").element("Grant"); got != "private" {
		t.Error(got)
	}
	c.want(c.do("PUT", target("other", "", "acl"), "", "x-oss-acl", "default"), 400, "InvalidArgument")
	c.want(c.do("PUT", target("other", "", "acl"), "", "x-oss-acl", "authenticated-read"), 200, "")
	if got := c.do("GET", target("other", "", "acl"), "").element("Grant"); got != "authenticated-read" {
		t.Error(got)
	}
	c.want(c.do("PUT", target("other", "", "acl"), ""), 200, "")
	if got := c.do("GET", target("other", "", "acl"), "").element("Grant"); got != "authenticated-read" {
		t.Error("no ACL changes it to", got)
	}
	c.put("k", "x")
	c.want(c.do("PUT", target(testBucket, "k", "acl"), "", "x-oss-object-acl", "authenticated-read"), 400, "InvalidArgument")
	a = c.want(c.do("PUT", target("made-by-its-acl", "", "acl"), "", "x-oss-acl", "public-read"), 200, "")
	if got := c.do("GET", target("made-by-its-acl", "", "acl"), "").element("Grant"); got != "public-read" || a.header.Get("Location") != "/made-by-its-acl" {
		t.Errorf("the ACL is %q, the header %v", got, a.header)
	}
	c.want(c.do("PUT", target("No-Name", "", "acl"), "", "x-oss-acl", "private"), 400, "InvalidBucketName")
	if a := c.want(c.do("GET", target("other", "", "versioning"), ""), 200, ""); !strings.Contains(a.body, "VersioningConfiguration") {
		t.Error(a.body)
	}
}

func TestListBuckets(t *testing.T) {
	c := newClient(t)
	for _, b := range []string{"bbb", "aaa", "examplf"} {
		c.want(c.do("PUT", target(b, "", ""), ""), 200, "")
	}
	for _, tc := range []struct{ query, want string }{
		{"", "[aaa bbb examplebucket examplf]"},
		{"prefix=exampl", "[examplebucket examplf]"},
		{"marker=bbb", "[examplebucket examplf]"},
		{"marker=bbc&max-keys=1", "[examplebucket]trueexamplebucket1bbc"},
		{"max-keys=4", "[aaa bbb examplebucket examplf]"},
	} {
		a := c.want(c.do("GET", target("", "", tc.query), ""), 200, "")
		got := fmt.Sprint(a.elements("Name")) + a.element("IsTruncated") + a.element("NextMarker") + a.element("MaxKeys") + a.element("Marker")
		if got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.query, got, tc.want)
		}
	}
	c.want(c.do("GET", "/?max-keys=0", ""), 400, "InvalidArgument")
}

func TestTooManyBuckets(t *testing.T) {
	c := newClient(t)
	for i := range 99 {
		c.want(c.do("PUT", fmt.Sprintf("/bucket-%d/", i), ""), 200, "")
	}
	c.want(c.do("PUT", "/one-more/", ""), 400, "TooManyBuckets")
	c.want(c.do("PUT", "/bucket-7/", ""), 200, "")
}

func TestDeleteBucket(t *testing.T) {
	c := newClient(t)
	del := func() *answer { return c.do("DELETE", target(testBucket, "", ""), "") }
	c.put("k", "x")
	c.want(del(), 409, "BucketNotEmpty")
	c.want(c.do("DELETE", target(testBucket, "k", ""), ""), 204, "")
	id := c.initiate("k")
	if a := c.want(del(), 409, "BucketNotEmpty"); !strings.HasPrefix(a.element("Message"), "The bucket has Multipart Uploads.") {
		t.Error(a.body)
	}
	c.want(c.do("DELETE", target(testBucket, "k", "uploadId="+id), ""), 204, "")
	c.want(del(), 204, "")
	c.want(del(), 404, "NoSuchBucket")
	c.want(c.do("PUT", target(testBucket, "k", ""), "x"), 404, "NoSuchBucket")
}

func TestBucketStat(t *testing.T) {
	c := newClient(t)
	c.put("a", "12345")
	c.put("b", "123", "x-oss-storage-class", "IA")
	c.part("k", c.initiate("k"), 1, "x")
	a := c.want(c.do("GET", target(testBucket, "", "stat"), ""), 200, "")
	for name, want := range map[string]string{
		"Storage": "8", "ObjectCount": "2", "StandardStorage": "5", "StandardObjectCount": "1", "InfrequentAccessStorage": "3",
		"InfrequentAccessRealStorage": "3", "InfrequentAccessObjectCount": "1", "ArchiveStorage": "0", "MultipartUploadCount": "1", "MultipartPartCount": "1",
	} {
		if got := a.element(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
