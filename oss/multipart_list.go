package oss

import (
	"context"
	"net/http"
	"time"
)

// ListPartsOptions tunes ListParts and Parts. The zero value lists from the
// first part.
type ListPartsOptions struct {
	// Marker is the part number after which the listing begins.
	Marker int

	// MaxParts bounds a page, 1 to 1000. 0 means 1000.
	MaxParts int

	// Header holds anything else.
	Header http.Header
}

// ListPartsResult is a page of parts in order of their numbers.
type ListPartsResult struct {
	Response

	Parts        []Part
	StorageClass string
	IsTruncated  bool

	// NextMarker is the Marker of the next page.
	NextMarker int
}

// ListParts lists a page of the parts an upload has. errors.Is:
// ErrNoSuchUpload, also for one that was completed.
func (b *Bucket) ListParts(ctx context.Context, key, uploadID string, opts *ListPartsOptions) (*ListPartsResult, error) {
	var o ListPartsOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("ListParts", http.MethodGet, key)
	if uploadID == "" {
		return nil, usageError(r.op, "uploadID", "is empty")
	}
	r.set("uploadId", uploadID)
	r.set("encoding-type", "url")
	if o.Marker > 0 {
		r.setInt("part-number-marker", int64(o.Marker))
	}
	if err := r.setPage("max-parts", o.MaxParts); err != nil {
		return nil, err
	}
	addHeaders(r.header, o.Header)
	resp, body, err := b.client.doRead(ctx, r, maxParts)
	if err != nil {
		return nil, err
	}
	page, err := parseParts(body)
	if err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	page.Response = newResponse(resp)
	return page, nil
}

// ListMultipartUploadsOptions tunes ListMultipartUploads and MultipartUploads.
// The zero value lists the bucket from its first key.
type ListMultipartUploadsOptions struct {
	Prefix    string
	Delimiter string

	// KeyMarker begins the listing after that key, or, with UploadIDMarker,
	// after that upload of it.
	KeyMarker      string
	UploadIDMarker string

	// MaxUploads bounds a page, 1 to 1000. 0 means 1000.
	MaxUploads int

	// Header holds anything else.
	Header http.Header
}

// MultipartUpload is an upload in progress.
type MultipartUpload struct {
	Key          string
	UploadID     string
	Initiated    time.Time
	StorageClass string

	// IsPrefix marks a common prefix: Key is the prefix and nothing else is
	// set. Only MultipartUploads gives such.
	IsPrefix bool
}

// ListMultipartUploadsResult is a page of uploads, by key and upload id.
type ListMultipartUploadsResult struct {
	Response

	Uploads        []MultipartUpload
	CommonPrefixes []string
	IsTruncated    bool

	// Markers of the next page.
	NextKeyMarker      string
	NextUploadIDMarker string
}

// ListMultipartUploads lists a page of uploads in progress.
func (b *Bucket) ListMultipartUploads(ctx context.Context, opts *ListMultipartUploadsOptions) (*ListMultipartUploadsResult, error) {
	var o ListMultipartUploadsOptions
	if opts != nil {
		o = *opts
	}
	r := b.newCall("ListMultipartUploads", http.MethodGet)
	r.set("uploads", "")
	r.set("encoding-type", "url")
	r.setOpt("prefix", o.Prefix)
	r.setOpt("delimiter", o.Delimiter)
	r.setOpt("key-marker", o.KeyMarker)
	r.setOpt("upload-id-marker", o.UploadIDMarker)
	if err := r.setPage("max-uploads", o.MaxUploads); err != nil {
		return nil, err
	}
	addHeaders(r.header, o.Header)
	resp, body, err := b.client.doRead(ctx, r, maxListing)
	if err != nil {
		return nil, err
	}
	page, err := parseUploads(body)
	if err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	page.Response = newResponse(resp)
	return page, nil
}
