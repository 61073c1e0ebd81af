package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss/emulator"
)

// arena is a client of a server with faults, on a socket.
type arena struct {
	t        *testing.T
	s        *emulator.Server
	endpoint string
	hc       *http.Client
	log      bytes.Buffer
}

func newArena(t *testing.T) *arena {
	t.Helper()
	a := &arena{t: t}
	a.s, a.endpoint = start(t, &emulator.Options{RequestLog: &a.log})
	a.hc = &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	t.Cleanup(a.hc.CloseIdleConnections)
	return a
}

func (a *arena) faults(lines ...string) {
	a.t.Helper()
	if err := a.s.SetFaults(parseFaults(a.t, lines...)); err != nil {
		a.t.Fatal(err)
	}
}

// fired demands how often each fault came true.
func (a *arena) fired(want ...int) {
	a.t.Helper()
	var got []int
	for _, c := range a.s.FaultCounts() {
		got = append(got, c.Fired)
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("fired %v, want %v", got, want)
	}
}

// do sends a request; an error of the connection or of the body is returned.
func (a *arena) do(method, target, body string, header ...string) (*answer, error) {
	a.t.Helper()
	var src io.Reader
	if body != "" {
		src = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.endpoint+target, src)
	if err != nil {
		a.t.Fatal(err)
	}
	r.GetBody = nil // the transport shall not try again
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	signV4(r, time.Now())
	res, err := a.hc.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return &answer{res.StatusCode, res.Header, string(b)}, err
}

func (a *arena) must(status int, method, target, body string, header ...string) *answer {
	a.t.Helper()
	got, err := a.do(method, target, body, header...)
	if err != nil {
		a.t.Fatal(err)
	}
	if got.status != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%s", method, target, got.status, status, got.body)
	}
	return got
}

// object is the path of a key, with a query.
func object(key, query string) string { return target(testBucket, key, query) }

func TestStatusFaults(t *testing.T) {
	a := newArena(t)
	a.faults("503 on=PutObject key=logs/* nth=2 retry=1500ms", "429=Slow on=GetObject max=1")
	a.must(200, "PUT", object("logs/1", ""), "x")
	a.must(200, "PUT", object("other", ""), "x")
	got := a.must(503, "PUT", object("logs/2", ""), strings.Repeat("x", 1<<20))
	if got.code() != "ServiceUnavailable" || got.header.Get("Retry-After") != "2" || got.header.Get("x-oss-qos-delay-time") != "1500" {
		t.Errorf("%v %s", got.header, got.body)
	}
	a.must(404, "HEAD", object("logs/3", ""), "")
	if got := a.must(429, "GET", object("logs/1", ""), ""); got.code() != "Slow" {
		t.Error(got.body)
	}
	a.hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.faults("307 location=http://oss-cn-beijing.aliyuncs.com/b/k")
	got = a.must(307, "GET", object("logs/1", ""), "")
	if got.header.Get("Location") != "http://oss-cn-beijing.aliyuncs.com/b/k" || got.element("Endpoint") != "oss-cn-beijing.aliyuncs.com" {
		t.Errorf("%v %s", got.header, got.body)
	}
}

// TestStatusFaultsOrder: the first fault that answers decides, and a fault
// that never had its request has not fired.
func TestStatusFaultsOrder(t *testing.T) {
	a := newArena(t)
	a.must(200, "PUT", object("k", ""), "x")
	a.faults("503 on=GetObject nth=1", "500 on=GetObject", "429 on=HeadObject")
	a.must(503, "GET", object("k", ""), "")
	a.must(500, "GET", object("k", ""), "")
	a.fired(1, 1, 0)
	if c := a.s.FaultCounts()[2]; c.Matched != 0 || c.Fault.Kind != "429" {
		t.Errorf("%+v", c)
	}
	a.faults()
	a.must(200, "GET", object("k", ""), "")
	if len(a.s.FaultCounts()) != 0 {
		t.Error("faults are left")
	}
}

func TestProbability(t *testing.T) {
	run := func() string {
		a := newArena(t)
		a.faults("503 on=HeadObject prob=0.5 seed=7")
		var b strings.Builder
		for range 64 {
			got, err := a.do("HEAD", object("k", ""), "")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(&b, got.status/100)
		}
		return b.String()
	}
	first := run()
	if n := strings.Count(first, "5"); n < 16 || n > 48 {
		t.Errorf("%d of 64 with probability 1/2", n)
	}
	if second := run(); second != first {
		t.Errorf("the same seed gives %s and %s", first, second)
	}
}

func TestWindow(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{
		Now: func() time.Time { return now }, Faults: parseFaults(t, "503 from=10s to=20s"),
	})
	for _, tc := range []struct {
		at     time.Duration
		status int
	}{{0, 404}, {9 * time.Second, 404}, {10 * time.Second, 503}, {19 * time.Second, 503}, {20 * time.Second, 404}} {
		now = testTime.Add(tc.at)
		if a := c.get("k"); a.status != tc.status {
			t.Errorf("after %v: %d, want %d", tc.at, a.status, tc.status)
		}
	}
}

func TestThrottling(t *testing.T) {
	now := testTime
	c := newClientOptions(t, &emulator.Options{Now: func() time.Time { return now }})
	s := c.h.(*emulator.Server)
	if err := s.SetFaults(parseFaults(t, "qps=3 retry=5s")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.put("k", "x")
	}
	told := c.want(c.get("k"), 503, "TotalQpsLimitExceeded")
	silent := c.want(c.get("k"), 503, "TotalQpsLimitExceeded")
	if told.header.Get("Retry-After") != "5" || told.header.Get("x-oss-qos-delay-time") != "5000" || silent.header.Get("Retry-After") != "" {
		t.Errorf("%v\n%v", told.header, silent.header)
	}
	now = now.Add(400 * time.Millisecond) // fills one
	c.want(c.get("k"), 200, "")
	c.want(c.get("k"), 503, "TotalQpsLimitExceeded")

	if err := s.SetFaults(parseFaults(t, "throttle=1K")); err != nil {
		t.Fatal(err)
	}
	c.put("k", strings.Repeat("x", 2048)) // now one second in debt
	c.want(c.do("PUT", object("k", ""), "x"), 503, "UploadTrafficRateLimitExceeded")
	c.want(c.get("k"), 503, "DownloadTrafficRateLimitExceeded")
	now = now.Add(1500 * time.Millisecond)
	c.want(c.get("k"), 200, "")
	if n := s.FaultCounts()[0].Fired; n != 2 {
		t.Errorf("fired %d times", n)
	}
}

// isReset says that a connection was cut.
func isReset(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		err != nil && (strings.Contains(err.Error(), "reset by peer") || strings.Contains(err.Error(), "forcibly closed") || strings.Contains(err.Error(), "aborted"))
}

func TestReset(t *testing.T) {
	big := strings.Repeat("0123456789", 100_000)
	for _, tc := range []struct {
		fault  string
		method string
		body   string
	}{
		{"reset", "PUT", big},
		{"reset=before", "GET", ""},
		{"reset=body", "PUT", big},
		{"reset=body at=100", "PUT", big},
		{"reset=body at=100", "GET", ""},
		{"reset=after", "PUT", big},
	} {
		t.Run(tc.fault+" "+tc.method, func(t *testing.T) {
			a := newArena(t)
			a.must(200, "PUT", object("k", ""), big)
			a.faults(tc.fault + " max=1")
			got, err := a.do(tc.method, object("k", ""), tc.body)
			if !isReset(err) {
				t.Fatalf("no reset, but %v", err)
			}
			if tc.method == "GET" && got != nil && len(got.body) > 100 {
				t.Errorf("%d bytes came", len(got.body))
			}
			a.fired(1)
			if got := a.must(200, "GET", object("k", ""), ""); got.body != big {
				t.Error("the object has changed")
			}
		})
	}
}

// TestResetAfterAnswer: a request without a body is done and answered first.
func TestResetAfterAnswer(t *testing.T) {
	a := newArena(t)
	a.must(200, "PUT", object("k", ""), "body")
	a.faults("reset=after on=DeleteObject")
	_, _ = a.do("DELETE", object("k", ""), "") // the answer may come or not
	a.fired(1)
	a.must(404, "GET", object("k", ""), "")
}

func TestTruncateAndFlip(t *testing.T) {
	const text = "0123456789"
	a := newArena(t)
	a.must(200, "PUT", object("k", ""), text)
	a.faults("truncate=4 on=GetObject nth=1", "flip=3 nth=2 on=GetObject", "flip=3 dir=up on=PutObject", "flip=99 on=GetObject nth=3")
	got, err := a.do("GET", object("k", ""), "")
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.body != "0123" {
		t.Errorf("%+v, %v", got, err)
	}
	if got := a.must(200, "GET", object("k", ""), ""); got.body != "012\xcc456789" {
		t.Errorf("%q", got.body)
	}
	if got := a.must(200, "GET", object("k", ""), ""); got.body != text {
		t.Errorf("%q", got.body) // the object itself is whole
	}
	a.fired(1, 1, 0, 0)
	a.must(400, "PUT", object("sum", ""), text, "Content-MD5", md5Base64(text))
	a.must(200, "PUT", object("plain", ""), text)
	a.fired(1, 1, 2, 0)
	a.faults()
	if got := a.must(200, "GET", object("plain", ""), ""); got.body != "012\xcc456789" {
		t.Errorf("%q", got.body)
	}
}

// TestLost: it is done, and the client never hears of it.
func TestLost(t *testing.T) {
	a := newArena(t)
	a.must(200, "PUT", object("src", ""), "source")
	id := a.must(200, "POST", object("big", "uploads"), "").element("UploadId")
	a.faults("lost")
	lost := func(method, target, body string, header ...string) {
		t.Helper()
		if got, err := a.do(method, target, body, header...); !isReset(err) {
			t.Errorf("%s %s: %+v, %v", method, target, got, err)
		}
	}
	lost("PUT", object("put", ""), "put")
	lost("PUT", object("copy", ""), "", "x-oss-copy-source", "/"+testBucket+"/src")
	lost("POST", object("append", "append&position=0"), "append")
	lost("PUT", object("big", "partNumber=1&uploadId="+id), "part")
	lost("POST", object("big", "uploadId="+id), partList(1, md5Hex("part")))
	lost("DELETE", object("src", ""), "")
	a.fired(6)
	a.faults()
	for key, body := range map[string]string{"put": "put", "copy": "source", "append": "append", "big": "part"} {
		if got := a.must(200, "GET", object(key, ""), ""); got.body != body {
			t.Errorf("%s is %q", key, got.body)
		}
	}
	a.must(404, "GET", object("src", ""), "")
	for status, code := range map[int]string{503: "ServiceUnavailable", 200: "InternalError", 418: "Status418"} {
		a.faults(fmt.Sprintf("lost=%d on=PutObject", status))
		key := fmt.Sprintf("answered-%d", status)
		if got := a.must(status, "PUT", object(key, ""), "x"); got.code() != code || got.header.Get("ETag") != "" {
			t.Errorf("%v %s", got.header, got.body)
		}
		a.must(200, "GET", object(key, ""), "")
	}
}

func TestDigestFaults(t *testing.T) {
	a := newArena(t)
	good := a.must(200, "PUT", object("k", ""), "x")
	id := a.must(200, "POST", object("big", "uploads"), "").element("UploadId")
	a.must(200, "PUT", object("big", "partNumber=1&uploadId="+id), "x")
	part := a.must(200, "GET", object("big", "uploadId="+id), "")
	a.faults("etag=wrong", "crc=wrong")
	got := a.must(200, "HEAD", object("k", ""), "")
	for _, name := range []string{"ETag", "x-oss-hash-crc64ecma"} {
		if v := got.header.Get(name); v == good.header.Get(name) || len(v) < 10 {
			t.Errorf("%s is %q", name, v)
		}
	}
	listed := a.must(200, "GET", object("big", "uploadId="+id), "")
	for _, name := range []string{"ETag", "HashCrc64ecma"} {
		if v := listed.element(name); v == part.element(name) || v == "" {
			t.Errorf("%s is %q", name, v)
		}
	}
	a.fired(2, 2)
	a.must(204, "DELETE", object("k", ""), "") // has neither
	a.fired(2, 2)
}

func TestListingFaults(t *testing.T) {
	a := newArena(t)
	for _, k := range []string{"a", "b", "c", "d", "e", "f"} {
		a.must(200, "PUT", object(k, ""), k)
	}
	list := func(query string) *answer {
		t.Helper()
		return a.must(200, "GET", target(testBucket, "", query), "")
	}
	a.faults("repeat on=ListObjects", "repeat on=ListObjectsV2")
	got := list("marker=b&max-keys=2&encoding-type=url")
	if got.element("NextMarker") != "b" || got.element("IsTruncated") != "true" || strings.Join(got.elements("Key"), "") != "cd" {
		t.Error(got.body)
	}
	first := list("list-type=2&max-keys=9")
	if again := list("list-type=2&max-keys=9&continuation-token=" + first.element("NextContinuationToken")); strings.Join(again.elements("Key"), "") != "abcdef" {
		t.Error(again.body)
	}
	a.fired(1, 2)
	a.faults("endearly")
	for _, q := range []string{"max-keys=4", "list-type=2&max-keys=4", "versions&max-keys=4"} {
		got := list(q)
		if strings.Join(got.elements("Key"), "") != "ab" || got.element("IsTruncated") != "false" || strings.Contains(got.body, "<Next") {
			t.Error(got.body)
		}
	}
	a.fired(3)
	a.faults("shuffle")
	got = list("")
	keys := got.elements("Key")
	if slices.IsSorted(keys) || len(keys) != 6 {
		t.Errorf("keys are %q", keys)
	}
	if slices.Sort(keys); strings.Join(keys, "") != "abcdef" {
		t.Errorf("keys are %q", keys)
	}
	list("prefix=a") // one entry has one order
	a.fired(1)
}

func TestUploadVanishes(t *testing.T) {
	a := newArena(t)
	id := a.must(200, "POST", object("big", "uploads"), "").element("UploadId")
	a.faults("vanish on=UploadPart nth=2")
	a.must(200, "PUT", object("big", "partNumber=1&uploadId="+id), "x")
	if got := a.must(404, "PUT", object("big", "partNumber=2&uploadId="+id), "x"); got.code() != "NoSuchUpload" {
		t.Error(got.body)
	}
	a.must(404, "GET", object("big", "uploadId="+id), "")
	a.fired(1)
}

func TestObjectChanges(t *testing.T) {
	for _, size := range []int{1, 10, 300_000} {
		a := newArena(t)
		text := pattern(size)
		before := a.must(200, "PUT", object("k", ""), text)
		a.faults("change nth=2")
		if got := a.must(200, "GET", object("k", ""), ""); got.body != text {
			t.Error("changed too early")
		}
		etag := before.header.Get("ETag")
		a.must(412, "GET", object("k", ""), "", "If-Match", etag)
		got := a.must(200, "GET", object("k", ""), "")
		if got.body == text || got.body[1:] != text[1:] || got.header.Get("ETag") == etag {
			t.Error("the object has not changed")
		}
		if want := fmt.Sprint(crc64.Checksum([]byte(got.body), crc64.MakeTable(crc64.ECMA))); got.header.Get("x-oss-hash-crc64ecma") != want {
			t.Errorf("checksum is %s, want %s", got.header.Get("x-oss-hash-crc64ecma"), want)
		}
		a.fired(1)
	}
}

func TestExpireClockHTML(t *testing.T) {
	a := newArena(t)
	a.faults("expire nth=1", "clock=1h nth=1", "clock=-1h nth=2", "html nth=3", "html=502 nth=3")
	if got := a.must(403, "PUT", object("k", ""), "x"); got.code() != "SecurityTokenExpired" {
		t.Error(got.body)
	}
	got := a.must(403, "PUT", object("k", ""), "x")
	date, err := http.ParseTime(got.header.Get("Date"))
	if got.code() != "RequestTimeTooSkewed" || err != nil || time.Until(date) < 59*time.Minute {
		t.Errorf("%s %s", got.header.Get("Date"), got.body)
	}
	a.must(403, "PUT", object("k", ""), "x")
	got = a.must(200, "PUT", object("k", ""), "x")
	for name := range got.header {
		if strings.HasPrefix(name, "X-Oss-") {
			t.Errorf("a proxy sends %s", name)
		}
	}
	if !strings.HasPrefix(got.body, "<!DOCTYPE html>") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("%v %s", got.header, got.body)
	}
	a.must(502, "GET", object("k", ""), "")
	a.must(404, "GET", object("k", ""), "")
	a.fired(1, 1, 1, 1, 1)
}

// TestFaultLog: a line says which faults came true.
func TestFaultLog(t *testing.T) {
	a := newArena(t)
	a.faults("lost on=PutObject nth=2", "etag=wrong on=PutObject", "flip=9 on=GetObject")
	a.must(200, "PUT", object("k", ""), "x")
	_, _ = a.do("PUT", object("k", ""), "x")
	a.must(200, "GET", object("k", ""), "")
	if err := a.s.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(a.log.String()) {
		var v struct {
			Op, Fault string
			Status    int
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(v.Op, " ", v.Status, " ", v.Fault))
	}
	want := []string{"PutObject 200 etag=wrong on=PutObject", "PutObject 200 lost on=PutObject nth=2", "GetObject 200 "}
	if !slices.Equal(got, want) {
		t.Errorf("log says %q, want %q", got, want)
	}
}

// TestPacing measures in the bubble's time.
func TestPacing(t *testing.T) {
	for _, tc := range []struct {
		fault string
		want  time.Duration
	}{
		{"latency=3s", 6 * time.Second},
		{"stall=4s", 8 * time.Second},
		{"stall=4s at=10", 8 * time.Second},
		{"bandwidth=1K", 20 * time.Second},
		{"bandwidth=1K per=total", 20 * time.Second},
		{"latency=1s jitter=1s seed=3", 0},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClientOptions(t, &emulator.Options{Faults: parseFaults(t, tc.fault)})
				begin := time.Now()
				body := pattern(10 << 10)
				c.put("k", body)
				if c.get("k").body != body {
					t.Error("another body")
				}
				took := time.Since(begin)
				if tc.want == 0 {
					if took < 2*time.Second || took > 4*time.Second || took == 2*time.Second {
						t.Errorf("took %v", took)
					}
				} else if took < tc.want-time.Millisecond || took > tc.want+time.Millisecond {
					t.Errorf("took %v, want %v", took, tc.want)
				}
			})
		})
	}
}

// TestBandwidthScope: two at once share the total, but not a connection's.
func TestBandwidthScope(t *testing.T) {
	for scope, want := range map[string]time.Duration{"connection": 10 * time.Second, "total": 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newClientOptions(t, &emulator.Options{Faults: parseFaults(t, "bandwidth=1K per="+scope)})
			begin := time.Now()
			var wg sync.WaitGroup
			for _, key := range []string{"a", "b"} {
				wg.Go(func() { c.do("PUT", object(key, ""), pattern(10<<10)) })
			}
			wg.Wait()
			if took := time.Since(begin).Round(time.Second); took != want {
				t.Errorf("per=%s: took %v, want %v", scope, took, want)
			}
		})
	}
}

// TestStallEnds: a stall ends when the client goes, and when the server closes.
func TestStallEnds(t *testing.T) {
	a := newArena(t)
	a.faults("stall")
	a.hc.Timeout = 50 * time.Millisecond
	if _, err := a.do("GET", object("k", ""), ""); !errors.Is(err, os.ErrDeadlineExceeded) && !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("error is %v", err)
	}
	a.hc.Timeout = 0
	failed := make(chan error)
	go func() {
		_, err := a.do("PUT", object("k", ""), "x")
		failed <- err
	}()
	for a.s.FaultCounts()[0].Fired < 2 {
		select {
		case err := <-failed:
			t.Fatal("answered: ", err)
		case <-time.After(time.Millisecond):
		}
	}
	begin := time.Now()
	if err := a.s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !isReset(err) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("closing took %v", took)
	}
}
