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

// stallConn is a connection that fails once no byte has moved for a while. The
// clock of reading stands still while something is being sent: net/http reads
// all the time, and a long upload has no answer before its end.
type stallConn struct {
	net.Conn
	timeout time.Duration

	mu   sync.Mutex
	held int // senders at work
}

// hold stops the clock of reading, release starts it again.
func (c *stallConn) hold() { c.count(1) }

func (c *stallConn) release() { c.count(-1) }

func (c *stallConn) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held += n
	var deadline time.Time
	if c.held == 0 {
		deadline = time.Now().Add(c.timeout)
	}
	c.SetReadDeadline(deadline) //nolint:errcheck // a closed connection says so on use
}

// Read implements net.Conn.
func (c *stallConn) Read(p []byte) (int, error) {
	c.count(0)
	return c.Conn.Read(p)
}

// Write implements net.Conn. A deadline that passed after some bytes is no
// stall: the rest gets a new one.
func (c *stallConn) Write(p []byte) (n int, err error) {
	c.hold()
	defer c.release()
	for {
		c.SetWriteDeadline(time.Now().Add(c.timeout)) //nolint:errcheck // as above
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
	c.stall.hold() // a source may take its time
	defer c.stall.release()
	for {
		m, readErr := r.Read(piece[:])
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
