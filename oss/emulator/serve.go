package emulator

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// request is one request on its way through the server.
type request struct {
	s *Server
	w *response
	r *http.Request

	id     string // request id
	now    time.Time
	op     string // operation, for the log
	bucket string
	key    string
	query  []sign.Param
	signed bool   // by the owner; false: anonymous
	code   string // error code of the answer
	body   *bodyReader
	limit  *throttle // of bandwidth; nil: none
	staged *staging  // what faults do to it; nil: nothing

	versioning string // the bucket\'s, once needVersioning has read it
}

// response remembers what has been answered. It passes ReadFrom on, so that
// files may go out by sendfile.
type response struct {
	http.ResponseWriter
	start  time.Time
	status int // 0: nothing yet
	bytes  int64
	begun  bool      // the status has gone out
	wire   bool      // headers go out spelled as the service spells them
	rq     *request  // whose answer it is
	out    io.Writer // where the body goes instead, if faults spoil it
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		if st := w.rq.staged; st != nil {
			if st.mute {
				return
			}
			st.spoilHeader(w.Header())
		}
		w.begun = true
		if w.rq.staged.foreign() {
			w.ResponseWriter.WriteHeader(status)
			return
		}
		w.Header().Set("x-oss-server-time", strconv.FormatInt(time.Since(w.start).Milliseconds(), 10))
		if w.wire {
			spellHeaders(w.Header())
		}
		w.ResponseWriter.WriteHeader(status)
	}
}

// spellHeaders renames headers from Go's spelling to the service's. Names have
// no case, but the vendor's Java client looks for x-oss-meta- as it stands,
// and takes the rest of the name for the key of the metadata.
func spellHeaders(h http.Header) {
	for name, values := range h {
		spelled := name
		switch {
		case strings.HasPrefix(name, "X-Oss-"):
			spelled = strings.ToLower(name)
		case name == "Etag":
			spelled = "ETag"
		case name == "Content-Md5":
			spelled = "Content-MD5"
		}
		if spelled != name {
			delete(h, name)
			h[spelled] = values
		}
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.rq.staged != nil {
		return w.writeStaged(p)
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *response) ReadFrom(r io.Reader) (int64, error) {
	w.WriteHeader(http.StatusOK)
	if w.rq.staged != nil {
		return io.Copy(struct{ io.Writer }{w}, r)
	}
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers one OSS request. It takes the raw path as it came, so the
// server must not stand behind a mux that cleans paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	newRequest(s, w, r).run((*request).authenticate)
}

// serveWire is ServeHTTP for what comes by Start. Who calls ServeHTTP gets the
// headers as http.Header.Get finds them.
func (s *Server) serveWire(w http.ResponseWriter, r *http.Request) {
	rq := newRequest(s, w, r)
	rq.w.wire = true
	rq.run((*request).authenticate)
}

func newRequest(s *Server, w http.ResponseWriter, r *http.Request) *request {
	rq := &request{s: s, w: &response{ResponseWriter: w, start: time.Now()}, r: r, id: newRequestID(), now: s.opts.Now()}
	rq.w.rq = rq
	rq.body = newBodyReader(rq)
	return rq
}

// run answers the request of whoever authenticate says is asking.
func (rq *request) run(authenticate func(*request, *route) error) {
	rq.set("Server", "AliyunOSS")
	rq.set("Date", rq.now.UTC().Format(http.TimeFormat))
	rq.set("x-oss-request-id", rq.id)
	if !rq.s.enter() {
		rq.writeError(fail("ServiceUnavailable"))
		return
	}
	defer func() { rq.staged.endConnection() }()
	defer rq.s.leave()
	if err := rq.handle(authenticate); err != nil {
		if rq.signed {
			rq.body.drain(rq.r)
		}
		rq.writeError(rq.answerTo(err))
	}
	if rq.staged != nil {
		rq.staged.finish()
	}
	if rq.w.status == 0 && !rq.staged.cutOff() {
		rq.w.WriteHeader(http.StatusOK)
	}
	rq.body.finish()
	rq.log()
}

// answerTo finds the answer that an error means.
func (rq *request) answerTo(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*sign.Error](err); ok {
		return fromSign(e)
	}
	if errors.Is(err, store.ErrClosed) {
		return fail("ServiceUnavailable")
	}
	rq.s.opts.Logger.Error("request", "op", rq.op, "bucket", rq.bucket, "key", rq.key, "request_id", rq.id, "err", err)
	return fail("InternalError")
}

// handle reads the address, finds out who asks and calls the operation.
func (rq *request) handle(authenticate func(*request, *route) error) error {
	var err error
	if rq.bucket, rq.key, err = rq.s.address(rq.r); err != nil {
		return err
	}
	if rq.query, err = parseQuery(rq.r.URL.RawQuery); err != nil {
		return err
	}
	if rq.limit, err = rq.readLimit(); err != nil {
		return err
	}
	rq.body.limit = rq.limit
	route, routeErr := rq.route()
	if answered, err := rq.stage(); answered || err != nil {
		return err
	}
	if err := authenticate(rq, route); err != nil {
		return err
	}
	if routeErr != nil {
		return routeErr
	}
	if rq.bucket != "" && rq.header("Origin") != "" && route.access != anyAccess {
		if err := rq.answerCORS(); err != nil {
			return err
		}
	}
	if err := rq.authorize(route); err != nil {
		return err
	}
	return route.handle(rq)
}

// param returns a query parameter, or "".
func (rq *request) param(name string) string {
	v, _ := rq.lookup(name)
	return v
}

func (rq *request) lookup(name string) (string, bool) {
	for _, p := range rq.query {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// intParam reads a number between lo and hi; absent means def.
func (rq *request) intParam(name string, def, lo, hi int) (int, error) {
	v, ok := rq.lookup(name)
	if !ok || v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < lo || n > hi {
		return 0, failArgument(name, v, "Argument "+name+" must be an integer between "+strconv.Itoa(lo)+" and "+strconv.Itoa(hi)+".")
	}
	return n, nil
}

// header returns a request header, or "".
func (rq *request) header(name string) string { return rq.r.Header.Get(name) }

// set sets a header of the answer.
func (rq *request) set(name, value string) { rq.w.Header().Set(name, value) }

func (rq *request) log() {
	if rq.s.opts.RequestLog == nil {
		return
	}
	rq.s.log.write(&logLine{
		Time: rq.now.UTC(), Op: rq.op, Bucket: rq.bucket, Key: rq.key, UploadID: rq.param("uploadId"),
		Part: rq.param("partNumber"), Range: rq.header("Range"), Status: rq.w.status, Code: rq.code,
		BytesIn: rq.body.n, BytesOut: rq.w.bytes, Duration: time.Since(rq.w.start).Microseconds(), RequestID: rq.id,
		Fault: rq.staged.happened(),
	})
}
