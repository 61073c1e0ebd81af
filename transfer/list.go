package transfer

import (
	"context"
	"errors"
	"iter"

	"github.com/osssync/osssync/internal/lister"
	"github.com/osssync/osssync/oss"
)

// Try makes one request with the retries, the limits and the renewed credentials
// that the engine gives its own. name is for the log and the error. It returns
// nil after the first success, else the error of the last try. Within request
// there must be no other Try: it would wait for the worker that it holds.
func (e *Engine) Try(ctx context.Context, name string, request func(ctx context.Context) error) error {
	return e.try(ctx, name, priorityList, func(ctx context.Context, _ int) error { return request(ctx) })
}

// Objects lists as [oss.Bucket.Objects] does, and after an error that passes it
// goes on behind the last key. Unless opts has more than a Prefix and a
// StartAfter, several pages are fetched at once if there are many, ahead of what
// is consumed; a MaxKeys is for those who will not want them all. A
// listing that cannot be right is then a *ListingError.
func (e *Engine) Objects(ctx context.Context, bucket *oss.Bucket, opts *oss.ListObjectsV2Options) iter.Seq2[oss.ObjectSummary, error] {
	return e.ObjectsIn(ctx, bucket, opts, nil)
}

// ObjectsIn is Objects without the pages of folders that are not wanted. enter says
// of a key below opts.Prefix that ends in a slash whether what begins with it is;
// nil wants all. What is not wanted may still come in part, and with more in opts
// than a Prefix and a StartAfter it all does.
func (e *Engine) ObjectsIn(ctx context.Context, bucket *oss.Bucket, opts *oss.ListObjectsV2Options, enter func(folder string) bool) iter.Seq2[oss.ObjectSummary, error] {
	var o oss.ListObjectsV2Options
	if opts != nil {
		o = *opts
	}
	if o.Delimiter == "" && o.ContinuationToken == "" && o.MaxKeys == 0 && !o.FetchOwner && len(o.Header)+len(o.Query) == 0 {
		within := lister.Options{Prefix: o.Prefix, StartAfter: o.StartAfter, Enter: enter}
		return e.listPages(ctx, bucket, within, func(ctx context.Context, page func(ctx context.Context, _ int) error) error {
			return e.try(ctx, "list", priorityList, page)
		})
	}
	return goOn(ctx, e, func(last oss.ObjectSummary) iter.Seq2[oss.ObjectSummary, error] {
		from := o
		if last.Key != "" {
			from.StartAfter, from.ContinuationToken = last.Key, ""
		}
		return func(yield func(oss.ObjectSummary, error) bool) {
			for entry, err := range bucket.Objects(ctx, &from) {
				if err == nil && entry.IsPrefix && entry.Key == last.Key {
					continue // its keys lie behind it
				}
				if !yield(entry, err) {
					return
				}
			}
		}
	})
}

// listPages yields the objects within some bounds in key order. Each page is one
// call of try, several at once if there are many.
func (e *Engine) listPages(ctx context.Context, bucket *oss.Bucket, within lister.Options,
	try func(ctx context.Context, page func(ctx context.Context, attempt int) error) error,
) iter.Seq2[oss.ObjectSummary, error] {
	within.Parallel = min(e.opts.Concurrency, lister.DefaultParallel)
	within.Page = func(ctx context.Context, opts *oss.ListObjectsV2Options) (result *oss.ListObjectsV2Result, err error) {
		err = try(ctx, func(ctx context.Context, _ int) (err error) {
			result, err = bucket.ListObjectsV2(ctx, opts)
			return err
		})
		return result, err
	}
	return func(yield func(oss.ObjectSummary, error) bool) {
		for o, err := range lister.List(ctx, within) {
			if wrong, ok := errors.AsType[*lister.OrderError](err); ok {
				err = &ListingError{Key: wrong.Key, After: wrong.After}
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// ObjectVersions lists as [oss.Bucket.ObjectVersions] does, and after an error
// that passes it goes on behind the last version. It takes no Delimiter, since
// common prefixes do not come in order there.
func (e *Engine) ObjectVersions(ctx context.Context, bucket *oss.Bucket, opts *oss.ListObjectVersionsOptions) iter.Seq2[oss.VersionSummary, error] {
	var o oss.ListObjectVersionsOptions
	if opts != nil {
		o = *opts
	}
	if o.Delimiter != "" {
		return refused[oss.VersionSummary]("a listing of versions takes no delimiter")
	}
	return goOn(ctx, e, func(last oss.VersionSummary) iter.Seq2[oss.VersionSummary, error] {
		from := o
		if last.Key != "" {
			from.KeyMarker, from.VersionIDMarker = last.Key, last.VersionID
		}
		return bucket.ObjectVersions(ctx, &from)
	})
}

// MultipartUploads lists as [oss.Bucket.MultipartUploads] does, and after an
// error that passes it goes on behind the last upload. It takes no Delimiter,
// since common prefixes do not come in order there.
func (e *Engine) MultipartUploads(ctx context.Context, bucket *oss.Bucket, opts *oss.ListMultipartUploadsOptions) iter.Seq2[oss.MultipartUpload, error] {
	var o oss.ListMultipartUploadsOptions
	if opts != nil {
		o = *opts
	}
	if o.Delimiter != "" {
		return refused[oss.MultipartUpload]("a listing of uploads takes no delimiter")
	}
	return goOn(ctx, e, func(last oss.MultipartUpload) iter.Seq2[oss.MultipartUpload, error] {
		from := o
		if last.Key != "" {
			from.KeyMarker, from.UploadIDMarker = last.Key, last.UploadID
		}
		return bucket.MultipartUploads(ctx, &from)
	})
}

func refused[T any](reason string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, usagef("%s", reason))
	}
}

// goOn is the listing that list begins behind its argument, the zero value for
// the start. Every stretch between two errors has the tries of one request.
func goOn[T any](ctx context.Context, e *Engine, list func(last T) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last T
		next, stop := iter.Pull2(list(last))
		defer func() { stop() }()
		for {
			v, failure, ok := next()
			if failure != nil {
				first := true
				failure = e.try(ctx, "list", priorityList, func(context.Context, int) (err error) {
					if first { // what has failed already is the first try
						first = false
						return failure
					}
					stop()
					next, stop = iter.Pull2(list(last))
					v, err, ok = next()
					return err
				})
			}
			if !ok {
				return
			}
			if !yield(v, failure) || failure != nil {
				return
			}
			last = v
		}
	}
}
