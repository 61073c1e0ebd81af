package emulator

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
)

// spoilHeader changes the digests in an answer's header.
func (st *staging) spoilHeader(h http.Header) {
	for _, c := range st.faults {
		switch c.Kind {
		case "etag":
			if v := h.Get("ETag"); v != "" {
				c.fire()
				h.Set("ETag", string(wrongETag([]byte(v))))
			}
		case "crc":
			if v := h.Get("x-oss-hash-crc64ecma"); v != "" {
				c.fire()
				h.Set("x-oss-hash-crc64ecma", string(wrongCRC([]byte(v))))
			}
		}
	}
}

// spoilDocument changes the body of an answer in XML.
func (st *staging) spoilDocument(b []byte) []byte {
	for _, c := range st.faults {
		out := b
		switch c.Kind {
		case "etag":
			out = replaceElements(b, "ETag", wrongETag)
		case "crc":
			out = replaceElements(b, "HashCrc64ecma", wrongCRC)
		case "repeat", "endearly", "shuffle":
			out = st.spoilListing(c, b)
		}
		if !bytes.Equal(out, b) {
			c.fire()
			b = out
		}
	}
	return b
}

// wrongETag changes the first hex digit.
func wrongETag(v []byte) []byte {
	v = slices.Clone(v)
	i := bytes.IndexAny(v, "0123456789ABCDEF")
	switch {
	case i < 0:
	case v[i] == '0':
		v[i] = '1'
	default:
		v[i] = '0'
	}
	return v
}

func wrongCRC(v []byte) []byte {
	n, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil {
		return v
	}
	return strconv.AppendUint(nil, n^1, 10)
}

// findElement finds the first element of a name from a place on: its beginning,
// that of its text, the text's end, and its own. What documents quote is
// escaped, so a tag is a tag.
func findElement(b []byte, name string, from int) (start, text, textEnd, end int, ok bool) {
	open, shut := []byte("<"+name+">"), []byte("</"+name+">")
	i := bytes.Index(b[from:], open)
	if i < 0 {
		return 0, 0, 0, 0, false
	}
	start = from + i
	text = start + len(open)
	j := bytes.Index(b[text:], shut)
	if j < 0 {
		return 0, 0, 0, 0, false
	}
	return start, text, text + j, text + j + len(shut), true
}

// replaceElements replaces the text of all elements of a name.
func replaceElements(b []byte, name string, replace func([]byte) []byte) []byte {
	var out []byte
	at := 0
	for {
		_, text, textEnd, _, ok := findElement(b, name, at)
		if !ok {
			return append(out, b[at:]...)
		}
		out = append(out, b[at:text]...)
		out = append(out, replace(b[text:textEnd])...)
		at = textEnd
	}
}

// listing elements: what its entries are called, and which element of the
// answer continues at which parameter of the next request.
var listElements = map[string]struct {
	entries []string
	markers [][2]string
}{
	"ListBuckets":          {[]string{"Bucket"}, [][2]string{{"NextMarker", "marker"}}},
	"ListObjects":          {[]string{"Contents"}, [][2]string{{"NextMarker", "marker"}}},
	"ListObjectsV2":        {[]string{"Contents"}, [][2]string{{"NextContinuationToken", "continuation-token"}}},
	"ListObjectVersions":   {[]string{"Version", "DeleteMarker"}, [][2]string{{"NextKeyMarker", "key-marker"}, {"NextVersionIdMarker", "version-id-marker"}}},
	"ListMultipartUploads": {[]string{"Upload"}, [][2]string{{"NextKeyMarker", "key-marker"}, {"NextUploadIdMarker", "upload-id-marker"}}},
	"ListParts":            {[]string{"Part"}, [][2]string{{"NextPartNumberMarker", "part-number-marker"}}},
}

// spoilListing changes a page of a listing.
func (st *staging) spoilListing(c *chosenFault, b []byte) []byte {
	kind, ok := listElements[st.rq.op]
	if !ok || !bytes.Contains(b, []byte("<IsTruncated>")) && c.Kind == "repeat" {
		return b
	}
	if c.Kind == "repeat" {
		out := setElement(b, "IsTruncated", "true")
		for _, m := range kind.markers {
			out = setElement(out, m[0], st.sameMarker(m[1]))
		}
		return out
	}
	head, entries, tail := splitEntries(b, kind.entries)
	switch {
	case c.Kind == "endearly" && len(entries) > 0:
		entries = entries[:len(entries)/2]
	case c.Kind == "shuffle" && len(entries) > 1:
		first := &entries[0][0]
		r := rand.New(rand.NewPCG(c.seed, 0))
		r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if &entries[0][0] == first { // this way it is never the old order
			entries[0], entries[1] = entries[1], entries[0]
		}
	default:
		return b
	}
	out := slices.Concat(head, bytes.Join(entries, nil), tail)
	if c.Kind == "shuffle" {
		return out
	}
	if bytes.Contains(out, []byte("<IsTruncated>")) {
		out = setElement(out, "IsTruncated", "false")
	}
	if bytes.Contains(out, []byte("<KeyCount>")) {
		out = setElement(out, "KeyCount", strconv.Itoa(len(entries)+bytes.Count(out, []byte("<CommonPrefixes>"))))
	}
	for _, m := range kind.markers {
		if start, _, _, end, ok := findElement(out, m[0], 0); ok {
			out = slices.Concat(out[:start], out[end:])
		}
	}
	return out
}

// sameMarker is what makes the next request the same as this one.
func (st *staging) sameMarker(param string) string {
	rq := st.rq
	v := rq.param(param)
	switch {
	case v != "":
	case param == "continuation-token":
		v = makeToken(rq.param("start-after"))
	case param == "part-number-marker":
		return "0"
	}
	enc, err := rq.encoding()
	if err != nil {
		return v
	}
	return enc(v)
}

// setElement sets the text of an element, which stands behind IsTruncated if
// it is new.
func setElement(b []byte, name, value string) []byte {
	escaped := appendEscaped(nil, value)
	if _, text, textEnd, _, ok := findElement(b, name, 0); ok {
		return slices.Concat(b[:text], escaped, b[textEnd:])
	}
	_, _, _, end, ok := findElement(b, "IsTruncated", 0)
	if !ok {
		return b
	}
	return slices.Concat(b[:end], []byte("<"+name+">"), escaped, []byte("</"+name+">"), b[end:])
}

// splitEntries cuts a document into what stands before its entries, them, and
// what comes behind. Entries that something stands between are not expected.
func splitEntries(b []byte, names []string) (head []byte, entries [][]byte, tail []byte) {
	at := -1
	for {
		first, firstEnd := -1, 0
		for _, name := range names {
			start, _, _, end, ok := findElement(b, name, max(at, 0))
			if ok && (first < 0 || start < first) {
				first, firstEnd = start, end
			}
		}
		switch {
		case first < 0 && at < 0:
			return b, nil, nil
		case first < 0:
			return head, entries, b[at:]
		case at < 0:
			head = b[:first]
		}
		entries = append(entries, b[first:firstEnd])
		at = firstEnd
	}
}
