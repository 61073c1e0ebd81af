package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Version is the client's version in the User-Agent header.
const Version = "0.1.0"

func userAgent(app string) string {
	s := "osssync/" + Version + " (" + runtime.GOOS + "/-/" + runtime.GOARCH + ";" + runtime.Version() + ")"
	if app != "" {
		s += "/" + app
	}
	return s
}

// call is one request before it is signed.
type call struct {
	client *Client
	scope  scope
	op     string
	method string
	bucket string
	key    string
	query  []param
	header http.Header
	body   *requestBody // nil: none
}

// scope is what a call is on: an empty key must not turn a call on an object
// into one on its bucket.
type scope int

const (
	serviceScope scope = iota
	bucketScope
	objectScope
)

func (c *Client) newCall(op, method string) *call {
	return &call{client: c, op: op, method: method, header: make(http.Header, 12)}
}

func (b *Bucket) newCall(op, method string) *call {
	r := b.client.newCall(op, method)
	r.scope, r.bucket = bucketScope, b.name
	if b.client.payer {
		r.header["X-Oss-Request-Payer"] = []string{"requester"}
	}
	return r
}

func (b *Bucket) objectCall(op, method, key string) *call {
	r := b.newCall(op, method)
	r.scope, r.key = objectScope, key
	return r
}

func (c *call) set(name, value string) { c.query = append(c.query, param{name, value}) }

func (c *call) setInt(name string, n int64) { c.set(name, strconv.FormatInt(n, 10)) }

func (c *call) setOpt(name, value string) {
	if value != "" {
		c.set(name, value)
	}
}

// setPage writes the bound of a listing's page.
func (c *call) setPage(name string, n int) error {
	if n < 0 || n > 1000 {
		return usageError(c.op, name, strconv.Itoa(n)+" is not 1 to 1000")
	}
	if n == 0 {
		n = 1000
	}
	c.setInt(name, int64(n))
	return nil
}

func (c *call) addQuery(q url.Values) {
	for name, values := range q {
		for _, v := range values {
			c.set(name, v)
		}
	}
}

// Bounds of a traffic limit in bit/s: 240 Kbit/s to 800 Mbit/s (OSS,
// "Single-connection bandwidth throttling").
const (
	MinTrafficLimit = 245_760
	MaxTrafficLimit = 838_860_800
)

// trafficLimit asks for a bounded rate; check refuses one that OSS does not
// take.
func (c *call) trafficLimit(bits int64) {
	if bits != 0 {
		c.header.Set("X-Oss-Traffic-Limit", strconv.FormatInt(bits, 10))
	}
}

func checkTrafficLimit(op, value string) error {
	if bits, err := strconv.ParseInt(value, 10, 64); err != nil || bits < MinTrafficLimit || bits > MaxTrafficLimit {
		return usageError(op, "traffic limit", fmt.Sprintf("%s is not %d to %d bit/s", value, MinTrafficLimit, MaxTrafficLimit))
	}
	return nil
}

// check holds names and headers against what can be sent. Line breaks in a
// value would be another header.
func (c *call) check() error {
	if c.scope >= bucketScope {
		if err := checkBucketName(c.op, c.bucket); err != nil {
			return err
		}
	}
	if c.scope == objectScope {
		if err := checkKey(c.op, c.key); err != nil {
			return err
		}
	}
	if limit := c.header.Get("X-Oss-Traffic-Limit"); limit != "" {
		if err := checkTrafficLimit(c.op, limit); err != nil {
			return err
		}
	}
	for _, p := range c.query {
		if p.name == "x-oss-traffic-limit" {
			if err := checkTrafficLimit(c.op, p.value); err != nil {
				return err
			}
		}
	}
	for name, values := range c.header {
		if !validHeaderName(name) {
			return usageError(c.op, "header", quote(name)+" is no header name")
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && isControl(r) }) {
				return usageError(c.op, "header", name+" has a control character in its value")
			}
		}
	}
	return nil
}

func validHeaderName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// do signs and sends c. An answer other than 2xx is a *ServerError. The body of
// the answer is the caller's to close; that of the request is not read any more.
func (c *Client) do(ctx context.Context, r *call) (*http.Response, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	creds, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, r, c.build(ctx, r, creds))
	if err != nil && Classify(err) == ClassExpired {
		if p, ok := c.creds.(invalidator); ok {
			p.Invalidate(creds) // the next attempt has others
		}
	}
	return resp, err
}

// send is do from the finished request on.
func (c *Client) send(ctx context.Context, r *call, req *http.Request) (*http.Response, error) {
	resp, err := r.roundTrip(ctx, req)
	r.body.stop(ctx)
	if err != nil {
		return nil, r.transportError(ctx, err)
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if resp.StatusCode/100 == 2 && resp.StatusCode != http.StatusNonAuthoritativeInfo {
		if !r.body.complete() {
			resp.Body.Close()
			return nil, r.answerError(resp, "success before the body was sent")
		}
		if !fromOSS(resp.Header) {
			resp.Body.Close()
			return nil, r.answerError(resp, "success, but not from OSS: no x-oss header")
		}
		return resp, nil
	}
	se := r.serverError(resp)
	c.correctClock(se)
	return nil, se
}

// roundTrip is the transport's, but ends with ctx: of a connection that is
// closed amid a body net/http waits for the Read it is at, and the source may be
// on a server that has gone.
func (c *call) roundTrip(ctx context.Context, req *http.Request) (*http.Response, error) {
	if c.body == nil || c.body.length == 0 {
		return c.client.transport.RoundTrip(req)
	}
	type outcome struct {
		resp *http.Response
		err  error
	}
	done, left := make(chan outcome), make(chan struct{})
	defer close(left)
	go func() {
		resp, err := c.client.transport.RoundTrip(req)
		select {
		case done <- outcome{resp, err}:
		case <-left:
			if err == nil {
				resp.Body.Close()
			}
		}
	}()
	select {
	case o := <-done:
		return o.resp, o.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case o := <-done:
		return o.resp, o.err
	case <-patience.C:
		c.body.stuck = true
		return nil, ctx.Err()
	}
}

// fromOSS says whether an answer is the service's: a captive portal or a broken
// proxy says 200 to everything, and has ETags too.
func fromOSS(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Oss-") {
			return true
		}
	}
	return false
}

// doEmpty is do for an answer whose body does not matter, as long as it is no
// document: that says something else than the status.
func (c *Client) doEmpty(ctx context.Context, r *call) (*http.Response, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, _ := readBounded(resp, maxDiscard) //nolint:errcheck // the status came whole
	return resp, r.noDocument(resp, body)
}

// doText is doRead for an answer that is neither XML nor HTML.
func (c *Client) doText(ctx context.Context, r *call) (*http.Response, []byte, error) {
	resp, body, err := c.doRead(ctx, r, maxAnswer)
	if err != nil {
		return nil, nil, err
	}
	return resp, body, r.noDocument(resp, body)
}

// noDocument refuses an error under a status of success, and what a proxy says
// in the service's place.
func (c *call) noDocument(resp *http.Response, body []byte) error {
	text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) == 0 || text[0] != '<' {
		return nil
	}
	return c.xmlError(resp, body, errors.New("a document where none is due"))
}

// needETag refuses an answer that does not say what was stored.
func (c *call) needETag(resp *http.Response, etag string) error {
	if etag == "" {
		return c.answerError(resp, "no ETag")
	}
	return nil
}

// doPlain is doEmpty for a call whose answer says nothing of its own.
func (b *Bucket) doPlain(ctx context.Context, r *call) (*Response, error) {
	resp, err := b.client.doEmpty(ctx, r)
	if err != nil {
		return nil, err
	}
	return new(newResponse(resp)), nil
}

// transportError names what failed without the URL, whose query may hold a
// signature.
func (c *call) transportError(ctx context.Context, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if src := c.body.failure(); src != nil && ctx.Err() == nil {
		return fmt.Errorf("oss: %s%s: read the body: %w", c.op, target(c.bucket, c.key), src)
	}
	return &TransportError{
		Operation: c.op, Bucket: c.bucket, Key: c.key,
		Sent: c.body.sent(), SentCRC64: c.body.sum(), Err: causeOf(err, ctx.Err()),
	}
}

// causeOf keeps two things apart that look alike in an error: the caller's
// context ended (ended is not nil), or something below had a deadline of its
// own, which net makes match context.DeadlineExceeded too.
func causeOf(err, ended error) error {
	switch {
	case ended != nil && !errors.Is(err, ended):
		return fmt.Errorf("%w: %w", ended, err)
	case ended == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return errors.New(err.Error())
	}
	return err
}

func (c *call) answerError(resp *http.Response, reason string) error {
	return &AnswerError{
		Operation: c.op, Bucket: c.bucket, Key: c.key,
		RequestID: resp.Header.Get("X-Oss-Request-Id"), Reason: reason,
	}
}

// checkCRC compares the server's CRC-64, where it sent one, with sum.
func (c *call) checkCRC(resp *http.Response, sum uint64) error {
	server, ok := crcOf(resp.Header)
	if !ok || server == sum || c.client.disableCRC {
		return nil
	}
	return &IntegrityError{
		Operation: c.op, Bucket: c.bucket, Key: c.key,
		RequestID: resp.Header.Get("X-Oss-Request-Id"), Expected: server, Actual: sum,
	}
}

// discard reads what little is left of a body, so that its connection can be
// used again, and closes it.
func discard(body io.ReadCloser) {
	io.CopyN(io.Discard, body, maxDiscard) //nolint:errcheck // only the connection's reuse is at stake
	body.Close()
}

// maxDiscard is what a connection's reuse is worth in bytes: about what a new
// TLS handshake moves and waits for.
const maxDiscard = 64 << 10
