package transfer

import (
	"context"
	"iter"

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
// goes on behind the last key.
func (e *Engine) Objects(ctx context.Context, bucket *oss.Bucket, opts *oss.ListObjectsV2Options) iter.Seq2[oss.ObjectSummary, error] {
	var o oss.ListObjectsV2Options
	if opts != nil {
		o = *opts
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
