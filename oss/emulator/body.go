package emulator

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	// maxObject is the largest object by one request, and the largest part.
	maxObject = 5 << 30

	// bodyIdle is how long a body may give no byte before the connection is
	// given up; there is no limit to the whole.
	bodyIdle = 60 * time.Second

	// maxInline is how many bytes of a small object go into its record, in
	// bytes. One commit then takes no file of its own: 1 KiB objects over 16
	// connections come several times faster to the disk (BenchmarkPut).
	maxInline = 4 << 10

	// copyBuffer is the unit of reading and hashing bodies, in bytes.
	copyBuffer = 256 << 10
)

// crcTable is the table of CRC-64/ECMA, which is CRC-64/XZ.
var crcTable = crc64.MakeTable(crc64.ECMA)

// buffers recycles copy buffers.
var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// bodyReader reads a request's body: it counts, allows each read bodyIdle, and
// checks the hash that a V4 signature may cover.
type bodyReader struct {
	r        io.Reader
	ctl      *http.ResponseController
	n        int64
	deadline time.Time // of the connection; zero: none set
	want     string
	sha      hash.Hash
	ended    bool
	err      error // that ended it before its end
	refused  bool  // the rest will not be read
	limit    *throttle
}

func newBodyReader(rq *request) *bodyReader {
	b := &bodyReader{r: rq.r.Body, ctl: http.NewResponseController(rq.w.ResponseWriter)}
	if b.r == nil {
		b.r = http.NoBody
	}
	// Some clients sign a Content-Length on requests that have no body, and
	// never send one: do not wait for it.
	if m := rq.r.Method; rq.r.ContentLength > 0 && (m == http.MethodGet || m == http.MethodHead || m == http.MethodDelete) {
		b.refused = true
		rq.set("Connection", "close")
	}
	return b
}

func (b *bodyReader) expectSHA256(want string) {
	b.want, b.sha = want, sha256.New()
}

func (b *bodyReader) atEnd() bool { return b.ended }

// checks says whether the end of the body has to be seen.
func (b *bodyReader) checks() bool { return b.sha != nil }

var errPayloadHash = errors.New("body differs from x-oss-content-sha256")

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.refused {
		return 0, io.EOF
	}
	if now := time.Now(); b.deadline.Sub(now) < bodyIdle/2 {
		b.deadline = now.Add(bodyIdle)
		_ = b.ctl.SetReadDeadline(b.deadline) // not every ResponseWriter has deadlines
	}
	n, err := b.r.Read(p[:b.limit.step(int64(len(p)))])
	b.n += int64(n)
	b.limit.pass(n)
	if b.sha != nil {
		b.sha.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		b.ended = true
		if b.sha != nil && hex.EncodeToString(b.sha.Sum(nil)) != strings.ToLower(b.want) {
			return n, errPayloadHash
		}
	} else if err != nil {
		b.err = err
	}
	return n, err
}

// maxDrain is how much of a refused body is read, so that the client gets to
// see the answer and keeps the connection; above it, the connection is closed.
const maxDrain = 16 << 20

// drain reads what is left of a body that was refused, unless the client
// waits to be told to send it.
func (b *bodyReader) drain(r *http.Request) {
	if b.refused || r.ContentLength > maxDrain || r.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.CopyN(io.Discard, b, maxDrain) // no matter: it is refused
}

// finish leaves the connection fit for the next request, or for closing.
func (b *bodyReader) finish() {
	switch {
	case b.refused:
		_ = b.ctl.SetReadDeadline(time.Unix(1, 0))
	case !b.deadline.IsZero():
		_ = b.ctl.SetReadDeadline(time.Time{})
	}
}

// bodyError is the answer to a body that could not be read to its end.
func (rq *request) bodyError(err error) error {
	if errors.Is(err, errPayloadHash) {
		return failArgument("x-oss-content-sha256", rq.body.want, "The body does not match x-oss-content-sha256.")
	}
	rq.set("Connection", "close")
	rq.body.refused = true
	return fail("RequestTimeout")
}

// readDocument reads a request's XML body, checking Content-MD5.
func (rq *request) readDocument() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(rq.body, maxDocument+1))
	if err != nil {
		return nil, rq.bodyError(err)
	}
	if len(b) > maxDocument {
		return nil, fail("MalformedXML")
	}
	sum := md5.Sum(b)
	return b, rq.checkMD5(sum[:])
}

// contentMD5 returns the promised digest, nil if there is none.
func (rq *request) contentMD5() ([]byte, error) {
	v := rq.header("Content-MD5")
	if v == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(v)
	if err != nil || len(b) != md5.Size {
		return nil, fail("InvalidDigest").with("Content-MD5", v)
	}
	return b, nil
}

func (rq *request) checkMD5(sum []byte) error {
	want, err := rq.contentMD5()
	if err != nil {
		return err
	}
	if want != nil && !bytes.Equal(want, sum) {
		return fail("InvalidDigest").with("Content-MD5", rq.header("Content-MD5"))
	}
	return nil
}

// content is a body that has been stored, but nothing refers to yet.
type content struct {
	segments []store.Segment
	size     int64
	md5      []byte
	crc      uint64
}

// etag is the digest as ETags have it.
func (c *content) etag() string { return fmt.Sprintf("%X", c.md5) }

func (c *content) base64MD5() string { return base64.StdEncoding.EncodeToString(c.md5) }

// receive stores the body, checked and durable: up to inline bytes in memory,
// for the record, more in a blob. Whoever gets the content must have a record
// refer to it, or forget it.
func (rq *request) receive(inline int) (*content, error) {
	if err := rq.checkLength(); err != nil {
		return nil, err
	}
	return rq.receiveFrom(&intake{
		rq: rq, src: rq.body, length: rq.r.ContentLength, max: maxObject,
		tooLarge: func() error { return fail("EntityTooLarge") }, failed: rq.bodyError,
	}, inline)
}

// receiveFrom is receive for bytes that are only a part of the body.
func (rq *request) receiveFrom(in *intake, inline int) (*content, error) {
	buf := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buf)
	in.buf, in.md5 = buf[:], md5.New()
	p, last, err := in.next()
	if err != nil {
		return nil, err
	}
	if last && len(p) <= inline {
		c, err := in.content()
		if err == nil {
			c.segments = store.Inline(slices.Clone(p))
		}
		return c, err
	}
	blob, err := rq.s.store.NewBlob(in.length)
	if err != nil {
		return nil, err
	}
	c, err := in.fill(blob, p, last)
	if err != nil {
		blob.Discard()
		return nil, err
	}
	c.segments, err = blob.Sync()
	return c, err
}

// checkLength refuses bodies without a length, and those too long, before
// they are read.
func (rq *request) checkLength() error {
	r := rq.r
	onWire := r.Context().Value(http.ServerContextKey) != nil
	if onWire && r.ContentLength == 0 && len(r.TransferEncoding) == 0 && r.Header.Get("Content-Length") == "" {
		return fail("MissingContentLength")
	}
	if r.ContentLength > maxObject {
		return fail("EntityTooLarge").with("MaxSizeAllowed", fmt.Sprint(int64(maxObject))).with("ProposedSize", fmt.Sprint(r.ContentLength))
	}
	_, err := rq.contentMD5()
	return err
}

// inflow is what an intake reads; atEnd says that it has been read to its end,
// which an io.EOF alone does not.
type inflow interface {
	io.Reader
	atEnd() bool
}

// intake reads a body in steps and hashes it.
type intake struct {
	rq     *request
	src    inflow
	length int64 // in bytes; -1 if it is not known
	max    int64

	tooLarge func() error
	failed   func(error) error // the answer to an error of src

	buf  []byte
	md5  hash.Hash
	crc  uint64
	size int64
}

// next reads a step; last says that the body has ended with it.
func (in *intake) next() (p []byte, last bool, err error) {
	n, err := io.ReadFull(in.src, in.buf)
	p = in.buf[:n]
	in.md5.Write(p)
	in.crc = crc64.Update(in.crc, crcTable, p)
	in.size += int64(n)
	switch {
	case in.size > in.max:
		return nil, false, in.tooLarge()
	case err == nil:
		return p, in.size == in.length && !in.rq.body.checks(), nil
	case !in.src.atEnd() || errors.Is(err, errPayloadHash):
		return nil, false, in.failed(err)
	case in.length >= 0 && in.size != in.length:
		return nil, false, in.failed(io.ErrUnexpectedEOF)
	}
	return p, true, nil
}

// fill writes the body to a blob, beginning with the step already read.
func (in *intake) fill(blob io.Writer, p []byte, last bool) (*content, error) {
	for {
		if _, err := blob.Write(p); err != nil {
			return nil, err
		}
		if last {
			return in.content()
		}
		var err error
		if p, last, err = in.next(); err != nil {
			return nil, err
		}
	}
}

// content describes the whole body, once its digest is right.
func (in *intake) content() (*content, error) {
	sum := in.md5.Sum(nil)
	return &content{size: in.size, md5: sum, crc: in.crc}, in.rq.checkMD5(sum)
}
