package emulator

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"net/http"
	"slices"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// copyTries bounds how often bytes are hashed again because they were
// overwritten meanwhile.
const copyTries = 5

var errSourceChanged = errors.New("source keeps changing while it is read")

// uploadPartCopy makes a part of a range of an object. The bytes are not
// copied, but read for the digests, unless the object has them.
func (rq *request) uploadPartCopy() error {
	number, err := rq.partNumber()
	if err != nil {
		return err
	}
	src, err := rq.copySource()
	if err != nil {
		return err
	}
	var u *store.Upload
	for range copyTries {
		p, rg, size, err := rq.hashSource(src, number)
		if err != nil {
			return err
		}
		err = rq.s.store.Update(func(tx *store.Tx) error {
			if u, err = rq.mayPutPart(tx, number, ecNoUploadPartCopy); err != nil {
				return err
			}
			o, err := rq.findSource(tx, src)
			if err != nil {
				return err
			}
			if !slices.EqualFunc(store.Slice(o.Segments, rg.off, rg.len), p.Segments, store.SameBytes) {
				return errSourceChanged
			}
			p.Modified = rq.s.opts.Now()
			return tx.PutPart(rq.bucket, rq.param("uploadId"), p)
		})
		if errors.Is(err, errSourceChanged) {
			continue
		}
		if err != nil {
			return err
		}
		rq.set("ETag", `"`+p.ETag+`"`)
		rq.echoEncryption(u.Headers)
		if rg.status == http.StatusPartialContent {
			rq.set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", rg.off, rg.off+rg.len-1, size))
		}
		var d document
		d.open("CopyPartResult")
		d.time("LastModified", p.Modified)
		d.etag(p.ETag)
		d.close("CopyPartResult")
		rq.writeDocument(http.StatusOK, &d)
		return nil
	}
	return errSourceChanged
}

// hashSource reads the part's bytes where they are.
func (rq *request) hashSource(src *source, number int) (p *store.Part, rg byteRange, size int64, err error) {
	var o *store.Object
	c, err := rq.s.store.Open(func(tx *store.Tx) ([]store.Segment, error) {
		if _, err := rq.mayPutPart(tx, number, ecNoUploadPartCopy); err != nil {
			return nil, err
		}
		if o, err = rq.findSource(tx, src); err != nil {
			return nil, err
		}
		// A range that does not fit copies everything, as the service does.
		rg, err = resolveRange(rq.header("x-oss-copy-source-range"), o.Size, false)
		if err != nil {
			rg = byteRange{len: o.Size, status: http.StatusOK}
		}
		if rg.len > maxObject {
			return nil, fail("EntityTooLarge").with("Key", src.key)
		}
		return store.Slice(o.Segments, rg.off, rg.len), nil
	})
	if err != nil {
		return nil, rg, 0, err
	}
	defer c.Close()
	p = &store.Part{Number: number, Size: rg.len, Segments: store.Slice(o.Segments, rg.off, rg.len)}
	if sum, err := base64.StdEncoding.DecodeString(o.MD5); err == nil && len(sum) == md5.Size && rg.len == o.Size {
		p.ETag, p.CRC64 = fmt.Sprintf("%X", sum), o.CRC64
		return p, rg, o.Size, nil
	}
	d := digester{md5: md5.New()}
	if err := c.CopyTo(&d, 0, rg.len); err != nil {
		return nil, rg, 0, err
	}
	p.ETag, p.CRC64 = fmt.Sprintf("%X", d.md5.Sum(nil)), d.crc
	return p, rg, o.Size, nil
}

// digester is a writer that only hashes. It reads in units of the copy
// buffer, so that hashing a file takes no memory of its own.
type digester struct {
	md5 hash.Hash
	crc uint64
}

func (d *digester) Write(p []byte) (int, error) {
	d.md5.Write(p)
	d.crc = crc64.Update(d.crc, crcTable, p)
	return len(p), nil
}

func (d *digester) ReadFrom(r io.Reader) (int64, error) {
	buf := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{d}, r, buf[:])
}
