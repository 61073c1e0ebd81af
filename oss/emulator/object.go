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
	o, err := rq.commit(a, c)
	if err != nil {
		return err
	}
	rq.limit.announce(c.size)
	if cb != nil {
		return rq.call(cb, o)
	}
	return nil
}

// commit makes an object of what has been received, and sets the headers that
// say so.
func (rq *request) commit(a *attributes, c *content) (*store.Object, error) {
	o := &store.Object{
		Key: rq.key, Type: store.Normal, Size: c.size, ETag: c.etag(), MD5: c.base64MD5(), CRC64: c.crc,
		Class: a.class, ACL: a.acl, Tags: a.tags, Headers: a.headers, Segments: c.segments,
	}
	err := rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.mayWrite(tx, a.forbid); err != nil {
			return err
		}
		return rq.addVersion(tx, o)
	})
	if err != nil {
		rq.s.store.Forget(c.segments)
		return nil, err
	}
	rq.setVersion(o)
	rq.setDigests(o.ETag, o.MD5, o.CRC64)
	rq.echoEncryption(a.headers)
	return o, nil
}

// mayWrite refuses a write to a missing bucket, or over an object if that is
// forbidden. With versions nothing is overwritten.
func (rq *request) mayWrite(tx *store.Tx, forbidOverwrite bool) error {
	if err := rq.needVersioning(tx); err != nil {
		return err
	}
	if !forbidOverwrite || rq.versioning != "" {
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
	d := deletion{key: rq.key}
	var err error
	if d.id, d.byID, err = rq.versionID(); err != nil {
		return err
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.needVersioning(tx); err != nil {
			return err
		}
		if err := rq.mayChange(tx, rq.key, false); err != nil {
			return err
		}
		return rq.delete(tx, &d)
	})
	if err != nil {
		return err
	}
	if rq.versioning != "" {
		if d.marker != nil {
			rq.set("x-oss-delete-marker", "true")
			rq.set("x-oss-version-id", versionName(d.marker.VersionID))
		} else {
			rq.set("x-oss-version-id", versionName(d.id))
		}
	}
	rq.w.WriteHeader(http.StatusNoContent)
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
	list, quiet, err := parseDelete(body)
	if err != nil {
		return err
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.needVersioning(tx); err != nil {
			return err
		}
		for _, e := range list {
			if err := rq.mayChange(tx, e.key, false); err != nil {
				return err
			}
		}
		for i := range list {
			if err := rq.delete(tx, &list[i]); err != nil {
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
	for _, e := range list {
		d.open("Deleted")
		d.text("Key", enc(e.key))
		if e.byID {
			d.text("VersionId", versionName(e.id))
		}
		if e.marker != nil {
			d.bool("DeleteMarker", true)
			d.text("DeleteMarkerVersionId", versionName(e.marker.VersionID))
		}
		d.close("Deleted")
	}
	d.close("DeleteResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// parseDelete reads the body of DeleteMultipleObjects.
func parseDelete(body []byte) (list []deletion, quiet bool, err error) {
	malformed := func() ([]deletion, bool, error) {
		return nil, false, fail("MalformedXML").withEC("0016-00000608")
	}
	root, err := parseDocument(body, "Delete")
	if err != nil {
		return malformed()
	}
	for _, e := range root.children {
		switch e.name {
		case "Quiet":
			if quiet, err = strconv.ParseBool(strings.ToLower(strings.TrimSpace(string(e.text)))); err != nil {
				return malformed()
			}
		case "Object":
			key, ok := e.child("Key")
			if !ok || len(list) == maxDelete {
				return malformed()
			}
			if !validKey(key) {
				return nil, false, fail("InvalidObjectName").with("ObjectName", key)
			}
			d := deletion{key: key}
			if v, ok := e.child("VersionId"); ok && v != "" {
				if d.id, d.byID = parseVersionID(v); !d.byID {
					return nil, false, failArgument("VersionId", v, "The version id is not valid.")
				}
			}
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return malformed()
	}
	return list, quiet, nil
}
