package emulator

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

func (rq *request) putObject() error {
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	cb, err := rq.readCallback()
	if err != nil {
		return err
	}
	if a.forbid { // spare the body; the transaction asks again
		err := rq.s.store.View(func(tx *store.Tx) error { return rq.mayWrite(tx, true) })
		if err != nil {
			return err
		}
	}
	c, err := rq.receive(maxInline)
	if err != nil {
		return err
	}
	o := &store.Object{
		Key: rq.key, Type: store.Normal, Size: c.size, ETag: c.etag(), MD5: c.base64MD5(), CRC64: c.crc,
		Class: a.class, ACL: a.acl, Tags: a.tags, Headers: a.headers, Segments: c.segments,
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.mayWrite(tx, a.forbid); err != nil {
			return err
		}
		o.Modified = rq.s.opts.Now()
		return tx.PutObject(rq.bucket, o)
	})
	if err != nil {
		rq.s.store.Forget(c.segments)
		return err
	}
	rq.setDigests(o.ETag, o.MD5, o.CRC64)
	rq.echoEncryption(a.headers)
	rq.limit.announce(c.size)
	if cb != nil {
		return rq.call(cb, o)
	}
	return nil
}

// mayWrite refuses a write to a missing bucket, or over an object if that is
// forbidden.
func (rq *request) mayWrite(tx *store.Tx, forbidOverwrite bool) error {
	if err := needBucket(tx, rq.bucket); err != nil {
		return err
	}
	if !forbidOverwrite {
		return rq.mayChange(tx, rq.key, true)
	}
	old, err := tx.Object(rq.bucket, rq.key)
	if err == nil && old != nil {
		err = fail("FileAlreadyExists").with("Key", rq.key)
	}
	return err
}

// setDigests sets the headers by which a client checks what was stored.
func (rq *request) setDigests(etag, md5 string, crc uint64) {
	rq.set("ETag", `"`+etag+`"`)
	if md5 != "" {
		rq.set("Content-MD5", md5)
	}
	rq.set("x-oss-hash-crc64ecma", strconv.FormatUint(crc, 10))
}

func (rq *request) echoEncryption(hs []store.Header) {
	for _, h := range hs {
		if strings.HasPrefix(h.Name, "x-oss-server-side-") {
			rq.set(h.Name, h.Value)
		}
	}
}

func (rq *request) deleteObject() error {
	if err := rq.checkVersion(); err != nil {
		return err
	}
	err := rq.s.store.Update(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		if err := rq.mayChange(tx, rq.key, false); err != nil {
			return err
		}
		return tx.DeleteObject(rq.bucket, rq.key)
	})
	if err != nil {
		return err
	}
	rq.w.WriteHeader(http.StatusNoContent)
	return nil
}

// checkVersion refuses versions there are none of: without versioning all
// there is is the version null.
func (rq *request) checkVersion() error {
	if v := rq.param("versionId"); v != "" && v != "null" {
		return fail("NoSuchVersion").with("Key", rq.key).with("VersionId", v)
	}
	return nil
}

// maxDelete is how many keys one DeleteMultipleObjects may name.
const maxDelete = 1000

func (rq *request) deleteObjects() error {
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	if rq.header("Content-MD5") == "" {
		return fail("MissingArgument").with("ArgumentName", "Content-MD5")
	}
	body, err := rq.readDocument()
	if err != nil {
		return err
	}
	keys, quiet, err := parseDelete(body)
	if err != nil {
		return err
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		for _, k := range keys {
			if err := rq.mayChange(tx, k, false); err != nil {
				return err
			}
		}
		for _, k := range keys {
			if err := tx.DeleteObject(rq.bucket, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if quiet {
		rq.set("Content-Length", "0")
		return nil
	}
	var d document
	d.open("DeleteResult")
	rq.writeEncodingType(&d)
	for _, k := range keys {
		d.open("Deleted")
		d.text("Key", enc(k))
		d.close("Deleted")
	}
	d.close("DeleteResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// parseDelete reads the body of DeleteMultipleObjects.
func parseDelete(body []byte) (keys []string, quiet bool, err error) {
	malformed := func() (keys []string, quiet bool, err error) {
		return nil, false, fail("MalformedXML").withEC("0016-00000608")
	}
	root, err := parseDocument(body, "Delete")
	if err != nil {
		return malformed()
	}
	for _, e := range root.children {
		switch e.name {
		case "Quiet":
			quiet = strings.EqualFold(strings.TrimSpace(string(e.text)), "true")
		case "Object":
			key, ok := e.child("Key")
			if !ok || len(keys) == maxDelete {
				return malformed()
			}
			if !validKey(key) {
				return nil, false, fail("InvalidObjectName").with("ObjectName", key)
			}
			if v, ok := e.child("VersionId"); ok && v != "" && v != "null" {
				return nil, false, failArgument("VersionId", v, "The version id is not valid.")
			}
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return malformed()
	}
	return keys, quiet, nil
}
