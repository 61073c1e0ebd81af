package oss_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/osssync/osssync/oss"
)

func TestBucketAnswers(t *testing.T) {
	created := at("2024-06-12T08:15:30Z").Time
	runConfigCalls(t, []configCall{
		{
			name: "ListBuckets", line: "GET /?marker=m&max-keys=7&prefix=p&tag-key=k&tag-value=v&x-oss-new", header: []string{"X-Oss-Resource-Group-Id: rg-a"},
			answer: "<ListAllMyBucketsResult><Owner><ID>1</ID><DisplayName>me</DisplayName></Owner><IsTruncated>true</IsTruncated><NextMarker>b</NextMarker>" +
				"<Buckets><Bucket><Name>b</Name><Location>oss-cn-hangzhou</Location><Region>cn-hangzhou</Region><StorageClass>IA</StorageClass>" +
				"<ExtranetEndpoint>e</ExtranetEndpoint><IntranetEndpoint>i</IntranetEndpoint><CreationDate>2024-06-12T08:15:30.000Z</CreationDate>" +
				"<ResourceGroupId>rg-a</ResourceGroupId></Bucket></Buckets></ListAllMyBucketsResult>",
			want: &oss.ListBucketsResult{
				Owner: oss.Owner{ID: "1", DisplayName: "me"}, IsTruncated: true, NextMarker: "b",
				Buckets: []oss.BucketSummary{{
					Name: "b", Location: "oss-cn-hangzhou", Region: "cn-hangzhou", StorageClass: "IA",
					ExtranetEndpoint: "e", IntranetEndpoint: "i", ResourceGroupID: "rg-a", CreationDate: created,
				}},
			},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListBucketsResult, error) {
				return c.ListBuckets(ctx, &oss.ListBucketsOptions{
					Prefix: "p", Marker: "m", MaxKeys: 7, TagKey: "k", TagValue: "v", ResourceGroupID: "rg-a", Query: url.Values{"x-oss-new": {""}},
				})
			}),
		},
		{
			name: "GetBucketInfo", line: "GET /?bucketInfo",
			answer: "<BucketInfo><Bucket><Name>b</Name><CreationDate>2024-06-12T08:15:30.000Z</CreationDate><Location>oss-cn-hangzhou</Location>" +
				"<ExtranetEndpoint>e</ExtranetEndpoint><IntranetEndpoint>i</IntranetEndpoint><StorageClass>Standard</StorageClass><DataRedundancyType>LRS</DataRedundancyType>" +
				"<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner><AccessControlList><Grant>private</Grant></AccessControlList>" +
				"<ServerSideEncryptionRule><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID><KMSDataEncryption>SM4</KMSDataEncryption></ServerSideEncryptionRule>" +
				"<Versioning>Enabled</Versioning><Comment>c</Comment><AccessMonitor>Disabled</AccessMonitor><TransferAcceleration>Enabled</TransferAcceleration>" +
				"<CrossRegionReplication>Disabled</CrossRegionReplication><ResourceGroupId>rg-a</ResourceGroupId><BlockPublicAccess>true</BlockPublicAccess></Bucket></BucketInfo>",
			want: &oss.BucketInfo{
				Name: "b", CreationDate: created, Location: "oss-cn-hangzhou", ExtranetEndpoint: "e", IntranetEndpoint: "i", StorageClass: "Standard",
				DataRedundancyType: "LRS", Owner: oss.Owner{ID: "1", DisplayName: "me"}, ACL: "private",
				SSEAlgorithm: "KMS", KMSMasterKeyID: "key", KMSDataEncryption: "SM4", Versioning: "Enabled", Comment: "c", AccessMonitor: "Disabled",
				TransferAcceleration: "Enabled", CrossRegionReplication: "Disabled", ResourceGroupID: "rg-a", BlockPublicAccess: true,
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.BucketInfo, error) { return b.GetBucketInfo(ctx) }),
		},
		{
			name: "GetBucketStat", line: "GET /?stat",
			answer: "<BucketStat><Storage>1</Storage><ObjectCount>2</ObjectCount><MultipartUploadCount>3</MultipartUploadCount><LiveChannelCount>4</LiveChannelCount>" +
				"<LastModifiedTime>1718180130</LastModifiedTime><StandardStorage>5</StandardStorage><StandardObjectCount>6</StandardObjectCount>" +
				"<InfrequentAccessStorage>7</InfrequentAccessStorage><InfrequentAccessRealStorage>8</InfrequentAccessRealStorage><InfrequentAccessObjectCount>9</InfrequentAccessObjectCount>" +
				"<ArchiveStorage>10</ArchiveStorage><ArchiveRealStorage>11</ArchiveRealStorage><ArchiveObjectCount>12</ArchiveObjectCount>" +
				"<ColdArchiveStorage>13</ColdArchiveStorage><ColdArchiveRealStorage>14</ColdArchiveRealStorage><ColdArchiveObjectCount>15</ColdArchiveObjectCount>" +
				"<DeepColdArchiveStorage>16</DeepColdArchiveStorage><DeepColdArchiveRealStorage>17</DeepColdArchiveRealStorage><DeepColdArchiveObjectCount>18</DeepColdArchiveObjectCount>" +
				"<MultipartPartCount>19</MultipartPartCount><DeleteMarkerCount>20</DeleteMarkerCount></BucketStat>",
			want: &oss.BucketStat{
				Storage: 1, ObjectCount: 2, MultipartUploadCount: 3, LiveChannelCount: 4, LastModified: oss.Time{Time: created}, StandardStorage: 5, StandardObjectCount: 6,
				InfrequentAccessStorage: 7, InfrequentAccessRealStorage: 8, InfrequentAccessCount: 9, ArchiveStorage: 10, ArchiveRealStorage: 11, ArchiveObjectCount: 12,
				ColdArchiveStorage: 13, ColdArchiveRealStorage: 14, ColdArchiveObjectCount: 15, DeepColdArchiveStorage: 16, DeepColdArchiveRealStorage: 17,
				DeepColdArchiveObjectCount: 18, MultipartPartCount: 19, DeleteMarkerCount: 20,
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.BucketStat, error) { return b.GetBucketStat(ctx) }),
		},
		{
			name: "GetBucketLocation", line: "GET /?location", answer: "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>",
			want: &oss.GetBucketLocationResult{Location: "oss-cn-hangzhou"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketLocationResult, error) {
				return b.GetBucketLocation(ctx)
			}),
		},
		{
			name: "PutBucketACL", line: "PUT /?acl", header: []string{"X-Oss-Acl: public-read"},
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketACL(ctx, "public-read")
			}),
		},
		{
			name: "GetBucketACL", line: "GET /?acl",
			answer: "<AccessControlPolicy><Owner><ID>1</ID><DisplayName>me</DisplayName></Owner><AccessControlList><Grant>private</Grant></AccessControlList></AccessControlPolicy>",
			want:   &oss.GetBucketACLResult{Owner: oss.Owner{ID: "1", DisplayName: "me"}, ACL: "private"},
			call:   of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketACLResult, error) { return b.GetBucketACL(ctx) }),
		},
		{
			name: "PutBucketVersioning", line: "PUT /?versioning", body: "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketVersioning(ctx, "Suspended")
			}),
		},
		{
			name: "GetBucketVersioning", line: "GET /?versioning", answer: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
			want: &oss.GetBucketVersioningResult{Versioning: "Enabled"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketVersioningResult, error) {
				return b.GetBucketVersioning(ctx)
			}),
		},
		{
			name: "GetBucketVersioning where it was never set", line: "GET /?versioning", answer: "<VersioningConfiguration/>",
			want: &oss.GetBucketVersioningResult{},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketVersioningResult, error) {
				return b.GetBucketVersioning(ctx)
			}),
		},
	})
}
