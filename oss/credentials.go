package oss

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Credentials are what requests are signed with. They print redacted,
// whatever the verb or encoder.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string

	// SecurityToken belongs to temporary credentials. "" means none.
	SecurityToken string

	// Expires is when the credentials end. Zero means not known or never.
	Expires time.Time
}

// CredentialsProvider supplies credentials. It is asked for every request, may
// be asked by several goroutines at once, and should cache (see
// RefreshingCredentials). One with a method Invalidate(Credentials) is told of
// credentials that the service has refused as expired.
type CredentialsProvider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// CredentialsFunc makes a provider of a function.
type CredentialsFunc func(ctx context.Context) (Credentials, error)

// Credentials calls f.
func (f CredentialsFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// StaticCredentials always gives the same credentials. token may be "".
func StaticCredentials(id, secret, token string) CredentialsProvider {
	c := Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
	return CredentialsFunc(func(context.Context) (Credentials, error) { return c, nil })
}

// AnonymousCredentials leaves requests unsigned, which public buckets accept.
func AnonymousCredentials() CredentialsProvider {
	return CredentialsFunc(func(context.Context) (Credentials, error) { return Credentials{}, nil })
}

// EnvironmentCredentials reads OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, if
// set, OSS_SESSION_TOKEN anew for every request. A missing variable is an error
// that names it.
func EnvironmentCredentials() CredentialsProvider {
	return CredentialsFunc(func(context.Context) (Credentials, error) {
		c := Credentials{
			AccessKeyID:     os.Getenv("OSS_ACCESS_KEY_ID"),
			AccessKeySecret: os.Getenv("OSS_ACCESS_KEY_SECRET"),
			SecurityToken:   os.Getenv("OSS_SESSION_TOKEN"),
		}
		if c.AccessKeyID == "" {
			return Credentials{}, usageError("", "environment", "OSS_ACCESS_KEY_ID is not set")
		}
		if c.AccessKeySecret == "" {
			return Credentials{}, usageError("", "environment", "OSS_ACCESS_KEY_SECRET is not set")
		}
		return c, nil
	})
}

// anonymous reports whether there is nothing to sign with.
func (c Credentials) anonymous() bool { return c.AccessKeyID == "" && c.AccessKeySecret == "" }

func (c Credentials) validate() error {
	for _, f := range []struct{ name, value string }{
		{"access key id", c.AccessKeyID},
		{"access key secret", c.AccessKeySecret},
		{"security token", c.SecurityToken},
	} {
		if strings.ContainsFunc(f.value, isControl) {
			return usageError("", f.name, "credential has a control character")
		}
		if f.value != strings.TrimSpace(f.value) {
			return usageError("", f.name, "credential has a space at its beginning or end")
		}
	}
	if (c.AccessKeyID == "") != (c.AccessKeySecret == "") {
		return usageError("", "credentials", "only one of access key id and secret is set")
	}
	return nil
}

// String shows no more than whether there is a key and a token.
func (c Credentials) String() string {
	switch {
	case c.anonymous():
		return "anonymous"
	case c.SecurityToken != "":
		return "access key and token (redacted)"
	}
	return "access key (redacted)"
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format prints String for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) } //nolint:errcheck // fmt.State does not fail

// LogValue is String.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON gives String as a JSON string.
func (c Credentials) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// CredentialsError says that a provider gave no credentials.
type CredentialsError struct {
	Err error
}

func (e *CredentialsError) Error() string { return "oss: credentials: " + e.Err.Error() }

// Unwrap gives the provider's error.
func (e *CredentialsError) Unwrap() error { return e.Err }

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
