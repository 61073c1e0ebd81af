package oss

import (
	"context"
	"iter"
	"net/http"
)

// A resource pool is buckets of an account that share bounds on bandwidth and
// requests.

// ResourcePool is a pool in a listing.
type ResourcePool struct {
	Name       string
	CreateTime Time
}

// ListResourcePoolsResult is a page of pools.
type ListResourcePoolsResult struct {
	Response `xml:"-"`
	Page
	Region        string
	Owner         string
	ResourcePools []ResourcePool `xml:"ResourcePool"`
}

// ListResourcePools lists a page of the account's pools.
func (c *Client) ListResourcePools(ctx context.Context, opts *PageOptions) (*ListResourcePoolsResult, error) {
	return get[ListResourcePoolsResult](ctx, c.config("ListResourcePools", http.MethodGet, "resourcePool").page(opts), "ListResourcePoolsResult")
}

// ResourcePools lists all pages of the account's pools.
func (c *Client) ResourcePools(ctx context.Context, opts *PageOptions) iter.Seq2[ResourcePool, error] {
	return tokenPages("ListResourcePools", "", opts, func(o *PageOptions) (*ListResourcePoolsResult, error) {
		return c.ListResourcePools(ctx, o)
	}, func(r *ListResourcePoolsResult) ([]ResourcePool, Page, *Response) {
		return r.ResourcePools, r.Page, &r.Response
	})
}

// GetResourcePoolInfoResult is the answer to GetResourcePoolInfo.
type GetResourcePoolInfoResult struct {
	Response         `xml:"-"`
	Region           string
	Name             string
	Owner            string
	CreateTime       Time
	QoSConfiguration QoSConfiguration
}

// GetResourcePoolInfo gives a pool's bounds.
func (c *Client) GetResourcePoolInfo(ctx context.Context, pool string) (*GetResourcePoolInfoResult, error) {
	return get[GetResourcePoolInfoResult](ctx, c.poolConfig("GetResourcePoolInfo", http.MethodGet, "resourcePoolInfo", pool),
		"GetResourcePoolInfoResponse", "GetResourcePoolInfoResult")
}

func (c *Client) poolConfig(op, method, name, pool string) *config {
	return c.config(op, method, name).with("resourcePool", pool)
}

// ResourcePoolBucket is a bucket of a pool.
type ResourcePoolBucket struct {
	Name     string
	JoinTime Time
}

// ListResourcePoolBucketsResult is a page of a pool's buckets.
type ListResourcePoolBucketsResult struct {
	Response `xml:"-"`
	Page
	ResourcePool string
	Buckets      []ResourcePoolBucket `xml:"ResourcePoolBucket"`
}

// ListResourcePoolBuckets lists a page of a pool's buckets.
func (c *Client) ListResourcePoolBuckets(ctx context.Context, pool string, opts *PageOptions) (*ListResourcePoolBucketsResult, error) {
	return get[ListResourcePoolBucketsResult](ctx, c.poolConfig("ListResourcePoolBuckets", http.MethodGet, "resourcePoolBuckets", pool).page(opts),
		"ListResourcePoolBucketsResult")
}

// ResourcePoolBuckets lists all pages of a pool's buckets.
func (c *Client) ResourcePoolBuckets(ctx context.Context, pool string, opts *PageOptions) iter.Seq2[ResourcePoolBucket, error] {
	return tokenPages("ListResourcePoolBuckets", "", opts, func(o *PageOptions) (*ListResourcePoolBucketsResult, error) {
		return c.ListResourcePoolBuckets(ctx, pool, o)
	}, func(r *ListResourcePoolBucketsResult) ([]ResourcePoolBucket, Page, *Response) {
		return r.Buckets, r.Page, &r.Response
	})
}

// PutResourcePoolRequesterQoSInfo sets the bounds that a requester has in a pool
// to a *QoSConfiguration (PutResourcePoolRequesterQosInfo). uid is the
// requester's id.
func (c *Client) PutResourcePoolRequesterQoSInfo(ctx context.Context, uid, pool string, qos Document, opts *ConfigOptions) (*Response, error) {
	return c.poolRequester("PutResourcePoolRequesterQoSInfo", http.MethodPut, uid, pool).body(qosRoot, qos, opts).send(ctx)
}

// GetResourcePoolRequesterQoSInfo gives the bounds that a requester has in a
// pool (GetResourcePoolRequesterQosInfo).
func (c *Client) GetResourcePoolRequesterQoSInfo(ctx context.Context, uid, pool string) (*GetRequesterQoSInfoResult, error) {
	return get[GetRequesterQoSInfoResult](ctx, c.poolRequester("GetResourcePoolRequesterQoSInfo", http.MethodGet, uid, pool), requesterQoSRoot)
}

// DeleteResourcePoolRequesterQoSInfo removes the bounds that a requester has in
// a pool (DeleteResourcePoolRequesterQosInfo).
func (c *Client) DeleteResourcePoolRequesterQoSInfo(ctx context.Context, uid, pool string) (*Response, error) {
	return c.poolRequester("DeleteResourcePoolRequesterQoSInfo", http.MethodDelete, uid, pool).send(ctx)
}

func (c *Client) poolRequester(op, method, uid, pool string) *config {
	return c.poolConfig(op, method, "requesterQosInfo", pool).with("qosRequester", uid)
}

// ListResourcePoolRequesterQoSInfos lists a page of the requesters that have
// bounds in a pool (ListResourcePoolRequesterQosInfos).
func (c *Client) ListResourcePoolRequesterQoSInfos(ctx context.Context, pool string, opts *PageOptions) (*ListRequesterQoSInfosResult, error) {
	return get[ListRequesterQoSInfosResult](ctx, c.poolConfig("ListResourcePoolRequesterQoSInfos", http.MethodGet, "requesterQosInfo", pool).page(opts),
		"ListResourcePoolRequesterQoSInfosResult")
}

// ResourcePoolRequesterQoSInfos lists all pages of the requesters that have
// bounds in a pool.
func (c *Client) ResourcePoolRequesterQoSInfos(ctx context.Context, pool string, opts *PageOptions) iter.Seq2[RequesterQoSInfo, error] {
	return tokenPages("ListResourcePoolRequesterQoSInfos", "", opts, func(o *PageOptions) (*ListRequesterQoSInfosResult, error) {
		return c.ListResourcePoolRequesterQoSInfos(ctx, pool, o)
	}, (*ListRequesterQoSInfosResult).read)
}
