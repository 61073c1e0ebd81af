package emulator

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net/http"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/selectsql"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// Types of frames, with the version in their first byte.
const (
	frameVersion  = 1 << 24
	dataFrame     = 8388609
	continueFrame = 8388612
	endFrame      = 8388613
	csvMetaFrame  = 8388614
	jsonMetaFrame = 8388615
)

// frameWriter writes the frames of a select: type, length of the payload, a
// checksum of these, the payload, its CRC-32. A payload begins with how many
// bytes of the object have been scanned.
type frameWriter struct {
	rq     *request
	status int
	begun  bool
	gone   bool // the client is
	buf    []byte
}

// begin begins the answer, if it has not begun.
func (w *frameWriter) begin(raw bool) {
	if w.begun {
		return
	}
	w.begun = true
	h := w.rq.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Transfer-Encoding", "chunked") // nobody knows the length
	h.Set("x-oss-select-output-raw", "false")
	if raw {
		h.Set("x-oss-select-output-raw", "true")
	}
	w.rq.w.WriteHeader(w.status)
}

// write sends p within the time that any answer has, and flushes it.
func (w *frameWriter) write(p []byte) error {
	ctl := http.NewResponseController(w.rq.w.ResponseWriter)
	for len(p) > 0 {
		n := int(w.rq.limit.step(int64(len(p))))
		_ = ctl.SetWriteDeadline(time.Now().Add(writeIdle)) // not every ResponseWriter has deadlines
		if _, err := w.rq.w.Write(p[:n]); err != nil {
			w.gone = true
			return err
		}
		w.rq.limit.pass(n)
		p = p[n:]
	}
	_ = ctl.SetWriteDeadline(time.Time{})
	if !w.rq.staged.cutOff() {
		_ = ctl.Flush() // the next frame may take a while
	}
	return nil
}

// frame sends a frame.
func (w *frameWriter) frame(kind uint32, scanned int64, payload ...[]byte) error {
	n := 8
	for _, p := range payload {
		n += len(p)
	}
	b := binary.BigEndian.AppendUint32(w.buf[:0], kind|frameVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	from := len(b)
	b = binary.BigEndian.AppendUint64(b, uint64(scanned))
	for _, p := range payload {
		b = append(b, p...)
	}
	w.buf = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
	return w.write(w.buf)
}

// end sends the last frame: what was scanned, the status, counts if it is that
// of a meta request, and what went wrong.
func (w *frameWriter) end(kind uint32, scanned int64, e *selectsql.Error, n *selectsql.Counts) {
	status, text := w.status, ""
	if e != nil {
		status, text = http.StatusBadRequest, e.Code+"."+e.Message
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(scanned))
	b = binary.BigEndian.AppendUint32(b, uint32(status))
	if n != nil {
		b = binary.BigEndian.AppendUint32(b, uint32(n.Splits))
		b = binary.BigEndian.AppendUint64(b, uint64(n.Rows))
		if kind == csvMetaFrame {
			b = binary.BigEndian.AppendUint32(b, uint32(n.Columns))
		}
	}
	if err := w.frame(kind, scanned, b, []byte(text)); err != nil {
		w.rq.code = "Aborted"
	}
}

// selectWriter is where the records of a select go.
type selectWriter struct {
	frameWriter
	raw bool
}

// Data sends records.
func (w *selectWriter) Data(p []byte, scanned int64) error {
	w.begin(w.raw)
	if w.raw {
		return w.write(p)
	}
	return w.frame(dataFrame, scanned, p)
}

// Alive tells the client how far the scan is.
func (w *selectWriter) Alive(scanned int64) error {
	if err := w.rq.r.Context().Err(); err != nil {
		w.gone = true
		return err
	}
	w.begin(w.raw)
	if w.raw {
		return nil
	}
	return w.frame(continueFrame, scanned)
}

// cut ends the connection: the answer that has begun cannot be finished.
func (rq *request) cut() {
	rq.code = "Aborted"
	if rq.staged == nil {
		rq.staged = &staging{rq: rq}
	}
	rq.staged.cut(closeConnection)
}

// objectReader reads an object from its beginning.
type objectReader struct {
	c    *store.Content
	size int64
	off  int64
	buf  bytes.Buffer
}

func (r *objectReader) Read(p []byte) (int, error) {
	if r.buf.Len() == 0 {
		n := min(copyBuffer, r.size-r.off)
		if n == 0 {
			return 0, io.EOF
		}
		r.buf.Reset()
		if err := r.c.CopyTo(&r.buf, r.off, n); err != nil {
			return 0, err
		}
		r.off += n
	}
	return r.buf.Read(p)
}

func (r *objectReader) rewind() {
	r.off = 0
	r.buf.Reset()
}

// Close gives the object back.
func (r *objectReader) Close() { r.c.Close() }
