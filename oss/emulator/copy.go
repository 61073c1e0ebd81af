package emulator

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// source is what x-oss-copy-source names.
type source struct {
	bucket, key string
	id          string
	byID        bool
}

// copySource reads x-oss-copy-source: /BUCKET/KEY, percent-encoded, perhaps
// with ?versionId=. A plus is a space: one of the vendor's clients writes it
// so, and all of them escape a plus.
func (rq *request) copySource() (*source, error) {
	v := rq.header("x-oss-copy-source")
	bad := failArgument("x-oss-copy-source", v, "The copy source is not well formed.")
	path, query, _ := strings.Cut(strings.TrimPrefix(v, "/"), "?")
	path, err := url.QueryUnescape(path)
	if err != nil {
		return nil, bad
	}
	bucket, key, _ := strings.Cut(path, "/")
	if !validBucket(bucket) || !validKey(key) {
		return nil, bad
	}
	src := &source{bucket: bucket, key: key}
	if v, ok := strings.CutPrefix(query, "versionId="); ok {
		if v, err = url.QueryUnescape(v); err != nil {
			return nil, bad
		}
		if src.id, src.byID = parseVersionID(v); !src.byID {
			return nil, bad
		}
	}
	return src, nil
}

// findSource looks up the source and checks the conditions on it.
func (rq *request) findSource(tx *store.Tx, src *source) (*store.Object, error) {
	b, err := findBucket(tx, src.bucket)
	if err != nil {
		return nil, err
	}
	o, err := findVersion(tx, src.bucket, src.key, src.id, src.byID)
	if err != nil {
		return nil, err
	}
	if err := rq.mayRead(tx, o); err != nil {
		return nil, err
	}
	if b.Versioning != "" {
		rq.set("x-oss-copy-source-version-id", versionName(o.VersionID))
	}
	const p = "x-oss-copy-source-"
	cond := conditions{
		match: rq.header(p + "if-match"), unmodified: rq.header(p + "if-unmodified-since"),
		noneMatch: rq.header(p + "if-none-match"), modified: rq.header(p + "if-modified-since"),
	}
	return o, cond.check(o.ETag, o.Modified)
}

// directive reads a header that says whether to copy or to replace.
func (rq *request) directive(name string) (replace bool, err error) {
	switch v := rq.header(name); strings.ToUpper(v) {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	default:
		return false, failArgument(name, v, "The directive must be COPY or REPLACE.")
	}
}

// copyObject makes an object of another's segments; no bytes are copied.
func (rq *request) copyObject() error {
	src, err := rq.copySource()
	if err != nil {
		return err
	}
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	replaceMeta, err := rq.directive("x-oss-metadata-directive")
	if err != nil {
		return err
	}
	replaceTags, err := rq.directive("x-oss-tagging-directive")
	if err != nil {
		return err
	}
	same := src.bucket == rq.bucket && src.key == rq.key
	var o *store.Object
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.mayWrite(tx, a.forbid); err != nil {
			return err
		}
		if o, err = rq.findSource(tx, src); err != nil {
			return err
		}
		if o.Size > maxObject {
			return fail("EntityTooLarge").with("Key", src.key)
		}
		if replaceMeta || same && rq.versioning == "" {
			o.Headers = withContentType(keepEncryption(o.Headers, a.headers), headerValue(o.Headers, "content-type"))
		} else {
			o.Headers = mergeEncryption(o.Headers, a.headers)
		}
		if replaceTags {
			o.Tags = a.tags
		}
		if o.Type == store.Appendable {
			o.Type = store.Normal
		}
		o.Key, o.Class, o.ACL = rq.key, a.class, a.acl
		o.Sealed, o.Restore = time.Time{}, store.Restore{}
		return rq.addVersion(tx, o)
	})
	if err != nil {
		return err
	}
	rq.setVersion(o)
	rq.setDigests(o.ETag, "", o.CRC64)
	rq.echoEncryption(o.Headers)
	var d document
	d.open("CopyObjectResult")
	d.etag(o.ETag)
	d.time("LastModified", o.Modified)
	d.close("CopyObjectResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// keepEncryption adds to the headers that replace a source's those that say how
// a client has encrypted it, without which nobody could read the copy.
func keepEncryption(source, headers []store.Header) []store.Header {
	for _, h := range source {
		if strings.HasPrefix(h.Name, clientEncryptionMeta) && headerValue(headers, h.Name) == "" {
			headers = append(headers, h)
		}
	}
	return headers
}

// mergeEncryption keeps a source's headers but for the encryption, which is
// always the request's.
func mergeEncryption(source, asked []store.Header) []store.Header {
	var out []store.Header
	for _, h := range source {
		if !strings.HasPrefix(h.Name, "x-oss-server-side-") {
			out = append(out, h)
		}
	}
	for _, h := range asked {
		if strings.HasPrefix(h.Name, "x-oss-server-side-") {
			out = append(out, h)
		}
	}
	return out
}
