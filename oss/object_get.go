package oss

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// GetObjectOptions tunes GetObject. The zero value reads the whole object.
type GetObjectOptions struct {
	// Range is the part of the object to read.
	Range Range

	// IfMatch and IfNoneMatch hold an ETag, unquoted, or "*". A failed
	// condition is ErrPreconditionFailed or ErrNotModified.
	IfMatch     string
	IfNoneMatch string

	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time

	// VersionID "" means the current version.
	VersionID string

	// Process is the text of x-oss-process: the body is then what the
	// processing made, and is not compared with a CRC-64.
	Process string

	// AcceptEncoding "" means identity. With gzip the body arrives
	// compressed, unless the type is not worth it, and is not compared.
	AcceptEncoding string

	// Response* replace headers of this one answer.
	ResponseContentType        string
	ResponseContentLanguage    string
	ResponseExpires            string
	ResponseCacheControl       string
	ResponseContentDisposition string
	ResponseContentEncoding    string

	// TrafficLimit bounds the rate in bit/s. 0 means none.
	TrafficLimit int64

	// OnProgress is called from Read of the body.
	OnProgress ProgressFunc

	// Header and Query hold anything else.
	Header http.Header
	Query  url.Values
}

// GetObjectResult is an open object. Its Body must be closed.
type GetObjectResult struct {
	ObjectMeta

	// Body reads the object's bytes. A large buffer is filled straight from
	// the connection. Instead of io.EOF it gives a *TransportError for fewer
	// bytes than were promised, and an *IntegrityError where a whole object
	// does not have the server's CRC-64.
	Body io.ReadCloser

	// Offset is the first byte of Body within the object, Length the number
	// of bytes, Total the size of the object. Length and Total are -1 where
	// the server did not say, as for compressed answers.
	Offset int64
	Length int64
	Total  int64

	body *objectBody
}

// CRC64 is the CRC-64 of the bytes read from Body so far, 0 with
// Options.DisableCRC. The server's, of the whole object, is in ObjectMeta.
func (r *GetObjectResult) CRC64() uint64 { return r.body.crc }

// GetObject opens an object for reading. The context governs reading the body
// too. A range is answered exactly as asked or is an error: one that begins
// after the last byte is ErrInvalidRange.
func (b *Bucket) GetObject(ctx context.Context, key string, opts *GetObjectOptions) (*GetObjectResult, error) {
	var o GetObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("GetObject", http.MethodGet, key)
	if err := o.Range.validate(r.op); err != nil {
		return nil, err
	}
	o.apply(r)
	resp, err := b.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return b.openObject(ctx, r, resp, &o)
}

// openObject makes the result of an answer to a GetObject.
func (b *Bucket) openObject(ctx context.Context, r *call, resp *http.Response, o *GetObjectOptions) (*GetObjectResult, error) {
	res := &GetObjectResult{ObjectMeta: *newObjectMeta(resp)}
	res.Length, res.Total = resp.ContentLength, resp.ContentLength
	if resp.StatusCode == http.StatusPartialContent || !o.Range.IsZero() {
		if err := res.checkRange(r, resp, o.Range); err != nil {
			discard(resp.Body)
			return nil, err
		}
	}
	res.Size = res.Total
	whole := o.Range.IsZero() && o.Process == "" && (o.AcceptEncoding == "" || o.AcceptEncoding == "identity")
	res.body = &objectBody{
		call: r, response: res.Response, src: resp.Body, hash: !b.client.disableCRC,
		want: res.Length, progress: o.OnProgress, ended: ctx.Err,
		check: whole && res.HasCRC64 && !b.client.disableCRC, serverCRC: res.ObjectMeta.CRC64,
	}
	res.Body = res.body
	return res, nil
}

func (o *GetObjectOptions) apply(r *call) {
	if !o.Range.IsZero() {
		r.header.Set("Range", o.Range.String())
		r.header.Set("X-Oss-Range-Behavior", "standard")
	}
	setConditions(r.header, "", o.IfMatch, o.IfNoneMatch, o.IfModifiedSince, o.IfUnmodifiedSince)
	setHeader(r.header, "Accept-Encoding", o.AcceptEncoding)
	r.setOpt("versionId", o.VersionID)
	r.setOpt("x-oss-process", o.Process)
	r.setOpt("response-content-type", o.ResponseContentType)
	r.setOpt("response-content-language", o.ResponseContentLanguage)
	r.setOpt("response-expires", o.ResponseExpires)
	r.setOpt("response-cache-control", o.ResponseCacheControl)
	r.setOpt("response-content-disposition", o.ResponseContentDisposition)
	r.setOpt("response-content-encoding", o.ResponseContentEncoding)
	r.trafficLimit(o.TrafficLimit)
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
}

// checkRange demands that the answer is the range asked for. The service
// answers a range it does not like with the whole object.
func (r *GetObjectResult) checkRange(c *call, resp *http.Response, want Range) error {
	if resp.StatusCode != http.StatusPartialContent {
		return c.answerError(resp, "range "+want.String()+" answered with status "+strconv.Itoa(resp.StatusCode))
	}
	text := resp.Header.Get("Content-Range")
	first, last, total, ok := parseContentRange(text)
	if !ok {
		return c.answerError(resp, "Content-Range "+strconv.Quote(text))
	}
	wantFirst, wantLast := want.within(total)
	if first != wantFirst || last != wantLast {
		return c.answerError(resp, "range "+want.String()+" answered with Content-Range "+strconv.Quote(text))
	}
	length := last - first + 1
	if resp.ContentLength >= 0 && resp.ContentLength != length {
		return c.answerError(resp, "Content-Range "+strconv.Quote(text)+" with Content-Length "+strconv.FormatInt(resp.ContentLength, 10))
	}
	r.Offset, r.Length, r.Total = first, length, total
	return nil
}

// setConditions writes conditions; prefix is "" or that of a copy's source.
func setConditions(h http.Header, prefix, match, noneMatch string, modified, unmodified time.Time) {
	if match != "" {
		h.Set(prefix+"If-Match", quoteETag(match))
	}
	if noneMatch != "" {
		h.Set(prefix+"If-None-Match", quoteETag(noneMatch))
	}
	if !modified.IsZero() {
		h.Set(prefix+"If-Modified-Since", HTTPDate(modified))
	}
	if !unmodified.IsZero() {
		h.Set(prefix+"If-Unmodified-Since", HTTPDate(unmodified))
	}
}
