package emulator

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzFaults sends arbitrary requests under arbitrary faults: the connection
// may be cut, but nothing else may go wrong.
func FuzzFaults(f *testing.F) {
	for _, faults := range []string{
		"etag=wrong\ncrc=wrong\nrepeat\nshuffle", "endearly", "truncate=3", "flip=2\nflip=1 dir=up", "lost\nreset=after", "lost=200", "change\nvanish",
		"reset=body at=1", "qps=1\nthrottle=1", "html=502", "503=X retry=1s", "clock=-1h\nexpire",
	} {
		for _, request := range []string{
			"GET /bucket/?max-keys=2 HTTP/1.1\r\nHost: h\r\n\r\n",
			"GET /bucket/k HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n",
			"PUT /bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		} {
			f.Add(faults, []byte(request))
		}
	}
	s, err := Open(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	if err := s.CreateBucket("bucket"); err != nil {
		f.Fatal(err)
	}
	serve := func(t *testing.T, raw []byte) {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
				panic(v)
			}
		}()
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		newRequest(s, w, r).run(func(rq *request, route *route) error {
			rq.signed = true
			return rq.needRoutedBucket(route)
		})
		if w.Code == http.StatusInternalServerError && !strings.Contains(w.Body.String(), "that was asked for") {
			t.Fatalf("internal error: %s", w.Body)
		}
	}
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		faults, err := ParseFaults(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, f := range faults {
			if f.Kind == "latency" || f.Kind == "stall" || f.Kind == "bandwidth" {
				return // they take their time
			}
		}
		if err := s.SetFaults(nil); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b", "k"} {
			serve(t, []byte("PUT /bucket/"+key+" HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"))
		}
		if err := s.SetFaults(faults); err != nil {
			t.Fatal(err)
		}
		serve(t, raw)
		for _, c := range s.FaultCounts() {
			if c.Fired > c.Matched {
				t.Errorf("%s fired %d times in %d requests", c.Fault, c.Fired, c.Matched)
			}
		}
	})
}
