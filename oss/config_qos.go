package oss

import (
	"context"
	"iter"
	"net/http"
)

// QoSConfiguration bounds bandwidth in Gbit/s and requests per second: in all,
// and of those from inside and outside the region's network. nil leaves a bound
// to the service, -1 means none, 0 forbids.
type QoSConfiguration struct {
	TotalUploadBandwidth      *int64
	IntranetUploadBandwidth   *int64
	ExtranetUploadBandwidth   *int64
	TotalDownloadBandwidth    *int64
	IntranetDownloadBandwidth *int64
	ExtranetDownloadBandwidth *int64
	TotalQPS                  *int64 `xml:"TotalQps"`
	IntranetQPS               *int64 `xml:"IntranetQps"`
	ExtranetQPS               *int64 `xml:"ExtranetQps"`
}

const qosRoot = "QoSConfiguration"

func (q *QoSConfiguration) document() (string, []byte, error) { return marshalDocument(qosRoot, q) }

// GetUserQoSInfoResult is the answer to GetUserQoSInfo.
type GetUserQoSInfoResult struct {
	Response `xml:"-"`
	Region   string
	QoSConfiguration
}

// GetUserQoSInfo gives the account's bounds in the endpoint's region
// (GetUserQosInfo).
func (c *Client) GetUserQoSInfo(ctx context.Context) (*GetUserQoSInfoResult, error) {
	return get[GetUserQoSInfoResult](ctx, c.config("GetUserQoSInfo", http.MethodGet, "qosInfo"), qosRoot, "UserQosInfo")
}

// PutBucketQoSInfo sets the bucket's bounds to a *QoSConfiguration
// (PutBucketQosInfo).
func (b *Bucket) PutBucketQoSInfo(ctx context.Context, qos Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketQoSInfo", http.MethodPut, "qosInfo").body(qosRoot, qos, opts).send(ctx)
}

// GetBucketQoSInfoResult is the answer to GetBucketQoSInfo.
type GetBucketQoSInfoResult struct {
	Response `xml:"-"`
	QoSConfiguration
}

// GetBucketQoSInfo gives the bucket's bounds (GetBucketQosInfo).
func (b *Bucket) GetBucketQoSInfo(ctx context.Context) (*GetBucketQoSInfoResult, error) {
	return get[GetBucketQoSInfoResult](ctx, b.config("GetBucketQoSInfo", http.MethodGet, "qosInfo"), qosRoot, "BucketQosInfo")
}

// DeleteBucketQoSInfo removes the bucket's bounds (DeleteBucketQosInfo).
func (b *Bucket) DeleteBucketQoSInfo(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketQoSInfo", http.MethodDelete, "qosInfo").send(ctx)
}

// SetBucketStorageCapacity bounds what the bucket may hold, in GB. -1 means no
// bound (PutBucketStorageCapacity).
func (b *Bucket) SetBucketStorageCapacity(ctx context.Context, capacity int64) (*Response, error) {
	type body struct{ StorageCapacity int64 }
	return b.config("SetBucketStorageCapacity", http.MethodPut, "qos").
		xmlBody("BucketUserQos", body{capacity}).send(ctx)
}

// GetBucketStorageCapacityResult is the answer to GetBucketStorageCapacity.
type GetBucketStorageCapacityResult struct {
	Response `xml:"-"`

	// StorageCapacity is in GB, -1 without a bound.
	StorageCapacity int64
}

// GetBucketStorageCapacity gives what the bucket may hold.
func (b *Bucket) GetBucketStorageCapacity(ctx context.Context) (*GetBucketStorageCapacityResult, error) {
	return get[GetBucketStorageCapacityResult](ctx, b.config("GetBucketStorageCapacity", http.MethodGet, "qos"), "BucketUserQos")
}

// RequesterQoSInfo is the bounds of one requester, an account or RAM user.
type RequesterQoSInfo struct {
	Requester        string
	QoSConfiguration QoSConfiguration
}

// GetRequesterQoSInfoResult is the answer to GetBucketRequesterQoSInfo and
// GetResourcePoolRequesterQoSInfo.
type GetRequesterQoSInfoResult struct {
	Response `xml:"-"`
	RequesterQoSInfo
}

const requesterQoSRoot = "RequesterQoSInfo"

// PutBucketRequesterQoSInfo sets the bounds that a requester has in the bucket
// to a *QoSConfiguration (PutBucketRequesterQosInfo). uid is the requester's id.
func (b *Bucket) PutBucketRequesterQoSInfo(ctx context.Context, uid string, qos Document, opts *ConfigOptions) (*Response, error) {
	return b.requesterQoS("PutBucketRequesterQoSInfo", http.MethodPut, uid).body(qosRoot, qos, opts).send(ctx)
}

// GetBucketRequesterQoSInfo gives the bounds that a requester has in the bucket
// (GetBucketRequesterQosInfo).
func (b *Bucket) GetBucketRequesterQoSInfo(ctx context.Context, uid string) (*GetRequesterQoSInfoResult, error) {
	return get[GetRequesterQoSInfoResult](ctx, b.requesterQoS("GetBucketRequesterQoSInfo", http.MethodGet, uid), requesterQoSRoot)
}

// DeleteBucketRequesterQoSInfo removes the bounds that a requester has in the
// bucket (DeleteBucketRequesterQosInfo).
func (b *Bucket) DeleteBucketRequesterQoSInfo(ctx context.Context, uid string) (*Response, error) {
	return b.requesterQoS("DeleteBucketRequesterQoSInfo", http.MethodDelete, uid).send(ctx)
}

func (b *Bucket) requesterQoS(op, method, uid string) *config {
	return b.config(op, method, "requesterQosInfo").with("qosRequester", uid)
}

// ListRequesterQoSInfosResult is a page of requesters with their bounds.
type ListRequesterQoSInfosResult struct {
	Response `xml:"-"`
	Page
	Requesters []RequesterQoSInfo `xml:"RequesterQoSInfo"`
}

// ListBucketRequesterQoSInfos lists a page of the requesters that have bounds in
// the bucket (ListBucketRequesterQosInfos).
func (b *Bucket) ListBucketRequesterQoSInfos(ctx context.Context, opts *PageOptions) (*ListRequesterQoSInfosResult, error) {
	return get[ListRequesterQoSInfosResult](ctx, b.config("ListBucketRequesterQoSInfos", http.MethodGet, "requesterQosInfo").page(opts), "ListBucketRequesterQoSInfosResult")
}

// RequesterQoSInfos lists all pages of the requesters that have bounds in the
// bucket.
func (b *Bucket) RequesterQoSInfos(ctx context.Context, opts *PageOptions) iter.Seq2[RequesterQoSInfo, error] {
	return tokenPages("ListBucketRequesterQoSInfos", b.name, opts, func(o *PageOptions) (*ListRequesterQoSInfosResult, error) {
		return b.ListBucketRequesterQoSInfos(ctx, o)
	}, (*ListRequesterQoSInfosResult).read)
}

func (r *ListRequesterQoSInfosResult) read() ([]RequesterQoSInfo, Page, *Response) {
	return r.Requesters, r.Page, &r.Response
}
