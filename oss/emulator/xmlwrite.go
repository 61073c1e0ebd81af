package emulator

import (
	"strconv"
	"time"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// document builds an XML answer. Its methods append; there is nothing that
// can fail.
type document struct{ b []byte }

// xmlTime is how all documents write times: milliseconds are always zero,
// since one of the vendor's clients accepts nothing else.
const xmlTime = "2006-01-02T15:04:05.000Z"

// prolog stands before every document.
const prolog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func (d *document) open(name string) {
	d.b = append(d.b, '<')
	d.b = append(d.b, name...)
	d.b = append(d.b, '>')
}

func (d *document) close(name string) {
	d.b = append(d.b, '<', '/')
	d.b = append(d.b, name...)
	d.b = append(d.b, '>')
}

func (d *document) text(name, value string) {
	d.open(name)
	d.b = appendEscaped(d.b, value)
	d.close(name)
}

func (d *document) int(name string, v int64) { d.text(name, strconv.FormatInt(v, 10)) }
func (d *document) bool(name string, v bool) { d.text(name, strconv.FormatBool(v)) }
func (d *document) etag(v string)            { d.text("ETag", `"`+v+`"`) }

func (d *document) time(name string, t time.Time) {
	d.text(name, t.UTC().Truncate(time.Second).Format(xmlTime))
}

// owner is the one account of the server.
func (d *document) owner() {
	d.open("Owner")
	d.text("ID", ownerID)
	d.text("DisplayName", ownerID)
	d.close("Owner")
}

func (d *document) grant(acl string) {
	d.open("AccessControlList")
	d.text("Grant", acl)
	d.close("AccessControlList")
}

// object writes what all listings say of an object, but for its key.
func (d *document) object(o *store.Object) {
	d.time("LastModified", o.Modified)
	d.etag(o.ETag)
	d.text("Type", o.Type.String())
	d.int("Size", o.Size)
	d.text("StorageClass", o.Class)
}

func (d *document) part(p *store.Part) {
	d.open("Part")
	d.int("PartNumber", int64(p.Number))
	d.time("LastModified", p.Modified)
	d.etag(p.ETag)
	d.text("HashCrc64ecma", strconv.FormatUint(p.CRC64, 10))
	d.int("Size", p.Size)
	d.close("Part")
}

// appendEscaped escapes s for XML. Control characters become references,
// although XML 1.0 has no place for them: keys may contain them, and a
// listing that has lost a byte is worse than one a strict parser refuses.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c < 0x20:
			b = append(b, "&#"...)
			b = strconv.AppendInt(b, int64(c), 10)
			b = append(b, ';')
		default:
			b = append(b, c)
		}
	}
	return b
}
