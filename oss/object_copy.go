package oss

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// CopyObjectOptions tunes CopyObject. The zero value copies the metadata too.
type CopyObjectOptions struct {
	// ObjectHeaders are those of the copy. Content-* and Meta count only
	// with MetadataDirective REPLACE, Tagging with TaggingDirective Replace.
	ObjectHeaders

	// MetadataDirective is COPY (the default) or REPLACE.
	MetadataDirective string

	// TaggingDirective is Copy (the default) or Replace.
	TaggingDirective string

	// SourceVersionID "" means the current version.
	SourceVersionID string

	// Conditions on the source; ETags unquoted.
	IfMatch           string
	IfNoneMatch       string
	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time

	// TrafficLimit bounds the rate in bit/s. 0 means none.
	TrafficLimit int64

	// Query holds further query parameters.
	Query url.Values
}

// CopyObjectResult is the answer to CopyObject.
type CopyObjectResult struct {
	Response

	// ETag is unquoted.
	ETag         string
	LastModified time.Time

	// CRC64 is that of the copy, where the server says it.
	CRC64    uint64
	HasCRC64 bool

	VersionID       string
	SourceVersionID string
}

// CopyObject copies an object within the service, up to 5 GB. The error may
// come in a 200 answer; it is a *ServerError all the same.
func (b *Bucket) CopyObject(ctx context.Context, srcBucket, srcKey, key string, opts *CopyObjectOptions) (*CopyObjectResult, error) {
	var o CopyObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("CopyObject", http.MethodPut, key)
	if err := r.copySource(srcBucket, srcKey, o.SourceVersionID); err != nil {
		return nil, err
	}
	typeKey := ""
	if o.MetadataDirective == "REPLACE" {
		typeKey = key
	}
	o.apply(r.header, typeKey)
	setHeader(r.header, "X-Oss-Metadata-Directive", o.MetadataDirective)
	setHeader(r.header, "X-Oss-Tagging-Directive", o.TaggingDirective)
	setConditions(r.header, copySourcePrefix, o.IfMatch, o.IfNoneMatch, o.IfModifiedSince, o.IfUnmodifiedSince)
	r.trafficLimit(o.TrafficLimit)
	r.addQuery(o.Query)
	var answer struct {
		ETag         string
		LastModified string
	}
	resp, err := b.client.doXML(ctx, r, "CopyObjectResult", &answer)
	if err == nil {
		err = r.needETag(resp, answer.ETag)
	}
	if err != nil {
		return nil, err
	}
	res := &CopyObjectResult{
		Response:        newResponse(resp),
		ETag:            unquoteETag(answer.ETag),
		LastModified:    parseXMLTime(answer.LastModified),
		VersionID:       resp.Header.Get("X-Oss-Version-Id"),
		SourceVersionID: resp.Header.Get("X-Oss-Copy-Source-Version-Id"),
	}
	res.CRC64, res.HasCRC64 = crcOf(resp.Header)
	return res, nil
}

const copySourcePrefix = "X-Oss-Copy-Source-"

// copySource writes the header that names a copy's source.
func (c *call) copySource(bucket, key, versionID string) error {
	if err := checkBucketName(c.op, bucket); err != nil {
		return err
	}
	if err := checkKey(c.op, key); err != nil {
		return err
	}
	source := "/" + bucket + "/" + encodePath(key)
	if versionID != "" {
		source += "?versionId=" + encode(versionID)
	}
	c.header.Set("X-Oss-Copy-Source", source)
	return nil
}
