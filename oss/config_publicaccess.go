package oss

import (
	"context"
	"net/http"
)

const publicAccessRoot = "PublicAccessBlockConfiguration"

// GetPublicAccessBlockResult is the answer to the calls that read a public
// access block.
type GetPublicAccessBlockResult struct {
	Response `xml:"-"`

	// BlockPublicAccess refuses what a public ACL or policy allows.
	BlockPublicAccess bool
}

// publicAccess sets the block where c points.
func (c *config) publicAccess(ctx context.Context, block bool) (*Response, error) {
	type body struct{ BlockPublicAccess bool }
	return c.xmlBody(publicAccessRoot, body{block}).send(ctx)
}

// PutPublicAccessBlock blocks public access to all the account's buckets, or
// allows it.
func (c *Client) PutPublicAccessBlock(ctx context.Context, block bool) (*Response, error) {
	return c.config("PutPublicAccessBlock", http.MethodPut, "publicAccessBlock").publicAccess(ctx, block)
}

// GetPublicAccessBlock asks whether public access to the account's buckets is
// blocked.
func (c *Client) GetPublicAccessBlock(ctx context.Context) (*GetPublicAccessBlockResult, error) {
	return get[GetPublicAccessBlockResult](ctx, c.config("GetPublicAccessBlock", http.MethodGet, "publicAccessBlock"), publicAccessRoot)
}

// DeletePublicAccessBlock removes the account's block.
func (c *Client) DeletePublicAccessBlock(ctx context.Context) (*Response, error) {
	return c.config("DeletePublicAccessBlock", http.MethodDelete, "publicAccessBlock").send(ctx)
}

// PutBucketPublicAccessBlock blocks public access to the bucket, or allows it.
func (b *Bucket) PutBucketPublicAccessBlock(ctx context.Context, block bool) (*Response, error) {
	return b.config("PutBucketPublicAccessBlock", http.MethodPut, "publicAccessBlock").publicAccess(ctx, block)
}

// GetBucketPublicAccessBlock asks whether public access to the bucket is
// blocked.
func (b *Bucket) GetBucketPublicAccessBlock(ctx context.Context) (*GetPublicAccessBlockResult, error) {
	return get[GetPublicAccessBlockResult](ctx, b.config("GetBucketPublicAccessBlock", http.MethodGet, "publicAccessBlock"), publicAccessRoot)
}

// DeleteBucketPublicAccessBlock removes the bucket's block.
func (b *Bucket) DeleteBucketPublicAccessBlock(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketPublicAccessBlock", http.MethodDelete, "publicAccessBlock").send(ctx)
}

// PutAccessPointPublicAccessBlock blocks public access through an access point,
// or allows it.
func (b *Bucket) PutAccessPointPublicAccessBlock(ctx context.Context, name string, block bool) (*Response, error) {
	return b.accessPointBlock("PutAccessPointPublicAccessBlock", http.MethodPut, name).publicAccess(ctx, block)
}

// GetAccessPointPublicAccessBlock asks whether public access through an access
// point is blocked.
func (b *Bucket) GetAccessPointPublicAccessBlock(ctx context.Context, name string) (*GetPublicAccessBlockResult, error) {
	return get[GetPublicAccessBlockResult](ctx, b.accessPointBlock("GetAccessPointPublicAccessBlock", http.MethodGet, name), publicAccessRoot)
}

// DeleteAccessPointPublicAccessBlock removes an access point's block.
func (b *Bucket) DeleteAccessPointPublicAccessBlock(ctx context.Context, name string) (*Response, error) {
	return b.accessPointBlock("DeleteAccessPointPublicAccessBlock", http.MethodDelete, name).send(ctx)
}

// accessPointBlock names the access point in the query: these calls alone do.
func (b *Bucket) accessPointBlock(op, method, name string) *config {
	return b.config(op, method, "publicAccessBlock").with("x-oss-access-point-name", name)
}
