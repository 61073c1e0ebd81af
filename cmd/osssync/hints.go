package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
)

// serviceHint says what a person can do about an answer of the service, or
// about one that did not come; "" if it is neither, or nothing comes to mind.
func serviceHint(err error) string {
	if server, ok := errors.AsType[*oss.ServerError](err); ok {
		return serverHint(server)
	}
	if incomplete, ok := errors.AsType[*transfer.IncompleteError](err); ok {
		f := incomplete.First
		hint := serverHint(&oss.ServerError{Code: f.Code, Status: f.Status, Key: f.Key})
		if hint == "" || f.Code == "" {
			return ""
		}
		return hint + "; then run the same command again: it does only what is missing"
	}
	if _, ok := errors.AsType[*oss.TransportError](err); ok {
		return networkHint(err)
	}
	return ""
}

func serverHint(e *oss.ServerError) string {
	switch {
	case strings.Contains(e.Message, "to an HTTPS server"):
		return "the service speaks TLS there: give the endpoint with https://"
	case e.Endpoint != "":
		at := e.Endpoint
		if region := regionOf(at); region != "" {
			at += " --region " + region
		}
		return fmt.Sprintf("the bucket is in another region: give --endpoint %s, or set it in the configuration file under [buckets %s]", oneLine(at), cmp.Or(oneLine(e.Bucket), "BUCKET"))
	case strings.Contains(strings.ToLower(e.Message), "region") && (e.Status == http.StatusBadRequest || e.Status == http.StatusForbidden):
		return "the request was signed for another region than the endpoint's: give the --region that --endpoint is in, or leave one of them out"
	case errors.Is(e, oss.ErrRequestTimeTooSkewed):
		return "this machine's clock is wrong" + skewOf(e) + ": set it, and keep it right with NTP (timedatectl set-ntp true)"
	case errors.Is(e, oss.ErrSecurityTokenExpired):
		return "get new temporary credentials and run the same command again: it goes on"
	case errors.Is(e, oss.ErrInvalidSecurityToken):
		return "check OSS_SESSION_TOKEN: it does not belong to the access key"
	case e.Code == "UserDisable":
		return "the account has no OSS, or is in arrears: look at it in the console"
	case errors.Is(e, oss.ErrAccessDenied):
		may := "do this"
		if e.Operation != "" {
			may += " (" + e.Operation + ")"
		}
		return "the access key may not " + may + ": ask the bucket's owner for the permission; osssync probe oss://BUCKET shows what it may"
	case e.Code == "" && strings.HasPrefix(e.Message, "the body is no error of OSS"):
		return notService
	case e.Status == http.StatusServiceUnavailable, errors.Is(e, oss.ErrThrottled):
		return "the service is busy or limits this account: ask for less at once, with -j or --tpslimit"
	case errors.Is(e, oss.ErrInvalidObjectState):
		return "the object is archived: have it restored first"
	case e.Operation == "RestoreObject" && errors.Is(e, oss.ErrOperationNotSupported):
		return "only what is archived is restored; this object can be read as it is: osssync stat says its class"
	case errors.Is(e, oss.ErrBucketAlreadyExists):
		return "the name is taken by another account: choose another one"
	case strings.ContainsAny(e.Key, "*?[") && e.Status == http.StatusNotFound && !errors.Is(e, oss.ErrNoSuchBucket):
		return "a pattern is not expanded in a key: name the prefix with -r, and say which with --include"
	}
	return ""
}

// skewOf says by how much, if the answer tells.
func skewOf(e *oss.ServerError) string {
	server, err := time.Parse(time.RFC3339, e.Details["ServerTime"])
	if err != nil {
		if server, err = http.ParseTime(e.Header.Get("Date")); err != nil {
			return ""
		}
	}
	off := time.Since(server).Round(time.Second)
	if requested, err := time.Parse(time.RFC3339, e.Details["RequestTime"]); err == nil {
		off = requested.Sub(server).Round(time.Second)
	}
	way := "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	return fmt.Sprintf(" by %s (%s the service's)", off, way)
}

// networkHint is about a request that got no usable answer.
func networkHint(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return fmt.Sprintf("there is no host %s: check --endpoint, --region and the bucket's name", oneLine(dns.Name))
		}
		return "the name server does not answer: check the network; " + seeProbe
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		if invalid, ok := errors.AsType[x509.CertificateInvalidError](cert.Err); ok && invalid.Reason == x509.Expired {
			return "check this machine's clock; if it is right, the service's certificate has expired"
		}
		return "the certificate is not the service's, or a proxy's that this machine does not trust: check --endpoint, or trust its authority with SSL_CERT_FILE"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "what answers there speaks no TLS: try http:// before the endpoint, or check --proxy"
	}
	return ""
}

// notService is about an answer that OSS would not give.
const notService = "what answered is probably not the service but something before it, as a proxy, or a network that wants a sign-in: check the network, --proxy and --endpoint; " + seeProbe

const seeProbe = "osssync probe goes through it step by step"

// globHint is about a file that is not there because the shell found nothing
// that matches its pattern.
func globHint(err error) string {
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(err.Error(), "*?[") {
		return "the shell found nothing that matches the pattern, or had it in quotes; check it, or copy the folder with -r and say which files with --include"
	}
	return ""
}
