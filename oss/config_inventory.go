package oss

import (
	"context"
	"encoding/xml"
	"iter"
	"net/http"
	"strings"
)

// InventoryConfiguration makes the service write lists of the bucket's objects,
// by day or week: for a very large bucket cheaper than listing it.
type InventoryConfiguration struct {
	ID        string `xml:"Id"`
	IsEnabled bool

	// Filter narrows the list down. nil lists all.
	Filter *InventoryFilter

	Destination            InventoryDestination `xml:"Destination>OSSBucketDestination"`
	Frequency              string               `xml:"Schedule>Frequency"` // Daily or Weekly
	IncludedObjectVersions string               // All or Current

	// OptionalFields are what a line has besides bucket and key: Size,
	// LastModifiedDate, ETag, StorageClass, IsMultipartUploaded,
	// EncryptionStatus and others.
	OptionalFields []string `xml:"OptionalFields>Field"`
}

func (c *InventoryConfiguration) document() (string, []byte, error) {
	return marshalDocument("InventoryConfiguration", c, "SSE-KMS", "Encryption", "OptionalFields")
}

// InventoryFilter narrows an inventory down. Zero fields do not.
type InventoryFilter struct {
	Prefix                   string `xml:",omitempty"`
	LastModifyBeginTimestamp int64  `xml:"LastModifyBeginTimeStamp,omitempty"` // Unix seconds
	LastModifyEndTimestamp   int64  `xml:"LastModifyEndTimeStamp,omitempty"`   // Unix seconds
	LowerSizeBound           int64  `xml:",omitempty"`                         // bytes
	UpperSizeBound           int64  `xml:",omitempty"`                         // bytes
	StorageClass             string `xml:",omitempty"`                         // several with commas between
}

// InventoryDestination is where an inventory is written.
type InventoryDestination struct {
	Format    string // CSV
	AccountID string // of the bucket's owner
	RoleARN   string // the role that writes, acs:ram::ACCOUNT:role/NAME
	Bucket    string // its bare name
	Prefix    string // of the lists' keys

	// SSEKMSKeyID encrypts the lists with a key of KMS, SSEOSS with one of
	// the service. Both zero: not at all.
	SSEKMSKeyID string
	SSEOSS      bool
}

// inventoryDestination is InventoryDestination on the wire.
type inventoryDestination struct {
	Format    string `xml:",omitempty"`
	AccountID string `xml:"AccountId,omitempty"`
	RoleARN   string `xml:"RoleArn,omitempty"`
	Bucket    string
	Prefix    string    `xml:",omitempty"`
	SSEKMS    string    `xml:"Encryption>SSE-KMS>KeyId,omitempty"`
	SSEOSS    *struct{} `xml:"Encryption>SSE-OSS"`
}

const bucketARN = "acs:oss:::"

// MarshalXML implements xml.Marshaler.
func (d InventoryDestination) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	w := inventoryDestination{
		Format: d.Format, AccountID: d.AccountID, RoleARN: d.RoleARN, Prefix: d.Prefix,
		Bucket: bucketARN + strings.TrimPrefix(d.Bucket, bucketARN), SSEKMS: d.SSEKMSKeyID,
	}
	if d.SSEOSS {
		w.SSEOSS = new(struct{})
	}
	return e.EncodeElement(w, start)
}

// UnmarshalXML implements xml.Unmarshaler.
func (d *InventoryDestination) UnmarshalXML(dec *xml.Decoder, start xml.StartElement) error {
	var w inventoryDestination
	if err := dec.DecodeElement(&w, &start); err != nil {
		return err
	}
	*d = InventoryDestination{
		Format: w.Format, AccountID: w.AccountID, RoleARN: w.RoleARN, Prefix: w.Prefix,
		Bucket: strings.TrimPrefix(w.Bucket, bucketARN), SSEKMSKeyID: w.SSEKMS, SSEOSS: w.SSEOSS != nil,
	}
	return nil
}

// PutBucketInventoryConfiguration adds an *InventoryConfiguration, or replaces
// the one with its ID (PutBucketInventory).
func (b *Bucket) PutBucketInventoryConfiguration(ctx context.Context, inventory Document, opts *ConfigOptions) (*Response, error) {
	c := b.config("PutBucketInventoryConfiguration", http.MethodPut, "inventory").body("InventoryConfiguration", inventory, opts)
	if c.err == nil {
		c.with("inventoryId", inventoryID(inventory))
	}
	return c.send(ctx)
}

// inventoryID finds the ID within the document, which may be RawXML.
func inventoryID(d Document) string {
	_, text, _ := d.document() //nolint:errcheck // it went well a moment ago
	r := newReader(text)
	id := ""
	r.open("InventoryConfiguration")
	r.children(func(name []byte) {
		if string(name) == "Id" {
			id = r.str()
			return
		}
		r.pass()
	})
	return id
}

// GetBucketInventoryConfigurationResult is the answer to
// GetBucketInventoryConfiguration.
type GetBucketInventoryConfigurationResult struct {
	Response `xml:"-"`
	InventoryConfiguration
}

// GetBucketInventoryConfiguration gives the configuration with that id
// (GetBucketInventory). errors.Is: ErrNoSuchInventory.
func (b *Bucket) GetBucketInventoryConfiguration(ctx context.Context, id string) (*GetBucketInventoryConfigurationResult, error) {
	return get[GetBucketInventoryConfigurationResult](ctx,
		b.config("GetBucketInventoryConfiguration", http.MethodGet, "inventory").with("inventoryId", id), "InventoryConfiguration")
}

// DeleteBucketInventoryConfiguration removes the configuration with that id
// (DeleteBucketInventory).
func (b *Bucket) DeleteBucketInventoryConfiguration(ctx context.Context, id string) (*Response, error) {
	return b.config("DeleteBucketInventoryConfiguration", http.MethodDelete, "inventory").with("inventoryId", id).send(ctx)
}

// ListBucketInventoryConfigurationsResult is a page of configurations.
type ListBucketInventoryConfigurationsResult struct {
	Response `xml:"-"`
	Page
	Inventories []InventoryConfiguration `xml:"InventoryConfiguration"`
}

// ListBucketInventoryConfigurations lists a page of the bucket's configurations
// (ListBucketInventory): up to 100, the token "" is for the first.
func (b *Bucket) ListBucketInventoryConfigurations(ctx context.Context, token string) (*ListBucketInventoryConfigurationsResult, error) {
	c := b.config("ListBucketInventoryConfigurations", http.MethodGet, "inventory").page(&PageOptions{ContinuationToken: token})
	return get[ListBucketInventoryConfigurationsResult](ctx, c, "ListInventoryConfigurationsResult")
}

// InventoryConfigurations lists all pages of the bucket's configurations.
func (b *Bucket) InventoryConfigurations(ctx context.Context) iter.Seq2[InventoryConfiguration, error] {
	return tokenPages("ListBucketInventoryConfigurations", b.name, nil, func(o *PageOptions) (*ListBucketInventoryConfigurationsResult, error) {
		return b.ListBucketInventoryConfigurations(ctx, o.ContinuationToken)
	}, func(r *ListBucketInventoryConfigurationsResult) ([]InventoryConfiguration, Page, *Response) {
		return r.Inventories, r.Page, &r.Response
	})
}
