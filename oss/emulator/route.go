package emulator

import (
	"net/http"
	"strings"
	"sync"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
)

// access is what a caller without a signature needs.
type access byte

const (
	ownerAccess  access = iota // nobody but the owner
	readAccess                 // an ACL that lets everyone read
	writeAccess                // an ACL that lets everyone write
	createBucket               // the owner, and the bucket need not exist
	anyAccess                  // nothing
	formAccess                 // what the form in the body says
)

type level byte

const (
	onService level = iota
	onBucket
	onObject
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
		{routeKey{"GET", onService, "", false}, "ListBuckets", ownerAccess, (*request).listBuckets},

		{routeKey{"PUT", onBucket, "", false}, "PutBucket", createBucket, (*request).putBucket},
		{routeKey{"DELETE", onBucket, "", false}, "DeleteBucket", ownerAccess, (*request).deleteBucket},
		{routeKey{"HEAD", onBucket, "", false}, "HeadBucket", readAccess, (*request).headBucket},
		{routeKey{"GET", onBucket, "", false}, "ListObjects", readAccess, (*request).listObjects},
		{routeKey{"GET", onBucket, "list-type", false}, "ListObjectsV2", readAccess, (*request).listObjectsV2},
		{routeKey{"GET", onBucket, "versions", false}, "ListObjectVersions", readAccess, (*request).listVersions},
		{routeKey{"GET", onBucket, "uploads", false}, "ListMultipartUploads", ownerAccess, (*request).listUploads},
		{routeKey{"POST", onBucket, "delete", false}, "DeleteMultipleObjects", writeAccess, (*request).deleteObjects},
		{routeKey{"GET", onBucket, "bucketInfo", false}, "GetBucketInfo", ownerAccess, (*request).bucketInfo},
		{routeKey{"HEAD", onBucket, "bucketInfo", false}, "GetBucketInfo", ownerAccess, (*request).headBucket},
		{routeKey{"GET", onBucket, "location", false}, "GetBucketLocation", ownerAccess, (*request).bucketLocation},
		{routeKey{"GET", onBucket, "stat", false}, "GetBucketStat", ownerAccess, (*request).bucketStat},
		{routeKey{"GET", onBucket, "acl", false}, "GetBucketAcl", ownerAccess, (*request).getBucketACL},
		{routeKey{"PUT", onBucket, "acl", false}, "PutBucketAcl", createBucket, (*request).putBucketACL},
		{routeKey{"GET", onBucket, "versioning", false}, "GetBucketVersioning", ownerAccess, (*request).getVersioning},
		{routeKey{"PUT", onBucket, "versioning", false}, "PutBucketVersioning", ownerAccess, (*request).putVersioning},

		{routeKey{"POST", onBucket, "", false}, "PostObject", formAccess, (*request).postObject},
		{routeKey{"PUT", onObject, "", false}, "PutObject", writeAccess, (*request).putObject},
		{routeKey{"PUT", onObject, "", true}, "CopyObject", ownerAccess, (*request).copyObject},
		{routeKey{"GET", onObject, "", false}, "GetObject", readAccess, (*request).getObject},
		{routeKey{"HEAD", onObject, "", false}, "HeadObject", readAccess, (*request).headObject},
		{routeKey{"HEAD", onObject, "objectMeta", false}, "GetObjectMeta", readAccess, (*request).objectMeta},
		{routeKey{"GET", onObject, "objectMeta", false}, "GetObjectMeta", readAccess, (*request).objectMeta},
		{routeKey{"DELETE", onObject, "", false}, "DeleteObject", writeAccess, (*request).deleteObject},
		{routeKey{"DELETE", onObject, "symlink", false}, "DeleteObject", writeAccess, (*request).deleteObject},
		{routeKey{"POST", onObject, "append", false}, "AppendObject", writeAccess, (*request).appendObject},
		{routeKey{"GET", onObject, "acl", false}, "GetObjectAcl", ownerAccess, (*request).getObjectACL},
		{routeKey{"PUT", onObject, "acl", false}, "PutObjectAcl", ownerAccess, (*request).putObjectACL},
		{routeKey{"GET", onObject, "retention", false}, "GetObjectRetention", ownerAccess, (*request).getRetention},
		{routeKey{"PUT", onObject, "retention", false}, "PutObjectRetention", ownerAccess, (*request).putRetention},
		{routeKey{"GET", onObject, "legalHold", false}, "GetObjectLegalHold", ownerAccess, (*request).getLegalHold},
		{routeKey{"PUT", onObject, "legalHold", false}, "PutObjectLegalHold", ownerAccess, (*request).putLegalHold},
		{routeKey{"GET", onObject, "tagging", false}, "GetObjectTagging", ownerAccess, (*request).getTagging},
		{routeKey{"PUT", onObject, "tagging", false}, "PutObjectTagging", ownerAccess, (*request).putTagging},
		{routeKey{"DELETE", onObject, "tagging", false}, "DeleteObjectTagging", ownerAccess, (*request).deleteTagging},
		{routeKey{"PUT", onObject, "symlink", false}, "PutSymlink", writeAccess, (*request).putSymlink},
		{routeKey{"GET", onObject, "symlink", false}, "GetSymlink", readAccess, (*request).getSymlink},
		{routeKey{"POST", onObject, "restore", false}, "RestoreObject", ownerAccess, (*request).restoreObject},
		{routeKey{"POST", onObject, "cleanRestoredObject", false}, "CleanRestoredObject", ownerAccess, (*request).cleanRestored},
		{routeKey{"POST", onObject, "seal", false}, "SealAppendObject", writeAccess, (*request).sealObject},
		{routeKey{"POST", onObject, selectSub, false}, "SelectObject", readAccess, (*request).selectObject},
		{routeKey{"POST", onObject, selectMetaSub, false}, "CreateSelectObjectMeta", ownerAccess, (*request).createSelectMeta},
		{routeKey{"POST", onObject, processParam, false}, "ProcessObject", ownerAccess, (*request).processObject},
		{routeKey{"GET", onObject, processParam, false}, "GetObject", readAccess, (*request).getProcessed},
		{routeKey{"POST", onObject, asyncProcessParam, false}, "AsyncProcessObject", ownerAccess, (*request).processLater},

		{routeKey{"POST", onObject, "uploads", false}, "InitiateMultipartUpload", writeAccess, (*request).initiateUpload},
		{routeKey{"PUT", onObject, "uploadId", false}, "UploadPart", writeAccess, (*request).uploadPart},
		{routeKey{"PUT", onObject, "uploadId", true}, "UploadPartCopy", ownerAccess, (*request).uploadPartCopy},
		{routeKey{"POST", onObject, "uploadId", false}, "CompleteMultipartUpload", writeAccess, (*request).completeUpload},
		{routeKey{"DELETE", onObject, "uploadId", false}, "AbortMultipartUpload", writeAccess, (*request).abortUpload},
		{routeKey{"GET", onObject, "uploadId", false}, "ListParts", ownerAccess, (*request).listParts},
	}
	for _, l := range []level{onBucket, onObject} {
		table = append(table, route{routeKey{"OPTIONS", l, "", false}, "OptionObject", anyAccess, (*request).preflight})
	}
	table = append(table, configRoutes()...)
	m := make(map[routeKey]*route, len(table))
	for i := range table {
		m[table[i].routeKey] = &table[i]
	}
	return m
}

// operations are the names of all operations, as the request log has them.
var operations = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{"Unknown": true}
	for _, r := range routeTable() {
		m[r.op] = true
	}
	return m
})

// route finds the operation. What the protocol has and this server has not is
// NotImplemented, never something else.
func (rq *request) route() (*route, error) {
	k := routeKey{method: rq.r.Method, sub: rq.subResource()}
	switch {
	case rq.key != "":
		k.level = onObject
		k.copy = k.method == http.MethodPut && (k.sub == "" || k.sub == "uploadId") && rq.r.Header["X-Oss-Copy-Source"] != nil
	case rq.bucket != "":
		k.level = onBucket
	}
	if r := rq.s.routes[k]; r != nil {
		rq.op = r.op
		return r, nil
	}
	rq.op = "Unknown"
	if k.sub == "" {
		return nil, fail("MethodNotAllowed").with("Method", k.method)
	}
	return nil, fail("NotImplemented").with("Header", k.sub)
}

// modifiers are parameters that shape an operation but do not select one,
// among those the protocol signs or that may come without a value.
var modifiers = wordSet(`partNumber position sequential versionId security-token continuation-token comp
	response-content-type response-content-language response-expires response-cache-control
	response-content-disposition response-content-encoding callback callback-var startTime endTime status
	comp inventoryId styleName qosRequester regionList prefix marker max-keys delimiter encoding-type start-after fetch-owner key-marker upload-id-marker
	version-id-marker max-uploads max-parts part-number-marker tag-key tag-value
	OSSAccessKeyId Expires Signature`)

// selectors are parameters that select an operation though no V1 signature
// covers them, or by a rule of its own.
var selectors = wordSet("list-type regions accessmonitor " + processParam + " " + asyncProcessParam + " " + writeResponse)

// weak are selectors that give way to any other: beside one they only name
// what the operation is about.
var weak = wordSet("wormId resourcePool")

// subResource returns the parameter that selects the operation, or "". An
// unknown parameter counts as one if it has no value.
func (rq *request) subResource() string {
	if rq.r.Method == http.MethodOptions {
		return "" // a preflight is one for any operation
	}
	sub := ""
	for _, p := range rq.query {
		if modifiers[p.Name] {
			continue
		}
		selects := selectors[p.Name] || sign.IsSubResource(p.Name) || p.Value == "" && !strings.HasPrefix(p.Name, "x-oss-")
		if selects && (sub == "" || weak[sub]) {
			sub = p.Name
		}
	}
	if sub == "" {
		return ""
	}
	return rq.qualified(sub)
}

func wordSet(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
