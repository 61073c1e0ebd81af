package osstest_test

import (
	"net/http"
	"os"
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
