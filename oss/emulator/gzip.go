package emulator

import (
	"compress/gzip"
	"mime"
	"net/http"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// gzipFrom is the size in bytes from which answers are compressed.
const gzipFrom = 1 << 10

// gzipTypes are the content types that are worth it.
var gzipTypes = wordSet(`text/html text/css text/plain text/xml text/javascript text/x-component application/javascript application/x-javascript
	application/json application/xml application/xhtml+xml application/rss+xml application/atom+xml image/svg+xml`)

// compresses reports whether the answer to a GET goes out compressed: if it is
// asked for, whole, large enough, and of a type of text.
func (rq *request) compresses(rg byteRange) bool {
	h := rq.w.Header()
	if rg.status != http.StatusOK || rg.len < gzipFrom || h.Get("Content-Encoding") != "" {
		return false
	}
	typ, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !gzipTypes[typ] {
		return false
	}
	for item := range strings.SplitSeq(rq.header("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// sendCompressed writes a whole object as gzip, of a length nobody knows
// before: neither ETag nor length nor digests are those of what goes out.
func (rq *request) sendCompressed(c *store.Content, rg byteRange) error {
	h := rq.w.Header()
	for _, name := range []string{"ETag", "Content-Length", "Content-MD5", "x-oss-hash-crc64ecma", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Transfer-Encoding", "chunked") // of a short answer net/http would tell the length, which clients take for the object's
	rq.limit.announce(rg.len)
	rq.w.WriteHeader(rg.status)
	z := gzip.NewWriter(rq.w)
	if !rq.send(z, c, rg) {
		return nil // a stream without its trailer is one that was cut
	}
	if err := z.Close(); err != nil {
		rq.code = "Aborted"
	}
	return nil
}
