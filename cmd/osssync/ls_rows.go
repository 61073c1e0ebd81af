package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer/filter"
)

// buckets is the table of the account's buckets.
func (l *listing) buckets(ctx context.Context, r *requester) table {
	return table{
		header: fmt.Sprintf("%-29s  %-20s  %-13s  %s", "CreationTime", "Region", "StorageClass", "BucketName"),
		title:  "Bucket Number is",
		rows: func(yield func(row, error) bool) {
			for b, err := range r.client.Buckets(ctx, &oss.ListBucketsOptions{Marker: l.marker}) {
				url := scheme + b.Name
				if !yield(row{
					url:  url,
					long: fmt.Sprintf("%-29s  %-20s  %-13s", timestamp(b.CreationDate), printable(b.Location), printable(b.StorageClass)),
					json: bucketLine{V: jsonVersion, Type: "bucket", URL: url, Name: b.Name, Region: b.Region, StorageClass: b.StorageClass, Created: b.CreationDate},
				}, err) {
					return
				}
			}
		},
	}
}

// tables are those of what p stands for.
func (l *listing) tables(ctx context.Context, r *requester, p place) []table {
	switch {
	case l.versions:
		return []table{l.versionTable(ctx, r, p)}
	case l.uploads:
		return []table{l.uploadTable(ctx, r, p)}
	case l.allTypes:
		return []table{l.objectTable(ctx, r, p), l.uploadTable(ctx, r, p)}
	}
	return []table{l.objectTable(ctx, r, p)}
}

func (l *listing) objectTable(ctx context.Context, r *requester, p place) table {
	const long = "%-29s  %14s  %-13s  %-36s"
	title := "Object Number is"
	if l.oneLevel {
		title = "Object and Directory Number is"
	}
	return table{
		header: fmt.Sprintf(long+"  %s", "LastModifiedTime", "Size(B)", "StorageClass", "ETAG", "ObjectName"),
		title:  title,
		rows: l.rows(ctx, r, p, objects, fmt.Sprintf(long, "", "", "", ""), func(sel *selection, yield func(entry, error) bool) {
			opts := &oss.ListObjectsV2Options{Prefix: sel.prefix, StartAfter: l.marker}
			if l.oneLevel && strings.Count(sel.pattern, "/") <= strings.Count(sel.prefix, "/") {
				opts.Delimiter = "/" // the service can leave out what lies deeper
			}
			if l.limit.value > 0 {
				opts.MaxKeys = 1000 // one page after the other: the rest may not be wanted
			}
			for o, err := range r.engine.ObjectsIn(ctx, r.bucket(p), opts, sel.enters) {
				if !yield(entry{key: o.Key, folder: o.IsPrefix, info: objectInfo(o), row: func(url string) row {
					return row{
						url:  url,
						long: fmt.Sprintf(long, timestamp(o.LastModified), l.size(o.Size), printable(o.StorageClass), printable(o.ETag)),
						json: newListedLine(url, o),
					}
				}}, err) {
					return
				}
			}
		}),
	}
}

func (l *listing) versionTable(ctx context.Context, r *requester, p place) table {
	const long = "%-29s  %14s  %-13s  %-36s  %-66s  %-9s  %-13s"
	return table{
		header: fmt.Sprintf(long+"  %s", "LastModifiedTime", "Size(B)", "StorageClass", "ETAG", "VersionId", "IsLatest", "DeleteMarker", "ObjectName"),
		title:  "Version Number is",
		rows: l.rows(ctx, r, p, versions, fmt.Sprintf(long, "", "", "", "", "", "", ""), func(sel *selection, yield func(entry, error) bool) {
			opts := &oss.ListObjectVersionsOptions{Prefix: sel.prefix, KeyMarker: l.marker}
			for v, err := range r.engine.ObjectVersions(ctx, r.bucket(p), opts) {
				if !yield(entry{key: v.Key, info: objectInfo(v.ObjectSummary), row: func(url string) row {
					return row{
						url: url,
						long: fmt.Sprintf(long, timestamp(v.LastModified), l.size(v.Size), printable(v.StorageClass), printable(v.ETag),
							printable(v.VersionID), fmt.Sprint(v.IsLatest), fmt.Sprint(v.IsDeleteMarker)),
						json: newObjectVersionLine(url, v),
					}
				}}, err) {
					return
				}
			}
		}),
	}
}

func (l *listing) uploadTable(ctx context.Context, r *requester, p place) table {
	const long = "%-29s  %-36s"
	return table{
		header: fmt.Sprintf(long+"  %s", "InitiatedTime", "UploadID", "ObjectName"),
		title:  "UploadId Number is",
		rows: l.rows(ctx, r, p, uploads, fmt.Sprintf(long, "", ""), func(sel *selection, yield func(entry, error) bool) {
			opts := &oss.ListMultipartUploadsOptions{Prefix: sel.prefix, KeyMarker: l.marker}
			for u, err := range r.engine.MultipartUploads(ctx, r.bucket(p), opts) {
				if !yield(entry{key: u.Key, info: uploadInfo(u), row: func(url string) row {
					return row{
						url:  url,
						long: fmt.Sprintf(long, timestamp(u.Initiated), printable(u.UploadID)),
						json: newUploadLine(p, u),
					}
				}}, err) {
					return
				}
			}
		}),
	}
}

// entry is something listed, which is made a row if it is wanted.
type entry struct {
	key    string
	folder bool
	info   filter.Info
	row    func(url string) row
}

// rows are those entries of list that p stands for, on one level if so wanted.
// blank is what stands before the URL of a folder.
func (l *listing) rows(ctx context.Context, r *requester, p place, what content, blank string, list func(*selection, func(entry, error) bool)) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		sel, err := r.selectTree(ctx, p, what, l.raw, l.set)
		var one *level
		if err == nil && l.oneLevel {
			one, err = newLevel(sel)
		}
		if err != nil {
			yield(row{}, err)
			return
		}
		list(sel, func(e entry, err error) bool {
			if err != nil {
				return yield(row{}, err)
			}
			if e.folder && !sel.hasFolder(e.key) || !e.folder && !sel.has(e.key, e.info) {
				return true
			}
			if one != nil && !e.folder {
				folder, isNew := one.entry(e.key)
				if !isNew {
					return true
				}
				if e.folder = folder != ""; e.folder {
					e.key = folder
				}
			}
			url := scheme + p.bucket + "/" + e.key
			if e.folder {
				return yield(row{url: url, long: blank, json: prefixLine{V: jsonVersion, Type: "prefix", URL: url, Key: e.key}}, nil)
			}
			return yield(e.row(url), nil)
		})
	}
}
