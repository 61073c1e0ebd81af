package emulator

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// found is an object to be read: what its headers come from, and where its
// bytes are. The two differ for symlinks.
type found struct {
	*store.Object
	data *store.Object
}

// find looks up the request's object, following a symlink once.
func (rq *request) find(tx *store.Tx) (*found, error) {
	o, err := rq.findOne(tx)
	if err != nil {
		if o, err = rq.indexDocument(tx, err); err != nil {
			return nil, err
		}
		if err := rq.mayFollow(tx, o.Key); err != nil {
			return nil, err
		}
	}
	if o.Type != store.Symlink {
		return &found{o, o}, nil
	}
	target, err := tx.Object(rq.bucket, o.Target)
	switch {
	case err != nil:
		return nil, err
	case target == nil:
		return nil, fail("SymlinkTargetNotExist").with("Key", o.Target)
	case target.Type == store.Symlink:
		return nil, fail("InvalidTargetType").with("Key", o.Target)
	}
	if err := rq.mayFollow(tx, o.Target); err != nil {
		return nil, err
	}
	if target.Modified.After(o.Modified) {
		o.Modified = target.Modified
	}
	return &found{o, target}, nil
}

// mayFollow refuses to show an anonymous caller, in place of what was asked
// for, an object that this caller may not read.
func (rq *request) mayFollow(tx *store.Tx, key string) error {
	if rq.signed {
		return nil
	}
	behind := *rq
	behind.key, behind.query = key, nil
	return behind.anonymousMay(tx, readAccess)
}

// findOne looks up the request's object itself, in the version it asks for.
func (rq *request) findOne(tx *store.Tx) (*store.Object, error) {
	if err := rq.needVersioning(tx); err != nil {
		return nil, err
	}
	id, byID, err := rq.versionID()
	if err != nil {
		return nil, err
	}
	return findVersion(tx, rq.bucket, rq.key, id, byID)
}

func (rq *request) getObject() error {
	var f *found
	c, err := rq.s.store.Open(func(tx *store.Tx) (_ []store.Segment, err error) {
		if f, err = rq.find(tx); err != nil {
			return nil, err
		}
		return f.data.Segments, rq.mayRead(tx, f.data)
	})
	if err != nil {
		return err
	}
	defer c.Close()
	rg, err := rq.describe(f)
	if err != nil {
		return err
	}
	if rq.compresses(rg) {
		return rq.sendCompressed(c, rg)
	}
	rq.limit.announce(rg.len)
	rq.w.WriteHeader(rg.status)
	rq.send(rq.w, c, rg)
	return nil
}

// sendStep is how many bytes go out between two extensions of the deadline
// for writing, and writeIdle how long they may take: 140 KB/s at the least.
const (
	sendStep  = 8 << 20
	writeIdle = time.Minute
)

// send writes a range to w, and reports whether all of it. An error can only
// cut the answer: it has begun.
func (rq *request) send(w io.Writer, c *store.Content, rg byteRange) bool {
	ctl := http.NewResponseController(rq.w.ResponseWriter)
	for off, left := rg.off, rg.len; left > 0; {
		n := rq.limit.step(min(left, sendStep))
		_ = ctl.SetWriteDeadline(time.Now().Add(writeIdle)) // not every ResponseWriter has deadlines
		if err := c.CopyTo(w, off, n); err != nil {
			rq.code = "Aborted"
			return false
		}
		rq.limit.pass(int(n))
		off, left = off+n, left-n
	}
	_ = ctl.SetWriteDeadline(time.Time{})
	return true
}

func (rq *request) headObject() error {
	f, err := rq.lookUp()
	if err != nil {
		return err
	}
	rg, err := rq.describe(f)
	if err != nil {
		return err
	}
	rq.w.WriteHeader(rg.status)
	return nil
}

// lookUp finds the request's object, following symlinks.
func (rq *request) lookUp() (f *found, err error) {
	err = rq.s.store.View(func(tx *store.Tx) error {
		f, err = rq.find(tx)
		return err
	})
	return f, err
}

// describe checks conditions and range and sets the headers of GET and HEAD.
func (rq *request) describe(f *found) (byteRange, error) {
	h := rq.w.Header()
	rq.setVersion(f.Object)
	rq.setDigests(f.data.ETag, f.data.MD5, f.data.CRC64)
	rq.set("Last-Modified", f.Modified.UTC().Format(http.TimeFormat))
	cond := conditions{
		match: rq.header("If-Match"), unmodified: rq.header("If-Unmodified-Since"),
		noneMatch: rq.header("If-None-Match"), modified: rq.header("If-Modified-Since"),
	}
	if err := cond.check(f.data.ETag, f.Modified); err != nil {
		return byteRange{}, err
	}
	rg, err := resolveRange(rq.header("Range"), f.data.Size, rq.header("x-oss-range-behavior") == "standard")
	if err != nil {
		return byteRange{}, err
	}
	rq.setObjectHeaders(f)
	for _, p := range rq.query {
		if name, ok := strings.CutPrefix(p.Name, "response-"); ok && overridable[name] {
			h.Set(name, p.Value)
		}
	}
	h.Set("Content-Length", strconv.FormatInt(rg.len, 10))
	if rg.status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", rg.off, rg.off+rg.len-1, f.data.Size))
	}
	return rg, nil
}

// overridable are the headers that response-* parameters may replace.
var overridable = wordSet("content-type content-language expires cache-control content-disposition content-encoding")

func (rq *request) setObjectHeaders(f *found) {
	h := rq.w.Header()
	h.Set("Accept-Ranges", "bytes")
	h.Set("x-oss-object-type", f.Type.String())
	h.Set("x-oss-storage-class", f.Class)
	h.Set("Content-Type", defaultContentType)
	for _, s := range f.Headers {
		h.Set(s.Name, s.Value)
	}
	if f.Type == store.Appendable {
		h.Set("x-oss-next-append-position", strconv.FormatInt(f.Size, 10))
	}
	if r := restoreHeader(f.Object, rq.now); r != "" {
		h.Set("x-oss-restore", r)
	}
	rq.setLock(f.Lock)
	if !f.Sealed.IsZero() {
		h.Set("x-oss-sealed-time", f.Sealed.Format(http.TimeFormat))
	}
	if f.Tags != "" {
		h.Set("x-oss-tagging-count", strconv.Itoa(strings.Count(f.Tags, "&")+1))
	}
}

func (rq *request) objectMeta() error {
	var (
		o       *store.Object
		monitor *element
	)
	err := rq.s.store.View(func(tx *store.Tx) (err error) {
		if o, err = rq.findOne(tx); err != nil {
			return err
		}
		monitor, err = configDoc(tx, rq.bucket, "accessmonitor", "")
		return err
	})
	if err != nil {
		return err
	}
	rq.setVersion(o)
	rq.setDigests(o.ETag, "", o.CRC64)
	modified := o.Modified.UTC().Format(http.TimeFormat)
	rq.set("Last-Modified", modified)
	if monitor != nil && monitor.get("Status") == enabled(true) {
		// The service notes accesses up to a day late; this server never does.
		rq.set("x-oss-last-access-time", modified)
	}
	rq.set("Content-Length", strconv.FormatInt(o.Size, 10))
	if rq.r.Method == http.MethodGet { // the length is the object's, so there must be no body
		rq.set("Content-Length", "0")
	}
	rq.w.WriteHeader(http.StatusOK)
	return nil
}
