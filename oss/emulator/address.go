package emulator

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	maxKeyBytes    = 1023
	maxHeaderBytes = 32 << 10
)

// address splits a request's target into bucket and key, both decoded. It
// works on the raw path: keys may contain "//", "." and "..", and "%2F" is as
// good as "/".
func (s *Server) address(r *http.Request) (bucket, key string, err error) {
	raw := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	host := hostName(r.Host)
	bucket = s.opts.CNAMEs[host]
	if bucket == "" {
		bucket = s.hostBucket(host)
	}
	if bucket == "" {
		bucket, raw, _ = strings.Cut(raw, "/")
		if bucket == "" && raw == "" {
			return "", "", nil // service level
		}
		if bucket, err = url.PathUnescape(bucket); err != nil || !validBucket(bucket) {
			return "", "", fail("InvalidBucketName").with("BucketName", bucket)
		}
	}
	key, err = url.PathUnescape(raw)
	if err != nil || key != "" && !validKey(key) {
		return "", "", fail("InvalidObjectName").with("ObjectName", strings.ToValidUTF8(raw, "?"))
	}
	return bucket, key, nil
}

// hostName is a Host header without port, brackets and final dot, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// checkNames brings Domains and CNAMEs into the form of hostName.
func (o *Options) checkNames() error {
	domains, cnames := o.Domains, o.CNAMEs
	o.Domains, o.CNAMEs = nil, make(map[string]string, len(cnames))
	check := func(name string) error {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.Contains(name, "..") || name[0] == '.' {
			return fmt.Errorf("%q is not a domain name", name)
		}
		if _, err := netip.ParseAddr(name); err == nil {
			return fmt.Errorf("%q is an address, not a domain name", name)
		}
		return nil
	}
	for _, d := range domains {
		d = strings.TrimSuffix(strings.ToLower(d), ".")
		if err := check(d); err != nil {
			return err
		}
		o.Domains = append(o.Domains, d)
	}
	for host, bucket := range cnames {
		host = strings.TrimSuffix(strings.ToLower(host), ".")
		if err := check(host); err != nil {
			return err
		}
		if !validBucket(bucket) {
			return fmt.Errorf("host %s stands for %q, which is no name of a bucket", host, bucket)
		}
		o.CNAMEs[host] = bucket
	}
	return nil
}

// hostBucket returns the bucket that a virtual host's name contains or that it
// is a cname of, or "" for a path style request: one to an address, to
// localhost, to a name without dots, or to an endpoint. Of a name that may be
// several of these it is a bucket's if there is such a bucket.
func (s *Server) hostBucket(host string) string {
	for _, d := range s.opts.Domains {
		if host == d {
			return ""
		}
		if bucket, ok := strings.CutSuffix(host, "."+d); ok && validBucket(bucket) {
			return bucket
		}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	first, rest, ok := strings.Cut(host, ".")
	if !ok || !validBucket(first) {
		return ""
	}
	if rest != "localhost" && !s.bucketExists(first) {
		if bucket := s.cnameBucket(host); bucket != "" {
			return bucket
		}
	}
	second, _, _ := strings.Cut(rest, ".")
	if rest == "localhost" || isEndpointLabel(second) || !isEndpointLabel(first) || s.bucketExists(first) {
		return first
	}
	return ""
}

// cnameBucket returns the bucket that has a domain by PutCname, or "".
func (s *Server) cnameBucket(domain string) (bucket string) {
	err := s.store.View(func(tx *store.Tx) error {
		for b, err := range tx.Buckets("") {
			if err != nil {
				return err
			}
			c, err := tx.Config(b.Name, "cname", domain)
			if err != nil {
				return err
			}
			if c != nil {
				bucket = b.Name
				return nil
			}
		}
		return nil
	})
	if err != nil {
		s.opts.Logger.Error("look up cname", "domain", domain, "err", err)
	}
	return bucket
}

func isEndpointLabel(label string) bool { return label == "oss" || strings.HasPrefix(label, "oss-") }

func (s *Server) bucketExists(name string) bool {
	found := false
	err := s.store.View(func(tx *store.Tx) error {
		b, err := tx.Bucket(name)
		found = b != nil
		return err
	})
	return err == nil && found
}

func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func validKey(key string) bool {
	return len(key) > 0 && len(key) <= maxKeyBytes && key[0] != '/' && key[0] != '\\' &&
		utf8.ValidString(key) && strings.IndexByte(key, 0) < 0
}

// parseQuery keeps the parameters' order, and "+" as the space that lenient
// clients mean by it.
func parseQuery(raw string) ([]sign.Param, error) {
	if raw == "" {
		return nil, nil
	}
	var out []sign.Param
	for item := range strings.SplitSeq(raw, "&") {
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, failArgument("query", name, "The query string is not well formed.")
		}
		v, err := url.QueryUnescape(value)
		if err != nil || !utf8.ValidString(n) || !utf8.ValidString(v) {
			return nil, failArgument(strings.ToValidUTF8(n, "?"), value, "The query string is not well formed.")
		}
		out = append(out, sign.Param{Name: n, Value: v})
	}
	return out, nil
}
