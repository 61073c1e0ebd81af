package oss

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lean is a transport for requests whose body is small or none. The goroutine
// that asks writes the request, in one piece, and reads the answer; net/http has
// two more for each connection and hands everything over twice, a tenth of the
// CPU of a small upload (bench/results/small.txt). What it does not do is left
// to next: TLS, beneath which nobody sees whether an answer has come unasked,
// long bodies, whose answer may come before their end, proxies, and whatever a
// header asks of the connection.
type lean struct {
	dialer *dialer
	proxy  func(*http.Request) (*url.URL, error)
	next   *http.Transport

	mu    sync.Mutex
	idle  map[string][]*leanConn // by host and port, the last used last
	timer *time.Timer            // closes what is idle for too long; nil: nothing is
}

const (
	// leanBody bounds the body of a request in bytes. So much goes into the
	// buffers of the two sockets, whether the server reads it or not.
	leanBody = 64 << 10

	// leanBuffer holds the header of a request and a small body, or the
	// beginning of an answer, in bytes; each connection has two.
	leanBuffer = 36 << 10
)

// RoundTrip implements http.RoundTripper.
func (t *lean) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.fits(req) {
		return t.next.RoundTrip(req)
	}
	if req.Body != nil {
		defer req.Body.Close()
	}
	ctx := req.Context()
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		c, err := t.take(ctx, req.URL)
		if err != nil {
			return nil, err
		}
		resp, err := c.roundTrip(ctx, req)
		if err == nil {
			return resp, nil
		}
		c.Close()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case c.used && !c.answered && harmless(req):
			// The server had closed it, which is no news about the request.
		default:
			return nil, err
		}
	}
}

// harmless says that a request may be sent twice.
func harmless(req *http.Request) bool {
	return req.Body == nil && (req.Method == http.MethodGet || req.Method == http.MethodHead)
}

// fits says whether the request is one for lean.
func (t *lean) fits(req *http.Request) bool {
	u := req.URL
	switch {
	case u == nil || u.Host == "" || u.User != nil || u.Scheme != "http",
		req.Body == http.NoBody && req.ContentLength != 0,
		req.Body != nil && req.Body != http.NoBody && (req.ContentLength <= 0 || req.ContentLength > leanBody),
		req.Close || req.TransferEncoding != nil || req.Trailer != nil || req.Header == nil,
		!plainName(u.Host) || !plainName(req.Host) || !plainName(req.Method):
		return false
	}
	for name, values := range req.Header {
		switch name {
		case "Connection", "Upgrade", "Expect", "Te", "Trailer", "Transfer-Encoding", "Content-Length", "Host":
			return false
		}
		if !validHeaderName(name) || slices.ContainsFunc(values, func(v string) bool { return strings.ContainsFunc(v, isControl) }) {
			return false
		}
	}
	if t.proxy == nil {
		return true
	}
	proxy, err := t.proxy(req)
	return proxy == nil && err == nil
}

// plainName says that s goes into the head of a request as it is.
func plainName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '%' {
			return false
		}
	}
	return true
}

// take is an idle connection that is still open, or a new one.
func (t *lean) take(ctx context.Context, u *url.URL) (*leanConn, error) {
	key := u.Host
	for {
		t.mu.Lock()
		all := t.idle[key]
		if len(all) == 0 {
			t.mu.Unlock()
			break
		}
		c := all[len(all)-1]
		t.idle[key] = all[:len(all)-1]
		t.mu.Unlock()
		if c.raw == nil || quiet(c.raw) {
			c.used, c.answered = true, false
			return c, nil
		}
		c.Close()
	}
	conn, err := t.dialer.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")))
	if err != nil {
		return nil, err
	}
	c := &leanConn{Conn: conn, home: t, key: key, out: make([]byte, 0, leanBuffer)}
	c.in = bufio.NewReaderSize(readerFunc(c.read), leanBuffer)
	if p, ok := conn.(*pieceConn); ok {
		if s, ok := p.stall.Conn.(syscall.Conn); ok {
			c.raw, _ = s.SyscallConn() //nolint:errcheck // then nobody asks
		}
	}
	return c, nil
}

// put keeps a connection for the next request.
func (t *lean) put(c *leanConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.since = time.Now()
	if t.idle == nil {
		t.idle = make(map[string][]*leanConn)
	}
	t.idle[c.key] = append(t.idle[c.key], c)
	if t.timer == nil {
		t.timer = time.AfterFunc(idleTimeout, t.expire)
	}
}

// expire closes the connections that were idle for too long.
func (t *lean) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = nil
	left := idleTimeout
	for key, all := range t.idle {
		n := 0
		for n < len(all) && time.Since(all[n].since) >= idleTimeout {
			all[n].Close()
			n++
		}
		if all = slices.Delete(all, 0, n); len(all) == 0 {
			delete(t.idle, key)
			continue
		}
		t.idle[key] = all
		left = min(left, idleTimeout-time.Since(all[0].since))
	}
	if len(t.idle) > 0 {
		t.timer = time.AfterFunc(left, t.expire)
	}
}

// CloseIdleConnections closes the connections that no request uses.
func (t *lean) CloseIdleConnections() {
	t.mu.Lock()
	for _, all := range t.idle {
		for _, c := range all {
			c.Close()
		}
	}
	t.idle = nil
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.mu.Unlock()
	t.next.CloseIdleConnections()
}

// leanConn is one connection. One request has it at a time.
type leanConn struct {
	net.Conn
	home  *lean
	key   string
	raw   syscall.RawConn // nil: it is none of the system's
	in    *bufio.Reader
	out   []byte
	since time.Time // idle

	used     bool  // it has served another request
	answered bool  // a byte of the answer has come
	limit    int64 // bytes that may be read
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// read is what the buffer of the answer is filled by.
func (c *leanConn) read(p []byte) (int, error) {
	if c.limit <= 0 {
		return 0, fmt.Errorf("the header of the answer exceeds %d bytes", maxHeader)
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.limit)])
	c.limit -= int64(n)
	c.answered = c.answered || n > 0
	return n, err
}

// roundTrip sends a request and reads the header of its answer. After an error
// the connection is of no use.
func (c *leanConn) roundTrip(ctx context.Context, req *http.Request) (*http.Response, error) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	resp, err := c.exchange(req)
	if err != nil {
		stop()
		return nil, err
	}
	b := &leanAnswer{src: resp.Body, ctx: ctx, conn: c, stop: stop, reuse: !resp.Close}
	if resp.Body == http.NoBody {
		b.end(true)
	} else {
		resp.Body = b
	}
	return resp, nil
}

// exchange sends a request and reads the header of its answer, which a server that
// refuses the request may give before it has read the body, and then close.
func (c *leanConn) exchange(req *http.Request) (*http.Response, error) {
	sent := c.send(req)
	if sent != nil && !errors.Is(sent, errBroken) {
		return nil, sent
	}
	c.limit = maxHeader
	for range maxInterim {
		resp, err := http.ReadResponse(c.in, req)
		switch {
		case sent != nil && (err != nil || resp.StatusCode < 300):
			return nil, sent
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the server switches to another protocol")
		case resp.StatusCode >= 200:
			c.limit = math.MaxInt64
			resp.Close = resp.Close || sent != nil
			return resp, nil
		}
	}
	return nil, errors.New("too many answers that are not final")
}

// maxInterim is how many answers may come until the final one, as in net/http.
const maxInterim = 6

// errBroken is in the error of send if the server has closed the connection.
var errBroken = errors.New("the server takes no more of the request")

// write is a Write that tells whether the server has closed the connection.
func (c *leanConn) write(p []byte) error {
	_, err := c.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		err = fmt.Errorf("%w: %w", errBroken, err)
	}
	return err
}

// send writes the request, in one piece if its body comes in one.
func (c *leanConn) send(req *http.Request) error {
	out := appendHead(c.out[:0], req)
	for left := req.ContentLength; left > 0; {
		if len(out) == cap(out) {
			if err := c.write(out); err != nil {
				return err
			}
			out = c.out[:0]
		}
		n, err := req.Body.Read(out[len(out):min(int64(cap(out)), int64(len(out))+left)])
		out = out[:len(out)+n]
		left -= int64(n)
		switch {
		case err != nil && err != io.EOF:
			return err
		case left == 0:
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case n > 0: // it comes in steps, and the server is to see that
			if err := c.write(out); err != nil {
				return err
			}
			out = c.out[:0]
		}
	}
	return c.write(out)
}

// appendHead appends the head of a request.
func appendHead(out []byte, req *http.Request) []byte {
	out = append(out, req.Method...)
	out = append(out, ' ')
	out = append(out, req.URL.RequestURI()...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	if req.Host != "" {
		out = append(out, req.Host...)
	} else {
		out = append(out, req.URL.Host...)
	}
	out = append(out, "\r\n"...)
	for name, values := range req.Header {
		for _, v := range values {
			out = append(out, name...)
			out = append(out, ": "...)
			out = append(out, strings.TrimSpace(v)...)
			out = append(out, "\r\n"...)
		}
	}
	if req.Body != nil || req.Method == http.MethodPut || req.Method == http.MethodPost || req.Method == http.MethodPatch {
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, req.ContentLength, 10)
		out = append(out, "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// leanAnswer is the body of an answer. Its end gives the connection back.
type leanAnswer struct {
	src   io.Reader
	ctx   context.Context //nolint:containedctx // an answer's life is a request's
	conn  *leanConn
	stop  func() bool
	reuse bool
	ended atomic.Bool
	err   error // of the last Read, sticky
}

// Read implements io.Reader.
func (b *leanAnswer) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.ended.Load():
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.src.Read(p)
	if err != nil {
		b.end(err == io.EOF)
		if err != io.EOF && b.ctx.Err() != nil {
			err = context.Cause(b.ctx)
		}
		b.err = err
	}
	return n, err
}

// Close implements io.Closer. What is left of the body is not waited for.
func (b *leanAnswer) Close() error {
	b.end(false)
	return nil
}

// end gives the connection back or, if something is left on it, closes it.
func (b *leanAnswer) end(whole bool) {
	if b.ended.Swap(true) {
		return
	}
	if b.stop() && whole && b.reuse && b.conn.in.Buffered() == 0 {
		b.conn.home.put(b.conn)
		return
	}
	b.conn.Close()
}
