package crypto

import (
	"errors"
	"strconv"

	"github.com/osssync/osssync/oss"
)

// Values for errors.Is.
var (
	// ErrNoMasterKey says that the provider has no master key with the
	// object's description, or only its public half.
	ErrNoMasterKey = errors.New("crypto: no master key")

	// ErrNotEncrypted says that an object is a plain one where
	// Options.RequireEncryption refuses those.
	ErrNotEncrypted = errors.New("crypto: object is not encrypted")
)

// MaterialError says that the envelope of an object cannot be used: it is
// damaged, of an unknown kind, or was wrapped with another master key. Trying
// again does not help. oss.Classify has it as permanent unless Err says more.
type MaterialError struct {
	// Field is the name in the user metadata without its prefix, such as
	// "key", or "" for the envelope as a whole.
	Field string

	// Reason says what is wrong with it. It repeats no secret.
	Reason string

	// Err is the cause, nil if there is none.
	Err error
}

func (e *MaterialError) Error() string {
	s := "crypto: envelope"
	if e.Field != "" {
		s += ": " + e.Field
	}
	s += ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *MaterialError) Unwrap() error { return e.Err }

func materialError(field, reason string, err error) error {
	return &MaterialError{Field: field, Reason: reason, Err: err}
}

// UnsupportedError says that a call cannot be made with an encrypted object:
// the server would have to know the plain text or the counter. It matches
// errors.ErrUnsupported. Nothing was sent.
type UnsupportedError struct {
	// Operation is the OSS name of the call.
	Operation string

	// Reason says why.
	Reason string
}

func (e *UnsupportedError) Error() string {
	return "crypto: " + e.Operation + ": not possible with encrypted objects: " + e.Reason
}

// Is reports whether t is errors.ErrUnsupported.
func (e *UnsupportedError) Is(t error) bool { return t == errors.ErrUnsupported }

func usageError(op, field, reason string) error {
	return &oss.UsageError{Operation: op, Field: field, Reason: reason}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
