package emulator

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// wantedPart is a part as CompleteMultipartUpload lists it.
type wantedPart struct {
	number int
	etag   string // without quotes
}

func (rq *request) completeUpload() error {
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	forbid := strings.EqualFold(rq.header("x-oss-forbid-overwrite"), "true")
	if err := rq.refuseEncryption(); err != nil {
		return err
	}
	acl := rq.header("x-oss-object-acl")
	if acl != "" && !validObjectACL(acl) {
		return failArgument("x-oss-object-acl", acl, "The object ACL is not valid.")
	}
	cb, err := rq.readCallback()
	if err != nil {
		return err
	}
	list, all, err := rq.readCompletion()
	if err != nil {
		return err
	}
	o, err := rq.finishUpload(list, all, forbid, acl)
	if err != nil {
		return err
	}
	rq.setVersion(o)
	rq.setDigests(o.ETag, o.MD5, o.CRC64)
	rq.echoEncryption(o.Headers)
	if cb != nil {
		return rq.call(cb, o)
	}
	var d document
	d.open("CompleteMultipartUploadResult")
	rq.writeEncodingType(&d)
	d.text("Location", "http://"+rq.r.Host+rq.r.URL.EscapedPath())
	d.text("Bucket", rq.bucket)
	d.text("Key", enc(rq.key))
	d.etag(o.ETag)
	d.close("CompleteMultipartUploadResult")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

// finishUpload turns the upload into an object. That of a sequential upload
// gets its Content-MD5, for which its bytes are read beforehand.
func (rq *request) finishUpload(list []wantedPart, all, forbid bool, acl string) (*store.Object, error) {
	for range copyTries {
		digest, digested, err := rq.digestSequential(list, all)
		if err != nil {
			return nil, err
		}
		var o *store.Object
		err = rq.s.store.Update(func(tx *store.Tx) error {
			u, err := rq.needUpload(tx, ecNoUpload)
			if err != nil {
				return err
			}
			if err := rq.mayWrite(tx, forbid || u.Forbid); err != nil {
				return err
			}
			parts, err := rq.chooseParts(tx, u, list, all)
			if err != nil {
				return err
			}
			o = assemble(u, parts)
			if err := checkClientSize(o); err != nil {
				return err
			}
			o.ACL = cmp.Or(acl, o.ACL)
			if u.Sequential {
				if !slices.EqualFunc(o.Segments, digested, store.SameBytes) {
					return errSourceChanged
				}
				o.MD5 = digest
			}
			if err := rq.addVersion(tx, o); err != nil {
				return err
			}
			return tx.DeleteUpload(rq.bucket, u.Key, u.ID)
		})
		if !errors.Is(err, errSourceChanged) {
			return o, err
		}
	}
	return nil, errSourceChanged
}

// checkClientSize compares an object with the size that a client which encrypts
// has announced for it: a part was left out if they differ.
func checkClientSize(o *store.Object) error {
	const name = clientEncryptionMeta + "data-size"
	v := headerValue(o.Headers, name)
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n != o.Size {
		return failArgument(name, v, "The size of the parts is not the one announced.")
	}
	return nil
}

// digestSequential returns the MD5 of a sequential upload's bytes, and which
// they are; nothing of other uploads.
func (rq *request) digestSequential(list []wantedPart, all bool) (digest string, segs []store.Segment, err error) {
	var size int64
	c, err := rq.s.store.Open(func(tx *store.Tx) ([]store.Segment, error) {
		u, err := rq.needUpload(tx, ecNoUpload)
		if err != nil || !u.Sequential {
			return nil, err
		}
		parts, err := rq.chooseParts(tx, u, list, all)
		if err != nil {
			return nil, err
		}
		o := assemble(u, parts)
		segs, size = o.Segments, o.Size
		return segs, nil
	})
	if err != nil {
		return "", nil, err
	}
	defer c.Close()
	d := digester{md5: md5.New()}
	if err := c.CopyTo(&d, 0, size); err != nil {
		return "", nil, err
	}
	return base64.StdEncoding.EncodeToString(d.md5.Sum(nil)), segs, nil
}

// readCompletion reads the list of parts; all says that the request wants
// every part the server has.
func (rq *request) readCompletion() (list []wantedPart, all bool, err error) {
	body, err := rq.readDocument()
	if err != nil {
		return nil, false, err
	}
	if v := rq.header("x-oss-complete-all"); v != "" {
		if !strings.EqualFold(v, "yes") {
			return nil, false, failArgument("x-oss-complete-all", v, "x-oss-complete-all must be yes.")
		}
		if len(body) > 0 { // spelt as the service does
			return nil, false, failArgument("x-oss-complete-all", v, "Should not speficy both complete all header and http body.").withEC("0042-00000216")
		}
		return nil, true, nil
	}
	list, err = parseCompletion(body)
	return list, false, err
}

func parseCompletion(body []byte) ([]wantedPart, error) {
	malformed := fail("MalformedXML").withEC("0042-00000205")
	root, err := parseDocument(body, "CompleteMultipartUpload")
	if err != nil || len(root.children) > maxParts {
		return nil, malformed
	}
	list := make([]wantedPart, 0, len(root.children))
	for _, e := range root.children {
		number, ok1 := e.child("PartNumber")
		etag, ok2 := e.child("ETag")
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if e.name != "Part" || !ok1 || !ok2 || err != nil {
			return nil, malformed
		}
		if len(list) > 0 && n <= list[len(list)-1].number {
			return nil, fail("InvalidPartOrder")
		}
		list = append(list, wantedPart{n, strings.Trim(strings.TrimSpace(etag), `"`)})
	}
	return list, nil
}

// chooseParts finds the parts that make the object and checks them.
func (rq *request) chooseParts(tx *store.Tx, u *store.Upload, list []wantedPart, all bool) ([]*store.Part, error) {
	have := make(map[int]*store.Part)
	var parts []*store.Part
	for p, err := range tx.Parts(u.ID, 1) {
		if err != nil {
			return nil, err
		}
		have[p.Number] = p
		parts = append(parts, p)
	}
	if !all {
		parts = parts[:0]
		for _, w := range list {
			p := have[w.number]
			if p == nil || !strings.EqualFold(p.ETag, w.etag) {
				return nil, fail("InvalidPart").with("UploadId", u.ID).with("PartNumber", strconv.Itoa(w.number)).with("ETag", w.etag)
			}
			parts = append(parts, p)
		}
	}
	for i, p := range parts {
		if i < len(parts)-1 && p.Size < minPartSize {
			return nil, fail("EntityTooSmall").with("ETag", p.ETag).with("PartNumber", strconv.Itoa(p.Number)).
				with("MinSizeAllowed", strconv.Itoa(minPartSize)).with("ProposedSize", strconv.FormatInt(p.Size, 10))
		}
	}
	return parts, nil
}

// assemble makes the object of an upload. Its ETag is the digest of the parts'
// ETags as text, and the number of parts.
func assemble(u *store.Upload, parts []*store.Part) *store.Object {
	o := &store.Object{
		Key: u.Key, Type: store.Multipart, Class: u.Class, ACL: u.ACL, Tags: u.Tags, Headers: u.Headers,
	}
	sum := md5.New()
	for _, p := range parts {
		sum.Write([]byte(p.ETag))
		o.CRC64 = combineCRC64(o.CRC64, p.CRC64, p.Size)
		o.Size += p.Size
		o.Segments = append(o.Segments, p.Segments...)
	}
	o.ETag = fmt.Sprintf("%X-%d", sum.Sum(nil), len(parts))
	return o
}
