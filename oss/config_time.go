package oss

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"time"
)

// Time is a time in a configuration. It is written as 2006-01-02T15:04:05.000Z,
// the zero time not at all. All forms that the service answers with are read;
// one that is none of them is the zero time.
type Time struct{ time.Time }

// MarshalXML implements xml.Marshaler.
func (t Time) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if t.IsZero() {
		return nil
	}
	return e.EncodeElement(t.UTC().Format(iso8601), start)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) error {
	s := string(bytes.TrimSpace(text))
	t.Time = parseXMLTime(s)
	if t.IsZero() {
		t.Time = parseHTTPTime(s)
	}
	if at, err := time.Parse("2006-01-02T15:04:05", s); err == nil && t.IsZero() {
		t.Time = at
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<33 {
		t.Time = time.Unix(n, 0).UTC()
	}
	return nil
}
