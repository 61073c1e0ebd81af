package oss

import (
	"context"
	"net/http"
)

// PutBucketACL sets the bucket's ACL: private, public-read or
// public-read-write.
func (b *Bucket) PutBucketACL(ctx context.Context, acl string) (*Response, error) {
	return b.config("PutBucketACL", http.MethodPut, "acl").withHeader("X-Oss-Acl", acl).send(ctx)
}

// GetBucketACLResult is the answer to GetBucketACL.
type GetBucketACLResult struct {
	Response `xml:"-"`
	Owner    Owner
	ACL      string `xml:"AccessControlList>Grant"` // private, public-read or public-read-write
}

// GetBucketACL gives the bucket's ACL.
func (b *Bucket) GetBucketACL(ctx context.Context) (*GetBucketACLResult, error) {
	return get[GetBucketACLResult](ctx, b.config("GetBucketACL", http.MethodGet, "acl"), "AccessControlPolicy")
}

// PutBucketVersioning sets versioning to Enabled or Suspended.
func (b *Bucket) PutBucketVersioning(ctx context.Context, status string) (*Response, error) {
	type body struct{ Status string }
	return b.config("PutBucketVersioning", http.MethodPut, "versioning").
		xmlBody("VersioningConfiguration", body{status}).send(ctx)
}

// GetBucketVersioningResult is the answer to GetBucketVersioning.
type GetBucketVersioningResult struct {
	Response `xml:"-"`

	// Versioning is Enabled, Suspended, or "" where it was never set.
	Versioning string `xml:"Status"`
}

// GetBucketVersioning asks whether the bucket keeps old versions.
func (b *Bucket) GetBucketVersioning(ctx context.Context) (*GetBucketVersioningResult, error) {
	return get[GetBucketVersioningResult](ctx, b.config("GetBucketVersioning", http.MethodGet, "versioning"), "VersioningConfiguration")
}
