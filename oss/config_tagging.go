package oss

import (
	"context"
	"net/http"
	"strings"
)

// BucketTagging is the tags of a bucket, at most 20.
type BucketTagging struct {
	Tags []Tag `xml:"TagSet>Tag"`
}

func (t *BucketTagging) document() (string, []byte, error) { return marshalDocument("Tagging", t) }

// PutBucketTagging replaces the bucket's tags by a *BucketTagging
// (PutBucketTags).
func (b *Bucket) PutBucketTagging(ctx context.Context, tagging Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketTagging", http.MethodPut, "tagging").body("Tagging", tagging, opts).send(ctx)
}

// GetBucketTaggingResult is the answer to GetBucketTagging.
type GetBucketTaggingResult struct {
	Response `xml:"-"`
	BucketTagging
}

// GetBucketTagging gives the bucket's tags (GetBucketTags).
func (b *Bucket) GetBucketTagging(ctx context.Context) (*GetBucketTaggingResult, error) {
	return get[GetBucketTaggingResult](ctx, b.config("GetBucketTagging", http.MethodGet, "tagging"), "Tagging")
}

// DeleteBucketTagging removes the bucket's tags with these keys, all if there
// are none (DeleteBucketTags).
func (b *Bucket) DeleteBucketTagging(ctx context.Context, keys ...string) (*Response, error) {
	c := config{call: b.newCall("DeleteBucketTagging", http.MethodDelete)}
	for _, key := range keys {
		c.need("keys", key) // an empty one alone would remove all
	}
	c.set("tagging", strings.Join(keys, ","))
	return c.send(ctx)
}
