package oss

import (
	"bytes"
	"errors"
	"strconv"
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

func parseObjects(body []byte) (*objectsPage, error) {
	r := newReader(body)
	r.open("ListBucketResult")
	var page objectsPage
	truncated := false
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		switch string(name) {
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

func parseVersions(body []byte) (*ListObjectVersionsResult, error) {
	r := newReader(body)
	r.open("ListVersionsResult")
	var page ListObjectVersionsResult
	truncated := false
	r.children(func(name []byte) {
		switch string(name) {
		case "Version", "DeleteMarker":
			v := VersionSummary{IsDeleteMarker: string(name) == "DeleteMarker"}
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
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		switch string(name) {
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
	r.children(func(name []byte) {
		if string(name) != "Deleted" {
			r.pass()
			return
		}
		var e DeletedObject
		r.children(func(name []byte) {
			switch string(name) {
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
