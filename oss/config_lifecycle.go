package oss

import (
	"context"
	"net/http"
)

// BucketLifecycle is the rules by which the service moves and deletes objects,
// at most 1,000.
type BucketLifecycle struct {
	Rules []LifecycleRule `xml:"Rule"`
}

func (l *BucketLifecycle) document() (string, []byte, error) {
	return marshalDocument("LifecycleConfiguration", l)
}

// LifecycleRule is one rule. It needs a Prefix or "" for all keys, a Status, and
// at least one action: an expiration, a transition or AbortMultipartUpload.
type LifecycleRule struct {
	// ID is unique in the bucket. "" lets the service choose.
	ID string `xml:",omitempty"`

	Prefix string
	Status string // Enabled or Disabled

	// Tags must all be on an object.
	Tags []Tag `xml:"Tag"`

	// Filter leaves objects out. nil leaves out none.
	Filter *LifecycleFilter

	Expiration                   *LifecycleExpiration
	Transitions                  []StorageTransition                  `xml:"Transition"`
	NoncurrentVersionExpiration  *NoncurrentVersionExpiration         // of versions that are not the latest
	NoncurrentVersionTransitions []NoncurrentVersionStorageTransition `xml:"NoncurrentVersionTransition"`

	// AbortMultipartUpload ends uploads that nobody completed.
	AbortMultipartUpload *LifecycleAbort

	// AtimeBase is the Unix second from which on accesses count. Only
	// answers have it.
	AtimeBase int64 `xml:",omitempty"`
}

// LifecycleExpiration says when objects are deleted: by one of its fields.
type LifecycleExpiration struct {
	// Days counts from the last modification.
	Days int `xml:",omitempty"`

	// Date is a midnight UTC: that day all objects of the rule go.
	Date Time

	// CreatedBeforeDate is a midnight UTC: objects last modified before it
	// go.
	CreatedBeforeDate Time

	// ExpiredObjectDeleteMarker removes delete markers that no version
	// stands behind.
	ExpiredObjectDeleteMarker bool `xml:",omitempty"`
}

// LifecycleAbort says when an upload in progress is aborted: by one of its
// fields.
type LifecycleAbort struct {
	// Days counts from the upload's beginning.
	Days int `xml:",omitempty"`

	// CreatedBeforeDate is a midnight UTC.
	CreatedBeforeDate Time
}

// StorageTransition says when objects move to another class: by Days or by
// CreatedBeforeDate.
type StorageTransition struct {
	// Days counts from the last modification or, with IsAccessTime, the last
	// access.
	Days int `xml:",omitempty"`

	// CreatedBeforeDate is a midnight UTC.
	CreatedBeforeDate Time

	StorageClass string // IA, Archive, ColdArchive or DeepColdArchive

	// IsAccessTime needs the bucket's access monitor to be Enabled.
	IsAccessTime         *bool
	ReturnToStdWhenVisit *bool // back to Standard when read; only with IsAccessTime
	AllowSmallFile       *bool // also objects below 64 KiB
}

// NoncurrentVersionExpiration says when old versions are deleted.
type NoncurrentVersionExpiration struct {
	// NoncurrentDays counts from when the version ceased to be the latest.
	NoncurrentDays int
}

// NoncurrentVersionStorageTransition says when old versions move to another
// class.
type NoncurrentVersionStorageTransition struct {
	// NoncurrentDays counts from when the version ceased to be the latest.
	NoncurrentDays int

	StorageClass         string
	IsAccessTime         *bool
	ReturnToStdWhenVisit *bool
	AllowSmallFile       *bool
}

// LifecycleFilter narrows a rule down.
type LifecycleFilter struct {
	// ObjectSizeGreaterThan and ObjectSizeLessThan bound an object's size in
	// bytes. 0 means no bound.
	ObjectSizeGreaterThan int64 `xml:",omitempty"`
	ObjectSizeLessThan    int64 `xml:",omitempty"`

	// Not leaves out the objects that any of these matches.
	Not []LifecycleFilterNot
}

// LifecycleFilterNot matches objects by prefix and, if there is one, tag.
type LifecycleFilterNot struct {
	Prefix string
	Tag    *Tag
}

// PutBucketLifecycleOptions tunes PutBucketLifecycle. The zero value is ready to
// use.
type PutBucketLifecycleOptions struct {
	ConfigOptions

	// AllowSameActionOverlap lets rules with the same action have prefixes
	// that overlap.
	AllowSameActionOverlap bool
}

// PutBucketLifecycle replaces the bucket's rules by those of a *BucketLifecycle.
func (b *Bucket) PutBucketLifecycle(ctx context.Context, lifecycle Document, opts *PutBucketLifecycleOptions) (*Response, error) {
	var o PutBucketLifecycleOptions
	if opts != nil {
		o = *opts
	}
	c := b.config("PutBucketLifecycle", http.MethodPut, "lifecycle")
	if o.AllowSameActionOverlap {
		c.header.Set("X-Oss-Allow-Same-Action-Overlap", "true")
	}
	return c.body("LifecycleConfiguration", lifecycle, &o.ConfigOptions).send(ctx)
}

// GetBucketLifecycleResult is the answer to GetBucketLifecycle.
type GetBucketLifecycleResult struct {
	Response `xml:"-"`
	BucketLifecycle
}

// GetBucketLifecycle gives the bucket's rules. errors.Is: ErrNoSuchLifecycle.
func (b *Bucket) GetBucketLifecycle(ctx context.Context) (*GetBucketLifecycleResult, error) {
	return get[GetBucketLifecycleResult](ctx, b.config("GetBucketLifecycle", http.MethodGet, "lifecycle"), "LifecycleConfiguration")
}

// DeleteBucketLifecycle removes the bucket's rules.
func (b *Bucket) DeleteBucketLifecycle(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketLifecycle", http.MethodDelete, "lifecycle").send(ctx)
}
