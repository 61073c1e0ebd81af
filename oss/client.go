package oss

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// SignatureVersion chooses how requests are signed.
type SignatureVersion int

// Signature versions.
const (
	SignatureAuto SignatureVersion = iota // V4 where the region is known, else V1
	SignatureV1                           // HMAC-SHA1
	SignatureV2                           // HMAC-SHA256 over the whole query
	SignatureV4                           // HMAC-SHA256 with a key per day and region
)

// AddressingStyle chooses where the bucket stands in a URL.
type AddressingStyle int

// Addressing styles.
const (
	AddressingAuto        AddressingStyle = iota // path for an IP or localhost, else virtual host
	AddressingVirtualHost                        // https://BUCKET.ENDPOINT/KEY
	AddressingPath                               // https://ENDPOINT/BUCKET/KEY
	AddressingCNAME                              // https://ENDPOINT/KEY: the endpoint is a domain bound to the bucket
)

// Options tunes a Client. The zero value is ready to use.
type Options struct {
	// Region is the region signed with, such as "cn-hangzhou". "" takes it
	// from the endpoint's name where that has one.
	Region string

	// Signature is the signature version.
	Signature SignatureVersion

	// Addressing is where the bucket stands in a URL.
	Addressing AddressingStyle

	// HTTPClient is a session that several clients may share. Only its
	// Transport is used: redirects, cookies and its Timeout are not. nil
	// makes a session for this client alone, as NewSession(nil) does.
	HTTPClient *http.Client

	// AppName is appended to the User-Agent header.
	AppName string

	// DisableCRC switches the comparison of CRC-64 values off.
	DisableCRC bool

	// RequestPayer says that the caller agrees to pay for requests to
	// requester-pays buckets.
	RequestPayer bool

	// CloudBoxID addresses a cloud box. It stands in for the region when
	// signing with V4.
	CloudBoxID string

	// AdditionalHeaders names headers that V2 and V4 sign besides those
	// they always do. Names that a request does not carry are ignored.
	AdditionalHeaders []string

	// Now is the clock that requests are signed with. nil means time.Now.
	Now func() time.Time
}

// Client sends requests to one endpoint. It is safe for concurrent use.
type Client struct {
	endpoint   endpoint
	creds      CredentialsProvider
	transport  http.RoundTripper
	signer     signer
	userAgent  string
	payer      bool
	disableCRC bool
	additional []string // lower case, sorted
	now        func() time.Time
	skew       atomic.Int64 // nanoseconds the server is ahead of now
}

// New returns a client of endpoint, a host name with or without scheme and
// port. The scheme is https unless given. A nil creds means anonymous. The
// error is a *UsageError and repeats no secret the arguments may hold.
func New(endpoint string, creds CredentialsProvider, opts *Options) (*Client, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	ep, err := parseEndpoint(endpoint, o.Addressing)
	if err != nil {
		return nil, err
	}
	if creds == nil {
		creds = AnonymousCredentials()
	}
	sg, err := newSigner(o, ep.region())
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.AppName, isControl) {
		return nil, usageError("New", "Options.AppName", "has a control character")
	}
	c := &Client{
		endpoint:   ep,
		creds:      creds,
		signer:     sg,
		userAgent:  userAgent(o.AppName),
		payer:      o.RequestPayer,
		disableCRC: o.DisableCRC,
		now:        o.Now,
	}
	if c.now == nil {
		c.now = time.Now
	}
	session := o.HTTPClient
	if session == nil {
		session = NewSession(nil)
	}
	if c.transport = session.Transport; c.transport == nil {
		c.transport = http.DefaultTransport
	}
	for _, name := range o.AdditionalHeaders {
		c.additional = append(c.additional, strings.ToLower(strings.TrimSpace(name)))
	}
	slices.Sort(c.additional)
	c.additional = slices.Compact(c.additional)
	return c, nil
}

// Endpoint is the endpoint with its scheme, such as
// "https://oss-cn-hangzhou.aliyuncs.com".
func (c *Client) Endpoint() string { return c.endpoint.scheme + "://" + c.endpoint.host }

// Bucket names a bucket. It sends nothing: a name that no bucket can have is a
// *UsageError of each call.
func (c *Client) Bucket(name string) *Bucket { return &Bucket{client: c, name: name} }

// Transport is what the client sends its requests through.
func (c *Client) Transport() http.RoundTripper { return c.transport }

// CloseIdleConnections closes the connections that no request uses. The
// client stays usable.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Bucket sends requests to one bucket. It is safe for concurrent use.
type Bucket struct {
	client *Client
	name   string
}

// Name is the bucket's name as given.
func (b *Bucket) Name() string { return b.name }

// Client is the client the bucket belongs to.
func (b *Bucket) Client() *Client { return b.client }

// Response is what every answer has. Results embed it.
type Response struct {
	// Status is the HTTP status code.
	Status int

	// Header holds the answer's headers.
	Header http.Header

	// RequestID identifies the request to the vendor's support.
	RequestID string
}

func newResponse(r *http.Response) Response {
	return Response{Status: r.StatusCode, Header: r.Header, RequestID: r.Header.Get("X-Oss-Request-Id")}
}

// ProgressFunc receives the bytes moved so far and the total, -1 where that is
// unknown. It is called from the goroutine that moves the bytes and must not
// block.
type ProgressFunc func(consumed, total int64)

// clock is the time to sign with: the caller's, corrected by what the server
// last said about it.
func (c *Client) clock() time.Time { return c.now().Add(time.Duration(c.skew.Load())) }

func (c *Client) credentials(ctx context.Context) (Credentials, error) {
	cr, err := c.creds.Credentials(ctx)
	if err != nil {
		return Credentials{}, &CredentialsError{Err: err}
	}
	if err := cr.validate(); err != nil {
		return Credentials{}, err
	}
	return cr, nil
}
