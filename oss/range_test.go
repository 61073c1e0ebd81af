package oss_test

import (
	"errors"
	"testing"
	"time"

	"github.com/osssync/osssync/oss"
)

func TestParseRange(t *testing.T) {
	for text, want := range map[string]oss.Range{
		"":                            {},
		"bytes=0-0":                   oss.RangeBetween(0, 0),
		"0-99":                        oss.RangeBetween(0, 99),
		"bytes=5-":                    oss.RangeFrom(5),
		"-7":                          oss.RangeLast(7),
		"9223372036854775807-":        oss.RangeFrom(1<<63 - 1),
		"bytes=0-9223372036854775807": oss.RangeBetween(0, 1<<63-1),
	} {
		if got, err := oss.ParseRange(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-", "x", "5", "9-5", "-0", "--5", "1-2,4-5", "bytes=", "bits=0-1", " 1-2", "+1-2", "1--2", "9223372036854775808-", "0x1-2"} {
		if got, err := oss.ParseRange(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"", "bytes=0-1", "5-", "-5", "1-2,3-4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := oss.ParseRange(s)
		if err != nil {
			return
		}
		if again, err := oss.ParseRange(r.String()); err != nil || again != r {
			t.Errorf("%q: %v comes back as %v, %v", s, r, again, err)
		}
	})
}

func TestWrongRangesSendNothing(t *testing.T) {
	b := bucketOf(t, refuse(t))
	for _, r := range []oss.Range{oss.RangeBetween(5, 4), oss.RangeBetween(-1, 4), oss.RangeFrom(-1), oss.RangeLast(0), oss.RangeLast(-3)} {
		_, err := b.GetObject(t.Context(), "key", &oss.GetObjectOptions{Range: r})
		if _, ok := errors.AsType[*oss.UsageError](err); !ok {
			t.Errorf("%v: got %v", r, err)
		}
	}
	for _, r := range []oss.Range{oss.RangeFrom(0), oss.RangeLast(1)} {
		_, err := b.UploadPartCopy(t.Context(), "examplebucket", "key", r, "key", "id", 1, nil)
		if _, ok := errors.AsType[*oss.UsageError](err); !ok {
			t.Errorf("part copy of %v: got %v", r, err)
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2024, 6, 12, 10, 15, 30, 999, time.FixedZone("", 2*3600))
	if got := oss.HTTPDate(at); got != "Wed, 12 Jun 2024 08:15:30 GMT" {
		t.Error(got)
	}
	if got, err := oss.HTTPToUnix("Wed, 12 Jun 2024 08:15:30 GMT"); err != nil || got != 1718180130 {
		t.Error(got, err)
	}
	if got, err := oss.ISO8601ToUnix("2024-06-12T08:15:30.000Z"); err != nil || got != 1718180130 {
		t.Error(got, err)
	}
	if got := oss.DateToISO8601(at); got != "2024-06-12T00:00:00.000Z" {
		t.Error(got)
	}
	if got, err := oss.ISO8601ToDate("2024-06-12T08:15:30.000Z"); err != nil || !got.Equal(time.Date(2024, 6, 12, 0, 0, 0, 0, time.UTC)) {
		t.Error(got, err)
	}
	for _, s := range []string{"", "2024-06-12", "2024-06-12T08:15:30Z", "2024-06-12T08:15:30.123Z", "2024-13-12T08:15:30.000Z"} {
		if _, err := oss.ISO8601ToUnix(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
	if _, err := oss.HTTPToUnix("12 Jun 2024"); err == nil {
		t.Error("a wrong date was accepted")
	}
}
