package osstest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

// notForUs reports whether the server has not what was asked for, or not for
// this account: much of what follows is given to some accounts only. Any other
// error fails the test.
func notForUs(t *testing.T, err error) bool {
	t.Helper()
	return errors.Is(err, oss.ErrAccessDenied) || lacks(t, err)
}

func testAccessPoint(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	suffix := b.Name()[len(b.Name())-8:] // names are unique in an account
	one, two := "ap-one-"+suffix, "ap-two-"+suffix
	made, err := b.CreateAccessPoint(ctx, &oss.AccessPointConfiguration{Name: one, NetworkOrigin: "internet"}, nil)
	if notForUs(t, err) {
		return
	}
	if made.ARN == "" || made.Alias == "" {
		t.Errorf("created %+v", made)
	}
	if _, err := b.CreateAccessPoint(ctx, &oss.AccessPointConfiguration{Name: two, NetworkOrigin: "vpc", VPCID: "vpc-t4nlw426y44rd3iq4xxxx"}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := b.GetAccessPoint(ctx, two)
	if err != nil || r.Name != two || r.Bucket != b.Name() || r.NetworkOrigin != "vpc" || r.VPCID == "" || r.PublicEndpoint == "" || r.CreationDate.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
	var listed []string
	for p, err := range b.AccessPoints(ctx, &oss.PageOptions{MaxKeys: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, p.Name)
	}
	if slices.Sort(listed); !slices.Equal(listed, []string{one, two}) {
		t.Errorf("listed %q", listed)
	}
	testAccessPointPolicy(t, b, one)
	for _, name := range listed {
		if _, err := b.DeleteAccessPoint(ctx, name); err != nil {
			t.Error(err)
		}
	}
}

func testAccessPointPolicy(t *testing.T, b *oss.Bucket, name string) {
	ctx := t.Context()
	const policy = `{"Version":"1","Statement":[{"Effect":"Deny","Action":["oss:PutObject"],"Principal":["*"],"Resource":["*"]}]}`
	if _, err := b.PutAccessPointPolicy(ctx, name, policy); err != nil {
		t.Error(err)
	} else if r, err := b.GetAccessPointPolicy(ctx, name); err != nil || !strings.Contains(r.Policy, "oss:PutObject") {
		t.Errorf("policy %+v, %v", r, err)
	}
	if _, err := b.DeleteAccessPointPolicy(ctx, name); err != nil {
		t.Error(err)
	}
	_, err := b.GetAccessPointPolicy(ctx, name)
	wantError(t, err, oss.ErrNotFound)

	if _, err := b.PutAccessPointPublicAccessBlock(ctx, name, true); err != nil {
		t.Error(err)
	}
	if r, err := b.GetAccessPointPublicAccessBlock(ctx, name); err != nil || !r.BlockPublicAccess {
		t.Errorf("block %+v, %v", r, err)
	}
	if r, err := b.GetBucketPublicAccessBlock(ctx); err != nil || r.BlockPublicAccess {
		t.Errorf("the bucket's block is %+v, %v", r, err)
	}
	if _, err := b.DeleteAccessPointPublicAccessBlock(ctx, name); err != nil {
		t.Error(err)
	}
}

func testReplication(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	where, err := b.GetBucketReplicationLocation(ctx)
	if notForUs(t, err) {
		return
	}
	if len(where.Locations) == 0 {
		t.Fatalf("locations %+v", where)
	}
	target := newBucket(t, b.Client())
	location, err := target.GetBucketLocation(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rule := oss.ReplicationRule{
		ID: "rule", PrefixList: []string{"a/", "b/"}, Action: "ALL", HistoricalObjectReplication: "disabled",
		Destination: oss.ReplicationDestination{Bucket: target.Name(), Location: location.Location},
	}
	if _, err := b.PutBucketReplication(ctx, &rule, nil); notForUs(t, err) {
		return
	}
	r, err := b.GetBucketReplication(ctx)
	if err != nil || len(r.Rules) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	got := r.Rules[0]
	if got.ID != rule.ID || got.State == "" || got.Destination.Bucket != target.Name() || !slices.Equal(got.PrefixList, rule.PrefixList) {
		t.Errorf("got %+v", got)
	}
	if p, err := b.GetBucketReplicationProgress(ctx, "rule"); err != nil || p.Progress.ID != "rule" {
		t.Errorf("progress %+v, %v", p, err)
	}
	if _, err := b.DeleteBucketReplication(ctx, "rule"); err != nil {
		t.Error(err)
	}
}

// testCNAME stops before the domain is bound: a real one would have to be the
// caller's.
func testCNAME(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	const domain = "www.osssync-test.com"
	made, err := b.CreateBucketCNAMEToken(ctx, domain)
	if notForUs(t, err) {
		return
	}
	if made.Bucket != b.Name() || made.CNAME != domain || made.Token == "" || made.ExpireTime.IsZero() {
		t.Errorf("made %+v", made)
	}
	if r, err := b.GetBucketCNAMEToken(ctx, domain); err != nil || r.Token != made.Token {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := b.ListBucketCNAME(ctx); err != nil || r.Bucket != b.Name() || len(r.CNAMEs) != 0 {
		t.Errorf("listed %+v, %v", r, err)
	}
	if _, err := b.PutBucketCNAME(ctx, &oss.BucketCNAME{Domain: domain}, nil); err == nil {
		t.Error("a domain was bound without proof")
	}
}

func testRedundancy(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	made, err := b.CreateBucketDataRedundancyTransition(ctx, "ZRS")
	if notForUs(t, err) {
		return
	}
	r, err := b.GetBucketDataRedundancyTransition(ctx, made.TaskID)
	if err != nil || r.TaskID != made.TaskID || r.TransitionStatus == "" || r.CreateTime.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := b.ListBucketDataRedundancyTransition(ctx); err != nil || len(r.Transitions) != 1 || r.Transitions[0].TaskID != made.TaskID {
		t.Errorf("listed %+v, %v", r, err)
	}
	found := false
	for v, err := range b.Client().DataRedundancyTransitions(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || v.TaskID == made.TaskID
	}
	if !found {
		t.Error("the account's transitions lack it")
	}
	if _, err := b.DeleteBucketDataRedundancyTransition(ctx, made.TaskID); err != nil {
		t.Error(err)
	}
}

func testMetaQuery(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	if _, err := b.OpenBucketMetaQuery(ctx); notForUs(t, err) {
		return
	}
	status, err := b.GetBucketMetaQueryStatus(ctx)
	if err != nil || status.State == "" || status.CreateTime.IsZero() {
		t.Errorf("status %+v, %v", status, err)
	}
	query := &oss.MetaQuery{MaxResults: 1, Query: `{"Field":"Size","Value":"0","Operation":"gt"}`, Sort: "Size", Order: "asc"}
	for _, err := range b.MetaQueryFiles(ctx, query) {
		if err != nil {
			t.Fatal(err)
		}
		break // what a real index has by now is not known
	}
	if _, err := b.CloseBucketMetaQuery(ctx); err != nil {
		t.Error(err)
	}
}

func testAsyncFetch(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	task := oss.AsyncFetchTask{URL: "https://osssync-test.invalid/x", Object: "fetched", IgnoreSameKey: new(true)}
	made, err := b.PutAsyncFetchTask(ctx, &task, nil)
	if notForUs(t, err) {
		return
	}
	r, err := b.GetAsyncFetchTask(ctx, made.TaskID)
	if err != nil || r.TaskID != made.TaskID || r.State == "" || r.Task.URL != task.URL || r.Task.Object != task.Object {
		t.Errorf("got %+v, %v", r, err)
	}
}

func testQoS(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	if user, err := b.Client().GetUserQoSInfo(ctx); err != nil && !errors.Is(err, oss.ErrAccessDenied) && !errors.Is(err, oss.ErrNotImplemented) {
		t.Error(err)
	} else if err == nil && (user.Region == "" || user.TotalQPS == nil) {
		t.Errorf("user %+v", user)
	}
	if _, err := b.SetBucketStorageCapacity(ctx, 100); !notForUs(t, err) {
		if r, err := b.GetBucketStorageCapacity(ctx); err != nil || r.StorageCapacity != 100 {
			t.Errorf("capacity %+v, %v", r, err)
		}
	}
	qos := oss.QoSConfiguration{TotalUploadBandwidth: new(int64(5)), TotalDownloadBandwidth: new(int64(4)), TotalQPS: new(int64(1000))}
	if _, err := b.PutBucketQoSInfo(ctx, &qos, nil); notForUs(t, err) {
		return
	}
	if r, err := b.GetBucketQoSInfo(ctx); err != nil || r.TotalUploadBandwidth == nil || *r.TotalUploadBandwidth != 5 || *r.TotalQPS != 1000 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := b.DeleteBucketQoSInfo(ctx); err != nil {
		t.Error(err)
	}
	testRequesterQoS(t, b, &qos)
}

func testRequesterQoS(t *testing.T, b *oss.Bucket, qos *oss.QoSConfiguration) {
	ctx := t.Context()
	uids := []string{"200000000000000001", "200000000000000002"}
	for _, uid := range uids {
		if _, err := b.PutBucketRequesterQoSInfo(ctx, uid, qos, nil); notForUs(t, err) {
			return
		}
	}
	if r, err := b.GetBucketRequesterQoSInfo(ctx, uids[0]); err != nil || r.Requester != uids[0] || !reflect.DeepEqual(r.QoSConfiguration.TotalQPS, qos.TotalQPS) {
		t.Errorf("got %+v, %v", r, err)
	}
	var listed []string
	for v, err := range b.RequesterQoSInfos(ctx, &oss.PageOptions{MaxKeys: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, v.Requester)
	}
	if slices.Sort(listed); !slices.Equal(listed, uids) {
		t.Errorf("listed %q", listed)
	}
	for _, uid := range uids {
		if _, err := b.DeleteBucketRequesterQoSInfo(ctx, uid); err != nil {
			t.Error(err)
		}
	}
}
