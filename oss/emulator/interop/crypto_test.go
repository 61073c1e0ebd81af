package interop_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	sdk2 "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	sdkcrypto "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/crypto"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// TestCrypto: what SDK 2's encryption client has written our CryptoBucket
// reads, and the other way round, whole and in parts.
func TestCrypto(t *testing.T) {
	r := newRig(t)
	plain := r.v2(sdk2.SignatureVersionV4, "path")
	public, private := rsaKeys(t)
	description := map[string]string{"key": "interop"}
	theirs := must(sdk2.NewEncryptionClient(plain, must(sdkcrypto.CreateMasterRsa(description, public, private))(t)))(t)
	master := must(crypto.ParseMasterKey([]byte(public), []byte(private), description))(t)
	provider := must(crypto.NewRSAProvider(master, nil))(t)
	box := must(crypto.NewBucket(r.ours(t, oss.SignatureV4, nil, nil), provider, nil))(t)
	ctx, b := t.Context(), sdk2.Ptr(bucket)
	const size = partSize + 16 - partSize%16
	body := noise(3*size + 5)

	must(theirs.PutObject(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: sdk2.Ptr("theirs whole"), Body: bytes.NewReader(body)}))(t)
	u := theirs.NewUploader(func(o *sdk2.UploaderOptions) { o.PartSize = size })
	must(u.UploadFile(ctx, &sdk2.PutObjectRequest{Bucket: b, Key: sdk2.Ptr("theirs parts")}, writeFile(t, "in", body)))(t)
	must(box.PutObject(ctx, "our whole", bytes.NewReader(body), nil))(t)
	putParts(t, ctx, box, "our parts", body, size)

	for _, key := range []string{"theirs whole", "theirs parts", "our whole", "our parts"} {
		for _, rng := range []oss.Range{{}, oss.RangeBetween(33, 100_000), oss.RangeLast(17)} {
			res := must(box.GetObject(ctx, key, &oss.GetObjectOptions{Range: rng}))(t)
			got := must(io.ReadAll(res.Body))(t)
			check(t, res.Body.Close())
			if !bytes.Equal(got, body[res.Offset:res.Offset+res.Length]) {
				t.Errorf("%s, %s: another text for us", key, rng)
			}
		}
		path := filepath.Join(t.TempDir(), "out")
		d := theirs.NewDownloader(func(o *sdk2.DownloaderOptions) { o.PartSize = partSize })
		must(d.DownloadFile(ctx, &sdk2.GetObjectRequest{Bucket: b, Key: sdk2.Ptr(key)}, path))(t)
		if got := must(os.ReadFile(path))(t); !bytes.Equal(got, body) {
			t.Errorf("%s: another text for SDK 2", key)
		}
	}
}

func putParts(t *testing.T, ctx context.Context, box *crypto.Bucket, key string, body []byte, size int64) {
	t.Helper()
	u := must(box.InitMultipartUpload(ctx, key, int64(len(body)), &crypto.InitMultipartOptions{PartSize: size}))(t)
	var parts []oss.Part
	for n := 1; n <= u.Parts(); n++ {
		off, length, _ := u.Part(n)
		parts = append(parts, must(box.UploadPart(ctx, u, n, bytes.NewReader(body[off:off+length]), nil))(t).Part)
	}
	must(box.CompleteMultipartUpload(ctx, u, parts, nil))(t)
}
