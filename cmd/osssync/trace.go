package main

import (
	"log/slog"
	"net/http"
	"time"
)

// loggedTransport logs each request with the id by which the vendor's support
// finds it. Neither the query, which may hold a signature, nor a header goes
// into the log.
type loggedTransport struct {
	base http.RoundTripper
	log  *slog.Logger
}

// CloseIdleConnections does so for the transport below.
func (t *loggedTransport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *loggedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.log.Enabled(r.Context(), slog.LevelDebug) {
		return t.base.RoundTrip(r)
	}
	began := time.Now()
	answer, err := t.base.RoundTrip(r)
	log := t.log.With("method", r.Method, "host", r.Host, "path", r.URL.Path, "ms", time.Since(began).Milliseconds())
	if err != nil {
		log.Debug("request", "err", err)
		return nil, err
	}
	log.Debug("request", "status", answer.StatusCode, "request_id", answer.Header.Get("X-Oss-Request-Id"))
	return answer, nil
}
