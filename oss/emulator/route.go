package emulator

import (
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
)

// access is what a caller without a signature needs.
type access byte

const (
	ownerAccess  access = iota // nobody but the owner
	readAccess                 // an ACL that lets everyone read
	writeAccess                // an ACL that lets everyone write
	createBucket               // the owner, and the bucket need not exist
)

type level byte

const (
	service level = iota
	bucket
	object
)

// routeKey selects an operation. sub is the query parameter that makes the
// request more than plain reading and writing; copy says that the request
// names a source.
type routeKey struct {
	method string
	level  level
	sub    string
	copy   bool
}

type route struct {
	routeKey
	op     string
	access access
	handle func(*request) error
}

// routeTable has every operation there is.
func routeTable() map[routeKey]*route {
	table := []route{
		{routeKey{"GET", service, "", false}, "ListBuckets", ownerAccess, (*request).listBuckets},

		{routeKey{"PUT", bucket, "", false}, "PutBucket", createBucket, (*request).putBucket},
		{routeKey{"DELETE", bucket, "", false}, "DeleteBucket", ownerAccess, (*request).deleteBucket},
		{routeKey{"HEAD", bucket, "", false}, "HeadBucket", readAccess, (*request).headBucket},
		{routeKey{"GET", bucket, "", false}, "ListObjects", readAccess, (*request).listObjects},
		{routeKey{"GET", bucket, "list-type", false}, "ListObjectsV2", readAccess, (*request).listObjectsV2},
		{routeKey{"GET", bucket, "versions", false}, "ListObjectVersions", readAccess, (*request).listVersions},
		{routeKey{"GET", bucket, "uploads", false}, "ListMultipartUploads", ownerAccess, (*request).listUploads},
		{routeKey{"POST", bucket, "delete", false}, "DeleteMultipleObjects", writeAccess, (*request).deleteObjects},
		{routeKey{"GET", bucket, "bucketInfo", false}, "GetBucketInfo", ownerAccess, (*request).bucketInfo},
		{routeKey{"HEAD", bucket, "bucketInfo", false}, "GetBucketInfo", ownerAccess, (*request).headBucket},
		{routeKey{"GET", bucket, "location", false}, "GetBucketLocation", ownerAccess, (*request).bucketLocation},
		{routeKey{"GET", bucket, "stat", false}, "GetBucketStat", ownerAccess, (*request).bucketStat},
		{routeKey{"GET", bucket, "acl", false}, "GetBucketAcl", ownerAccess, (*request).getBucketACL},
		{routeKey{"PUT", bucket, "acl", false}, "PutBucketAcl", ownerAccess, (*request).putBucketACL},
		{routeKey{"GET", bucket, "versioning", false}, "GetBucketVersioning", ownerAccess, (*request).bucketVersioning},

		{routeKey{"PUT", object, "", false}, "PutObject", writeAccess, (*request).putObject},
		{routeKey{"PUT", object, "", true}, "CopyObject", ownerAccess, (*request).copyObject},
		{routeKey{"GET", object, "", false}, "GetObject", readAccess, (*request).getObject},
		{routeKey{"HEAD", object, "", false}, "HeadObject", readAccess, (*request).headObject},
		{routeKey{"HEAD", object, "objectMeta", false}, "GetObjectMeta", readAccess, (*request).objectMeta},
		{routeKey{"GET", object, "objectMeta", false}, "GetObjectMeta", readAccess, (*request).objectMeta},
		{routeKey{"DELETE", object, "", false}, "DeleteObject", writeAccess, (*request).deleteObject},
		{routeKey{"DELETE", object, "symlink", false}, "DeleteObject", writeAccess, (*request).deleteObject},
		{routeKey{"POST", object, "append", false}, "AppendObject", writeAccess, (*request).appendObject},
		{routeKey{"GET", object, "acl", false}, "GetObjectAcl", ownerAccess, (*request).getObjectACL},
		{routeKey{"PUT", object, "acl", false}, "PutObjectAcl", ownerAccess, (*request).putObjectACL},
		{routeKey{"GET", object, "tagging", false}, "GetObjectTagging", ownerAccess, (*request).getTagging},
		{routeKey{"PUT", object, "tagging", false}, "PutObjectTagging", ownerAccess, (*request).putTagging},
		{routeKey{"DELETE", object, "tagging", false}, "DeleteObjectTagging", ownerAccess, (*request).deleteTagging},
		{routeKey{"PUT", object, "symlink", false}, "PutSymlink", writeAccess, (*request).putSymlink},
		{routeKey{"GET", object, "symlink", false}, "GetSymlink", readAccess, (*request).getSymlink},

		{routeKey{"POST", object, "uploads", false}, "InitiateMultipartUpload", writeAccess, (*request).initiateUpload},
		{routeKey{"PUT", object, "uploadId", false}, "UploadPart", writeAccess, (*request).uploadPart},
		{routeKey{"PUT", object, "uploadId", true}, "UploadPartCopy", ownerAccess, (*request).uploadPartCopy},
		{routeKey{"POST", object, "uploadId", false}, "CompleteMultipartUpload", writeAccess, (*request).completeUpload},
		{routeKey{"DELETE", object, "uploadId", false}, "AbortMultipartUpload", writeAccess, (*request).abortUpload},
		{routeKey{"GET", object, "uploadId", false}, "ListParts", ownerAccess, (*request).listParts},
	}
	m := make(map[routeKey]*route, len(table))
	for i := range table {
		m[table[i].routeKey] = &table[i]
	}
	return m
}

// route finds the operation. What the protocol has and this server has not is
// NotImplemented, never something else.
func (rq *request) route() (*route, error) {
	k := routeKey{method: rq.r.Method, sub: rq.subResource()}
	switch {
	case rq.key != "":
		k.level = object
		k.copy = k.method == http.MethodPut && (k.sub == "" || k.sub == "uploadId") && rq.header("x-oss-copy-source") != ""
	case rq.bucket != "":
		k.level = bucket
	}
	if r := rq.s.routes[k]; r != nil {
		rq.op = r.op
		return r, nil
	}
	rq.op = "Unknown"
	if k.sub == "" && (k.level != bucket || k.method != http.MethodPost) {
		return nil, fail("MethodNotAllowed").with("Method", k.method)
	}
	return nil, fail("NotImplemented").with("Header", k.sub)
}

// modifiers are parameters that shape an operation but do not select one,
// among those the protocol signs or that may come without a value.
var modifiers = wordSet(`partNumber position sequential versionId security-token continuation-token comp
	response-content-type response-content-language response-expires response-cache-control
	response-content-disposition response-content-encoding callback-var startTime endTime status
	prefix marker max-keys delimiter encoding-type start-after fetch-owner key-marker upload-id-marker
	version-id-marker max-uploads max-parts part-number-marker tag-key tag-value
	OSSAccessKeyId Expires Signature`)

// selectors are parameters that select an operation though no V1 signature
// covers them, or by a rule of its own.
var selectors = wordSet("list-type regions accessmonitor x-oss-process x-oss-async-process")

// subResource returns the parameter that selects the operation, or "". An
// unknown parameter counts as one if it has no value.
func (rq *request) subResource() string {
	for _, p := range rq.query {
		if modifiers[p.Name] {
			continue
		}
		if selectors[p.Name] || sign.IsSubResource(p.Name) ||
			p.Value == "" && !strings.HasPrefix(p.Name, "x-oss-") {
			return p.Name
		}
	}
	return ""
}

func wordSet(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
