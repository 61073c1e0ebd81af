package emulator

import (
	"errors"
	"hash/crc64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// spoiler is a fault in a body, of the request (src) or of the answer (dst).
type spoiler struct {
	st    *staging
	c     *chosenFault
	src   io.Reader
	dst   io.Writer
	n     int64 // bytes that have passed
	over  bool  // the stall is
	limit int64 // where it happens; -1: not known yet
}

// spoilBody puts a fault over the request's body, or over the answer's.
func (st *staging) spoilBody(c *chosenFault, up bool) {
	s := &spoiler{st: st, c: c, limit: c.N}
	switch c.Kind {
	case "reset":
		s.limit = -1
	case "stall":
		s.limit = c.At
	}
	if up {
		s.src = st.rq.body.r
		st.rq.body.r = s
		return
	}
	w := st.rq.w
	s.dst = w.ResponseWriter
	if w.out != nil {
		s.dst = w.out
	}
	w.out = s
}

var errCut = errors.New("cut by a fault")

// before does what is due at this place of the body and returns how many of
// the next n bytes may pass.
func (s *spoiler) before(n int) (int, error) {
	switch s.c.Kind {
	case "truncate", "reset":
		if s.limit < 0 {
			s.limit = s.place()
		}
		if s.n >= s.limit {
			s.c.fire()
			end := closeConnection
			if s.c.Kind == "reset" {
				end = resetConnection
			}
			s.st.cut(end)
			return 0, errCut
		}
		return int(min(int64(n), s.limit-s.n)), nil
	case "stall":
		switch {
		case s.over:
			return n, nil
		case s.n < s.limit:
			return int(min(int64(n), s.limit-s.n)), nil
		}
		s.over = true
		s.c.fire()
		s.flush()
		if !s.st.stall(s.c) {
			return 0, errCut
		}
		s.extend()
	case "bandwidth":
		return min(n, s.c.pacer.step()), nil
	}
	return n, nil
}

// place is where a reset in the body happens.
func (s *spoiler) place() int64 {
	if s.c.At > 0 {
		return s.c.At
	}
	length := s.st.rq.r.ContentLength
	if s.dst != nil {
		length, _ = strconv.ParseInt(s.st.rq.w.Header().Get("Content-Length"), 10, 64) // 0 if there is none
	}
	return max(length, 0) / 2
}

// after slows down what has passed.
func (s *spoiler) after(n int) error {
	s.n += int64(n)
	if s.c.Kind != "bandwidth" || n == 0 {
		return nil
	}
	s.c.fire()
	s.flush()
	if !s.st.wait(s.c.pacer.take(n)) {
		return errCut
	}
	s.extend()
	return nil
}

// flush lets the client see what has been written so far.
func (s *spoiler) flush() {
	if s.dst != nil {
		_ = http.NewResponseController(s.st.rq.w.ResponseWriter).Flush() // not every ResponseWriter has it
	}
}

// extend gives the client its time anew after a pause of ours.
func (s *spoiler) extend() {
	ctl := http.NewResponseController(s.st.rq.w.ResponseWriter)
	if s.dst != nil {
		_ = ctl.SetWriteDeadline(time.Now().Add(writeIdle)) // not every ResponseWriter has deadlines
		return
	}
	s.st.rq.body.deadline = time.Now().Add(bodyIdle)
	_ = ctl.SetReadDeadline(s.st.rq.body.deadline)
}

// flips says at which place of the next n bytes one is inverted.
func (s *spoiler) flips(n int) (int, bool) {
	i := s.limit - s.n
	if s.c.Kind != "flip" || i < 0 || i >= int64(n) {
		return 0, false
	}
	s.c.fire()
	return int(i), true
}

func (s *spoiler) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	most, err := s.before(len(p))
	if err != nil {
		return 0, err
	}
	n, err := s.src.Read(p[:most])
	if i, ok := s.flips(n); ok {
		p[i] ^= 0xff
	}
	if cut := s.after(n); cut != nil {
		err = cut
	}
	return n, err
}

func (s *spoiler) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		most, err := s.before(len(p))
		if err != nil {
			return written, err
		}
		q := p[:most]
		if i, ok := s.flips(most); ok {
			q = slices.Clone(q) // p may be the object itself
			q[i] ^= 0xff
		}
		n, err := s.dst.Write(q)
		written += n
		if cut := s.after(n); err == nil {
			err = cut
		}
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

// writeStaged is Write where there are faults.
func (w *response) writeStaged(p []byte) (int, error) {
	if w.rq.staged.mute {
		return len(p), nil
	}
	var n int
	var err error
	if w.out != nil {
		n, err = w.out.Write(p)
	} else {
		n, err = w.ResponseWriter.Write(p)
	}
	w.bytes += int64(n)
	return n, err
}

// pacer spaces bytes out. It is safe for concurrent use.
type pacer struct {
	rate float64 // bytes a second

	mu   sync.Mutex
	free time.Time // when all that was taken will have passed
}

func newPacer(rate int64) *pacer { return &pacer{rate: float64(rate)} }

// step is how many bytes to let pass at once: a twentieth of a second's.
func (p *pacer) step() int { return int(min(max(p.rate/20, 1), copyBuffer)) }

// take returns how long to wait for n bytes to have passed.
func (p *pacer) take(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	return p.free.Sub(now)
}

func crcOf(p []byte) uint64 { return crc64.Update(0, crcTable, p) }

// oneByte keeps the last byte written to it.
type oneByte struct{ b byte }

func (o *oneByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		o.b = p[len(p)-1]
	}
	return len(p), nil
}
