package osstest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

// What follows is not for anybody's real account: it changes the account as a
// whole, or cannot be undone.

// start gives an emulator on a socket with a bucket.
func start(t *testing.T) (*emulator.Server, *oss.Bucket) {
	t.Helper()
	s, creds := openEmulator(t)
	endpoint, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateBucket("examplebucket"); err != nil {
		t.Fatal(err)
	}
	return s, newClient(t, endpoint, creds, &oss.Options{Region: "cn-hangzhou"}).Bucket("examplebucket")
}

func TestAccountConfig(t *testing.T) {
	ctx := t.Context()
	_, b := start(t)
	c := b.Client()

	if _, err := c.PutPublicAccessBlock(ctx, true); err != nil {
		t.Fatal(err)
	}
	if r, err := c.GetPublicAccessBlock(ctx); err != nil || !r.BlockPublicAccess {
		t.Errorf("block %+v, %v", r, err)
	}
	if _, err := c.DeletePublicAccessBlock(ctx); err != nil {
		t.Error(err)
	}
	if r, err := c.GetPublicAccessBlock(ctx); err == nil && r.BlockPublicAccess {
		t.Errorf("block after its deletion: %+v", r)
	}

	_, err := c.WriteGetObjectResponse(ctx, "route", "token", 200, strings.NewReader("data"), nil)
	if !errors.Is(err, oss.ErrInvalidArgument) {
		t.Errorf("a token of no request: %v", err)
	}
}

func TestResourcePools(t *testing.T) {
	ctx := t.Context()
	s, b := start(t)
	c := b.Client()
	for _, name := range []string{"pool-a", "pool-b"} {
		if err := s.CreateResourcePool(name, "bucket-1", "bucket-2"); err != nil {
			t.Fatal(err)
		}
	}
	one := &oss.PageOptions{MaxKeys: 1}
	var pools, buckets, requesters []string
	for p, err := range c.ResourcePools(ctx, one) {
		if err != nil {
			t.Fatal(err)
		}
		pools = append(pools, p.Name)
	}
	for b, err := range c.ResourcePoolBuckets(ctx, "pool-a", one) {
		if err != nil {
			t.Fatal(err)
		}
		buckets = append(buckets, b.Name)
	}
	if !slices.Equal(pools, []string{"pool-a", "pool-b"}) || !slices.Equal(buckets, []string{"bucket-1", "bucket-2"}) {
		t.Errorf("pools %q, buckets %q", pools, buckets)
	}
	if r, err := c.GetResourcePoolInfo(ctx, "pool-a"); err != nil || r.Name != "pool-a" || r.CreateTime.IsZero() {
		t.Errorf("pool %+v, %v", r, err)
	}

	uids := []string{"200000000000000001", "200000000000000002"}
	for _, uid := range uids {
		if _, err := c.PutResourcePoolRequesterQoSInfo(ctx, uid, "pool-a", &oss.QoSConfiguration{TotalQPS: new(int64(7))}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for v, err := range c.ResourcePoolRequesterQoSInfos(ctx, "pool-a", one) {
		if err != nil {
			t.Fatal(err)
		}
		requesters = append(requesters, v.Requester)
	}
	if !slices.Equal(requesters, uids) {
		t.Errorf("requesters %q", requesters)
	}
	if r, err := c.GetResourcePoolRequesterQoSInfo(ctx, uids[0], "pool-a"); err != nil || r.QoSConfiguration.TotalQPS == nil || *r.QoSConfiguration.TotalQPS != 7 {
		t.Errorf("requester %+v, %v", r, err)
	}
	if _, err := c.DeleteResourcePoolRequesterQoSInfo(ctx, uids[0], "pool-a"); err != nil {
		t.Error(err)
	}
	if _, err := c.GetResourcePoolRequesterQoSInfo(ctx, uids[0], "pool-a"); !errors.Is(err, oss.ErrNotFound) {
		t.Errorf("a requester that is gone: %v", err)
	}
}

func TestLockedRetention(t *testing.T) {
	ctx := t.Context()
	_, b := start(t)
	init, err := b.InitBucketWORM(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.CompleteBucketWORM(ctx, init.WORMID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ExtendBucketWORM(ctx, init.WORMID, 2); err != nil {
		t.Fatal(err)
	}
	if r, err := b.GetBucketWORM(ctx); err != nil || r.State != "Locked" || r.RetentionPeriodDays != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := b.AbortBucketWORM(ctx); !errors.Is(err, oss.ErrWORMConfigurationLocked) {
		t.Errorf("abort: %v", err)
	}
}

// TestCNAMEBound needs a domain that proves itself.
func TestCNAMEBound(t *testing.T) {
	ctx := t.Context()
	_, b := start(t)
	if _, err := b.PutBucketCNAME(ctx, &oss.BucketCNAME{Domain: "www.shop.example"}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := b.ListBucketCNAME(ctx)
	if err != nil || len(r.CNAMEs) != 1 || r.CNAMEs[0].Domain != "www.shop.example" || r.CNAMEs[0].LastModified.IsZero() {
		t.Errorf("listed %+v, %v", r, err)
	}
	if _, err := b.DeleteBucketCNAME(ctx, "www.shop.example"); err != nil {
		t.Error(err)
	}
}

// TestMetaQueryFinds: the emulator's index is up to date at once.
func TestMetaQueryFinds(t *testing.T) {
	ctx := t.Context()
	_, b := start(t)
	for _, key := range []string{"c", "bb", "aaa"} {
		if _, err := b.PutObject(ctx, key, strings.NewReader(key), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.OpenBucketMetaQuery(ctx); err != nil {
		t.Fatal(err)
	}
	condition := `{"Field":"Size","Value":"1","Operation":"gt"}`
	var found []string
	for f, err := range b.MetaQueryFiles(ctx, &oss.MetaQuery{MaxResults: 1, Query: condition, Sort: "Size", Order: "desc"}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Size != int64(len(f.Filename)) || f.StorageClass != "Standard" || f.FileModifiedTime.IsZero() || f.CRC64 == "" {
			t.Errorf("found %+v", f)
		}
		found = append(found, f.Filename)
	}
	if !slices.Equal(found, []string{"aaa", "bb"}) {
		t.Errorf("found %q", found)
	}
	r, err := b.DoBucketMetaQuery(ctx, &oss.MetaQuery{Query: condition, Aggregations: []oss.MetaQueryAggregation{{Field: "Size", Operation: "sum"}}}, nil)
	if err != nil || len(r.Aggregations) != 1 || r.Aggregations[0].Value != 5 {
		t.Errorf("sum %+v, %v", r, err)
	}
}
