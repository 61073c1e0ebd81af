package crypto

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Values of the envelope.
const (
	// CipherAESCTR is the one content cipher: AES-256 in CTR mode.
	CipherAESCTR = "AES/CTR/NoPadding"

	// WrapPKCS1 is RSA PKCS #1 v1.5, which all SDKs of the vendor read.
	WrapPKCS1 = "RSA/NONE/PKCS1Padding"

	// WrapOAEP is RSA OAEP with SHA-1, which of them only the Python SDK reads.
	WrapOAEP = "RSA/NONE/OAEPWithSHA-1AndMGF1Padding"

	// WrapKMS is a key of the vendor's key management service.
	WrapKMS = "KMS/ALICLOUD"
)

// Names in the user metadata, without a prefix.
const (
	fieldKey       = "key"
	fieldStart     = "start"
	fieldCipher    = "cek-alg"
	fieldWrap      = "wrap-alg"
	fieldMatDesc   = "matdesc"
	fieldPlainSize = "unencrypted-content-length"
	fieldPlainMD5  = "unencrypted-content-md5"
	fieldDataSize  = "data-size"
	fieldPartSize  = "part-size"
	prefix         = "client-side-encryption-"
	legacyPrefix   = "oss-"
	legacyCrypto   = "oss-crypto-"
	legacyCipher   = "AES/GCM/NoPadding" // CTR in truth
	legacyWrapOAEP = "rsa"
	legacyWrapKMS  = "kms"
	metaPrefix     = "X-Oss-Meta-"
)

// Material is the envelope of one object or multipart upload: the wrapped
// content key and counter, and how they were wrapped. It holds no secret. The
// zero value is not usable: providers make Materials, MaterialFromMeta and
// UnmarshalText read them.
type Material struct {
	// Key and Start are the wrapped content key and first counter block, as
	// the metadata has them: base64.
	Key   string
	Start string

	// Cipher is CipherAESCTR.
	Cipher string

	// Wrap is WrapPKCS1, WrapOAEP, WrapKMS or one of another provider.
	Wrap string

	// Description is the master key's, as JSON, "" if it has none.
	Description string

	// PlainSize and PlainMD5 are what the caller said of the plain text, in
	// bytes and base64. 0 and "" if nothing. For information only.
	PlainSize int64
	PlainMD5  string

	// DataSize is the plain size in bytes of a multipart upload, PartSize
	// that of its parts. 0 for other objects.
	DataSize int64
	PartSize int64

	// Legacy says that the envelope is of the Python SDK's first format,
	// which is read and never written: Start wraps a decimal number, Wrap is
	// WrapOAEP or WrapKMS.
	Legacy bool
}

// Meta is the user metadata to store with the object, for oss.ObjectHeaders.Meta
// and, with the prefix x-oss-meta-, on each UploadPart. Names have no prefix
// x-oss-meta-. A legacy Material keeps its old names.
func (m *Material) Meta() map[string]string {
	meta := make(map[string]string, 9)
	set := func(name, value string) {
		if value == "" {
			return
		}
		switch {
		case !m.Legacy:
			meta[prefix+name] = value
		case name == fieldCipher || name == fieldWrap:
			meta[legacyPrefix+name] = value
		default:
			meta[legacyCrypto+name] = value
		}
	}
	set(fieldKey, m.Key)
	set(fieldStart, m.Start)
	set(fieldMatDesc, m.Description)
	set(fieldPlainSize, sizeText(m.PlainSize))
	set(fieldPlainMD5, m.PlainMD5)
	if m.Legacy {
		set(fieldCipher, legacyCipher)
		set(fieldWrap, map[string]string{WrapOAEP: legacyWrapOAEP, WrapKMS: legacyWrapKMS}[m.Wrap])
		return meta
	}
	set(fieldCipher, m.Cipher)
	set(fieldWrap, m.Wrap)
	if m.PartSize > 0 {
		set(fieldDataSize, itoa(m.DataSize))
		set(fieldPartSize, itoa(m.PartSize))
	}
	return meta
}

// Header is Meta as headers, for UploadPart.
func (m *Material) Header() http.Header {
	h := make(http.Header)
	for name, value := range m.Meta() {
		h.Set(metaPrefix+name, value)
	}
	return h
}

// MaterialFromMeta reads the envelope from an object's user metadata, as in
// oss.ObjectMeta.Meta: names in lower case without x-oss-meta-. It reports false
// for a plain object. The error is a *MaterialError for an envelope that cannot
// be one.
func MaterialFromMeta(meta map[string]string) (*Material, bool, error) {
	if m, ok, err := currentMaterial(meta); ok || err != nil {
		return m, ok, err
	}
	return legacyMaterial(meta)
}

func currentMaterial(meta map[string]string) (*Material, bool, error) {
	m := &Material{
		Key:         meta[prefix+fieldKey],
		Start:       meta[prefix+fieldStart],
		Cipher:      meta[prefix+fieldCipher],
		Wrap:        meta[prefix+fieldWrap],
		Description: meta[prefix+fieldMatDesc],
		PlainSize:   sizeOf(meta[prefix+fieldPlainSize]),
		PlainMD5:    meta[prefix+fieldPlainMD5],
		PartSize:    sizeOf(meta[prefix+fieldPartSize]),
	}
	if m.PartSize > 0 {
		m.DataSize = sizeOf(meta[prefix+fieldDataSize])
	}
	return m.check(CipherAESCTR)
}

func legacyMaterial(meta map[string]string) (*Material, bool, error) {
	wrap := meta[legacyPrefix+fieldWrap]
	m := &Material{
		Key:         meta[legacyCrypto+fieldKey],
		Start:       meta[legacyCrypto+fieldStart],
		Cipher:      meta[legacyPrefix+fieldCipher],
		Wrap:        cmp.Or(map[string]string{legacyWrapOAEP: WrapOAEP, legacyWrapKMS: WrapKMS}[wrap], wrap),
		Description: meta[legacyCrypto+fieldMatDesc],
		PlainSize:   sizeOf(meta[legacyCrypto+fieldPlainSize]),
		PlainMD5:    meta[legacyCrypto+fieldPlainMD5],
		Legacy:      true,
	}
	if m, ok, err := m.check(legacyCipher); !ok || err != nil {
		return m, ok, err
	}
	if wrap != legacyWrapOAEP && wrap != legacyWrapKMS {
		return nil, false, materialError(fieldWrap, strconv.Quote(wrap)+" is not known", nil)
	}
	m.Cipher = CipherAESCTR
	return m, true, nil
}

// check tells a plain object from an envelope, and a whole envelope from half
// of one.
func (m *Material) check(cipher string) (*Material, bool, error) {
	switch {
	case m.Key == "" && m.Start == "":
		return nil, false, nil
	case m.Key == "":
		return nil, false, materialError(fieldKey, "is missing", nil)
	case m.Start == "":
		return nil, false, materialError(fieldStart, "is missing", nil)
	case m.Cipher != cipher:
		return nil, false, materialError(fieldCipher, strconv.Quote(m.Cipher)+" is not "+cipher, nil)
	case m.Wrap == "":
		return nil, false, materialError(fieldWrap, "is missing", nil)
	}
	return m, true, nil
}

// MarshalText is a form for a checkpoint: the metadata as JSON.
func (m *Material) MarshalText() ([]byte, error) {
	if _, _, err := MaterialFromMeta(m.Meta()); err != nil {
		return nil, err
	}
	return json.Marshal(m.Meta())
}

// UnmarshalText reads what MarshalText gave. The error is a *MaterialError.
func (m *Material) UnmarshalText(text []byte) error {
	var meta map[string]string
	if err := json.Unmarshal(text, &meta); err != nil {
		return materialError("", "text is no JSON object of strings", err)
	}
	read, ok, err := MaterialFromMeta(meta)
	if err != nil {
		return err
	}
	if !ok {
		return materialError("", "text has no "+fieldKey, nil)
	}
	*m = *read
	return nil
}

// isEnvelope reports whether a name of user metadata is one of an envelope.
func isEnvelope(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, prefix) || strings.HasPrefix(name, legacyCrypto) ||
		name == legacyPrefix+fieldCipher || name == legacyPrefix+fieldWrap
}

// withoutEnvelope is meta without the names of another object's envelope.
func withoutEnvelope(meta map[string]string) map[string]string {
	kept := make(map[string]string, len(meta)+9)
	maps.Copy(kept, meta)
	maps.DeleteFunc(kept, func(name, _ string) bool { return isEnvelope(name) })
	return kept
}

// sizeOf reads digits, else it is 0: no such number matters for reading.
func sizeOf(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func sizeText(n int64) string {
	if n <= 0 {
		return ""
	}
	return itoa(n)
}
