package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	aclDefault         = "default"
	aclPrivate         = "private"
	aclPublicRead      = "public-read"
	aclPublicReadWrite = "public-read-write"

	// aclAuthenticatedRead is for buckets alone: whoever has an account may
	// read. Here that is the owner. The vendor's Java client has it.
	aclAuthenticatedRead = "authenticated-read"

	classStandard = "Standard"

	// maxMetadata bounds all user metadata of an object, in bytes.
	maxMetadata = 8 << 10

	defaultContentType = "application/octet-stream"
)

// storageClasses are the classes, in the order of GetBucketStat.
var storageClasses = []string{classStandard, "IA", "Archive", "ColdArchive", "DeepColdArchive"}

func validClass(c string) bool { return slices.Contains(storageClasses, c) }

func validBucketACL(acl string) bool {
	return acl == aclPrivate || acl == aclPublicRead || acl == aclPublicReadWrite || acl == aclAuthenticatedRead
}

func validObjectACL(acl string) bool {
	return acl == aclDefault || acl != aclAuthenticatedRead && validBucketACL(acl)
}

// storedHeaders are kept with an object and given back as they are, besides
// x-oss-meta-*.
var storedHeaders = []string{
	"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires",
	"x-oss-server-side-encryption", "x-oss-server-side-encryption-key-id", "x-oss-server-side-data-encryption",
}

// attributes are what a request says of an object besides its bytes.
type attributes struct {
	headers []store.Header
	class   string
	acl     string
	tags    string
	forbid  bool // overwriting
}

// readAttributes reads and checks the headers of every request that makes an
// object.
func (rq *request) readAttributes() (*attributes, error) {
	ignored := rq.op == "InitiateMultipartUpload" || rq.op == "CopyObject" // those of the source have names of their own
	for _, name := range []string{"If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match"} {
		if rq.header(name) != "" && !ignored {
			e := fail("NotImplemented").with("Header", name)
			e.status = http.StatusBadRequest // the service's own status for these
			return nil, e
		}
	}
	a := &attributes{class: rq.header("x-oss-storage-class"), acl: rq.header("x-oss-object-acl")}
	if a.class == "" {
		a.class = classStandard
	} else if !validClass(a.class) {
		return nil, failArgument("x-oss-storage-class", a.class, "The storage class is not valid.")
	}
	if a.acl == "" {
		a.acl = aclDefault
	} else if !validObjectACL(a.acl) {
		return nil, failArgument("x-oss-object-acl", a.acl, "The object ACL is not valid.")
	}
	if v := rq.header(sseHeader); v != "" && v != "AES256" && v != "KMS" && v != "SM4" {
		return nil, fail("InvalidEncryptionAlgorithmError")
	}
	switch v := strings.ToLower(rq.header("x-oss-forbid-overwrite")); v {
	case "true":
		a.forbid = true
	case "", "false":
	default:
		return nil, failArgument("x-oss-forbid-overwrite", v, "x-oss-forbid-overwrite must be true or false.")
	}
	var err error
	if a.tags, err = parseTagHeader(rq.header("x-oss-tagging")); err != nil {
		return nil, err
	}
	if a.headers, err = rq.storedHeaders(); err != nil {
		return nil, err
	}
	if err := rq.applyDefaults(a); err != nil {
		return nil, err
	}
	a.headers = completeEncryption(a.headers)
	return a, nil
}

// storedHeaders picks the headers to keep, in the order of their names.
func (rq *request) storedHeaders() ([]store.Header, error) {
	var out []store.Header
	size := 0
	for name, values := range rq.r.Header {
		name = strings.ToLower(name)
		meta := strings.HasPrefix(name, "x-oss-meta-")
		if !meta && !slices.Contains(storedHeaders, name) {
			continue
		}
		v := strings.Join(values, ",")
		if meta {
			size += len(name) + len(v)
		}
		if v != "" || meta {
			out = append(out, store.Header{Name: name, Value: v})
		}
	}
	if size > maxMetadata {
		return nil, failArgument("x-oss-meta", "", "The total size of user metadata exceeds 8 KB.")
	}
	slices.SortFunc(out, func(a, b store.Header) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func headerValue(hs []store.Header, name string) string {
	for _, h := range hs {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// withContentType gives headers a content type if they have none.
func withContentType(hs []store.Header, typ string) []store.Header {
	if typ == "" || headerValue(hs, "content-type") != "" {
		return hs
	}
	return append(slices.Clone(hs), store.Header{Name: "content-type", Value: typ})
}

// Limits of an object's tags.
const (
	maxTags     = 10
	maxTagKey   = 128
	maxTagValue = 256
)

// tag is one tag of an object, decoded.
type tag struct{ key, value string }

func validTag(t tag) bool {
	if t.key == "" || utf8.RuneCountInString(t.key) > maxTagKey || utf8.RuneCountInString(t.value) > maxTagValue {
		return false
	}
	return validTagText(t.key) && validTagText(t.value)
}

// validTagText reports whether all characters may be in a tag.
func validTagText(s string) bool {
	ok := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" +-=._:/", r)
	}
	return strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0
}

// encodeTags checks tags and brings them into the form they are stored in.
func encodeTags(tags []tag) (string, error) {
	if len(tags) > maxTags {
		return "", fail("InvalidTag").with("TagCount", "more than 10")
	}
	seen := make(map[string]bool, len(tags))
	var b strings.Builder
	for _, t := range tags {
		if !validTag(t) || seen[t.key] {
			return "", fail("InvalidTag").with("Key", t.key).with("Value", t.value)
		}
		seen[t.key] = true
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(t.key) + "=" + url.QueryEscape(t.value))
	}
	return b.String(), nil
}

// splitTags decodes k=v&k=v.
func splitTags(s string) ([]tag, error) {
	var out []tag
	if s == "" {
		return nil, nil
	}
	for item := range strings.SplitSeq(s, "&") {
		k, v, _ := strings.Cut(item, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return nil, err
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return nil, err
		}
		out = append(out, tag{key, value})
	}
	return out, nil
}

func parseTagHeader(s string) (string, error) {
	tags, err := splitTags(s)
	if err != nil {
		return "", failArgument("x-oss-tagging", s, "The tags are not well formed.")
	}
	return encodeTags(tags)
}
