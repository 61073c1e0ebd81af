package oss_test

import (
	"context"
	"testing"

	"github.com/osssync/osssync/oss"
)

const (
	qosXML = `<QoSConfiguration><TotalUploadBandwidth>10</TotalUploadBandwidth><ExtranetUploadBandwidth>0</ExtranetUploadBandwidth><TotalQps>-1</TotalQps></QoSConfiguration>`

	requesterXML = `<RequesterQoSInfo><Requester>123</Requester>` + qosXML + `</RequesterQoSInfo>`

	pageXML = `<ContinuationToken>a</ContinuationToken><NextContinuationToken>b</NextContinuationToken><IsTruncated>true</IsTruncated>`
)

func bounds() oss.QoSConfiguration {
	return oss.QoSConfiguration{TotalUploadBandwidth: new(int64(10)), ExtranetUploadBandwidth: new(int64(0)), TotalQPS: new(int64(-1))}
}

func TestConfigOfLimits(t *testing.T) {
	qos := bounds()
	requester := oss.RequesterQoSInfo{Requester: "123", QoSConfiguration: bounds()}
	page := oss.Page{IsTruncated: true, NextContinuationToken: "b"}
	opts := &oss.PageOptions{ContinuationToken: "a", MaxKeys: 7}
	runConfigCalls(t, []configCall{
		{
			name: "GetUserQoSInfo", line: "GET /?qosInfo", answer: `<QoSConfiguration><Region>oss-cn-hangzhou</Region>` + qosXML[len("<QoSConfiguration>"):],
			want: &oss.GetUserQoSInfoResult{Region: "oss-cn-hangzhou", QoSConfiguration: bounds()},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.GetUserQoSInfoResult, error) {
				return c.GetUserQoSInfo(ctx)
			}),
		},
		{
			name: "PutBucketQoSInfo", line: "PUT /?qosInfo", body: qosXML,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketQoSInfo(ctx, &qos, nil)
			}),
		},
		{
			name: "GetBucketQoSInfo", line: "GET /?qosInfo", answer: qosXML, want: &oss.GetBucketQoSInfoResult{QoSConfiguration: bounds()},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketQoSInfoResult, error) {
				return b.GetBucketQoSInfo(ctx)
			}),
		},
		{
			name: "DeleteBucketQoSInfo", line: "DELETE /?qosInfo",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketQoSInfo(ctx) }),
		},
		{
			name: "SetBucketStorageCapacity", line: "PUT /?qos", body: "<BucketUserQos><StorageCapacity>-1</StorageCapacity></BucketUserQos>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.SetBucketStorageCapacity(ctx, -1)
			}),
		},
		{
			name: "GetBucketStorageCapacity", line: "GET /?qos", answer: "<BucketUserQos><StorageCapacity>100</StorageCapacity></BucketUserQos>",
			want: &oss.GetBucketStorageCapacityResult{StorageCapacity: 100},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketStorageCapacityResult, error) {
				return b.GetBucketStorageCapacity(ctx)
			}),
		},
		{
			name: "PutBucketRequesterQoSInfo", line: "PUT /?qosRequester=123&requesterQosInfo", body: qosXML,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketRequesterQoSInfo(ctx, "123", &qos, nil)
			}),
		},
		{
			name: "GetBucketRequesterQoSInfo", line: "GET /?qosRequester=123&requesterQosInfo", answer: requesterXML,
			want: &oss.GetRequesterQoSInfoResult{RequesterQoSInfo: requester},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetRequesterQoSInfoResult, error) {
				return b.GetBucketRequesterQoSInfo(ctx, "123")
			}),
		},
		{
			name: "DeleteBucketRequesterQoSInfo", line: "DELETE /?qosRequester=123&requesterQosInfo",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketRequesterQoSInfo(ctx, "123")
			}),
		},
		{
			name: "ListBucketRequesterQoSInfos", line: "GET /?continuation-token=a&max-keys=7&requesterQosInfo",
			answer: "<ListBucketRequesterQoSInfosResult><Bucket>examplebucket</Bucket>" + pageXML + requesterXML + requesterXML + "</ListBucketRequesterQoSInfosResult>",
			want:   &oss.ListRequesterQoSInfosResult{Page: page, Requesters: []oss.RequesterQoSInfo{requester, requester}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListRequesterQoSInfosResult, error) {
				return b.ListBucketRequesterQoSInfos(ctx, opts)
			}),
		},
	})
}

func TestConfigOfPools(t *testing.T) {
	qos := bounds()
	requester := oss.RequesterQoSInfo{Requester: "123", QoSConfiguration: bounds()}
	page := oss.Page{IsTruncated: true, NextContinuationToken: "b"}
	opts := &oss.PageOptions{ContinuationToken: "a", MaxKeys: 7}
	runConfigCalls(t, []configCall{
		{
			name: "ListResourcePools", line: "GET /?continuation-token=a&max-keys=7&resourcePool",
			answer: "<ListResourcePoolsResult><Region>oss-cn-shanghai</Region><Owner>1</Owner>" + pageXML +
				"<ResourcePool><Name>p</Name><CreateTime>2024-11-29T08:42:32.000Z</CreateTime></ResourcePool></ListResourcePoolsResult>",
			want: &oss.ListResourcePoolsResult{
				Page: page, Region: "oss-cn-shanghai", Owner: "1",
				ResourcePools: []oss.ResourcePool{{Name: "p", CreateTime: at("2024-11-29T08:42:32Z")}},
			},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListResourcePoolsResult, error) {
				return c.ListResourcePools(ctx, opts)
			}),
		},
		{
			name: "GetResourcePoolInfo", line: "GET /?resourcePool=p&resourcePoolInfo",
			answer: "<GetResourcePoolInfoResponse><Region>r</Region><Name>p</Name><Owner>1</Owner>" + qosXML + "</GetResourcePoolInfoResponse>",
			want:   &oss.GetResourcePoolInfoResult{Region: "r", Name: "p", Owner: "1", QoSConfiguration: bounds()},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.GetResourcePoolInfoResult, error) {
				return c.GetResourcePoolInfo(ctx, "p")
			}),
		},
		{
			name: "ListResourcePoolBuckets", line: "GET /?continuation-token=a&max-keys=7&resourcePool=p&resourcePoolBuckets",
			answer: "<ListResourcePoolBucketsResult><ResourcePool>p</ResourcePool>" + pageXML +
				"<ResourcePoolBucket><Name>b</Name><JoinTime>2024-11-29T08:42:32.000Z</JoinTime></ResourcePoolBucket></ListResourcePoolBucketsResult>",
			want: &oss.ListResourcePoolBucketsResult{
				Page: page, ResourcePool: "p", Buckets: []oss.ResourcePoolBucket{{Name: "b", JoinTime: at("2024-11-29T08:42:32Z")}},
			},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListResourcePoolBucketsResult, error) {
				return c.ListResourcePoolBuckets(ctx, "p", opts)
			}),
		},
		{
			name: "PutResourcePoolRequesterQoSInfo", line: "PUT /?qosRequester=123&requesterQosInfo&resourcePool=p", body: qosXML,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.Response, error) {
				return c.PutResourcePoolRequesterQoSInfo(ctx, "123", "p", &qos, nil)
			}),
		},
		{
			name: "GetResourcePoolRequesterQoSInfo", line: "GET /?qosRequester=123&requesterQosInfo&resourcePool=p", answer: requesterXML,
			want: &oss.GetRequesterQoSInfoResult{RequesterQoSInfo: requester},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.GetRequesterQoSInfoResult, error) {
				return c.GetResourcePoolRequesterQoSInfo(ctx, "123", "p")
			}),
		},
		{
			name: "DeleteResourcePoolRequesterQoSInfo", line: "DELETE /?qosRequester=123&requesterQosInfo&resourcePool=p",
			call: account(func(ctx context.Context, c *oss.Client) (*oss.Response, error) {
				return c.DeleteResourcePoolRequesterQoSInfo(ctx, "123", "p")
			}),
		},
		{
			name: "ListResourcePoolRequesterQoSInfos", line: "GET /?requesterQosInfo&resourcePool=p",
			answer: "<ListResourcePoolRequesterQoSInfosResult><ResourcePool>p</ResourcePool><IsTruncated>false</IsTruncated>" + requesterXML + "</ListResourcePoolRequesterQoSInfosResult>",
			want:   &oss.ListRequesterQoSInfosResult{Requesters: []oss.RequesterQoSInfo{requester}},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListRequesterQoSInfosResult, error) {
				return c.ListResourcePoolRequesterQoSInfos(ctx, "p", nil)
			}),
		},
	})
}

func TestConfigOfInventories(t *testing.T) {
	xml := `<InventoryConfiguration><Id>report</Id><IsEnabled>true</IsEnabled><Filter><Prefix>a/</Prefix><LowerSizeBound>1024</LowerSizeBound></Filter>` +
		`<Destination><OSSBucketDestination><Format>CSV</Format><AccountId>1</AccountId><RoleArn>acs:ram::1:role/r</RoleArn><Bucket>acs:oss:::target</Bucket>` +
		`<Prefix>p</Prefix><Encryption><SSE-KMS><KeyId>key</KeyId></SSE-KMS></Encryption></OSSBucketDestination></Destination>` +
		`<Schedule><Frequency>Daily</Frequency></Schedule><IncludedObjectVersions>All</IncludedObjectVersions>` +
		`<OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields></InventoryConfiguration>`
	inventory := oss.InventoryConfiguration{
		ID: "report", IsEnabled: true, Filter: &oss.InventoryFilter{Prefix: "a/", LowerSizeBound: 1024},
		Destination: oss.InventoryDestination{Format: "CSV", AccountID: "1", RoleARN: "acs:ram::1:role/r", Bucket: "target", Prefix: "p", SSEKMSKeyID: "key"},
		Frequency:   "Daily", IncludedObjectVersions: "All", OptionalFields: []string{"Size", "ETag"},
	}
	plain := `<InventoryConfiguration><Id>a</Id><IsEnabled>false</IsEnabled><Destination><OSSBucketDestination><Bucket>acs:oss:::target</Bucket></OSSBucketDestination></Destination>` +
		`<Schedule><Frequency>Weekly</Frequency></Schedule><IncludedObjectVersions>Current</IncludedObjectVersions></InventoryConfiguration>`
	runConfigCalls(t, []configCall{
		{
			name: "PutBucketInventoryConfiguration", line: "PUT /?inventory&inventoryId=report", body: xml,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketInventoryConfiguration(ctx, &inventory, nil)
			}),
		},
		{
			name: "PutBucketInventoryConfiguration of the least", line: "PUT /?inventory&inventoryId=a", body: plain,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketInventoryConfiguration(ctx, &oss.InventoryConfiguration{
					ID: "a", Frequency: "Weekly", IncludedObjectVersions: "Current", Destination: oss.InventoryDestination{Bucket: "acs:oss:::target"},
				}, nil)
			}),
		},
		{
			name: "PutBucketInventoryConfiguration as raw XML", line: "PUT /?inventory&inventoryId=a", body: "<InventoryConfiguration><New/><Id>a</Id></InventoryConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketInventoryConfiguration(ctx, oss.RawXML("<InventoryConfiguration><New/><Id>a</Id></InventoryConfiguration>"), nil)
			}),
		},
		{
			name: "GetBucketInventoryConfiguration", line: "GET /?inventory&inventoryId=report", answer: xml,
			want: &oss.GetBucketInventoryConfigurationResult{InventoryConfiguration: inventory},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketInventoryConfigurationResult, error) {
				return b.GetBucketInventoryConfiguration(ctx, "report")
			}),
		},
		{
			name: "DeleteBucketInventoryConfiguration", line: "DELETE /?inventory&inventoryId=report",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketInventoryConfiguration(ctx, "report")
			}),
		},
		{
			name: "ListBucketInventoryConfigurations", line: "GET /?continuation-token=a&inventory",
			answer: "<ListInventoryConfigurationsResult>" + xml + pageXML + "</ListInventoryConfigurationsResult>",
			want: &oss.ListBucketInventoryConfigurationsResult{
				Page: oss.Page{IsTruncated: true, NextContinuationToken: "b"}, Inventories: []oss.InventoryConfiguration{inventory},
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListBucketInventoryConfigurationsResult, error) {
				return b.ListBucketInventoryConfigurations(ctx, "a")
			}),
		},
	})
}

func TestConfigOfRetention(t *testing.T) {
	runConfigCalls(t, []configCall{
		{
			name: "InitBucketWORM", line: "POST /?worm", body: "<InitiateWormConfiguration><RetentionPeriodInDays>3</RetentionPeriodInDays></InitiateWormConfiguration>",
			head: "X-Oss-Worm-Id: id", want: &oss.InitBucketWORMResult{WORMID: "id"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.InitBucketWORMResult, error) {
				return b.InitBucketWORM(ctx, 3)
			}),
		},
		{
			name: "AbortBucketWORM", line: "DELETE /?worm",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.AbortBucketWORM(ctx) }),
		},
		{
			name: "CompleteBucketWORM", line: "POST /?wormId=id",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.CompleteBucketWORM(ctx, "id")
			}),
		},
		{
			name: "ExtendBucketWORM", line: "POST /?wormExtend&wormId=id", body: "<ExtendWormConfiguration><RetentionPeriodInDays>9</RetentionPeriodInDays></ExtendWormConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.ExtendBucketWORM(ctx, "id", 9)
			}),
		},
		{
			name: "GetBucketWORM", line: "GET /?worm",
			answer: "<WormConfiguration><WormId>id</WormId><State>Locked</State><RetentionPeriodInDays>3</RetentionPeriodInDays><CreationDate>2024-06-12T08:15:30.000Z</CreationDate></WormConfiguration>",
			want:   &oss.GetBucketWORMResult{WORMID: "id", State: "Locked", RetentionPeriodDays: 3, CreationDate: at("2024-06-12T08:15:30Z")},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketWORMResult, error) {
				return b.GetBucketWORM(ctx)
			}),
		},
	})
}

func TestConfigOfReplication(t *testing.T) {
	xml := `<ReplicationConfiguration><Rule><ID>r</ID><PrefixSet><Prefix>a</Prefix><Prefix>b</Prefix></PrefixSet><Action>PUT,DELETE</Action>` +
		`<Destination><Bucket>target</Bucket><Location>oss-cn-beijing</Location><TransferType>oss_acc</TransferType></Destination>` +
		`<HistoricalObjectReplication>enabled</HistoricalObjectReplication><SyncRole>role</SyncRole>` +
		`<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>` +
		`<EncryptionConfiguration><ReplicaKmsKeyID>key</ReplicaKmsKeyID></EncryptionConfiguration><RTC><Status>disabled</Status></RTC></Rule></ReplicationConfiguration>`
	rule := oss.ReplicationRule{
		ID: "r", PrefixList: []string{"a", "b"}, Action: "PUT,DELETE",
		Destination:                 oss.ReplicationDestination{Bucket: "target", Location: "oss-cn-beijing", TransferType: "oss_acc"},
		HistoricalObjectReplication: "enabled", SyncRole: "role", SSEKMSEncryptedObjects: "Enabled", ReplicaKMSKeyID: "key", RTC: "disabled",
	}
	runConfigCalls(t, []configCall{
		{
			name: "PutBucketReplication", line: "POST /?comp=add&replication", body: xml,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketReplication(ctx, &rule, nil)
			}),
		},
		{
			name: "PutBucketReplication of the least", line: "POST /?comp=add&replication",
			body: "<ReplicationConfiguration><Rule><Destination><Bucket>b</Bucket><Location>l</Location></Destination></Rule></ReplicationConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketReplication(ctx, &oss.ReplicationRule{Destination: oss.ReplicationDestination{Bucket: "b", Location: "l"}}, nil)
			}),
		},
		{
			name: "GetBucketReplication", line: "GET /?replication", answer: xml, want: &oss.GetBucketReplicationResult{Rules: []oss.ReplicationRule{rule}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketReplicationResult, error) {
				return b.GetBucketReplication(ctx)
			}),
		},
		{
			name: "DeleteBucketReplication", line: "POST /?comp=delete&replication", body: "<ReplicationRules><ID>r</ID></ReplicationRules>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketReplication(ctx, "r")
			}),
		},
		{
			name: "GetBucketReplicationLocation", line: "GET /?replicationLocation",
			answer: "<ReplicationLocation><Location>a</Location><Location>b</Location><LocationTransferTypeConstraint><LocationTransferType><Location>a</Location>" +
				"<TransferTypes><Type>oss_acc</Type></TransferTypes></LocationTransferType></LocationTransferTypeConstraint>" +
				"<LocationRTCConstraint><Location>b</Location></LocationRTCConstraint></ReplicationLocation>",
			want: &oss.GetBucketReplicationLocationResult{
				Locations: []string{"a", "b"}, RTCLocations: []string{"b"},
				LocationTransferTypes: []oss.LocationTransferType{{Location: "a", TransferTypes: []string{"oss_acc"}}},
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketReplicationLocationResult, error) {
				return b.GetBucketReplicationLocation(ctx)
			}),
		},
		{
			name: "GetBucketReplicationProgress", line: "GET /?replicationProgress&rule-id=r",
			answer: "<ReplicationProgress><Rule><ID>r</ID><Status>doing</Status><Progress><HistoricalObject>0.85</HistoricalObject><NewObject>2024-06-12T08:15:30.000Z</NewObject></Progress></Rule></ReplicationProgress>",
			want: &oss.GetBucketReplicationProgressResult{Progress: oss.ReplicationProgress{
				ReplicationRule: oss.ReplicationRule{ID: "r", State: "doing"}, HistoricalObjectProgress: 0.85, NewObjectProgress: at("2024-06-12T08:15:30Z"),
			}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketReplicationProgressResult, error) {
				return b.GetBucketReplicationProgress(ctx, "r")
			}),
		},
	})
}
