package oss

import (
	"net/http"
	"strings"
	"time"
)

// iso8601 is the one form of time in the service's XML.
const iso8601 = "2006-01-02T15:04:05.000Z"

// HTTPDate writes t as HTTP headers have it, in whole seconds.
func HTTPDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// HTTPToUnix reads the form HTTPDate writes and gives Unix seconds.
func HTTPToUnix(s string) (int64, error) {
	t, err := time.Parse(http.TimeFormat, s)
	if err != nil {
		return 0, usageError("", "time", "want the form of HTTP headers, Mon, 02 Jan 2006 15:04:05 GMT")
	}
	return t.Unix(), nil
}

// ISO8601ToUnix reads the form of the service's XML, 2006-01-02T15:04:05.000Z,
// and gives Unix seconds.
func ISO8601ToUnix(s string) (int64, error) {
	t, err := time.Parse(iso8601, s)
	if err != nil || !strings.HasSuffix(s, ".000Z") {
		return 0, usageError("", "time", "want the form 2006-01-02T15:04:05.000Z")
	}
	return t.Unix(), nil
}

// DateToISO8601 writes midnight UTC of t's day.
func DateToISO8601(t time.Time) string {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(iso8601)
}

// ISO8601ToDate reads the form of the service's XML and gives midnight UTC of
// its day.
func ISO8601ToDate(s string) (time.Time, error) {
	u, err := ISO8601ToUnix(s)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(u, 0).UTC().Truncate(24 * time.Hour), nil
}

// parseXMLTime reads a time of an XML answer: the zero time if it is none.
func parseXMLTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// parseHTTPTime reads a time of a header: the zero time if it is none.
func parseHTTPTime(s string) time.Time {
	t, err := http.ParseTime(s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
