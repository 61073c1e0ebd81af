package oss_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/osssync/osssync/oss"
)

// Uploads that nobody completed cost money: let the service remove them.
func ExampleBucket_PutBucketLifecycle() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	rules := &oss.BucketLifecycle{Rules: []oss.LifecycleRule{{
		ID: "dead uploads", Status: "Enabled",
		AbortMultipartUpload: &oss.LifecycleAbort{Days: 7},
	}}}
	if _, err := bucket.PutBucketLifecycle(ctx, rules, nil); err != nil {
		log.Fatal(err)
	}
	got, err := bucket.GetBucketLifecycle(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, rule := range got.Rules {
		fmt.Println(rule.ID, rule.AbortMultipartUpload.Days)
	}
	// Output: dead uploads 7
}

func ExampleBucket_PutBucketCORS() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	cors := &oss.BucketCORS{Rules: []oss.CORSRule{{
		AllowedOrigins: []string{"https://www.example.com"},
		AllowedMethods: []string{"GET", "HEAD"},
		MaxAgeSeconds:  600,
	}}}
	if _, err := bucket.PutBucketCORS(ctx, cors, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := bucket.DeleteBucketCORS(ctx); err != nil {
		log.Fatal(err)
	}
	_, err := bucket.GetBucketCORS(ctx)
	fmt.Println(errors.Is(err, oss.ErrNoSuchCORS))
	// Output: true
}

// Ready XML goes out as it is, where a file has it or the typed values lack
// something.
func ExampleRawXML() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	text := `<BucketLoggingStatus><LoggingEnabled>
		<TargetBucket>examplebucket</TargetBucket><TargetPrefix>logs/</TargetPrefix>
	</LoggingEnabled></BucketLoggingStatus>`
	if _, err := bucket.PutBucketLogging(ctx, oss.RawXML(text), nil); err != nil {
		log.Fatal(err)
	}
	got, err := bucket.GetBucketLogging(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.TargetBucket, got.TargetPrefix)

	_, err = bucket.PutBucketCORS(ctx, oss.RawXML(text), nil)
	fmt.Println(err)
	// Output:
	// examplebucket logs/
	// oss: PutBucketCORS: document: want XML of CORSConfiguration, not of "BucketLoggingStatus"
}

func ExampleBucket_PutBucketPolicy() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	policy := `{"Version": "1", "Statement": [{
		"Effect": "Allow", "Action": ["oss:GetObject"], "Principal": ["*"],
		"Resource": ["acs:oss:*:*:examplebucket/public/*"]}]}`
	if _, err := bucket.PutBucketPolicy(ctx, policy); err != nil {
		log.Fatal(err)
	}
	got, err := bucket.GetBucketPolicy(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(got.Policy, "oss:GetObject"))
	// Output: true
}

func ExampleBucket_PutBucketVersioning() {
	bucket, closeAll := open()
	defer closeAll()
	ctx := context.Background()

	if _, err := bucket.PutBucketVersioning(ctx, "Enabled"); err != nil {
		log.Fatal(err)
	}
	got, err := bucket.GetBucketVersioning(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Versioning)
	// Output: Enabled
}
