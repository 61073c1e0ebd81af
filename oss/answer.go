package oss

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Bounds of answers in bytes: far above what the service sends, far below what
// would hurt.
const (
	maxListing = 16 << 20
	maxParts   = 4 << 20
	maxAnswer  = 4 << 20
	maxError   = 64 << 10
)

// doRead is do, with the whole body of the answer up to limit bytes.
func (c *Client) doRead(ctx context.Context, r *call, limit int64) (*http.Response, []byte, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	body, err := r.readAnswer(ctx, resp, limit)
	if err != nil {
		return nil, nil, err
	}
	return resp, body, nil
}

// readAnswer reads the body of an answer of at most limit bytes.
func (c *call) readAnswer(ctx context.Context, resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	body, err := readBounded(resp, limit)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	if int64(len(body)) > limit {
		return nil, c.answerError(resp, fmt.Sprintf("body is larger than %d bytes", limit))
	}
	return body, nil
}

// readBounded reads up to limit+1 bytes.
func readBounded(resp *http.Response, limit int64) ([]byte, error) {
	if resp.Body == http.NoBody {
		return nil, nil
	}
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= limit {
		buf.Grow(int(n) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	return buf.Bytes(), err
}

// doXML is doRead, with the answer decoded into v. The root must be named root:
// an Error in a 200 is a *ServerError.
func (c *Client) doXML(ctx context.Context, r *call, root string, v any) (*http.Response, error) {
	resp, body, err := c.doRead(ctx, r, maxAnswer)
	if err != nil {
		return nil, err
	}
	if err := checkRoot(body, root); err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	if err := xml.Unmarshal(body, v); err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	return resp, nil
}

// checkRoot walks the document: it must be well formed as far as the scanner
// goes, not too deep, and have that root.
func checkRoot(body []byte, root string) error {
	s := scanner{data: body}
	if err := s.root(root); err != nil {
		return err
	}
	return s.skip()
}

// xmlError is the error for a 2xx answer whose XML is not the expected one.
func (c *call) xmlError(resp *http.Response, body []byte, err error) error {
	if details := parseErrorXML(body); details["Code"] != "" {
		return c.newServerError(resp, details)
	}
	return c.answerError(resp, err.Error()+", the body begins "+excerpt(body))
}

// excerpt is the beginning of a body, fit for a message.
func excerpt(body []byte) string {
	const most = 200
	s := string(body[:min(len(body), most)])
	s = strings.ToValidUTF8(s, "\uFFFD")
	return quote(redact(s))
}

// serverError reads an answer other than success and closes it.
func (c *call) serverError(resp *http.Response) *ServerError {
	body, _ := readBounded(resp, maxError) //nolint:errcheck // what was read is all there is
	resp.Body.Close()
	body = body[:min(len(body), maxError)]
	if len(body) == 0 {
		// HEAD has no body: the XML comes in a header.
		if text, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Oss-Err")); err == nil {
			body = text
		}
	}
	details := parseErrorXML(body)
	e := c.newServerError(resp, details)
	if e.Code == "" && len(body) > 0 {
		e.Message = "the body is no error of OSS, it begins " + excerpt(body)
	}
	if location := resp.Header.Get("Location"); location != "" && e.Endpoint == "" {
		e.Endpoint = hostOf(location)
	}
	return e
}

func (c *call) newServerError(resp *http.Response, details map[string]string) *ServerError {
	e := &ServerError{
		Operation: c.op, Bucket: c.bucket, Key: c.key,
		Status: resp.StatusCode, Header: resp.Header,
		Code: details["Code"], Message: printable(details["Message"]),
		RequestID: resp.Header.Get("X-Oss-Request-Id"),
		EC:        resp.Header.Get("X-Oss-Ec"),
		HostID:    details["HostId"], Endpoint: printable(details["Endpoint"]),
		Details: details,
	}
	if e.RequestID == "" {
		e.RequestID = details["RequestId"]
	}
	if e.EC == "" {
		e.EC = details["EC"]
	}
	return e
}

// parseErrorXML gives the child elements of an Error document, nil if body is
// none. What could hold a secret is left out.
func parseErrorXML(body []byte) map[string]string {
	s := scanner{data: body}
	if s.root("Error") != nil {
		return nil
	}
	details := make(map[string]string)
	for {
		name, ok, err := s.child()
		if err != nil || !ok {
			break
		}
		value, err := s.text()
		if err != nil {
			break
		}
		switch string(name) {
		case "SignatureProvided", "StringToSignBytes":
		default:
			details[string(name)] = redact(value)
		}
	}
	return details
}

// redact blanks the values of what a server may repeat of a request's secrets.
func redact(s string) string {
	lower := strings.ToLower(s)
	if len(lower) != len(s) {
		lower = s
	}
	var b strings.Builder
	for from := 0; ; {
		at, name := -1, ""
		for _, word := range []string{"security-token", "x-oss-signature", "signature=", "authorization"} {
			if i := strings.Index(lower[from:], word); i >= 0 && (at < 0 || i < at) {
				at, name = i, word
			}
		}
		if at < 0 {
			b.WriteString(s[from:])
			return b.String()
		}
		end := from + at + len(name)
		b.WriteString(s[from:end])
		rest := strings.IndexAny(s[end:], "&\n<")
		if rest < 0 {
			rest = len(s) - end
		}
		if rest > 1 && !strings.HasPrefix(lower[end:], "-version") {
			b.WriteString("[redacted]")
		} else {
			b.WriteString(s[end : end+rest])
		}
		from = end + rest
	}
}

// printable bounds a server's text and takes control characters out.
func printable(s string) string {
	const most = 1024
	if len(s) > most {
		for s = s[:most]; !utf8.ValidString(s) && s != ""; {
			s = s[:len(s)-1]
		}
	}
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}

// hostOf is the host of a URL, without what a query may hold.
func hostOf(location string) string {
	_, rest, ok := strings.Cut(location, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return printable(rest)
}

// correctClock takes the server's time from an answer that found the clocks
// apart, so that the next request is signed right. ServerTime wins over Date,
// which proxies are known to rewrite.
func (c *Client) correctClock(e *ServerError) {
	if e.Code != "RequestTimeTooSkewed" {
		return
	}
	server := parseXMLTime(e.Details["ServerTime"])
	if server.IsZero() {
		server = parseHTTPTime(e.Header.Get("Date"))
	}
	if !server.IsZero() {
		c.skew.Store(int64(server.Sub(c.now())))
	}
}
