package oss

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"time"
)

// ListBucketsOptions tunes ListBuckets and Buckets. The zero value lists all.
type ListBucketsOptions struct {
	Prefix string

	// Marker is the name after which the listing begins.
	Marker string

	// MaxKeys bounds a page, 1 to 1000. 0 means 1000.
	MaxKeys int

	// TagKey and TagValue list only the buckets with that tag. TagValue "" is
	// any value.
	TagKey   string
	TagValue string

	// ResourceGroupID lists only the buckets of that resource group.
	ResourceGroupID string

	// Header and Query hold anything else.
	Header http.Header
	Query  url.Values
}

// BucketSummary is a bucket in a listing.
type BucketSummary struct {
	Name             string
	Location         string // such as oss-cn-hangzhou
	Region           string // such as cn-hangzhou
	StorageClass     string
	ExtranetEndpoint string
	IntranetEndpoint string
	ResourceGroupID  string
	CreationDate     time.Time
}

// ListBucketsResult is a page of buckets, by name.
type ListBucketsResult struct {
	Response

	Owner       Owner
	Buckets     []BucketSummary
	IsTruncated bool

	// NextMarker is the Marker of the next page.
	NextMarker string
}

// ListBuckets lists a page of the account's buckets.
func (c *Client) ListBuckets(ctx context.Context, opts *ListBucketsOptions) (*ListBucketsResult, error) {
	var o ListBucketsOptions
	if opts != nil {
		o = *opts
	}
	r := c.newCall("ListBuckets", http.MethodGet)
	r.setOpt("prefix", o.Prefix)
	r.setOpt("marker", o.Marker)
	if err := r.setPage("max-keys", o.MaxKeys); err != nil {
		return nil, err
	}
	r.setOpt("tag-key", o.TagKey)
	r.setOpt("tag-value", o.TagValue)
	setHeader(r.header, "X-Oss-Resource-Group-Id", o.ResourceGroupID)
	addHeaders(r.header, o.Header)
	r.addQuery(o.Query)
	var answer struct {
		Owner       xmlOwner
		IsTruncated bool
		NextMarker  string
		Buckets     []struct {
			Name, Location, Region, StorageClass string
			ExtranetEndpoint, IntranetEndpoint   string
			CreationDate                         string
			ResourceGroupID                      string `xml:"ResourceGroupId"`
		} `xml:"Buckets>Bucket"`
	}
	resp, err := c.doXML(ctx, r, "ListAllMyBucketsResult", &answer)
	if err != nil {
		return nil, err
	}
	res := &ListBucketsResult{
		Response: newResponse(resp), Owner: Owner(answer.Owner),
		IsTruncated: answer.IsTruncated, NextMarker: answer.NextMarker,
	}
	for _, b := range answer.Buckets {
		res.Buckets = append(res.Buckets, BucketSummary{
			Name: b.Name, Location: b.Location, Region: b.Region, StorageClass: b.StorageClass,
			ExtranetEndpoint: b.ExtranetEndpoint, IntranetEndpoint: b.IntranetEndpoint,
			ResourceGroupID: b.ResourceGroupID, CreationDate: parseXMLTime(b.CreationDate),
		})
	}
	return res, nil
}

type xmlOwner struct{ ID, DisplayName string }

// CreateBucketOptions tunes CreateBucket. The zero value makes a private bucket
// of class Standard.
type CreateBucketOptions struct {
	ACL                string // private, public-read or public-read-write
	StorageClass       string // Standard, IA, Archive, ColdArchive or DeepColdArchive
	DataRedundancyType string // LRS or ZRS

	// Header holds anything else.
	Header http.Header
}

// CreateBucket makes the bucket. One that the account has already is no error,
// unless its class differs: ErrBucketAlreadyExists.
func (b *Bucket) CreateBucket(ctx context.Context, opts *CreateBucketOptions) (*Response, error) {
	var o CreateBucketOptions
	if opts != nil {
		o = *opts
	}
	r := b.newCall("PutBucket", http.MethodPut)
	setHeader(r.header, "X-Oss-Acl", o.ACL)
	addHeaders(r.header, o.Header)
	r.setBody(nil, nil)
	if o.StorageClass != "" || o.DataRedundancyType != "" {
		type config struct {
			XMLName            xml.Name `xml:"CreateBucketConfiguration"`
			StorageClass       string   `xml:",omitempty"`
			DataRedundancyType string   `xml:",omitempty"`
		}
		if err := r.marshalBody(config{StorageClass: o.StorageClass, DataRedundancyType: o.DataRedundancyType}); err != nil {
			return nil, err
		}
	}
	return b.doPlain(ctx, r)
}

// DeleteBucket deletes the bucket. errors.Is: ErrBucketNotEmpty, also while
// uploads are in progress.
func (b *Bucket) DeleteBucket(ctx context.Context) (*Response, error) {
	return b.doPlain(ctx, b.newCall("DeleteBucket", http.MethodDelete))
}

// HeadBucket asks whether the bucket is there and may be used, without a body:
// it is HEAD on the bucket. errors.Is: ErrNotFound if there is none,
// ErrAccessDenied if it is somebody else's.
func (b *Bucket) HeadBucket(ctx context.Context) (*Response, error) {
	return b.doPlain(ctx, b.newCall("HeadBucket", http.MethodHead))
}

// BucketInfo is the answer to GetBucketInfo.
type BucketInfo struct {
	Response

	Name                   string
	Location               string // such as oss-cn-hangzhou
	ExtranetEndpoint       string
	IntranetEndpoint       string
	StorageClass           string
	DataRedundancyType     string
	Versioning             string // "", Enabled or Suspended
	ACL                    string
	Comment                string
	AccessMonitor          string
	TransferAcceleration   string
	CrossRegionReplication string
	ResourceGroupID        string
	SSEAlgorithm           string // None, AES256, KMS or SM4
	KMSMasterKeyID         string
	KMSDataEncryption      string
	BlockPublicAccess      bool
	Owner                  Owner
	CreationDate           time.Time
}

// GetBucketInfo asks about the bucket as a whole.
func (b *Bucket) GetBucketInfo(ctx context.Context) (*BucketInfo, error) {
	r := b.newCall("GetBucketInfo", http.MethodGet)
	r.set("bucketInfo", "")
	var answer struct {
		Bucket struct {
			Name, Location, ExtranetEndpoint, IntranetEndpoint, StorageClass, DataRedundancyType string
			Versioning, Comment, AccessMonitor, TransferAcceleration, CrossRegionReplication     string
			CreationDate                                                                         string
			ResourceGroupID                                                                      string `xml:"ResourceGroupId"`
			ACL                                                                                  string `xml:"AccessControlList>Grant"`
			SSEAlgorithm                                                                         string `xml:"ServerSideEncryptionRule>SSEAlgorithm"`
			KMSMasterKeyID                                                                       string `xml:"ServerSideEncryptionRule>KMSMasterKeyID"`
			KMSDataEncryption                                                                    string `xml:"ServerSideEncryptionRule>KMSDataEncryption"`
			BlockPublicAccess                                                                    bool
			Owner                                                                                xmlOwner
		}
	}
	resp, err := b.client.doXML(ctx, r, "BucketInfo", &answer)
	if err != nil {
		return nil, err
	}
	a := &answer.Bucket
	return &BucketInfo{
		Response: newResponse(resp), Name: a.Name, Location: a.Location,
		ExtranetEndpoint: a.ExtranetEndpoint, IntranetEndpoint: a.IntranetEndpoint,
		StorageClass: a.StorageClass, DataRedundancyType: a.DataRedundancyType,
		Versioning: a.Versioning, ACL: a.ACL, Comment: a.Comment, AccessMonitor: a.AccessMonitor,
		TransferAcceleration: a.TransferAcceleration, CrossRegionReplication: a.CrossRegionReplication,
		ResourceGroupID: a.ResourceGroupID, SSEAlgorithm: a.SSEAlgorithm, KMSMasterKeyID: a.KMSMasterKeyID,
		KMSDataEncryption: a.KMSDataEncryption, BlockPublicAccess: a.BlockPublicAccess,
		Owner: Owner(a.Owner), CreationDate: parseXMLTime(a.CreationDate),
	}, nil
}

// GetBucketLocationResult is the answer to GetBucketLocation.
type GetBucketLocationResult struct {
	Response `xml:"-"`
	Location string `xml:",chardata"` // such as oss-cn-hangzhou
}

// GetBucketLocation gives the bucket's location.
func (b *Bucket) GetBucketLocation(ctx context.Context) (*GetBucketLocationResult, error) {
	return get[GetBucketLocationResult](ctx, b.config("GetBucketLocation", http.MethodGet, "location"), "LocationConstraint")
}

// BucketStat is the answer to GetBucketStat. Sizes are bytes; a RealStorage is
// what objects below 64 KiB are not rounded up in. It may be an hour old.
type BucketStat struct {
	Response `xml:"-"`

	Storage                     int64
	ObjectCount                 int64
	MultipartUploadCount        int64
	MultipartPartCount          int64
	DeleteMarkerCount           int64
	LiveChannelCount            int64
	StandardStorage             int64
	StandardObjectCount         int64
	InfrequentAccessStorage     int64
	InfrequentAccessRealStorage int64
	InfrequentAccessCount       int64 `xml:"InfrequentAccessObjectCount"`
	ArchiveStorage              int64
	ArchiveRealStorage          int64
	ArchiveObjectCount          int64
	ColdArchiveStorage          int64
	ColdArchiveRealStorage      int64
	ColdArchiveObjectCount      int64
	DeepColdArchiveStorage      int64
	DeepColdArchiveRealStorage  int64
	DeepColdArchiveObjectCount  int64
	LastModified                Time `xml:"LastModifiedTime"`
}

// GetBucketStat asks how much the bucket holds.
func (b *Bucket) GetBucketStat(ctx context.Context) (*BucketStat, error) {
	return get[BucketStat](ctx, b.config("GetBucketStat", http.MethodGet, "stat"), "BucketStat")
}
