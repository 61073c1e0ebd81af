package oss

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// Objects lists all pages with ListObjectsV2: objects and, with a Delimiter,
// common prefixes, merged in key order. An error ends it. A listing that does
// not get on (a token or a key comes again) is an error, not a loop.
func (b *Bucket) Objects(ctx context.Context, opts *ListObjectsV2Options) iter.Seq2[ObjectSummary, error] {
	return func(yield func(ObjectSummary, error) bool) {
		var o ListObjectsV2Options
		if opts != nil {
			o = *opts
		}
		last, empty := "", 0
		for {
			page, err := b.ListObjectsV2(ctx, &o)
			if err != nil {
				yield(ObjectSummary{}, err)
				return
			}
			for _, entry := range mergePrefixes(page.Objects, page.CommonPrefixes) {
				if entry.Key <= last && last != "" {
					yield(ObjectSummary{}, b.listError("ListObjectsV2", page.Response, "key "+quote(entry.Key)+" after "+quote(last)))
					return
				}
				last = entry.Key
				if !yield(entry, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if empty++; len(page.Objects)+len(page.CommonPrefixes) > 0 {
				empty = 0
			}
			if empty == maxEmptyPages {
				yield(ObjectSummary{}, b.listError("ListObjectsV2", page.Response, "nothing but truncated pages without a key"))
				return
			}
			if page.NextContinuationToken == "" || page.NextContinuationToken == o.ContinuationToken {
				yield(ObjectSummary{}, b.listError("ListObjectsV2", page.Response, "a truncated page without a new token"))
				return
			}
			o.ContinuationToken = page.NextContinuationToken
		}
	}
}

// maxEmptyPages bounds pages without entries in a row: a service may give some
// while it passes over what it deleted.
const maxEmptyPages = 1000

// mergePrefixes gives the objects and prefixes of one page in key order.
func mergePrefixes(objects []ObjectSummary, prefixes []string) []ObjectSummary {
	if len(prefixes) == 0 {
		return objects
	}
	all := make([]ObjectSummary, 0, len(objects)+len(prefixes))
	all = append(all, objects...)
	for _, p := range prefixes {
		all = append(all, ObjectSummary{Key: p, IsPrefix: true})
	}
	slices.SortStableFunc(all, func(a, b ObjectSummary) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// ObjectVersions lists all pages of versions and delete markers: by key, newest
// first. Common prefixes come at the end of their page, with IsPrefix set.
func (b *Bucket) ObjectVersions(ctx context.Context, opts *ListObjectVersionsOptions) iter.Seq2[VersionSummary, error] {
	return func(yield func(VersionSummary, error) bool) {
		var o ListObjectVersionsOptions
		if opts != nil {
			o = *opts
		}
		for {
			page, err := b.ListObjectVersions(ctx, &o)
			if err != nil {
				yield(VersionSummary{}, err)
				return
			}
			for _, v := range page.Versions {
				if !yield(v, nil) {
					return
				}
			}
			for _, p := range page.CommonPrefixes {
				if !yield(VersionSummary{ObjectSummary: ObjectSummary{Key: p, IsPrefix: true}}, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if !advances(o.KeyMarker, o.VersionIDMarker, page.NextKeyMarker, page.NextVersionIDMarker) {
				yield(VersionSummary{}, b.listError("ListObjectVersions", page.Response, "a truncated page without a new marker"))
				return
			}
			o.KeyMarker, o.VersionIDMarker = page.NextKeyMarker, page.NextVersionIDMarker
		}
	}
}

// Parts lists all pages of an upload's parts, in order of their numbers.
func (b *Bucket) Parts(ctx context.Context, key, uploadID string, opts *ListPartsOptions) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		var o ListPartsOptions
		if opts != nil {
			o = *opts
		}
		for {
			page, err := b.ListParts(ctx, key, uploadID, &o)
			if err != nil {
				yield(Part{}, err)
				return
			}
			for _, p := range page.Parts {
				if !yield(p, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if page.NextMarker <= o.Marker {
				yield(Part{}, b.listError("ListParts", page.Response, "a truncated page without a new marker"))
				return
			}
			o.Marker = page.NextMarker
		}
	}
}

// MultipartUploads lists all pages of uploads in progress, by key and upload
// id. Common prefixes come at the end of their page, with IsPrefix set.
func (b *Bucket) MultipartUploads(ctx context.Context, opts *ListMultipartUploadsOptions) iter.Seq2[MultipartUpload, error] {
	return func(yield func(MultipartUpload, error) bool) {
		var o ListMultipartUploadsOptions
		if opts != nil {
			o = *opts
		}
		for {
			page, err := b.ListMultipartUploads(ctx, &o)
			if err != nil {
				yield(MultipartUpload{}, err)
				return
			}
			for _, u := range page.Uploads {
				if !yield(u, nil) {
					return
				}
			}
			for _, p := range page.CommonPrefixes {
				if !yield(MultipartUpload{Key: p, IsPrefix: true}, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if !advances(o.KeyMarker, o.UploadIDMarker, page.NextKeyMarker, page.NextUploadIDMarker) {
				yield(MultipartUpload{}, b.listError("ListMultipartUploads", page.Response, "a truncated page without a new marker"))
				return
			}
			o.KeyMarker, o.UploadIDMarker = page.NextKeyMarker, page.NextUploadIDMarker
		}
	}
}

// Buckets lists all pages of the account's buckets, by name.
func (c *Client) Buckets(ctx context.Context, opts *ListBucketsOptions) iter.Seq2[BucketSummary, error] {
	return func(yield func(BucketSummary, error) bool) {
		var o ListBucketsOptions
		if opts != nil {
			o = *opts
		}
		for {
			page, err := c.ListBuckets(ctx, &o)
			if err != nil {
				yield(BucketSummary{}, err)
				return
			}
			for _, s := range page.Buckets {
				if !yield(s, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
			if page.NextMarker <= o.Marker {
				yield(BucketSummary{}, &AnswerError{Operation: "ListBuckets", RequestID: page.RequestID, Reason: "a truncated page without a new marker"})
				return
			}
			o.Marker = page.NextMarker
		}
	}
}

// advances reports whether a page's markers lie after those it was asked with.
func advances(key, id, nextKey, nextID string) bool {
	return nextKey > key || nextKey == key && nextKey != "" && nextID != id
}

func (b *Bucket) listError(op string, r Response, reason string) error {
	return &AnswerError{Operation: op, Bucket: b.name, RequestID: r.RequestID, Reason: reason}
}

// KeyUploads lists the uploads in progress of exactly one key, with their ids
// above the marker of opts.
func (b *Bucket) KeyUploads(ctx context.Context, key string, opts *ListMultipartUploadsOptions) iter.Seq2[MultipartUpload, error] {
	return func(yield func(MultipartUpload, error) bool) {
		var o ListMultipartUploadsOptions
		if opts != nil {
			o = *opts
		}
		o.Prefix, o.Delimiter = key, ""
		for u, err := range b.MultipartUploads(ctx, &o) {
			if err == nil && u.Key != key {
				return // keys come in order: the rest only begin with key
			}
			if !yield(u, err) {
				return
			}
		}
	}
}
