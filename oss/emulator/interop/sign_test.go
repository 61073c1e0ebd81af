package interop_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"
	sdk1 "github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/osssync/osssync/oss"
)

// recorder keeps the requests that pass.
type recorder struct {
	next http.RoundTripper

	mu   sync.Mutex
	seen []*http.Request
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.seen = append(r.seen, req.Clone(context.WithoutCancel(req.Context())))
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// tour has our client send a request of each kind.
func tour(t *testing.T, b *oss.Bucket) {
	t.Helper()
	ctx, body := t.Context(), noise(200_000)
	for _, key := range []string{oddKey, "plain"} {
		must(b.PutObject(ctx, key, bytes.NewReader(body), &oss.PutObjectOptions{
			ObjectHeaders: oss.ObjectHeaders{ContentType: "text/plain; charset=utf-8", Meta: map[string]string{"color": "a  b"}, StorageClass: "IA"},
		}))(t)
		must(b.HeadObject(ctx, key, nil))(t)
		res := must(b.GetObject(ctx, key, &oss.GetObjectOptions{Range: must(oss.ParseRange("5-10"))(t)}))(t)
		check(t, res.Body.Close())
		must(b.CopyObject(ctx, bucket, key, "copy of "+key, nil))(t)
		up := must(b.InitMultipartUpload(ctx, key, nil))(t)
		part := must(b.UploadPart(ctx, key, up.UploadID, 1, bytes.NewReader(body), nil))(t)
		must(b.ListParts(ctx, key, up.UploadID, nil))(t)
		must(b.ListMultipartUploads(ctx, nil))(t)
		must(b.CompleteMultipartUpload(ctx, key, up.UploadID, []oss.Part{part.Part}, nil))(t)
		must(b.PutObjectTagging(ctx, key, []oss.Tag{{Key: "a", Value: "b"}}, nil))(t)
		must(b.GetObjectTagging(ctx, key, nil))(t)
	}
	must(b.ListObjects(ctx, &oss.ListObjectsOptions{Prefix: "dir/a b+", Delimiter: "/"}))(t)
	must(b.BatchDeleteObjects(ctx, []string{oddKey, "plain"}, nil))(t)
	must(b.GetBucketInfo(ctx))(t)
	must(b.Client().ListBuckets(ctx, nil))(t)
}

// TestOurRequestsBySDK2: the vendor's signer signs each of our requests as we
// did.
func TestOurRequestsBySDK2(t *testing.T) {
	for name, judge := range map[string]struct {
		version oss.SignatureVersion
		signer  signer.Signer
	}{
		"V1": {oss.SignatureV1, &signer.SignerV1{}},
		"V4": {oss.SignatureV4, &signer.SignerV4{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			rec := &recorder{next: r.hc.Transport}
			tour(t, r.ours(t, judge.version, nil, rec))
			if len(rec.seen) < 20 {
				t.Fatalf("only %d requests", len(rec.seen))
			}
			for _, req := range rec.seen {
				ours := req.Header.Get("Authorization")
				sc := signingContext(t, req)
				check(t, judge.signer.Sign(t.Context(), sc))
				if theirs := req.Header.Get("Authorization"); theirs != ours {
					t.Errorf("%s %s\nours   %s\ntheirs %s\nof %q", req.Method, req.URL, ours, theirs, sc.StringToSign)
				}
			}
		})
	}
}

// signingContext describes a request of ours, in path style, to the vendor's
// signer, and takes its signature away.
func signingContext(t *testing.T, req *http.Request) *signer.SigningContext {
	t.Helper()
	b, key, _ := strings.Cut(strings.TrimPrefix(req.URL.EscapedPath(), "/"), "/")
	key = must(url.PathUnescape(key))(t)
	at, err := http.ParseTime(req.Header.Get("Date"))
	if d := req.Header.Get("x-oss-date"); strings.HasSuffix(d, "Z") {
		at, err = time.Parse("20060102T150405Z", d)
	}
	check(t, err)
	req.Header.Del("Authorization")
	sc := &signer.SigningContext{
		Product: sdk2.Ptr("oss"), Region: sdk2.Ptr(region), Request: req, Time: at,
		Credentials: &credentials.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret},
	}
	if b != "" {
		sc.Bucket = &b
	}
	if key != "" {
		sc.Key = &key
	}
	return sc
}

// TestOurRequestsBySDK1: for the same call at the same second SDK 1, the only
// one with signature version 2, sends the same signature. (Its version 4 signs
// the text of Date, ours x-oss-date as the documentation has it.)
func TestOurRequestsBySDK1(t *testing.T) {
	for name, v := range map[string]struct {
		ours   oss.SignatureVersion
		theirs sdk1.AuthVersionType
	}{
		"V1": {oss.SignatureV1, sdk1.AuthV1},
		"V2": {oss.SignatureV2, sdk1.AuthV2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			theirs := &recorder{next: r.hc.Transport}
			c := must(sdk1.New(r.endpoint, keyID, keySecret, sdk1.AuthVersion(v.theirs), sdk1.Region(region), sdk1.HTTPClient(&http.Client{Transport: theirs})))(t)
			b := must(c.Bucket(bucket))(t)
			check(t, b.PutObject(oddKey, strings.NewReader("x")))
			for _, call := range []struct {
				name   string
				theirs func() error
				ours   func(b *oss.Bucket) error
			}{
				{
					"HeadObject",
					func() error { _, err := b.GetObjectDetailedMeta(oddKey); return err },
					func(b *oss.Bucket) error { _, err := b.HeadObject(t.Context(), oddKey, nil); return err },
				},
				{
					"GetObjectACL",
					func() error { _, err := b.GetObjectACL(oddKey); return err },
					func(b *oss.Bucket) error { _, err := b.GetObjectACL(t.Context(), oddKey, nil); return err },
				},
				{
					"GetBucketInfo",
					func() error { _, err := c.GetBucketInfo(bucket); return err },
					func(b *oss.Bucket) error { _, err := b.GetBucketInfo(t.Context()); return err },
				},
				{
					"DeleteObject",
					func() error { return b.DeleteObject(oddKey) },
					func(b *oss.Bucket) error { _, err := b.DeleteObject(t.Context(), oddKey, nil); return err },
				},
			} {
				check(t, call.theirs())
				sent := theirs.seen[len(theirs.seen)-1]
				at := must(http.ParseTime(sent.Header.Get("Date")))(t)
				rec := &recorder{next: r.hc.Transport}
				check(t, call.ours(r.ours(t, v.ours, func() time.Time { return at }, rec)))
				equal(t, call.name, rec.seen[0].Header.Get("Authorization"), sent.Header.Get("Authorization"))
			}
		})
	}
}

// TestOurURLsBySDK1 compares signed URLs, made for the same second.
func TestOurURLsBySDK1(t *testing.T) {
	for name, v := range map[string]struct {
		ours   oss.SignatureVersion
		theirs sdk1.AuthVersionType
	}{
		"V1": {oss.SignatureV1, sdk1.AuthV1},
		"V2": {oss.SignatureV2, sdk1.AuthV2},
		"V4": {oss.SignatureV4, sdk1.AuthV4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			theirs := must(url.Parse(must(must(r.v1(t, v.theirs, "path").Bucket(bucket))(t).SignURL(oddKey, sdk1.HTTPGet, 600))(t)))(t)
			want := theirs.Query()
			at := expiryOf(t, want).Add(-10 * time.Minute)
			ours := must(url.Parse(must(r.ours(t, v.ours, func() time.Time { return at }, nil).SignURL(t.Context(), "GET", oddKey, 10*time.Minute, nil))(t)))(t)
			got := ours.Query()
			for name, values := range want {
				if !slices.Equal(got[name], values) {
					t.Errorf("%s is %q, want %q", name, got[name], values)
				}
			}
			equal(t, "parameters", len(got), len(want))
		})
	}
}

// expiryOf is when a signed URL ends.
func expiryOf(t *testing.T, q url.Values) time.Time {
	t.Helper()
	if d := q.Get("x-oss-date"); d != "" {
		at := must(time.Parse("20060102T150405Z", d))(t)
		return at.Add(must(time.ParseDuration(q.Get("x-oss-expires") + "s"))(t))
	}
	for _, name := range []string{"Expires", "x-oss-expires"} {
		if s := q.Get(name); s != "" {
			d := must(time.ParseDuration(s + "s"))(t)
			return time.Unix(0, 0).Add(d)
		}
	}
	t.Fatal("no expiry in ", q)
	return time.Time{}
}
