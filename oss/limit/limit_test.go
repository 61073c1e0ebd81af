package limit_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss/limit"
)

const mib = 1 << 20

// echo is a service that reads what it is sent and answers with so many bytes.
type echo struct {
	answer int
	reads  func(*http.Request) // called before it answers; nil = nothing
}

func (e *echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	if e.reads != nil {
		e.reads(r)
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(make([]byte, e.answer)))}, nil
}

// exchange sends one request of so many bytes and reads the answer.
func exchange(ctx context.Context, rt http.RoundTripper, method, url string, size int) error {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(make([]byte, size)))
	if err != nil {
		return err
	}
	answer, err := rt.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func atOnce(t *testing.T, n int, fn func() error) {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	for range n {
		wg.Go(func() {
			if err := fn(); err != nil {
				t.Error(err)
			}
		})
	}
}

func near(d, want time.Duration) bool { return d > want*98/100 && d < want*102/100 }

func TestBandwidth(t *testing.T) {
	for _, tc := range []struct {
		name     string
		rates    limit.Rates
		up, down int // bytes of each of eight requests
		want     time.Duration
	}{
		{"up", limit.Rates{Up: mib}, 2 * mib, 0, 16 * time.Second},
		{"down", limit.Rates{Down: mib}, 0, 2 * mib, 16 * time.Second},
		{"the other way", limit.Rates{Down: mib}, 2 * mib, 0, 0},
		{"both", limit.Rates{Up: mib, Down: 4 * mib}, mib, mib, 10 * time.Second},
		{"slow", limit.Rates{Up: 1000}, 1000, 0, 8 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := limit.New(&limit.Options{Bandwidth: limit.Always(tc.rates)}).Transport(&echo{answer: tc.down})
				began := time.Now()
				atOnce(t, 8, func() error { return exchange(t.Context(), rt, "PUT", "http://h/k", tc.up) })
				took := time.Since(began)
				if took < tc.want*9/10 || took > tc.want*102/100 {
					t.Errorf("took %s, want %s", took, tc.want)
				}
			})
		})
	}
}

func TestSetBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(&limit.Options{Bandwidth: limit.Always(limit.Rates{Up: mib})})
		rt := l.Transport(&echo{})
		began := time.Now()
		time.AfterFunc(4*time.Second, func() { l.SetBandwidth(nil) })
		if err := exchange(t.Context(), rt, "PUT", "http://h/k", 100*mib); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 4*time.Second || took > 4100*time.Millisecond {
			t.Errorf("took %s, want 4 s", took)
		}
	})
}

func TestCancelledWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := limit.New(&limit.Options{Bandwidth: limit.Always(limit.Rates{Up: 10})}).Transport(&echo{})
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		began := time.Now()
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := exchange(ctx, rt, "PUT", "http://h/k", mib); !errors.Is(err, cause) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := limit.New(&limit.Options{Requests: 10}).Transport(&echo{})
		began := time.Now()
		atOnce(t, 101, func() error { return exchange(t.Context(), rt, "HEAD", "http://h/k", 0) })
		if took := time.Since(began); !near(took, 10*time.Second) {
			t.Errorf("101 requests at 10 a second took %s", took)
		}
	})
}

// What is under way when the bytes are spent ends, then OnSpent is called, and
// only then anything goes on.
func TestMaxBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("spent")
		var ended, told time.Duration
		began := time.Now()
		l := limit.New(&limit.Options{
			MaxBytes: 3 * mib, Bandwidth: limit.Always(limit.Rates{Up: mib}),
			OnSpent: func() { told = time.Since(began); cancel(cause) },
		})
		rt := l.Transport(&echo{})
		if err := exchange(ctx, rt, "PUT", "http://h/k", 2*mib); err != nil {
			t.Error(err)
		}
		atOnce(t, 1, func() error {
			time.AfterFunc(3*time.Second, func() {
				if err := exchange(ctx, rt, "PUT", "http://h/late", 1); !errors.Is(err, cause) {
					t.Errorf("the late one: %v", err)
				}
			})
			err := exchange(ctx, rt, "PUT", "http://h/k", 5*mib)
			ended = time.Since(began)
			return err
		})
		synctest.Wait()
		if told == 0 || told > ended || !near(ended, 7*time.Second) || l.Moved() != 7*mib {
			t.Errorf("told after %s, ended after %s, moved %d", told, ended, l.Moved())
		}
		if err := exchange(context.WithoutCancel(ctx), rt, "DELETE", "http://h/k", 0); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
}

// A request that does not end holds up nothing for ever.
func TestMaxBytesPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		rt := limit.New(&limit.Options{MaxBytes: 1, OnSpent: cancel}).Transport(&echo{reads: func(r *http.Request) { <-r.Context().Done() }})
		began := time.Now()
		if err := exchange(ctx, rt, "PUT", "http://h/k", 5); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took == 0 || took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// Listings are no data.
func TestMaxBytesCounts(t *testing.T) {
	for _, tc := range []struct {
		method, url string
		want        int64
	}{
		{"PUT", "http://h/k", 5},
		{"PUT", "http://h/k?partNumber=1&uploadId=x", 5},
		{"POST", "http://h/?delete", 0},
		{"GET", "http://h/k", 7},
		{"GET", "http://h/k?versionId=1", 7},
		{"GET", "http://h/?list-type=2", 0},
		{"GET", "http://h/?uploads", 0},
	} {
		l := limit.New(nil)
		if err := exchange(t.Context(), l.Transport(&echo{answer: 7}), tc.method, tc.url, 5); err != nil || l.Moved() != tc.want {
			t.Errorf("%s %s: %v, %d bytes count, want %d", tc.method, tc.url, err, l.Moved(), tc.want)
		}
	}
}

func TestTimetable(t *testing.T) {
	night, day, weekend := limit.Rates{}, limit.Rates{Up: 1, Down: 2}, limit.Rates{Up: 3}
	daily := limit.Timetable{
		{Day: limit.Daily, Clock: 8 * time.Hour, Rates: day},
		{Day: limit.Daily, Clock: 19*time.Hour + 30*time.Minute, Rates: night},
	}
	weekly := limit.Timetable{{Day: int(time.Monday), Clock: 6 * time.Hour, Rates: day}, {Day: int(time.Saturday), Rates: weekend}}
	for _, tc := range []struct {
		table limit.Timetable
		at    string // in the week from Sunday, 1 November 2026
		want  limit.Rates
	}{
		{nil, "01 12:00:00", limit.Rates{}},
		{limit.Always(day), "01 00:00:00", day},
		{limit.Always(day), "07 23:59:59", day},
		{daily, "01 07:59:59", night},
		{daily, "01 08:00:00", day},
		{daily, "04 19:29:59", day},
		{daily, "04 19:30:00", night},
		{weekly, "01 12:00:00", weekend},
		{weekly, "02 05:59:59", weekend},
		{weekly, "02 06:00:00", day},
		{weekly, "06 23:59:59", day},
		{weekly, "07 00:00:00", weekend},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-"+tc.at, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		if have := tc.table.At(at); have != tc.want {
			t.Errorf("%v at %s: %v, want %v", tc.table, tc.at, have, tc.want)
		}
	}
}
