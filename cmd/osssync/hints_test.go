package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// What goes wrong on the first day has a hint of its own.
func TestHints(t *testing.T) {
	server := func(e oss.ServerError) error { return fmt.Errorf("upload: %w", &e) }
	transport := func(err error) error {
		return fmt.Errorf("list: %w", &oss.TransportError{Operation: "ListObjects", Err: err})
	}
	now := time.Now()
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"another region", server(oss.ServerError{Status: 403, Code: "AccessDenied", Bucket: "bkt", Endpoint: "oss-cn-beijing.aliyuncs.com"}), "--endpoint oss-cn-beijing.aliyuncs.com --region cn-beijing"},
		{"wrong signing region", server(oss.ServerError{Status: 400, Code: "InvalidArgument", Message: "Invalid signing region in Authorization header."}), "signed for another region"},
		{"TLS", server(oss.ServerError{Status: 400, Message: "the body is no error of OSS, it begins \"Client sent an HTTP request to an HTTPS server"}), "https://"},
		{"clock", server(oss.ServerError{Status: 403, Code: "RequestTimeTooSkewed", Details: map[string]string{
			"ServerTime": now.UTC().Format(time.RFC3339), "RequestTime": now.Add(-20 * time.Minute).UTC().Format(time.RFC3339),
		}}), "clock is wrong by 20m0s (behind"},
		{"clock by the header", server(oss.ServerError{Status: 403, Code: "RequestTimeTooSkewed", Header: http.Header{"Date": {now.Add(-time.Hour).UTC().Format(http.TimeFormat)}}}), "clock is wrong by 1h0m"},
		{"permission", server(oss.ServerError{Status: 403, Code: "AccessDenied", Operation: "PutObject"}), "may not do this (PutObject)"},
		{"expired", server(oss.ServerError{Status: 403, Code: "SecurityTokenExpired"}), "new temporary credentials"},
		{"token", server(oss.ServerError{Status: 403, Code: "InvalidSecurityToken"}), "OSS_SESSION_TOKEN"},
		{"key", server(oss.ServerError{Status: 403, Code: "InvalidAccessKeyId"}), "OSS_ACCESS_KEY_ID"},
		{"archived", server(oss.ServerError{Status: 403, Code: "InvalidObjectState"}), "restored"},
		{"busy", server(oss.ServerError{Status: 503, Code: "ServiceUnavailable"}), "--tpslimit"},
		{"proxy", server(oss.ServerError{Status: 503, Message: "the body is no error of OSS, it begins \"<html>"}), "sign-in"},
		{"page", fmt.Errorf("list: %w", &oss.AnswerError{Operation: "ListObjects", Reason: "HTML"}), "sign-in"},
		{"taken", server(oss.ServerError{Status: 409, Code: "BucketAlreadyExists"}), "another account"},
		{"no bucket", server(oss.ServerError{Status: 404, Code: "NoSuchBucket", Key: "a*"}), "osssync mb"},
		{"pattern in a key", server(oss.ServerError{Status: 404, Code: "NoSuchKey", Key: "logs/*"}), "--include"},
		{"pattern in a path", fmt.Errorf("cp logs/*.txt: %w", fs.ErrNotExist), "the shell found nothing"},
		{"no file", fmt.Errorf("cp logs: %w", fs.ErrNotExist), "check the name"},
		{"no host", transport(&net.DNSError{Name: "bkt.oss-cn-nowhere.aliyuncs.com", IsNotFound: true}), "no host bkt.oss-cn-nowhere"},
		{"no name server", transport(&net.DNSError{Name: "h", IsTimeout: true}), "name server"},
		{"certificate", transport(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), "SSL_CERT_FILE"},
		{"certificate out of date", transport(&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}), "clock"},
		{"no TLS", transport(tls.RecordHeaderError{}), "http://"},
		{"network", transport(net.ErrClosed), "osssync probe"},
		{"first of many", &transfer.IncompleteError{Failed: 3, First: transfer.Failure{Key: "k", Code: "AccessDenied", Status: 403}}, "may not do this: ask the bucket's owner"},
		{"many", &transfer.IncompleteError{Failed: 3, First: transfer.Failure{Key: "k", Cause: "disk"}}, "it does only what is missing"},
	} {
		if got := hintFor(test.err); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q has no %q", test.name, got, test.want)
		}
	}
}

// Of many failures 20 are shown; the report has them all.
func TestFewFailuresAreShown(t *testing.T) {
	newService(t)
	dir := t.TempDir()
	const files = 30
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 200))), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	prefix := strings.Repeat("p", 900) // keys of over 1,023 bytes
	report := filepath.Join(t.TempDir(), "report")
	code, _, stderr := command(t.Context(), "cp", "-r", dir, "oss://bkt/"+prefix, "--report", report)
	if code != exitIncomplete || strings.Count(stderr, "osssync: error: upload ") != maxShown || !strings.Contains(stderr, "… and 10 more in the report") {
		t.Errorf("exit code %d, %d errors:\n%s", code, strings.Count(stderr, "osssync: error: upload "), stderr)
	}
	text, err := os.ReadFile(report)
	if err != nil || strings.Count(string(text), `"operation": "upload"`) != files {
		t.Errorf("%v, %d in the report", err, strings.Count(string(text), `"operation": "upload"`))
	}
}
