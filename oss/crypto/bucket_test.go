package crypto_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
	"github.com/osssync/osssync/oss/osstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire keeps the bodies of the requests that went through it, and the headers
// of those with parts.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	sent  []byte
	parts []http.Header
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		w.sent = append(w.sent, body...)
		if r.URL.Query().Has("partNumber") {
			w.parts = append(w.parts, r.Header)
		}
		w.mu.Unlock()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.next.RoundTrip(r)
}

// newPlain is a bucket of a server in this process, and what is sent to it.
func newPlain(t *testing.T) (*oss.Bucket, *wire) {
	t.Helper()
	s, creds := openServer(t)
	if err := s.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	w := &wire{next: osstest.Transport(s)}
	c := newClient(t, "oss-cn-hangzhou.aliyuncs.com", creds, &oss.Options{HTTPClient: &http.Client{Transport: w}})
	return c.Bucket("bucket"), w
}

func newBucket(t *testing.T, p crypto.Provider, opts *crypto.Options) (*crypto.Bucket, *wire) {
	t.Helper()
	plain, w := newPlain(t)
	b, err := crypto.NewBucket(plain, p, opts)
	if err != nil {
		t.Fatal(err)
	}
	return b, w
}

func readAll(t testing.TB, res *crypto.GetObjectResult) []byte {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	b, w := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	for _, size := range []int{0, 1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 100 << 10} {
		data := count(3, size)
		w.sent = nil
		opts := &oss.PutObjectOptions{ContentMD5: "the plain text's"}
		opts.Meta = map[string]string{"a": "b", "Client-Side-Encryption-MatDesc": "of another"}
		opts.Header = http.Header{"x-oss-meta-client-side-encryption-key": {"of another"}}
		if _, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), opts); err != nil {
			t.Fatal(size, err)
		}
		if size > 8 && bytes.Contains(w.sent, data[:8]) {
			t.Errorf("%d: plain text on the wire", size)
		}
		res, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(size, err)
		}
		if got := readAll(t, res); !bytes.Equal(got, data) {
			t.Errorf("%d: other bytes came back", size)
		}
		m := res.Material
		if m.PlainMD5 != "the plain text's" || m.PlainSize != int64(size) || m.Description != "" || res.Meta["a"] != "b" {
			t.Errorf("%d: got %+v, %v", size, m, res.Meta)
		}
	}
}

// A reader without a length is sent in chunks.
func TestUnknownLength(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	data := count(0, 5000)
	if _, err := b.PutObject(t.Context(), "key", io.MultiReader(bytes.NewReader(data)), nil); err != nil {
		t.Fatal(err)
	}
	res, err := b.GetObject(t.Context(), "key", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, res); !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
}

func TestRanges(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	const size = 1000
	data := count(7, size)
	if _, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		first := rapid.IntRange(0, size-1).Draw(r, "first")
		last := rapid.IntRange(first, size+20).Draw(r, "last")
		rng, want := oss.RangeBetween(int64(first), int64(last)), data[first:min(last+1, size)]
		switch rapid.IntRange(0, 2).Draw(r, "kind") {
		case 1:
			rng, want = oss.RangeFrom(int64(first)), data[first:]
		case 2:
			rng, want = oss.RangeLast(int64(last+1)), data[max(0, size-last-1):]
		}
		res, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: rng})
		if err != nil {
			r.Fatal(err)
		}
		if got := readAll(t, res); !bytes.Equal(got, want) {
			r.Fatalf("%s: other bytes", rng)
		}
	})
}

func TestMultipart(t *testing.T) {
	const part = crypto.MinPartSize
	p := newRSA(t, "pkcs1.pem", map[string]string{"k": "v"}, nil)
	b, w := newBucket(t, p, nil)
	for _, size := range []int{0, 1, part - 1, part, part + 1, 2 * part, 3*part + 17} {
		data := count(9, size)
		w.sent, w.parts = nil, nil
		u, err := b.InitMultipartUpload(t.Context(), "key", int64(size), &crypto.InitMultipartOptions{PartSize: part})
		if err != nil {
			t.Fatal(size, err)
		}
		text, err := u.Material.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var m crypto.Material
		if err := m.UnmarshalText(text); err != nil {
			t.Fatal(err)
		}
		again, err := b.ResumeMultipartUpload(t.Context(), "key", u.UploadID, &m)
		if err != nil {
			t.Fatal(err)
		}
		src := bytes.NewReader(data)
		var parts []oss.Part
		for n := u.Parts(); n > 0; n-- {
			off, length, _ := u.Part(n)
			up := u
			if n%2 == 0 {
				up = again
			}
			res, err := b.UploadPart(t.Context(), up, n, io.NewSectionReader(src, off, length), nil)
			if err != nil {
				t.Fatal(size, n, err)
			}
			parts = append(parts, res.Part)
		}
		if size > 8 && bytes.Contains(w.sent, data[:8]) {
			t.Errorf("%d: plain text on the wire", size)
		}
		if len(w.parts) != u.Parts() {
			t.Errorf("%d: %d parts were sent, not %d", size, len(w.parts), u.Parts())
		}
		for _, h := range w.parts { // the service compares them with those of the upload
			for name := range u.Material.Header() {
				if h.Get(name) != u.Material.Header().Get(name) {
					t.Errorf("%d: a part has %q for %s", size, h.Get(name), name)
				}
			}
		}
		if _, err := b.CompleteMultipartUpload(t.Context(), again, parts, nil); err != nil {
			t.Fatal(size, err)
		}
		res, err := b.GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(size, err)
		}
		if got := readAll(t, res); !bytes.Equal(got, data) {
			t.Errorf("%d: other bytes came back", size)
		}
		if res.Material.DataSize != int64(size) || res.Material.PartSize != part {
			t.Errorf("%d: got %+v", size, res.Material)
		}
	}
}

func TestMultipartRefuses(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	ctx := t.Context()
	init := func(size, part int64) error {
		_, err := b.InitMultipartUpload(ctx, "key", size, &crypto.InitMultipartOptions{PartSize: part})
		return err
	}
	u, err := b.InitMultipartUpload(ctx, "key", 300_000, &crypto.InitMultipartOptions{PartSize: crypto.MinPartSize})
	if err != nil {
		t.Fatal(err)
	}
	send := func(number int, body io.Reader, opts *oss.UploadPartOptions) error {
		_, err := b.UploadPart(ctx, u, number, body, opts)
		return err
	}
	whole := bytes.NewReader(make([]byte, crypto.MinPartSize))
	_, resume := b.ResumeMultipartUpload(ctx, "key", "id", &crypto.Material{})
	_, empty := b.UploadPart(ctx, &crypto.MultipartUpload{}, 1, whole, nil)
	_, few := b.CompleteMultipartUpload(ctx, u, []oss.Part{{Number: 1, ETag: "a"}}, nil)
	for name, err := range map[string]error{
		"negative size":       init(-1, 0),
		"small parts":         init(10, 1024),
		"unaligned parts":     init(10, crypto.MinPartSize+1),
		"many parts":          init(oss.MaxParts*crypto.MinPartSize+1, crypto.MinPartSize),
		"part 0":              send(0, whole, nil),
		"part 4":              send(4, whole, nil),
		"short part":          send(1, bytes.NewReader(nil), nil),
		"long part":           send(3, whole, nil),
		"part of no length":   send(1, io.MultiReader(whole), nil),
		"MD5":                 send(1, whole, &oss.UploadPartOptions{ContentMD5: "x"}),
		"empty material":      resume,
		"empty upload":        empty,
		"parts not all there": few,
	} {
		if _, ok := errors.AsType[*oss.UsageError](err); !ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := b.AbortMultipartUpload(ctx, u, nil); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	_, appended := b.AppendObject(t.Context(), "key", 0, nil, nil)
	_, copied := b.UploadPartCopy(t.Context(), "bucket", "src", oss.Range{}, nil, 1, nil)
	_, byURL := b.PutObjectWithURL(t.Context(), "http://127.0.0.1/", nil, nil)
	_, selected := b.SelectObject(t.Context(), "key", "select", nil)
	_, counted := b.CreateSelectObjectMeta(t.Context(), "key", nil)
	_, processed := b.ProcessObject(t.Context(), "key", "image/info")
	for _, err := range []error{appended, copied, byURL, selected, counted, processed} {
		if !errors.Is(err, errors.ErrUnsupported) || oss.Classify(err) != oss.ClassPermanent {
			t.Errorf("got %v", err)
		}
	}
	for _, o := range []*oss.GetObjectOptions{
		{AcceptEncoding: "gzip"},
		{Process: "image/info"},
		{Header: http.Header{"accept-encoding": {"gzip"}}},
		{Query: map[string][]string{"x-oss-process": {"x"}}},
	} {
		if _, err := b.GetObject(t.Context(), "key", o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestPlainObject(t *testing.T) {
	plain, _ := newPlain(t)
	if _, err := plain.PutObject(t.Context(), "key", bytes.NewReader([]byte("plain")), nil); err != nil {
		t.Fatal(err)
	}
	p := newRSA(t, "pkcs1.pem", nil, nil)
	lax, err := crypto.NewBucket(plain, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := lax.GetObject(t.Context(), "key", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, res); string(got) != "plain" || res.Material != nil {
		t.Errorf("got %q", got)
	}
	strict, err := crypto.NewBucket(plain, p, &crypto.Options{RequireEncryption: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.GetObject(t.Context(), "key", nil); !errors.Is(err, crypto.ErrNotEncrypted) {
		t.Errorf("got %v", err)
	}
}

func TestFiles(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	data := count(1, 70_000)
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutObjectFromFile(t.Context(), "key", src, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.GetObjectToFile(t.Context(), "key", dst, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(dst); err != nil || !bytes.Equal(got, data) {
		t.Error("other bytes came back", err)
	}
	if err := os.Chmod(dst, 0o600); err != nil { // a secret's file stays one
		t.Fatal(err)
	}
	if _, err := b.GetObjectToFile(t.Context(), "key", dst, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dst); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	long := filepath.Join(dir, strings.Repeat("n", 250))
	if _, err := b.GetObjectToFile(t.Context(), "key", long, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(long); err != nil {
		t.Fatal(err)
	}
	if _, err := b.GetObjectToFile(t.Context(), "missing", dst, nil); !errors.Is(err, oss.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	entries, err := os.ReadDir(dir)
	names := slices.Collect(func(yield func(string) bool) {
		for _, e := range entries {
			if !yield(e.Name()) {
				return
			}
		}
	})
	if err != nil || !slices.Equal(names, []string{"dst", "src"}) {
		t.Error(names, err)
	}
}

// A presigned URL gives the plain text too.
func TestGetObjectWithURL(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	if _, err := b.PutObject(t.Context(), "key", strings.NewReader("plain text"), nil); err != nil {
		t.Fatal(err)
	}
	u, err := b.Plain().SignURL(t.Context(), http.MethodGet, "key", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.GetObjectWithURL(t.Context(), u, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if got, err := io.ReadAll(r.Body); string(got) != "plain text" {
		t.Errorf("%q, %v", got, err)
	}
}

// What the Python SDK's first format holds is read, whole and in ranges.
func TestLegacyObject(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", nil, nil), nil)
	data := count(2, 500)
	text := bytes.Clone(data)
	newStream(t, "00000000000000000000000000000008").XORKeyStreamAt(text, 0)
	opts := new(oss.PutObjectOptions)
	opts.Meta = map[string]string{
		"oss-crypto-key": string(file(t, "oaep.k.b64")), "oss-crypto-start": string(file(t, "oaep.d.b64")),
		"oss-cek-alg": "AES/GCM/NoPadding", "oss-wrap-alg": "rsa",
	}
	if _, err := b.Plain().PutObject(t.Context(), "legacy", bytes.NewReader(text), opts); err != nil {
		t.Fatal(err)
	}
	reads(t, b, "legacy", data)
}

// noRange is a server that does not know ranges.
type noRange struct{ next http.RoundTripper }

func (n noRange) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return n.next.RoundTrip(r)
}

// A range that is answered by the whole object gives no byte: they would be
// deciphered from a wrong counter.
func TestRangeAnsweredByWhole(t *testing.T) {
	s, creds := openServer(t)
	if err := s.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, "http://127.0.0.1:1", creds, &oss.Options{HTTPClient: &http.Client{Transport: noRange{osstest.Transport(s)}}})
	b, err := crypto.NewBucket(c.Bucket("bucket"), newRSA(t, "pkcs1.pem", nil, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutObject(t.Context(), "key", bytes.NewReader(count(0, 100)), nil); err != nil {
		t.Fatal(err)
	}
	for _, rng := range []oss.Range{oss.RangeFrom(16), oss.RangeBetween(3, 20), oss.RangeLast(7)} {
		if _, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: rng}); err == nil {
			t.Errorf("%s: no error", rng)
		}
	}
}

// An envelope that cannot be opened gives no body, and says what is wrong.
func TestNotOpened(t *testing.T) {
	b, _ := newBucket(t, newRSA(t, "pkcs1.pem", map[string]string{"k": "v"}, nil), nil)
	if _, err := b.PutObject(t.Context(), "key", strings.NewReader("plain text"), nil); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name        string
		key         string
		description map[string]string
		want        string
	}{
		{"another key", "pkcs8.pem", map[string]string{"k": "v"}, "crypto: envelope: key: was not wrapped with this master key"},
		{"another description", "pkcs1.pem", nil, `no master key with the description`},
	} {
		other, err := crypto.NewBucket(b.Plain(), newRSA(t, v.key, v.description, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := other.GetObject(t.Context(), "key", nil); res != nil || err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: got %v", v.name, err)
		}
	}
}
