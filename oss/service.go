package oss

import (
	"context"
	"io"
	"net/http"
	"strconv"
)

// RegionInfo is a region and its endpoints.
type RegionInfo struct {
	Region             string // such as oss-cn-hangzhou
	InternetEndpoint   string
	InternalEndpoint   string
	AccelerateEndpoint string
}

// DescribeRegionsResult is the answer to DescribeRegions.
type DescribeRegionsResult struct {
	Response `xml:"-"`
	Regions  []RegionInfo `xml:"RegionInfo"`
}

// DescribeRegions gives the endpoints of a region, such as oss-cn-hangzhou, or
// of all where region is "".
func (c *Client) DescribeRegions(ctx context.Context, region string) (*DescribeRegionsResult, error) {
	r := &config{call: c.newCall("DescribeRegions", http.MethodGet)}
	r.set("regions", region)
	return get[DescribeRegionsResult](ctx, r, "RegionInfoList")
}

// WriteGetObjectResponseOptions tunes WriteGetObjectResponse. The zero value
// answers with no headers of its own.
type WriteGetObjectResponseOptions struct {
	// Forward holds headers for whoever asked for the object, such as
	// Content-Type and ETag.
	Forward http.Header

	// OnProgress receives the bytes sent.
	OnProgress ProgressFunc

	// Header holds headers for the service.
	Header http.Header
}

// WriteGetObjectResponse answers, from a function that an access point for
// object processing has called, whoever asked that access point for an object.
// route and token are those the function was given; status is the answer's and
// body its content. The client's endpoint must be what route names.
func (c *Client) WriteGetObjectResponse(ctx context.Context, route, token string, status int, body io.Reader, opts *WriteGetObjectResponseOptions) (*Response, error) {
	var o WriteGetObjectResponseOptions
	if opts != nil {
		o = *opts
	}
	r := c.config("WriteGetObjectResponse", http.MethodPost, "x-oss-write-get-object-response").
		withHeader("X-Oss-Request-Route", route).
		withHeader("X-Oss-Request-Token", token).
		withHeader("X-Oss-Fwd-Status", strconv.Itoa(status))
	for name, values := range o.Forward {
		r.header[http.CanonicalHeaderKey("X-Oss-Fwd-Header-"+name)] = values
	}
	addHeaders(r.header, o.Header)
	r.setBody(body, o.OnProgress)
	return r.send(ctx)
}
