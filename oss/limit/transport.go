package limit

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Transport is base, bounded.
func (l *Limiter) Transport(base http.RoundTripper) http.RoundTripper {
	return &transport{limiter: l, base: base}
}

type transport struct {
	limiter *Limiter
	base    http.RoundTripper
}

// CloseIdleConnections does so for the transport below.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper. The request counts as under way until
// its answer's body has ended or is closed.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	l := t.limiter
	if err := l.enter(r.Context()); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	if r.Body != nil && r.Body != http.NoBody {
		sent := *r // a RoundTripper leaves the request as it is
		sent.Body = &body{
			ReadCloser: r.Body, ctx: r.Context(), limiter: l, pace: &l.up, rate: func(r Rates) int64 { return r.Up },
			counts: r.Method == http.MethodPut, end: func() {},
		}
		sent.GetBody = nil // one try is one call
		r = &sent
	}
	answer, err := t.base.RoundTrip(r)
	if err != nil {
		l.leave()
		return nil, err
	}
	answer.Body = &body{
		ReadCloser: answer.Body, ctx: r.Context(), limiter: l, pace: &l.down, rate: func(r Rates) int64 { return r.Down },
		counts: r.Method == http.MethodGet && !isListing(r), end: sync.OnceFunc(l.leave),
	}
	return answer, nil
}

// isListing tells listings from objects by their queries.
func isListing(r *http.Request) bool {
	q := r.URL.Query()
	return slices.ContainsFunc([]string{"list-type", "prefix", "delimiter", "max-keys", "versions", "uploads", "uploadId", "max-uploads"}, q.Has)
}

// body is a body that moves at a pace.
type body struct {
	io.ReadCloser
	ctx     context.Context
	limiter *Limiter
	pace    *pace
	rate    func(Rates) int64
	counts  bool
	end     func()
}

// The steps in which a body moves. They are small where the rate is, so that
// sixty-four connections each move something every second, and none seems to
// stall.
const (
	minStep = 512
	maxStep = 256 << 10
)

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	rate := b.rate(b.limiter.rates())
	if rate > 0 {
		p = p[:min(int64(len(p)), max(minStep, min(rate/64, maxStep)))]
	}
	n, err := b.ReadCloser.Read(p)
	if b.counts && n > 0 {
		b.limiter.count(n)
	}
	if err != nil {
		b.end()
	}
	if n > 0 {
		if failed := b.pace.wait(b.ctx, n, float64(rate)); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
