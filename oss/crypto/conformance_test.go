package crypto_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
	"github.com/osssync/osssync/oss/emulator"
	"github.com/osssync/osssync/oss/osstest"
)

// TestConformance holds servers against what encrypted objects need of them: the
// embedded one in process and on a socket, and a real one where one is named.
func TestConformance(t *testing.T) {
	type target struct {
		name   string
		client func(*testing.T) *oss.Client
	}
	targets := []target{
		{"process", func(t *testing.T) *oss.Client {
			s, creds := openServer(t)
			return newClient(t, "http://127.0.0.1:1", creds, &oss.Options{HTTPClient: &http.Client{Transport: osstest.Transport(s)}})
		}},
		{"socket", func(t *testing.T) *oss.Client {
			s, creds := openServer(t)
			endpoint, err := s.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			return newClient(t, endpoint, creds, nil)
		}},
	}
	if endpoint := os.Getenv("OSSSYNC_TEST_ENDPOINT"); endpoint != "" {
		targets = append(targets, target{"endpoint", func(t *testing.T) *oss.Client {
			return newClient(t, endpoint, oss.EnvironmentCredentials(), nil)
		}})
	}
	for _, v := range targets {
		t.Run(v.name, func(t *testing.T) {
			plain := v.client(t).Bucket("osssync-crypto-" + strings.ToLower(rand.Text()[:12]))
			if _, err := plain.CreateBucket(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			b, err := crypto.NewBucket(plain, newRSA(t, "pkcs1.pem", map[string]string{"k": "é"}, nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			testObject(t, b)
			testCopy(t, b)
			testParts(t, b)
			if _, err := plain.BatchDeleteObjects(t.Context(), []string{"object", "copy", "parts"}, nil); err != nil {
				t.Error(err)
			}
			if _, err := plain.DeleteBucket(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func openServer(t *testing.T) (*emulator.Server, oss.CredentialsProvider) {
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

// reads compares the whole object and ranges of all kinds with want.
func reads(t *testing.T, b *crypto.Bucket, key string, want []byte) {
	t.Helper()
	n := int64(len(want))
	for _, v := range []struct {
		rng         oss.Range
		first, last int64
	}{
		{oss.Range{}, 0, n - 1},
		{oss.RangeBetween(0, 15), 0, 15},
		{oss.RangeBetween(16, 16), 16, 16},
		{oss.RangeBetween(33, n+5), 33, n - 1},
		{oss.RangeFrom(n - 1), n - 1, n - 1},
		{oss.RangeLast(19), n - 19, n - 1},
		{oss.RangeLast(n + 1), 0, n - 1},
	} {
		res, err := b.GetObject(t.Context(), key, &oss.GetObjectOptions{Range: v.rng})
		if err != nil {
			t.Errorf("%s, %s: %v", key, v.rng, err)
			continue
		}
		if got := readAll(t, res); !bytes.Equal(got, want[v.first:v.last+1]) {
			t.Errorf("%s, %s: other bytes", key, v.rng)
		}
	}
}

func testObject(t *testing.T, b *crypto.Bucket) {
	data := count(5, 1000)
	if _, err := b.PutObject(t.Context(), "object", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	reads(t, b, "object", data)
	head, err := b.Plain().HeadObject(t.Context(), "object", nil)
	if err != nil || head.Size != int64(len(data)) {
		t.Fatal(head, err)
	}
	res, err := b.Plain().GetObject(t.Context(), "object", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil || bytes.Equal(got, data) {
		t.Error("the server has the plain text", err)
	}
}

// testCopy: the envelope goes with a copy.
func testCopy(t *testing.T, b *crypto.Bucket) {
	if _, err := b.Plain().CopyObject(t.Context(), b.Plain().Name(), "object", "copy", nil); err != nil {
		t.Fatal(err)
	}
	reads(t, b, "copy", count(5, 1000))
}

func testParts(t *testing.T, b *crypto.Bucket) {
	const part = crypto.MinPartSize
	data := count(11, 2*part+100)
	u, err := b.InitMultipartUpload(t.Context(), "parts", int64(len(data)), &crypto.InitMultipartOptions{PartSize: part})
	if err != nil {
		t.Fatal(err)
	}
	var parts []oss.Part
	for n := 1; n <= u.Parts(); n++ {
		off, length, _ := u.Part(n)
		res, err := b.UploadPart(t.Context(), u, n, io.NewSectionReader(bytes.NewReader(data), off, length), nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, res.Part)
	}
	if _, err := b.CompleteMultipartUpload(t.Context(), u, parts, nil); err != nil {
		t.Fatal(err)
	}
	reads(t, b, "parts", data)
}
