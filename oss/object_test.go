package oss_test

import (
	"context"
	"errors"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss"
)

func crc(s string) string {
	return strconv.FormatUint(crc64.Checksum([]byte(s), crc64.MakeTable(crc64.ECMA)), 10)
}

func TestWrongRangeAnswers(t *testing.T) {
	for _, v := range []struct {
		name   string
		rng    oss.Range
		status int
		body   string
		header string
	}{
		{"whole object", oss.RangeBetween(1, 2), 200, "0123456789", "X: y"},
		{"no Content-Range", oss.RangeBetween(1, 2), 206, "12", "X: y"},
		{"other first", oss.RangeBetween(1, 2), 206, "01", "Content-Range: bytes 0-1/10"},
		{"other last", oss.RangeBetween(1, 2), 206, "123", "Content-Range: bytes 1-3/10"},
		{"short", oss.RangeBetween(1, 5), 206, "12", "Content-Range: bytes 1-2/10"},
		{"unknown total", oss.RangeBetween(1, 2), 206, "12", "Content-Range: bytes 1-2/*"},
		{"impossible", oss.RangeBetween(1, 2), 206, "12", "Content-Range: bytes 1-2/2"},
		{"length differs", oss.RangeBetween(1, 2), 206, "1", "Content-Range: bytes 1-2/10"},
		{"not to the end", oss.RangeFrom(8), 206, "8", "Content-Range: bytes 8-8/10"},
		{"not the last", oss.RangeLast(2), 206, "01", "Content-Range: bytes 0-1/10"},
		{"unasked", oss.Range{}, 206, "12", "Content-Range: bytes 1-2/10"},
	} {
		r, err := bucketOf(t, always(v.status, v.body, v.header)).GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: v.rng})
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("%s: got %v, %v", v.name, r, err)
		}
	}
}

func TestBodyIsChecked(t *testing.T) {
	const data = "some data"
	for _, v := range []struct {
		name   string
		body   string
		length int64
		header string
		want   func(error) bool
	}{
		{"right", data, int64(len(data)), crc(data), func(err error) bool { return err == nil }},
		{"unknown length", data, -1, crc(data), func(err error) bool { return err == nil }},
		{"no CRC", data, int64(len(data)), "", func(err error) bool { return err == nil }},
		{"other CRC", data, int64(len(data)), "1", func(err error) bool { return errors.Is(err, oss.ErrIntegrity) }},
		{"short", data[:4], int64(len(data)), crc(data), func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"long", data + "x", int64(len(data)), crc(data), func(err error) bool { return err != nil }},
		{"short of unknown length", data[:4], -1, crc(data), func(err error) bool { return errors.Is(err, oss.ErrIntegrity) }},
	} {
		resp := answer(200, v.body, "X-Oss-Hash-Crc64ecma: "+v.header)
		resp.ContentLength = v.length
		r, err := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) { return resp, nil })).GetObject(t.Context(), "key", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if !v.want(err) || string(got) != v.body[:min(len(v.body), len(data))] {
			t.Errorf("%s: got %q, %v", v.name, got, err)
		}
		if n, again := r.Body.Read(make([]byte, 1)); n != 0 || again == nil || err != nil && !errors.Is(again, err) {
			t.Errorf("%s: reading on gave %d, %v", v.name, n, again)
		}
		if err := r.Body.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.Body.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: a closed body was read", v.name)
		}
	}
}

func TestCRCCanBeDisabled(t *testing.T) {
	rt := always(200, "data", "X-Oss-Hash-Crc64ecma: 1")
	b := newClient(t, rt, &oss.Options{DisableCRC: true}).Bucket("examplebucket")
	if r, err := b.PutObject(t.Context(), "key", strings.NewReader("data"), nil); err != nil || r.CRC64 != 0 {
		t.Errorf("put: %v, %v", r, err)
	}
	r, err := b.GetObject(t.Context(), "key", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.ReadAll(r.Body); err != nil || r.CRC64() != 0 {
		t.Error(err)
	}
}

// What processing or compression made has another CRC-64 than the object.
func TestMadeUpBodiesAreNotCompared(t *testing.T) {
	b := bucketOf(t, always(200, "made", "X-Oss-Hash-Crc64ecma: 1"))
	for _, o := range []oss.GetObjectOptions{{Process: "image/info"}, {AcceptEncoding: "gzip"}} {
		r, err := b.GetObject(t.Context(), "key", &o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
		r.Body.Close()
	}
}

// TestPartNeedsAnETag: what does not say what it stored has stored nothing.
func TestPartNeedsAnETag(t *testing.T) {
	b := bucketOf(t, always(200, ""))
	if r, err := b.UploadPart(t.Context(), "key", "id", 1, strings.NewReader("x"), nil); err == nil {
		t.Errorf("part: %+v", r)
	}
	b = bucketOf(t, always(200, "<CopyObjectResult></CopyObjectResult>"))
	if r, err := b.CopyObject(t.Context(), "examplebucket", "key", "copy", nil); err == nil {
		t.Errorf("copy: %+v", r)
	}
	b = bucketOf(t, always(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"))
	if r, err := b.CompleteMultipartUpload(t.Context(), "key", "id", []oss.Part{{Number: 1, ETag: "x"}}, nil); err == nil {
		t.Errorf("complete: %+v", r)
	}
}

// A page of a web server has an ETag too.
func TestPageWithETag(t *testing.T) {
	b := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) {
		r := answer(200, "<html>Welcome</html>", `Etag: "5e-1"`)
		r.Header.Del("X-Oss-Request-Id")
		return r, nil
	}))
	if _, err := b.GetObject(t.Context(), "key", nil); err == nil {
		t.Error("got an object")
	}
}

// TestSurplusOfRange: not one byte beyond the range is handed out, however it
// is delivered.
func TestSurplusOfRange(t *testing.T) {
	b := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) {
		r := answer(206, "abcdef", "Content-Range: bytes 0-1/10")
		r.ContentLength = -1
		return r, nil
	}))
	r, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: oss.RangeBetween(0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if got, err := io.ReadAll(r.Body); string(got) != "ab" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUploadNeedsAnID(t *testing.T) {
	b := bucketOf(t, always(200, "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>"))
	if r, err := b.InitMultipartUpload(t.Context(), "key", nil); err == nil {
		t.Errorf("got %+v", r)
	}
}

func TestIntegrityOfAnswers(t *testing.T) {
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		body := ""
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
			body = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>"
		}
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		return answer(200, body, "X-Oss-Hash-Crc64ecma: 12345", "Etag: x"), nil
	}))
	parts := []oss.Part{{Number: 1, ETag: "a", Size: 3, CRC64: 7, HasCRC64: true}, {Number: 2, ETag: "b", Size: 3, CRC64: 8, HasCRC64: true}}
	for name, call := range map[string]func(context.Context) error{
		"put": func(ctx context.Context) error {
			_, err := b.PutObject(ctx, "k", strings.NewReader("x"), nil)
			return err
		},
		"part": func(ctx context.Context) error {
			_, err := b.UploadPart(ctx, "k", "id", 1, strings.NewReader("x"), nil)
			return err
		},
		"append": func(ctx context.Context) error {
			_, err := b.AppendObject(ctx, "k", 0, strings.NewReader("x"), nil)
			return err
		},
		"complete": func(ctx context.Context) error {
			_, err := b.CompleteMultipartUpload(ctx, "k", "id", parts, nil)
			return err
		},
	} {
		err := call(t.Context())
		ie, ok := errors.AsType[*oss.IntegrityError](err)
		if !ok || ie.Expected != 12345 || ie.Actual == 0 {
			t.Errorf("%s: got %v", name, err)
		}
	}
	parts[1].HasCRC64 = false
	if r, err := b.CompleteMultipartUpload(t.Context(), "k", "id", parts, nil); err != nil || r.CRC64 != 12345 || r.ETag != "x" {
		t.Errorf("with a part of unknown CRC: %v, %v", r, err)
	}
}

func TestDeleteMustNameEveryKey(t *testing.T) {
	b := bucketOf(t, always(200, "<DeleteResult><EncodingType>url</EncodingType><Deleted><Key>a%20b</Key></Deleted></DeleteResult>"))
	if r, err := b.BatchDeleteObjects(t.Context(), []string{"a b"}, nil); err != nil || r.Deleted[0] != "a b" {
		t.Errorf("%v, %v", r, err)
	}
	_, err := b.BatchDeleteObjects(t.Context(), []string{"a b", "c\x01"}, nil)
	if _, ok := errors.AsType[*oss.AnswerError](err); !ok || !strings.Contains(err.Error(), `c\x01`) {
		t.Errorf("got %v", err)
	}
}

func TestDeleteBodyKeepsControlCharacters(t *testing.T) {
	const want = `<Object><Key>a&#x1;&#x1f;&#xa;&lt;&amp;&quot;` + "é" + `</Key></Object>`
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("got %s, %v", body, err)
		}
		if r.Header.Get("Content-Md5") == "" {
			t.Error("no Content-MD5")
		}
		return answer(200, ""), nil
	}))
	if _, err := b.BatchDeleteObjects(t.Context(), []string{"a\x01\x1f\n<&\"é"}, &oss.BatchDeleteOptions{Quiet: true}); err != nil {
		t.Error(err)
	}
}

func TestETagForms(t *testing.T) {
	for given, want := range map[string]string{"*": "*", "ABC": `"ABC"`, `"ABC"`: `"ABC"`, `"A", "B"`: `"A", "B"`} {
		b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
			if got := r.Header.Get("If-None-Match"); got != want {
				t.Errorf("%s goes out as %s", given, got)
			}
			return answer(200, ""), nil
		}))
		if _, err := b.HeadObject(t.Context(), "key", &oss.HeadObjectOptions{IfNoneMatch: given}); err != nil {
			t.Error(err)
		}
	}
}

func TestConditionalHeadersAreQuoted(t *testing.T) {
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-Match") != `"ABC"` || r.Header.Get("X-Oss-Range-Behavior") != "standard" || r.Header.Get("Range") != "bytes=0-1" {
			t.Errorf("headers %v", r.Header)
		}
		return answer(206, "01", "Content-Range: bytes 0-1/2"), nil
	}))
	r, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{IfMatch: "ABC", Range: oss.RangeBetween(0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
}
