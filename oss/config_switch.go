package oss

import (
	"context"
	"net/http"
)

// The configurations of a single word.

// PutBucketRequestPayment says who pays for requests and traffic: BucketOwner or
// Requester.
func (b *Bucket) PutBucketRequestPayment(ctx context.Context, payer string) (*Response, error) {
	type body struct{ Payer string }
	return b.config("PutBucketRequestPayment", http.MethodPut, "requestPayment").
		xmlBody("RequestPaymentConfiguration", body{payer}).send(ctx)
}

// GetBucketRequestPaymentResult is the answer to GetBucketRequestPayment.
type GetBucketRequestPaymentResult struct {
	Response `xml:"-"`
	Payer    string
}

// GetBucketRequestPayment gives who pays.
func (b *Bucket) GetBucketRequestPayment(ctx context.Context) (*GetBucketRequestPaymentResult, error) {
	return get[GetBucketRequestPaymentResult](ctx, b.config("GetBucketRequestPayment", http.MethodGet, "requestPayment"), "RequestPaymentConfiguration")
}

// enabled is the body of the switches.
type enabled struct{ Enabled bool }

// PutBucketTransferAcceleration opens or closes the acceleration endpoints to
// the bucket.
func (b *Bucket) PutBucketTransferAcceleration(ctx context.Context, enable bool) (*Response, error) {
	return b.config("PutBucketTransferAcceleration", http.MethodPut, "transferAcceleration").
		xmlBody("TransferAccelerationConfiguration", enabled{enable}).send(ctx)
}

// GetBucketTransferAccelerationResult is the answer to
// GetBucketTransferAcceleration.
type GetBucketTransferAccelerationResult struct {
	Response `xml:"-"`
	Enabled  bool
}

// GetBucketTransferAcceleration asks whether the acceleration endpoints reach
// the bucket. errors.Is: ErrNoSuchTransferAccelerationConfiguration.
func (b *Bucket) GetBucketTransferAcceleration(ctx context.Context) (*GetBucketTransferAccelerationResult, error) {
	return get[GetBucketTransferAccelerationResult](ctx, b.config("GetBucketTransferAcceleration", http.MethodGet, "transferAcceleration"), "TransferAccelerationConfiguration")
}

// PutBucketArchiveDirectRead allows or forbids to read archived objects without
// restoring them, at a price.
func (b *Bucket) PutBucketArchiveDirectRead(ctx context.Context, enable bool) (*Response, error) {
	return b.config("PutBucketArchiveDirectRead", http.MethodPut, "bucketArchiveDirectRead").
		xmlBody("ArchiveDirectReadConfiguration", enabled{enable}).send(ctx)
}

// GetBucketArchiveDirectReadResult is the answer to GetBucketArchiveDirectRead.
type GetBucketArchiveDirectReadResult struct {
	Response `xml:"-"`
	Enabled  bool
}

// GetBucketArchiveDirectRead asks whether archived objects may be read without
// restoring them.
func (b *Bucket) GetBucketArchiveDirectRead(ctx context.Context) (*GetBucketArchiveDirectReadResult, error) {
	return get[GetBucketArchiveDirectReadResult](ctx, b.config("GetBucketArchiveDirectRead", http.MethodGet, "bucketArchiveDirectRead"), "ArchiveDirectReadConfiguration")
}

// PutBucketAccessMonitor sets the recording of objects' last access to Enabled
// or Disabled.
func (b *Bucket) PutBucketAccessMonitor(ctx context.Context, status string) (*Response, error) {
	type body struct{ Status string }
	return b.config("PutBucketAccessMonitor", http.MethodPut, "accessmonitor").
		xmlBody("AccessMonitorConfiguration", body{status}).send(ctx)
}

// GetBucketAccessMonitorResult is the answer to GetBucketAccessMonitor.
type GetBucketAccessMonitorResult struct {
	Response      `xml:"-"`
	AccessMonitor string `xml:"Status"` // Enabled or Disabled
}

// GetBucketAccessMonitor asks whether objects' last access is recorded.
func (b *Bucket) GetBucketAccessMonitor(ctx context.Context) (*GetBucketAccessMonitorResult, error) {
	return get[GetBucketAccessMonitorResult](ctx, b.config("GetBucketAccessMonitor", http.MethodGet, "accessmonitor"), "AccessMonitorConfiguration")
}

// PutBucketResourceGroup moves the bucket to a resource group. "" is the
// default group.
func (b *Bucket) PutBucketResourceGroup(ctx context.Context, resourceGroupID string) (*Response, error) {
	type body struct {
		ID string `xml:"ResourceGroupId"`
	}
	return b.config("PutBucketResourceGroup", http.MethodPut, "resourceGroup").
		xmlBody("BucketResourceGroupConfiguration", body{resourceGroupID}).send(ctx)
}

// GetBucketResourceGroupResult is the answer to GetBucketResourceGroup.
type GetBucketResourceGroupResult struct {
	Response        `xml:"-"`
	ResourceGroupID string `xml:"ResourceGroupId"`
}

// GetBucketResourceGroup gives the bucket's resource group.
func (b *Bucket) GetBucketResourceGroup(ctx context.Context) (*GetBucketResourceGroupResult, error) {
	return get[GetBucketResourceGroupResult](ctx, b.config("GetBucketResourceGroup", http.MethodGet, "resourceGroup"), "BucketResourceGroupConfiguration")
}
