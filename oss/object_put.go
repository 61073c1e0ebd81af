package oss

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// PutObjectOptions tunes PutObject. The zero value is ready to use.
type PutObjectOptions struct {
	ObjectHeaders

	// ContentMD5 is the base64 MD5 of the body, which the server then checks.
	ContentMD5 string

	// TrafficLimit bounds the rate in bit/s. 0 means none.
	TrafficLimit int64

	// OnProgress is called as the body is read for sending.
	OnProgress ProgressFunc

	// Query holds further query parameters.
	Query url.Values
}

// PutObjectResult is the answer to PutObject.
type PutObjectResult struct {
	Response

	// ETag is unquoted.
	ETag string

	// CRC64 is that of the bytes sent, 0 with Options.DisableCRC. HasCRC64
	// says that the server has confirmed it.
	CRC64    uint64
	HasCRC64 bool

	// VersionID is "" unless the bucket has versioning.
	VersionID string

	// CallbackBody is what the callback answered, where there was one.
	CallbackBody []byte
}

// PutObject stores body under key, replacing what was there. A nil body is
// empty. The length is taken from the body's Len or Seek method, where it has
// one, counting from its current position; else the body is sent in chunks.
//
// A body of known length is no longer read once PutObject has returned, unless
// one Read takes more than a second after the end of ctx. One of unknown length,
// such as a pipe, may see one more Read end after an error.
//
// The error is an *IntegrityError if the server stored other bytes, and matches
// ErrCallbackFailed if the object was stored but its callback failed.
func (b *Bucket) PutObject(ctx context.Context, key string, body io.Reader, opts *PutObjectOptions) (*PutObjectResult, error) {
	var o PutObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("PutObject", http.MethodPut, key)
	o.apply(r.header, key)
	setHeader(r.header, "Content-Md5", o.ContentMD5)
	r.trafficLimit(o.TrafficLimit)
	r.addQuery(o.Query)
	r.setBody(body, o.OnProgress)
	resp, answer, err := b.client.doText(ctx, r)
	if err != nil {
		return nil, err
	}
	return r.putResult(resp, answer)
}

// putResult is what the answer says of the object, if it holds what was sent.
func (c *call) putResult(resp *http.Response, answer []byte) (*PutObjectResult, error) {
	if err := c.checkCRC(resp, c.body.sum()); err != nil {
		return nil, err
	}
	_, confirmed := crcOf(resp.Header)
	return &PutObjectResult{
		Response:     newResponse(resp),
		ETag:         etagOf(resp.Header),
		CRC64:        c.body.sum(),
		HasCRC64:     confirmed && !c.client.disableCRC,
		VersionID:    resp.Header.Get("X-Oss-Version-Id"),
		CallbackBody: answer,
	}, nil
}

// AppendObjectOptions tunes AppendObject. The zero value is ready to use.
type AppendObjectOptions struct {
	ObjectHeaders

	ContentMD5   string // base64
	TrafficLimit int64  // bit/s

	// OnProgress is called as the body is read for sending.
	OnProgress ProgressFunc

	// InitCRC64 is the CRC-64 of what the object holds already. With it, or
	// at position 0, the server's CRC-64 is compared.
	InitCRC64 *uint64

	// Query holds further query parameters.
	Query url.Values
}

// AppendObjectResult is the answer to AppendObject.
type AppendObjectResult struct {
	Response

	// ETag is unquoted. It is no MD5.
	ETag string

	// NextPosition is the object's length now.
	NextPosition int64

	// CRC64 is the server's, of the whole object.
	CRC64    uint64
	HasCRC64 bool

	VersionID string
}

// AppendObject adds body at the end of the object, which must be position bytes
// long. At position 0 it makes the object, with the headers of opts; later ones
// are ignored. errors.Is: ErrPositionNotEqualToLength, ErrObjectNotAppendable.
func (b *Bucket) AppendObject(ctx context.Context, key string, position int64, body io.Reader, opts *AppendObjectOptions) (*AppendObjectResult, error) {
	var o AppendObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.objectCall("AppendObject", http.MethodPost, key)
	if position < 0 {
		return nil, usageError(r.op, "position", "is negative")
	}
	r.set("append", "")
	r.setInt("position", position)
	o.apply(r.header, key)
	setHeader(r.header, "Content-Md5", o.ContentMD5)
	r.trafficLimit(o.TrafficLimit)
	r.addQuery(o.Query)
	r.setBody(body, o.OnProgress)
	resp, err := b.client.doEmpty(ctx, r)
	if err != nil {
		return nil, err
	}
	res := &AppendObjectResult{
		Response:  newResponse(resp),
		ETag:      etagOf(resp.Header),
		VersionID: resp.Header.Get("X-Oss-Version-Id"),
	}
	res.CRC64, res.HasCRC64 = crcOf(resp.Header)
	res.NextPosition = position + r.body.sent()
	if next, ok := parseOffset(resp.Header.Get("X-Oss-Next-Append-Position")); ok {
		res.NextPosition = next
	}
	if position == 0 && o.InitCRC64 == nil {
		o.InitCRC64 = new(uint64)
	}
	if o.InitCRC64 != nil {
		return res, r.checkCRC(resp, combineCRC(*o.InitCRC64, r.body.sum(), r.body.sent()))
	}
	return res, nil
}
