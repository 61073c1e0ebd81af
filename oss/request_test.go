package oss_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

func TestWireForm(t *testing.T) {
	for key, want := range map[string]string{
		"plain":         "/plain",
		"a b+c/d":       "/a%20b%2Bc/d",
		"a//b/../c/.":   "/a//b/../c/.",
		"%2F%":          "/%252F%25",
		"文":             "/%E6%96%87",
		"\x01\x7f?#&=":  "/%01%7F%3F%23%26%3D",
		"~-_.!*'()":     "/~-_.%21%2A%27%28%29",
		"dir/":          "/dir/",
		"..":            "/..",
		"trailing dot.": "/trailing%20dot.",
	} {
		var sent *http.Request
		b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) { sent = r; return answer(200, ""), nil }))
		if _, err := b.HeadObject(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		if err := sent.Write(&line); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(line.String(), "\r\n"); got != "HEAD "+want+" HTTP/1.1" {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
		if sent.Host != "examplebucket.oss-cn-hangzhou.aliyuncs.com" || sent.Header.Get("Accept-Encoding") != "identity" ||
			!strings.HasPrefix(sent.UserAgent(), "osssync/"+oss.Version+" (") || sent.Header.Get("X-Oss-Security-Token") != "the-token" {
			t.Errorf("host %s, headers %v", sent.Host, sent.Header)
		}
	}
}

func TestWrongFormsSendNothing(t *testing.T) {
	c := newClient(t, refuse(t), nil)
	b := c.Bucket("examplebucket")
	meta := func(name, value string) *oss.PutObjectOptions {
		return &oss.PutObjectOptions{ObjectHeaders: oss.ObjectHeaders{Meta: map[string]string{name: value}}}
	}
	calls := map[string]func(context.Context) error{
		"empty key":     func(ctx context.Context) error { _, err := b.HeadObject(ctx, "", nil); return err },
		"empty get key": func(ctx context.Context) error { _, err := b.GetObject(ctx, "", nil); return err },
		"slash":         func(ctx context.Context) error { _, err := b.PutObject(ctx, "/a", nil, nil); return err },
		"backslash":     func(ctx context.Context) error { _, err := b.PutObject(ctx, `\a`, nil, nil); return err },
		"long key": func(ctx context.Context) error {
			_, err := b.DeleteObject(ctx, strings.Repeat("k", 1024), nil)
			return err
		},
		"not UTF-8": func(ctx context.Context) error { _, err := b.DeleteObject(ctx, "\xff", nil); return err },
		"line break": func(ctx context.Context) error {
			_, err := b.PutObject(ctx, "k", nil, meta("a", "x\r\nY: z"))
			return err
		},
		"NUL":           func(ctx context.Context) error { _, err := b.PutObject(ctx, "k", nil, meta("a", "\x00")); return err },
		"meta name":     func(ctx context.Context) error { _, err := b.PutObject(ctx, "k", nil, meta("a b", "x")); return err },
		"position":      func(ctx context.Context) error { _, err := b.AppendObject(ctx, "k", -1, nil, nil); return err },
		"part 0":        func(ctx context.Context) error { _, err := b.UploadPart(ctx, "k", "id", 0, nil, nil); return err },
		"part 10001":    func(ctx context.Context) error { _, err := b.UploadPart(ctx, "k", "id", 10001, nil, nil); return err },
		"no upload":     func(ctx context.Context) error { _, err := b.UploadPart(ctx, "k", "", 1, nil, nil); return err },
		"abort nothing": func(ctx context.Context) error { return b.AbortMultipartUpload(ctx, "k", "", nil) },
		"list nothing":  func(ctx context.Context) error { _, err := b.ListParts(ctx, "k", "", nil); return err },
		"complete twice the same part": func(ctx context.Context) error {
			_, err := b.CompleteMultipartUpload(ctx, "k", "id", []oss.Part{{Number: 1, ETag: "a"}, {Number: 1, ETag: "b"}}, nil)
			return err
		},
		"complete without ETag": func(ctx context.Context) error {
			_, err := b.CompleteMultipartUpload(ctx, "k", "id", []oss.Part{{Number: 1}}, nil)
			return err
		},
		"complete all and parts": func(ctx context.Context) error {
			_, err := b.CompleteMultipartUpload(ctx, "k", "id", []oss.Part{{Number: 1, ETag: "a"}}, &oss.CompleteMultipartOptions{CompleteAll: true})
			return err
		},
		"delete none": func(ctx context.Context) error { _, err := b.BatchDeleteObjects(ctx, nil, nil); return err },
		"delete many": func(ctx context.Context) error {
			_, err := b.BatchDeleteObjects(ctx, make([]string, 1001), nil)
			return err
		},
		"delete empty": func(ctx context.Context) error {
			_, err := b.BatchDeleteObjects(ctx, []string{"a", ""}, nil)
			return err
		},
		"max-keys": func(ctx context.Context) error {
			_, err := b.ListObjectsV2(ctx, &oss.ListObjectsV2Options{MaxKeys: 1001})
			return err
		},
		"source bucket": func(ctx context.Context) error { _, err := b.CopyObject(ctx, "X", "k", "k", nil); return err },
		"source key":    func(ctx context.Context) error { _, err := b.CopyObject(ctx, "source", "", "k", nil); return err },
		"sign method":   func(ctx context.Context) error { _, err := b.SignURL(ctx, "G T", "k", 1e9, nil); return err },
		"sign expiry":   func(ctx context.Context) error { _, err := b.SignURL(ctx, "GET", "k", 0, nil); return err },
		"sign 8 days":   func(ctx context.Context) error { _, err := b.SignURL(ctx, "GET", "k", 8*24*3600*1e9, nil); return err },
	}
	for _, name := range []string{"", "ab", "Upper", "under_score", "-a-", "a.b", strings.Repeat("a", 64), "b/../c"} {
		calls["bucket "+name] = func(ctx context.Context) error { _, err := c.Bucket(name).HeadObject(ctx, "k", nil); return err }
		calls["list of bucket "+name] = func(ctx context.Context) error { _, err := c.Bucket(name).ListObjects(ctx, nil); return err }
		calls["delete of bucket "+name] = func(ctx context.Context) error { _, err := c.Bucket(name).DeleteBucket(ctx); return err }
		calls["info of bucket "+name] = func(ctx context.Context) error { _, err := c.Bucket(name).GetBucketInfo(ctx); return err }
		calls["get of bucket "+name] = func(ctx context.Context) error { _, err := c.Bucket(name).GetObject(ctx, "k", nil); return err }
	}
	for name, call := range calls {
		if _, ok := errors.AsType[*oss.UsageError](call(t.Context())); !ok {
			t.Errorf("%s: got %v, want a UsageError", name, call(t.Context()))
		}
	}
}

// TestExtras: what options have no field for goes out, and is signed.
func TestExtras(t *testing.T) {
	rt := answerer(func(r *http.Request) (*http.Response, error) {
		if r.URL.RawQuery != "x-oss-new=1%2B1" || r.Header.Get("X-Oss-New") != "a" || r.Header.Get("X-Oss-Request-Payer") != "requester" ||
			!strings.HasSuffix(r.UserAgent(), "/my-app") || len(r.Header.Values("Content-Type")) != 1 || r.Header.Get("Content-Type") != "text/x" {
			t.Errorf("query %s, headers %v", r.URL.RawQuery, r.Header)
		}
		return answer(200, ""), nil
	})
	b := newClient(t, rt, &oss.Options{RequestPayer: true, AppName: "my-app"}).Bucket("examplebucket")
	_, err := b.PutObject(t.Context(), "page.html", nil, &oss.PutObjectOptions{
		ObjectHeaders: oss.ObjectHeaders{Header: http.Header{"x-oss-new": {"a"}, "content-type": {"text/x"}}},
		Query:         url.Values{"x-oss-new": {"1+1"}},
	})
	if err != nil {
		t.Error(err)
	}
	signed, err := b.SignURL(t.Context(), http.MethodGet, "key", time.Hour, nil)
	if err != nil || !strings.Contains(signed, "&x-oss-request-payer=requester&") {
		t.Errorf("%s, %v", signed, err)
	}
}

// lengthless hides everything but Read.
type lengthless struct{ io.Reader }

func TestBodyLength(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Seek(3, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name string
		body io.Reader
		want int64
		text string
	}{
		{"nil", nil, 0, ""},
		{"empty", strings.NewReader(""), 0, ""},
		{"string", strings.NewReader("abc"), 3, "abc"},
		{"buffer", bytes.NewBufferString("abcd"), 4, "abcd"},
		{"file from its position", file, 7, "3456789"},
		{"section", io.NewSectionReader(strings.NewReader("0123456789"), 2, 5), 5, "23456"},
		{"limited", io.LimitReader(strings.NewReader("0123456789"), 4), 4, "0123"},
		{"limited beyond the end", io.LimitReader(strings.NewReader("01"), 4), 2, "01"},
		{"unknown", lengthless{strings.NewReader("abc")}, -1, "abc"},
	} {
		t.Run(v.name, func(t *testing.T) {
			var consumed []int64
			b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
				if r.ContentLength != v.want {
					t.Errorf("Content-Length %d, want %d", r.ContentLength, v.want)
				}
				got, err := io.ReadAll(r.Body)
				if err != nil || string(got) != v.text {
					t.Errorf("body %q, %v, want %q", got, err, v.text)
				}
				return answer(200, ""), nil
			}))
			_, err := b.PutObject(t.Context(), "key", v.body, &oss.PutObjectOptions{OnProgress: func(n, total int64) {
				if total != v.want {
					t.Errorf("progress of %d, want %d", total, v.want)
				}
				consumed = append(consumed, n)
			}})
			if err != nil {
				t.Fatal(err)
			}
			if len(v.text) > 0 && (len(consumed) == 0 || consumed[len(consumed)-1] != int64(len(v.text))) {
				t.Errorf("progress %v", consumed)
			}
		})
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
func (failingReader) Len() int                   { return 10 }

// A source that fails is not the network's fault: trying again is not for the
// engine to decide by the class of transport errors.
func TestFailingSource(t *testing.T) {
	cause := errors.New("disk is broken")
	_, err := bucketOf(t, always(200, "")).PutObject(t.Context(), "key", failingReader{cause}, nil)
	if _, ok := errors.AsType[*oss.TransportError](err); ok || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// Something between may answer 200 without a look at the body: no success.
func TestAnswerBeforeTheBody(t *testing.T) {
	early := answerer(func(r *http.Request) (*http.Response, error) {
		_, err := io.ReadFull(r.Body, make([]byte, 2))
		return answer(200, ""), err
	})
	for name, body := range map[string]io.Reader{"known": strings.NewReader("abc"), "unknown": lengthless{strings.NewReader("abc")}} {
		_, err := bucketOf(t, early).PutObject(t.Context(), "key", body, nil)
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("%s length: got %v", name, err)
		}
	}
}

// After the call the transport may still hold the body; the caller may not know.
func TestBodyIsNotReadAfterTheCall(t *testing.T) {
	var body io.Reader
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		body = r.Body
		return answer(403, errorXML("AccessDenied")), nil
	}))
	src := strings.NewReader("abc")
	if _, err := b.PutObject(t.Context(), "key", src, nil); err == nil {
		t.Fatal("want an error")
	}
	if n, err := body.Read(make([]byte, 3)); n != 0 || err == nil || src.Len() != 3 {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestGrownSource(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("0123"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		if _, err := file.WriteString("more"); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(r.Body); string(got) != "0123" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		return answer(200, ""), nil
	}))
	if _, err := b.PutObject(t.Context(), "key", io.NewSectionReader(file, 0, 4), nil); err != nil {
		t.Error(err)
	}
}

func TestShrunkSource(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	_, err := bucketAt(t, s.URL, nil).PutObject(t.Context(), "key", shrunk{strings.NewReader("0123")}, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || oss.Classify(err) != oss.ClassPermanent || !strings.Contains(err.Error(), "4 bytes, not 10") {
		t.Errorf("%v", err)
	}
}

type shrunk struct{ io.Reader }

func (shrunk) Len() int { return 10 }

// TestStuckSource: a call ends with its context though the source does not give
// a byte.
func TestStuckSource(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer s.Close()
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.Write([]byte("0"))
		cancel()
	}()
	if _, err := bucketAt(t, s.URL, nil).PutObject(ctx, "key", shrunk{r}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// BenchmarkSmallPut is what a call costs beside the transport.
func BenchmarkSmallPut(b *testing.B) {
	bucket := bucketOf(b, answerer(func(r *http.Request) (*http.Response, error) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: 200, Header: http.Header{"X-Oss-Request-Id": {"ID"}}, Body: http.NoBody}, nil
	}))
	data := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bucket.PutObject(b.Context(), "data/2024-06-12/part-000001.parquet", bytes.NewReader(data), nil); err != nil {
			b.Fatal(err)
		}
	}
}
