package oss

import (
	"context"
	"net/http"
	"strconv"
)

// InitBucketWORMResult is the answer to InitBucketWORM.
type InitBucketWORMResult struct {
	Response

	// WORMID is what CompleteBucketWORM and ExtendBucketWORM ask for.
	WORMID string
}

// InitBucketWORM makes a retention policy: objects can be neither deleted nor
// overwritten for that many days, 1 to 25,550 (InitiateBucketWorm). Within 24
// hours it must be locked by CompleteBucketWORM, or it lapses.
func (b *Bucket) InitBucketWORM(ctx context.Context, days int) (*InitBucketWORMResult, error) {
	c := b.config("InitBucketWORM", http.MethodPost, "worm").retention("InitiateWormConfiguration", days)
	resp, err := c.send(ctx)
	if err != nil {
		return nil, err
	}
	id := resp.Header.Get("X-Oss-Worm-Id")
	if id == "" {
		return nil, b.listError(c.op, *resp, "no x-oss-worm-id")
	}
	return &InitBucketWORMResult{*resp, id}, nil
}

func (c *config) retention(root string, days int) *config {
	type body struct{ RetentionPeriodInDays int }
	if days < 1 && c.err == nil {
		c.err = usageError(c.op, "days", strconv.Itoa(days)+" is not 1 or more")
	}
	return c.xmlBody(root, body{days})
}

// AbortBucketWORM removes a policy that is not locked yet (AbortBucketWorm).
// errors.Is: ErrWORMConfigurationLocked.
func (b *Bucket) AbortBucketWORM(ctx context.Context) (*Response, error) {
	return b.config("AbortBucketWORM", http.MethodDelete, "worm").send(ctx)
}

// CompleteBucketWORM locks the policy: nobody can take it back
// (CompleteBucketWorm).
func (b *Bucket) CompleteBucketWORM(ctx context.Context, wormID string) (*Response, error) {
	return b.worm("CompleteBucketWORM", wormID).send(ctx)
}

// ExtendBucketWORM prolongs a locked policy to that many days (ExtendBucketWorm).
func (b *Bucket) ExtendBucketWORM(ctx context.Context, wormID string, days int) (*Response, error) {
	c := b.worm("ExtendBucketWORM", wormID)
	c.set("wormExtend", "")
	return c.retention("ExtendWormConfiguration", days).send(ctx)
}

// worm is a call that is selected by the policy's id alone.
func (b *Bucket) worm(op, id string) *config {
	c := &config{call: b.newCall(op, http.MethodPost)}
	c.setBody(nil, nil)
	return c.with("wormId", id)
}

// GetBucketWORMResult is the answer to GetBucketWORM.
type GetBucketWORMResult struct {
	Response            `xml:"-"`
	WORMID              string `xml:"WormId"`
	State               string // InProgress, Locked or Expired
	RetentionPeriodDays int    `xml:"RetentionPeriodInDays"`
	CreationDate        Time
}

// GetBucketWORM gives the bucket's policy (GetBucketWorm). errors.Is:
// ErrNoSuchWORMConfiguration.
func (b *Bucket) GetBucketWORM(ctx context.Context) (*GetBucketWORMResult, error) {
	return get[GetBucketWORMResult](ctx, b.config("GetBucketWORM", http.MethodGet, "worm"), "WormConfiguration")
}
