package oss

import (
	"context"
	"net/http"
	"net/url"
)

// DeleteObjectOptions tunes DeleteObject. The zero value is ready to use.
type DeleteObjectOptions struct {
	// VersionID deletes that version for good. "" deletes the object or, in
	// a bucket with versioning, adds a delete marker.
	VersionID string

	// Header and Query hold anything else.
	Header http.Header
	Query  url.Values
}

// DeleteObjectResult is the answer to DeleteObject.
type DeleteObjectResult struct {
	Response

	// VersionID is that of the version deleted or of the marker made.
	VersionID string

	// DeleteMarker tells that VersionID is a delete marker.
	DeleteMarker bool
}

// DeleteObject deletes an object. That there was none is no error.
func (b *Bucket) DeleteObject(ctx context.Context, key string, opts *DeleteObjectOptions) (*DeleteObjectResult, error) {
	var o DeleteObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("DeleteObject", http.MethodDelete, key)
	r.setOpt("versionId", o.VersionID)
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
	resp, err := b.client.doEmpty(ctx, r)
	if err != nil {
		return nil, err
	}
	return &DeleteObjectResult{
		Response:     newResponse(resp),
		VersionID:    resp.Header.Get("X-Oss-Version-Id"),
		DeleteMarker: resp.Header.Get("X-Oss-Delete-Marker") == "true",
	}, nil
}

// BatchDeleteOptions tunes BatchDeleteObjects. The zero value is ready to use.
type BatchDeleteOptions struct {
	// Quiet asks for an answer without the deleted keys, which then cannot
	// be compared with those asked for.
	Quiet bool

	// Header holds anything else.
	Header http.Header
}

// ObjectVersion names one version of an object. VersionID "" is the current one.
type ObjectVersion struct {
	Key       string
	VersionID string
}

// DeletedObject is one entry of the answer to a delete of several objects.
type DeletedObject struct {
	Key                   string
	VersionID             string
	DeleteMarker          bool
	DeleteMarkerVersionID string
}

// BatchDeleteResult is the answer to BatchDeleteObjects.
type BatchDeleteResult struct {
	Response

	// Deleted holds the keys in the server's order, also those that did not
	// exist. It is empty with Quiet.
	Deleted []string

	// Entries says more about each.
	Entries []DeletedObject
}

// BatchDeleteObjects deletes up to 1,000 objects. It fails unless the answer
// names every key asked for.
func (b *Bucket) BatchDeleteObjects(ctx context.Context, keys []string, opts *BatchDeleteOptions) (*BatchDeleteResult, error) {
	versions := make([]ObjectVersion, len(keys))
	for i, key := range keys {
		versions[i].Key = key
	}
	return b.DeleteObjectVersions(ctx, versions, opts)
}
