package oss

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// MaxParts is the highest part number. Limits of the service, "Multipart
// upload".
const MaxParts = 10000

// Part is a part of a multipart upload.
type Part struct {
	Number       int
	ETag         string // unquoted
	Size         int64
	CRC64        uint64
	HasCRC64     bool
	LastModified time.Time // from ListParts and UploadPartCopy only
}

// InitMultipartOptions tunes InitMultipartUpload. The zero value is ready to
// use.
type InitMultipartOptions struct {
	ObjectHeaders

	// Sequential has the server demand the parts in order and give the
	// object a Content-MD5.
	Sequential bool

	// Query holds further query parameters.
	Query url.Values
}

// InitMultipartResult is the answer to InitMultipartUpload.
type InitMultipartResult struct {
	Response

	UploadID string
}

// InitMultipartUpload begins an upload in parts. Each call makes another one,
// which lasts until it is completed or aborted.
func (b *Bucket) InitMultipartUpload(ctx context.Context, key string, opts *InitMultipartOptions) (*InitMultipartResult, error) {
	var o InitMultipartOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("InitiateMultipartUpload", http.MethodPost, key)
	r.set("uploads", "")
	r.set("encoding-type", "url")
	if o.Sequential {
		r.set("sequential", "")
	}
	o.apply(r.header, key)
	r.addQuery(o.Query)
	r.setBody(nil, nil)
	var answer struct{ UploadId string } //nolint:revive // the element's name
	resp, err := b.client.doXML(ctx, r, "InitiateMultipartUploadResult", &answer)
	if err != nil {
		return nil, err
	}
	if answer.UploadId == "" {
		return nil, r.answerError(resp, "no UploadId")
	}
	return &InitMultipartResult{Response: newResponse(resp), UploadID: answer.UploadId}, nil
}

// UploadPartOptions tunes UploadPart. The zero value is ready to use.
type UploadPartOptions struct {
	ContentMD5   string // base64
	TrafficLimit int64  // bit/s

	// OnProgress is called as the body is read for sending.
	OnProgress ProgressFunc

	// Header holds anything else.
	Header http.Header
}

// UploadPartResult is the answer to UploadPart and UploadPartCopy.
type UploadPartResult struct {
	Response
	Part
}

// UploadPart sends a part, replacing one of the same number. What PutObject
// says of body and errors holds here. Every part but the last must have at
// least 100 KiB by the time of completion.
func (b *Bucket) UploadPart(ctx context.Context, key, uploadID string, number int, body io.Reader, opts *UploadPartOptions) (*UploadPartResult, error) {
	var o UploadPartOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("UploadPart", http.MethodPut, key)
	if err := r.setPart(uploadID, number); err != nil {
		return nil, err
	}
	setHeader(r.header, "Content-Md5", o.ContentMD5)
	r.trafficLimit(o.TrafficLimit)
	addHeaders(r.header, o.Header)
	r.setBody(body, o.OnProgress)
	resp, err := b.client.doEmpty(ctx, r)
	if err != nil {
		return nil, err
	}
	etag := etagOf(resp.Header)
	if err := r.needETag(resp, etag); err != nil {
		return nil, err
	}
	if err := r.checkCRC(resp, r.body.sum()); err != nil {
		return nil, err
	}
	return &UploadPartResult{Response: newResponse(resp), Part: Part{
		Number:   number,
		ETag:     etag,
		Size:     r.body.sent(),
		CRC64:    r.body.sum(),
		HasCRC64: !b.client.disableCRC,
	}}, nil
}

// UploadPartCopyOptions tunes UploadPartCopy. The zero value is ready to use.
type UploadPartCopyOptions struct {
	// SourceVersionID "" means the current version.
	SourceVersionID string

	// Conditions on the source; ETags unquoted.
	IfMatch           string
	IfNoneMatch       string
	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time

	TrafficLimit int64 // bit/s

	// Header holds anything else.
	Header http.Header
}

// UploadPartCopy makes a part of a range of another object. A range other than
// the whole object must be a RangeBetween within it: the service copies the
// whole object for any other. Size is that of the range; the CRC is known where
// the server says it, else from ListParts.
func (b *Bucket) UploadPartCopy(ctx context.Context, srcBucket, srcKey string, rng Range, key, uploadID string, number int, opts *UploadPartCopyOptions) (*UploadPartResult, error) {
	var o UploadPartCopyOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("UploadPartCopy", http.MethodPut, key)
	if err := r.setPart(uploadID, number); err != nil {
		return nil, err
	}
	if err := rng.validate(r.op); err != nil {
		return nil, err
	}
	if !rng.IsZero() && rng.kind != rangeBetween {
		return nil, usageError(r.op, "range", "needs a first and a last byte")
	}
	if err := r.copySource(srcBucket, srcKey, o.SourceVersionID); err != nil {
		return nil, err
	}
	setHeader(r.header, "X-Oss-Copy-Source-Range", rng.String())
	setConditions(r.header, copySourcePrefix, o.IfMatch, o.IfNoneMatch, o.IfModifiedSince, o.IfUnmodifiedSince)
	r.trafficLimit(o.TrafficLimit)
	addHeaders(r.header, o.Header)
	r.setBody(nil, nil)
	var answer struct{ ETag, LastModified string }
	resp, err := b.client.doXML(ctx, r, "CopyPartResult", &answer)
	if err != nil {
		return nil, err
	}
	if err := r.needETag(resp, answer.ETag); err != nil {
		return nil, err
	}
	res := &UploadPartResult{Response: newResponse(resp), Part: Part{
		Number:       number,
		ETag:         unquoteETag(answer.ETag),
		LastModified: parseXMLTime(answer.LastModified),
	}}
	if !rng.IsZero() {
		res.Size = rng.last - rng.first + 1
	}
	res.CRC64, res.HasCRC64 = crcOf(resp.Header)
	return res, nil
}

// CompleteMultipartOptions tunes CompleteMultipartUpload. The zero value is
// ready to use.
type CompleteMultipartOptions struct {
	// CompleteAll takes every part the server has; parts must then be empty.
	CompleteAll bool

	// ForbidOverwrite fails with ErrFileAlreadyExists if the key exists.
	ForbidOverwrite bool

	// ACL is private, public-read, public-read-write or default.
	ACL string

	Callback, CallbackVar string // as Callback.Encode gives them

	// Header holds anything else.
	Header http.Header
}

// CompleteMultipartResult is the answer to CompleteMultipartUpload.
type CompleteMultipartResult struct {
	Response

	// ETag is unquoted. It is no MD5.
	ETag string

	// CRC64 is the server's, of the whole object.
	CRC64    uint64
	HasCRC64 bool

	VersionID string

	// CallbackBody is the callback's answer, which then stands in for the
	// service's own.
	CallbackBody []byte
}

// CompleteMultipartUpload makes the object of its parts, in order of their
// numbers; parts not named are discarded. If every part has Size and CRC64, the
// whole's CRC-64 is compared with the server's: the error is an
// *IntegrityError, and the object exists.
//
// An upload that was completed is gone: repeating the call after a lost answer
// gives ErrNoSuchUpload.
func (b *Bucket) CompleteMultipartUpload(ctx context.Context, key, uploadID string, parts []Part, opts *CompleteMultipartOptions) (*CompleteMultipartResult, error) {
	var o CompleteMultipartOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("CompleteMultipartUpload", http.MethodPost, key)
	if uploadID == "" {
		return nil, usageError(r.op, "uploadID", "is empty")
	}
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, func(a, b Part) int { return a.Number - b.Number })
	if err := checkParts(r.op, sorted, o.CompleteAll); err != nil {
		return nil, err
	}
	r.set("uploadId", uploadID)
	r.set("encoding-type", "url")
	if o.CompleteAll {
		r.header.Set("X-Oss-Complete-All", "yes")
		r.setBody(nil, nil)
	} else {
		r.setXMLBody(completeBody(sorted))
	}
	if o.ForbidOverwrite {
		r.header.Set("X-Oss-Forbid-Overwrite", "true")
	}
	setHeader(r.header, "X-Oss-Object-Acl", o.ACL)
	setHeader(r.header, "X-Oss-Callback", o.Callback)
	setHeader(r.header, "X-Oss-Callback-Var", o.CallbackVar)
	addHeaders(r.header, o.Header)
	return b.complete(ctx, r, sorted, r.header.Get("X-Oss-Callback") != "")
}

func (b *Bucket) complete(ctx context.Context, r *call, parts []Part, callback bool) (*CompleteMultipartResult, error) {
	var res CompleteMultipartResult
	var resp *http.Response
	var err error
	if callback {
		resp, res.CallbackBody, err = b.client.doText(ctx, r)
	} else {
		var answer struct{ ETag string }
		if resp, err = b.client.doXML(ctx, r, "CompleteMultipartUploadResult", &answer); err == nil {
			err = r.needETag(resp, answer.ETag)
		}
		res.ETag = unquoteETag(answer.ETag)
	}
	if err != nil {
		return nil, err
	}
	if res.ETag == "" {
		res.ETag = etagOf(resp.Header)
	}
	res.Response = newResponse(resp)
	res.CRC64, res.HasCRC64 = crcOf(resp.Header)
	res.VersionID = resp.Header.Get("X-Oss-Version-Id")
	if sum, ok := combineParts(parts); ok {
		if err := r.checkCRC(resp, sum); err != nil {
			return nil, err
		}
	}
	return &res, nil
}

func checkParts(op string, sorted []Part, all bool) error {
	if all {
		if len(sorted) > 0 {
			return usageError(op, "parts", "must be empty with CompleteAll")
		}
		return nil
	}
	for i, p := range sorted {
		if p.Number < 1 || p.Number > MaxParts {
			return usageError(op, "parts", "number "+strconv.Itoa(p.Number)+" is not 1 to 10000")
		}
		if i > 0 && sorted[i-1].Number == p.Number {
			return usageError(op, "parts", "number "+strconv.Itoa(p.Number)+" occurs twice")
		}
		if p.ETag == "" {
			return usageError(op, "parts", "number "+strconv.Itoa(p.Number)+" has no ETag")
		}
	}
	return nil
}

// combineParts is the CRC-64 of the whole, if every part's is known.
func combineParts(parts []Part) (uint64, bool) {
	var sum uint64
	for _, p := range parts {
		if !p.HasCRC64 || (p.Size <= 0 && p.CRC64 != 0) {
			return 0, false
		}
		sum = combineCRC(sum, p.CRC64, p.Size)
	}
	return sum, len(parts) > 0
}

// AbortMultipartOptions tunes AbortMultipartUpload.
type AbortMultipartOptions struct {
	// Header holds anything else.
	Header http.Header
}

// AbortMultipartUpload discards an upload and its parts. A part still on its
// way may survive: stop the writers first. errors.Is: ErrNoSuchUpload.
func (b *Bucket) AbortMultipartUpload(ctx context.Context, key, uploadID string, opts *AbortMultipartOptions) error {
	r := b.objectCall("AbortMultipartUpload", http.MethodDelete, key)
	if uploadID == "" {
		// Without the id this request would delete the object.
		return usageError(r.op, "uploadID", "is empty")
	}
	r.set("uploadId", uploadID)
	if opts != nil {
		addHeaders(r.header, opts.Header)
	}
	_, err := b.client.doEmpty(ctx, r)
	return err
}

func (c *call) setPart(uploadID string, number int) error {
	if uploadID == "" {
		return usageError(c.op, "uploadID", "is empty")
	}
	if number < 1 || number > MaxParts {
		return usageError(c.op, "number", strconv.Itoa(number)+" is not 1 to 10000")
	}
	c.setInt("partNumber", int64(number))
	c.set("uploadId", uploadID)
	return nil
}
