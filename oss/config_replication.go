package oss

import (
	"context"
	"net/http"
)

// ReplicationRule copies what happens in the bucket to another one.
type ReplicationRule struct {
	// ID is "" for the service to choose; its choice is the
	// x-oss-replication-rule-id header of the answer.
	ID string `xml:",omitempty"`

	// PrefixList narrows the rule down to keys with these prefixes, at most
	// 10. Empty means all.
	PrefixList []string `xml:"PrefixSet>Prefix"`

	// Action is ALL, or PUT, DELETE and ABORT with commas between.
	Action string `xml:",omitempty"`

	Destination ReplicationDestination

	// HistoricalObjectReplication is enabled or disabled: whether objects
	// from before the rule are copied too.
	HistoricalObjectReplication string `xml:",omitempty"`

	SyncRole string `xml:",omitempty"` // RAM role that copies

	// SSEKMSEncryptedObjects is Enabled or Disabled: whether objects
	// encrypted with KMS are copied, with ReplicaKMSKeyID at the target.
	SSEKMSEncryptedObjects string `xml:"SourceSelectionCriteria>SseKmsEncryptedObjects>Status,omitempty"`
	ReplicaKMSKeyID        string `xml:"EncryptionConfiguration>ReplicaKmsKeyID,omitempty"`

	// RTC is enabled or disabled: whether the service promises how soon.
	RTC string `xml:"RTC>Status,omitempty"`

	// State is starting, doing or closing. Only answers have it.
	State string `xml:"Status,omitempty"`
}

// ReplicationDestination is where a rule copies to.
type ReplicationDestination struct {
	Bucket       string `xml:",omitempty"`
	Location     string `xml:",omitempty"` // such as oss-cn-beijing
	TransferType string `xml:",omitempty"` // internal or oss_acc

	// Cloud and CloudLocation stand in for the others where the target is
	// not of this service.
	Cloud         string `xml:",omitempty"`
	CloudLocation string `xml:",omitempty"`
}

func (r *ReplicationRule) document() (string, []byte, error) {
	const root = "ReplicationConfiguration"
	if r == nil {
		return marshalDocument(root, nil)
	}
	return marshalDocument(root, struct{ Rule *ReplicationRule }{r},
		"PrefixSet", "SseKmsEncryptedObjects", "SourceSelectionCriteria", "EncryptionConfiguration", "RTC")
}

// PutBucketReplication adds a *ReplicationRule.
func (b *Bucket) PutBucketReplication(ctx context.Context, rule Document, opts *ConfigOptions) (*Response, error) {
	return b.config("PutBucketReplication", http.MethodPost, "replication").with("comp", "add").
		body("ReplicationConfiguration", rule, opts).send(ctx)
}

// GetBucketReplicationResult is the answer to GetBucketReplication.
type GetBucketReplicationResult struct {
	Response `xml:"-"`
	Rules    []ReplicationRule `xml:"Rule"`
}

// GetBucketReplication gives the bucket's rules. errors.Is:
// ErrNoSuchReplicationRule.
func (b *Bucket) GetBucketReplication(ctx context.Context) (*GetBucketReplicationResult, error) {
	return get[GetBucketReplicationResult](ctx, b.config("GetBucketReplication", http.MethodGet, "replication"), "ReplicationConfiguration")
}

// DeleteBucketReplication ends the rule with that id. What was copied stays.
func (b *Bucket) DeleteBucketReplication(ctx context.Context, ruleID string) (*Response, error) {
	type body struct{ ID string }
	c := b.config("DeleteBucketReplication", http.MethodPost, "replication").with("comp", "delete")
	c.need("ruleID", ruleID)
	return c.xmlBody("ReplicationRules", body{ruleID}).send(ctx)
}

// GetBucketReplicationLocationResult is the answer to
// GetBucketReplicationLocation.
type GetBucketReplicationLocationResult struct {
	Response `xml:"-"`

	// Locations are where rules of the bucket may copy to.
	Locations []string `xml:"Location"`

	// LocationTransferTypes are how, of those with a choice.
	LocationTransferTypes []LocationTransferType `xml:"LocationTransferTypeConstraint>LocationTransferType"`

	// RTCLocations are those with RTC.
	RTCLocations []string `xml:"LocationRTCConstraint>Location"`
}

// LocationTransferType is the ways to copy to a location.
type LocationTransferType struct {
	Location      string
	TransferTypes []string `xml:"TransferTypes>Type"`
}

// GetBucketReplicationLocation gives where rules of the bucket may copy to.
func (b *Bucket) GetBucketReplicationLocation(ctx context.Context) (*GetBucketReplicationLocationResult, error) {
	return get[GetBucketReplicationLocationResult](ctx, b.config("GetBucketReplicationLocation", http.MethodGet, "replicationLocation"), "ReplicationLocation")
}

// ReplicationProgress is how far a rule has got.
type ReplicationProgress struct {
	ReplicationRule

	// HistoricalObjectProgress is the fraction copied of the objects from
	// before the rule, 0 to 1.
	HistoricalObjectProgress float64 `xml:"Progress>HistoricalObject"`

	// NewObjectProgress is until when writes are copied.
	NewObjectProgress Time `xml:"Progress>NewObject"`
}

// GetBucketReplicationProgressResult is the answer to
// GetBucketReplicationProgress.
type GetBucketReplicationProgressResult struct {
	Response `xml:"-"`
	Progress ReplicationProgress `xml:"Rule"`
}

// GetBucketReplicationProgress asks how far a rule has got.
func (b *Bucket) GetBucketReplicationProgress(ctx context.Context, ruleID string) (*GetBucketReplicationProgressResult, error) {
	return get[GetBucketReplicationProgressResult](ctx,
		b.config("GetBucketReplicationProgress", http.MethodGet, "replicationProgress").with("rule-id", ruleID), "ReplicationProgress")
}
