package oss

import (
	"context"
	"net/http"
)

// ServerSideEncryptionRule is how new objects of a bucket are encrypted that
// were not put with an encryption of their own.
type ServerSideEncryptionRule struct {
	SSEAlgorithm      string `xml:"ApplyServerSideEncryptionByDefault>SSEAlgorithm"`                // AES256, KMS or SM4
	KMSMasterKeyID    string `xml:"ApplyServerSideEncryptionByDefault>KMSMasterKeyID,omitempty"`    // with KMS; "" is the service's own
	KMSDataEncryption string `xml:"ApplyServerSideEncryptionByDefault>KMSDataEncryption,omitempty"` // with KMS; SM4, "" is AES256
}

func (r *ServerSideEncryptionRule) document() (string, []byte, error) {
	return marshalDocument("ServerSideEncryptionRule", r)
}

// PutBucketEncryption sets the bucket's encryption to a
// *ServerSideEncryptionRule.
func (b *Bucket) PutBucketEncryption(ctx context.Context, rule Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketEncryption", http.MethodPut, "encryption").body("ServerSideEncryptionRule", rule, opts).send(ctx)
}

// GetBucketEncryptionResult is the answer to GetBucketEncryption.
type GetBucketEncryptionResult struct {
	Response `xml:"-"`
	ServerSideEncryptionRule
}

// GetBucketEncryption gives the bucket's encryption. errors.Is:
// ErrNoSuchServerSideEncryptionRule.
func (b *Bucket) GetBucketEncryption(ctx context.Context) (*GetBucketEncryptionResult, error) {
	return get[GetBucketEncryptionResult](ctx, b.config("GetBucketEncryption", http.MethodGet, "encryption"), "ServerSideEncryptionRule")
}

// DeleteBucketEncryption ends the bucket's encryption of new objects.
func (b *Bucket) DeleteBucketEncryption(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketEncryption", http.MethodDelete, "encryption").send(ctx)
}
