package emulator

import (
	"crypto/md5"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// staging is what the faults of a request do to it. It belongs to the
// request's goroutine.
type staging struct {
	rq     *request
	faults []*chosenFault
	mute   bool // nothing of the answer goes out
	proxy  bool // somebody else answers
	end    ending
}

// ending is how the connection ends, once the request is done.
type ending byte

const (
	keepConnection ending = iota
	closeConnection
	resetConnection
)

// maxStall is the longest a connection is silent.
const maxStall = 10 * time.Minute

// stage chooses the faults of a request and starts them. answered says that
// one of them has answered, or will cut the connection, and nothing else is to
// be done.
func (rq *request) stage() (answered bool, err error) {
	set := rq.s.faults.Load()
	if set == nil {
		return false, nil
	}
	faults := set.choose(rq.occasion(), rq.s.opts.Now())
	if len(faults) == 0 {
		return false, nil
	}
	st := &staging{rq: rq, faults: faults}
	rq.staged = st
	for _, c := range faults {
		if answered, err = st.begin(c); answered || err != nil {
			return answered, err
		}
	}
	return false, nil
}

func (rq *request) occasion() *occasion {
	m := rq.r.Method
	_, upload := rq.lookup("uploadId")
	return &occasion{
		op: rq.op, bucket: rq.bucket, key: rq.key, upload: upload,
		changes: m == http.MethodPut || m == http.MethodPost || m == http.MethodDelete,
		body:    rq.r.ContentLength != 0,
	}
}

// begin does what a fault does before the operation.
func (st *staging) begin(c *chosenFault) (answered bool, err error) {
	rq := st.rq
	switch c.Kind {
	case "latency":
		c.fire()
		st.wait(c.wait)
	case "clock":
		c.fire()
		rq.now = rq.now.Add(c.Delay)
		rq.set("Date", rq.now.UTC().Format(http.TimeFormat))
	case "stall":
		if c.At > 0 {
			st.spoilBody(c, rq.r.ContentLength != 0)
			return false, nil
		}
		c.fire()
		return !st.stall(c), nil
	case "reset":
		return st.beginReset(c), nil
	case "expire":
		c.fire()
		return true, st.refuse(http.StatusForbidden, "SecurityTokenExpired", 0)
	case "html":
		c.fire()
		st.page(int(c.N))
		return true, nil
	case "qps":
		c.fire()
		return true, st.refuse(http.StatusServiceUnavailable, "TotalQpsLimitExceeded", c.wait)
	case "throttle":
		if c.refuses {
			c.fire()
			return true, st.refuse(http.StatusServiceUnavailable, throttleCode(rq.r.Method), c.wait)
		}
	case "bandwidth":
		c.pacer = c.total
		if c.pacer == nil { // a connection has one request at a time
			c.pacer = newPacer(c.N)
		}
		st.spoilBody(c, true)
		st.spoilBody(c, false)
	case "truncate":
		st.spoilBody(c, false)
	case "flip":
		st.spoilBody(c, c.Dir == "up")
	case "lost":
		st.mute = true
	case "vanish":
		return false, st.vanish(c)
	case "change":
		return false, st.change(c)
	default:
		if status, err := strconv.Atoi(c.Kind); err == nil {
			c.fire()
			return true, st.redirect(st.refuse(status, c.Code, c.Retry), c.Location)
		}
	}
	return false, nil
}

// throttleCode is what the service says when too many bytes have moved.
func throttleCode(method string) string {
	if method == http.MethodGet || method == http.MethodHead {
		return "DownloadTrafficRateLimitExceeded"
	}
	return "UploadTrafficRateLimitExceeded"
}

// refuse is the answer of an operation that is not done. The body is read, so
// that the client gets to see it.
func (st *staging) refuse(status int, code string, retry time.Duration) *apiError {
	st.rq.body.drain(st.rq.r)
	return stagedError(status, code, retry)
}

// redirect names another place in an answer.
func (st *staging) redirect(e *apiError, location string) *apiError {
	u, err := url.Parse(location)
	if location == "" || err != nil {
		return e
	}
	return e.with("Endpoint", u.Host).withHeader("Location", location)
}

// statusCodes are the codes of statuses that come without one.
var statusCodes = map[int]string{
	200: "InternalError", 301: "PermanentRedirect", 307: "TemporaryRedirect", 400: "InvalidArgument", 403: "AccessDenied", 404: "NoSuchKey", 409: "FileAlreadyExists", 412: "PreconditionFailed",
	416: "InvalidRange", 429: "TooManyRequests", 500: "InternalError", 501: "NotImplemented", 503: "ServiceUnavailable",
}

func stagedError(status int, code string, retry time.Duration) *apiError {
	if code == "" {
		code = statusCodes[status]
	}
	if code == "" {
		code = "Status" + strconv.Itoa(status)
	}
	e := &apiError{status: status, code: code, msg: "A fault of the server that was asked for."}
	if retry > 0 {
		seconds := int64((retry + time.Second - 1) / time.Second)
		e = e.withHeader("Retry-After", strconv.FormatInt(seconds, 10)).
			withHeader("x-oss-qos-delay-time", strconv.FormatInt(retry.Milliseconds(), 10))
	}
	return e
}

// page answers as a proxy might that stands in the way.
func (st *staging) page(status int) {
	const text = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to use this network.</body></html>\n"
	rq := st.rq
	rq.body.drain(rq.r)
	if status == 0 {
		status = http.StatusOK
	}
	st.proxy = true
	clear(rq.w.Header()) // a proxy knows nothing of ours
	rq.set("Content-Type", "text/html; charset=utf-8")
	rq.set("Content-Length", strconv.Itoa(len(text)))
	rq.w.WriteHeader(status)
	if rq.r.Method != http.MethodHead {
		_, _ = io.WriteString(rq.w, text) // an error here is the client's absence
	}
}

// beginReset cuts the connection now, or sees to it that it is cut later.
func (st *staging) beginReset(c *chosenFault) (answered bool) {
	rq := st.rq
	switch {
	case c.Word == "body":
		st.spoilBody(c, rq.r.ContentLength != 0)
		return false
	case c.Word == "after" && rq.r.ContentLength == 0:
		return false // see finish
	case c.Word == "after":
		_, _ = io.Copy(io.Discard, rq.body) // how it ends does not matter any more
	}
	c.fire()
	st.cut(resetConnection)
	return true
}

// cut ends the answer where it is.
func (st *staging) cut(end ending) {
	st.mute, st.end = true, end
}

// stall is silent, and says whether to go on.
func (st *staging) stall(c *chosenFault) (goOn bool) {
	if c.Delay > 0 {
		goOn = st.wait(c.Delay)
	} else {
		st.wait(maxStall)
	}
	if !goOn {
		st.cut(closeConnection)
	}
	return goOn
}

// wait waits, unless the client goes or the server closes before.
func (st *staging) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-st.rq.r.Context().Done():
	case <-st.rq.s.closing:
	}
	return false
}

// vanish forgets the upload.
func (st *staging) vanish(c *chosenFault) error {
	rq, gone := st.rq, false
	err := rq.s.store.Update(func(tx *store.Tx) error {
		u, err := tx.Upload(rq.bucket, rq.key, rq.param("uploadId"))
		if gone = u != nil; err != nil || !gone {
			return err
		}
		return tx.DeleteUpload(rq.bucket, u.Key, u.ID)
	})
	if err == nil && gone {
		c.fire()
	}
	return err
}

// change overwrites the object with one of the same size that differs in its
// first byte.
func (st *staging) change(c *chosenFault) error {
	rq := st.rq
	var first oneByte
	var etag string
	content, err := rq.s.store.Open(func(tx *store.Tx) ([]store.Segment, error) {
		o, err := tx.Object(rq.bucket, rq.key)
		if err != nil || o == nil || o.Size == 0 {
			return nil, err
		}
		etag = o.ETag
		return store.Slice(o.Segments, 0, 1), nil
	})
	if err != nil || etag == "" {
		return err
	}
	defer content.Close()
	if err := content.CopyTo(&first, 0, 1); err != nil {
		return err
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		o, err := tx.Object(rq.bucket, rq.key)
		if err != nil || o == nil || o.ETag != etag {
			return err // it has changed without us
		}
		// Of two texts of one length, the difference of the checksums depends
		// only on the difference of the texts.
		old, now := []byte{first.b}, []byte{^first.b}
		o.CRC64 ^= combineCRC64(crcOf(old)^crcOf(now), 0, o.Size-1)
		o.Segments = append(store.Inline(now), store.Slice(o.Segments, 1, o.Size-1)...)
		o.ETag = fmt.Sprintf("%X", md5.Sum([]byte("changed "+o.ETag)))
		o.MD5, o.Modified = "", rq.s.opts.Now()
		return tx.PutObject(rq.bucket, o)
	})
	if err == nil {
		c.fire()
	}
	return err
}

// finish does what faults do after the operation.
func (st *staging) finish() {
	rq := st.rq
	for _, c := range st.faults {
		switch c.Kind {
		case "lost":
			c.fire()
			st.end = resetConnection
			if rq.w.status == 0 {
				rq.w.status = http.StatusOK // of what was done
			}
			if c.N > 0 {
				st.mute, st.end = false, keepConnection
				rq.w.status = 0
				h := rq.w.Header()
				for name := range h {
					if !basicHeaders[name] {
						delete(h, name)
					}
				}
				rq.writeError(stagedError(int(c.N), "", 0))
			}
		case "reset":
			if c.Word == "after" && !st.mute {
				c.fire()
				st.end = resetConnection
			}
		case "throttle":
			if !c.refuses {
				c.charge(rq.body.n + rq.w.bytes)
			}
		}
	}
}

// basicHeaders are those of every answer, as http.Header names them.
var basicHeaders = wordSet("Server Date Connection X-Oss-Request-Id")

// cutOff says that nothing more goes out.
func (st *staging) cutOff() bool { return st != nil && st.mute }

// foreign says that the answer is not the server's.
func (st *staging) foreign() bool { return st != nil && st.proxy }

// happened lists the faults that came true, for the log.
func (st *staging) happened() string {
	if st == nil {
		return ""
	}
	var texts []string
	for _, c := range st.faults {
		if c.done {
			texts = append(texts, c.text)
		}
	}
	return strings.Join(texts, "; ")
}

// endConnection cuts the connection where a fault has asked for it. Where it
// cannot be had, the handler's caller has to cut it: that is what the panic
// with http.ErrAbortHandler says.
func (st *staging) endConnection() {
	if st == nil || st.end == keepConnection {
		return
	}
	ctl := http.NewResponseController(st.rq.w.ResponseWriter)
	if st.rq.w.begun {
		_ = ctl.Flush() // the part before the cut
	}
	conn, _, err := ctl.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok && st.end == resetConnection {
		_ = tcp.SetLinger(0) // a reset instead of an orderly end
	}
	_ = raw.Close()
}
