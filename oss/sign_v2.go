package oss

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"
)

// signerV2 is V1 with HMAC-SHA256, the whole query and chosen headers.
type signerV2 struct{}

func (signerV2) header(r *signing) {
	date := HTTPDate(r.now)
	r.header["Date"] = []string{date}
	data, additional := r.stringV2(date)
	var b strings.Builder
	b.WriteString("OSS2 AccessKeyId:" + r.creds.AccessKeyID)
	if additional != "" {
		b.WriteString(",AdditionalHeaders:" + additional)
	}
	b.WriteString(",Signature:" + base64HMACSHA256(r.creds.AccessKeySecret, data))
	r.header["Authorization"] = []string{b.String()}
}

func (signerV2) query(r *signing, expires time.Duration) param {
	at := itoa(r.now.Add(expires).Unix())
	r.query = append(r.query,
		param{"x-oss-signature-version", "OSS2"},
		param{"x-oss-expires", at},
		param{"x-oss-access-key-id", r.creds.AccessKeyID},
	)
	if r.creds.SecurityToken != "" {
		r.query = append(r.query, param{"security-token", r.creds.SecurityToken})
	}
	if _, additional := r.signedHeaders(nil, nil); additional != "" {
		r.query = append(r.query, param{"x-oss-additional-headers", additional})
	}
	data, _ := r.stringV2(at)
	return param{"x-oss-signature", base64HMACSHA256(r.creds.AccessKeySecret, data)}
}

func (r *signing) stringV2(date string) (data []byte, additional string) {
	headers, additional := r.signedHeaders(nil, nil)
	b := r.appendHead(make([]byte, 0, 512), date)
	b = appendHeaders(b, headers)
	b = append(b, additional...)
	b = append(b, "\n%2F"...)
	if r.bucket != "" {
		b = append(b, r.bucket...)
		b = append(b, "%2F"...)
		b = appendEncoded(b, r.key, false)
	}
	if len(r.query) > 0 {
		b = append(b, '?')
		start := len(b)
		b = appendQuery(b, r.query)
		r.wire = string(b[start:])
	}
	return b, additional
}

func base64HMACSHA256(secret string, data []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(data)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
