package oss

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/osssync/osssync/internal/file"
)

// A presigned URL holds all that its user needs to know; these calls send to
// it what SignURL has allowed, with the client's session and without its
// credentials. They say more in their errors than a plain HTTP client, and
// compare lengths and CRC-64.

// PutObjectWithURL is PutObject to a URL that SignURL made for PUT. The headers
// of opts must be those that were signed; none is added by itself.
func (b *Bucket) PutObjectWithURL(ctx context.Context, signedURL string, body io.Reader, opts *PutObjectOptions) (*PutObjectResult, error) {
	var o PutObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.urlCall("PutObjectWithURL", http.MethodPut)
	o.apply(r.header, "")
	setHeader(r.header, "Content-Md5", o.ContentMD5)
	r.trafficLimit(o.TrafficLimit)
	r.setBody(body, o.OnProgress)
	resp, err := b.client.doURL(ctx, r, signedURL)
	if err != nil {
		return nil, err
	}
	answer, err := r.readAnswer(ctx, resp, maxAnswer)
	if err == nil {
		err = r.noDocument(resp, answer)
	}
	if err != nil {
		return nil, err
	}
	return r.putResult(resp, answer)
}

// PutObjectWithURLFromFile is PutObjectWithURL with the content of a file.
func (b *Bucket) PutObjectWithURLFromFile(ctx context.Context, signedURL, name string, opts *PutObjectOptions) (*PutObjectResult, error) {
	src, err := file.Open(name)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return b.PutObjectWithURL(ctx, signedURL, src, opts)
}

// GetObjectWithURL is GetObject from a URL that SignURL made for GET. Of opts
// the query parameters (versions, processing, response headers) belong to the
// URL and are not looked at.
func (b *Bucket) GetObjectWithURL(ctx context.Context, signedURL string, opts *GetObjectOptions) (*GetObjectResult, error) {
	var o GetObjectOptions
	if opts != nil {
		o = *opts
	}
	r := b.urlCall("GetObjectWithURL", http.MethodGet)
	if err := o.Range.validate(r.op); err != nil {
		return nil, err
	}
	o.apply(r)
	r.header.Del("X-Oss-Range-Behavior") // it is not signed; a range not to the service's taste is an error all the same
	r.query = nil
	if u, err := url.Parse(signedURL); err == nil && u.Query().Has("x-oss-process") {
		o.Process = u.Query().Get("x-oss-process") // its bytes are not the object's
	}
	resp, err := b.client.doURL(ctx, r, signedURL)
	if err != nil {
		return nil, err
	}
	return b.openObject(ctx, r, resp, &o)
}

// GetObjectWithURLToFile is GetObjectWithURL into a file, as GetObjectToFile.
func (b *Bucket) GetObjectWithURLToFile(ctx context.Context, signedURL, name string, opts *GetObjectOptions) (*GetObjectResult, error) {
	result, err := b.GetObjectWithURL(ctx, signedURL, opts)
	if err != nil {
		return nil, err
	}
	if err := file.Write(name, result.Body); err != nil {
		return nil, err
	}
	return result, nil
}

// urlCall is a call whose address and signature are in a URL.
func (b *Bucket) urlCall(op, method string) *call {
	r := b.client.newCall(op, method)
	r.bucket = b.name
	return r
}

// doURL sends c to a presigned URL as it is.
func (c *Client) doURL(ctx context.Context, r *call, signedURL string) (*http.Response, error) {
	u, err := url.Parse(signedURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError(r.op, "url", "is no http or https URL") // which is not shown: it holds a signature
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	r.key = keyOf(u, r.bucket)
	r.header["User-Agent"] = []string{c.userAgent}
	if r.header["Accept-Encoding"] == nil {
		r.header["Accept-Encoding"] = []string{"identity"}
	}
	return c.send(ctx, r, r.request(ctx, u))
}

// keyOf is the key in a URL of the bucket's, for errors.
func keyOf(u *url.URL, bucket string) string {
	path := strings.TrimPrefix(u.Path, "/")
	if !strings.HasPrefix(u.Host, bucket+".") {
		path = strings.TrimPrefix(path, bucket+"/")
	}
	return path
}
