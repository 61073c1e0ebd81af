package oss

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// maxCredentials bounds what a source of credentials may answer, in bytes.
const maxCredentials = 64 << 10

// fetchTimeout bounds one request to a source of credentials.
const fetchTimeout = 10 * time.Second

// fetch reads a small answer. It follows no redirect and sends nothing but what
// it is given.
func fetch(ctx context.Context, client *http.Client, method, address string, header http.Header, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errors.New("its address is no URL")
	}
	if req.URL.User != nil {
		return nil, errors.New("its address must not hold a user or password")
	}
	if header != nil {
		req.Header = header
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if client != nil {
		c.Transport = client.Transport
	}
	resp, err := c.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // the URL of an RPC is signed
		}
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxCredentials+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxCredentials:
		return nil, fmt.Errorf("its answer is larger than %d bytes", maxCredentials)
	case resp.StatusCode != http.StatusOK:
		return text, &fetchError{status: resp.StatusCode, text: refusalOf(text)}
	}
	return text, nil
}

// fetchError is an answer that is no success.
type fetchError struct {
	status int
	text   string
}

func (e *fetchError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("answered %d %s", e.status, e.text))
}

// refusalOf takes code and message out of an error answer.
func refusalOf(text []byte) string {
	var e struct{ Code, Message string }
	if json.Unmarshal(text, &e) != nil {
		return ""
	}
	return strings.TrimSpace(e.Code + " " + e.Message)
}

// tokenAnswer is temporary credentials as all sources write them.
type tokenAnswer struct {
	Code            string
	AccessKeyID     string `json:"AccessKeyId"`
	AccessKeySecret string
	SecurityToken   string
	Expiration      string
}

func (t *tokenAnswer) credentials() (Credentials, error) {
	if t.AccessKeyID == "" || t.AccessKeySecret == "" {
		return Credentials{}, errors.New("its answer holds no credentials")
	}
	c := Credentials{AccessKeyID: t.AccessKeyID, AccessKeySecret: t.AccessKeySecret, SecurityToken: t.SecurityToken}
	if t.Expiration != "" {
		end, err := time.Parse(time.RFC3339, t.Expiration)
		if err != nil {
			return Credentials{}, fmt.Errorf("its answer expires at %q, which is no time", t.Expiration)
		}
		c.Expires = end
	}
	return c, nil
}

// ECSRoleOptions tunes ECSRoleCredentials. The zero value is ready to use on
// an ECS machine.
type ECSRoleOptions struct {
	// Role is the name of the machine's RAM role. "" asks the machine.
	Role string

	// Endpoint is where the metadata is. "" means http://100.100.100.200.
	Endpoint string

	// NoTokenFallback refuses the metadata service without tokens (IMDSv1).
	NoTokenFallback bool

	// HTTPClient sends the requests; nil means one without a proxy.
	HTTPClient *http.Client
}

// ECSRoleCredentials are those of the RAM role of the ECS machine it runs on,
// refreshed ahead of their end. It uses a metadata token where the machine
// gives one (IMDSv2).
func ECSRoleCredentials(opts *ECSRoleOptions) CredentialsProvider {
	var o ECSRoleOptions
	if opts != nil {
		o = *opts
	}
	o.defaults()
	return RefreshingCredentials(CredentialsFunc(o.fetch))
}

func (o *ECSRoleOptions) defaults() {
	if o.Endpoint == "" {
		o.Endpoint = "http://100.100.100.200"
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
}

func (o *ECSRoleOptions) fetch(ctx context.Context) (Credentials, error) {
	base := strings.TrimSuffix(o.Endpoint, "/") + "/latest/"
	header := http.Header{}
	token, err := fetch(ctx, o.HTTPClient, http.MethodPut, base+"api/token", http.Header{"X-Aliyun-Ecs-Metadata-Token-Ttl-Seconds": {"21600"}}, nil)
	if err == nil {
		header.Set("X-Aliyun-Ecs-Metadata-Token", strings.TrimSpace(string(token)))
	} else if o.NoTokenFallback || ctx.Err() != nil {
		return Credentials{}, fmt.Errorf("metadata of the ECS machine: token: %w", err)
	}
	role := o.Role
	const path = "meta-data/ram/security-credentials/"
	if role == "" {
		name, err := fetch(ctx, o.HTTPClient, http.MethodGet, base+path, header.Clone(), nil)
		if err != nil {
			return Credentials{}, fmt.Errorf("metadata of the ECS machine: name of the role: %w", err)
		}
		role, _, _ = strings.Cut(strings.TrimSpace(string(name)), "\n")
	}
	text, err := fetch(ctx, o.HTTPClient, http.MethodGet, base+path+url.PathEscape(role), header, nil)
	if err != nil {
		return Credentials{}, fmt.Errorf("metadata of the ECS machine: role %q: %w", role, err)
	}
	var t tokenAnswer
	if err := json.Unmarshal(text, &t); err != nil {
		return Credentials{}, fmt.Errorf("metadata of the ECS machine: role %q: the answer is no JSON", role)
	}
	if t.Code != "" && t.Code != "Success" {
		return Credentials{}, fmt.Errorf("metadata of the ECS machine: role %q: %s", role, t.Code)
	}
	creds, err := t.credentials()
	if err != nil {
		return Credentials{}, fmt.Errorf("metadata of the ECS machine: role %q: %w", role, err)
	}
	return creds, nil
}

// ecsFromEnvironment is a role that ALIBABA_CLOUD_ECS_METADATA names; without
// it nothing is asked, for elsewhere the metadata's address leads nowhere.
func ecsFromEnvironment() CredentialsProvider {
	return RefreshingCredentials(CredentialsFunc(func(ctx context.Context) (Credentials, error) {
		o := ECSRoleOptions{Role: os.Getenv("ALIBABA_CLOUD_ECS_METADATA")}
		if o.Role == "" {
			return Credentials{}, usageError("", "environment", "ALIBABA_CLOUD_ECS_METADATA is not set")
		}
		o.defaults()
		return o.fetch(ctx)
	}))
}

// cloudEnvironment reads the variables of the vendor's other tools.
func cloudEnvironment() CredentialsProvider {
	return CredentialsFunc(func(context.Context) (Credentials, error) {
		c := Credentials{
			AccessKeyID: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), AccessKeySecret: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
			SecurityToken: os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN"),
		}
		if c.AccessKeyID == "" || c.AccessKeySecret == "" {
			return Credentials{}, usageError("", "environment", "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set")
		}
		return c, nil
	})
}

// ProcessCredentials runs a program, without a shell, and reads credentials
// from its output: JSON with AccessKeyId, AccessKeySecret, SecurityToken and
// Expiration (RFC 3339), the last two if they are temporary. They are refreshed
// ahead of their end. The program has 30 s; its own words on stderr are not
// repeated.
func ProcessCredentials(program string, args ...string) CredentialsProvider {
	return RefreshingCredentials(CredentialsFunc(func(ctx context.Context) (Credentials, error) {
		ctx, cancel := context.WithTimeout(ctx, processTimeout)
		defer cancel()
		out := limitedBuffer{left: maxCredentials}
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Stdout = &out
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil || out.err != nil {
			return Credentials{}, fmt.Errorf("program %s: %w", quote(program), cmp.Or(out.err, context.Cause(ctx), err))
		}
		var t tokenAnswer
		if err := json.Unmarshal(out.buf.Bytes(), &t); err != nil {
			return Credentials{}, fmt.Errorf("program %s: its output is no JSON", quote(program))
		}
		creds, err := t.credentials()
		if err != nil {
			return Credentials{}, fmt.Errorf("program %s: %w", quote(program), err)
		}
		return creds, nil
	}))
}

const processTimeout = 30 * time.Second

// limitedBuffer takes so much and then fails.
type limitedBuffer struct {
	buf  bytes.Buffer
	left int
	err  error
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) > l.left {
		l.err = fmt.Errorf("its output is larger than %d bytes", maxCredentials)
		return 0, l.err
	}
	l.left -= len(p)
	return l.buf.Write(p)
}
