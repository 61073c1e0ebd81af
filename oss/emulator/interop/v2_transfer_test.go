package interop_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/crypto"

	"github.com/osssync/osssync/oss/emulator"
)

const partSize = 100 << 10

// faults sets the server's faults, one a line.
func (r *rig) faults(t *testing.T, lines ...string) {
	t.Helper()
	var faults []emulator.Fault
	for _, line := range lines {
		faults = append(faults, must(emulator.ParseFaults(bytes.NewReader([]byte(line))))(t)...)
	}
	check(t, r.server.SetFaults(faults))
}

// calls counts the requests of an operation from now on: by faults that never
// happen.
func (r *rig) calls(t *testing.T, ops ...string) func() []int {
	t.Helper()
	var lines []string
	for _, op := range ops {
		lines = append(lines, "latency=1ns on="+op)
	}
	r.faults(t, lines...)
	return func() []int {
		var out []int
		for _, c := range r.server.FaultCounts() {
			out = append(out, c.Matched)
		}
		return out
	}
}

func writeFile(t *testing.T, name string, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, body, 0o600))
	return path
}

func TestV2Uploader(t *testing.T) {
	r := newRig(t)
	c := r.v2(sdk2.SignatureVersionV4, "virtual")
	for _, n := range []int{0, 1, partSize, 5*partSize + 7} {
		body := noise(n)
		u := c.NewUploader(func(o *sdk2.UploaderOptions) { o.PartSize = partSize })
		req := func(key string) *sdk2.PutObjectRequest {
			return &sdk2.PutObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr(key)}
		}
		must(u.UploadFile(t.Context(), req("file"), writeFile(t, "in", body)))(t)
		must(u.UploadFrom(t.Context(), req("stream"), io.MultiReader(bytes.NewReader(body))))(t)
		for _, key := range []string{"file", "stream"} {
			if got := getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr(key)}); !bytes.Equal(got, body) {
				t.Errorf("%s of %d bytes has %d", key, n, len(got))
			}
		}
	}
}

// TestV2UploaderCheckpoint: an upload that fails in the middle goes on.
func TestV2UploaderCheckpoint(t *testing.T) {
	r := newRig(t)
	c := r.v2(sdk2.SignatureVersionV1, "path")
	body := noise(6 * partSize)
	path, state := writeFile(t, "in", body), t.TempDir()
	u := c.NewUploader(func(o *sdk2.UploaderOptions) {
		o.PartSize, o.ParallelNum, o.EnableCheckpoint, o.CheckpointDir = partSize, 1, true, state
	})
	req := &sdk2.PutObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr("big")}
	r.faults(t, "403=Stopped on=UploadPart nth=4")
	if _, err := u.UploadFile(t.Context(), req, path); err == nil {
		t.Fatal("no error")
	}
	counts := r.calls(t, "UploadPart", "InitiateMultipartUpload")
	must(u.UploadFile(t.Context(), req, path))(t)
	if n := counts(); n[0] != 3 || n[1] != 0 {
		t.Errorf("%d parts and %d uploads after the stop, want 3 and 0", n[0], n[1])
	}
	if got := getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("big")}); !bytes.Equal(got, body) {
		t.Error("another body")
	}
}

func TestV2DownloaderCheckpoint(t *testing.T) {
	r := newRig(t)
	c := r.v2(sdk2.SignatureVersionV4, "cname")
	body := noise(6 * partSize)
	putV2(t, c, "big", body)
	path, state := filepath.Join(t.TempDir(), "out"), t.TempDir()
	d := c.NewDownloader(func(o *sdk2.DownloaderOptions) {
		o.PartSize, o.ParallelNum, o.EnableCheckpoint, o.CheckpointDir, o.VerifyData = partSize, 1, true, state, true
	})
	req := &sdk2.GetObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr("big")}
	r.faults(t, "403=Stopped on=GetObject nth=4")
	if _, err := d.DownloadFile(t.Context(), req, path); err == nil {
		t.Fatal("no error")
	}
	counts := r.calls(t, "GetObject")
	must(d.DownloadFile(t.Context(), req, path))(t)
	if n := counts(); n[0] != 3 {
		t.Errorf("%d ranges after the stop, want 3", n[0])
	}
	if got := must(os.ReadFile(path))(t); !bytes.Equal(got, body) {
		t.Error("another body")
	}
}

func TestV2Copier(t *testing.T) {
	r := newRig(t)
	c := r.v2(sdk2.SignatureVersionV4, "path")
	body := noise(5*partSize + 1)
	must(c.PutObject(t.Context(), &sdk2.PutObjectRequest{
		Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr("from"), Body: bytes.NewReader(body), Tagging: sdk2.Ptr("a=b"), Metadata: map[string]string{"m": "1"},
	}))(t)
	copier := c.NewCopier(func(o *sdk2.CopierOptions) {
		o.PartSize, o.MultipartCopyThreshold, o.DisableShallowCopy = partSize, partSize, true
	})
	counts := r.calls(t, "UploadPartCopy")
	must(copier.Copy(t.Context(), &sdk2.CopyObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr("to"), SourceKey: sdk2.Ptr("from")}))(t)
	equal(t, "parts", counts()[0], 6)
	if got := getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr("to")}); !bytes.Equal(got, body) {
		t.Error("another body")
	}
	head := must(c.HeadObject(t.Context(), &sdk2.HeadObjectRequest{Bucket: sdk2.Ptr(bucket), Key: sdk2.Ptr("to")}))(t)
	equal(t, "metadata", head.Metadata["m"], "1")
	equal(t, "tags", head.TaggingCount, 1)
}

// rsaKeys makes a pair in PEM as the vendor's clients take it.
func rsaKeys(t *testing.T) (public, private string) {
	t.Helper()
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	pkix := must(x509.MarshalPKIXPublicKey(&key.PublicKey))(t)
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(key))(t)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func TestV2Encryption(t *testing.T) {
	r := newRig(t)
	c := r.v2(sdk2.SignatureVersionV4, "path")
	public, private := rsaKeys(t)
	cipher := must(crypto.CreateMasterRsa(map[string]string{"key": "interop"}, public, private))(t)
	e := must(sdk2.NewEncryptionClient(c, cipher))(t)
	ctx, b := t.Context(), sdk2.Ptr(bucket)
	body := noise(3*partSize + 5)
	must(e.PutObject(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: sdk2.Ptr("whole"), Body: bytes.NewReader(body)}))(t)
	u := e.NewUploader(func(o *sdk2.UploaderOptions) { o.PartSize = partSize + 16 - partSize%16 })
	must(u.UploadFile(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: sdk2.Ptr("parts")}, writeFile(t, "in", body)))(t)
	for _, key := range []string{"whole", "parts"} {
		if raw := getV2(t, c, &sdk2.GetObjectRequest{Key: sdk2.Ptr(key)}); bytes.Equal(raw, body) || len(raw) != len(body) {
			t.Errorf("%s is stored in the clear", key)
		}
		res := must(e.GetObject(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: sdk2.Ptr(key), Range: sdk2.Ptr("bytes=33-100000"), RangeBehavior: sdk2.Ptr("standard")}))(t)
		got := must(io.ReadAll(res.Body))(t)
		check(t, res.Body.Close())
		if !bytes.Equal(got, body[33:100_001]) {
			t.Errorf("range of %s is another", key)
		}
		path := filepath.Join(t.TempDir(), key)
		d := e.NewDownloader(func(o *sdk2.DownloaderOptions) { o.PartSize = partSize })
		must(d.DownloadFile(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: sdk2.Ptr(key)}, path))(t)
		if got := must(os.ReadFile(path))(t); !bytes.Equal(got, body) {
			t.Errorf("%s is another", key)
		}
	}
}
