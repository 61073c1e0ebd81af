package oss

import (
	"errors"
	"slices"
)

// codeError is a value that errors.Is compares *ServerError with.
type codeError struct {
	text   string
	status int      // 0: any
	codes  []string // empty: any
}

func (e *codeError) Error() string { return "oss: " + e.text }

// Values for errors.Is. Those of a status match every code with it; the others
// match by code, and by the bare status where an answer to HEAD has no code.
var (
	ErrNotFound           error = &codeError{text: "not found", status: 404}
	ErrConflict           error = &codeError{text: "conflict", status: 409}
	ErrNotModified        error = &codeError{text: "not modified", status: 304}
	ErrPreconditionFailed error = &codeError{text: "precondition failed", status: 412}

	ErrThrottled             error = errors.New("oss: throttled")     // slow down: 429 and the rate limits of 503
	ErrSelectOperationFailed error = errors.New("oss: select failed") // in the midst of its records

	ErrIntegrity error = errors.New("oss: crc64 mismatch") // of *IntegrityError

	ErrNoSuchBucket                            error = code("NoSuchBucket")
	ErrNoSuchKey                               error = code("NoSuchKey")
	ErrNoSuchUpload                            error = code("NoSuchUpload")
	ErrNoSuchVersion                           error = code("NoSuchVersion")
	ErrNoSuchWebsite                           error = code("NoSuchWebsiteConfiguration")
	ErrNoSuchLifecycle                         error = code("NoSuchLifecycle")
	ErrNoSuchCORS                              error = code("NoSuchCORSConfiguration")
	ErrNoSuchLiveChannel                       error = code("NoSuchLiveChannel")
	ErrNoSuchBucketPolicy                      error = code("NoSuchBucketPolicy")
	ErrNoSuchInventory                         error = code("NoSuchInventory")
	ErrNoSuchReplicationRule                   error = code("NoSuchReplicationRule")
	ErrNoSuchServerSideEncryptionRule          error = code("NoSuchServerSideEncryptionRule")
	ErrNoSuchWORMConfiguration                 error = code("NoSuchWORMConfiguration")
	ErrNoSuchTransferAccelerationConfiguration error = code("NoSuchTransferAccelerationConfiguration")
	ErrSymlinkTargetNotExist                   error = code("SymlinkTargetNotExist")
	ErrAccessDenied                            error = code("AccessDenied")
	ErrSignatureDoesNotMatch                   error = code("SignatureDoesNotMatch")
	ErrInvalidAccessKeyID                      error = code("InvalidAccessKeyId")
	ErrRequestTimeTooSkewed                    error = code("RequestTimeTooSkewed")
	ErrSecurityTokenExpired                    error = code("SecurityTokenExpired")
	ErrInvalidSecurityToken                    error = code("InvalidSecurityToken")
	ErrInvalidObjectState                      error = code("InvalidObjectState")
	ErrWORMConfigurationLocked                 error = code("WORMConfigurationLocked")
	ErrInvalidArgument                         error = code("InvalidArgument")
	ErrInvalidBucketName                       error = code("InvalidBucketName")
	ErrInvalidObjectName                       error = code("InvalidObjectName")
	ErrInvalidDigest                           error = code("InvalidDigest")
	ErrInvalidRequest                          error = code("InvalidRequest")
	ErrInvalidPart                             error = code("InvalidPart")
	ErrInvalidPartOrder                        error = code("InvalidPartOrder")
	ErrPartNotSequential                       error = code("PartNotSequential")
	ErrEntityTooSmall                          error = code("EntityTooSmall")
	ErrEntityTooLarge                          error = code("EntityTooLarge")
	ErrMalformedXML                            error = code("MalformedXML")
	ErrNotImplemented                          error = code("NotImplemented")
	ErrOperationNotSupported                   error = code("OperationNotSupported")
	ErrInvalidEncryptionRequest                error = code("InvalidEncryptionRequest")
	ErrInvalidEncryptionAlgorithm              error = code("InvalidEncryptionAlgorithmError")
	ErrBucketReplicationAlreadyExist           error = code("BucketReplicationAlreadyExist")
	ErrObjectAlreadyExists                     error = code("ObjectAlreadyExists")
	ErrInvalidWORMConfiguration                error = code("InvalidWORMConfiguration")
	ErrRequestTimeout                          error = code("RequestTimeout")
	ErrFileAlreadyExists                       error = code("FileAlreadyExists")
	ErrFileImmutable                           error = code("FileImmutable")
	ErrPositionNotEqualToLength                error = code("PositionNotEqualToLength")
	ErrObjectNotAppendable                     error = code("ObjectNotAppendable")
	ErrBucketNotEmpty                          error = code("BucketNotEmpty")
	ErrBucketAlreadyExists                     error = code("BucketAlreadyExists")
	ErrRestoreAlreadyInProgress                error = code("RestoreAlreadyInProgress")
	ErrChannelStillLive                        error = code("ChannelStillLive")
	ErrLiveChannelDisabled                     error = code("LiveChannelDisabled")
	ErrCallbackFailed                          error = code("CallbackFailed")
	ErrInvalidRange                            error = &codeError{text: "InvalidRange", status: 416}
)

func code(codes ...string) *codeError { return &codeError{text: codes[0], codes: codes} }

// Is reports whether t stands for the error's status or code.
func (e *ServerError) Is(t error) bool {
	if t == ErrThrottled {
		return e.throttled()
	}
	c, ok := t.(*codeError)
	if !ok {
		return false
	}
	if c.status != 0 {
		return e.Status == c.status
	}
	if e.Code == "" && e.Status == 403 {
		return t == ErrAccessDenied
	}
	return slices.Contains(c.codes, e.Code)
}
