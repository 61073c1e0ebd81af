package oss_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

func errorXML(code string, more ...string) string {
	return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>because</Message>" + strings.Join(more, "") + "</Error>"
}

func serverError(t *testing.T, err error) *oss.ServerError {
	t.Helper()
	se, ok := errors.AsType[*oss.ServerError](err)
	if !ok {
		t.Fatalf("got %v, want a ServerError", err)
	}
	return se
}

func TestServerError(t *testing.T) {
	b := bucketOf(t, always(404, errorXML("NoSuchKey", "<EC>0026-00000001</EC><HostId>host</HostId><Key>dir/key</Key>"), "X-Oss-Request-Id: 65AB"))
	_, err := b.GetObject(t.Context(), "dir/key", nil)
	se := serverError(t, err)
	if se.Operation != "GetObject" || se.Bucket != "examplebucket" || se.Key != "dir/key" || se.Status != 404 || se.Code != "NoSuchKey" ||
		se.Message != "because" || se.RequestID != "65AB" || se.EC != "0026-00000001" || se.HostID != "host" || se.Details["Key"] != "dir/key" {
		t.Errorf("%+v", se)
	}
	const want = "oss: GetObject oss://examplebucket/dir/key: 404 NoSuchKey: because (request id 65AB, ec 0026-00000001)"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestServerErrorForms(t *testing.T) {
	inHeader := "X-Oss-Err: " + base64.StdEncoding.EncodeToString([]byte(errorXML("NoSuchBucket")))
	for _, v := range []struct {
		name string
		rt   answerer
		want error
		text string
	}{
		{"HEAD with x-oss-err", always(404, "", inHeader), oss.ErrNoSuchBucket, "NoSuchBucket"},
		{"HEAD without", always(404, ""), oss.ErrNotFound, "404 Not Found"},
		{"bare 403", always(403, ""), oss.ErrAccessDenied, "403"},
		{"bare 412", always(412, ""), oss.ErrPreconditionFailed, "412"},
		{"304", always(304, ""), oss.ErrNotModified, "304"},
		{"HTML of a proxy", always(502, "<html><h1>Bad\x1b[31m Gateway</h1>"), nil, "Bad\\x1b[31m Gateway"},
		{"cut XML", always(500, "<Error><Code>InternalError</Code><Mess"), nil, "InternalError"},
		{"redirect", always(301, "", "Location: https://b.oss-cn-beijing.aliyuncs.com/key?Signature=SECRET"), nil, "oss-cn-beijing.aliyuncs.com)"},
		{"redirect by XML", always(403, errorXML("AccessDenied", "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>")), oss.ErrAccessDenied, "oss-cn-beijing.aliyuncs.com)"},
		{"callback", always(203, errorXML("CallbackFailed")), oss.ErrCallbackFailed, "203 CallbackFailed"},
		{"namespace", always(404, `<Error xmlns="http://doc.oss"><Code>NoSuchKey</Code></Error>`), oss.ErrNoSuchKey, "NoSuchKey"},
		{"huge message", always(500, errorXML("InternalError", "<Message>"+strings.Repeat("é", 5000)+"</Message>")), nil, "éé"},
		{"huge", always(500, strings.Repeat("x", 1<<20)), nil, "xxx"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := bucketOf(t, v.rt).HeadObject(t.Context(), "key", nil)
			serverError(t, err)
			if v.want != nil && !errors.Is(err, v.want) {
				t.Errorf("%v is not %v", err, v.want)
			}
			if !strings.Contains(err.Error(), v.text) || strings.Contains(err.Error(), "SECRET") || len(err.Error()) > 1500 {
				t.Errorf("want %q in %v", v.text, err)
			}
		})
	}
}

func TestErrorsIn200(t *testing.T) {
	b := bucketOf(t, always(200, errorXML("InternalError")))
	parts := []oss.Part{{Number: 1, ETag: "x"}}
	for name, call := range map[string]func() error{
		"complete": func() error { _, err := b.CompleteMultipartUpload(t.Context(), "k", "id", parts, nil); return err },
		"copy":     func() error { _, err := b.CopyObject(t.Context(), "src", "s", "k", nil); return err },
		"list":     func() error { _, err := b.ListObjectsV2(t.Context(), nil); return err },
		"parts":    func() error { _, err := b.ListParts(t.Context(), "k", "id", nil); return err },
	} {
		err := call()
		if se, ok := errors.AsType[*oss.ServerError](err); !ok || se.Code != "InternalError" || oss.Classify(err) != oss.ClassRetryable {
			t.Errorf("%s: got %v (%v)", name, err, oss.Classify(err))
		}
	}
	for name, body := range map[string]string{
		"foreign root": "<Other/>", "HTML": "<html><body>Log in", "empty": "", "text": "ok",
		"half": "<CompleteMultipartUploadResult><ETag>\"x\"</ETag>",
	} {
		_, err := bucketOf(t, always(200, body)).CompleteMultipartUpload(t.Context(), "k", "id", parts, nil)
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestKeysInMessages(t *testing.T) {
	_, err := bucketOf(t, always(404, "")).HeadObject(t.Context(), "a\x1b[2Jb", nil)
	if strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a control character in %q", err)
	}
	if want := `HeadObject "oss://` + bucketOf(t, always(404, "")).Name() + `/a\x1b[2Jb": 404`; !strings.Contains(err.Error(), want) {
		t.Errorf("%q has no %s", err, want)
	}
}

// TestNoSecretInErrors has the transport and the server say all they know.
func TestNoSecretInErrors(t *testing.T) {
	leak := func(r *http.Request) string {
		return r.URL.String() + " " + r.Header.Get("Authorization") + " x-oss-security-token:" + r.Header.Get("X-Oss-Security-Token") + "\n"
	}
	for name, rt := range map[string]answerer{
		"server": func(r *http.Request) (*http.Response, error) {
			escaped := strings.NewReplacer("&", "&amp;").Replace(leak(r))
			return answer(403, errorXML("SignatureDoesNotMatch",
				"<StringToSign>GET x-oss-security-token:the-token\nnext</StringToSign><CanonicalRequest>"+escaped+"</CanonicalRequest>",
				"<StringToSignBytes>74 68 65</StringToSignBytes><SignatureProvided>SIGNATURE</SignatureProvided>")), nil
		},
		"HTML": func(r *http.Request) (*http.Response, error) { return answer(502, leak(r)), nil },
		"transport": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: leak(r), Err: errors.New("connection refused")}
		},
	} {
		_, err := bucketOf(t, rt).GetObject(t.Context(), "key", &oss.GetObjectOptions{Process: "x"})
		text := strings.ReplaceAll(fmt.Sprintf("%v %+v", err, err), "Signature=[redacted]", "")
		if se, ok := errors.AsType[*oss.ServerError](err); ok {
			text += strings.ReplaceAll(fmt.Sprint(se.Details), "Signature=[redacted]", "")
		}
		for _, secret := range []string{testSecret, "the-token", "Signature=", "SIGNATURE", "74 68 65"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q in %s", name, secret, text)
			}
		}
	}
}

func TestClassify(t *testing.T) {
	status := func(n int, code string) error { return &oss.ServerError{Status: n, Code: code} }
	for _, v := range []struct {
		err  error
		want oss.Class
	}{
		{nil, oss.ClassPermanent},
		{errors.New("other"), oss.ClassPermanent},
		{&oss.UsageError{}, oss.ClassPermanent},
		{&oss.TransportError{Err: io.ErrUnexpectedEOF}, oss.ClassRetryable},
		{&oss.TransportError{Err: syscall.ECONNRESET}, oss.ClassRetryable},
		{&oss.TransportError{Err: os.ErrDeadlineExceeded}, oss.ClassRetryable},
		{&oss.TransportError{Err: context.Canceled}, oss.ClassCanceled},
		{&oss.TransportError{Err: context.DeadlineExceeded}, oss.ClassCanceled},
		{context.Canceled, oss.ClassCanceled},
		{context.DeadlineExceeded, oss.ClassCanceled},
		{&oss.AnswerError{}, oss.ClassRetryable},
		{&oss.IntegrityError{}, oss.ClassIntegrity},
		{&oss.CredentialsError{Err: errors.New("x")}, oss.ClassPermanent},
		{status(203, "CallbackFailed"), oss.ClassPermanent},
		{status(200, "InternalError"), oss.ClassRetryable},
		{status(301, ""), oss.ClassPermanent},
		{status(304, ""), oss.ClassPermanent},
		{status(307, "TemporaryRedirect"), oss.ClassPermanent},
		{status(400, "InvalidArgument"), oss.ClassPermanent},
		{status(400, "RequestTimeout"), oss.ClassRetryable},
		{status(400, "InvalidDigest"), oss.ClassIntegrity},
		{status(400, "EntityTooSmall"), oss.ClassPermanent},
		{status(400, ""), oss.ClassPermanent},
		{status(401, ""), oss.ClassExpired},
		{status(403, "AccessDenied"), oss.ClassPermanent},
		{status(403, "InvalidAccessKeyId"), oss.ClassPermanent},
		{status(403, "SignatureDoesNotMatch"), oss.ClassPermanent},
		{status(403, "RequestTimeTooSkewed"), oss.ClassRetryable},
		{status(403, "SecurityTokenExpired"), oss.ClassExpired},
		{status(403, "InvalidSecurityToken"), oss.ClassExpired},
		{status(403, "InvalidObjectState"), oss.ClassPermanent},
		{status(404, "NoSuchKey"), oss.ClassPermanent},
		{status(404, "NoSuchUpload"), oss.ClassPermanent},
		{status(405, "MethodNotAllowed"), oss.ClassPermanent},
		{status(408, ""), oss.ClassRetryable},
		{status(409, "FileAlreadyExists"), oss.ClassPermanent},
		{status(411, "MissingContentLength"), oss.ClassPermanent},
		{status(412, "PreconditionFailed"), oss.ClassIdentity},
		{status(412, ""), oss.ClassIdentity},
		{status(416, "InvalidRange"), oss.ClassPermanent},
		{status(424, "MirrorFailed"), oss.ClassPermanent},
		{status(429, ""), oss.ClassThrottled},
		{status(500, "InternalError"), oss.ClassRetryable},
		{status(500, ""), oss.ClassRetryable},
		{status(501, "NotImplemented"), oss.ClassPermanent},
		{status(502, ""), oss.ClassRetryable},
		{status(503, "ServiceUnavailable"), oss.ClassThrottled},
		{status(503, "DownloadTrafficRateLimitExceeded"), oss.ClassThrottled},
		{status(503, "UploadTrafficRateLimitExceeded"), oss.ClassThrottled},
		{status(503, "MetaOperationQpsLimitExceeded"), oss.ClassThrottled},
		{status(503, "TotalQpsLimitExceeded"), oss.ClassThrottled},
		{status(503, "ActiveRequestLimitExceeded"), oss.ClassThrottled},
		{status(503, "CpuLimitExceeded"), oss.ClassThrottled},
		{status(503, ""), oss.ClassThrottled},
		{status(504, ""), oss.ClassRetryable},
	} {
		if got := oss.Classify(v.err); got != v.want {
			t.Errorf("%v is %v, want %v", v.err, got, v.want)
		}
		if v.err != nil {
			if got := oss.Classify(fmt.Errorf("wrapped: %w", v.err)); got != v.want {
				t.Errorf("wrapped %v is %v, want %v", v.err, got, v.want)
			}
		}
		if se, ok := v.err.(*oss.ServerError); ok && errors.Is(se, oss.ErrThrottled) != (v.want == oss.ClassThrottled) {
			t.Errorf("%v and ErrThrottled disagree with %v", v.err, v.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, v := range []struct {
		header string
		want   time.Duration
	}{
		{"X-None: 1", 0},
		{"X-Oss-Qos-Delay-Time: 250", 250 * time.Millisecond},
		{"Retry-After: 3", 3 * time.Second},
		{"Retry-After: -3", 0},
		{"Retry-After: soon", 0},
		{"Retry-After: 99999999999999", time.Hour},
		{"Retry-After: Wed, 12 Jun 2024 08:15:35 GMT", 5 * time.Second},
		{"Retry-After: Wed, 12 Jun 2024 08:15:25 GMT", 0},
		{"Retry-After: Wed, 12 Jun 2034 08:15:25 GMT", time.Hour},
	} {
		b := bucketOf(t, always(503, "", v.header, "Date: Wed, 12 Jun 2024 08:15:30 GMT"))
		_, err := b.HeadObject(t.Context(), "key", nil)
		if got := oss.RetryAfter(err); got != v.want {
			t.Errorf("%s: got %v, want %v", v.header, got, v.want)
		}
	}
	if oss.RetryAfter(nil) != 0 || oss.RetryAfter(io.EOF) != 0 {
		t.Error("want 0 of other errors")
	}
}

func TestCanceled(t *testing.T) {
	cause := errors.New("the user stopped it")
	ctx, cancel := context.WithCancelCause(t.Context())
	b := bucketOf(t, answerer(func(r *http.Request) (*http.Response, error) {
		cancel(cause)
		return nil, context.Cause(r.Context())
	}))
	_, err := b.HeadObject(ctx, "key", nil)
	if oss.Classify(err) != oss.ClassCanceled || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v (%v)", err, oss.Classify(err))
	}
}

// A deadline below the caller's is not the caller's.
func TestDialTimeoutIsRetryable(t *testing.T) {
	b := bucketOf(t, answerer(func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dial: %w", context.DeadlineExceeded)
	}))
	_, err := b.HeadObject(t.Context(), "key", nil)
	if oss.Classify(err) != oss.ClassRetryable || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v (%v)", err, oss.Classify(err))
	}
}

func TestClockIsCorrected(t *testing.T) {
	now := time.Date(2024, 6, 12, 8, 15, 30, 0, time.UTC)
	for name, v := range map[string]struct {
		body, date string
		want       string
	}{
		"ServerTime": {errorXML("RequestTimeTooSkewed", "<ServerTime>2024-06-13T01:00:00.000Z</ServerTime>"), "Date: Wed, 12 Jun 2024 08:15:30 GMT", "20240613T010000Z"},
		"Date":       {errorXML("RequestTimeTooSkewed"), "Date: Wed, 12 Jun 2024 07:00:00 GMT", "20240612T070000Z"},
		"neither":    {errorXML("RequestTimeTooSkewed"), "X: y", "20240612T081530Z"},
		"other code": {errorXML("AccessDenied"), "Date: Wed, 12 Jun 2024 07:00:00 GMT", "20240612T081530Z"},
	} {
		var signed []string
		rt := answerer(func(r *http.Request) (*http.Response, error) {
			signed = append(signed, r.Header.Get("X-Oss-Date"))
			return answer(403, v.body, v.date), nil
		})
		b := newClient(t, rt, &oss.Options{Now: func() time.Time { return now }}).Bucket("examplebucket")
		for range 3 {
			_, err := b.GetObject(t.Context(), "key", nil)
			serverError(t, err)
		}
		if signed[0] != "20240612T081530Z" || signed[1] != v.want || signed[2] != v.want {
			t.Errorf("%s: signed at %v, want then %s", name, signed, v.want)
		}
	}
}

// A captive portal says 200 to everything.
func TestSuccessThatIsNotFromOSS(t *testing.T) {
	portal := answerer(func(r *http.Request) (*http.Response, error) {
		resp, err := always(200, "<html>log in</html>", "Content-Type: text/html")(r)
		resp.Header.Del("X-Oss-Request-Id")
		return resp, err
	})
	b := newClient(t, portal, nil).Bucket("examplebucket")
	for name, call := range map[string]func() error{
		"put": func() error { _, err := b.PutObject(t.Context(), "k", strings.NewReader("x"), nil); return err },
		"part": func() error {
			_, err := b.UploadPart(t.Context(), "k", "id", 1, strings.NewReader("x"), nil)
			return err
		},
		"get":    func() error { _, err := b.GetObject(t.Context(), "k", nil); return err },
		"delete": func() error { _, err := b.DeleteObject(t.Context(), "k", nil); return err },
		"make":   func() error { _, err := b.CreateBucket(t.Context(), nil); return err },
	} {
		err := call()
		if _, ok := errors.AsType[*oss.AnswerError](err); !ok || oss.Classify(err) != oss.ClassRetryable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
