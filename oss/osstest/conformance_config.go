package osstest

import (
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

// family is a bucket configuration that is put, read and deleted as a whole.
type family struct {
	name   string
	put    func(context.Context) (*oss.Response, error)
	get    func(context.Context) (any, error)
	want   any
	remove func(context.Context) (*oss.Response, error)
	none   error // what get gives without it; nil: an empty value
}

// value gives what a get call answers, without the Response.
func value[R, V any](f func(context.Context) (*R, error), of func(*R) V) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		r, err := f(ctx)
		if err != nil {
			return nil, err
		}
		return of(r), nil
	}
}

// testConfig puts each configuration, reads it back and removes it. What the
// server says that it has not is left at that.
func testConfig(t *testing.T, b *oss.Bucket) {
	for _, f := range families(b) {
		t.Run(f.name, func(t *testing.T) {
			ctx := t.Context()
			if _, err := f.put(ctx); err != nil {
				if errors.Is(err, oss.ErrNotImplemented) {
					return
				}
				t.Fatal(err)
			}
			got, err := f.get(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, f.want) {
				t.Errorf("got %+v, want %+v", got, f.want)
			}
			if f.remove == nil {
				return
			}
			if _, err := f.remove(ctx); err != nil {
				t.Fatal(err)
			}
			got, err = f.get(ctx)
			if f.none != nil {
				wantError(t, err, f.none)
				return
			}
			if err != nil || reflect.DeepEqual(got, f.want) {
				t.Errorf("after its deletion: %+v, %v", got, err)
			}
		})
	}
}

func families(b *oss.Bucket) []family {
	lifecycle := oss.BucketLifecycle{Rules: []oss.LifecycleRule{
		{
			ID: "expire", Prefix: "logs/", Status: "Enabled", Tags: []oss.Tag{{Key: "k", Value: "v"}},
			Expiration:  &oss.LifecycleExpiration{Days: 30},
			Transitions: []oss.StorageTransition{{Days: 10, StorageClass: "IA"}},
		},
		{
			ID: "uploads", Prefix: "uploads/", Status: "Disabled",
			AbortMultipartUpload: &oss.LifecycleAbort{CreatedBeforeDate: oss.Time{Time: time.Date(2024, 6, 12, 0, 0, 0, 0, time.UTC)}},
		},
	}}
	cors := oss.BucketCORS{Rules: []oss.CORSRule{{
		AllowedOrigins: []string{"https://a.example"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"*"},
		ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: 60,
	}}, ResponseVary: new(true)}
	website := oss.BucketWebsite{IndexFile: "index.html", ErrorFile: "error.html", Rules: []oss.RoutingRule{{
		Number:    1,
		Condition: oss.RoutingCondition{KeyPrefixEquals: "old/", HTTPErrorCodeReturnedEquals: 404},
		Redirect:  &oss.RoutingRedirect{RedirectType: "External", Protocol: "https", HostName: "a.example", HTTPRedirectCode: 302},
	}}}
	encryption := oss.ServerSideEncryptionRule{SSEAlgorithm: "AES256"}
	logging := oss.BucketLogging{TargetBucket: b.Name(), TargetPrefix: "access/"}
	https := oss.HTTPSConfiguration{TLSEnabled: true, TLSVersions: []string{"TLSv1.2", "TLSv1.3"}}
	callbacks := oss.CallbackPolicies{Policies: []oss.CallbackPolicy{{
		PolicyName: "done", Callback: base64.StdEncoding.EncodeToString([]byte(`{"callbackUrl":"https://a.example","callbackBody":"key=${object}"}`)),
	}}}
	tagging := oss.BucketTagging{Tags: []oss.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "two words"}}}
	return []family{
		{
			"lifecycle", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketLifecycle(ctx, &lifecycle, nil) },
			value(b.GetBucketLifecycle, func(r *oss.GetBucketLifecycleResult) oss.BucketLifecycle { return r.BucketLifecycle }),
			lifecycle, b.DeleteBucketLifecycle, oss.ErrNoSuchLifecycle,
		},
		{
			"CORS", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketCORS(ctx, &cors, nil) },
			value(b.GetBucketCORS, func(r *oss.GetBucketCORSResult) oss.BucketCORS { return r.BucketCORS }),
			cors, b.DeleteBucketCORS, oss.ErrNoSuchCORS,
		},
		{
			"website", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketWebsite(ctx, &website, nil) },
			value(b.GetBucketWebsite, func(r *oss.GetBucketWebsiteResult) oss.BucketWebsite { return r.BucketWebsite }),
			website, b.DeleteBucketWebsite, oss.ErrNoSuchWebsite,
		},
		{
			"encryption", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketEncryption(ctx, &encryption, nil) },
			value(b.GetBucketEncryption, func(r *oss.GetBucketEncryptionResult) oss.ServerSideEncryptionRule { return r.ServerSideEncryptionRule }),
			encryption, b.DeleteBucketEncryption, oss.ErrNoSuchServerSideEncryptionRule,
		},
		{
			"logging", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketLogging(ctx, &logging, nil) },
			value(b.GetBucketLogging, func(r *oss.GetBucketLoggingResult) oss.BucketLogging { return r.BucketLogging }),
			logging, b.DeleteBucketLogging, nil,
		},
		{
			"tagging", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketTagging(ctx, &tagging, nil) },
			value(b.GetBucketTagging, func(r *oss.GetBucketTaggingResult) []oss.Tag { return r.Tags }),
			tagging.Tags, func(ctx context.Context) (*oss.Response, error) { return b.DeleteBucketTagging(ctx) }, nil,
		},
		{
			"requestPayment", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketRequestPayment(ctx, "Requester") },
			value(b.GetBucketRequestPayment, func(r *oss.GetBucketRequestPaymentResult) string { return r.Payer }),
			"Requester", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketRequestPayment(ctx, "BucketOwner") }, nil,
		},
		{
			"transferAcceleration", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketTransferAcceleration(ctx, true) },
			value(b.GetBucketTransferAcceleration, func(r *oss.GetBucketTransferAccelerationResult) bool { return r.Enabled }),
			true, nil, nil,
		},
		{
			"accessmonitor", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketAccessMonitor(ctx, "Enabled") },
			value(b.GetBucketAccessMonitor, func(r *oss.GetBucketAccessMonitorResult) string { return r.AccessMonitor }),
			"Enabled", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketAccessMonitor(ctx, "Disabled") }, nil,
		},
		{
			"archiveDirectRead", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketArchiveDirectRead(ctx, true) },
			value(b.GetBucketArchiveDirectRead, func(r *oss.GetBucketArchiveDirectReadResult) bool { return r.Enabled }),
			true, func(ctx context.Context) (*oss.Response, error) { return b.PutBucketArchiveDirectRead(ctx, false) }, nil,
		},
		{
			"publicAccessBlock", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketPublicAccessBlock(ctx, true) },
			value(b.GetBucketPublicAccessBlock, func(r *oss.GetPublicAccessBlockResult) bool { return r.BlockPublicAccess }),
			true, b.DeleteBucketPublicAccessBlock, nil,
		},
		{
			"httpsConfig", func(ctx context.Context) (*oss.Response, error) { return b.PutBucketHTTPSConfig(ctx, &https, nil) },
			value(b.GetBucketHTTPSConfig, func(r *oss.GetBucketHTTPSConfigResult) oss.HTTPSConfiguration { return r.HTTPSConfiguration }),
			https, func(ctx context.Context) (*oss.Response, error) {
				return b.PutBucketHTTPSConfig(ctx, &oss.HTTPSConfiguration{}, nil)
			}, nil,
		},
		{
			"callbackPolicy", func(ctx context.Context) (*oss.Response, error) {
				return b.PutBucketCallbackPolicy(ctx, &callbacks, nil)
			},
			value(b.GetBucketCallbackPolicy, func(r *oss.GetBucketCallbackPolicyResult) oss.CallbackPolicies { return r.CallbackPolicies }),
			callbacks, b.DeleteBucketCallbackPolicy, oss.ErrNotFound,
		},
	}
}
