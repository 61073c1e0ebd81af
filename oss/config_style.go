package oss

import (
	"context"
	"net/http"
)

// Style is an image process by name: what x-oss-process=style/NAME stands for.
type Style struct {
	Name           string
	Content        string // such as image/resize,p_50
	CreateTime     Time
	LastModifyTime Time
}

// PutBucketStyle sets the style of that name (PutStyle).
func (b *Bucket) PutBucketStyle(ctx context.Context, name, content string) (*Response, error) {
	type body struct{ Content string }
	return b.style("PutBucketStyle", http.MethodPut, name).xmlBody("Style", body{content}).send(ctx)
}

// GetBucketStyleResult is the answer to GetBucketStyle.
type GetBucketStyleResult struct {
	Response `xml:"-"`
	Style
}

// GetBucketStyle gives the style of that name (GetStyle).
func (b *Bucket) GetBucketStyle(ctx context.Context, name string) (*GetBucketStyleResult, error) {
	return get[GetBucketStyleResult](ctx, b.style("GetBucketStyle", http.MethodGet, name), "Style")
}

// DeleteBucketStyle removes the style of that name (DeleteStyle).
func (b *Bucket) DeleteBucketStyle(ctx context.Context, name string) (*Response, error) {
	return b.style("DeleteBucketStyle", http.MethodDelete, name).send(ctx)
}

func (b *Bucket) style(op, method, name string) *config {
	return b.config(op, method, "style").with("styleName", name)
}

// ListBucketStyleResult is the answer to ListBucketStyle.
type ListBucketStyleResult struct {
	Response `xml:"-"`
	Styles   []Style `xml:"Style"`
}

// ListBucketStyle gives the bucket's styles (ListStyle).
func (b *Bucket) ListBucketStyle(ctx context.Context) (*ListBucketStyleResult, error) {
	return get[ListBucketStyleResult](ctx, b.config("ListBucketStyle", http.MethodGet, "style"), "StyleList")
}
