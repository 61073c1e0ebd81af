package oss

import (
	"errors"
	"fmt"
	"io"

	"github.com/osssync/osssync/internal/crc64"
)

// objectBody is the body of a GetObjectResult.
type objectBody struct {
	call     *call
	response Response
	src      io.ReadCloser
	hash     bool
	want     int64 // bytes promised, -1 if unknown
	progress ProgressFunc
	ended    func() error // of the caller's context

	check     bool
	serverCRC uint64

	n       int64
	crc     uint64
	err     error // sticky
	surplus [1]byte
}

// Read fills p straight from the connection and hashes what came while it is
// still in the cache.
func (b *objectBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.want >= 0 && int64(len(p)) > b.want-b.n {
		if p = p[:b.want-b.n]; len(p) == 0 {
			p = b.surplus[:] // nothing but the end may come
		}
	}
	n, err := b.src.Read(p)
	if n > 0 && b.n == b.want {
		b.err = &TransportError{
			Operation: b.call.op, Bucket: b.call.bucket, Key: b.call.key,
			Err: fmt.Errorf("body has more than the %d bytes promised", b.want),
		}
		return 0, b.err
	}
	if n > 0 {
		b.n += int64(n)
		if b.hash {
			b.crc = crc64.Update(b.crc, p[:n])
		}
		if b.progress != nil {
			b.progress(b.n, b.want)
		}
	}
	if err != nil {
		b.err = b.end(err)
	}
	return n, b.err
}

// end turns the error of the connection into the one to report.
func (b *objectBody) end(err error) error {
	c := b.call
	switch {
	case errors.Is(err, io.EOF) && b.want >= 0 && b.n != b.want:
		err = fmt.Errorf("body has %d bytes, not %d: %w", b.n, b.want, io.ErrUnexpectedEOF)
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("body ended after %d bytes: %w", b.n, err)
	case !errors.Is(err, io.EOF):
	case b.check && b.crc != b.serverCRC:
		return &IntegrityError{
			Operation: c.op, Bucket: c.bucket, Key: c.key,
			RequestID: b.response.RequestID, Expected: b.serverCRC, Actual: b.crc,
		}
	default:
		return io.EOF
	}
	return &TransportError{Operation: c.op, Bucket: c.bucket, Key: c.key, Err: causeOf(err, b.ended())}
}

// Close gives the connection back, if little of the body is known to be left,
// or closes it.
func (b *objectBody) Close() error {
	if b.err == nil {
		b.err = errors.New("oss: read of a closed body")
		if b.want >= 0 && b.want-b.n <= maxDiscard {
			discard(b.src)
			return nil
		}
	}
	return b.src.Close()
}
