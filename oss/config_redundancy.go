package oss

import (
	"context"
	"iter"
	"net/http"
)

const (
	redundancyRoot     = "BucketDataRedundancyTransition"
	redundancyListRoot = "ListBucketDataRedundancyTransition"
)

// DataRedundancyTransition is a task that moves a bucket to another kind of
// redundancy.
type DataRedundancyTransition struct {
	Bucket           string
	TaskID           string `xml:"TaskId"`
	TransitionStatus string `xml:"Status"` // Queueing, Processing or Finished
	CreateTime       Time
	StartTime        Time
	EndTime          Time

	// EstimatedRemainingTime is in hours.
	EstimatedRemainingTime int
	ProcessPercentage      int // 0 to 100
}

// DataRedundancyTransitionResult is the answer to the calls on one transition.
// That to CreateBucketDataRedundancyTransition has the TaskID only.
type DataRedundancyTransitionResult struct {
	Response `xml:"-"`
	DataRedundancyTransition
}

// CreateBucketDataRedundancyTransition moves the bucket to a kind of redundancy:
// ZRS.
func (b *Bucket) CreateBucketDataRedundancyTransition(ctx context.Context, targetType string) (*DataRedundancyTransitionResult, error) {
	return get[DataRedundancyTransitionResult](ctx,
		b.config("CreateBucketDataRedundancyTransition", http.MethodPost, "redundancyTransition").with("x-oss-target-redundancy-type", targetType), redundancyRoot)
}

// GetBucketDataRedundancyTransition asks how far a transition is.
func (b *Bucket) GetBucketDataRedundancyTransition(ctx context.Context, taskID string) (*DataRedundancyTransitionResult, error) {
	return get[DataRedundancyTransitionResult](ctx, b.redundancyTask("GetBucketDataRedundancyTransition", http.MethodGet, taskID), redundancyRoot)
}

// DeleteBucketDataRedundancyTransition takes back a transition that has not
// begun.
func (b *Bucket) DeleteBucketDataRedundancyTransition(ctx context.Context, taskID string) (*Response, error) {
	return b.redundancyTask("DeleteBucketDataRedundancyTransition", http.MethodDelete, taskID).send(ctx)
}

func (b *Bucket) redundancyTask(op, method, taskID string) *config {
	return b.config(op, method, "redundancyTransition").with("x-oss-redundancy-transition-taskid", taskID)
}

// ListDataRedundancyTransitionResult is transitions: of a bucket all, of an
// account a page.
type ListDataRedundancyTransitionResult struct {
	Response `xml:"-"`
	Page
	Transitions []DataRedundancyTransition `xml:"BucketDataRedundancyTransition"`
}

// ListBucketDataRedundancyTransition gives the bucket's transitions.
func (b *Bucket) ListBucketDataRedundancyTransition(ctx context.Context) (*ListDataRedundancyTransitionResult, error) {
	return get[ListDataRedundancyTransitionResult](ctx, b.config("ListBucketDataRedundancyTransition", http.MethodGet, "redundancyTransition"), redundancyListRoot)
}

// ListUserDataRedundancyTransition lists a page of the transitions of all the
// account's buckets.
func (c *Client) ListUserDataRedundancyTransition(ctx context.Context, opts *PageOptions) (*ListDataRedundancyTransitionResult, error) {
	return get[ListDataRedundancyTransitionResult](ctx, c.config("ListUserDataRedundancyTransition", http.MethodGet, "redundancyTransition").page(opts),
		redundancyListRoot, "ListUserDataRedundancyTransitionResult")
}

// DataRedundancyTransitions lists all pages of the transitions of all the
// account's buckets.
func (c *Client) DataRedundancyTransitions(ctx context.Context, opts *PageOptions) iter.Seq2[DataRedundancyTransition, error] {
	return tokenPages("ListUserDataRedundancyTransition", "", opts, func(o *PageOptions) (*ListDataRedundancyTransitionResult, error) {
		return c.ListUserDataRedundancyTransition(ctx, o)
	}, func(r *ListDataRedundancyTransitionResult) ([]DataRedundancyTransition, Page, *Response) {
		return r.Transitions, r.Page, &r.Response
	})
}
