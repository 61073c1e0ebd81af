package oss

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stallConn is a connection that fails once no byte has moved for a while.
type stallConn struct {
	net.Conn
	timeout time.Duration
}

// wind sets both deadlines: while one direction moves, the other may wait.
func (c *stallConn) wind() { c.SetDeadline(time.Now().Add(c.timeout)) } //nolint:errcheck // a closed connection says so on use

// unwind stops the clock, while the wait is not for the network.
func (c *stallConn) unwind() { c.SetDeadline(time.Time{}) } //nolint:errcheck // as above

// Read implements net.Conn.
func (c *stallConn) Read(p []byte) (int, error) {
	c.wind()
	return c.Conn.Read(p)
}

// Write implements net.Conn. A deadline that passed after some bytes is no
// stall: the rest gets a new one.
func (c *stallConn) Write(p []byte) (n int, err error) {
	for {
		c.wind()
		m, err := c.Conn.Write(p[n:])
		n += m
		if err == nil || m == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}

// gatherConn reads ahead for TLS.
type gatherConn struct {
	*stallConn
	r *bufio.Reader
}

// Read implements net.Conn.
func (c *gatherConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// pieceConn moves request bodies in large pieces: net/http hands the body to
// the connection's ReadFrom, and would else copy 32 KiB at a time.
type pieceConn struct {
	net.Conn
	stall  *stallConn
	pieces *sync.Pool
}

// ReadFrom implements io.ReaderFrom.
func (c *pieceConn) ReadFrom(r io.Reader) (n int64, err error) {
	piece := c.pieces.Get().(*[pieceSize]byte)
	defer c.pieces.Put(piece)
	for {
		c.stall.unwind()
		m, readErr := r.Read(piece[:])
		c.stall.wind()
		if m > 0 {
			w, err := c.Write(piece[:m])
			n += int64(w)
			if err != nil {
				return n, err
			}
		}
		if readErr == io.EOF {
			return n, nil
		}
		if readErr != nil {
			return n, readErr
		}
	}
}
