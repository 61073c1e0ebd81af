package emulator

import (
	"strconv"
	"time"
)

// Bounds of x-oss-traffic-limit, in bits a second.
const (
	minTraffic = 245_760
	maxTraffic = 838_860_800
)

// throttle slows one request's bodies down to x-oss-traffic-limit.
type throttle struct {
	pacer *pacer
	rq    *request
}

// readLimit reads x-oss-traffic-limit, nil for none.
func (rq *request) readLimit() (*throttle, error) {
	const name = "x-oss-traffic-limit"
	text, param := rq.header(name), rq.param(name)
	if text != "" && param != "" {
		return nil, failArgument(name, param, "The traffic limit is in both the header and the query.")
	}
	if text += param; text == "" {
		return nil, nil
	}
	bits, err := strconv.ParseInt(text, 10, 64)
	if err != nil || bits < minTraffic || bits > maxTraffic {
		return nil, failArgument(name, text, "The traffic limit must be from 245760 to 838860800 bits a second.")
	}
	return &throttle{newPacer(bits / 8), rq}, nil
}

// step is how many of n bytes to move at once.
func (l *throttle) step(n int64) int64 {
	if l == nil {
		return n
	}
	return min(n, int64(l.pacer.step()))
}

// pass waits until n bytes may have passed, or the request or server ends.
func (l *throttle) pass(n int) {
	if l == nil || n <= 0 {
		return
	}
	t := time.NewTimer(l.pacer.take(n))
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.rq.r.Context().Done():
	case <-l.rq.s.closing:
	}
}

// announce says how long n bytes are delayed, before or after they are.
func (l *throttle) announce(n int64) {
	if l != nil {
		l.rq.set("x-oss-qos-delay-time", strconv.FormatInt(int64(float64(n)/l.pacer.rate*1000), 10))
	}
}
