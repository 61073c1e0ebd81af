// Package sign reads and checks the signatures of OSS requests: versions 1, 2
// and 4, in the Authorization header and in presigned URLs.
//
// It is written against the protocol's description only and shares nothing
// with any client, so that a mistake on one side cannot hide one on the other.
package sign

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxSkew is how far a header-signed request's clock may be from the server's.
const MaxSkew = 15 * time.Minute

// maxExpires is the longest life of a version 4 URL.
const maxExpires = 7 * 24 * time.Hour

// Param is one query parameter, percent-decoded, in the order of the wire.
type Param struct{ Name, Value string }

// Request is the part of an HTTP request that signatures cover.
type Request struct {
	Method        string
	Bucket, Key   string // decoded; empty at service and bucket level
	Query         []Param
	Header        http.Header
	Host          string
	ContentLength int64
}

// Version is the number of a signature scheme.
type Version int

// The schemes of OSS.
const (
	V1 Version = 1
	V2 Version = 2
	V4 Version = 4
)

// Claim is what a request says about its signer; nothing in it is proven
// before Verifier.Verify.
type Claim struct {
	Version     Version
	Presigned   bool
	AccessKeyID string
	Signature   string
	// Time is when the request was signed; zero for V1 and V2 URLs.
	Time time.Time
	// Expires is when a presigned URL ends; zero for header signatures.
	Expires time.Time
	// Date, Region and Product are the scope of a V4 signature.
	Date, Region, Product string

	dateText   string   // the date exactly as it stands in the string to sign
	additional []string // lower case, sorted, unique, as claimed
}

// Error is a refusal: a code of the protocol with its text and EC.
type Error struct {
	Status            int
	Code, EC, Message string
	// Extra are further elements of the error answer, in order.
	Extra []Param
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func invalid(msg string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: msg}
}

func denied(msg string) *Error {
	return &Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: msg}
}

func (r *Request) query(name string) (string, bool) {
	for _, p := range r.Query {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// header returns a header's value as it is signed: trimmed, repetitions
// joined by commas. Go keeps Host and Content-Length out of the header map.
func (r *Request) header(lower string) (string, bool) {
	if vs := r.Header.Values(lower); len(vs) > 0 {
		return joinTrimmed(vs), true
	}
	switch {
	case lower == "host" && r.Host != "":
		return r.Host, true
	case lower == "content-length" && r.ContentLength >= 0:
		return strconv.FormatInt(r.ContentLength, 10), true
	}
	return "", false
}

func joinTrimmed(vs []string) string {
	if len(vs) == 1 {
		return strings.TrimSpace(vs[0])
	}
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = strings.TrimSpace(v)
	}
	return strings.Join(out, ",")
}

// Parse finds the signature of r. It returns nil and no error for a request
// that carries none, and an *Error for one that cannot be understood.
func Parse(r *Request) (*Claim, error) {
	auth := r.Header.Get("Authorization")
	version, _ := r.query("x-oss-signature-version")
	_, v4q := r.query("x-oss-credential")
	_, v2q := r.query("x-oss-access-key-id")
	_, hasID := r.query("OSSAccessKeyId")
	_, hasExp := r.query("Expires")
	_, hasSig := r.query("Signature")
	inQuery := version != "" || v2q || v4q || hasID || hasExp || hasSig
	switch {
	case auth != "" && inQuery:
		return nil, invalid("Only one of Authorization header and query string authentication may be given.")
	case auth != "":
		return parseHeader(r, auth)
	case version == "OSS2" || (version == "" && v2q):
		return parseV2Query(r)
	case version == v4Algorithm || (version == "" && v4q):
		return parseV4Query(r)
	case version != "":
		return nil, invalid("The signature version is not supported.")
	case !inQuery:
		return nil, nil
	case !hasID || !hasExp || !hasSig:
		return nil, denied("Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters.")
	}
	return parseV1Query(r)
}

func parseHeader(r *Request, auth string) (*Claim, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(auth), " ")
	rest = strings.TrimSpace(rest)
	switch scheme {
	case "OSS":
		id, sig, ok := strings.Cut(rest, ":")
		if !ok || id == "" || sig == "" {
			return nil, invalid("The Authorization header is not well formed.")
		}
		return withDate(r, &Claim{Version: V1, AccessKeyID: id, Signature: sig})
	case "OSS2":
		f := fields(rest, ':')
		c := &Claim{Version: V2, AccessKeyID: f["accesskeyid"], Signature: f["signature"], additional: names(f["additionalheaders"])}
		if c.AccessKeyID == "" || c.Signature == "" {
			return nil, invalid("The Authorization header is not well formed.")
		}
		return withDate(r, c)
	case v4Algorithm:
		return parseV4Header(r, rest)
	}
	return nil, invalid("The authorization scheme is not supported.")
}

// withDate fills in the date of a V1 or V2 header signature.
func withDate(r *Request, c *Claim) (*Claim, error) {
	text, ok := r.header("x-oss-date")
	if !ok {
		text, _ = r.header("date")
	}
	t, ok := parseTime(text)
	if !ok {
		return nil, denied("OSS authentication requires a valid Date.")
	}
	c.Time, c.dateText = t, text
	return c, nil
}

// fields splits "a=1, b=2" (or with colons) into lower-case names and values,
// whatever the order and spacing.
func fields(s string, sep byte) map[string]string {
	out := make(map[string]string, 3)
	for item := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(item, string(sep))
		out[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return out
}

// names splits a list of header names into lower case, sorted and unique.
func names(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	for n := range strings.SplitSeq(s, ";") {
		if n = strings.ToLower(strings.TrimSpace(n)); n != "" {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const basicTime = "20060102T150405Z"

func parseTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	if t, err := time.Parse(basicTime, s); err == nil {
		return t, true
	}
	if t, err := http.ParseTime(s); err == nil {
		return t, true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

// unixSeconds reads the absolute expiry of V1 and V2 URLs.
func unixSeconds(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

// CheckTime refuses a claim whose time or scope does not fit the server's.
func (c *Claim) CheckTime(now time.Time) error {
	const stamp = "2006-01-02T15:04:05.000Z"
	serverTime := now.UTC().Format(stamp)
	if c.Presigned {
		if now.After(c.Expires) {
			e := denied("Request has expired.")
			e.Extra = []Param{{"Expires", c.Expires.UTC().Format(stamp)}, {"ServerTime", serverTime}}
			return e
		}
		if c.Version != V4 || c.Time.Sub(now) <= MaxSkew {
			return nil
		}
	} else if d := now.Sub(c.Time); d.Abs() <= MaxSkew {
		return nil
	}
	return &Error{
		Status: http.StatusForbidden, Code: "RequestTimeTooSkewed", EC: "0002-00000504",
		Message: "The difference between the request time and the current time is too large.",
		Extra: []Param{
			{"MaxAllowedSkewMilliseconds", strconv.FormatInt(MaxSkew.Milliseconds(), 10)},
			{"RequestTime", c.Time.UTC().Format(stamp)},
			{"ServerTime", serverTime},
		},
	}
}

// CheckScope refuses a V4 claim made for another region or product. A cloud
// box has its own id in the region's place, which any server accepts.
func (c *Claim) CheckScope(region string) error {
	if c.Version != V4 {
		return nil
	}
	switch c.Product {
	case "oss":
		if c.Region != region {
			msg := "Invalid signing region in Authorization header."
			if c.Presigned {
				msg = "The signing region in credential is invalid."
			}
			e := invalid(msg)
			e.EC = "0002-00000226"
			return e
		}
	case "oss-cloudbox":
	default:
		e := invalid("Invalid signing product in Authorization header, expected oss.")
		e.EC = "0002-00000227"
		return e
	}
	return nil
}

// ossHeaders lists the x-oss-* headers and those named in extra, sorted by
// lower-case name, each as "name:value\n".
func (r *Request) ossHeaders(extra func(lower string) bool, also []string) string {
	type pair struct{ name, value string }
	var list []pair
	for name, vs := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-oss-") || extra != nil && extra(lower) {
			list = append(list, pair{lower, joinTrimmed(vs)})
		}
	}
	for _, n := range also {
		if slices.ContainsFunc(list, func(p pair) bool { return p.name == n }) {
			continue
		}
		if v, ok := r.header(n); ok {
			list = append(list, pair{n, v})
		}
	}
	slices.SortFunc(list, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.name)
		b.WriteByte(':')
		b.WriteString(p.value)
		b.WriteByte('\n')
	}
	return b.String()
}

// resource is the signed path, decoded.
func (r *Request) resource() string {
	if r.Bucket == "" {
		return "/"
	}
	return "/" + r.Bucket + "/" + r.Key
}

// canonicalQuery lists all parameters but skip, encoded and sorted; an empty
// value stands without "=", whatever the wire had.
func (r *Request) canonicalQuery(skip string) string {
	list := make([]string, 0, len(r.Query))
	for _, p := range r.Query {
		if p.Name == skip {
			continue
		}
		s := Escape(p.Name, false)
		if p.Value != "" {
			s += "=" + Escape(p.Value, false)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b string) int {
		an, _, _ := strings.Cut(a, "=")
		bn, _, _ := strings.Cut(b, "=")
		return cmp.Compare(an, bn)
	})
	return strings.Join(list, "&")
}

// Escape percent-encodes all but letters, digits and "-_.~"; with keepSlash
// it leaves slashes alone. This is the one encoding of the protocol.
func Escape(s string, keepSlash bool) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '_' || c == '.' || c == '~' || keepSlash && c == '/'
	}
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
