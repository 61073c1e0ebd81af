package emulator

import (
	"net/http"
	"slices"
	"strings"
)

// qosShape is the children of a QoSConfiguration: Gbit/s and requests a
// second, -1 for no limit.
const qosShape = `{TotalUploadBandwidth:-1..? IntranetUploadBandwidth:-1..? ExtranetUploadBandwidth:-1..?
	TotalDownloadBandwidth:-1..? IntranetDownloadBandwidth:-1..? ExtranetDownloadBandwidth:-1..?
	TotalQps:-1..? IntranetQps:-1..? ExtranetQps:-1..?}`

const (
	putGet       = "PUT GET"
	putGetDelete = "PUT GET DELETE"
)

// bucketFamilies is all configuration of buckets that is put and got whole.
// Where no source tells the service's code for "not configured", the code
// follows the pattern of the others: NoSuch and the operation's name.
func bucketFamilies() []*family {
	return slices.Concat(contentFamilies(), accessFamilies(), limitFamilies())
}

// contentFamilies are about what becomes of objects and how they are served.
func contentFamilies() []*family {
	return []*family{
		{
			sub: "lifecycle", op: "BucketLifecycle", methods: putGetDelete, absent: "NoSuchLifecycle",
			shape: lifecycleShape, check: checkLifecycle,
		},
		{
			sub: "cors", op: "BucketCors", methods: putGetDelete, absent: "NoSuchCORSConfiguration",
			shape: `CORSConfiguration{CORSRule+{AllowedOrigin:text+ AllowedMethod:GET|PUT|POST|DELETE|HEAD+ AllowedHeader:text*
				ExposeHeader:text* MaxAgeSeconds:0..999999999?} ResponseVary:bool?}`,
			check: checkCORS,
		},
		{
			sub: "website", op: "BucketWebsite", methods: putGetDelete, absent: "NoSuchWebsiteConfiguration",
			shape: `WebsiteConfiguration{IndexDocument?{Suffix? SupportSubDir:bool? Type:0..2?}
				ErrorDocument?{Key? HttpStatus:200..599?}
				RoutingRules?{RoutingRule*{RuleNumber:1..
					Condition{KeyPrefixEquals? KeySuffixEquals? HttpErrorCodeReturnedEquals:400..599? IncludeHeader*{Key:text Equals?}}
					Redirect{RedirectType:Mirror|External|Internal|AliCDN? PassQueryString:bool? EnableReplacePrefix:bool?
						HttpRedirectCode:300..399? MirrorPassQueryString:bool? MirrorFollowRedirect:bool? MirrorCheckMd5:bool?
						MirrorSNI:bool? MirrorPassOriginalSlashes:bool? MirrorHeaders?{PassAll:bool?}}}}}`,
			check: checkWebsite,
		},
		{
			sub: "logging", op: "BucketLogging", methods: putGetDelete, absent: "<BucketLoggingStatus></BucketLoggingStatus>",
			shape: `BucketLoggingStatus{LoggingEnabled?{TargetBucket:text TargetPrefix? LoggingRole?}}`,
			check: checkLogging,
		},
		{
			sub: "userDefinedLogFieldsConfig", op: "UserDefinedLogFieldsConfig", methods: putGetDelete,
			absent: "NoSuchUserDefinedLogFieldsConfig",
			shape:  `UserDefinedLogFieldsConfiguration{HeaderSet?{header:text*} ParamSet?{parameter:text*}}`,
		},
		{
			sub: "referer", op: "BucketReferer", methods: putGet,
			absent: `<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer>` +
				`<AllowTruncateQueryString>true</AllowTruncateQueryString><RefererList></RefererList></RefererConfiguration>`,
			shape: `RefererConfiguration{AllowEmptyReferer:bool AllowTruncateQueryString:bool? TruncatePath:bool?
				RefererList?{Referer*} RefererBlacklist?{Referer*}}`,
			check: checkReferer,
		},
		{
			sub: "objectWorm", op: "BucketObjectWormConfiguration", methods: putGet, absent: "NoSuchObjectWormConfiguration",
			shape: objectWormShape, check: checkObjectWorm, blind: true,
		},
		{
			sub: "encryption", op: "BucketEncryption", methods: putGetDelete, absent: "NoSuchServerSideEncryptionRule",
			shape: `ServerSideEncryptionRule{ApplyServerSideEncryptionByDefault{SSEAlgorithm:text KMSMasterKeyID? KMSDataEncryption?}}`,
			check: checkEncryption,
		},
		{
			sub: "tagging", op: "BucketTags", methods: putGet, absent: "<Tagging><TagSet></TagSet></Tagging>",
			shape: `Tagging{TagSet{Tag*{Key:text Value?}}}`, check: checkBucketTags,
		},
		{
			sub: "transferAcceleration", op: "BucketTransferAcceleration", methods: putGetDelete,
			absent: "NoSuchTransferAccelerationConfiguration", shape: `TransferAccelerationConfiguration{Enabled:bool}`,
		},
		{
			sub: "bucketArchiveDirectRead", op: "BucketArchiveDirectRead", methods: putGet,
			absent: "<ArchiveDirectReadConfiguration><Enabled>false</Enabled></ArchiveDirectReadConfiguration>",
			shape:  `ArchiveDirectReadConfiguration{Enabled:bool}`,
		},
		{
			sub: "overwriteConfig", op: "BucketOverwriteConfig", methods: putGetDelete, absent: "NoSuchBucketOverwriteConfig", blind: true,
			shape: `OverwriteConfiguration{Rule+{ID:text? Action:forbid Prefix? Suffix? Principals?{Principal:text*}}}`,
			check: checkOverwrite,
		},
		{
			sub: "responseHeader", op: "BucketResponseHeader", methods: putGetDelete, absent: "NoSuchBucketResponseHeader",
			shape: `ResponseHeaderConfiguration{Rule+{Name:text Filters{Operation:text+} HideHeaders{Header*}}}`,
		},
		{
			sub: "style&styleName", store: "style", op: "Style", methods: "PUT DELETE", absent: "NoSuchStyle",
			shape: `Style{Content}`, check: checkStyle, by: "styleName",
		},
	}
}

// accessFamilies are about who may do what.
func accessFamilies() []*family {
	return []*family{
		{
			sub: "policy", op: "BucketPolicy", methods: putGetDelete, absent: "NoSuchBucketPolicy",
			text: checkPolicy,
		},
		{
			sub: "policy&comp=callback", op: "BucketCallbackPolicy", methods: putGetDelete, absent: "BucketCallbackPolicyNotExist",
			shape: `BucketCallbackPolicy{PolicyItem*{PolicyName:text Callback:text CallbackVar?}}`,
			check: checkCallbackPolicy,
		},
		{
			sub: "requestPayment", op: "BucketRequestPayment", methods: putGet,
			absent: "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
			shape:  `RequestPaymentConfiguration{Payer:BucketOwner|Requester}`,
		},
		{
			sub: "publicAccessBlock", op: "BucketPublicAccessBlock", methods: putGetDelete, absent: noAccessBlock, shape: accessBlockShape,
		},
		{
			sub: "publicAccessBlock&x-oss-access-point-name", store: "publicAccessBlock", op: "AccessPointPublicAccessBlock",
			methods: putGetDelete, absent: noAccessBlock, shape: accessBlockShape, by: accessPointName, needs: needAccessPoint,
		},
		{
			sub: "accessPointPolicy", op: "AccessPointPolicy", methods: putGetDelete, absent: "NoSuchAccessPointPolicy",
			text: checkPolicyText, by: accessPointName, needs: needAccessPoint,
		},
		{
			sub: "accessPointPolicyForObjectProcess", op: "AccessPointPolicyForObjectProcess", methods: putGetDelete,
			absent: "NoSuchAccessPointPolicy", text: checkPolicyText, by: objectProcessName, needs: needObjectProcess,
		},
		{
			sub: "httpsConfig", op: "BucketHttpsConfig", methods: putGet,
			absent: "<HttpsConfiguration><TLS><Enable>false</Enable></TLS></HttpsConfiguration>",
			shape: `HttpsConfiguration{TLS?{Enable:bool TLSVersion:TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3*}
				CipherSuite?{Enable:bool StrongCipherSuite:bool? CustomCipherSuite:text* TLS13CustomCipherSuite:text*}}`,
			check: checkHTTPS,
		},
	}
}

// limitFamilies are all others: classification, limits and reports.
func limitFamilies() []*family {
	return []*family{
		{
			sub: "accessmonitor", op: "BucketAccessMonitor", methods: putGet,
			absent: "<AccessMonitorConfiguration><Status>Disabled</Status></AccessMonitorConfiguration>",
			shape:  `AccessMonitorConfiguration{Status:Enabled|Disabled AllowCopy:bool?}`, check: checkAccessMonitor,
		},
		{
			sub: "resourceGroup", op: "BucketResourceGroup", methods: putGet,
			absent: "<BucketResourceGroupConfiguration><ResourceGroupId>" + defaultResourceGroup +
				"</ResourceGroupId></BucketResourceGroupConfiguration>",
			shape: `BucketResourceGroupConfiguration{ResourceGroupId}`, check: checkResourceGroup,
		},
		{
			sub: "inventory&inventoryId", store: "inventory", op: "BucketInventory", methods: putGetDelete, absent: "NoSuchInventory",
			shape: inventoryShape, check: checkInventory, by: "inventoryId",
		},
		{
			sub: "qosInfo", op: "BucketQosInfo", methods: putGetDelete, absent: "NoSuchBucketQosInfo",
			shape: "QoSConfiguration" + qosShape, check: checkQoS,
		},
		{
			sub: "requesterQosInfo&qosRequester", store: "requesterQosInfo", op: "BucketRequesterQosInfo", methods: "PUT DELETE",
			absent: "NoSuchRequesterQosInfo", shape: "QoSConfiguration" + qosShape, check: checkRequesterQoS, by: "qosRequester",
		},
		{
			sub: "qos", op: "BucketStorageCapacity", methods: putGet,
			absent: "<BucketUserQos><StorageCapacity>-1</StorageCapacity></BucketUserQos>",
			shape:  `BucketUserQos{StorageCapacity:-1..}`,
		},
		{
			sub: "quota", op: "BucketStorageQuota", methods: putGetDelete, absent: "NoSuchBucketStorageQuota",
			shape: `QuotaConfiguration{StorageQuota:0.. Mode?}`,
		},
	}
}

// serviceFamilies is the same of the account.
func serviceFamilies() []*family {
	return []*family{
		{sub: "publicAccessBlock", op: "PublicAccessBlock", methods: putGetDelete, absent: noAccessBlock, shape: accessBlockShape},
		{
			sub: "requesterQosInfo&qosRequester", store: "requesterQosInfo", op: "ResourcePoolRequesterQosInfo", methods: "PUT DELETE",
			absent: "NoSuchRequesterQosInfo", shape: "QoSConfiguration" + qosShape, check: checkRequesterQoS, under: "resourcePool",
			by: "qosRequester", needs: needResourcePool,
		},
	}
}

// configRoutes has the routes of all configuration, families and others.
func configRoutes() []route {
	var out []route
	add := func(l level, families []*family) {
		for _, f := range families {
			if f.shape != "" {
				f.parsed = parseShape(f.shape)
			}
			for m := range strings.FieldsSeq(f.methods) {
				r := route{routeKey: routeKey{m, l, f.sub, false}}
				switch m {
				case http.MethodPut:
					r.op, r.handle = "Put"+f.op, f.put
					if f.blind {
						r.access = createBucket
					}
				case http.MethodGet:
					r.op, r.handle = "Get"+f.op, f.get
				default:
					r.op, r.handle = "Delete"+f.op, f.delete
				}
				out = append(out, r)
			}
		}
	}
	add(onBucket, bucketFamilies())
	add(onService, serviceFamilies())
	for _, r := range otherConfigRoutes() {
		r.access = ownerAccess
		out = append(out, r)
	}
	return out
}
