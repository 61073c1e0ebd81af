// Package oss is a client of Alibaba Cloud Object Storage Service (OSS): the
// counterpart of Python's oss2. A [Client] talks to one endpoint, a [Bucket]
// names one bucket of it. Methods have the names of oss2's in Go's spelling:
// put_object_from_file is [Bucket.PutObjectFromFile], put_bucket_cors is
// [Bucket.PutBucketCORS]; testdata/oss2-coverage.tsv has them all.
//
// # A first program
//
//	client, err := oss.New("https://oss-cn-hangzhou.aliyuncs.com", oss.DefaultCredentials(), nil)
//	if err != nil {
//		return err
//	}
//	defer client.CloseIdleConnections()
//	bucket := client.Bucket("my-bucket")
//	if _, err := bucket.PutObject(ctx, "dir/hello.txt", strings.NewReader("hello"), nil); err != nil {
//		return err
//	}
//	object, err := bucket.GetObject(ctx, "dir/hello.txt", nil)
//	if err != nil {
//		return err
//	}
//	defer object.Body.Close()
//	_, err = io.Copy(os.Stdout, object.Body)
//
// What a call needs are arguments; all else is in a struct of options, and nil
// takes the defaults. Every result carries [Response]: status, headers and the
// request id to ask the service about.
//
// # Bytes
//
// A body is any [io.Reader]. One with a Len or Seek method, such as a file,
// goes out with its length, any other in chunks. It is read, hashed and sent in
// one pass, and the hash compared with the CRC-64 of the answer: a difference is
// an [IntegrityError]. The body of an answer is hashed as it is read; one that is
// short or wrong ends with an error in place of [io.EOF]. A range ([RangeBetween],
// [RangeFrom], [RangeLast]) that was not answered exactly as asked is an error
// before its first byte. Options.OnProgress of a call is told of each step.
//
// # Errors and retries
//
// An error is a [UsageError] (nothing was sent), a [ServerError] (the service
// said no), a [TransportError] (no answer came), an [AnswerError] (what came is
// no answer of OSS), an [IntegrityError] or a [CredentialsError]; all but the
// first and last name operation, bucket, key and request id. errors.Is compares a
// ServerError with values such as [ErrNoSuchKey] and [ErrAccessDenied].
//
// Every method but the iterators is exactly one request: nothing here retries or
// sleeps. [Classify] says what may be done about an error, and [RetryAfter] how
// long to wait:
//
//	for attempt := 1; ; attempt++ {
//		err := upload()
//		class := oss.Classify(err)
//		if err == nil || attempt == 10 || class != oss.ClassRetryable && class != oss.ClassThrottled {
//			return err
//		}
//		time.Sleep(max(oss.RetryAfter(err), time.Duration(attempt)*time.Second))
//	}
//
// A clock that is wrong needs no more than that: the client learns the server's
// time from the refusal. Package transfer does all this, for files and trees.
//
// # Credentials
//
// A [CredentialsProvider] is asked for every request: [StaticCredentials],
// [EnvironmentCredentials], [ConfigFileCredentials] (ossutil's file),
// [ECSRoleCredentials], [AssumeRoleCredentials], [OIDCCredentials],
// [ProcessCredentials], [AnonymousCredentials]; [ChainedCredentials] takes the
// first that has any, and [DefaultCredentials] is the usual chain. Temporary ones
// are renewed ahead of their end ([RefreshingCredentials]). Requests are signed
// by version 4 where the region is known, else by version 1 (Options.Signature).
// [Bucket.SignURL] and [Bucket.SignPostPolicy] sign for somebody else.
//
// # Listings
//
// Each listing has a call for one page and an iterator over all:
//
//	for object, err := range bucket.Objects(ctx, &oss.ListObjectsV2Options{Prefix: "dir/"}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(object.Key, object.Size)
//	}
//
// An iterator that meets a page without progress ends with an error.
//
// # Configuration
//
// Calls such as [Bucket.PutBucketLifecycle] take a [Document]: the typed value,
// or ready XML as [RawXML].
//
// # Encryption
//
// Server-side encryption is in [ObjectHeaders]. Package oss/crypto encrypts on
// this side, interchangeably with the vendor's SDKs.
//
// A Client and its Buckets are safe for concurrent use. Facts about the
// protocol are from the vendor's "API Reference" of OSS and its public SDKs.
package oss
