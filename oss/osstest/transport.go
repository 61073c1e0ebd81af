package osstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Transport calls h for each request, in a goroutine and without a socket.
// Bodies stream both ways, so it behaves as a network of no latency; inside a
// synctest bubble an idle request counts as blocked. The handler's context ends
// with the request's, and when the body of the answer is closed.
func Transport(h http.Handler) http.RoundTripper { return handlerTransport{h} }

type handlerTransport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		closeBody(req)
		return nil, context.Cause(req.Context())
	}
	ctx, cancel := context.WithCancel(req.Context())
	in, err := serverRequest(ctx, req)
	if err != nil {
		cancel()
		closeBody(req)
		return nil, err
	}
	w := &answer{req: req, header: make(http.Header), begun: make(chan struct{}), cancel: cancel}
	w.body, w.pipe = io.Pipe()
	go w.serve(t.handler, in)
	select {
	case <-w.begun:
	case <-ctx.Done():
		w.body.CloseWithError(context.Cause(ctx))
		return nil, context.Cause(ctx)
	}
	if w.resp == nil {
		cancel()
		return nil, w.err
	}
	stop := context.AfterFunc(ctx, func() { w.body.CloseWithError(context.Cause(ctx)) })
	w.resp.Body = &answerBody{w: w, left: w.resp.ContentLength, stop: stop}
	if w.noBody() {
		w.resp.Body.Close()
		w.resp.Body = http.NoBody
	}
	return w.resp, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// serverRequest is req as a server sees it.
func serverRequest(ctx context.Context, req *http.Request) (*http.Request, error) {
	uri := req.URL.RequestURI()
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return nil, err
	}
	in := req.Clone(ctx)
	in.URL, in.RequestURI = u, uri
	in.RemoteAddr = "127.0.0.1:1"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if req.Body == nil || req.Body == http.NoBody {
		in.Body, in.ContentLength = http.NoBody, 0
	} else {
		if in.ContentLength == 0 {
			in.ContentLength = -1
		}
		in.Body = &inBody{ctx: ctx, src: req.Body, left: in.ContentLength}
	}
	if in.ContentLength < 0 {
		in.TransferEncoding = []string{"chunked"}
	}
	return in, nil
}

// inBody is a request body as a server reads it: no longer than promised, and
// an error where it is shorter.
type inBody struct {
	ctx  context.Context //nolint:containedctx // it lives as long as one request
	src  io.ReadCloser
	left int64 // -1: unknown
}

func (b *inBody) Read(p []byte) (int, error) {
	if err := context.Cause(b.ctx); err != nil {
		return 0, err
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.left > 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.src.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
		if errors.Is(err, io.EOF) && b.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (b *inBody) Close() error { return b.src.Close() }

// answer is the http.ResponseWriter of one request.
type answer struct {
	req    *http.Request
	cancel context.CancelFunc
	begun  chan struct{} // closed once resp or err is set
	body   *io.PipeReader
	pipe   *io.PipeWriter

	mu     sync.Mutex
	header http.Header
	status int
	held   bytes.Buffer // written before the header went out
	sent   bool
	resp   *http.Response
	err    error
}

func (w *answer) serve(h http.Handler, in *http.Request) {
	defer closeBody(w.req)
	defer func() {
		if v := recover(); v != nil {
			err := fmt.Errorf("osstest: connection cut: %w", io.ErrUnexpectedEOF)
			if v != http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
				err = fmt.Errorf("osstest: handler panicked: %v", v)
			}
			w.fail(err)
		}
	}()
	h.ServeHTTP(w, in)
	w.finish()
}

// Header implements http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answer) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// holdMost is how much a net/http server holds back to learn the length.
const holdMost = 2048

// Write implements http.ResponseWriter.
func (w *answer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.bodyless() {
		return len(p), nil
	}
	if !w.sent && w.held.Len()+len(p) <= holdMost && w.header.Get("Content-Length") == "" {
		return w.held.Write(p)
	}
	if err := w.begin(-1); err != nil {
		return 0, err
	}
	return w.pipe.Write(p)
}

// Flush implements http.Flusher.
func (w *answer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.begin(-1) //nolint:errcheck // the next Write says it
}

func (w *answer) bodyless() bool {
	return w.req.Method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

func (w *answer) noBody() bool { return w.bodyless() || w.resp.ContentLength == 0 }

// begin sends the header and what was held back; length is that of the body
// where the header does not say.
func (w *answer) begin(length int64) error {
	if !w.sent {
		w.sent = true
		h := w.header.Clone()
		if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
			length = n
		} else if length >= 0 && !w.bodyless() {
			h.Set("Content-Length", strconv.FormatInt(length, 10))
		}
		if h.Get("Date") == "" {
			h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		}
		w.resp = &http.Response{
			Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: h, ContentLength: length, Request: w.req,
		}
		close(w.begun)
	}
	if w.held.Len() == 0 {
		return nil
	}
	_, err := w.held.WriteTo(w.pipe)
	return err
}

func (w *answer) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.begin(int64(w.held.Len())) //nolint:errcheck // the client has gone
	w.pipe.Close()
}

func (w *answer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.sent {
		w.sent, w.err = true, err
		close(w.begun)
	}
	w.pipe.CloseWithError(err)
}

// answerBody is the body of an answer: short of its promised length it ends
// with io.ErrUnexpectedEOF.
type answerBody struct {
	w    *answer
	left int64 // -1: unknown
	stop func() bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.left > 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.w.body.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
		switch {
		case b.left == 0 && err == nil:
			err = io.EOF
		case b.left > 0 && errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (b *answerBody) Close() error {
	b.stop()
	b.w.body.CloseWithError(errors.New("osstest: the client closed the connection"))
	b.w.cancel()
	return nil
}
