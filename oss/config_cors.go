package oss

import (
	"context"
	"net/http"
)

// BucketCORS is what pages of other origins may do with the bucket: at most 10
// rules, the first that matches counts.
type BucketCORS struct {
	Rules []CORSRule `xml:"CORSRule"`

	// ResponseVary sends "Vary: Origin" with every answer, not just with
	// those to requests of another origin.
	ResponseVary *bool
}

func (c *BucketCORS) document() (string, []byte, error) {
	return marshalDocument("CORSConfiguration", c)
}

// CORSRule allows requests. In origins and headers one "*" stands for anything.
type CORSRule struct {
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"` // GET, PUT, DELETE, POST, HEAD
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`

	// MaxAgeSeconds is how long a browser may remember the answer.
	MaxAgeSeconds int `xml:",omitempty"`
}

// PutBucketCORS replaces the bucket's rules by those of a *BucketCORS
// (PutBucketCors).
func (b *Bucket) PutBucketCORS(ctx context.Context, cors Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketCORS", http.MethodPut, "cors").body("CORSConfiguration", cors, opts).send(ctx)
}

// GetBucketCORSResult is the answer to GetBucketCORS.
type GetBucketCORSResult struct {
	Response `xml:"-"`
	BucketCORS
}

// GetBucketCORS gives the bucket's rules (GetBucketCors). errors.Is:
// ErrNoSuchCORS.
func (b *Bucket) GetBucketCORS(ctx context.Context) (*GetBucketCORSResult, error) {
	return get[GetBucketCORSResult](ctx, b.config("GetBucketCORS", http.MethodGet, "cors"), "CORSConfiguration")
}

// DeleteBucketCORS removes the bucket's rules (DeleteBucketCors).
func (b *Bucket) DeleteBucketCORS(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketCORS", http.MethodDelete, "cors").send(ctx)
}
