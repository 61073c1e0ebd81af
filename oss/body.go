package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/osssync/osssync/internal/crc64"
)

// requestBody counts and hashes what the transport reads of a body.
type requestBody struct {
	length   int64 // -1: unknown
	hash     bool
	progress ProgressFunc

	stopped atomic.Bool
	stuck   bool          // a Read was waited for in vain
	reading chan struct{} // filled while src is read
	src     io.Reader

	state sync.Mutex // guards what follows, which may be asked for during a Read
	n     int64
	crc   uint64
	err   error // of src, io.EOF included
}

var errStopped = errors.New("oss: the call has returned")

// setBody makes src the body of c, nil an empty one.
func (c *call) setBody(src io.Reader, progress ProgressFunc) {
	c.body = &requestBody{src: src, length: lengthOf(src), hash: !c.client.disableCRC, progress: progress, reading: make(chan struct{}, 1)}
}

// lengthOf is what is left to read of r, -1 if it does not say.
func lengthOf(r io.Reader) int64 {
	switch v := r.(type) {
	case nil:
		return 0
	case interface{ Len() int }:
		return int64(v.Len())
	case *io.LimitedReader:
		if n := lengthOf(v.R); n >= 0 {
			return max(0, min(n, v.N))
		}
	case io.Seeker:
		at, err := v.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		end, err := v.Seek(0, io.SeekEnd)
		if err != nil {
			return -1
		}
		if _, err := v.Seek(at, io.SeekStart); err != nil {
			return -1
		}
		return max(0, end-at)
	}
	return -1
}

// Read implements io.Reader for the transport. It never gives more than length.
func (b *requestBody) Read(p []byte) (int, error) {
	b.reading <- struct{}{}
	defer func() { <-b.reading }()
	if b.stopped.Load() {
		return 0, errStopped
	}
	if b.length >= 0 && int64(len(p)) > b.length-b.n {
		if p = p[:b.length-b.n]; len(p) == 0 {
			return 0, io.EOF
		}
	}
	n, err := b.src.Read(p)
	b.state.Lock()
	if n > 0 {
		b.n += int64(n)
		if b.hash {
			b.crc = crc64.Update(b.crc, p[:n])
		}
	}
	if err != nil {
		b.err = err
	}
	b.state.Unlock()
	if n > 0 && b.progress != nil {
		b.progress(b.n, b.length)
	}
	return n, err
}

// Close implements io.Closer for the transport. The source is the caller's.
func (b *requestBody) Close() error { return nil }

// stop ends the reading of the source. The transport may be at it still when it
// has an answer or an error. Where the length is known the source is memory or
// a file, and stop waits for that one Read, but not long after the end of ctx:
// a file may be on a server that has gone. A pipe may never end.
func (b *requestBody) stop(ctx context.Context) {
	if b == nil {
		return
	}
	b.stopped.Store(true)
	if b.length < 0 || b.stuck {
		return
	}
	select {
	case b.reading <- struct{}{}:
		<-b.reading
		return
	case <-ctx.Done():
	}
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case b.reading <- struct{}{}:
		<-b.reading
	case <-patience.C:
	}
}

const stopPatience = time.Second

// sent is how many bytes were read, sum their CRC-64.
func (b *requestBody) sent() int64 {
	if b == nil {
		return 0
	}
	b.state.Lock()
	defer b.state.Unlock()
	return b.n
}

func (b *requestBody) sum() uint64 {
	if b == nil {
		return 0
	}
	b.state.Lock()
	defer b.state.Unlock()
	return b.crc
}

// failure is the error of the source, if it had one.
func (b *requestBody) failure() error {
	if b == nil {
		return nil
	}
	b.state.Lock()
	defer b.state.Unlock()
	if b.err == io.EOF {
		if b.n < b.length {
			return fmt.Errorf("it has %d bytes, not %d: %w", b.n, b.length, io.ErrUnexpectedEOF)
		}
		return nil
	}
	return b.err
}

// complete reports whether all of the body was read.
func (b *requestBody) complete() bool {
	if b == nil {
		return true
	}
	b.state.Lock()
	defer b.state.Unlock()
	return b.n == b.length || b.length < 0 && b.err == io.EOF
}

// setBytes makes p the body of c.
func (c *call) setBytes(p []byte) { c.setBody(bytes.NewReader(p), nil) }

func combineCRC(a, b uint64, lenB int64) uint64 { return crc64.Combine(a, b, lenB) }
