package interop_test

import (
	"context"
	"strings"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// family is one kind of bucket configuration: set it, read what is asked for
// back as text, remove it, and the code once it is gone.
type family struct {
	name   string
	put    func(ctx context.Context, c *sdk2.Client) error
	get    func(ctx context.Context, c *sdk2.Client) (string, error)
	want   string
	remove func(ctx context.Context, c *sdk2.Client) error // nil: it cannot be
	gone   string
}

func TestV2Configuration(t *testing.T) {
	for _, f := range append(removable(), lasting()...) {
		t.Run(f.name, func(t *testing.T) {
			c := newRig(t).v2(sdk2.SignatureVersionV4, "virtual")
			check(t, f.put(t.Context(), c))
			equal(t, f.name, must(f.get(t.Context(), c))(t), f.want)
			if f.remove == nil {
				return
			}
			check(t, f.remove(t.Context(), c))
			_, err := f.get(t.Context(), c)
			equal(t, "code", codeV2(err), f.gone)
		})
	}
}

// fails drops a call's result.
func fails[T any](_ T, err error) error { return err }

// text reads one value of a call's result.
func text[T any](res *T, err error) func(read func(*T) string) (string, error) {
	return func(read func(*T) string) (string, error) {
		if err != nil {
			return "", err
		}
		return read(res), nil
	}
}

// removable are the families that a call of their own removes.
func removable() []family {
	b := sdk2.Ptr(bucket)
	const policy = `{"Version":"1","Statement":[{"Effect":"Deny","Action":["oss:PutObject"],"Principal":["*"],"Resource":["acs:oss:*:*:` + bucket + `/*"]}]}`
	return []family{
		{
			name: "cors",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketCors(ctx, &sdk2.PutBucketCorsRequest{Bucket: b, CORSConfiguration: &sdk2.CORSConfiguration{
					CORSRules: []sdk2.CORSRule{{AllowedOrigins: []string{"https://a.test"}, AllowedMethods: []string{"GET"}}},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketCors(ctx, &sdk2.GetBucketCorsRequest{Bucket: b}))(func(r *sdk2.GetBucketCorsResult) string {
					return r.CORSConfiguration.CORSRules[0].AllowedOrigins[0]
				})
			},
			want: "https://a.test",
			remove: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.DeleteBucketCors(ctx, &sdk2.DeleteBucketCorsRequest{Bucket: b}))
			},
			gone: "NoSuchCORSConfiguration",
		},
		{
			name: "lifecycle",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketLifecycle(ctx, &sdk2.PutBucketLifecycleRequest{Bucket: b, LifecycleConfiguration: &sdk2.LifecycleConfiguration{
					Rules: []sdk2.LifecycleRule{{
						ID: sdk2.Ptr("old"), Prefix: sdk2.Ptr("logs/"), Status: sdk2.Ptr("Enabled"),
						Expiration: &sdk2.LifecycleRuleExpiration{Days: sdk2.Ptr(int32(7))},
					}},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketLifecycle(ctx, &sdk2.GetBucketLifecycleRequest{Bucket: b}))(func(r *sdk2.GetBucketLifecycleResult) string {
					return *r.LifecycleConfiguration.Rules[0].ID + *r.LifecycleConfiguration.Rules[0].Prefix
				})
			},
			want: "oldlogs/",
			remove: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.DeleteBucketLifecycle(ctx, &sdk2.DeleteBucketLifecycleRequest{Bucket: b}))
			},
			gone: "NoSuchLifecycle",
		},
		{
			name: "encryption",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketEncryption(ctx, &sdk2.PutBucketEncryptionRequest{Bucket: b, ServerSideEncryptionRule: &sdk2.ServerSideEncryptionRule{
					ApplyServerSideEncryptionByDefault: &sdk2.ApplyServerSideEncryptionByDefault{SSEAlgorithm: sdk2.Ptr("AES256")},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketEncryption(ctx, &sdk2.GetBucketEncryptionRequest{Bucket: b}))(func(r *sdk2.GetBucketEncryptionResult) string {
					return *r.ServerSideEncryptionRule.ApplyServerSideEncryptionByDefault.SSEAlgorithm
				})
			},
			want: "AES256",
			remove: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.DeleteBucketEncryption(ctx, &sdk2.DeleteBucketEncryptionRequest{Bucket: b}))
			},
			gone: "NoSuchServerSideEncryptionRule",
		},
		{
			name: "website",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketWebsite(ctx, &sdk2.PutBucketWebsiteRequest{Bucket: b, WebsiteConfiguration: &sdk2.WebsiteConfiguration{
					IndexDocument: &sdk2.IndexDocument{Suffix: sdk2.Ptr("index.html")},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketWebsite(ctx, &sdk2.GetBucketWebsiteRequest{Bucket: b}))(func(r *sdk2.GetBucketWebsiteResult) string {
					return *r.WebsiteConfiguration.IndexDocument.Suffix
				})
			},
			want: "index.html",
			remove: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.DeleteBucketWebsite(ctx, &sdk2.DeleteBucketWebsiteRequest{Bucket: b}))
			},
			gone: "NoSuchWebsiteConfiguration",
		},
		{
			name: "policy",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketPolicy(ctx, &sdk2.PutBucketPolicyRequest{Bucket: b, Body: strings.NewReader(policy)}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketPolicy(ctx, &sdk2.GetBucketPolicyRequest{Bucket: b}))(func(r *sdk2.GetBucketPolicyResult) string { return r.Body })
			},
			want: policy,
			remove: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.DeleteBucketPolicy(ctx, &sdk2.DeleteBucketPolicyRequest{Bucket: b}))
			},
			gone: "NoSuchBucketPolicy",
		},
	}
}

// lasting are the others.
func lasting() []family {
	b := sdk2.Ptr(bucket)
	return []family{
		{
			name: "tags",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketTags(ctx, &sdk2.PutBucketTagsRequest{Bucket: b, Tagging: &sdk2.Tagging{TagSet: &sdk2.TagSet{
					Tags: []sdk2.Tag{{Key: sdk2.Ptr("team"), Value: sdk2.Ptr("data")}},
				}}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketTags(ctx, &sdk2.GetBucketTagsRequest{Bucket: b}))(func(r *sdk2.GetBucketTagsResult) string {
					return *r.Tagging.TagSet.Tags[0].Value
				})
			},
			want: "data",
		},
		{
			name: "logging",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketLogging(ctx, &sdk2.PutBucketLoggingRequest{Bucket: b, BucketLoggingStatus: &sdk2.BucketLoggingStatus{
					LoggingEnabled: &sdk2.LoggingEnabled{TargetBucket: b, TargetPrefix: sdk2.Ptr("log/")},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketLogging(ctx, &sdk2.GetBucketLoggingRequest{Bucket: b}))(func(r *sdk2.GetBucketLoggingResult) string {
					return *r.BucketLoggingStatus.LoggingEnabled.TargetPrefix
				})
			},
			want: "log/",
		},
		{
			name: "referer",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketReferer(ctx, &sdk2.PutBucketRefererRequest{Bucket: b, RefererConfiguration: &sdk2.RefererConfiguration{
					AllowEmptyReferer: sdk2.Ptr(true), RefererList: &sdk2.RefererList{Referers: []string{"https://a.test"}},
				}}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketReferer(ctx, &sdk2.GetBucketRefererRequest{Bucket: b}))(func(r *sdk2.GetBucketRefererResult) string {
					return r.RefererConfiguration.RefererList.Referers[0]
				})
			},
			want: "https://a.test",
		},
		{
			name: "requestPayment",
			put: func(ctx context.Context, c *sdk2.Client) error {
				return fails(c.PutBucketRequestPayment(ctx, &sdk2.PutBucketRequestPaymentRequest{
					Bucket: b, PaymentConfiguration: &sdk2.RequestPaymentConfiguration{Payer: sdk2.Requester},
				}))
			},
			get: func(ctx context.Context, c *sdk2.Client) (string, error) {
				return text(c.GetBucketRequestPayment(ctx, &sdk2.GetBucketRequestPaymentRequest{Bucket: b}))(func(r *sdk2.GetBucketRequestPaymentResult) string {
					return *r.Payer
				})
			},
			want: "Requester",
		},
	}
}
