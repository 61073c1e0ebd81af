package oss

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Defaults of SessionOptions.
const (
	DefaultConnectTimeout = 10 * time.Second

	// DefaultReadTimeout leaves the server half a minute to think: completing an
	// upload of thousands of parts takes it seconds before it sends a byte.
	DefaultReadTimeout = 30 * time.Second
)

// SessionOptions tunes NewSession. The zero value is ready to use.
type SessionOptions struct {
	// ConnectTimeout bounds the connection's setup: once for TCP and once
	// for TLS. 0 means DefaultConnectTimeout.
	ConnectTimeout time.Duration

	// ReadTimeout is how long a connection may move no byte in either
	// direction while a request is under way. It does not bound a slow
	// transfer. 0 means DefaultReadTimeout.
	ReadTimeout time.Duration

	// Proxy chooses the proxy of a request. nil takes it from HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Proxy func(*http.Request) (*url.URL, error)

	// NoProxy uses none, whatever Proxy and the environment say.
	NoProxy bool

	// MaxConnsPerHost bounds the connections to a host. 0 means no bound.
	MaxConnsPerHost int

	// RootCAs are trusted instead of the system's.
	RootCAs *x509.CertPool

	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool

	// DialContext opens connections. nil means the system's network.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Sizes of buffers in bytes; figures from a loopback upload of 8 MiB parts over
// 8 connections.
const (
	// pieceSize is what moves per system call: 64 KiB cost 25 % more CPU per
	// byte, and 1 MiB leaves the L2 cache between hash and socket.
	pieceSize = 256 << 10

	// tlsReadSize lies below TLS, which reads one 16 KiB record per call:
	// gathering eight saves a third of a download's CPU.
	tlsReadSize = 128 << 10

	// maxIdlePerHost must not be below the number of workers, or they open a
	// new connection per request.
	maxIdlePerHost = 1024

	// maxHeader bounds the header of an answer in bytes.
	maxHeader = 1 << 20
)

// idleTimeout is how long a connection is kept without a request.
const idleTimeout = 50 * time.Second

// NewSession makes the connections that clients share: HTTP/1.1 with keep-alive,
// no compression, redirects never followed. Data moves in pieces of 256 KiB
// between connection and body. A request without a long body, where no proxy is
// between, takes no goroutine but the caller's.
func NewSession(opts *SessionOptions) *http.Client {
	var o SessionOptions
	if opts != nil {
		o = *opts
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = DefaultConnectTimeout
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = DefaultReadTimeout
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.NoProxy {
		o.Proxy = nil
	}
	if o.DialContext == nil {
		o.DialContext = (&net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	d := &dialer{options: o}
	d.pieces.New = func() any { return new([pieceSize]byte) }
	d.tls = &tls.Config{RootCAs: o.RootCAs, InsecureSkipVerify: o.InsecureSkipVerify, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	t := &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            d.dial,
		DialTLSContext:         d.dialTLS,
		TLSClientConfig:        d.tls, // for tunnels through proxies
		TLSHandshakeTimeout:    o.ConnectTimeout,
		Protocols:              &protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxConnsPerHost:        o.MaxConnsPerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
	session := &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.MaxConnsPerHost == 0 { // a bound needs one count of all
		session.Transport = &lean{dialer: d, proxy: o.Proxy, next: t}
	}
	return session
}

// dialer opens the connections of one session.
type dialer struct {
	options SessionOptions
	tls     *tls.Config
	pieces  sync.Pool // *[pieceSize]byte
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.open(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &pieceConn{Conn: c, stall: c, pieces: &d.pieces}, nil
}

func (d *dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.open(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
		c.Close()
		return nil, err
	}
	t := tls.Client(&gatherConn{stallConn: c, r: bufio.NewReaderSize(c, tlsReadSize)}, config)
	ctx, cancel := context.WithTimeout(ctx, d.options.ConnectTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, errors.New("TLS handshake timeout")
		}
		return nil, err
	}
	return &pieceConn{Conn: t, stall: c, pieces: &d.pieces}, nil
}

func (d *dialer) open(ctx context.Context, network, addr string) (*stallConn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.options.ConnectTimeout)
	defer cancel()
	c, err := d.options.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &stallConn{Conn: c, timeout: d.options.ReadTimeout}, nil
}
