package emulator

import (
	"net/http"
	"strconv"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	maxParts    = 10_000
	minPartSize = 100 << 10 // of every part but the last
)

func (rq *request) initiateUpload() error {
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	_, sequential := rq.lookup("sequential")
	u := &store.Upload{
		Key: rq.key, ID: randomHex(16), Class: a.class, ACL: a.acl, Tags: a.tags,
		Sequential: sequential, Forbid: a.forbid, Headers: a.headers,
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.mayWrite(tx, a.forbid); err != nil {
			return err
		}
		u.Initiated = rq.s.opts.Now()
		return tx.PutUpload(rq.bucket, u)
	})
	if err != nil {
		return err
	}
	rq.echoEncryption(a.headers)
	var d document
	d.open("InitiateMultipartUploadResult")
	rq.writeEncodingType(&d)
	d.text("Bucket", rq.bucket)
	d.text("Key", enc(rq.key))
	d.text("UploadId", u.ID)
	d.close("InitiateMultipartUploadResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// needUpload finds the upload a request is about; ec is what the operation
// answers with if there is none.
func (rq *request) needUpload(tx *store.Tx, ec string) (*store.Upload, error) {
	if err := needBucket(tx, rq.bucket); err != nil {
		return nil, err
	}
	id := rq.param("uploadId")
	u, err := tx.Upload(rq.bucket, rq.key, id)
	if err == nil && u == nil {
		err = fail("NoSuchUpload").withEC(ec).with("UploadId", id)
	}
	return u, err
}

const (
	ecNoUpload         = "0042-00000002"
	ecNoUploadPart     = "0042-00000104"
	ecNoUploadPartCopy = "0042-00000311"
)

// partNumber reads the number of the part to be written.
func (rq *request) partNumber() (int, error) {
	v, ok := rq.lookup("partNumber")
	if !ok || v == "" {
		return 0, fail("MissingArgument").with("ArgumentName", "partNumber")
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxParts {
		return 0, failArgument("partNumber", v, "Part number must be an integer between 1 and 10000, inclusive.").withEC("0017-00000219")
	}
	return n, nil
}

// mayPutPart finds the upload and, if it is sequential, checks the order.
func (rq *request) mayPutPart(tx *store.Tx, number int, ec string) (*store.Upload, error) {
	u, err := rq.needUpload(tx, ec)
	if err != nil || !u.Sequential {
		return u, err
	}
	last := 0
	for p, err := range tx.Parts(u.ID, 1) {
		if err != nil {
			return nil, err
		}
		last = p.Number
	}
	if number != last+1 {
		return nil, fail("PartNotSequential").with("PartNumber", strconv.Itoa(number))
	}
	return u, nil
}

func (rq *request) uploadPart() error {
	number, err := rq.partNumber()
	if err != nil {
		return err
	}
	if err := rq.refuseEncryption(); err != nil {
		return err
	}
	var u *store.Upload
	check := func(tx *store.Tx) (err error) {
		u, err = rq.mayPutPart(tx, number, ecNoUploadPart)
		return err
	}
	if err := rq.s.store.View(check); err != nil { // spare the body; the transaction asks again
		return err
	}
	c, err := rq.receive(0)
	if err != nil {
		return err
	}
	p := &store.Part{Number: number, Size: c.size, ETag: c.etag(), CRC64: c.crc, Segments: c.segments}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		p.Modified = rq.s.opts.Now()
		return tx.PutPart(rq.bucket, rq.param("uploadId"), p)
	})
	if err != nil {
		rq.s.store.Forget(c.segments)
		return err
	}
	rq.setDigests(p.ETag, c.base64MD5(), p.CRC64)
	rq.echoEncryption(u.Headers)
	rq.limit.announce(c.size)
	return nil
}

func (rq *request) abortUpload() error {
	err := rq.s.store.Update(func(tx *store.Tx) error {
		u, err := rq.needUpload(tx, ecNoUpload)
		if err != nil {
			return err
		}
		return tx.DeleteUpload(rq.bucket, u.Key, u.ID)
	})
	if err != nil {
		return err
	}
	rq.w.WriteHeader(http.StatusNoContent)
	return nil
}

// clientEncryptionMeta begins the metadata in which clients keep how they have
// encrypted an object. The service knows of it: see clientEncryption and
// copyObject.
const clientEncryptionMeta = "x-oss-meta-client-side-encryption-"

// clientEncryption is what a list of parts says of that metadata.
var clientEncryption = []struct{ header, element string }{
	{"key", "Key"},
	{"start", "Start"},
	{"cek-alg", "CekAlg"},
	{"wrap-alg", "WrapAlg"},
	{"data-size", "DataSize"},
	{"part-size", "PartSize"},
}

func (rq *request) listParts() error {
	limit, err := rq.intParam("max-parts", 1000, 1, 1000)
	if err != nil {
		return err
	}
	marker, err := rq.intParam("part-number-marker", 0, 0, maxParts)
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	var u *store.Upload
	var parts []*store.Part
	truncated := false
	err = rq.s.store.View(func(tx *store.Tx) error {
		if u, err = rq.needUpload(tx, ecNoUpload); err != nil {
			return err
		}
		for p, err := range tx.Parts(u.ID, marker+1) {
			if err != nil {
				return err
			}
			if truncated = len(parts) == limit; truncated {
				return nil
			}
			parts = append(parts, p)
		}
		return nil
	})
	if err != nil {
		return err
	}
	next := "" // without parts there is none
	if len(parts) > 0 {
		next = strconv.Itoa(parts[len(parts)-1].Number)
	}
	var d document
	d.open("ListPartsResult")
	rq.writeEncodingType(&d)
	d.text("Bucket", rq.bucket)
	d.text("Key", enc(rq.key))
	d.text("UploadId", u.ID)
	d.text("StorageClass", u.Class)
	d.int("PartNumberMarker", int64(marker))
	d.text("NextPartNumberMarker", next)
	d.int("MaxParts", int64(limit))
	d.bool("IsTruncated", truncated)
	for _, e := range clientEncryption {
		if v := headerValue(u.Headers, clientEncryptionMeta+e.header); v != "" {
			d.text("ClientEncryption"+e.element, v)
		}
	}
	for _, p := range parts {
		d.part(p)
	}
	d.close("ListPartsResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}
