package oss

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// UsageError says that a call could not be made as asked. Nothing was sent.
type UsageError struct {
	// Operation is the call, "" where there is none.
	Operation string

	// Field is the argument or option at fault.
	Field string

	// Reason says what is wrong with it. It repeats no secret.
	Reason string
}

func (e *UsageError) Error() string {
	var b strings.Builder
	b.WriteString("oss: ")
	if e.Operation != "" {
		b.WriteString(e.Operation + ": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Reason)
	return b.String()
}

func usageError(op, field, reason string) *UsageError {
	return &UsageError{Operation: op, Field: field, Reason: reason}
}

// ServerError is an answer other than success. errors.Is matches it with the
// ErrX values of this package by its code and status.
type ServerError struct {
	// Operation is the OSS name of the call, such as "PutObject".
	Operation string

	Bucket string
	Key    string

	// Status is the HTTP status code. 203 means that the object was stored
	// but its callback failed.
	Status int

	// Code is the service's code, "" where an answer has none (a proxy's
	// answer, most answers to HEAD).
	Code string

	Message   string
	RequestID string

	// EC is the service's finer error code.
	EC string

	// HostID is the host that answered, by its own account.
	HostID string

	// Endpoint is where the bucket really is, if the service said so.
	Endpoint string

	// Details holds every child element of the error's XML. Signatures and
	// tokens are left out.
	Details map[string]string

	// Header holds the answer's headers.
	Header http.Header
}

func (e *ServerError) Error() string {
	var b strings.Builder
	b.WriteString("oss: " + e.Operation + target(e.Bucket, e.Key) + ": " + strconv.Itoa(e.Status))
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	} else if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Endpoint != "" {
		b.WriteString(" (the bucket's endpoint is " + e.Endpoint + ")")
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID)
		if e.EC != "" {
			b.WriteString(", ec " + e.EC)
		}
		b.WriteString(")")
	}
	return b.String()
}

// NextAppendPosition is the length at which AppendObject has to go on, from an
// answer that refused another one.
func (e *ServerError) NextAppendPosition() (int64, bool) {
	return parseOffset(e.Header.Get("X-Oss-Next-Append-Position"))
}

// TransportError says that a request got no usable answer: whether it took
// effect is not known.
type TransportError struct {
	// Operation is the OSS name of the call.
	Operation string

	Bucket string
	Key    string

	// Sent is how many bytes of the request body had been taken for sending
	// when it failed, and SentCRC64 their CRC-64. With them a caller can
	// tell from a HEAD whether a lost answer was a success.
	Sent      int64
	SentCRC64 uint64

	// Err is the cause. It holds no query string.
	Err error
}

func (e *TransportError) Error() string {
	return "oss: " + e.Operation + target(e.Bucket, e.Key) + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// IntegrityError says that bytes changed on their way: the CRC-64 of what was
// sent or received is not the server's. It matches ErrIntegrity.
type IntegrityError struct {
	// Operation is the OSS name of the call.
	Operation string

	Bucket    string
	Key       string
	RequestID string

	// Expected is the server's CRC-64, Actual that of the bytes on this side.
	Expected uint64
	Actual   uint64
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("oss: %s%s: crc64 is %d here and %d at the server (request id %s)",
		e.Operation, target(e.Bucket, e.Key), e.Actual, e.Expected, e.RequestID)
}

// Is reports whether t is ErrIntegrity.
func (e *IntegrityError) Is(t error) bool { return t == ErrIntegrity }

// AnswerError says that the server answered success with something that is not
// what the protocol promises: other XML, HTML of a proxy, a wrong range.
type AnswerError struct {
	// Operation is the OSS name of the call.
	Operation string

	Bucket    string
	Key       string
	RequestID string

	// Reason says what was wrong.
	Reason string
}

func (e *AnswerError) Error() string {
	return "oss: " + e.Operation + target(e.Bucket, e.Key) + ": unusable answer: " + e.Reason
}

// target names a bucket or object the way messages do: its URL, the whole of it
// quoted if there are characters in it that are not fit for a terminal.
func target(bucket, key string) string {
	if bucket == "" {
		return ""
	}
	s := "oss://" + bucket
	if key != "" {
		s += "/" + key
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) || !utf8.ValidString(s) {
		return " " + strconv.Quote(s)
	}
	return " " + s
}
