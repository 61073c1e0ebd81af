package oss_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"github.com/osssync/osssync/oss"
)

// sentinels are the errors that oss2 has classes for, by status and code, and
// others of the service's reference.
var sentinels = []struct {
	status int
	code   string
	want   error
	also   error // of the status
}{
	{304, "", oss.ErrNotModified, nil},
	{400, "MalformedXML", oss.ErrMalformedXML, nil},
	{400, "InvalidRequest", oss.ErrInvalidRequest, nil},
	{400, "OperationNotSupported", oss.ErrOperationNotSupported, nil},
	{400, "InvalidArgument", oss.ErrInvalidArgument, nil},
	{400, "InvalidDigest", oss.ErrInvalidDigest, nil},
	{400, "InvalidBucketName", oss.ErrInvalidBucketName, nil},
	{400, "InvalidObjectName", oss.ErrInvalidObjectName, nil},
	{400, "NotImplemented", oss.ErrNotImplemented, nil},
	{400, "InvalidEncryptionRequest", oss.ErrInvalidEncryptionRequest, nil},
	{400, "InvalidEncryptionAlgorithmError", oss.ErrInvalidEncryptionAlgorithm, nil},
	{400, "BucketReplicationAlreadyExist", oss.ErrBucketReplicationAlreadyExist, nil},
	{400, "ObjectAlreadyExists", oss.ErrObjectAlreadyExists, nil},
	{400, "PartNotSequential", oss.ErrPartNotSequential, nil},
	{400, "InvalidPart", oss.ErrInvalidPart, nil},
	{400, "InvalidPartOrder", oss.ErrInvalidPartOrder, nil},
	{400, "EntityTooSmall", oss.ErrEntityTooSmall, nil},
	{400, "EntityTooLarge", oss.ErrEntityTooLarge, nil},
	{400, "RequestTimeout", oss.ErrRequestTimeout, nil},
	{400, "InvalidWORMConfiguration", oss.ErrInvalidWORMConfiguration, nil},
	{403, "AccessDenied", oss.ErrAccessDenied, nil},
	{403, "", oss.ErrAccessDenied, nil},
	{403, "SignatureDoesNotMatch", oss.ErrSignatureDoesNotMatch, nil},
	{403, "InvalidAccessKeyId", oss.ErrInvalidAccessKeyID, nil},
	{403, "RequestTimeTooSkewed", oss.ErrRequestTimeTooSkewed, nil},
	{403, "SecurityTokenExpired", oss.ErrSecurityTokenExpired, nil},
	{403, "InvalidSecurityToken", oss.ErrInvalidSecurityToken, nil},
	{403, "InvalidObjectState", oss.ErrInvalidObjectState, nil},
	{403, "WORMConfigurationLocked", oss.ErrWORMConfigurationLocked, nil},
	{404, "", oss.ErrNotFound, nil},
	{404, "NoSuchBucket", oss.ErrNoSuchBucket, oss.ErrNotFound},
	{404, "NoSuchKey", oss.ErrNoSuchKey, oss.ErrNotFound},
	{404, "NoSuchUpload", oss.ErrNoSuchUpload, oss.ErrNotFound},
	{404, "NoSuchVersion", oss.ErrNoSuchVersion, oss.ErrNotFound},
	{404, "NoSuchWebsiteConfiguration", oss.ErrNoSuchWebsite, oss.ErrNotFound},
	{404, "NoSuchLifecycle", oss.ErrNoSuchLifecycle, oss.ErrNotFound},
	{404, "NoSuchCORSConfiguration", oss.ErrNoSuchCORS, oss.ErrNotFound},
	{404, "NoSuchLiveChannel", oss.ErrNoSuchLiveChannel, oss.ErrNotFound},
	{404, "NoSuchBucketPolicy", oss.ErrNoSuchBucketPolicy, oss.ErrNotFound},
	{404, "NoSuchInventory", oss.ErrNoSuchInventory, oss.ErrNotFound},
	{404, "NoSuchReplicationRule", oss.ErrNoSuchReplicationRule, oss.ErrNotFound},
	{404, "NoSuchServerSideEncryptionRule", oss.ErrNoSuchServerSideEncryptionRule, oss.ErrNotFound},
	{404, "NoSuchWORMConfiguration", oss.ErrNoSuchWORMConfiguration, oss.ErrNotFound},
	{404, "NoSuchTransferAccelerationConfiguration", oss.ErrNoSuchTransferAccelerationConfiguration, oss.ErrNotFound},
	{404, "SymlinkTargetNotExist", oss.ErrSymlinkTargetNotExist, oss.ErrNotFound},
	{409, "", oss.ErrConflict, nil},
	{409, "BucketNotEmpty", oss.ErrBucketNotEmpty, oss.ErrConflict},
	{409, "BucketAlreadyExists", oss.ErrBucketAlreadyExists, oss.ErrConflict},
	{409, "PositionNotEqualToLength", oss.ErrPositionNotEqualToLength, oss.ErrConflict},
	{409, "ObjectNotAppendable", oss.ErrObjectNotAppendable, oss.ErrConflict},
	{409, "ChannelStillLive", oss.ErrChannelStillLive, oss.ErrConflict},
	{409, "LiveChannelDisabled", oss.ErrLiveChannelDisabled, oss.ErrConflict},
	{409, "FileAlreadyExists", oss.ErrFileAlreadyExists, oss.ErrConflict},
	{409, "FileImmutable", oss.ErrFileImmutable, oss.ErrConflict},
	{409, "RestoreAlreadyInProgress", oss.ErrRestoreAlreadyInProgress, oss.ErrConflict},
	{412, "PreconditionFailed", oss.ErrPreconditionFailed, nil},
	{412, "", oss.ErrPreconditionFailed, nil},
	{416, "InvalidRange", oss.ErrInvalidRange, nil},
	{503, "TotalQpsLimitExceeded", oss.ErrThrottled, nil},
	{203, "CallbackFailed", oss.ErrCallbackFailed, nil},
}

// TestSentinels: an answer matches the value of its code and that of its status
// and no other, in the body as well as in the header of an answer to HEAD.
func TestSentinels(t *testing.T) {
	for _, v := range sentinels {
		text, header := "", "X-None: 1"
		if v.code != "" {
			text = errorXML(v.code)
			header = "X-Oss-Err: " + base64.StdEncoding.EncodeToString([]byte(text))
		}
		_, inBody := bucketOf(t, always(v.status, text)).GetObject(t.Context(), "key", nil)
		_, inHeader := bucketOf(t, always(v.status, "", header)).HeadObject(t.Context(), "key", nil)
		for _, err := range []error{inBody, inHeader, fmt.Errorf("wrapped: %w", inBody)} {
			for _, other := range sentinels {
				match := other.want == v.want || other.want == v.also
				if errors.Is(err, other.want) != match {
					t.Errorf("%v is %q: %v", err, other.want, !match)
				}
			}
		}
	}
	if !errors.Is(&oss.IntegrityError{}, oss.ErrIntegrity) {
		t.Error("an IntegrityError is not ErrIntegrity")
	}
}
