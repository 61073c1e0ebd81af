package osstest_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/oss/osstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openEmulator(t *testing.T) (*emulator.Server, oss.CredentialsProvider) {
	t.Helper()
	s, err := emulator.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	id, secret := s.Credentials()
	return s, oss.StaticCredentials(id, secret, "")
}

func newClient(t *testing.T, endpoint string, creds oss.CredentialsProvider, opts *oss.Options) *oss.Client {
	t.Helper()
	c, err := oss.New(endpoint, creds, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestConformanceInProcess(t *testing.T) {
	for _, v := range []struct {
		name    string
		options oss.Options
	}{
		{"V1", oss.Options{Signature: oss.SignatureV1}},
		{"V2", oss.Options{Signature: oss.SignatureV2}},
		{"V4", oss.Options{Signature: oss.SignatureV4, Region: "cn-hangzhou"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			osstest.Run(t, func(t *testing.T) *oss.Client {
				s, creds := openEmulator(t)
				v.options.HTTPClient = &http.Client{Transport: osstest.Transport(s)}
				return newClient(t, "http://127.0.0.1:1", creds, &v.options)
			})
		})
	}
}

// TestAdditionalHeaders signs what net/http keeps outside of the header map.
func TestAdditionalHeaders(t *testing.T) {
	for _, version := range []oss.SignatureVersion{oss.SignatureV2, oss.SignatureV4} {
		s, creds := openEmulator(t)
		endpoint, err := s.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CreateBucket("examplebucket"); err != nil {
			t.Fatal(err)
		}
		b := newClient(t, endpoint, creds, &oss.Options{
			Signature: version, Region: "cn-hangzhou",
			AdditionalHeaders: []string{"Host", "content-length", "Range", "user-agent", "content-type", "x-none", "host"},
		}).Bucket("examplebucket")
		for name, body := range map[string]io.Reader{
			"empty": nil, "text": strings.NewReader("data"), "chunked": io.MultiReader(strings.NewReader("data")),
		} {
			if _, err := b.PutObject(t.Context(), "key", body, nil); err != nil {
				t.Errorf("version %d, %s: %v", version, name, err)
			}
		}
		if _, err := b.PutObject(t.Context(), "key", strings.NewReader("data"), nil); err != nil {
			t.Fatal(err)
		}
		r, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: oss.RangeFrom(0)})
		if err != nil {
			t.Errorf("version %d: %v", version, err)
			continue
		}
		r.Body.Close()
	}
}

func TestConformanceOnSocket(t *testing.T) {
	osstest.Run(t, func(t *testing.T) *oss.Client {
		s, creds := openEmulator(t)
		endpoint, err := s.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return newClient(t, endpoint, creds, &oss.Options{Region: "cn-hangzhou"})
	})
}

// TestConformanceOfEndpoint runs against a real service, where one is named.
func TestConformanceOfEndpoint(t *testing.T) {
	endpoint := os.Getenv("OSSSYNC_TEST_ENDPOINT")
	if endpoint == "" {
		return
	}
	osstest.Run(t, func(t *testing.T) *oss.Client {
		return newClient(t, endpoint, oss.EnvironmentCredentials(), nil)
	})
}
