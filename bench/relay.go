package main

import (
	"errors"
	"io"
	"net"
	"sync"
)

// relay stands between clients and a server, and calls trip once, when limit
// bytes have gone one way. Nothing more passes that way before trip returns, so
// that it is the same moment in every run.
type relay struct {
	listener net.Listener
	target   string
	upward   bool // counts what clients send, else what they get
	running  sync.WaitGroup

	tripMu sync.Mutex
	left   int64
	trip   func() // nil once called

	connMu sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

// startRelay listens on a port of its own. The relay must be closed.
func startRelay(target string, upward bool, limit int64, trip func()) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, target: target, upward: upward, left: limit, trip: trip, conns: make(map[net.Conn]bool)}
	r.running.Go(r.accept)
	return r, nil
}

func (r *relay) endpoint() string { return "http://" + r.listener.Addr().String() }

func (r *relay) close() error {
	err := r.listener.Close()
	r.connMu.Lock()
	r.closed = true
	for c := range r.conns {
		_ = c.Close()
	}
	r.connMu.Unlock()
	r.running.Wait()
	return err
}

func (r *relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(c) })
	}
}

// serve joins one client to the server until either side ends.
func (r *relay) serve(client net.Conn) {
	defer r.forget(client)
	if !r.remember(client) {
		return
	}
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer r.forget(server)
	if !r.remember(server) {
		return
	}
	var toServer, toClient io.Writer = server, client
	if r.upward {
		toServer = &countedWriter{server, r}
	} else {
		toClient = &countedWriter{client, r}
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(toClient, server)
		_ = client.Close()
	})
	_, _ = io.Copy(toServer, client)
	_ = server.Close()
	back.Wait()
}

func (r *relay) remember(c net.Conn) bool {
	r.connMu.Lock()
	defer r.connMu.Unlock()
	r.conns[c] = true
	return !r.closed
}

func (r *relay) forget(c net.Conn) {
	r.connMu.Lock()
	defer r.connMu.Unlock()
	delete(r.conns, c)
	_ = c.Close()
}

// pass lets n bytes through, or fails if they are those that tripped.
func (r *relay) pass(n int) error {
	r.tripMu.Lock()
	defer r.tripMu.Unlock()
	r.left -= int64(n)
	if r.left > 0 || r.trip == nil {
		return nil
	}
	r.trip()
	r.trip = nil
	return errTripped
}

var errTripped = errors.New("the relay has tripped")

// countedWriter asks its relay before each write.
type countedWriter struct {
	w io.Writer
	r *relay
}

func (c *countedWriter) Write(p []byte) (int, error) {
	if err := c.r.pass(len(p)); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
