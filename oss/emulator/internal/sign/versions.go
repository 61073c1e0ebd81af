package sign

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const v4Algorithm = "OSS4-HMAC-SHA256"

func parseV1Query(r *Request) (*Claim, error) {
	id, _ := r.query("OSSAccessKeyId")
	sig, _ := r.query("Signature")
	text, _ := r.query("Expires")
	expires, ok := unixSeconds(text)
	if !ok {
		return nil, denied("Invalid date (should be seconds since epoch): " + text)
	}
	return &Claim{Version: V1, Presigned: true, AccessKeyID: id, Signature: sig, Expires: expires, dateText: text}, nil
}

func parseV2Query(r *Request) (*Claim, error) {
	id, _ := r.query("x-oss-access-key-id")
	sig, _ := r.query("x-oss-signature")
	text, _ := r.query("x-oss-expires")
	if id == "" || sig == "" || text == "" {
		return nil, denied("Query-string authentication requires the x-oss-signature, x-oss-expires and x-oss-access-key-id parameters.")
	}
	expires, ok := unixSeconds(text)
	if !ok {
		return nil, denied("Invalid date (should be seconds since epoch): " + text)
	}
	add, _ := r.query("x-oss-additional-headers")
	return &Claim{
		Version: V2, Presigned: true, AccessKeyID: id, Signature: sig, Expires: expires,
		dateText: text, additional: names(add),
	}, nil
}

func parseV4Header(r *Request, rest string) (*Claim, error) {
	f := fields(rest, '=')
	c := &Claim{Version: V4, Signature: f["signature"], additional: names(f["additionalheaders"])}
	if c.Signature == "" {
		return nil, invalid("The Authorization header is not well formed.")
	}
	if h, ok := r.header("x-oss-content-sha256"); ok && h != unsignedPayload && !isSHA256(h) {
		return nil, invalid("The x-oss-content-sha256 header is invalid.")
	}
	text, ok := r.header("x-oss-date")
	if !ok {
		text, _ = r.header("date") // the first Go SDK signs this text as it stands
	}
	return finishV4(c, f["credential"], text)
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

func parseV4Query(r *Request) (*Claim, error) {
	cred, _ := r.query("x-oss-credential")
	sig, _ := r.query("x-oss-signature")
	date, _ := r.query("x-oss-date")
	exp, _ := r.query("x-oss-expires")
	add, _ := r.query("x-oss-additional-headers")
	if cred == "" || sig == "" || date == "" || exp == "" {
		return nil, invalid("Query-string authentication requires the x-oss-credential, x-oss-signature, x-oss-date and x-oss-expires parameters.")
	}
	n, err := strconv.ParseInt(exp, 10, 64)
	if err != nil || n < 1 || n > int64(maxExpires/time.Second) {
		return nil, invalid("x-oss-expires must be between 1 and 604800 seconds.")
	}
	c, err := finishV4(&Claim{Version: V4, Presigned: true, Signature: sig, additional: names(add)}, cred, date)
	if err != nil {
		return nil, err
	}
	if len(present(r, c.additional)) < len(c.additional) {
		return nil, invalid("A header that x-oss-additional-headers names is missing.")
	}
	c.Expires = c.Time.Add(time.Duration(n) * time.Second)
	return c, nil
}

// finishV4 reads the credential AK/DATE/REGION/PRODUCT/aliyun_v4_request.
func finishV4(c *Claim, credential, date string) (*Claim, error) {
	p := strings.Split(credential, "/")
	if len(p) < 5 || p[len(p)-1] != "aliyun_v4_request" {
		return nil, invalid("The credential is not well formed.")
	}
	n := len(p)
	c.AccessKeyID = strings.Join(p[:n-4], "/")
	c.Date, c.Region, c.Product = p[n-4], p[n-3], p[n-2]
	t, ok := parseTime(date)
	if !ok || c.AccessKeyID == "" {
		return nil, invalid("The x-oss-date header or parameter is missing or invalid.")
	}
	if t.UTC().Format("20060102") != c.Date {
		return nil, invalid("The date of the credential differs from x-oss-date.")
	}
	c.Time, c.dateText = t.UTC(), date
	return c, nil
}

// StringToSign is the text the signature is made over, and for V4 the
// canonical request whose digest it contains.
func (c *Claim) StringToSign(r *Request) (text, canonical string) {
	switch c.Version {
	case V1:
		return c.head(r) + r.ossHeaders(nil, nil) + r.resource() + r.v1Query(), ""
	case V2:
		add := present(r, c.additional)
		res := Escape(r.resource(), false)
		if q := r.canonicalQuery("x-oss-signature"); q != "" {
			res += "?" + q
		}
		return c.head(r) + r.ossHeaders(nil, add) + strings.Join(add, ";") + "\n" + res, ""
	}
	canonical = c.canonicalV4(r)
	sum := sha256.Sum256([]byte(canonical))
	scope := c.Date + "/" + c.Region + "/" + c.Product + "/aliyun_v4_request"
	return v4Algorithm + "\n" + c.dateText + "\n" + scope + "\n" + hex.EncodeToString(sum[:]), canonical
}

// head is the part that V1 and V2 have in common.
func (c *Claim) head(r *Request) string {
	md5, _ := r.header("content-md5")
	typ, _ := r.header("content-type")
	return r.Method + "\n" + md5 + "\n" + typ + "\n" + c.dateText + "\n"
}

func present(r *Request, names []string) []string {
	var out []string
	for _, n := range names {
		if _, ok := r.header(n); ok {
			out = append(out, n)
		}
	}
	return out
}

// unsignedPayload is the hash of a body that is not part of the signature.
const unsignedPayload = "UNSIGNED-PAYLOAD"

func (c *Claim) canonicalV4(r *Request) string {
	always := func(n string) bool { return n == "content-type" || n == "content-md5" }
	add := slices.DeleteFunc(present(r, c.additional), func(n string) bool {
		return always(n) || strings.HasPrefix(n, "x-oss-")
	})
	payload := unsignedPayload
	if h, ok := r.header("x-oss-content-sha256"); ok && !c.Presigned {
		payload = h
	}
	return r.Method + "\n" + Escape(r.resource(), true) + "\n" + r.canonicalQuery("x-oss-signature") + "\n" +
		r.ossHeaders(always, add) + "\n" + strings.Join(add, ";") + "\n" + payload
}

// v1Query lists the signed sub-resources, decoded.
func (r *Request) v1Query() string {
	var list []Param
	for _, p := range r.Query {
		if subResources[p.Name] || strings.HasPrefix(p.Name, "x-oss-") {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return ""
	}
	slices.SortStableFunc(list, func(a, b Param) int { return cmp.Compare(a.Name, b.Name) })
	var b strings.Builder
	sep := byte('?')
	for _, p := range list {
		b.WriteByte(sep)
		b.WriteString(p.Name)
		if p.Value != "" {
			b.WriteByte('=')
			b.WriteString(p.Value)
		}
		sep = '&'
	}
	return b.String()
}

// A Verifier checks signatures; the zero value is ready, and it is safe for
// concurrent use. It remembers the derived V4 key, which holds for a day.
type Verifier struct {
	mu    sync.Mutex
	scope string
	key   []byte
}

// Verify reports whether c's signature over r was made with secret. On false
// the error is what a server answers.
func (v *Verifier) Verify(c *Claim, r *Request, secret string) error {
	text, canonical := c.StringToSign(r)
	var want string
	switch c.Version {
	case V1:
		want = base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secret), text))
	case V2:
		want = base64.StdEncoding.EncodeToString(mac(sha256.New, []byte(secret), text))
	default:
		want = hex.EncodeToString(mac(sha256.New, v.derive(c, secret), text))
	}
	if hmac.Equal([]byte(want), []byte(c.Signature)) {
		return nil
	}
	e := &Error{
		Status: http.StatusForbidden, Code: "SignatureDoesNotMatch", EC: "0002-00000040",
		Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		Extra: []Param{
			{"OSSAccessKeyId", c.AccessKeyID},
			{"SignatureProvided", c.Signature},
			{"StringToSign", text},
			{"StringToSignBytes", spacedHex(text)},
		},
	}
	if c.Version == V4 {
		e.EC = "0002-00000201"
		e.Extra = append(e.Extra, Param{"CanonicalRequest", canonical})
	}
	return e
}

func (v *Verifier) derive(c *Claim, secret string) []byte {
	scope := secret + "\n" + c.Date + "\n" + c.Region + "\n" + c.Product
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.scope == scope {
		return v.key
	}
	k := []byte("aliyun_v4" + secret)
	for _, step := range []string{c.Date, c.Region, c.Product, "aliyun_v4_request"} {
		k = mac(sha256.New, k, step)
	}
	v.scope, v.key = scope, k
	return k
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func spacedHex(s string) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 3*len(s))
	for i := range len(s) {
		b = append(b, digits[s[i]>>4], digits[s[i]&15], ' ')
	}
	return strings.TrimSuffix(string(b), " ")
}
