package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// absent is the body of an object that is not there.
const absent = "\x00absent"

// register is a key with one writer: what it was last acknowledged to hold, and
// what it was last told to hold.
type register struct{ key, acked, tried string }

// mixer is a writer that does everything that changes an object, in turn.
type mixer struct {
	t     *testing.T
	c     *child
	hc    *http.Client
	put   register // put, overwritten, deleted
	multi register // by parts, then a copy of put
	tail  register // appended to
	count int
}

// must is one request that has to be answered with a status, if at all.
func (m *mixer) must(ctx context.Context, method, target, body string, status int, header ...string) (string, bool) {
	got, answer, err := m.c.do(ctx, m.hc, method, target, body, header...)
	if err == nil && got != status {
		m.t.Errorf("%s %s: status %d %s", method, target, got, answer)
	}
	return answer, err == nil && got == status
}

// change tells a register to hold something, by one last request.
func (m *mixer) change(ctx context.Context, r *register, to, method, query, body string, status int, header ...string) bool {
	r.tried = to
	_, ok := m.must(ctx, method, target(testBucket, r.key, query), body, status, header...)
	if ok {
		r.acked = to
	}
	return ok
}

// step makes every change once; false: the server is gone.
func (m *mixer) step(ctx context.Context) bool {
	m.count++
	body := strings.Repeat(fmt.Sprintf("%s step %d;", m.put.key, m.count), 1+m.count%3*300)
	if !m.change(ctx, &m.put, body, "PUT", "", body, 200) {
		return false
	}
	answer, ok := m.must(ctx, "POST", target(testBucket, m.multi.key, "uploads"), "", 200)
	id := regexp.MustCompile("<UploadId>(.*)</UploadId>").FindStringSubmatch(answer)
	if !ok || id == nil {
		return false
	}
	parts := []string{strings.Repeat(fmt.Sprintf("%010d", m.count), 10<<10), body}
	for i, p := range parts {
		q := fmt.Sprintf("partNumber=%d&uploadId=%s", i+1, id[1])
		if _, ok := m.must(ctx, "PUT", target(testBucket, m.multi.key, q), p, 200); !ok {
			return false
		}
	}
	if !m.change(ctx, &m.multi, strings.Join(parts, ""), "POST", "uploadId="+id[1], "", 200, "x-oss-complete-all", "yes") {
		return false
	}
	at, piece := 0, fmt.Sprintf("%s piece %d;", m.tail.key, m.count)
	if m.tail.acked != absent {
		at, piece = len(m.tail.acked), m.tail.acked+piece
	}
	if !m.change(ctx, &m.tail, piece, "POST", fmt.Sprintf("append&position=%d", at), piece[at:], 200) {
		return false
	}
	if m.count%2 == 0 {
		return m.change(ctx, &m.put, absent, "DELETE", "", "", 204)
	}
	return m.change(ctx, &m.multi, body, "PUT", "", "", 200, "x-oss-copy-source", "/"+testBucket+"/"+m.put.key)
}

// check compares what is there with what may be, and goes on from there.
func (m *mixer) check() {
	t := m.t
	t.Helper()
	for _, r := range []*register{&m.put, &m.multi, &m.tail} {
		status, got, err := m.c.do(t.Context(), m.hc, "GET", target(testBucket, r.key, ""), "")
		if err != nil {
			t.Fatal(err)
		}
		if status == 404 {
			got = absent
		}
		if got != r.acked && got != r.tried {
			t.Fatalf("%s: status %d, %d bytes beginning %.30q; acknowledged were %d, tried %d", r.key, status, len(got), got, len(r.acked), len(r.tried))
		}
		r.acked, r.tried = got, got
	}
}

// TestKilledMixed kills a server while uploads are completed, objects are
// copied, appended to and deleted. Afterwards every change is whole or not
// made, the counts are right, and nothing is left once all is deleted.
func TestKilledMixed(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv(crashRounds)); err == nil && n > 0 {
		rounds = n
	}
	dir := t.TempDir()
	c := startChild(t, dir)
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer hc.CloseIdleConnections()
	if status, body, err := c.do(t.Context(), hc, "PUT", "/"+testBucket+"/", ""); status != 200 {
		t.Fatal(status, body, err)
	}
	var mixers []*mixer
	for w := range 6 {
		r := func(kind string) register { return register{fmt.Sprintf("w%d/%s", w, kind), absent, absent} }
		mixers = append(mixers, &mixer{t: t, hc: hc, put: r("put"), multi: r("multi"), tail: r("tail")})
	}
	for round := range rounds {
		var steps atomic.Int64
		busy, enough := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, m := range mixers {
			m.c = c
			wg.Go(func() {
				defer enough()
				for m.step(t.Context()) {
					if steps.Add(1) == int64(10+round*7%20) {
						enough()
					}
				}
			})
		}
		<-busy.Done()
		enough()
		c.kill()
		wg.Wait()
		hc.CloseIdleConnections()
		c = startChild(t, dir)
		for _, m := range mixers {
			m.c = c
			m.check()
		}
		checkCounts(t, c, hc)
	}
	for _, m := range mixers {
		for _, r := range []register{m.put, m.multi, m.tail} {
			if _, ok := m.must(t.Context(), "DELETE", target(testBucket, r.key, ""), "", 204); !ok {
				t.Errorf("%s cannot be deleted", r.key)
			}
		}
	}
	for _, u := range uploads(t, c, hc) {
		if status, body, err := c.do(t.Context(), hc, "DELETE", target(testBucket, u[1], "uploadId="+u[2]), ""); status != 204 {
			t.Error(status, body, err)
		}
	}
	checkCounts(t, c, hc)
	if n := countBlobs(t, dir); n > 0 {
		t.Errorf("%d blobs are left of nothing", n)
	}
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("server ended with %v", err)
	}
}

// uploads lists all there are: key and id of each.
func uploads(t *testing.T, c *child, hc *http.Client) [][]string {
	t.Helper()
	status, body, err := c.do(t.Context(), hc, "GET", target(testBucket, "", "uploads&max-uploads=1000"), "")
	if status != 200 {
		t.Fatal(status, body, err)
	}
	return regexp.MustCompile("<Key>([^<]*)</Key><UploadId>([^<]*)</UploadId>").FindAllStringSubmatch(body, -1)
}

// checkCounts compares the counts that are kept with what can be listed.
func checkCounts(t *testing.T, c *child, hc *http.Client) {
	t.Helper()
	status, list, err := c.do(t.Context(), hc, "GET", target(testBucket, "", "max-keys=1000"), "")
	if status != 200 {
		t.Fatal(status, list, err)
	}
	bytes := 0
	for _, m := range regexp.MustCompile("<Size>([0-9]+)</Size>").FindAllStringSubmatch(list, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		bytes += n
	}
	status, stat, err := c.do(t.Context(), hc, "GET", target(testBucket, "", "stat"), "")
	if status != 200 {
		t.Fatal(status, stat, err)
	}
	for element, want := range map[string]int{
		"Storage": bytes, "ObjectCount": strings.Count(list, "<Contents>"), "MultipartUploadCount": len(uploads(t, c, hc)),
	} {
		if !strings.Contains(stat, fmt.Sprintf("<%s>%d</%s>", element, want, element)) {
			t.Errorf("%s should be %d in %s", element, want, stat)
		}
	}
}
