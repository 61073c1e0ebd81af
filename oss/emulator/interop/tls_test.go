package interop_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"

	"github.com/osssync/osssync/oss/emulator"
)

// TestV2HTTPS: the SDK's default is https, with the bucket in the host's name.
func TestV2HTTPS(t *testing.T) {
	s := must(emulator.Open(&emulator.Options{
		AccessKeyID: keyID, AccessKeySecret: keySecret, Region: region, Domains: []string{domain}, TLSDir: t.TempDir(),
	}))(t)
	defer s.Close()
	check(t, s.CreateBucket(bucket))
	endpoint := must(s.Start("127.0.0.1:0"))(t)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(os.ReadFile(s.CAFile()))(t)) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, strings.TrimPrefix(endpoint, "https://"))
		},
	}
	defer transport.CloseIdleConnections()
	c := sdk2.NewClient(sdk2.LoadDefaultConfig().WithRegion(region).WithEndpoint(domain).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, keySecret)).
		WithHttpClient(&http.Client{Transport: transport}))
	putV2(t, c, oddKey, []byte("safe"))
	equal(t, "body", string(getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr(oddKey)})), "safe")
}
