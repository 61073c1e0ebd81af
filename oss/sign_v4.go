package oss

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	algorithmV4     = "OSS4-HMAC-SHA256"
	terminatorV4    = "aliyun_v4_request"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	timeV4          = "20060102T150405Z"
)

// signerV4 signs with a key that holds for one day, region and product.
type signerV4 struct {
	region, product string
	last            atomic.Pointer[dayKey]
}

// dayKey is a derived key, ready to use.
type dayKey struct {
	secret, day string
	scope       string // day/region/product/aliyun_v4_request
	macs        sync.Pool
}

// mac is a keyed hash with its buffers, which one signature at a time uses.
type mac struct {
	hash.Hash
	buf     []byte
	headers []signedHeader
	sum     [sha256.Size]byte
}

func (s *signerV4) header(r *signing) {
	stamp := r.now.UTC().Format(timeV4)
	k := s.key(r.creds.AccessKeySecret, stamp[:8])
	r.header["X-Oss-Date"] = []string{stamp}
	r.header["X-Oss-Content-Sha256"] = []string{unsignedPayload}
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	signature, additional := r.signV4(m, k, stamp)
	b := append(m.buf[:0], algorithmV4+" Credential="...)
	b = append(b, r.creds.AccessKeyID...)
	b = append(b, '/')
	b = append(b, k.scope...)
	if additional != "" {
		b = append(b, ",AdditionalHeaders="...)
		b = append(b, additional...)
	}
	b = append(b, ",Signature="...)
	b = append(b, signature[:]...)
	m.buf = b
	r.header["Authorization"] = []string{string(b)}
}

func (s *signerV4) query(r *signing, expires time.Duration) param {
	stamp := r.now.UTC().Format(timeV4)
	k := s.key(r.creds.AccessKeySecret, stamp[:8])
	r.query = append(r.query,
		param{"x-oss-signature-version", algorithmV4},
		param{"x-oss-credential", r.creds.AccessKeyID + "/" + k.scope},
		param{"x-oss-date", stamp},
		param{"x-oss-expires", itoa(int64(expires / time.Second))},
	)
	if r.creds.SecurityToken != "" {
		r.query = append(r.query, param{"x-oss-security-token", r.creds.SecurityToken})
	}
	if _, additional := r.signedHeaders(nil, alwaysV4); additional != "" {
		r.query = append(r.query, param{"x-oss-additional-headers", additional})
	}
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	signature, _ := r.signV4(m, k, stamp)
	return param{"x-oss-signature", string(signature[:])}
}

func alwaysV4(lower string) bool { return lower == "content-type" || lower == "content-md5" }

// signV4 is the signature in hex, and the additional headers that it covers.
func (r *signing) signV4(m *mac, k *dayKey, stamp string) (signature [2 * sha256.Size]byte, additional string) {
	m.headers, additional = r.signedHeaders(m.headers[:0], alwaysV4)
	b := append(m.buf[:0], r.method...)
	b = append(b, "\n/"...)
	if r.bucket != "" {
		b = append(b, r.bucket...)
		b = append(b, '/')
		b = appendEncoded(b, r.key, true)
	}
	b = append(b, '\n')
	if len(r.query) > 0 {
		start := len(b)
		b = appendQuery(b, r.query)
		r.wire = string(b[start:])
	}
	b = append(b, '\n')
	b = appendHeaders(b, m.headers)
	b = append(b, '\n')
	b = append(b, additional...)
	b = append(b, "\n"+unsignedPayload...)
	m.sum = sha256.Sum256(b)

	b = append(b[:0], algorithmV4+"\n"...)
	b = append(b, stamp...)
	b = append(b, '\n')
	b = append(b, k.scope...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, m.sum[:])
	m.Reset()
	m.Write(b)
	m.buf = b
	hex.Encode(signature[:], m.Sum(m.sum[:0]))
	return signature, additional
}

// text is the signature of a text with the key of a day, in hex.
func (s *signerV4) text(secret string, now time.Time, text string) string {
	k := s.key(secret, now.UTC().Format(timeV4)[:8])
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	m.Reset()
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(m.sum[:0]))
}

// key gives the key of a secret and day. Deriving takes four HMACs, so the last
// one is kept: a client rarely signs for two at a time.
func (s *signerV4) key(secret, day string) *dayKey {
	if k := s.last.Load(); k != nil && k.day == day && k.secret == secret {
		return k
	}
	key := []byte("aliyun_v4" + secret)
	for _, text := range []string{day, s.region, s.product, terminatorV4} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		key = m.Sum(nil)
	}
	k := &dayKey{secret: secret, day: day, scope: day + "/" + s.region + "/" + s.product + "/" + terminatorV4}
	k.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, key), buf: make([]byte, 0, 1024)} }
	s.last.Store(k)
	return k
}
