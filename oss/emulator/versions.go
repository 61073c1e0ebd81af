package emulator

import (
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// nullVersion is what the protocol calls the version without an id.
const nullVersion = "null"

// versionName is a version's id as answers show it.
func versionName(id string) string {
	if id == "" {
		return nullVersion
	}
	return id
}

// versionPrefix begins all ids of the service.
const versionPrefix = "CAEQ"

// newVersionID looks like one of the service's: opaque, 64 characters.
func newVersionID() string { return versionPrefix + randomHex(30) }

// parseVersionID reads a version's id as requests name it.
func parseVersionID(v string) (id string, ok bool) {
	if v == nullVersion {
		return "", true
	}
	bad := strings.ContainsFunc(v, func(r rune) bool {
		return r != '-' && r != '_' && r != '=' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	return v, strings.HasPrefix(v, versionPrefix) && len(v) <= 128 && !bad
}

// versionID reads the parameter versionId; byID says that there is one.
func (rq *request) versionID() (id string, byID bool, err error) {
	v := rq.param("versionId")
	if v == "" {
		return "", false, nil
	}
	id, ok := parseVersionID(v)
	if !ok {
		return "", false, failArgument("versionId", v, "Invalid version id specified")
	}
	return id, true, nil
}

// needVersioning is needBucket, and remembers the bucket's versioning.
func (rq *request) needVersioning(tx *store.Tx) error {
	b, err := findBucket(tx, rq.bucket)
	if err == nil {
		rq.versioning = b.Versioning
	}
	return err
}

// findAny looks up a version of a key, the newest unless byID; nil if there is
// none. It may be a delete marker.
func findAny(tx *store.Tx, bucket, key, id string, byID bool) (*store.Object, error) {
	if byID {
		return tx.Version(bucket, key, id)
	}
	return tx.Newest(bucket, key)
}

// findVersion looks up a version of a key, the current one unless byID. That
// it is a delete marker is an error.
func findVersion(tx *store.Tx, bucket, key, id string, byID bool) (*store.Object, error) {
	o, err := findAny(tx, bucket, key, id, byID)
	switch {
	case err != nil:
		return nil, err
	case o == nil && byID:
		return nil, fail("NoSuchVersion").with("Key", key).with("VersionId", versionName(id))
	case o == nil:
		return nil, fail("NoSuchKey").with("Key", key)
	case !o.Marker:
		return o, nil
	}
	e := fail("NoSuchKey").with("Key", key)
	if byID {
		e = fail("MethodNotAllowed").with("Method", "GET").with("ResourceType", "DeleteMarker")
	}
	return nil, e.withHeader("x-oss-delete-marker", "true").withHeader("x-oss-version-id", versionName(o.VersionID))
}

// setVersion says which version an answer is about, where there are versions.
func (rq *request) setVersion(o *store.Object) {
	if rq.versioning != "" {
		rq.set("x-oss-version-id", versionName(o.VersionID))
	}
}

// addVersion makes o the current object of its key. needVersioning has been
// called.
func (rq *request) addVersion(tx *store.Tx, o *store.Object) error {
	o.Modified, o.VersionID = rq.s.opts.Now(), newVersionID()
	if err := rq.lockNew(tx, o); err != nil {
		return err
	}
	return tx.AddVersion(rq.versioning, rq.bucket, o)
}

// deletion is one object to delete, and what became of it.
type deletion struct {
	key, id string
	byID    bool

	marker *store.Object // the delete marker that was made or removed
}

// delete removes an object, or a version of it for good, or makes a delete
// marker, as the bucket's versioning and the request say.
func (rq *request) delete(tx *store.Tx, d *deletion) error {
	if d.byID {
		o, err := tx.Version(rq.bucket, d.key, d.id)
		if err != nil || o == nil {
			return err
		}
		if err := rq.mayRemove(o); err != nil {
			return err
		}
		if o.Marker {
			d.marker = o
		}
		return tx.DeleteVersion(rq.bucket, o)
	}
	if rq.versioning == "" {
		return tx.DeleteObject(rq.bucket, d.key)
	}
	d.marker = &store.Object{Key: d.key, VersionID: newVersionID(), Modified: rq.s.opts.Now()}
	return tx.AddMarker(rq.versioning, rq.bucket, d.marker)
}

func (rq *request) getVersioning() error {
	b, err := rq.thisBucket()
	if err != nil {
		return err
	}
	var d document
	d.open("VersioningConfiguration")
	if b.Versioning != "" {
		d.text("Status", b.Versioning)
	}
	d.close("VersioningConfiguration")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

func (rq *request) putVersioning() error {
	body, err := rq.readDocument()
	if err != nil {
		return err
	}
	root, err := parseDocument(body, "VersioningConfiguration")
	if err != nil {
		return fail("MalformedXML")
	}
	status, _ := root.child("Status")
	if len(root.children) > 1 || status != store.VersioningEnabled && status != store.VersioningSuspended {
		return fail("MalformedXML")
	}
	return rq.s.store.Update(func(tx *store.Tx) error {
		b, err := findBucket(tx, rq.bucket)
		if err != nil {
			return err
		}
		b.Versioning = status
		return tx.PutBucket(b)
	})
}

// listVersions lists every version of every key, the newest of a key first.
// Without versioning there is one of each, called null.
func (rq *request) listVersions() error {
	l, err := rq.newListing("max-keys", 100)
	if err != nil {
		return err
	}
	enc, err := rq.encoding()
	if err != nil {
		return err
	}
	marker, idMarker := rq.param("key-marker"), rq.param("version-id-marker")
	if _, ok := parseVersionID(idMarker); idMarker != "" && !ok {
		return failArgument("version-id-marker", idMarker, "Invalid version id specified")
	}
	if marker == "" && idMarker != "" {
		return failArgument("version-id-marker", idMarker, "A version-id marker cannot be specified without a key marker.")
	}
	next := marker + "\x00"
	if idMarker != "" {
		next = marker
	}
	l.after(marker, next)
	var items document
	lastID := ""
	err = rq.s.store.View(func(tx *store.Tx) error {
		if err := needBucket(tx, rq.bucket); err != nil {
			return err
		}
		seen := "" // the key of the row before: the first of a key is the latest
		rows := func(from string) iter.Seq[store.Row] {
			return afterVersion(tx.Versions(rq.bucket, from), marker, idMarker, &seen)
		}
		return l.collect(rows, func(row store.Row) error {
			o, err := row.Object()
			if err != nil {
				return err
			}
			writeVersion(&items, o, enc(o.Key), row.Key != seen, rq.now)
			seen, lastID = row.Key, versionName(o.VersionID)
			return nil
		})
	})
	if err != nil {
		return err
	}
	var d document
	d.open("ListVersionsResult")
	d.text("Name", rq.bucket)
	d.text("Prefix", enc(l.prefix))
	d.text("KeyMarker", enc(marker))
	d.text("VersionIdMarker", idMarker)
	d.int("MaxKeys", int64(l.max))
	d.text("Delimiter", enc(l.delimiter))
	rq.writeEncodingType(&d)
	d.bool("IsTruncated", l.truncated)
	if l.truncated {
		if l.group(l.lastKey) != "" {
			lastID = "" // a group has no version
		}
		d.text("NextKeyMarker", enc(l.lastKey))
		d.text("NextVersionIdMarker", lastID)
	}
	rq.finishListing(&d, &items, l, enc, "ListVersionsResult")
	return nil
}

// afterVersion leaves out the versions of key up to the one called id; with no
// id it leaves out none. seen becomes key if any was left out.
func afterVersion(rows iter.Seq[store.Row], key, id string, seen *string) iter.Seq[store.Row] {
	if id == "" {
		return rows
	}
	return func(yield func(store.Row) bool) {
		passed := false
		for row := range rows {
			if row.Key == key && !passed {
				*seen = key
				o, err := row.Object()
				passed = err == nil && versionName(o.VersionID) == id
				continue
			}
			if !yield(row) {
				return
			}
		}
	}
}

func writeVersion(d *document, o *store.Object, key string, latest bool, now time.Time) {
	name := "Version"
	if o.Marker {
		name = "DeleteMarker"
	}
	d.open(name)
	d.text("Key", key)
	d.text("VersionId", versionName(o.VersionID))
	d.bool("IsLatest", latest)
	if o.Marker {
		d.time("LastModified", o.Modified)
	} else {
		d.object(o)
		d.restoreInfo(o, now)
	}
	d.owner()
	d.close(name)
}
