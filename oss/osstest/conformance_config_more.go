package osstest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// lacks reports whether the server says that it has not what was asked for,
// and fails the test over any other error.
func lacks(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, oss.ErrNotImplemented) {
		t.Fatal(err)
	}
	return err != nil
}

func testPolicy(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	_, err := b.GetBucketPolicy(ctx)
	if errors.Is(err, oss.ErrNotImplemented) {
		return
	}
	wantError(t, err, oss.ErrNoSuchBucketPolicy)
	policy := `{"Version":"1","Statement":[{"Effect":"Deny","Action":["oss:RestoreObject"],"Principal":["*"],"Resource":["acs:oss:*:*:` + b.Name() + `/*"]}]}`
	if _, err := b.PutBucketPolicy(ctx, policy); err != nil {
		t.Fatal(err)
	}
	if r, err := b.GetBucketPolicy(ctx); err != nil || !strings.Contains(r.Policy, "oss:RestoreObject") {
		t.Errorf("policy %+v, %v", r, err)
	}
	if _, err := b.PutBucketPolicy(ctx, "no JSON"); err == nil {
		t.Error("a policy that is no JSON was taken")
	}
	if _, err := b.DeleteBucketPolicy(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = b.GetBucketPolicy(ctx)
	wantError(t, err, oss.ErrNoSuchBucketPolicy)
}

// testReferer: what is missing is a default, not an error.
func testReferer(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	want := oss.BucketReferer{
		AllowEmptyReferer: true, AllowTruncateQueryString: new(true),
		Referers: []string{"https://a.example", "https://*.b.example"}, BlackReferers: []string{"https://c.example"},
	}
	if _, err := b.PutBucketReferer(ctx, &want, nil); lacks(t, err) {
		return
	}
	r, err := b.GetBucketReferer(ctx)
	if err != nil || !reflect.DeepEqual(r.BucketReferer, want) {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := b.PutBucketReferer(ctx, &oss.BucketReferer{AllowEmptyReferer: true}, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := b.GetBucketReferer(ctx); err != nil || !r.AllowEmptyReferer || len(r.Referers)+len(r.BlackReferers) > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func testInventory(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	inventory := func(id string) oss.InventoryConfiguration {
		return oss.InventoryConfiguration{
			ID: id, IsEnabled: true, Filter: &oss.InventoryFilter{Prefix: "a/"}, Frequency: "Daily", IncludedObjectVersions: "All",
			Destination:    oss.InventoryDestination{Format: "CSV", AccountID: "1000000000000000", RoleARN: "acs:ram::1000000000000000:role/AliyunOSSRole", Bucket: b.Name(), Prefix: "p"},
			OptionalFields: []string{"Size", "ETag"},
		}
	}
	for _, id := range []string{"two", "one"} {
		if _, err := b.PutBucketInventoryConfiguration(ctx, new(inventory(id)), nil); lacks(t, err) {
			return
		}
	}
	if r, err := b.GetBucketInventoryConfiguration(ctx, "one"); err != nil || !reflect.DeepEqual(r.InventoryConfiguration, inventory("one")) {
		t.Errorf("got %+v, %v", r, err)
	}
	found := map[string]bool{}
	for v, err := range b.InventoryConfigurations(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		found[v.ID] = true
	}
	if !found["one"] || !found["two"] || len(found) != 2 {
		t.Errorf("listed %v", found)
	}
	for id := range found {
		if _, err := b.DeleteBucketInventoryConfiguration(ctx, id); err != nil {
			t.Error(err)
		}
	}
	_, err := b.GetBucketInventoryConfiguration(ctx, "one")
	wantError(t, err, oss.ErrNoSuchInventory)
}

// testWORM stops before the policy is locked: a real bucket could not be removed
// any more.
func testWORM(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	_, err := b.GetBucketWORM(ctx)
	if errors.Is(err, oss.ErrNotImplemented) {
		return
	}
	wantError(t, err, oss.ErrNoSuchWORMConfiguration)
	init, err := b.InitBucketWORM(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.GetBucketWORM(ctx)
	if err != nil || r.WORMID != init.WORMID || r.State != "InProgress" || r.RetentionPeriodDays != 1 || r.CreationDate.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := b.AbortBucketWORM(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = b.GetBucketWORM(ctx)
	wantError(t, err, oss.ErrNoSuchWORMConfiguration)
}

func testStyle(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	if _, err := b.PutBucketStyle(ctx, "half", "image/resize,p_50"); lacks(t, err) {
		return
	}
	if r, err := b.GetBucketStyle(ctx, "half"); err != nil || r.Name != "half" || r.Content != "image/resize,p_50" || r.CreateTime.IsZero() {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := b.ListBucketStyle(ctx); err != nil || len(r.Styles) != 1 || r.Styles[0].Name != "half" {
		t.Errorf("listed %+v, %v", r, err)
	}
	if _, err := b.DeleteBucketStyle(ctx, "half"); err != nil {
		t.Fatal(err)
	}
	if r, err := b.ListBucketStyle(ctx); err != nil || len(r.Styles) != 0 {
		t.Errorf("listed %+v, %v", r, err)
	}
}

func testLiveChannel(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	_, err := b.GetLiveChannel(ctx, "one")
	if errors.Is(err, oss.ErrNotImplemented) {
		return
	}
	wantError(t, err, oss.ErrNoSuchLiveChannel)
	want := oss.LiveChannelConfiguration{
		Description: "a test", ChannelStatus: "enabled",
		Target: oss.LiveChannelTarget{Type: "HLS", FragDuration: 2, FragCount: 4, PlaylistName: "list.m3u8"},
	}
	for _, name := range []string{"one", "two", "three"} {
		r, err := b.CreateLiveChannel(ctx, name, &want, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.PublishURL, "rtmp://") || !strings.Contains(r.PlayURL, name) {
			t.Errorf("created %+v", r)
		}
	}
	if r, err := b.GetLiveChannel(ctx, "one"); err != nil || !reflect.DeepEqual(r.LiveChannelConfiguration, want) {
		t.Errorf("got %+v, %v", r, err)
	}
	var listed []string
	for c, err := range b.LiveChannels(ctx, &oss.ListLiveChannelOptions{Prefix: "t", MaxKeys: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, c.Name)
	}
	if !reflect.DeepEqual(listed, []string{"three", "two"}) {
		t.Errorf("listed %q", listed)
	}
	if _, err := b.PutLiveChannelStatus(ctx, "one", "disabled"); err != nil {
		t.Error(err)
	}
	if r, err := b.GetLiveChannelStat(ctx, "one"); err != nil || r.ChannelStatus != "Disabled" || r.Video != nil {
		t.Errorf("stat %+v, %v", r, err)
	}
	if r, err := b.GetLiveChannelHistory(ctx, "one"); err != nil || len(r.Records) != 0 {
		t.Errorf("history %+v, %v", r, err)
	}
	now := time.Now()
	if _, err := b.PostVODPlaylist(ctx, "one", "vod.m3u8", now.Add(-time.Hour), now); err == nil {
		t.Error("a playlist of nothing was made")
	}
	for _, name := range []string{"one", "two", "three"} {
		if _, err := b.DeleteLiveChannel(ctx, name); err != nil {
			t.Error(err)
		}
	}
}

// testService only reads: the account is the caller's.
func testService(t *testing.T, b *oss.Bucket) {
	ctx := t.Context()
	all, err := b.Client().DescribeRegions(ctx, "")
	if lacks(t, err) {
		return
	}
	if len(all.Regions) == 0 || all.Regions[0].InternetEndpoint == "" {
		t.Fatalf("regions %+v", all.Regions)
	}
	one, err := b.Client().DescribeRegions(ctx, all.Regions[0].Region)
	if err != nil || len(one.Regions) != 1 || one.Regions[0] != all.Regions[0] {
		t.Errorf("one region %+v, %v", one, err)
	}
	for _, err := range b.Client().AccessPoints(ctx, nil) {
		if err != nil && !errors.Is(err, oss.ErrAccessDenied) {
			t.Error(err)
		}
	}
}
