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
	refused  bool // the rest will not be read
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

var errPayloadHash = errors.New("body differs from x-oss-content-sha256")

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.refused {
		return 0, io.EOF
	}
	if now := time.Now(); b.deadline.Sub(now) < bodyIdle/2 {
		b.deadline = now.Add(bodyIdle)
		_ = b.ctl.SetReadDeadline(b.deadline) // not every ResponseWriter has deadlines
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.sha != nil {
		b.sha.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		b.ended = true
		if b.sha != nil && hex.EncodeToString(b.sha.Sum(nil)) != strings.ToLower(b.want) {
			return n, errPayloadHash
		}
	}
	return n, err
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

// receive stores the body, checked and durable. Whoever gets the content must
// have a record refer to it, or forget it.
func (rq *request) receive() (*content, error) {
	if err := rq.checkLength(); err != nil {
		return nil, err
	}
	blob, err := rq.s.store.NewBlob(rq.r.ContentLength)
	if err != nil {
		return nil, err
	}
	c, err := rq.fill(blob)
	if err == nil {
		err = rq.checkMD5(c.md5)
	}
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

func (rq *request) fill(blob io.Writer) (*content, error) {
	buf := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buf)
	sum := md5.New()
	c := &content{}
	for {
		n, err := io.ReadFull(rq.body, buf[:])
		p := buf[:n]
		sum.Write(p)
		c.crc = crc64.Update(c.crc, crcTable, p)
		c.size += int64(n)
		if c.size > maxObject {
			return nil, fail("EntityTooLarge")
		}
		if _, werr := blob.Write(p); werr != nil {
			return nil, werr
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && rq.body.ended:
			c.md5 = sum.Sum(nil)
			if rq.r.ContentLength >= 0 && c.size != rq.r.ContentLength {
				return nil, rq.bodyError(io.ErrUnexpectedEOF)
			}
			return c, nil
		}
		return nil, rq.bodyError(err)
	}
}
