//go:build unix

package main_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// when says what a moment counts.
type when int

const (
	never     when = iota
	atStart        // a time after the start of the program
	atArrival      // a request has come; nothing of it is done
	atAnswer       // a request is done; its answer never leaves
	atByte         // a byte of a body has passed, in either direction
	atRest         // so many requests are answered, and no other gets through
	atFull         // and as many others wait as the program sends at once
)

func (w when) String() string {
	return [...]string{"never", "start", "arrival", "answer", "byte", "rest", "full"}[w]
}

// moment is when a run of the program is to be ended: at the count-th of what
// when counts. From then on the request at hand is held up until the program
// has ended, so that it cannot have finished its work.
type moment struct {
	when  when
	count int64
	delay time.Duration // atStart and atRest: how much later
	width int64         // atFull: how many others

	// settled, if set, is waited for before an end at rest.
	settled func()

	arrived, answered, bytes atomic.Int64

	reach   func()
	reached chan struct{} // closed by reach: end the program
	ended   chan struct{} // closed when it has ended
}

func (m *moment) prepare() {
	m.reached, m.ended = make(chan struct{}), make(chan struct{})
	m.reach = sync.OnceFunc(func() { close(m.reached) })
}

// hold keeps a request until the program has ended or given the request up.
func (m *moment) hold(r *http.Request) {
	select {
	case <-m.ended:
	case <-r.Context().Done():
	}
}

// rest ends the program when all that came through has been answered.
func (m *moment) rest() {
	if m.settled == nil {
		time.AfterFunc(m.delay, m.reach)
		return
	}
	go func() {
		m.settled()
		m.reach()
	}()
}

// gate stands before the server and knows the moment.
type gate struct {
	next http.Handler
	web  *httptest.Server

	mu     sync.Mutex
	moment *moment // nil: everything goes through
	open   map[net.Conn]struct{}
	closed *sync.Cond // a connection has left open
}

func newGate(t *testing.T, next http.Handler) *gate {
	t.Helper()
	g := &gate{next: next, open: map[net.Conn]struct{}{}}
	g.closed = sync.NewCond(&g.mu)
	g.web = httptest.NewUnstartedServer(g)
	g.web.Config.ConnState = g.connection
	g.web.Start()
	t.Cleanup(g.web.Close)
	return g
}

func (g *gate) connection(c net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		g.open[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(g.open, c)
		g.closed.Broadcast()
	}
}

func (g *gate) arm(m *moment) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.moment = m
}

const probePath = "/probe"

// quiesce returns when nothing a dead client has sent is still under way. The
// queue of connections is first come, first served: once a new one is
// answered, all others have been seen.
func (g *gate) quiesce(t *testing.T) {
	t.Helper()
	g.arm(nil)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(g.web.URL + probePath)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.open) > 0 {
		g.closed.Wait()
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == probePath {
		return
	}
	g.mu.Lock()
	m := g.moment
	g.mu.Unlock()
	if m == nil {
		g.next.ServeHTTP(w, r)
		return
	}
	n := m.arrived.Add(1)
	atIt := m.when == atArrival && n == m.count
	if atIt || (m.when == atFull && n == m.count+m.width) {
		m.reach()
	}
	if atIt || (m.when >= atRest && n > m.count) {
		m.hold(r)
		panic(http.ErrAbortHandler)
	}
	r.Body = &countedBody{ReadCloser: r.Body, m: m, r: r}
	g.next.ServeHTTP(&countedWriter{ResponseWriter: w, m: m, r: r}, r)
	n = m.answered.Add(1)
	switch {
	case n != m.count:
	case m.when == atAnswer:
		m.reach()
		m.hold(r)
		panic(http.ErrAbortHandler)
	case m.when == atRest:
		m.rest()
	}
}

// moved counts n bytes of a body.
func (m *moment) moved(r *http.Request, n int) {
	total := m.bytes.Add(int64(n))
	if m.when == atByte && total >= m.count && total-int64(n) < m.count {
		m.reach()
		m.hold(r)
	}
}

// step is how many bytes of a body pass at once, so that an end at a byte is
// an end within a part.
const step = 8 << 10

type countedBody struct {
	io.ReadCloser
	m *moment
	r *http.Request
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), step)])
	b.m.moved(b.r, n)
	return n, err
}

type countedWriter struct {
	http.ResponseWriter
	m *moment
	r *http.Request
}

func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) Write(p []byte) (written int, err error) {
	for {
		n, err := w.ResponseWriter.Write(p[:min(len(p), step)])
		w.m.moved(w.r, n)
		written, p = written+n, p[n:]
		if err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// direct calls a handler in place of sending a request. Unlike a connection it
// returns only when the handler has, log line and all.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = cmp.Or(r.Host, r.URL.Host)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, in)
	return w.Result(), in.Body.Close()
}

// event is a line of the server's log.
type event struct {
	Op       string
	Key      string
	UploadID string `json:"upload_id"`
	Part     string
	Range    string
	Status   int
	BytesOut int64 `json:"bytes_out"`
}

// eventLog is the server's log while the program runs.
type eventLog struct {
	mu     sync.Mutex
	on     bool
	events []event
	err    error
}

func (l *eventLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.on {
		var e event
		if err := json.Unmarshal(bytes.TrimSpace(p), &e); err != nil {
			l.err = err
		}
		l.events = append(l.events, e)
	}
	return len(p), nil
}

// listen says whether what comes now is to be kept.
func (l *eventLog) listen(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
}

// all returns what was logged so far.
func (l *eventLog) all(t *testing.T) []event {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		t.Fatal(l.err)
	}
	return l.events[:len(l.events):len(l.events)]
}
