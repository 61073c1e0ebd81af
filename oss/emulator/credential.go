package emulator

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
)

// Credential is a key of the one owner there is, besides that of Options:
// another long-lived one, or temporary ones with a token.
type Credential struct {
	AccessKeyID     string
	AccessKeySecret string

	// SecurityToken makes it temporary: requests must carry the token.
	SecurityToken string

	// Expires is when it ends, by Options.Now. Zero means never.
	Expires time.Time

	// Disabled refuses it with UserDisable.
	Disabled bool
}

// String shows no secret.
func (c Credential) String() string { return "credential " + c.AccessKeyID }

// GoString is String.
func (c Credential) GoString() string { return c.String() }

// indexCredentials makes the table of all keys.
func indexCredentials(o *Options) (map[string]Credential, error) {
	m := map[string]Credential{o.AccessKeyID: {AccessKeyID: o.AccessKeyID, AccessKeySecret: o.AccessKeySecret}}
	for _, c := range o.Credentials {
		if c.AccessKeyID == "" || c.AccessKeySecret == "" {
			return nil, errors.New("a credential without access key id or secret")
		}
		if _, twice := m[c.AccessKeyID]; twice {
			return nil, fmt.Errorf("access key id %s is there twice", c.AccessKeyID)
		}
		m[c.AccessKeyID] = c
	}
	return m, nil
}

// credential finds the key that signed a request and holds its token against
// what was given out.
func (rq *request) credential(id, token string) (*Credential, error) {
	c, ok := rq.s.credentials[id]
	switch {
	case !ok:
		return nil, fail("InvalidAccessKeyId").with("OSSAccessKeyId", id)
	case c.Disabled:
		return nil, fail("UserDisable").with("OSSAccessKeyId", id)
	case subtle.ConstantTimeCompare([]byte(c.SecurityToken), []byte(token)) != 1:
		return nil, fail("InvalidSecurityToken")
	case !c.Expires.IsZero() && !rq.now.Before(c.Expires):
		return nil, fail("SecurityTokenExpired")
	}
	return &c, nil
}

// securityToken is the token that a request carries, wherever its version puts
// it.
func (rq *request) securityToken(c *sign.Claim) string {
	if c.Presigned || rq.header("x-oss-security-token") == "" {
		for _, name := range []string{"x-oss-security-token", "security-token"} {
			if v := rq.param(name); v != "" {
				return v
			}
		}
	}
	return rq.header("x-oss-security-token")
}
