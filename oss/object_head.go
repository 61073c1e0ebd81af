package oss

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HeadObjectOptions tunes HeadObject and GetObjectMeta. The zero value is ready
// to use.
type HeadObjectOptions struct {
	// IfMatch and IfNoneMatch hold an ETag, unquoted, or "*".
	IfMatch     string
	IfNoneMatch string

	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time

	// VersionID "" means the current version.
	VersionID string

	// Header and Query hold anything else.
	Header http.Header
	Query  url.Values
}

// ObjectMeta is what the server says about an object.
type ObjectMeta struct {
	Response

	// Size is the object's length in bytes, -1 where the server did not say.
	Size int64

	// ETag is unquoted.
	ETag string

	// LastModified has whole seconds.
	LastModified time.Time

	// Type is Normal, Multipart, Appendable or Symlink.
	Type string

	StorageClass string
	ContentType  string
	VersionID    string

	// CRC64 is that of the whole object, also in the answer to a range.
	// HasCRC64 tells whether the server knows it.
	CRC64    uint64
	HasCRC64 bool

	// Meta is the user metadata, names in lower case without x-oss-meta-.
	Meta map[string]string
}

// HeadObject asks about an object. The answer to a missing one matches
// ErrNotFound; it may also match ErrNoSuchKey or ErrNoSuchBucket, where the
// server says which.
func (b *Bucket) HeadObject(ctx context.Context, key string, opts *HeadObjectOptions) (*ObjectMeta, error) {
	return b.head(ctx, b.objectCall("HeadObject", http.MethodHead, key), opts)
}

// GetObjectMeta is HeadObject at less cost to the server: only Size, ETag,
// LastModified and CRC64 are filled, and conditions are not looked at.
func (b *Bucket) GetObjectMeta(ctx context.Context, key string, opts *HeadObjectOptions) (*ObjectMeta, error) {
	r := b.objectCall("GetObjectMeta", http.MethodHead, key)
	r.set("objectMeta", "")
	return b.head(ctx, r, opts)
}

// ObjectExists asks whether there is an object. A missing bucket is an error.
func (b *Bucket) ObjectExists(ctx context.Context, key string) (bool, error) {
	_, err := b.GetObjectMeta(ctx, key, nil)
	if errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoSuchBucket) {
		return false, nil
	}
	return err == nil, err
}

func (b *Bucket) head(ctx context.Context, r *call, opts *HeadObjectOptions) (*ObjectMeta, error) {
	var o HeadObjectOptions
	if opts != nil {
		o = *opts
	}
	setConditions(r.header, "", o.IfMatch, o.IfNoneMatch, o.IfModifiedSince, o.IfUnmodifiedSince)
	r.setOpt("versionId", o.VersionID)
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
	resp, err := b.client.doEmpty(ctx, r)
	if err != nil {
		return nil, err
	}
	return newObjectMeta(resp), nil
}

func newObjectMeta(resp *http.Response) *ObjectMeta {
	m := &ObjectMeta{
		Response:     newResponse(resp),
		Size:         resp.ContentLength,
		ETag:         etagOf(resp.Header),
		LastModified: parseHTTPTime(resp.Header.Get("Last-Modified")),
		Type:         resp.Header.Get("X-Oss-Object-Type"),
		StorageClass: resp.Header.Get("X-Oss-Storage-Class"),
		ContentType:  resp.Header.Get("Content-Type"),
		VersionID:    resp.Header.Get("X-Oss-Version-Id"),
	}
	m.CRC64, m.HasCRC64 = crcOf(resp.Header)
	for name, values := range resp.Header {
		if len(name) > len(metaPrefix) && strings.EqualFold(name[:len(metaPrefix)], metaPrefix) {
			if m.Meta == nil {
				m.Meta = make(map[string]string)
			}
			m.Meta[strings.ToLower(name[len(metaPrefix):])] = strings.Join(values, ",")
		}
	}
	return m
}

func crcOf(h http.Header) (uint64, bool) {
	n, err := strconv.ParseUint(h.Get("X-Oss-Hash-Crc64ecma"), 10, 64)
	return n, err == nil
}

func etagOf(h http.Header) string { return unquoteETag(h.Get("Etag")) }

func unquoteETag(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func quoteETag(s string) string {
	if s == "*" || strings.HasPrefix(s, `"`) {
		return s
	}
	return `"` + s + `"`
}
