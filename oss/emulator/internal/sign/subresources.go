package sign

import "strings"

// subResources are the query parameters a V1 signature covers, besides every
// name that begins with x-oss-: the union of what the vendor's clients sign.
var subResources = set(`acl append bucketInfo callback callback-var continuation-token delete location objectMeta
	partNumber position regionList response-cache-control response-content-disposition
	response-content-encoding response-content-language response-content-type response-expires
	restore security-token sequential stat symlink tagging uploadId uploads versionId versioning versions
	cname comp cors encryption inventory inventoryId lifecycle logging metaQuery policy referer
	replication replicationLocation replicationProgress requestPayment resourceGroup style styleName
	transferAcceleration website worm wormExtend wormId
	asyncFetch endTime live qos qosInfo startTime status vod
	accessPoint accessPointPolicy bucketArchiveDirectRead httpsConfig publicAccessBlock redundancyTransition
	group link objectInfo qosRequester requesterQosInfo resourcePool resourcePoolBuckets resourcePoolInfo
	cloudboxes rtc policyStatus seal
	img udf udfApplication udfApplicationLog udfImage udfImageDesc udfName
	responseHeader udfId withHashContext processConfiguration vip vpcip
	accessPointConfigForObjectProcess accessPointForObjectProcess accessPointPolicyForObjectProcess
	cleanRestoredObject legalHold objectWorm overwriteConfig retention userDefinedLogFieldsConfig`)

// IsSubResource reports whether name is a parameter of the protocol that
// takes part in V1 signatures and does not begin with x-oss-.
func IsSubResource(name string) bool { return subResources[name] }

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
