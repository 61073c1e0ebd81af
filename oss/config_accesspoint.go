package oss

import (
	"context"
	"iter"
	"net/http"
)

// AccessPointConfiguration makes another way into a bucket, with a policy of its
// own.
type AccessPointConfiguration struct {
	// Name is 3 to 19 of a-z, 0-9 and '-'.
	Name string `xml:"AccessPointName"`

	NetworkOrigin string // vpc or internet
	VPCID         string `xml:"VpcConfiguration>VpcId,omitempty"` // with vpc
}

func (c *AccessPointConfiguration) document() (string, []byte, error) {
	return marshalDocument("CreateAccessPointConfiguration", c, "VpcConfiguration")
}

// CreateAccessPointResult is the answer to CreateAccessPoint.
type CreateAccessPointResult struct {
	Response `xml:"-"`
	ARN      string `xml:"AccessPointArn"`

	// Alias is a bucket name that requests may use.
	Alias string
}

// CreateAccessPoint makes the access point of an *AccessPointConfiguration.
func (b *Bucket) CreateAccessPoint(ctx context.Context, accessPoint Document, opts *ConfigOptions) (*CreateAccessPointResult, error) {
	return get[CreateAccessPointResult](ctx,
		b.config("CreateAccessPoint", http.MethodPut, "accessPoint").body("CreateAccessPointConfiguration", accessPoint, opts), "CreateAccessPointResult")
}

// AccessPoint is an access point in a listing.
type AccessPoint struct {
	Name          string `xml:"AccessPointName"`
	Bucket        string
	NetworkOrigin string
	VPCID         string `xml:"VpcConfiguration>VpcId"`
	Alias         string

	// AccessPointStatus is enable, disable, creating or deleting.
	AccessPointStatus string `xml:"Status"`
}

// GetAccessPointResult is the answer to GetAccessPoint.
type GetAccessPointResult struct {
	Response `xml:"-"`
	AccessPoint
	AccountID         string `xml:"AccountId"`
	ARN               string `xml:"AccessPointArn"`
	CreationDate      Time
	PublicEndpoint    string `xml:"Endpoints>PublicEndpoint"`
	InternalEndpoint  string `xml:"Endpoints>InternalEndpoint"`
	BlockPublicAccess bool   `xml:"PublicAccessBlockConfiguration>BlockPublicAccess"`
}

// GetAccessPoint gives an access point of the bucket.
func (b *Bucket) GetAccessPoint(ctx context.Context, name string) (*GetAccessPointResult, error) {
	return get[GetAccessPointResult](ctx, b.accessPoint("GetAccessPoint", http.MethodGet, "accessPoint", name), "GetAccessPointResult")
}

// DeleteAccessPoint removes an access point of the bucket.
func (b *Bucket) DeleteAccessPoint(ctx context.Context, name string) (*Response, error) {
	return b.accessPoint("DeleteAccessPoint", http.MethodDelete, "accessPoint", name).send(ctx)
}

// accessPoint names the access point in a header, as all calls but those on its
// public access block do.
func (b *Bucket) accessPoint(op, method, sub, name string) *config {
	return b.config(op, method, sub).withHeader("X-Oss-Access-Point-Name", name)
}

// ListAccessPointsResult is a page of access points.
type ListAccessPointsResult struct {
	Response `xml:"-"`
	Page
	AccountID    string        `xml:"AccountId"`
	AccessPoints []AccessPoint `xml:"AccessPoints>AccessPoint"`
}

func (r *ListAccessPointsResult) read() ([]AccessPoint, Page, *Response) {
	return r.AccessPoints, r.Page, &r.Response
}

// ListBucketAccessPoints lists a page of the bucket's access points
// (ListAccessPoints).
func (b *Bucket) ListBucketAccessPoints(ctx context.Context, opts *PageOptions) (*ListAccessPointsResult, error) {
	return get[ListAccessPointsResult](ctx, b.config("ListBucketAccessPoints", http.MethodGet, "accessPoint").page(opts), "ListAccessPointsResult")
}

// AccessPoints lists all pages of the bucket's access points.
func (b *Bucket) AccessPoints(ctx context.Context, opts *PageOptions) iter.Seq2[AccessPoint, error] {
	return tokenPages("ListBucketAccessPoints", b.name, opts, func(o *PageOptions) (*ListAccessPointsResult, error) {
		return b.ListBucketAccessPoints(ctx, o)
	}, (*ListAccessPointsResult).read)
}

// ListAccessPoints lists a page of the account's access points.
func (c *Client) ListAccessPoints(ctx context.Context, opts *PageOptions) (*ListAccessPointsResult, error) {
	return get[ListAccessPointsResult](ctx, c.config("ListAccessPoints", http.MethodGet, "accessPoint").page(opts), "ListAccessPointsResult")
}

// AccessPoints lists all pages of the account's access points.
func (c *Client) AccessPoints(ctx context.Context, opts *PageOptions) iter.Seq2[AccessPoint, error] {
	return tokenPages("ListAccessPoints", "", opts, func(o *PageOptions) (*ListAccessPointsResult, error) {
		return c.ListAccessPoints(ctx, o)
	}, (*ListAccessPointsResult).read)
}

// PutAccessPointPolicy sets an access point's policy, a JSON text.
func (b *Bucket) PutAccessPointPolicy(ctx context.Context, name, policy string) (*Response, error) {
	return b.accessPoint("PutAccessPointPolicy", http.MethodPut, "accessPointPolicy", name).jsonBody(policy).send(ctx)
}

// GetAccessPointPolicyResult is the answer to GetAccessPointPolicy.
type GetAccessPointPolicyResult struct {
	Response

	// Policy is the JSON text as it was set.
	Policy string
}

// GetAccessPointPolicy gives an access point's policy.
func (b *Bucket) GetAccessPointPolicy(ctx context.Context, name string) (*GetAccessPointPolicyResult, error) {
	resp, text, err := b.accessPoint("GetAccessPointPolicy", http.MethodGet, "accessPointPolicy", name).text(ctx)
	if err != nil {
		return nil, err
	}
	return &GetAccessPointPolicyResult{resp, text}, nil
}

// DeleteAccessPointPolicy removes an access point's policy.
func (b *Bucket) DeleteAccessPointPolicy(ctx context.Context, name string) (*Response, error) {
	return b.accessPoint("DeleteAccessPointPolicy", http.MethodDelete, "accessPointPolicy", name).send(ctx)
}
