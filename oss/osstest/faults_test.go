package osstest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/osstest"
)

func TestRuleText(t *testing.T) {
	for _, text := range []string{
		"503 on=UploadPart nth=3", "500=InternalError", "refuse every=2 max=5", "lost on=CompleteMultipartUpload",
		"cut=1000 key=dir/*", "flip prob=0.25", "flipsend=7", "broken=10 max=1", "stall nth=1", "latency=50ms prob=0.1",
	} {
		r, err := osstest.ParseRule(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if r.String() != text {
			t.Errorf("%s comes back as %s", text, r)
		}
	}
	for _, text := range []string{"", "boom", "200", "503 nth", "503 nth=x", "503 nth=-1", "503 prob=2", "503 when=now", "cut=-1", "lost=3", "latency=soon", "503 key=["} {
		if r, err := osstest.ParseRule(text); err == nil {
			t.Errorf("%q was read as %s", text, r)
		}
	}
}

// spoilt is a bucket behind faults, and the same without.
func spoilt(t *testing.T, rules ...string) (*oss.Bucket, *oss.Bucket, *osstest.Faults) {
	t.Helper()
	s, creds := openEmulator(t)
	if err := s.CreateBucket("examplebucket"); err != nil {
		t.Fatal(err)
	}
	f := osstest.NewFaults(t, osstest.Transport(s), 1, rules...)
	with := newClient(t, "http://127.0.0.1:1", creds, &oss.Options{HTTPClient: &http.Client{Transport: f}})
	without := newClient(t, "http://127.0.0.1:1", creds, &oss.Options{HTTPClient: &http.Client{Transport: osstest.Transport(s)}})
	return with.Bucket("examplebucket"), without.Bucket("examplebucket"), f
}

var data = []byte(strings.Repeat("some data, ", 10000))

func TestStatusFault(t *testing.T) {
	b, clean, f := spoilt(t, "503 on=PutObject nth=2")
	for i := range 3 {
		_, err := b.PutObject(t.Context(), "key", bytes.NewReader(data[:i]), nil)
		if i != 1 && err != nil || i == 1 && !errors.Is(err, oss.ErrThrottled) {
			t.Errorf("put %d: %v", i+1, err)
		}
	}
	f.Check(t)
	if m, err := clean.HeadObject(t.Context(), "key", nil); err != nil || m.Size != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestLostAnswerTakesEffect(t *testing.T) {
	b, clean, f := spoilt(t, "lost on=PutObject")
	_, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), nil)
	te, ok := errors.AsType[*oss.TransportError](err)
	if !ok || te.Sent != int64(len(data)) {
		t.Fatalf("got %v", err)
	}
	m, err := clean.HeadObject(t.Context(), "key", nil)
	if err != nil || m.CRC64 != te.SentCRC64 {
		t.Errorf("the object has %+v, %v; sent was %d", m, err, te.SentCRC64)
	}
	f.Check(t)
}

func TestSentNothing(t *testing.T) {
	for _, rule := range []string{"refuse", "broken=1000"} {
		b, clean, f := spoilt(t, rule)
		_, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), nil)
		if c := oss.Classify(err); c != oss.ClassRetryable {
			t.Errorf("%s: %v is %v", rule, err, c)
		}
		f.Check(t)
		if ok, err := clean.ObjectExists(t.Context(), "key"); ok || err != nil {
			t.Errorf("%s: the object exists: %v, %v", rule, ok, err)
		}
	}
}

func TestChangedUpload(t *testing.T) {
	b, _, f := spoilt(t, "flipsend=5")
	_, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), nil)
	wantIntegrity(t, err)
	f.Check(t)
}

func TestChangedDownload(t *testing.T) {
	b, clean, f := spoilt(t, "flip=70000 nth=1", "cut=500 nth=1", "cut on=GetObject nth=1")
	if _, err := clean.PutObject(t.Context(), "key", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	n, err := readAll(t, b, nil)
	if wantIntegrity(t, err); n != len(data) {
		t.Errorf("%d bytes came before the error", n)
	}
	n, err = readAll(t, b, nil)
	if c := oss.Classify(err); n != 500 || c != oss.ClassRetryable {
		t.Errorf("cut at 500: %d bytes, %v (%v)", n, err, c)
	}
	n, err = readAll(t, b, &oss.GetObjectOptions{Range: oss.RangeFrom(10)})
	if c := oss.Classify(err); n != 0 || c != oss.ClassRetryable {
		t.Errorf("cut at 0: %d bytes, %v (%v)", n, err, c)
	}
	if n, err := readAll(t, b, nil); n != len(data) || err != nil {
		t.Errorf("without a fault: %d bytes, %v", n, err)
	}
	f.Check(t)
}

func readAll(t *testing.T, b *oss.Bucket, opts *oss.GetObjectOptions) (int, error) {
	t.Helper()
	r, err := b.GetObject(t.Context(), "key", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	return len(got), err
}

func wantIntegrity(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, oss.ErrIntegrity) || oss.Classify(err) != oss.ClassIntegrity {
		t.Errorf("got %v, want an IntegrityError", err)
	}
}

func TestTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, f := spoilt(t, "latency=3s nth=1", "stall nth=2")
		start := time.Now()
		if _, err := b.PutObject(t.Context(), "key", bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("latency of %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := b.HeadObject(ctx, "key", nil)
		if c := oss.Classify(err); c != oss.ClassCanceled {
			t.Errorf("stall: %v (%v)", err, c)
		}
		if d := time.Since(start); d != time.Minute+3*time.Second {
			t.Errorf("the stall ended after %v", d)
		}
		f.Check(t)
	})
}

// recorder is a testing.TB that keeps its failures.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestCheckFindsRulesThatNeverFired(t *testing.T) {
	b, _, f := spoilt(t, "503 on=GetObject")
	if _, err := b.PutObject(t.Context(), "key", nil, nil); err != nil {
		t.Fatal(err)
	}
	r := &recorder{TB: t}
	if f.Check(r); !r.failed {
		t.Error("Check was silent")
	}
	for _, rule := range []string{"flip=1000", "cut=1000", "flipsend=1000", "broken=1000"} {
		b, _, f := spoilt(t, rule)
		if _, err := b.PutObject(t.Context(), "key", strings.NewReader("short"), nil); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
		if n, err := readAll(t, b, nil); n != 5 || err != nil {
			t.Errorf("%s: %d, %v", rule, n, err)
		}
		r := &recorder{TB: t}
		if f.Check(r); !r.failed {
			t.Errorf("%s: Check was silent, it happened %v", rule, f.Happened())
		}
	}
}
