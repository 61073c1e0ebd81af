package osstest

import (
	"net/http"
	"net/url"
	"strings"
)

// Operation names the OSS call that req is, as the vendor's API reference does
// (PutObject, UploadPart, ListObjectsV2 ...), and gives its decoded key. Path
// style is told from virtual host by the host: an IP address or localhost.
func Operation(req *http.Request) (op, key string) {
	path := strings.TrimPrefix(req.URL.EscapedPath(), "/")
	bucket := ""
	if host := req.URL.Hostname(); isPathStyle(host) {
		bucket, path, _ = strings.Cut(path, "/")
	} else {
		bucket = host
	}
	key, err := url.PathUnescape(path)
	if err != nil {
		key = path
	}
	q := req.URL.Query()
	if key != "" {
		return objectOperation(req, q), key
	}
	if bucket == "" {
		return "ListBuckets", ""
	}
	return bucketOperation(req.Method, q), ""
}

func isPathStyle(host string) bool {
	return host == "localhost" || strings.Trim(host, "0123456789.:") == ""
}

func objectOperation(req *http.Request, q url.Values) string {
	copied := req.Header.Get("X-Oss-Copy-Source") != ""
	switch req.Method {
	case http.MethodPut:
		switch {
		case q.Has("partNumber") && copied:
			return "UploadPartCopy"
		case q.Has("partNumber"):
			return "UploadPart"
		case copied:
			return "CopyObject"
		case q.Has("symlink"):
			return "PutSymlink"
		case q.Has("acl"):
			return "PutObjectACL"
		case q.Has("tagging"):
			return "PutObjectTagging"
		}
		return "PutObject"
	case http.MethodPost:
		switch {
		case q.Has("uploads"):
			return "InitiateMultipartUpload"
		case q.Has("uploadId"):
			return "CompleteMultipartUpload"
		case q.Has("append"):
			return "AppendObject"
		case q.Has("restore"):
			return "RestoreObject"
		case q.Has("cleanRestoredObject"):
			return "CleanRestoredObject"
		case q.Has("seal"):
			return "SealAppendObject"
		}
		return "PostObject"
	case http.MethodDelete:
		switch {
		case q.Has("uploadId"):
			return "AbortMultipartUpload"
		case q.Has("tagging"):
			return "DeleteObjectTagging"
		}
		return "DeleteObject"
	case http.MethodHead:
		if q.Has("objectMeta") {
			return "GetObjectMeta"
		}
		return "HeadObject"
	}
	switch {
	case q.Has("uploadId"):
		return "ListParts"
	case q.Has("symlink"):
		return "GetSymlink"
	case q.Has("acl"):
		return "GetObjectACL"
	case q.Has("tagging"):
		return "GetObjectTagging"
	}
	return "GetObject"
}

// configFamilies names the bucket configurations, by sub-resource, that are put,
// got and deleted as a whole.
var configFamilies = map[string]string{
	"accessmonitor": "BucketAccessMonitor", "bucketArchiveDirectRead": "BucketArchiveDirectRead", "cors": "BucketCORS",
	"encryption": "BucketEncryption", "httpsConfig": "BucketHTTPSConfig", "lifecycle": "BucketLifecycle",
	"logging": "BucketLogging", "policy": "BucketPolicy", "publicAccessBlock": "BucketPublicAccessBlock",
	"qosInfo": "BucketQoSInfo", "referer": "BucketReferer", "requestPayment": "BucketRequestPayment",
	"resourceGroup": "BucketResourceGroup", "tagging": "BucketTagging",
	"transferAcceleration": "BucketTransferAcceleration", "website": "BucketWebsite",
}

var configVerbs = map[string]string{http.MethodPut: "Put", http.MethodGet: "Get", http.MethodDelete: "Delete"}

func bucketOperation(method string, q url.Values) string {
	for name := range q {
		if family, verb := configFamilies[name], configVerbs[method]; family != "" && verb != "" && !q.Has("comp") {
			return verb + family
		}
	}
	switch method {
	case http.MethodPut:
		switch {
		case q.Has("acl"):
			return "PutBucketACL"
		case q.Has("versioning"):
			return "PutBucketVersioning"
		}
		return "PutBucket"
	case http.MethodDelete:
		return "DeleteBucket"
	case http.MethodPost:
		if q.Has("delete") {
			return "DeleteMultipleObjects"
		}
		return "PostBucket"
	}
	switch {
	case q.Has("uploads"):
		return "ListMultipartUploads"
	case q.Has("versions"):
		return "ListObjectVersions"
	case q.Has("bucketInfo"):
		return "GetBucketInfo"
	case q.Has("location"):
		return "GetBucketLocation"
	case q.Has("stat"):
		return "GetBucketStat"
	case q.Has("acl"):
		return "GetBucketACL"
	case q.Has("versioning"):
		return "GetBucketVersioning"
	case q.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return "ListObjects"
}
