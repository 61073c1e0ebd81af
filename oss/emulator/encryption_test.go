package emulator_test

import "testing"

// TestEncryptionHeaders has the answers say how an object is encrypted, of an
// upload's parts too, and a method for the data only where there is a key.
func TestEncryptionHeaders(t *testing.T) {
	const sse, data, key = "x-oss-server-side-encryption", "x-oss-server-side-data-encryption", "x-oss-server-side-encryption-key-id"
	for _, tc := range []struct {
		name             string
		header           []string
		sse, data, keyed string
	}{
		{"none", nil, "", "", ""},
		{"AES256", []string{sse, "AES256"}, "AES256", "", ""},
		{"KMS", []string{sse, "KMS"}, "KMS", "", "default"},
		{"KMS with a key", []string{sse, "KMS", key, "mine"}, "KMS", "", "mine"},
		{"KMS and SM4", []string{sse, "KMS", data, "SM4"}, "KMS", "SM4", "default"},
		{"SM4 twice", []string{sse, "SM4", data, "SM4"}, "SM4", "", ""},
		{"data alone", []string{data, "SM4"}, "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClient(t)
			check := func(op string, a *answer) {
				t.Helper()
				id := a.header.Get(key)
				if tc.keyed == "default" && id != "" {
					id = "default"
				}
				if a.header.Get(sse) != tc.sse || a.header.Get(data) != tc.data || id != tc.keyed {
					t.Errorf("%s answers %q %q %q", op, a.header.Get(sse), a.header.Get(data), id)
				}
			}
			check("PUT", c.put("k", "x", tc.header...))
			check("GET", c.get("k"))
			check("append", c.want(c.do("POST", target(testBucket, "log", "append&position=0"), "x", tc.header...), 200, ""))
			id := c.initiate("m", tc.header...)
			check("part", c.part("m", id, 1, "x"))
			c.want(c.do("PUT", target(testBucket, "m", "partNumber=2&uploadId="+id), "x", sse, "KMS"), 400, "InvalidArgument")
			check("copied part", c.want(c.do("PUT", target(testBucket, "m", "partNumber=1&uploadId="+id), "", "x-oss-copy-source", "/"+testBucket+"/k"), 200, ""))
			c.want(c.complete("m", id, "", "x-oss-complete-all", "yes", sse, "KMS"), 400, "InvalidArgument")
			check("complete", c.want(c.complete("m", id, "", "x-oss-complete-all", "yes"), 200, ""))
		})
	}
}

// TestCompleteSetsACL has an ACL that comes with CompleteMultipartUpload be
// the object's.
func TestCompleteSetsACL(t *testing.T) {
	c := newClient(t)
	id := c.initiate("m")
	c.part("m", id, 1, "x")
	c.want(c.complete("m", id, "", "x-oss-complete-all", "yes", "x-oss-object-acl", "everybody"), 400, "InvalidArgument")
	c.want(c.complete("m", id, "", "x-oss-complete-all", "yes", "x-oss-object-acl", "public-read"), 200, "")
	if got := c.do("GET", target(testBucket, "m", "acl"), "").element("Grant"); got != "public-read" {
		t.Errorf("ACL is %q", got)
	}
}

// TestClientEncryptedSize has an upload be refused that lacks parts of what its
// client, which encrypts, has announced.
func TestClientEncryptedSize(t *testing.T) {
	c := newClient(t)
	id := c.initiate("m", "x-oss-meta-client-side-encryption-data-size", "2")
	c.part("m", id, 1, "x")
	c.want(c.complete("m", id, "", "x-oss-complete-all", "yes"), 400, "InvalidArgument")
	c.part("m", id, 1, "xy")
	c.want(c.complete("m", id, "", "x-oss-complete-all", "yes"), 200, "")
}

// TestInitiateIgnoresConditions, unlike the other writes, which refuse them.
func TestInitiateIgnoresConditions(t *testing.T) {
	c := newClient(t)
	c.initiate("m", "If-Modified-Since", "Wed, 12 Jun 2024 08:15:30 GMT")
	c.want(c.do("PUT", target(testBucket, "k", ""), "x", "If-Modified-Since", "Wed, 12 Jun 2024 08:15:30 GMT"), 400, "NotImplemented")
}
