package oss

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
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
	resp, body, err := c.client.doText(ctx, c.call)
	if err != nil {
		return Response{}, "", err
	}
	return newResponse(resp), string(body), nil
}
