package main

import (
	"context"
	"io"
)

// patientReader is a stdin whose Read ends with the context. The read itself
// cannot be stopped: it stays behind until the process ends.
type patientReader struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	rest []byte
	err  error
	done chan struct{}
}

func newPatientReader(ctx context.Context, r io.Reader) *patientReader {
	return &patientReader{ctx: ctx, r: r, buf: make([]byte, 256<<10)}
}

func (p *patientReader) Read(b []byte) (int, error) {
	if len(p.rest) == 0 && p.err == nil {
		if p.done == nil {
			p.done = make(chan struct{})
			go func() {
				defer close(p.done)
				n, err := p.r.Read(p.buf)
				p.rest, p.err = p.buf[:n], err
			}()
		}
		select {
		case <-p.done:
			p.done = nil
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	if len(p.rest) > 0 {
		n := copy(b, p.rest)
		p.rest = p.rest[n:]
		return n, nil
	}
	return 0, p.err
}
