package oss

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// signer is one signature version.
type signer interface {
	// header adds Authorization and what it needs to r.header.
	header(r *signing)

	// query adds the parameters of a presigned URL to r.query and returns
	// the signature with its parameter's name.
	query(r *signing, expires time.Duration) param
}

// signing is a request as signers see it.
type signing struct {
	method      string
	bucket, key string
	query       []param
	header      http.Header
	host        string
	length      int64
	additional  []string // lower case, sorted
	creds       Credentials
	now         time.Time // by the server's clock
	wire        string    // the encoded query, where the signer made it
}

const maxPresignV4 = 7 * 24 * time.Hour

func newSigner(o Options, region string) (signer, error) {
	if o.Region != "" {
		region = o.Region
	}
	product := "oss"
	if o.CloudBoxID != "" {
		region, product = o.CloudBoxID, "oss-cloudbox"
	}
	for i := range len(region) {
		if c := region[i]; !isAlnum(c) && c != '-' {
			return nil, usageError("New", "Options.Region", "may hold only letters, digits and '-'")
		}
	}
	switch o.Signature {
	case SignatureAuto:
		if region == "" {
			return signerV1{}, nil
		}
		return &signerV4{region: region, product: product}, nil
	case SignatureV1:
		return signerV1{}, nil
	case SignatureV2:
		return signerV2{}, nil
	case SignatureV4:
		if region == "" {
			return nil, usageError("New", "Options.Region", "is needed for signature V4")
		}
		return &signerV4{region: region, product: product}, nil
	}
	return nil, usageError("New", "Options.Signature", "is not a known version")
}

// build makes the HTTP request of r, signed.
func (c *Client) build(ctx context.Context, r *call, creds Credentials) *http.Request {
	host, path := c.endpoint.locate(r.bucket, r.key)
	r.header["User-Agent"] = []string{c.userAgent}
	if r.header["Accept-Encoding"] == nil {
		r.header["Accept-Encoding"] = []string{"identity"}
	}
	s := signing{
		method: r.method, bucket: r.bucket, key: r.key, query: r.query, header: r.header,
		host: host, additional: c.additional, creds: creds, now: c.clock(),
	}
	if r.body != nil {
		s.length = r.body.length
	}
	if !creds.anonymous() {
		if creds.SecurityToken != "" {
			r.header["X-Oss-Security-Token"] = []string{creds.SecurityToken}
		}
		c.signer.header(&s)
	}
	if s.wire == "" && len(s.query) > 0 {
		s.wire = string(appendQuery(nil, s.query))
	}
	return r.request(ctx, c.urlOf(host, path, r.key, s.wire))
}

// request is the HTTP request to a URL.
func (c *call) request(ctx context.Context, u *url.URL) *http.Request {
	req := (&http.Request{
		Method: c.method, URL: u, Host: u.Host, Header: c.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case c.body == nil:
	case c.body.length == 0:
		req.Body = http.NoBody
	default:
		req.Body, req.ContentLength = c.body, c.body.length
	}
	return req
}

// urlOf makes a URL that goes out exactly as path and query are: with RawPath a
// valid encoding of Path, net/http sends RawPath.
func (c *Client) urlOf(host, path, key, query string) *url.URL {
	decoded := path
	if strings.Contains(path, "%") {
		decoded = path[:len(path)-len(encodePath(key))] + key
	}
	return &url.URL{Scheme: c.endpoint.scheme, Host: host, Path: decoded, RawPath: path, RawQuery: query}
}

// signedHeader is a header as it is signed.
type signedHeader struct{ name, value string }

// signedHeaders gives the headers to sign, sorted by lower-case name: all
// x-oss-*, those keep names, and those that are additional. found lists the
// additional ones present, joined with ';'.
func (r *signing) signedHeaders(dst []signedHeader, keep func(lower string) bool) (headers []signedHeader, found string) {
	var names []string
	for name, values := range r.header {
		lower := lowerName(name)
		switch {
		case strings.HasPrefix(lower, "x-oss-") || keep != nil && keep(lower):
		case slices.Contains(r.additional, lower):
			names = append(names, lower)
		default:
			continue
		}
		value := ""
		if len(values) == 1 {
			value = strings.TrimSpace(values[0])
		} else {
			value = strings.TrimSpace(strings.Join(values, ","))
		}
		dst = append(dst, signedHeader{lower, value})
	}
	for _, name := range r.additional {
		switch {
		case name == "host" && r.host != "":
			dst, names = append(dst, signedHeader{name, r.host}), append(names, name)
		case name == "content-length" && r.length > 0:
			dst, names = append(dst, signedHeader{name, itoa(r.length)}), append(names, name)
		}
	}
	slices.SortFunc(dst, func(a, b signedHeader) int { return strings.Compare(a.name, b.name) })
	if len(names) > 0 {
		slices.Sort(names)
		found = strings.Join(names, ";")
	}
	return dst, found
}

// lowerName is strings.ToLower without an allocation for the usual names.
func lowerName(name string) string {
	if lower, ok := lowerNames[name]; ok {
		return lower
	}
	return strings.ToLower(name)
}

var lowerNames = map[string]string{
	"Accept-Encoding":      "accept-encoding",
	"Authorization":        "authorization",
	"Content-Md5":          "content-md5",
	"Content-Type":         "content-type",
	"Date":                 "date",
	"If-Match":             "if-match",
	"Range":                "range",
	"User-Agent":           "user-agent",
	"X-Oss-Content-Sha256": "x-oss-content-sha256",
	"X-Oss-Date":           "x-oss-date",
	"X-Oss-Range-Behavior": "x-oss-range-behavior",
	"X-Oss-Security-Token": "x-oss-security-token",
	"X-Oss-Object-Acl":     "x-oss-object-acl",
	"X-Oss-Storage-Class":  "x-oss-storage-class",
	"X-Oss-Request-Payer":  "x-oss-request-payer",
	"X-Oss-Copy-Source":    "x-oss-copy-source",
	"X-Oss-Traffic-Limit":  "x-oss-traffic-limit",
	"X-Oss-Complete-All":   "x-oss-complete-all",
	"X-Oss-Symlink-Target": "x-oss-symlink-target",
	"X-Oss-Tagging":        "x-oss-tagging",
}
