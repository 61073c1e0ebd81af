package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"
)

// ParseForm finds the signature in the fields of a form that uploads an
// object; field returns one by its name in lower case. It returns nil and no
// error for a form without one, and an *Error for one that is not whole. What
// is signed is the field policy.
func ParseForm(field func(lower string) (string, bool)) (*Claim, error) {
	version, _ := field("x-oss-signature-version")
	_, v4 := field("x-oss-credential")
	id, hasID := field("ossaccesskeyid")
	sig, hasSig := field("signature")
	policy, _ := field("policy")
	switch {
	case version == v4Algorithm || version == "" && v4:
		return parseV4Form(field, policy)
	case version != "":
		return nil, invalid("The signature version is not supported.")
	case !hasID && !hasSig && policy == "":
		return nil, nil
	}
	for _, f := range []struct{ name, value string }{{"OSSAccessKeyId", id}, {"policy", policy}, {"Signature", sig}} {
		if f.value == "" {
			return nil, missingField(f.name)
		}
	}
	return &Claim{Version: V1, AccessKeyID: id, Signature: sig}, nil
}

func parseV4Form(field func(string) (string, bool), policy string) (*Claim, error) {
	for _, name := range []string{"x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"} {
		if v, _ := field(name); v == "" {
			return nil, missingField(name)
		}
	}
	if policy == "" {
		return nil, missingField("policy")
	}
	cred, _ := field("x-oss-credential")
	date, _ := field("x-oss-date")
	sig, _ := field("x-oss-signature")
	c, err := finishV4(&Claim{Version: V4, Presigned: true, Signature: sig}, cred, date)
	if err != nil {
		return nil, err
	}
	c.Expires = c.Time.Add(maxExpires)
	return c, nil
}

func missingField(name string) *Error {
	e := invalid("A signed form must have the field " + name + ", before the file.")
	e.Extra = []Param{{"ArgumentName", name}}
	return e
}

// CheckFormTime refuses a V4 form that is older than a signature can live, or
// from the future. That of V1 has no time but its policy's.
func (c *Claim) CheckFormTime(now time.Time) error {
	if c.Version != V4 {
		return nil
	}
	return c.CheckTime(now)
}

// VerifyForm is Verify for a form: policy, as it stands in the form, is what
// was signed.
func (v *Verifier) VerifyForm(c *Claim, policy, secret string) error {
	var want string
	if c.Version == V4 {
		want = hex.EncodeToString(mac(sha256.New, v.derive(c, secret), policy))
	} else {
		want = base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secret), policy))
	}
	if hmac.Equal([]byte(want), []byte(c.Signature)) {
		return nil
	}
	return &Error{
		Status: http.StatusForbidden, Code: "SignatureDoesNotMatch",
		Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		Extra: []Param{
			{"OSSAccessKeyId", c.AccessKeyID},
			{"SignatureProvided", c.Signature},
			{"StringToSign", policy},
		},
	}
}
