package oss

import (
	"context"
	"net/http"
)

// BucketLogging says where the bucket's access logs go. Without a TargetBucket
// there are none.
type BucketLogging struct {
	TargetBucket string `xml:"LoggingEnabled>TargetBucket,omitempty"`
	TargetPrefix string `xml:"LoggingEnabled>TargetPrefix,omitempty"` // of the logs' keys
	LoggingRole  string `xml:"LoggingEnabled>LoggingRole,omitempty"`  // RAM role that writes them
}

func (l *BucketLogging) document() (string, []byte, error) {
	return marshalDocument("BucketLoggingStatus", l, "LoggingEnabled")
}

// PutBucketLogging sets where the bucket's logs go to a *BucketLogging.
func (b *Bucket) PutBucketLogging(ctx context.Context, logging Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketLogging", http.MethodPut, "logging").body("BucketLoggingStatus", logging, opts).send(ctx)
}

// GetBucketLoggingResult is the answer to GetBucketLogging.
type GetBucketLoggingResult struct {
	Response `xml:"-"`
	BucketLogging
}

// GetBucketLogging gives where the bucket's logs go: an empty value if there are
// none.
func (b *Bucket) GetBucketLogging(ctx context.Context) (*GetBucketLoggingResult, error) {
	return get[GetBucketLoggingResult](ctx, b.config("GetBucketLogging", http.MethodGet, "logging"), "BucketLoggingStatus")
}

// DeleteBucketLogging ends the bucket's logs.
func (b *Bucket) DeleteBucketLogging(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketLogging", http.MethodDelete, "logging").send(ctx)
}

// BucketReferer is which sites may point at the bucket's objects. In a referer
// "*" and "?" are wildcards.
type BucketReferer struct {
	// AllowEmptyReferer lets requests without a Referer header through.
	AllowEmptyReferer bool

	// AllowTruncateQueryString compares referers without their query. nil
	// means true.
	AllowTruncateQueryString *bool

	// Referers may; an empty list means all may.
	Referers []string `xml:"RefererList>Referer"`

	// BlackReferers may not, whatever Referers says.
	BlackReferers []string `xml:"RefererBlacklist>Referer"`
}

// document leaves RefererList in, be it empty: the service wants it.
func (r *BucketReferer) document() (string, []byte, error) {
	return marshalDocument("RefererConfiguration", r, "RefererBlacklist")
}

// PutBucketReferer sets which sites may point at the bucket to a
// *BucketReferer. &BucketReferer{AllowEmptyReferer: true} lets all.
func (b *Bucket) PutBucketReferer(ctx context.Context, referer Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketReferer", http.MethodPut, "referer").body("RefererConfiguration", referer, opts).send(ctx)
}

// GetBucketRefererResult is the answer to GetBucketReferer.
type GetBucketRefererResult struct {
	Response `xml:"-"`
	BucketReferer
}

// GetBucketReferer gives which sites may point at the bucket.
func (b *Bucket) GetBucketReferer(ctx context.Context) (*GetBucketRefererResult, error) {
	return get[GetBucketRefererResult](ctx, b.config("GetBucketReferer", http.MethodGet, "referer"), "RefererConfiguration")
}

// HTTPSConfiguration is which TLS versions the bucket accepts.
type HTTPSConfiguration struct {
	// TLSEnabled restricts connections to TLSVersions.
	TLSEnabled  bool     `xml:"TLS>Enable"`
	TLSVersions []string `xml:"TLS>TLSVersion"` // TLSv1.2, TLSv1.3 and so on
}

func (c *HTTPSConfiguration) document() (string, []byte, error) {
	return marshalDocument("HttpsConfiguration", c)
}

// PutBucketHTTPSConfig sets the bucket's TLS versions to an *HTTPSConfiguration
// (PutBucketHttpsConfig).
func (b *Bucket) PutBucketHTTPSConfig(ctx context.Context, https Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketHTTPSConfig", http.MethodPut, "httpsConfig").body("HttpsConfiguration", https, opts).send(ctx)
}

// GetBucketHTTPSConfigResult is the answer to GetBucketHTTPSConfig.
type GetBucketHTTPSConfigResult struct {
	Response `xml:"-"`
	HTTPSConfiguration
}

// GetBucketHTTPSConfig gives the bucket's TLS versions (GetBucketHttpsConfig).
func (b *Bucket) GetBucketHTTPSConfig(ctx context.Context) (*GetBucketHTTPSConfigResult, error) {
	return get[GetBucketHTTPSConfigResult](ctx, b.config("GetBucketHTTPSConfig", http.MethodGet, "httpsConfig"), "HttpsConfiguration")
}
