package oss

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// objectsPage is what the two versions of ListObjects answer.
type objectsPage struct {
	objects    []ObjectSummary
	prefixes   []string
	truncated  bool
	keyCount   int
	nextMarker string
	nextToken  string
}

// reader decodes a listing: fields are read only as far as no error occurred.
type reader struct {
	scanner
	err     error
	encoded bool   // encoding-type=url was honoured
	class   string // the last StorageClass and Type read
	kind    string
}

// children calls f for each child of the open element, which it must read.
func (r *reader) children(f func(name string)) {
	for r.err == nil {
		name, ok, err := r.child()
		if err != nil {
			r.err = err
		}
		if err != nil || !ok {
			return
		}
		f(string(name))
	}
}

func (r *reader) str() string {
	s, err := r.text()
	if r.err == nil {
		r.err = err
	}
	return s
}

// key is a field that encoding-type=url encodes.
func (r *reader) key() string {
	s := r.str()
	if r.err == nil && r.encoded {
		s, r.err = decodeKey(s)
	}
	return s
}

func (r *reader) int() int64 {
	n, err := strconv.ParseInt(r.str(), 10, 64)
	if r.err == nil {
		r.err = err
	}
	return n
}

func (r *reader) bool() bool { return r.str() == "true" }

func (r *reader) etag() string { return unquoteETag(r.str()) }

func (r *reader) pass() {
	if err := r.skip(); r.err == nil {
		r.err = err
	}
}

// word is str for a field of few values: the last value is shared.
func (r *reader) word(last *string) string {
	b, err := r.bytes()
	if r.err == nil {
		r.err = err
	}
	if string(b) != *last {
		*last = string(b)
	}
	return *last
}

// time reads 2006-01-02T15:04:05.000Z, which time.Parse takes too long for.
func (r *reader) time() time.Time {
	b, err := r.bytes()
	if r.err == nil {
		r.err = err
	}
	if t, ok := fastTime(b); ok {
		return t
	}
	return parseXMLTime(string(b))
}

func fastTime(b []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00.000Z"
	if len(b) != len(form) {
		return time.Time{}, false
	}
	for i := range len(form) {
		if digit := b[i] >= '0' && b[i] <= '9'; digit != (form[i] == '0') || !digit && b[i] != form[i] {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false // or rare: leave it to time.Parse
	}
	nano := (int(b[20]-'0')*100 + two(21)) * int(time.Millisecond)
	return time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC), true
}

// open enters the root. Whether keys are encoded is found beforehand: the
// element that says so may come after the first key. A key cannot hold it, since
// XML text has no '<'.
func (r *reader) open(root string) {
	r.encoded = bytes.Contains(r.data, []byte("<EncodingType>url</EncodingType>"))
	r.err = r.root(root)
}

func newReader(body []byte) *reader { return &reader{scanner: scanner{data: body}} }

func parseObjects(body []byte) (*objectsPage, error) {
	r := newReader(body)
	r.open("ListBucketResult")
	var page objectsPage
	truncated := false
	r.children(func(name string) {
		switch name {
		case "Contents":
			if page.objects == nil {
				page.objects = make([]ObjectSummary, 0, bytes.Count(body, []byte("</Contents>")))
			}
			page.objects = append(page.objects, ObjectSummary{})
			r.object(&page.objects[len(page.objects)-1])
		case "CommonPrefixes":
			page.prefixes = r.prefixes(page.prefixes)
		case "IsTruncated":
			page.truncated, truncated = r.bool(), true
		case "KeyCount":
			page.keyCount = int(r.int())
		case "NextMarker":
			page.nextMarker = r.key()
		case "NextContinuationToken":
			page.nextToken = r.key()
		default:
			r.pass()
		}
	})
	return &page, r.done(truncated)
}

func (r *reader) object(o *ObjectSummary) {
	r.children(func(name string) {
		switch name {
		case "Key":
			o.Key = r.key()
		case "Size":
			o.Size = r.int()
		case "ETag":
			o.ETag = r.etag()
		case "LastModified":
			o.LastModified = r.time()
		case "Type":
			o.Type = r.word(&r.kind)
		case "StorageClass":
			o.StorageClass = r.word(&r.class)
		case "Owner":
			o.Owner = r.owner()
		case "RestoreInfo":
			o.RestoreInfo = r.str()
		default:
			r.pass()
		}
	})
	if r.err == nil && o.Key == "" {
		r.err = errors.New("an object without a key")
	}
}

func (r *reader) owner() (o Owner) {
	r.children(func(name string) {
		switch name {
		case "ID":
			o.ID = r.str()
		case "DisplayName":
			o.DisplayName = r.str()
		default:
			r.pass()
		}
	})
	return o
}

func (r *reader) prefixes(dst []string) []string {
	r.children(func(name string) {
		if name == "Prefix" {
			dst = append(dst, r.key())
			return
		}
		r.pass()
	})
	return dst
}

// done is the verdict over a whole page. One without IsTruncated could be half
// a listing.
func (r *reader) done(truncated bool) error {
	if r.err == nil && !truncated {
		return errors.New("no IsTruncated")
	}
	return r.err
}

func parseVersions(body []byte) (*ListObjectVersionsResult, error) {
	r := newReader(body)
	r.open("ListVersionsResult")
	var page ListObjectVersionsResult
	truncated := false
	r.children(func(name string) {
		switch name {
		case "Version", "DeleteMarker":
			v := VersionSummary{IsDeleteMarker: name == "DeleteMarker"}
			r.version(&v)
			page.Versions = append(page.Versions, v)
		case "CommonPrefixes":
			page.CommonPrefixes = r.prefixes(page.CommonPrefixes)
		case "IsTruncated":
			page.IsTruncated, truncated = r.bool(), true
		case "NextKeyMarker":
			page.NextKeyMarker = r.key()
		case "NextVersionIdMarker":
			page.NextVersionIDMarker = r.str()
		default:
			r.pass()
		}
	})
	return &page, r.done(truncated)
}

func (r *reader) version(v *VersionSummary) {
	r.children(func(name string) {
		switch name {
		case "Key":
			v.Key = r.key()
		case "VersionId":
			v.VersionID = r.str()
		case "IsLatest":
			v.IsLatest = r.bool()
		case "Size":
			v.Size = r.int()
		case "ETag":
			v.ETag = r.etag()
		case "LastModified":
			v.LastModified = r.time()
		case "Type":
			v.Type = r.word(&r.kind)
		case "StorageClass":
			v.StorageClass = r.word(&r.class)
		case "Owner":
			v.Owner = r.owner()
		case "RestoreInfo":
			v.RestoreInfo = r.str()
		default:
			r.pass()
		}
	})
	if r.err == nil && v.Key == "" {
		r.err = errors.New("a version without a key")
	}
}

func parseUploads(body []byte) (*ListMultipartUploadsResult, error) {
	r := newReader(body)
	r.open("ListMultipartUploadsResult")
	var page ListMultipartUploadsResult
	truncated := false
	r.children(func(name string) {
		switch name {
		case "Upload":
			var u MultipartUpload
			r.upload(&u)
			page.Uploads = append(page.Uploads, u)
		case "CommonPrefixes":
			page.CommonPrefixes = r.prefixes(page.CommonPrefixes)
		case "IsTruncated":
			page.IsTruncated, truncated = r.bool(), true
		case "NextKeyMarker":
			page.NextKeyMarker = r.key()
		case "NextUploadIdMarker":
			page.NextUploadIDMarker = r.str()
		default:
			r.pass()
		}
	})
	return &page, r.done(truncated)
}

func (r *reader) upload(u *MultipartUpload) {
	r.children(func(name string) {
		switch name {
		case "Key":
			u.Key = r.key()
		case "UploadId":
			u.UploadID = r.str()
		case "Initiated":
			u.Initiated = r.time()
		case "StorageClass":
			u.StorageClass = r.word(&r.class)
		default:
			r.pass()
		}
	})
	if r.err == nil && (u.Key == "" || u.UploadID == "") {
		r.err = errors.New("an upload without a key or id")
	}
}

func parseParts(body []byte) (*ListPartsResult, error) {
	r := newReader(body)
	r.open("ListPartsResult")
	var page ListPartsResult
	truncated := false
	r.children(func(name string) {
		switch name {
		case "Part":
			var p Part
			r.part(&p)
			page.Parts = append(page.Parts, p)
		case "StorageClass":
			page.StorageClass = r.str()
		case "IsTruncated":
			page.IsTruncated, truncated = r.bool(), true
		case "NextPartNumberMarker":
			if s := r.str(); s != "" {
				n, err := strconv.Atoi(s)
				if r.err == nil {
					r.err = err
				}
				page.NextMarker = n
			}
		default:
			r.pass()
		}
	})
	return &page, r.done(truncated)
}

func (r *reader) part(p *Part) {
	r.children(func(name string) {
		switch name {
		case "PartNumber":
			p.Number = int(r.int())
		case "ETag":
			p.ETag = r.etag()
		case "Size":
			p.Size = r.int()
		case "LastModified":
			p.LastModified = r.time()
		case "HashCrc64ecma":
			n, err := strconv.ParseUint(r.str(), 10, 64)
			p.CRC64, p.HasCRC64 = n, err == nil
		default:
			r.pass()
		}
	})
	if r.err == nil && (p.Number < 1 || p.Number > MaxParts) {
		r.err = errors.New("a part without a number of 1 to 10000")
	}
}

func parseDeleted(body []byte) ([]DeletedObject, error) {
	r := newReader(body)
	r.open("DeleteResult")
	var entries []DeletedObject
	r.children(func(name string) {
		if name != "Deleted" {
			r.pass()
			return
		}
		var e DeletedObject
		r.children(func(name string) {
			switch name {
			case "Key":
				e.Key = r.key()
			case "VersionId":
				e.VersionID = r.str()
			case "DeleteMarker":
				e.DeleteMarker = r.bool()
			case "DeleteMarkerVersionId":
				e.DeleteMarkerVersionID = r.str()
			default:
				r.pass()
			}
		})
		entries = append(entries, e)
	})
	return entries, r.err
}
