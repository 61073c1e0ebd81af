package oss

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is where a client sends its requests.
type endpoint struct {
	scheme string
	host   string // with the port, if any
	style  AddressingStyle
}

// parseEndpoint reads "[scheme://]host[:port][/]". Its errors do not repeat the
// text: someone may have pasted a key into it.
func parseEndpoint(text string, style AddressingStyle) (endpoint, error) {
	fail := func(reason string) (endpoint, error) { return endpoint{}, usageError("New", "endpoint", reason) }
	ep := endpoint{scheme: "https", style: style}
	rest := strings.TrimSpace(text)
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		ep.scheme, rest = strings.ToLower(scheme), after
		if ep.scheme != "http" && ep.scheme != "https" {
			return fail("the scheme must be http or https")
		}
	}
	rest = strings.TrimSuffix(rest, "/")
	switch {
	case rest == "":
		return fail("is empty")
	case strings.Contains(rest, "@"):
		return fail("must not hold a user or password")
	case strings.ContainsAny(rest, "?#"):
		return fail("must not hold a query or fragment")
	case strings.Contains(rest, "/"):
		return fail("must not hold a path")
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return endpoint{}, err
	}
	ip, isIP := parseIP(host)
	if !isIP {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if !validHost(host) {
			return fail("the host name may hold only letters, digits, '-', '_' and '.' (write other names in their xn-- form)")
		}
	} else if ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	ep.host = host
	if port != "" {
		ep.host += ":" + port
	}
	if style == AddressingAuto {
		ep.style = AddressingVirtualHost
		if isIP || host == "localhost" {
			ep.style = AddressingPath
		}
	} else if style == AddressingVirtualHost && isIP {
		return fail("an IP address has no virtual hosts")
	}
	return ep, nil
}

func splitPort(s string) (host, port string, err error) {
	if _, ok := parseIP(s); ok || !strings.Contains(s, ":") {
		return s, "", nil
	}
	host, port, err = net.SplitHostPort(s)
	if err != nil {
		return "", "", usageError("New", "endpoint", "want host or host:port, an IPv6 address in brackets")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", usageError("New", "endpoint", "the port must be 1 to 65535")
	}
	return host, port, nil
}

func parseIP(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	ip, err := netip.ParseAddr(s)
	return ip, err == nil && ip.Zone() == ""
}

func validHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !isAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// region is the region in the endpoint's name, "" if there is none:
// oss-REGION[-internal].aliyuncs.com or REGION.oss.aliyuncs.com.
func (e endpoint) region() string {
	host := e.host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	name, ok := strings.CutSuffix(host, ".aliyuncs.com")
	if !ok {
		return ""
	}
	if r, ok := strings.CutSuffix(name, ".oss"); ok && !strings.Contains(r, ".") {
		return r
	}
	r, ok := strings.CutPrefix(name, "oss-")
	if !ok || strings.Contains(r, ".") || strings.HasPrefix(r, "accelerate") {
		return ""
	}
	return strings.TrimSuffix(r, "-internal")
}

// locate gives the host and the encoded path of a request.
func (e endpoint) locate(bucket, key string) (host, path string) {
	if bucket == "" {
		return e.host, "/"
	}
	switch e.style {
	case AddressingPath:
		return e.host, "/" + bucket + "/" + encodePath(key)
	case AddressingCNAME:
		return e.host, "/" + encodePath(key)
	}
	return bucket + "." + e.host, "/" + encodePath(key)
}

// checkBucketName: 3 to 63 of a-z, 0-9 and '-', neither first nor last '-'.
func checkBucketName(op, name string) error {
	if len(name) < 3 || len(name) > 63 || name[0] == '-' || name[len(name)-1] == '-' {
		return usageError(op, "bucket", quote(name)+" is no bucket name: it needs 3 to 63 of a-z, 0-9 and '-', which is neither first nor last")
	}
	for i := range len(name) {
		if c := name[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return usageError(op, "bucket", quote(name)+" is no bucket name: only a-z, 0-9 and '-' may occur")
		}
	}
	return nil
}
