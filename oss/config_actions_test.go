package oss_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

func TestConfigOfNames(t *testing.T) {
	token := "<CnameToken><Bucket>examplebucket</Bucket><Cname>a.example</Cname><Token>t</Token><ExpireTime>Wed, 12 Jun 2024 08:15:30 GMT</ExpireTime></CnameToken>"
	wantToken := &oss.CNAMEToken{Bucket: "examplebucket", CNAME: "a.example", Token: "t", ExpireTime: at("2024-06-12T08:15:30Z")}
	domain := "<BucketCnameConfiguration><Cname><Domain>a.example</Domain></Cname></BucketCnameConfiguration>"
	runConfigCalls(t, []configCall{
		{
			name: "CreateBucketCNAMEToken", line: "POST /?cname&comp=token", body: domain, answer: token, want: wantToken,
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.CNAMEToken, error) {
				return b.CreateBucketCNAMEToken(ctx, "a.example")
			}),
		},
		{
			name: "GetBucketCNAMEToken", line: "GET /?cname=a.example&comp=token", answer: token, want: wantToken,
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.CNAMEToken, error) {
				return b.GetBucketCNAMEToken(ctx, "a.example")
			}),
		},
		{
			name: "PutBucketCNAME", line: "POST /?cname&comp=add",
			body: "<BucketCnameConfiguration><Cname><Domain>a.example</Domain><CertificateConfiguration><CertId>1</CertId><Certificate>c</Certificate>" +
				"<PrivateKey>k</PrivateKey><PreviousCertId>0</PreviousCertId><Force>true</Force></CertificateConfiguration></Cname></BucketCnameConfiguration>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketCNAME(ctx, &oss.BucketCNAME{
					Domain:      "a.example",
					Certificate: &oss.CNAMECertificate{CertID: "1", Certificate: "c", PrivateKey: "k", PreviousCertID: "0", Force: true},
				}, nil)
			}),
		},
		{
			name: "DeleteBucketCNAME", line: "POST /?cname&comp=delete", body: domain,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketCNAME(ctx, "a.example")
			}),
		},
		{
			name: "ListBucketCNAME", line: "GET /?cname",
			answer: "<ListCnameResult><Bucket>examplebucket</Bucket><Owner>1</Owner><Cname><Domain>a.example</Domain><LastModified>2024-06-12T08:15:30.000Z</LastModified>" +
				"<Status>Enabled</Status><IsPurgeCdnCache>true</IsPurgeCdnCache><Certificate><Type>CAS</Type><CertId>1</CertId><Status>Enabled</Status>" +
				"<CreationDate>Wed, 12 Jun 2024 08:15:30 GMT</CreationDate><Fingerprint>DE:AD</Fingerprint></Certificate></Cname></ListCnameResult>",
			want: &oss.ListBucketCNAMEResult{Bucket: "examplebucket", Owner: "1", CNAMEs: []oss.CNAMEInfo{{
				Domain: "a.example", LastModified: at("2024-06-12T08:15:30Z"), Status: "Enabled", IsPurgeCDNCache: true,
				Certificate: &oss.CNAMECertificateInfo{Type: "CAS", CertID: "1", Status: "Enabled", CreationDate: at("2024-06-12T08:15:30Z"), Fingerprint: "DE:AD"},
			}}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListBucketCNAMEResult, error) {
				return b.ListBucketCNAME(ctx)
			}),
		},
		{
			name: "PutBucketStyle", line: "PUT /?style&styleName=s", body: "<Style><Content>image/resize,p_50</Content></Style>",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketStyle(ctx, "s", "image/resize,p_50")
			}),
		},
		{
			name: "GetBucketStyle", line: "GET /?style&styleName=s",
			answer: "<Style><Name>s</Name><Content>c</Content><CreateTime>Wed, 12 Jun 2024 08:15:30 GMT</CreateTime></Style>",
			want:   &oss.GetBucketStyleResult{Style: oss.Style{Name: "s", Content: "c", CreateTime: at("2024-06-12T08:15:30Z")}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketStyleResult, error) {
				return b.GetBucketStyle(ctx, "s")
			}),
		},
		{
			name: "DeleteBucketStyle", line: "DELETE /?style&styleName=s",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteBucketStyle(ctx, "s") }),
		},
		{
			name: "ListBucketStyle", line: "GET /?style", answer: "<StyleList><Style><Name>a</Name></Style><Style><Name>b</Name></Style></StyleList>",
			want: &oss.ListBucketStyleResult{Styles: []oss.Style{{Name: "a"}, {Name: "b"}}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListBucketStyleResult, error) {
				return b.ListBucketStyle(ctx)
			}),
		},
	})
}

func TestConfigOfTasks(t *testing.T) {
	query := &oss.MetaQuery{
		NextToken: "n", MaxResults: 5, Query: `{"Field":"Size"}`, Sort: "Size", Order: "asc",
		Aggregations: []oss.MetaQueryAggregation{{Field: "Size", Operation: "sum"}},
	}
	task := &oss.AsyncFetchTask{URL: "http://a.example/x?a&b", Object: "x", Host: "h", ContentMD5: "m", Callback: "c", CallbackWhenFailed: true, IgnoreSameKey: new(false)}
	taskXML := "<Url>http://a.example/x?a&amp;b</Url><Object>x</Object><Host>h</Host><ContentMD5>m</ContentMD5><Callback>c</Callback>" +
		"<CallbackWhenFailed>true</CallbackWhenFailed><IgnoreSameKey>false</IgnoreSameKey>"
	transition := "<BucketDataRedundancyTransition><Bucket>b</Bucket><TaskId>1</TaskId><Status>Processing</Status><CreateTime>2024-06-12T08:15:30.000Z</CreateTime>" +
		"<EstimatedRemainingTime>16</EstimatedRemainingTime><ProcessPercentage>50</ProcessPercentage></BucketDataRedundancyTransition>"
	wantTransition := oss.DataRedundancyTransition{
		Bucket: "b", TaskID: "1", TransitionStatus: "Processing", CreateTime: at("2024-06-12T08:15:30Z"), EstimatedRemainingTime: 16, ProcessPercentage: 50,
	}
	runConfigCalls(t, []configCall{
		{
			name: "OpenBucketMetaQuery", line: "POST /?comp=add&metaQuery",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.OpenBucketMetaQuery(ctx) }),
		},
		{
			name: "CloseBucketMetaQuery", line: "POST /?comp=delete&metaQuery",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.CloseBucketMetaQuery(ctx) }),
		},
		{
			name: "GetBucketMetaQueryStatus", line: "GET /?metaQuery",
			answer: "<MetaQuery><State>Running</State><Phase>FullScanning</Phase><CreateTime>2021-08-02T10:49:17.289372919+08:00</CreateTime></MetaQuery>",
			want: &oss.GetBucketMetaQueryStatusResult{
				State: "Running", Phase: "FullScanning", CreateTime: at("2021-08-02T02:49:17.289372919Z"),
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetBucketMetaQueryStatusResult, error) {
				return b.GetBucketMetaQueryStatus(ctx)
			}),
		},
		{
			name: "DoBucketMetaQuery", line: "POST /?comp=query&metaQuery",
			body: "<MetaQuery><NextToken>n</NextToken><MaxResults>5</MaxResults><Query>{&#34;Field&#34;:&#34;Size&#34;}</Query><Sort>Size</Sort><Order>asc</Order>" +
				"<Aggregations><Aggregation><Field>Size</Field><Operation>sum</Operation></Aggregation></Aggregations></MetaQuery>",
			answer: `<MetaQuery><NextToken>m</NextToken><Files><File><Filename>k</Filename><Size>3</Size><FileModifiedTime>2021-06-29T15:04:05.000000000+08:00</FileModifiedTime>` +
				`<OSSObjectType>Normal</OSSObjectType><OSSStorageClass>Standard</OSSStorageClass><ObjectACL>default</ObjectACL><ETag>"E"</ETag><OSSCRC64>9</OSSCRC64>` +
				`<OSSTaggingCount>1</OSSTaggingCount><OSSTagging><Tagging><Key>a</Key><Value>b</Value></Tagging></OSSTagging>` +
				`<OSSUserMeta><UserMeta><Key>x-oss-meta-u</Key><Value>v</Value></UserMeta></OSSUserMeta></File></Files>` +
				`<Aggregations><Aggregation><Field>Size</Field><Operation>sum</Operation><Value>3.5</Value><Groups><Group><Value>g</Value><Count>2</Count></Group></Groups></Aggregation></Aggregations></MetaQuery>`,
			want: &oss.DoBucketMetaQueryResult{
				NextToken: "m",
				Files: []oss.MetaQueryFile{{
					Filename: "k", Size: 3, FileModifiedTime: at("2021-06-29T07:04:05Z"), ObjectType: "Normal", StorageClass: "Standard", ObjectACL: "default",
					ETag: `"E"`, CRC64: "9", TaggingCount: 1, Tagging: []oss.Tag{{Key: "a", Value: "b"}}, UserMeta: []oss.Tag{{Key: "x-oss-meta-u", Value: "v"}},
				}},
				Aggregations: []oss.MetaQueryAggregationResult{{Field: "Size", Operation: "sum", Value: 3.5, Groups: []oss.MetaQueryGroup{{Value: "g", Count: 2}}}},
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.DoBucketMetaQueryResult, error) {
				return b.DoBucketMetaQuery(ctx, query, nil)
			}),
		},
		{
			name: "PutAsyncFetchTask", line: "POST /?asyncFetch", body: "<AsyncFetchTaskConfiguration>" + taskXML + "</AsyncFetchTaskConfiguration>",
			answer: "<AsyncFetchTaskResult><TaskId>1</TaskId></AsyncFetchTaskResult>", want: &oss.PutAsyncFetchTaskResult{TaskID: "1"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.PutAsyncFetchTaskResult, error) {
				return b.PutAsyncFetchTask(ctx, task, nil)
			}),
		},
		{
			name: "GetAsyncFetchTask", line: "GET /?asyncFetch", header: []string{"X-Oss-Task-Id: 1"},
			answer: "<AsyncFetchTaskInfo><TaskId>1</TaskId><State>Failed</State><ErrorMsg>e</ErrorMsg><TaskInfo>" + taskXML + "</TaskInfo></AsyncFetchTaskInfo>",
			want:   &oss.GetAsyncFetchTaskResult{TaskID: "1", State: "Failed", ErrorMessage: "e", Task: *task},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetAsyncFetchTaskResult, error) {
				return b.GetAsyncFetchTask(ctx, "1")
			}),
		},
		{
			name: "CreateBucketDataRedundancyTransition", line: "POST /?redundancyTransition&x-oss-target-redundancy-type=ZRS",
			answer: "<BucketDataRedundancyTransition><TaskId>1</TaskId></BucketDataRedundancyTransition>",
			want:   &oss.DataRedundancyTransitionResult{DataRedundancyTransition: oss.DataRedundancyTransition{TaskID: "1"}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.DataRedundancyTransitionResult, error) {
				return b.CreateBucketDataRedundancyTransition(ctx, "ZRS")
			}),
		},
		{
			name: "GetBucketDataRedundancyTransition", line: "GET /?redundancyTransition&x-oss-redundancy-transition-taskid=1", answer: transition,
			want: &oss.DataRedundancyTransitionResult{DataRedundancyTransition: wantTransition},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.DataRedundancyTransitionResult, error) {
				return b.GetBucketDataRedundancyTransition(ctx, "1")
			}),
		},
		{
			name: "DeleteBucketDataRedundancyTransition", line: "DELETE /?redundancyTransition&x-oss-redundancy-transition-taskid=1",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketDataRedundancyTransition(ctx, "1")
			}),
		},
		{
			name: "ListBucketDataRedundancyTransition", line: "GET /?redundancyTransition",
			answer: "<ListBucketDataRedundancyTransition>" + transition + transition + "</ListBucketDataRedundancyTransition>",
			want:   &oss.ListDataRedundancyTransitionResult{Transitions: []oss.DataRedundancyTransition{wantTransition, wantTransition}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListDataRedundancyTransitionResult, error) {
				return b.ListBucketDataRedundancyTransition(ctx)
			}),
		},
		{
			name: "ListUserDataRedundancyTransition", line: "GET /?continuation-token=a&max-keys=7&redundancyTransition",
			answer: "<ListBucketDataRedundancyTransition>" + pageXML + transition + "</ListBucketDataRedundancyTransition>",
			want: &oss.ListDataRedundancyTransitionResult{
				Page: oss.Page{IsTruncated: true, NextContinuationToken: "b"}, Transitions: []oss.DataRedundancyTransition{wantTransition},
			},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListDataRedundancyTransitionResult, error) {
				return c.ListUserDataRedundancyTransition(ctx, &oss.PageOptions{ContinuationToken: "a", MaxKeys: 7})
			}),
		},
	})
}

func TestConfigOfAccessPoints(t *testing.T) {
	const policy = `{"Version":"1"}`
	byHeader := []string{"X-Oss-Access-Point-Name: ap"}
	block := "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>"
	point := "<AccessPointName>ap</AccessPointName><Bucket>b</Bucket><NetworkOrigin>vpc</NetworkOrigin><VpcConfiguration><VpcId>v</VpcId></VpcConfiguration><Alias>al</Alias><Status>enable</Status>"
	wantPoint := oss.AccessPoint{Name: "ap", Bucket: "b", NetworkOrigin: "vpc", VPCID: "v", Alias: "al", AccessPointStatus: "enable"}
	list := "<ListAccessPointsResult><AccountId>1</AccountId><MaxKeys>7</MaxKeys>" + pageXML + "<AccessPoints><AccessPoint>" + point + "</AccessPoint></AccessPoints></ListAccessPointsResult>"
	wantList := &oss.ListAccessPointsResult{Page: oss.Page{IsTruncated: true, NextContinuationToken: "b"}, AccountID: "1", AccessPoints: []oss.AccessPoint{wantPoint}}
	opts := &oss.PageOptions{ContinuationToken: "a", MaxKeys: 7}
	runConfigCalls(t, []configCall{
		{
			name: "CreateAccessPoint", line: "PUT /?accessPoint",
			body: "<CreateAccessPointConfiguration><AccessPointName>ap</AccessPointName><NetworkOrigin>vpc</NetworkOrigin>" +
				"<VpcConfiguration><VpcId>v</VpcId></VpcConfiguration></CreateAccessPointConfiguration>",
			answer: "<CreateAccessPointResult><AccessPointArn>arn</AccessPointArn><Alias>al</Alias></CreateAccessPointResult>",
			want:   &oss.CreateAccessPointResult{ARN: "arn", Alias: "al"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.CreateAccessPointResult, error) {
				return b.CreateAccessPoint(ctx, &oss.AccessPointConfiguration{Name: "ap", NetworkOrigin: "vpc", VPCID: "v"}, nil)
			}),
		},
		{
			name: "CreateAccessPoint on the internet", line: "PUT /?accessPoint",
			body:   "<CreateAccessPointConfiguration><AccessPointName>ap</AccessPointName><NetworkOrigin>internet</NetworkOrigin></CreateAccessPointConfiguration>",
			answer: "<CreateAccessPointResult/>", want: &oss.CreateAccessPointResult{},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.CreateAccessPointResult, error) {
				return b.CreateAccessPoint(ctx, &oss.AccessPointConfiguration{Name: "ap", NetworkOrigin: "internet"}, nil)
			}),
		},
		{
			name: "GetAccessPoint", line: "GET /?accessPoint", header: byHeader,
			answer: "<GetAccessPointResult>" + point + "<AccountId>1</AccountId><AccessPointArn>arn</AccessPointArn><CreationDate>1626769503</CreationDate>" +
				"<Endpoints><PublicEndpoint>p</PublicEndpoint><InternalEndpoint>i</InternalEndpoint></Endpoints>" + block + "</GetAccessPointResult>",
			want: &oss.GetAccessPointResult{
				AccessPoint: wantPoint, AccountID: "1", ARN: "arn", CreationDate: at("2021-07-20T08:25:03Z"),
				PublicEndpoint: "p", InternalEndpoint: "i", BlockPublicAccess: true,
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetAccessPointResult, error) {
				return b.GetAccessPoint(ctx, "ap")
			}),
		},
		{
			name: "DeleteAccessPoint", line: "DELETE /?accessPoint", header: byHeader,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteAccessPoint(ctx, "ap") }),
		},
		{
			name: "ListBucketAccessPoints", line: "GET /?accessPoint&continuation-token=a&max-keys=7", answer: list, want: wantList,
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListAccessPointsResult, error) {
				return b.ListBucketAccessPoints(ctx, opts)
			}),
		},
		{
			name: "ListAccessPoints", line: "GET /?accessPoint&continuation-token=a&max-keys=7", answer: list, want: wantList,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.ListAccessPointsResult, error) {
				return c.ListAccessPoints(ctx, opts)
			}),
		},
		{
			name: "PutAccessPointPolicy", line: "PUT /?accessPointPolicy", header: byHeader, body: policy,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutAccessPointPolicy(ctx, "ap", policy)
			}),
		},
		{
			name: "GetAccessPointPolicy", line: "GET /?accessPointPolicy", header: byHeader, answer: policy, want: &oss.GetAccessPointPolicyResult{Policy: policy},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetAccessPointPolicyResult, error) {
				return b.GetAccessPointPolicy(ctx, "ap")
			}),
		},
		{
			name: "DeleteAccessPointPolicy", line: "DELETE /?accessPointPolicy", header: byHeader,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteAccessPointPolicy(ctx, "ap")
			}),
		},
	})
}

func TestConfigOfPublicAccess(t *testing.T) {
	block, blocked := "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess></PublicAccessBlockConfiguration>", &oss.GetPublicAccessBlockResult{BlockPublicAccess: true}
	runConfigCalls(t, []configCall{
		{
			name: "PutPublicAccessBlock", line: "PUT /?publicAccessBlock", body: block,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.Response, error) {
				return c.PutPublicAccessBlock(ctx, true)
			}),
		},
		{
			name: "GetPublicAccessBlock", line: "GET /?publicAccessBlock", answer: block, want: blocked,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.GetPublicAccessBlockResult, error) {
				return c.GetPublicAccessBlock(ctx)
			}),
		},
		{
			name: "DeletePublicAccessBlock", line: "DELETE /?publicAccessBlock",
			call: account(func(ctx context.Context, c *oss.Client) (*oss.Response, error) { return c.DeletePublicAccessBlock(ctx) }),
		},
		{
			name: "PutBucketPublicAccessBlock", line: "PUT /?publicAccessBlock", body: block,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutBucketPublicAccessBlock(ctx, true)
			}),
		},
		{
			name: "GetBucketPublicAccessBlock", line: "GET /?publicAccessBlock", answer: block, want: blocked,
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetPublicAccessBlockResult, error) {
				return b.GetBucketPublicAccessBlock(ctx)
			}),
		},
		{
			name: "DeleteBucketPublicAccessBlock", line: "DELETE /?publicAccessBlock",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteBucketPublicAccessBlock(ctx)
			}),
		},
		{
			name: "PutAccessPointPublicAccessBlock", line: "PUT /?publicAccessBlock&x-oss-access-point-name=ap", body: block,
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutAccessPointPublicAccessBlock(ctx, "ap", true)
			}),
		},
		{
			name: "GetAccessPointPublicAccessBlock", line: "GET /?publicAccessBlock&x-oss-access-point-name=ap", answer: block, want: blocked,
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetPublicAccessBlockResult, error) {
				return b.GetAccessPointPublicAccessBlock(ctx, "ap")
			}),
		},
		{
			name: "DeleteAccessPointPublicAccessBlock", line: "DELETE /?publicAccessBlock&x-oss-access-point-name=ap",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.DeleteAccessPointPublicAccessBlock(ctx, "ap")
			}),
		},
	})
}

func TestConfigOfLiveChannels(t *testing.T) {
	xml := "<LiveChannelConfiguration><Description>d</Description><Status>enabled</Status><Target><Type>HLS</Type><FragDuration>2</FragDuration>" +
		"<FragCount>4</FragCount><PlaylistName>p.m3u8</PlaylistName></Target></LiveChannelConfiguration>"
	live := oss.LiveChannelConfiguration{
		Description: "d", ChannelStatus: "enabled", Target: oss.LiveChannelTarget{Type: "HLS", FragDuration: 2, FragCount: 4, PlaylistName: "p.m3u8"},
	}
	start, end := time.Unix(1718180130, 0), time.Unix(1718183730, 0)
	runConfigCalls(t, []configCall{
		{
			name: "CreateLiveChannel", line: "PUT /ch?live", body: xml,
			answer: "<CreateLiveChannelResult><PublishUrls><Url>rtmp://p</Url></PublishUrls><PlayUrls><Url>http://q</Url></PlayUrls></CreateLiveChannelResult>",
			want:   &oss.CreateLiveChannelResult{PublishURL: "rtmp://p", PlayURL: "http://q"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.CreateLiveChannelResult, error) {
				return b.CreateLiveChannel(ctx, "ch", &live, nil)
			}),
		},
		{
			name: "DeleteLiveChannel", line: "DELETE /ch?live",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) { return b.DeleteLiveChannel(ctx, "ch") }),
		},
		{
			name: "GetLiveChannel", line: "GET /ch?live", answer: xml, want: &oss.GetLiveChannelResult{LiveChannelConfiguration: live},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetLiveChannelResult, error) {
				return b.GetLiveChannel(ctx, "ch")
			}),
		},
		{
			name: "ListLiveChannel", line: "GET /?live&marker=a&max-keys=7&prefix=p",
			answer: "<ListLiveChannelResult><Prefix>p</Prefix><Marker>a</Marker><MaxKeys>7</MaxKeys><IsTruncated>true</IsTruncated><NextMarker>ch</NextMarker>" +
				"<LiveChannel><Name>ch</Name><Description>d</Description><Status>disabled</Status><LastModified>2024-06-12T08:15:30.000Z</LastModified>" +
				"<PublishUrls><Url>rtmp://p</Url></PublishUrls><PlayUrls><Url>http://q</Url></PlayUrls></LiveChannel></ListLiveChannelResult>",
			want: &oss.ListLiveChannelResult{IsTruncated: true, NextMarker: "ch", Channels: []oss.LiveChannel{{
				Name: "ch", Description: "d", ChannelStatus: "disabled", LastModified: at("2024-06-12T08:15:30Z"), PublishURL: "rtmp://p", PlayURL: "http://q",
			}}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.ListLiveChannelResult, error) {
				return b.ListLiveChannel(ctx, &oss.ListLiveChannelOptions{Prefix: "p", Marker: "a", MaxKeys: 7})
			}),
		},
		{
			name: "GetLiveChannelStat", line: "GET /ch?comp=stat&live",
			answer: "<LiveChannelStat><Status>Live</Status><ConnectedTime>2024-06-12T08:15:30.000Z</ConnectedTime><RemoteAddr>10.0.0.1:47745</RemoteAddr>" +
				"<Video><Width>1280</Width><Height>536</Height><FrameRate>24</FrameRate><Bandwidth>5</Bandwidth><Codec>H264</Codec></Video>" +
				"<Audio><Bandwidth>6</Bandwidth><SampleRate>44100</SampleRate><Codec>ADPCM</Codec></Audio></LiveChannelStat>",
			want: &oss.GetLiveChannelStatResult{
				ChannelStatus: "Live", RemoteAddr: "10.0.0.1:47745", ConnectedTime: at("2024-06-12T08:15:30Z"),
				Video: &oss.LiveChannelVideo{Width: 1280, Height: 536, FrameRate: 24, Bandwidth: 5, Codec: "H264"},
				Audio: &oss.LiveChannelAudio{SampleRate: 44100, Bandwidth: 6, Codec: "ADPCM"},
			},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetLiveChannelStatResult, error) {
				return b.GetLiveChannelStat(ctx, "ch")
			}),
		},
		{
			name: "PutLiveChannelStatus", line: "PUT /ch?live&status=disabled",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PutLiveChannelStatus(ctx, "ch", "disabled")
			}),
		},
		{
			name: "GetLiveChannelHistory", line: "GET /ch?comp=history&live",
			answer: "<LiveChannelHistory><LiveRecord><StartTime>2024-06-12T08:15:30.000Z</StartTime><EndTime>2024-06-12T09:15:30.000Z</EndTime><RemoteAddr>a:1</RemoteAddr></LiveRecord></LiveChannelHistory>",
			want: &oss.GetLiveChannelHistoryResult{Records: []oss.LiveRecord{{
				StartTime: at("2024-06-12T08:15:30Z"), EndTime: at("2024-06-12T09:15:30Z"), RemoteAddr: "a:1",
			}}},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetLiveChannelHistoryResult, error) {
				return b.GetLiveChannelHistory(ctx, "ch")
			}),
		},
		{
			name: "PostVODPlaylist", line: "POST /ch/p.m3u8?endTime=1718183730&startTime=1718180130&vod",
			call: on(func(ctx context.Context, b *oss.Bucket) (*oss.Response, error) {
				return b.PostVODPlaylist(ctx, "ch", "p.m3u8", start, end)
			}),
		},
		{
			name: "GetVODPlaylist", line: "GET /ch?endTime=1718183730&startTime=1718180130&vod", answer: "#EXTM3U\n", want: &oss.GetVODPlaylistResult{Playlist: "#EXTM3U\n"},
			call: of(func(ctx context.Context, b *oss.Bucket) (*oss.GetVODPlaylistResult, error) {
				return b.GetVODPlaylist(ctx, "ch", start, end)
			}),
		},
	})
}

func TestServiceCalls(t *testing.T) {
	list := "<RegionInfoList><RegionInfo><Region>oss-cn-hangzhou</Region><InternetEndpoint>a</InternetEndpoint><InternalEndpoint>b</InternalEndpoint><AccelerateEndpoint>c</AccelerateEndpoint></RegionInfo></RegionInfoList>"
	want := &oss.DescribeRegionsResult{Regions: []oss.RegionInfo{{Region: "oss-cn-hangzhou", InternetEndpoint: "a", InternalEndpoint: "b", AccelerateEndpoint: "c"}}}
	runConfigCalls(t, []configCall{
		{
			name: "DescribeRegions", line: "GET /?regions", answer: list, want: want,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.DescribeRegionsResult, error) {
				return c.DescribeRegions(ctx, "")
			}),
		},
		{
			name: "DescribeRegions of one", line: "GET /?regions=oss-cn-hangzhou", answer: list, want: want,
			call: account(func(ctx context.Context, c *oss.Client) (*oss.DescribeRegionsResult, error) {
				return c.DescribeRegions(ctx, "oss-cn-hangzhou")
			}),
		},
		{
			name: "WriteGetObjectResponse", line: "POST /?x-oss-write-get-object-response", body: "the content",
			header: []string{
				"X-Oss-Request-Route: route", "X-Oss-Request-Token: token", "X-Oss-Fwd-Status: 206",
				"X-Oss-Fwd-Header-Content-Type: text/plain", "X-Oss-Meta-A: b",
			},
			call: account(func(ctx context.Context, c *oss.Client) (*oss.Response, error) {
				return c.WriteGetObjectResponse(ctx, "route", "token", 206, strings.NewReader("the content"), &oss.WriteGetObjectResponseOptions{
					Forward: http.Header{"Content-Type": {"text/plain"}}, Header: http.Header{"x-oss-meta-a": {"b"}},
				})
			}),
		},
	})
}
