package oss

import (
	"context"
	"encoding/xml"
	"net/http"
)

// PutBucketACL sets the bucket's ACL: private, public-read or
// public-read-write.
func (b *Bucket) PutBucketACL(ctx context.Context, acl string) (*Response, error) {
	r := b.newCall("PutBucketACL", http.MethodPut)
	r.set("acl", "")
	setHeader(r.header, "X-Oss-Acl", acl)
	r.setBody(nil, nil)
	return b.doPlain(ctx, r)
}

// GetBucketACL gives the bucket's ACL.
func (b *Bucket) GetBucketACL(ctx context.Context) (string, error) {
	r := b.newCall("GetBucketACL", http.MethodGet)
	r.set("acl", "")
	var answer xmlACL
	_, err := b.client.doXML(ctx, r, "AccessControlPolicy", &answer)
	return answer.Grant, err
}

type xmlVersioning struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Status  string
}

// PutBucketVersioning sets versioning to Enabled or Suspended.
func (b *Bucket) PutBucketVersioning(ctx context.Context, status string) (*Response, error) {
	r := b.newCall("PutBucketVersioning", http.MethodPut)
	r.set("versioning", "")
	if err := r.marshalBody(xmlVersioning{Status: status}); err != nil {
		return nil, err
	}
	return b.doPlain(ctx, r)
}

// GetBucketVersioning gives Enabled, Suspended, or "" where it was never set.
func (b *Bucket) GetBucketVersioning(ctx context.Context) (string, error) {
	r := b.newCall("GetBucketVersioning", http.MethodGet)
	r.set("versioning", "")
	var answer xmlVersioning
	_, err := b.client.doXML(ctx, r, "VersioningConfiguration", &answer)
	return answer.Status, err
}
