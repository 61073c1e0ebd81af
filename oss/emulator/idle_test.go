package emulator_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestIdleConnections: a thousand clients that say nothing, or half of a
// head, take nothing from the others, and do not delay the end.
func TestIdleConnections(t *testing.T) {
	a := newArena(t)
	addr := strings.TrimPrefix(a.endpoint, "http://")
	var d net.Dialer
	for i := range 1000 {
		conn, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			if _, err := io.WriteString(conn, "GET /"+testBucket+"/k HTTP/1.1\r\nHost: slow\r\nX-Slow: "); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 20 {
		a.must(200, "PUT", object("k", ""), "body")
		if got := a.must(200, "GET", object("k", ""), ""); got.body != "body" {
			t.Errorf("body is %q", got.body)
		}
	}
	begin := time.Now()
	if err := a.s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 4*time.Second { // less than a server waits for such clients
		t.Errorf("closing took %v", took)
	}
}

// timedRecorder notes the deadlines for writing.
type timedRecorder struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (r *timedRecorder) SetWriteDeadline(t time.Time) error {
	r.deadlines = append(r.deadlines, t)
	return nil
}

// TestDocumentDeadline: whoever does not read a long listing is not waited for.
func TestDocumentDeadline(t *testing.T) {
	c := newClient(t)
	for i := range 200 {
		c.put(fmt.Sprintf("key-%d", i), "")
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+target(testBucket, "", "max-keys=1000"), nil)
	signV4(r, c.now)
	w := &timedRecorder{ResponseRecorder: httptest.NewRecorder()}
	c.h.ServeHTTP(w, r)
	if n := len(w.deadlines); w.Code != 200 || n != 2 || w.deadlines[0].IsZero() || !w.deadlines[1].IsZero() {
		t.Errorf("status %d, deadlines %v", w.Code, w.deadlines)
	}
}
