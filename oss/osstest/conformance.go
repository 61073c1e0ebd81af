package osstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"hash/crc64"
	"io"
	"testing"

	"github.com/osssync/osssync/oss"
)

// Run holds a server, through the client, against what this project builds on.
// newClient is called once per group of tests; it must give a client that may
// make and delete buckets. What Run makes it deletes.
func Run(t *testing.T, newClient func(t *testing.T) *oss.Client) {
	for _, group := range []struct {
		name string
		run  func(*testing.T, *oss.Bucket)
	}{
		{"Object", testObject},
		{"Ranges", testRanges},
		{"Conditions", testConditions},
		{"Keys", testKeys},
		{"Headers", testHeaders},
		{"Append", testAppend},
		{"Copy", testCopy},
		{"Delete", testDelete},
		{"Multipart", testMultipart},
		{"MultipartErrors", testMultipartErrors},
		{"PartCopy", testPartCopy},
		{"List", testList},
		{"ListParts", testListParts},
		{"ListUploads", testListUploads},
		{"Bucket", testBucket},
		{"Attributes", testAttributes},
		{"Config", testConfig},
		{"Policy", testPolicy},
		{"Referer", testReferer},
		{"Inventory", testInventory},
		{"WORM", testWORM},
		{"Style", testStyle},
		{"LiveChannel", testLiveChannel},
		{"AccessPoint", testAccessPoint},
		{"Replication", testReplication},
		{"CNAME", testCNAME},
		{"Redundancy", testRedundancy},
		{"MetaQuery", testMetaQuery},
		{"AsyncFetch", testAsyncFetch},
		{"QoS", testQoS},
		{"Service", testService},
		{"Files", testFiles},
		{"PostForm", testPostForm},
		{"UpdateMeta", testUpdateMeta},
		{"Versions", testVersions},
		{"SignURL", testSignURL},
		{"Select", testSelect},
		{"SelectMeta", testSelectMeta},
		{"Process", testProcess},
		{"Errors", testErrors},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, newBucket(t, newClient(t))) })
	}
}

// newBucket makes a bucket for one test.
func newBucket(t *testing.T, c *oss.Client) *oss.Bucket {
	t.Helper()
	var id [8]byte
	rand.Read(id[:])
	b := c.Bucket("osssync-test-" + hex.EncodeToString(id[:]))
	if _, err := b.CreateBucket(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeBucket(t, b) })
	return b
}

// cleanup is a context that lasts after the test.
func cleanup(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// removeBucket deletes b with all it holds.
func removeBucket(t *testing.T, b *oss.Bucket) {
	ctx := cleanup(t)
	for u, err := range b.MultipartUploads(ctx, nil) {
		if err != nil {
			t.Error(err)
			break
		}
		if err := b.AbortMultipartUpload(ctx, u.Key, u.UploadID, nil); err != nil {
			t.Error(err)
		}
	}
	var keys []string
	for o, err := range b.Objects(ctx, nil) {
		if err != nil {
			t.Error(err)
			break
		}
		keys = append(keys, o.Key)
	}
	for len(keys) > 0 {
		n := min(len(keys), 1000)
		if _, err := b.BatchDeleteObjects(ctx, keys[:n], nil); err != nil {
			t.Error(err)
		}
		keys = keys[n:]
	}
	if _, err := b.DeleteBucket(ctx); err != nil {
		t.Error(err)
	}
}

// content is n bytes that repeat late and differ with seed.
func content(n int, seed uint32) []byte {
	p := make([]byte, n)
	x := seed*2654435761 + 1
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x)
	}
	return p
}

var ecma = crc64.MakeTable(crc64.ECMA)

func sum(p []byte) uint64 { return crc64.Checksum(p, ecma) }

func put(t *testing.T, b *oss.Bucket, key string, data []byte) *oss.PutObjectResult {
	t.Helper()
	r, err := b.PutObject(t.Context(), key, bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// read gets an object and compares the bytes.
func read(t *testing.T, b *oss.Bucket, key string, opts *oss.GetObjectOptions, want []byte) *oss.GetObjectResult {
	t.Helper()
	r, err := b.GetObject(t.Context(), key, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: got %d bytes that are not the %d wanted", key, len(got), len(want))
	}
	if r.CRC64() != sum(want) {
		t.Errorf("%s: CRC64 of the bytes read is %d, want %d", key, r.CRC64(), sum(want))
	}
	return r
}

func wantError(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got error %v, want %v", err, target)
	}
}
