package oss

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// DeleteObjectVersions is BatchDeleteObjects for chosen versions.
func (b *Bucket) DeleteObjectVersions(ctx context.Context, objects []ObjectVersion, opts *BatchDeleteOptions) (*BatchDeleteResult, error) {
	var o BatchDeleteOptions
	if opts != nil {
		o = *opts
	}
	r := b.newCall("DeleteMultipleObjects", http.MethodPost)
	if len(objects) == 0 || len(objects) > 1000 {
		return nil, usageError(r.op, "keys", strconv.Itoa(len(objects))+" keys, not 1 to 1000")
	}
	for _, v := range objects {
		if err := checkKey(r.op, v.Key); err != nil {
			return nil, err
		}
	}
	r.set("delete", "")
	r.set("encoding-type", "url")
	addHeaders(r.header, o.Header)
	r.setXMLBody(deleteBody(objects, o.Quiet))
	resp, body, err := b.client.doRead(ctx, r, maxListing)
	if err != nil {
		return nil, err
	}
	res := &BatchDeleteResult{Response: newResponse(resp)}
	if o.Quiet && len(body) == 0 {
		return res, nil
	}
	if res.Entries, err = parseDeleted(body); err != nil {
		return nil, r.xmlError(resp, body, err)
	}
	for _, e := range res.Entries {
		res.Deleted = append(res.Deleted, e.Key)
	}
	if o.Quiet {
		return res, nil
	}
	if missing, n := missingKey(objects, res.Entries); n > 0 {
		return nil, r.answerError(resp, strconv.Itoa(n)+" keys are not among the deleted, the first is "+quote(missing))
	}
	return res, nil
}

// missingKey finds what was asked for and is not in the answer.
func missingKey(asked []ObjectVersion, answered []DeletedObject) (first string, n int) {
	seen := make(map[string]bool, len(answered))
	for _, e := range answered {
		seen[e.Key] = true
	}
	for _, v := range asked {
		if !seen[v.Key] {
			if n == 0 {
				first = v.Key
			}
			n++
		}
	}
	return first, n
}

func deleteBody(objects []ObjectVersion, quiet bool) []byte {
	b := []byte(xml.Header + "<Delete><Quiet>" + strconv.FormatBool(quiet) + "</Quiet>")
	for _, v := range objects {
		b = append(b, "<Object><Key>"...)
		b = appendXMLText(b, v.Key)
		b = append(b, "</Key>"...)
		if v.VersionID != "" {
			b = append(b, "<VersionId>"...)
			b = appendXMLText(b, v.VersionID)
			b = append(b, "</VersionId>"...)
		}
		b = append(b, "</Object>"...)
	}
	return append(b, "</Delete>"...)
}

func completeBody(parts []Part) []byte {
	b := make([]byte, 0, 64+96*len(parts))
	b = append(b, xml.Header+"<CompleteMultipartUpload>"...)
	for _, p := range parts {
		b = append(b, "<Part><PartNumber>"...)
		b = strconv.AppendInt(b, int64(p.Number), 10)
		b = append(b, "</PartNumber><ETag>&quot;"...)
		b = appendXMLText(b, unquoteETag(p.ETag))
		b = append(b, "&quot;</ETag></Part>"...)
	}
	return append(b, "</CompleteMultipartUpload>"...)
}

// appendXMLText escapes s. Unlike encoding/xml it writes control characters as
// references, which XML 1.0 forbids and the service reads: a replacement
// character would name another key.
func appendXMLText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff:
			b = append(b, "&#x"...)
			b = strconv.AppendInt(b, int64(r), 16)
			b = append(b, ';')
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

// setXMLBody makes p the body of c, with the Content-MD5 that the service asks
// of XML.
func (c *call) setXMLBody(p []byte) {
	sum := md5.Sum(p)
	c.header.Set("Content-Type", "application/xml")
	c.header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	c.setBytes(p)
}

// marshalBody is setXMLBody for a value without keys in it.
func (c *call) marshalBody(v any) error {
	p, err := xml.Marshal(v)
	if err != nil {
		return usageError(c.op, "body", err.Error())
	}
	c.setXMLBody(append([]byte(xml.Header), p...))
	return nil
}
