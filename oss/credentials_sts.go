package oss

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// AssumeRoleOptions tunes AssumeRoleCredentials and OIDCCredentials. The zero
// value is ready to use.
type AssumeRoleOptions struct {
	// SessionName shows in the logs of the cloud. "" means osssync.
	SessionName string

	// Duration is how long the credentials hold: 15 minutes to the role's
	// own bound. 0 means an hour.
	Duration time.Duration

	// Policy narrows what the role may do, as JSON.
	Policy string

	// ExternalID is what the role's trust policy asks for, if it does.
	ExternalID string

	// Endpoint is the STS. "" means https://sts.aliyuncs.com. One with a user
	// or password is an error of the first Credentials.
	Endpoint string

	// HTTPClient sends the requests; nil means the default.
	HTTPClient *http.Client

	// For OIDCCredentials: "" means ALIBABA_CLOUD_ROLE_ARN,
	// ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE.
	RoleARN         string
	OIDCProviderARN string
	OIDCTokenFile   string
}

func (o *AssumeRoleOptions) defaults() {
	if o.SessionName == "" {
		o.SessionName = "osssync"
	}
	if o.Duration == 0 {
		o.Duration = time.Hour
	}
	if o.Endpoint == "" {
		o.Endpoint = "https://sts.aliyuncs.com"
	}
}

// AssumeRoleCredentials are those of a RAM role, which source may assume
// (STS, AssumeRole), refreshed ahead of their end.
func AssumeRoleCredentials(source CredentialsProvider, roleARN string, opts *AssumeRoleOptions) CredentialsProvider {
	var o AssumeRoleOptions
	if opts != nil {
		o = *opts
	}
	o.defaults()
	return RefreshingCredentials(CredentialsFunc(func(ctx context.Context) (Credentials, error) {
		by, err := source.Credentials(ctx)
		if err != nil {
			return Credentials{}, err
		}
		return o.call(ctx, "AssumeRole", roleARN, url.Values{"ExternalId": {o.ExternalID}}, &by)
	}))
}

// OIDCCredentials are those of a RAM role that is assumed with an OIDC token
// from a file, as a pod with RRSA has it (STS, AssumeRoleWithOIDC). The file is
// read anew for every refresh.
func OIDCCredentials(opts *AssumeRoleOptions) CredentialsProvider {
	var o AssumeRoleOptions
	if opts != nil {
		o = *opts
	}
	o.defaults()
	return RefreshingCredentials(CredentialsFunc(func(ctx context.Context) (Credentials, error) {
		fields := map[string]string{
			"ALIBABA_CLOUD_ROLE_ARN": o.RoleARN, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": o.OIDCProviderARN, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": o.OIDCTokenFile,
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if fields[name] == "" {
				fields[name] = os.Getenv(name)
			}
			if fields[name] == "" {
				return Credentials{}, usageError("", "environment", name+" is not set")
			}
		}
		token, err := readSmall(fields["ALIBABA_CLOUD_OIDC_TOKEN_FILE"])
		if err != nil {
			return Credentials{}, fmt.Errorf("OIDC token: %w", err)
		}
		return o.call(ctx, "AssumeRoleWithOIDC", fields["ALIBABA_CLOUD_ROLE_ARN"], url.Values{
			"OIDCProviderArn": {fields["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"]}, "OIDCToken": {strings.TrimSpace(string(token))},
		}, nil)
	}))
}

// readSmall reads a file of credentials.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err == nil && len(b) > maxCredentials {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxCredentials)
	}
	return b, err
}

// call is one call of the STS: an RPC of the vendor's, signed with HMAC-SHA1 if
// by is given (RPC signature, version 1.0).
func (o *AssumeRoleOptions) call(ctx context.Context, action, roleARN string, form url.Values, by *Credentials) (Credentials, error) {
	form.Set("Action", action)
	form.Set("Version", "2015-04-01")
	form.Set("Format", "JSON")
	form.Set("RoleArn", roleARN)
	form.Set("RoleSessionName", o.SessionName)
	form.Set("DurationSeconds", itoa(int64(o.Duration/time.Second)))
	form.Set("Timestamp", time.Now().UTC().Format("2006-01-02T15:04:05Z"))
	form.Set("SignatureNonce", rand.Text())
	if o.Policy != "" {
		form.Set("Policy", o.Policy)
	}
	for name, values := range form {
		if values[0] == "" {
			form.Del(name)
		}
	}
	if by != nil {
		form.Set("SignatureMethod", "HMAC-SHA1")
		form.Set("SignatureVersion", "1.0")
		form.Set("AccessKeyId", by.AccessKeyID)
		if by.SecurityToken != "" {
			form.Set("SecurityToken", by.SecurityToken)
		}
		form.Set("Signature", signRPC(http.MethodPost, form, by.AccessKeySecret))
	}
	text, err := fetch(ctx, o.HTTPClient, http.MethodPost, strings.TrimSuffix(o.Endpoint, "/")+"/", nil, form)
	if err != nil {
		return Credentials{}, fmt.Errorf("STS %s of %s: %w", action, quote(roleARN), err)
	}
	var answer struct{ Credentials tokenAnswer }
	if err := json.Unmarshal(text, &answer); err != nil {
		return Credentials{}, fmt.Errorf("STS %s of %s: %w", action, quote(roleARN), errors.New("its answer is no JSON"))
	}
	creds, err := answer.Credentials.credentials()
	if err != nil {
		return Credentials{}, fmt.Errorf("STS %s of %s: %w", action, quote(roleARN), err)
	}
	return creds, nil
}

// signRPC is the signature of the vendor's RPC style: base64 of HMAC-SHA1 over
// METHOD&%2F&PARAMETERS, the parameters sorted and encoded twice.
func signRPC(method string, form url.Values, secret string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		pairs = append(pairs, encode(name)+"="+encode(form.Get(name)))
	}
	return base64HMACSHA1(secret+"&", []byte(method+"&%2F&"+encode(strings.Join(pairs, "&"))))
}
