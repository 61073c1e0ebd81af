package oss

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Document is the XML body of a call: a pointer to the typed value that the
// call's comment names, or the same document ready-made, as RawXML. A document
// of another kind is a *UsageError.
type Document interface {
	// document gives the name of the root element and the whole text.
	document() (root string, text []byte, err error)
}

// RawXML is a Document that goes out as it is: for what the typed values have
// no field for.
type RawXML []byte

func (x RawXML) document() (string, []byte, error) {
	s := scanner{data: x}
	name, ok, err := s.child()
	if err == nil && !ok {
		err = errXMLEnd
	}
	if err == nil {
		err = s.skip()
	}
	return string(name), x, err
}

// maxDocument is the service's bound of a request's XML in bytes.
const maxDocument = 2 << 20

// ReadXML reads a RawXML, of at most 2 MiB.
func ReadXML(r io.Reader) (RawXML, error) {
	p, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(p) > maxDocument {
		return nil, usageError("ReadXML", "document", "is larger than 2 MiB")
	}
	return p, nil
}

// marshalDocument makes the document of a typed value. optional names elements
// that only hold others, which encoding/xml writes when they hold none; the
// innermost comes first. encoding/xml also puts a replacement character where
// XML has no form for one: that would be another prefix or name.
func marshalDocument(root string, v any, optional ...string) (string, []byte, error) {
	var b bytes.Buffer
	if err := xml.NewEncoder(&b).EncodeElement(v, xml.StartElement{Name: xml.Name{Local: root}}); err != nil {
		return root, nil, err
	}
	text := b.Bytes()
	if len(text) == 0 {
		return root, nil, usageError("", "document", "is nil")
	}
	if bytes.ContainsRune(text, '\uFFFD') {
		return root, nil, usageError("", "document", "has a character that XML cannot hold: send it as RawXML")
	}
	for _, name := range optional {
		text = bytes.ReplaceAll(text, []byte("<"+name+"></"+name+">"), nil)
	}
	return root, append([]byte(xml.Header), text...), nil
}

// ConfigOptions is for what a call with a Document has no argument for. The
// zero value adds nothing.
type ConfigOptions struct {
	Header http.Header
	Query  url.Values
}

// config is a call on a sub-resource while its arguments are collected. The
// first one that is missing is the call's error.
type config struct {
	*call
	err error
}

func (b *Bucket) config(op, method, name string) *config {
	return newConfig(b.newCall(op, method), name)
}

func (c *Client) config(op, method, name string) *config {
	return newConfig(c.newCall(op, method), name)
}

func newConfig(r *call, name string) *config {
	r.set(name, "")
	if r.method == http.MethodPut || r.method == http.MethodPost {
		r.setBody(nil, nil)
	}
	return &config{call: r}
}

// with sets a query parameter that the call is nothing without: an empty one
// would make it another call.
func (c *config) with(name, value string) *config {
	c.need(name, value)
	c.set(name, value)
	return c
}

// withHeader is with for a header.
func (c *config) withHeader(name, value string) *config {
	c.need(name, value)
	c.header.Set(name, value)
	return c
}

func (c *config) need(name, value string) {
	if value == "" && c.err == nil {
		c.err = usageError(c.op, name, "is empty")
	}
}

// page sets the parameters of a listing by token.
func (c *config) page(o *PageOptions) *config {
	if o == nil {
		return c
	}
	c.setOpt("continuation-token", o.ContinuationToken)
	return c.maxKeys(o.MaxKeys)
}

func (c *config) maxKeys(n int) *config {
	switch {
	case (n < 0 || n > 1000) && c.err == nil:
		c.err = usageError(c.op, "MaxKeys", strconv.Itoa(n)+" is not 1 to 1000")
	case n > 0:
		c.setInt("max-keys", int64(n))
	}
	return c
}

// body makes d, a document of that root, the call's body.
func (c *config) body(root string, d Document, o *ConfigOptions) *config {
	if c.err != nil {
		return c
	}
	if d == nil {
		c.err = usageError(c.op, "document", "is nil")
		return c
	}
	name, text, err := d.document()
	switch {
	case err != nil:
		c.err = usageError(c.op, "document", reasonOf(err))
	case name != root:
		c.err = usageError(c.op, "document", "want XML of "+root+", not of "+quote(name))
	default:
		c.setXMLBody(text)
	}
	if o != nil {
		addHeaders(c.header, o.Header)
		c.addQuery(o.Query)
	}
	return c
}

func reasonOf(err error) string {
	if e, ok := err.(*UsageError); ok {
		return e.Reason
	}
	return err.Error()
}

// xmlBody is body for the small documents that calls make of their arguments.
func (c *config) xmlBody(root string, v any) *config {
	_, text, err := marshalDocument(root, v)
	if err != nil && c.err == nil {
		c.err = usageError(c.op, root, reasonOf(err))
	}
	c.setXMLBody(text)
	return c
}

// send is for a call whose answer says nothing of its own.
func (c *config) send(ctx context.Context) (*Response, error) {
	if c.err != nil {
		return nil, c.err
	}
	resp, err := c.client.doEmpty(ctx, c.call)
	if err != nil {
		return nil, err
	}
	return new(newResponse(resp)), nil
}

// result is an answer that embeds Response.
type result[R any] interface {
	*R
	answered(*http.Response)
}

func (r *Response) answered(resp *http.Response) { *r = newResponse(resp) }

// get sends c and decodes the answer, whose root must be one of roots: the
// service's documentation and its servers differ on the names of some.
func get[R any, P result[R]](ctx context.Context, c *config, roots ...string) (P, error) {
	if c.err != nil {
		return nil, c.err
	}
	resp, body, err := c.client.doRead(ctx, c.call, maxAnswer)
	if err != nil {
		return nil, err
	}
	res := P(new(R))
	if err := decodeXML(body, res, roots...); err != nil {
		return nil, c.xmlError(resp, body, err)
	}
	res.answered(resp)
	return res, nil
}

// text sends c and gives the answer's body as it is.
func (c *config) text(ctx context.Context) (Response, string, error) {
	if c.err != nil {
		return Response{}, "", c.err
	}
	resp, body, err := c.client.doRead(ctx, c.call, maxAnswer)
	if err != nil {
		return Response{}, "", err
	}
	return newResponse(resp), string(body), nil
}

// PageOptions tunes a listing that goes on by token. The zero value lists from
// the beginning.
type PageOptions struct {
	// ContinuationToken is NextContinuationToken of the page before.
	ContinuationToken string

	// MaxKeys bounds a page, 1 to 1000. 0 leaves it to the service, which
	// takes 100.
	MaxKeys int
}

// Page is where a listing goes on.
type Page struct {
	IsTruncated bool

	// NextContinuationToken is "" on the last page.
	NextContinuationToken string
}

// listing is one page as pages sees it.
type listing[E any] struct {
	entries   []E
	truncated bool
	next      string // where the next page begins
}

// pages gives the entries of all pages, list being the call for one of them. A
// listing that does not get on (a token comes again) is an error, not a loop.
func pages[E any](op, bucket, token string, list func(token string) (listing[E], *Response, error)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		var none E
		seen, at := map[string]bool{token: true}, token
		for {
			page, resp, err := list(at)
			if err != nil {
				yield(none, err)
				return
			}
			for _, e := range page.entries {
				if !yield(e, nil) {
					return
				}
			}
			if !page.truncated {
				return
			}
			if at = page.next; at == "" || seen[at] {
				yield(none, &AnswerError{
					Operation: op, Bucket: bucket, RequestID: resp.RequestID,
					Reason: "a truncated page without a new token",
				})
				return
			}
			seen[at] = true
		}
	}
}

// tokenPages is pages for the calls that take PageOptions.
func tokenPages[R, E any](op, bucket string, opts *PageOptions, list func(*PageOptions) (*R, error), read func(*R) ([]E, Page, *Response)) iter.Seq2[E, error] {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	return pages(op, bucket, o.ContinuationToken, func(token string) (listing[E], *Response, error) {
		r, err := list(&PageOptions{ContinuationToken: token, MaxKeys: o.MaxKeys})
		if err != nil {
			return listing[E]{}, nil, err
		}
		entries, page, resp := read(r)
		return listing[E]{entries, page.IsTruncated, page.NextContinuationToken}, resp, nil
	})
}

// Time is a time in a configuration. It is written as 2006-01-02T15:04:05.000Z,
// the zero time not at all. All forms that the service answers with are read;
// one that is none of them is the zero time.
type Time struct{ time.Time }

// MarshalXML implements xml.Marshaler.
func (t Time) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if t.IsZero() {
		return nil
	}
	return e.EncodeElement(t.UTC().Format(iso8601), start)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	s := string(bytes.TrimSpace(text))
	t.Time = parseXMLTime(s)
	if t.IsZero() {
		t.Time = parseHTTPTime(s)
	}
	if at, err := time.Parse("2006-01-02T15:04:05", s); err == nil && t.IsZero() {
		t.Time = at
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<33 {
		t.Time = time.Unix(n, 0).UTC()
	}
	return nil
}
