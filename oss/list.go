package oss

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Owner is an account.
type Owner struct {
	ID          string
	DisplayName string
}

// ObjectSummary is an object in a listing.
type ObjectSummary struct {
	Key          string
	Size         int64
	ETag         string // unquoted
	LastModified time.Time
	Type         string // Normal, Multipart, Appendable or Symlink
	StorageClass string

	// IsPrefix marks a common prefix: Key is the prefix and nothing else is
	// set. Only Objects gives such.
	IsPrefix bool

	// Owner is empty unless the listing asked for it.
	Owner Owner

	// RestoreInfo is the state of a thawed archive object, as in the
	// x-oss-restore header.
	RestoreInfo string
}

// ListObjectsOptions tunes ListObjects. The zero value lists the first 1,000
// objects of the bucket.
type ListObjectsOptions struct {
	Prefix    string
	Delimiter string

	// Marker is the key after which the listing begins. It need not exist.
	Marker string

	// MaxKeys bounds a page, 1 to 1000. 0 means 1000.
	MaxKeys int

	// Header holds anything else.
	Header http.Header
}

// ListObjectsResult is a page of objects and prefixes, each in key order.
type ListObjectsResult struct {
	Response

	Objects        []ObjectSummary
	CommonPrefixes []string
	IsTruncated    bool

	// NextMarker is the Marker of the next page, "" on the last.
	NextMarker string
}

// ListObjects lists a page with the first version of the call.
func (b *Bucket) ListObjects(ctx context.Context, opts *ListObjectsOptions) (*ListObjectsResult, error) {
	var o ListObjectsOptions
	if opts != nil {
		o = *opts
	}
	r := b.newCall("ListObjects", http.MethodGet)
	r.set("encoding-type", "url")
	r.setOpt("prefix", o.Prefix)
	r.setOpt("delimiter", o.Delimiter)
	r.setOpt("marker", o.Marker)
	if err := r.setPage("max-keys", o.MaxKeys); err != nil {
		return nil, err
	}
	addHeaders(r.header, o.Header)
	resp, body, err := b.client.doRead(ctx, r, maxListing)
	if err != nil {
		return nil, err
	}
	page, err := parseObjects(body)
	if err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	return &ListObjectsResult{
		Response:       newResponse(resp),
		Objects:        page.objects,
		CommonPrefixes: page.prefixes,
		IsTruncated:    page.truncated,
		NextMarker:     page.nextMarker,
	}, nil
}

// ListObjectsV2Options tunes ListObjectsV2 and Objects. The zero value lists
// the bucket from its first key.
type ListObjectsV2Options struct {
	Prefix    string
	Delimiter string

	// StartAfter is the key after which the listing begins. It need not
	// exist.
	StartAfter string

	// ContinuationToken is NextContinuationToken of the page before. It wins
	// over StartAfter.
	ContinuationToken string

	// MaxKeys bounds a page, 1 to 1000. 0 means 1000.
	MaxKeys int

	// FetchOwner asks for the owners.
	FetchOwner bool

	// Header and Query hold anything else.
	Header http.Header
	Query  url.Values
}

// ListObjectsV2Result is a page of objects and prefixes, each in key order.
type ListObjectsV2Result struct {
	Response

	Objects        []ObjectSummary
	CommonPrefixes []string
	IsTruncated    bool
	KeyCount       int

	// NextContinuationToken is "" on the last page.
	NextContinuationToken string
}

// ListObjectsV2 lists a page.
func (b *Bucket) ListObjectsV2(ctx context.Context, opts *ListObjectsV2Options) (*ListObjectsV2Result, error) {
	var o ListObjectsV2Options
	if opts != nil {
		o = *opts
	}
	r := b.newCall("ListObjectsV2", http.MethodGet)
	r.set("list-type", "2")
	r.set("encoding-type", "url")
	r.setOpt("prefix", o.Prefix)
	r.setOpt("delimiter", o.Delimiter)
	r.setOpt("start-after", o.StartAfter)
	r.setOpt("continuation-token", o.ContinuationToken)
	if o.FetchOwner {
		r.set("fetch-owner", "true")
	}
	if err := r.setPage("max-keys", o.MaxKeys); err != nil {
		return nil, err
	}
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
	resp, body, err := b.client.doRead(ctx, r, maxListing)
	if err != nil {
		return nil, err
	}
	page, err := parseObjects(body)
	if err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	return &ListObjectsV2Result{
		Response:              newResponse(resp),
		Objects:               page.objects,
		CommonPrefixes:        page.prefixes,
		IsTruncated:           page.truncated,
		KeyCount:              page.keyCount,
		NextContinuationToken: page.nextToken,
	}, nil
}

// ListObjectVersionsOptions tunes ListObjectVersions and ObjectVersions. The
// zero value lists the bucket from its first key.
type ListObjectVersionsOptions struct {
	Prefix    string
	Delimiter string

	// KeyMarker begins the listing after all versions of that key, or, with
	// VersionIDMarker, after that version of it.
	KeyMarker       string
	VersionIDMarker string

	// MaxKeys bounds a page, 1 to 1000. 0 means 1000.
	MaxKeys int

	// Header holds anything else.
	Header http.Header
}

// VersionSummary is a version of an object, or a delete marker.
type VersionSummary struct {
	ObjectSummary

	VersionID string
	IsLatest  bool

	// IsDeleteMarker tells that there are no bytes.
	IsDeleteMarker bool
}

// ListObjectVersionsResult is a page of versions: by key, newest first.
type ListObjectVersionsResult struct {
	Response

	Versions       []VersionSummary
	CommonPrefixes []string
	IsTruncated    bool

	// Markers of the next page, "" on the last.
	NextKeyMarker       string
	NextVersionIDMarker string
}

// ListObjectVersions lists a page of versions and delete markers.
func (b *Bucket) ListObjectVersions(ctx context.Context, opts *ListObjectVersionsOptions) (*ListObjectVersionsResult, error) {
	var o ListObjectVersionsOptions
	if opts != nil {
		o = *opts
	}
	r := b.newCall("ListObjectVersions", http.MethodGet)
	r.set("versions", "")
	r.set("encoding-type", "url")
	r.setOpt("prefix", o.Prefix)
	r.setOpt("delimiter", o.Delimiter)
	r.setOpt("key-marker", o.KeyMarker)
	r.setOpt("version-id-marker", o.VersionIDMarker)
	if err := r.setPage("max-keys", o.MaxKeys); err != nil {
		return nil, err
	}
	addHeaders(r.header, o.Header)
	resp, body, err := b.client.doRead(ctx, r, maxListing)
	if err != nil {
		return nil, err
	}
	page, err := parseVersions(body)
	if err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	page.Response = newResponse(resp)
	return page, nil
}
