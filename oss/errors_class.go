package oss

import (
	"context"
	"crypto/tls"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Class says what a caller may do about an error.
type Class int

// Classes of errors.
const (
	ClassPermanent Class = iota // the same request fails again
	ClassRetryable              // a further attempt may succeed
	ClassThrottled              // so may it, but slow down first
	ClassIntegrity              // bytes changed on their way: try again, a few times only
	ClassIdentity               // the object is not, or no longer, the one asked for
	ClassExpired                // renew the credentials, then try again once
	ClassCanceled               // the caller's context ended
)

// String is the class's name in lower case.
func (c Class) String() string {
	switch c {
	case ClassRetryable:
		return "retryable"
	case ClassThrottled:
		return "throttled"
	case ClassIntegrity:
		return "integrity"
	case ClassIdentity:
		return "identity"
	case ClassExpired:
		return "expired"
	case ClassCanceled:
		return "canceled"
	}
	return "permanent"
}

// codeClasses comes before statusClasses. Codes are of the service's error
// reference.
var codeClasses = map[string]Class{
	"InternalError":                    ClassRetryable, // also in the body of a 200
	"ServiceUnavailable":               ClassThrottled,
	"RequestTimeout":                   ClassRetryable, // 400: the body came too slowly
	"RequestTimeTooSkewed":             ClassRetryable, // the client corrects its clock
	"InvalidDigest":                    ClassIntegrity, // 400: the body's MD5 is another
	"SecurityTokenExpired":             ClassExpired,
	"InvalidSecurityToken":             ClassExpired,
	"DownloadTrafficRateLimitExceeded": ClassThrottled,
	"UploadTrafficRateLimitExceeded":   ClassThrottled,
	"MetaOperationQpsLimitExceeded":    ClassThrottled,
	"TotalQpsLimitExceeded":            ClassThrottled,
	"ActiveRequestLimitExceeded":       ClassThrottled,
	"CpuLimitExceeded":                 ClassThrottled,
	"QpsLimitExceeded":                 ClassThrottled,
}

var statusClasses = map[int]Class{
	200: ClassRetryable, // it began well and then failed
	401: ClassExpired,
	408: ClassRetryable,
	412: ClassIdentity,
	429: ClassThrottled,
	501: ClassPermanent,
	503: ClassThrottled,
}

// Classify puts err into a class. A nil error is ClassPermanent.
//
// Whether an attempt whose answer was lost took effect is not its business:
// before repeating CompleteMultipartUpload, AppendObject, CopyObject or a
// PutObject with ForbidOverwrite, look.
func Classify(err error) Class {
	if se, ok := errors.AsType[*ServerError](err); ok {
		return se.class()
	}
	if _, ok := errors.AsType[*IntegrityError](err); ok {
		return ClassIntegrity
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return ClassCanceled
	}
	if _, ok := errors.AsType[*UsageError](err); ok {
		return ClassPermanent
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ClassPermanent
	}
	if _, ok := errors.AsType[*TransportError](err); ok {
		return ClassRetryable
	}
	if _, ok := errors.AsType[*AnswerError](err); ok {
		return ClassRetryable
	}
	return ClassPermanent
}

func (e *ServerError) class() Class {
	if c, ok := codeClasses[e.Code]; ok {
		return c
	}
	if c, ok := statusClasses[e.Status]; ok {
		return c
	}
	if e.Status >= 500 {
		return ClassRetryable
	}
	return ClassPermanent
}

func (e *ServerError) throttled() bool { return e.class() == ClassThrottled }

// RetryAfter is how long the server asked to wait before the next request, 0
// if it did not.
func RetryAfter(err error) time.Duration {
	se, ok := errors.AsType[*ServerError](err)
	if !ok {
		return 0
	}
	if ms, ok := parseOffset(se.Header.Get("X-Oss-Qos-Delay-Time")); ok {
		return clampDelay(ms, time.Millisecond)
	}
	v := strings.TrimSpace(se.Header.Get("Retry-After"))
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		return clampDelay(s, time.Second)
	}
	at, sent := parseHTTPTime(v), parseHTTPTime(se.Header.Get("Date"))
	if at.IsZero() || sent.IsZero() {
		return 0
	}
	return max(0, min(at.Sub(sent), maxDelay))
}

// maxDelay bounds what a server can ask for, so that a nonsense value does not
// stop a job for good.
const maxDelay = time.Hour

func clampDelay(n int64, unit time.Duration) time.Duration {
	return time.Duration(max(0, min(n, int64(maxDelay/unit)))) * unit
}
