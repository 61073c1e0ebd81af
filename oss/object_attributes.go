package oss

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// VersionOptions names a version for the calls on an object's attributes. The
// zero value is the current one.
type VersionOptions struct {
	VersionID string

	// Header holds anything else.
	Header http.Header
}

func (o *VersionOptions) apply(r *call) {
	if o != nil {
		r.setOpt("versionId", o.VersionID)
		addHeaders(r.header, o.Header)
	}
}

// attribute is a call on an object's sub-resource.
func (b *Bucket) attribute(op, method, key, name string, opts *VersionOptions) *call {
	r := b.objectCall(op, method, key)
	r.set(name, "")
	opts.apply(r)
	if method == http.MethodPut || method == http.MethodPost {
		r.setBody(nil, nil)
	}
	return r
}

// PutSymlink makes key a link to target, which need not exist.
func (b *Bucket) PutSymlink(ctx context.Context, key, target string, opts *PutObjectOptions) (*Response, error) {
	if err := checkKey("PutSymlink", target); err != nil {
		return nil, err
	}
	r := b.attribute("PutSymlink", http.MethodPut, key, "symlink", nil)
	if opts != nil {
		opts.apply(r.header, key)
		r.addQuery(opts.Query)
	}
	r.header.Set("X-Oss-Symlink-Target", encode(target))
	return b.doPlain(ctx, r)
}

// GetSymlink gives the key that a link points to. errors.Is: ErrNoSuchKey.
func (b *Bucket) GetSymlink(ctx context.Context, key string, opts *VersionOptions) (string, error) {
	r := b.attribute("GetSymlink", http.MethodGet, key, "symlink", opts)
	resp, err := b.doPlain(ctx, r)
	if err != nil {
		return "", err
	}
	text, err := url.PathUnescape(resp.Header.Get("X-Oss-Symlink-Target"))
	if err != nil || text == "" {
		return "", &AnswerError{Operation: r.op, Bucket: b.name, Key: key, RequestID: resp.RequestID, Reason: "no target"}
	}
	return text, nil
}

// PutObjectACL sets an object's ACL: private, public-read, public-read-write or
// default, which is the bucket's.
func (b *Bucket) PutObjectACL(ctx context.Context, key, acl string, opts *VersionOptions) (*Response, error) {
	r := b.attribute("PutObjectACL", http.MethodPut, key, "acl", opts)
	setHeader(r.header, "X-Oss-Object-Acl", acl)
	return b.doPlain(ctx, r)
}

type xmlACL struct {
	Grant string `xml:"AccessControlList>Grant"`
}

// GetObjectACL gives an object's ACL.
func (b *Bucket) GetObjectACL(ctx context.Context, key string, opts *VersionOptions) (string, error) {
	var answer xmlACL
	_, err := b.client.doXML(ctx, b.attribute("GetObjectACL", http.MethodGet, key, "acl", opts), "AccessControlPolicy", &answer)
	return answer.Grant, err
}

// Tag is a tag of an object.
type Tag struct {
	Key   string
	Value string
}

// EncodeTags gives the value of ObjectHeaders.Tagging.
func EncodeTags(tags ...Tag) string {
	var b strings.Builder
	for i, t := range tags {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(encode(t.Key) + "=" + encode(t.Value))
	}
	return b.String()
}

type xmlTagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Tags    []Tag    `xml:"TagSet>Tag"`
}

// PutObjectTagging replaces an object's tags, of which there are at most ten.
func (b *Bucket) PutObjectTagging(ctx context.Context, key string, tags []Tag, opts *VersionOptions) (*Response, error) {
	r := b.attribute("PutObjectTagging", http.MethodPut, key, "tagging", opts)
	if err := r.marshalBody(xmlTagging{Tags: tags}); err != nil {
		return nil, err
	}
	return b.doPlain(ctx, r)
}

// GetObjectTagging gives an object's tags.
func (b *Bucket) GetObjectTagging(ctx context.Context, key string, opts *VersionOptions) ([]Tag, error) {
	var answer xmlTagging
	_, err := b.client.doXML(ctx, b.attribute("GetObjectTagging", http.MethodGet, key, "tagging", opts), "Tagging", &answer)
	return answer.Tags, err
}

// DeleteObjectTagging removes an object's tags.
func (b *Bucket) DeleteObjectTagging(ctx context.Context, key string, opts *VersionOptions) (*Response, error) {
	return b.doPlain(ctx, b.attribute("DeleteObjectTagging", http.MethodDelete, key, "tagging", opts))
}

// RestoreOptions tunes RestoreObject. The zero value leaves all to the service.
type RestoreOptions struct {
	VersionOptions

	// Days is how long the object stays readable.
	Days int

	// Tier is Expedited, Standard or Bulk, for the classes ColdArchive and
	// DeepColdArchive.
	Tier string
}

// RestoreObject thaws an archived object: Status is 202 while that runs and 200
// where it is done. errors.Is: ErrRestoreAlreadyInProgress.
func (b *Bucket) RestoreObject(ctx context.Context, key string, opts *RestoreOptions) (*Response, error) {
	var o RestoreOptions
	if opts != nil {
		o = *opts
	}
	r := b.attribute("RestoreObject", http.MethodPost, key, "restore", &o.VersionOptions)
	if o.Days > 0 || o.Tier != "" {
		type parameters struct{ Tier string }
		type request struct {
			XMLName       xml.Name    `xml:"RestoreRequest"`
			Days          int         `xml:",omitempty"`
			JobParameters *parameters `xml:",omitempty"` // no empty ones, which are refused
		}
		body := request{Days: o.Days}
		if o.Tier != "" {
			body.JobParameters = &parameters{o.Tier}
		}
		if err := r.marshalBody(body); err != nil {
			return nil, err
		}
	}
	return b.doPlain(ctx, r)
}

// CleanRestoredObject ends the time of a thawed object: it is archived again
// (CleanRestoredObject).
func (b *Bucket) CleanRestoredObject(ctx context.Context, key string, opts *VersionOptions) (*Response, error) {
	return b.doPlain(ctx, b.attribute("CleanRestoredObject", http.MethodPost, key, "cleanRestoredObject", opts))
}
