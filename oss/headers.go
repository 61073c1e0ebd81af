package oss

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// ObjectHeaders is what is stored with an object. The zero value stores the
// Content-Type of the key's extension and nothing else.
type ObjectHeaders struct {
	// ContentType "" means by the key's extension, else
	// application/octet-stream.
	ContentType string

	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	Expires            string

	// Meta is the user metadata: names without x-oss-meta-, in any case.
	// Values go out as they are: encode what is not ASCII.
	Meta map[string]string

	// ACL is private, public-read, public-read-write or default.
	ACL string

	// StorageClass is Standard, IA, Archive, ColdArchive or DeepColdArchive.
	StorageClass string

	// Tagging is the tags as EncodeTags gives them: a=1&b=2.
	Tagging string

	// ForbidOverwrite fails the call with ErrFileAlreadyExists if the key
	// exists. Buckets with versioning ignore it.
	ForbidOverwrite bool

	// ServerSideEncryption is AES256, KMS or SM4.
	ServerSideEncryption      string
	ServerSideEncryptionKeyID string
	ServerSideDataEncryption  string

	// Callback and CallbackVar are what Callback.Encode gives. They are not
	// for InitMultipartUpload.
	Callback, CallbackVar string

	// Header holds anything else. It wins over the fields above.
	Header http.Header
}

// apply writes h to dst. key "" sets no Content-Type by itself.
func (h *ObjectHeaders) apply(dst http.Header, key string) {
	contentType := h.ContentType
	if contentType == "" && key != "" {
		contentType = contentTypeOf(key)
	}
	setHeader(dst, "Content-Type", contentType)
	setHeader(dst, "Cache-Control", h.CacheControl)
	setHeader(dst, "Content-Disposition", h.ContentDisposition)
	setHeader(dst, "Content-Encoding", h.ContentEncoding)
	setHeader(dst, "Content-Language", h.ContentLanguage)
	setHeader(dst, "Expires", h.Expires)
	for name, value := range h.Meta {
		dst.Set(metaPrefix+name, value)
	}
	setHeader(dst, "X-Oss-Object-Acl", h.ACL)
	setHeader(dst, "X-Oss-Storage-Class", h.StorageClass)
	setHeader(dst, "X-Oss-Tagging", h.Tagging)
	if h.ForbidOverwrite {
		dst.Set("X-Oss-Forbid-Overwrite", "true")
	}
	setHeader(dst, "X-Oss-Server-Side-Encryption", h.ServerSideEncryption)
	setHeader(dst, "X-Oss-Server-Side-Encryption-Key-Id", h.ServerSideEncryptionKeyID)
	setHeader(dst, "X-Oss-Server-Side-Data-Encryption", h.ServerSideDataEncryption)
	setHeader(dst, "X-Oss-Callback", h.Callback)
	setHeader(dst, "X-Oss-Callback-Var", h.CallbackVar)
	addHeaders(dst, h.Header)
}

const metaPrefix = "X-Oss-Meta-"

func setHeader(dst http.Header, name, value string) {
	if value != "" {
		dst[name] = []string{value}
	}
}

// addHeaders puts src over dst. Names get their canonical form, whatever the
// caller's map has.
func addHeaders(dst, src http.Header) {
	for name, values := range src {
		dst[http.CanonicalHeaderKey(name)] = values
	}
}

// contentTypes are those the vendor's clients send whatever the system says.
var contentTypes = map[string]string{
	".js":   "application/javascript",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xltx": "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
	".potx": "application/vnd.openxmlformats-officedocument.presentationml.template",
	".ppsx": "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".sldx": "application/vnd.openxmlformats-officedocument.presentationml.slide",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".dotx": "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
	".xlam": "application/vnd.ms-excel.addin.macroEnabled.12",
	".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
	".apk":  "application/vnd.android.package-archive",
}

func contentTypeOf(key string) string {
	ext := strings.ToLower(path.Ext(key))
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}
