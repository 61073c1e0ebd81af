package oss

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SignURLOptions tunes SignURL. The zero value is ready to use.
type SignURLOptions struct {
	// Header holds the headers that the user of the URL will send. Content-*
	// and x-oss-* among them are signed, and must then be sent.
	Header http.Header

	// AdditionalHeaders names those of Header that V2 and V4 sign besides.
	AdditionalHeaders []string

	// Query holds further query parameters, which are signed: versionId,
	// x-oss-process, response-content-type and its like, callback…
	Query url.Values
}

// SignURL gives a URL that allows one method on one key until it expires: after
// at most seven days with V4. key "" means the bucket, for GET and HEAD: a key
// left out by mistake must not delete it. With anonymous
// credentials the URL is unsigned. It sends nothing.
func (b *Bucket) SignURL(ctx context.Context, method, key string, expires time.Duration, opts *SignURLOptions) (string, error) {
	var o SignURLOptions
	if opts != nil {
		o = *opts
	}
	c := b.client
	r := b.newCall("SignURL", method)
	if key != "" || method != http.MethodGet && method != http.MethodHead {
		r = b.objectCall("SignURL", method, key)
	}
	if delete(r.header, "X-Oss-Request-Payer"); c.payer {
		r.set("x-oss-request-payer", "requester") // the user of the URL need not know
	}
	if err := r.checkPresign(expires); err != nil {
		return "", err
	}
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
	if err := r.check(); err != nil {
		return "", err
	}
	if _, v4 := c.signer.(*signerV4); v4 && expires > maxPresignV4 {
		return "", usageError(r.op, "expires", "is more than seven days")
	}
	creds, err := c.credentials(ctx)
	if err != nil {
		return "", err
	}
	host, path := c.endpoint.locate(r.bucket, r.key)
	s := signing{
		method: method, bucket: r.bucket, key: key, query: r.query, header: r.header,
		host: host, creds: creds, now: c.clock(), additional: slices.Clone(c.additional),
	}
	for _, name := range o.AdditionalHeaders {
		s.additional = append(s.additional, strings.ToLower(strings.TrimSpace(name)))
	}
	slices.Sort(s.additional)
	s.additional = slices.Compact(s.additional)
	if !creds.anonymous() {
		signature := c.signer.query(&s, expires)
		s.query = append(s.query, signature)
	}
	return c.urlOf(host, path, key, string(appendQuery(nil, s.query))).String(), nil
}

func (c *call) checkPresign(expires time.Duration) error {
	if !validHeaderName(c.method) {
		return usageError(c.op, "method", quote(c.method)+" is no HTTP method")
	}
	if expires < time.Second {
		return usageError(c.op, "expires", "is less than a second")
	}
	return nil
}
