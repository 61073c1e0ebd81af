package oss

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signerV1 signs as "Include signatures in the Authorization header" says.
type signerV1 struct{}

func (signerV1) header(r *signing) {
	date := HTTPDate(r.now)
	r.header["Date"] = []string{date}
	signature := base64HMACSHA1(r.creds.AccessKeySecret, r.stringV1(date))
	r.header["Authorization"] = []string{"OSS " + r.creds.AccessKeyID + ":" + signature}
}

func (signerV1) query(r *signing, expires time.Duration) param {
	at := strconv.FormatInt(r.now.Add(expires).Unix(), 10)
	if r.creds.SecurityToken != "" {
		r.query = append(r.query, param{"security-token", r.creds.SecurityToken})
	}
	signature := base64HMACSHA1(r.creds.AccessKeySecret, r.stringV1(at))
	r.query = append(r.query, param{"OSSAccessKeyId", r.creds.AccessKeyID}, param{"Expires", at})
	return param{"Signature", signature}
}

// stringV1 is the string to sign; date is the Date header or the expiry.
func (r *signing) stringV1(date string) []byte {
	b := make([]byte, 0, 512)
	b = r.appendHead(b, date)
	headers, _ := (&signing{header: r.header}).signedHeaders(nil, nil)
	b = appendHeaders(b, headers)
	b = append(b, '/')
	if r.bucket != "" {
		b = append(b, r.bucket...)
		b = append(b, '/')
		b = append(b, r.key...)
	}
	sub := make([]param, 0, len(r.query))
	for _, p := range r.query {
		if isSubresource(p.name) {
			sub = append(sub, p)
		}
	}
	slices.SortStableFunc(sub, func(a, b param) int { return strings.Compare(a.name, b.name) })
	for i, p := range sub {
		b = append(b, "?&"[min(i, 1)])
		b = append(b, p.name...)
		if p.value != "" {
			b = append(b, '=')
			b = append(b, p.value...)
		}
	}
	return b
}

// appendHead appends the four lines that V1 and V2 begin with.
func (r *signing) appendHead(b []byte, date string) []byte {
	for _, s := range []string{
		r.method,
		strings.TrimSpace(r.header.Get("Content-Md5")),
		strings.TrimSpace(r.header.Get("Content-Type")),
		date,
	} {
		b = append(b, s...)
		b = append(b, '\n')
	}
	return b
}

func appendHeaders(b []byte, headers []signedHeader) []byte {
	for _, h := range headers {
		b = append(b, h.name...)
		b = append(b, ':')
		b = append(b, h.value...)
		b = append(b, '\n')
	}
	return b
}

func base64HMACSHA1(secret string, data []byte) string {
	m := hmac.New(sha1.New, []byte(secret))
	m.Write(data)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func isSubresource(name string) bool {
	return strings.HasPrefix(name, "x-oss-") || subresources[name]
}

// subresources are the query parameters V1 signs. The service publishes no
// list; each of these is signed by an SDK of the vendor that sends it.
var subresources = setOf(`
	acl append bucketInfo callback callback-var continuation-token delete location objectMeta
	partNumber position regionList response-cache-control response-content-disposition
	response-content-encoding response-content-language response-content-type response-expires
	restore security-token sequential stat symlink tagging uploadId uploads versionId versioning
	versions cname comp cors encryption inventory inventoryId lifecycle logging metaQuery policy
	referer replication replicationLocation replicationProgress requestPayment resourceGroup style
	styleName transferAcceleration website worm wormExtend wormId asyncFetch endTime live qos
	qosInfo startTime status vod accessPoint accessPointPolicy bucketArchiveDirectRead httpsConfig
	publicAccessBlock redundancyTransition group link objectInfo qosRequester requesterQosInfo
	resourcePool resourcePoolBuckets resourcePoolInfo cloudboxes rtc policyStatus seal img udf
	udfApplication udfApplicationLog udfImage udfImageDesc udfName responseHeader udfId
	withHashContext processConfiguration vip vpcip accessPointConfigForObjectProcess
	accessPointForObjectProcess accessPointPolicyForObjectProcess cleanRestoredObject legalHold
	objectWorm overwriteConfig retention userDefinedLogFieldsConfig`)

func setOf(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}
