package interop_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	sdk1 "github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
)

const (
	keyID     = "LTAIinteropAccessKey"
	keySecret = "interopSecretKey0123456789abcd"
	region    = "cn-hangzhou"
	bucket    = "interop-bucket"
	domain    = "oss.interop.test"
	cname     = "files.interop.test"
)

// rig is a running server, and clients of it.
type rig struct {
	server   *emulator.Server
	endpoint string // by address
	hc       *http.Client
}

// newRig starts a server with one bucket. Its domain and cname are found by
// the rig's http client only.
func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := emulator.Open(&emulator.Options{
		AccessKeyID: keyID, AccessKeySecret: keySecret, Region: region,
		Domains: []string{domain}, CNAMEs: map[string]string{cname: bucket},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	endpoint, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(endpoint, "http://")
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		},
		MaxIdleConnsPerHost: 8,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &rig{s, endpoint, &http.Client{Transport: transport}}
}

// styles are the ways to address a bucket.
var styles = []string{"path", "virtual", "cname"}

func (r *rig) endpointOf(style string) string {
	switch style {
	case "virtual":
		return "http://" + domain
	case "cname":
		return "http://" + cname
	}
	return r.endpoint
}

// v2 is a client of the vendor's SDK 2.
func (r *rig) v2(version sdk2.SignatureVersionType, style string) *sdk2.Client {
	cfg := sdk2.LoadDefaultConfig().WithRegion(region).WithEndpoint(r.endpointOf(style)).WithSignatureVersion(version).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, keySecret)).
		WithHttpClient(r.hc).WithUseCName(style == "cname").WithRetryMaxAttempts(1)
	return sdk2.NewClient(cfg)
}

// v1 is a client of the vendor's SDK 1.
func (r *rig) v1(t *testing.T, version sdk1.AuthVersionType, style string) *sdk1.Client {
	t.Helper()
	c, err := sdk1.New(r.endpointOf(style), keyID, keySecret,
		sdk1.AuthVersion(version), sdk1.Region(region), sdk1.HTTPClient(r.hc), sdk1.UseCname(style == "cname"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ours is our own client. transport nil means the rig's.
func (r *rig) ours(t *testing.T, version oss.SignatureVersion, now func() time.Time, transport http.RoundTripper) *oss.Bucket {
	t.Helper()
	hc := r.hc
	if transport != nil {
		hc = &http.Client{Transport: transport}
	}
	c, err := oss.New(r.endpoint, oss.StaticCredentials(keyID, keySecret, ""), &oss.Options{
		Region: region, Signature: version, HTTPClient: hc, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Bucket(bucket)
}

// noise is data that looks different everywhere.
func noise(n int) []byte {
	var seed [32]byte
	seed[0] = byte(n)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return b
}

// must ends the test at an error.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal demands that two values are.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
