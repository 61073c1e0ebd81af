package emulator

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// scan yields rows from a position on, in order.
type scan func(from string) iter.Seq[store.Row]

// listing is one page of a listing with prefix and delimiter.
type listing struct {
	prefix, delimiter string
	max               int
	start             string // first position to look at

	groups    []string
	count     int
	truncated bool
	lastKey   string // last key or group of the page
	lastID    string // upload id, if the last was an upload
}

// successor is the first position behind everything that begins with s.
// No byte of a valid key is 0xff, so the last byte can be counted up.
func successor(s string) string {
	b := []byte(s)
	b[len(b)-1]++
	return string(b)
}

// group returns the group a key belongs to, or "".
func (l *listing) group(key string) string {
	if l.delimiter == "" {
		return ""
	}
	rest := key[len(l.prefix):]
	i := strings.Index(rest, l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// after sets the start behind a marker. A marker that is a group itself
// stands for all its keys; next is the first position behind a plain key.
func (l *listing) after(marker, next string) {
	if marker == "" {
		return
	}
	if strings.HasPrefix(marker, l.prefix) && l.group(marker) == marker {
		next = successor(marker)
	}
	l.start = next
}

// collect fills the page. A group costs one seek, however many keys it has.
func (l *listing) collect(rows scan, add func(store.Row) error) error {
	from := max(l.start, l.prefix)
	for {
		next := ""
		for row := range rows(from) {
			if !strings.HasPrefix(row.Key, l.prefix) {
				return nil
			}
			if l.count == l.max {
				l.truncated = true
				return nil
			}
			l.count++
			if g := l.group(row.Key); g != "" {
				l.groups = append(l.groups, g)
				l.lastKey, l.lastID = g, ""
				next = successor(g)
				break
			}
			if err := add(row); err != nil {
				return err
			}
			l.lastKey, l.lastID = row.Key, row.ID
		}
		if next == "" {
			return nil
		}
		from = next
	}
}

// newListing reads the parameters all listings share; sizeParam is max-keys
// or max-uploads.
func (rq *request) newListing(sizeParam string, def int) (*listing, error) {
	n, err := rq.intParam(sizeParam, def, 1, 1000)
	if err != nil {
		return nil, err
	}
	l := &listing{prefix: rq.param("prefix"), delimiter: rq.param("delimiter"), max: n}
	for _, name := range []string{"prefix", "marker", "key-marker", "start-after", "delimiter"} {
		if v := rq.param(name); len(v) > maxKeyBytes {
			return nil, failArgument(name, v, "The length of "+name+" must be less than 1024.")
		}
	}
	return l, nil
}

// encodingType is what the request says, in the query or, as the vendor's Java
// client does it to delete objects, in a header.
func (rq *request) encodingType() string {
	return cmp.Or(rq.param("encoding-type"), rq.header("encoding-type"))
}

// encoding returns what encoding-type asks to be done to keys.
func (rq *request) encoding() (func(string) string, error) {
	switch v := rq.encodingType(); v {
	case "":
		return func(s string) string { return s }, nil
	case "url":
		return func(s string) string { return sign.Escape(s, false) }, nil
	default:
		return nil, failArgument("encoding-type", v, "The encoding type is not supported.")
	}
}

func (rq *request) writeEncodingType(d *document) {
	if v := rq.encodingType(); v != "" {
		d.text("EncodingType", v)
	}
}

func (rq *request) listObjects() error {
	l, err := rq.newListing("max-keys", 100)
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	marker := rq.param("marker")
	l.after(marker, marker+"\x00")
	var items document
	items.b = make([]byte, 0, 64<<10)
	if err := rq.collectObjects(l, &items, enc, true); err != nil {
		return err
	}
	var d document
	d.open("ListBucketResult")
	d.text("Name", rq.bucket)
	d.text("Prefix", enc(l.prefix))
	d.text("Marker", enc(marker))
	d.int("MaxKeys", int64(l.max))
	d.text("Delimiter", enc(l.delimiter))
	rq.writeEncodingType(&d)
	d.bool("IsTruncated", l.truncated)
	if l.truncated {
		d.text("NextMarker", enc(l.lastKey))
	}
	rq.finishListing(&d, &items, l, enc, "ListBucketResult")
	return nil
}

// finishListing adds the rows and groups, and answers.
func (rq *request) finishListing(d, items *document, l *listing, enc func(string) string, root string) {
	d.b = append(d.b, items.b...)
	for _, g := range l.groups {
		d.open("CommonPrefixes")
		d.text("Prefix", enc(g))
		d.close("CommonPrefixes")
	}
	d.close(root)
	rq.writeDocument(http.StatusOK, d)
}

func (rq *request) collectObjects(l *listing, items *document, enc func(string) string, owner bool) error {
	return rq.s.store.View(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		rows := func(from string) iter.Seq[store.Row] { return tx.Objects(rq.bucket, from) }
		return l.collect(rows, func(row store.Row) error {
			o, err := row.Info()
			if err != nil {
				return err
			}
			items.open("Contents")
			items.text("Key", enc(o.Key))
			items.object(o)
			if archived(o.Class) { // the only ones with more to say
				if o, err = row.Object(); err != nil {
					return err
				}
				items.restoreInfo(o, rq.now)
			}
			if owner {
				items.owner()
			}
			items.close("Contents")
			return nil
		})
	})
}

func (rq *request) listObjectsV2() error {
	if v := rq.param("list-type"); v != "2" {
		return failArgument("list-type", v, "The list type is not supported.")
	}
	l, err := rq.newListing("max-keys", 100)
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	startAfter, marker := rq.param("start-after"), ""
	token, hasToken := rq.lookup("continuation-token")
	if hasToken && token != "" {
		var ok bool
		if marker, ok = openToken(token); !ok {
			return failArgument("continuation-token", token, "The continuation token is not valid.")
		}
	} else {
		marker = startAfter
	}
	l.after(marker, marker+"\x00")
	var items document
	items.b = make([]byte, 0, 64<<10)
	if err := rq.collectObjects(l, &items, enc, rq.param("fetch-owner") == "true"); err != nil {
		return err
	}
	var d document
	d.open("ListBucketResult")
	d.text("Name", rq.bucket)
	d.text("Prefix", enc(l.prefix))
	if startAfter != "" {
		d.text("StartAfter", enc(startAfter))
	}
	d.int("MaxKeys", int64(l.max))
	d.text("Delimiter", enc(l.delimiter))
	rq.writeEncodingType(&d)
	d.bool("IsTruncated", l.truncated)
	d.int("KeyCount", int64(l.count))
	if token != "" {
		d.text("ContinuationToken", enc(token))
	}
	if l.truncated {
		d.text("NextContinuationToken", enc(makeToken(l.lastKey)))
	}
	rq.finishListing(&d, &items, l, enc, "ListBucketResult")
	return nil
}

// makeToken wraps a marker so that a made-up token can be told from ours.
func makeToken(marker string) string {
	b := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(marker)))
	return base64.RawURLEncoding.EncodeToString(append(b, marker...))
}

func openToken(token string) (marker string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 4 {
		return "", false
	}
	return string(b[4:]), binary.BigEndian.Uint32(b) == crc32.ChecksumIEEE(b[4:])
}

func (rq *request) listUploads() error {
	l, err := rq.newListing("max-uploads", 1000)
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	marker, idMarker := rq.param("key-marker"), rq.param("upload-id-marker")
	switch {
	case marker == "":
		idMarker = ""
	case idMarker == "":
		l.after(marker, marker+"\x01")
	default:
		l.after(marker, marker+"\x00"+idMarker+"\x00")
	}
	var items document
	err = rq.s.store.View(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		rows := func(from string) iter.Seq[store.Row] { return tx.Uploads(rq.bucket, from) }
		return l.collect(rows, func(row store.Row) error {
			u, err := row.Upload()
			if err != nil {
				return err
			}
			items.open("Upload")
			items.text("Key", enc(u.Key))
			items.text("UploadId", u.ID)
			items.text("StorageClass", u.Class)
			items.time("Initiated", u.Initiated)
			items.close("Upload")
			return nil
		})
	})
	if err != nil {
		return err
	}
	var d document
	d.open("ListMultipartUploadsResult")
	rq.writeEncodingType(&d)
	d.text("Bucket", rq.bucket)
	d.text("KeyMarker", enc(marker))
	d.text("UploadIdMarker", idMarker)
	d.text("NextKeyMarker", enc(l.lastKey))
	d.text("NextUploadIdMarker", l.lastID)
	d.text("Delimiter", enc(l.delimiter))
	d.text("Prefix", enc(l.prefix))
	d.int("MaxUploads", int64(l.max))
	d.bool("IsTruncated", l.truncated)
	rq.finishListing(&d, &items, l, enc, "ListMultipartUploadsResult")
	return nil
}
