package transfer

import (
	"context"
	"iter"
	"strings"

	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
)

// action is what a plan says of one name: the source as it was seen, and the
// destination, if it has the name.
type action struct {
	name   string // relative to both sides, with slashes
	file   localfs.Entry
	object oss.ObjectSummary
	exists bool  // the destination has the name
	ask    bool  // only the object's metadata can tell whether both are the same
	err    error // the source could not be read here
}

// planUpload merges a walk with a listing of the destination. Names that only
// the destination has are passed over. dst may be nil: then nothing is known of
// the destination and nothing exists there.
func planUpload(src iter.Seq2[localfs.Entry, error], dst iter.Seq2[oss.ObjectSummary, error], prefix string) iter.Seq2[action, error] {
	return func(yield func(action, error) bool) {
		objects := newPuller(dst)
		defer objects.stop()
		for entry, err := range src {
			a := action{name: entry.Key, file: entry, err: err}
			if dst != nil {
				found, failed := objects.seek(prefix+entry.Key, func(o oss.ObjectSummary) string { return o.Key })
				if failed != nil {
					yield(action{}, failed)
					return
				}
				if found {
					a.exists, a.object = true, objects.value
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// planDownload merges a listing with a walk of the destination.
func planDownload(src iter.Seq2[oss.ObjectSummary, error], dst iter.Seq2[localfs.Entry, error], prefix string) iter.Seq2[action, error] {
	return func(yield func(action, error) bool) {
		files := newPuller(dst)
		defer files.stop()
		for object, err := range src {
			if err != nil {
				yield(action{}, err)
				return
			}
			a := action{name: strings.TrimPrefix(object.Key, prefix), object: object}
			if a.name == "" {
				continue // the placeholder of the folder itself
			}
			if dst != nil {
				// A file of the destination that cannot be looked at counts as
				// not there: the transfer will say what is wrong with it.
				a.exists, _ = files.seek(a.name, func(e localfs.Entry) string { return e.Key })
				a.exists = a.exists && files.value.Skipped == ""
				if a.exists {
					a.file = files.value
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// puller walks one sorted stream in step with another.
type puller[V any] struct {
	next  func() (V, error, bool)
	stop  func()
	value V
	valid bool
	err   error
}

func newPuller[V any](seq iter.Seq2[V, error]) *puller[V] {
	if seq == nil {
		return &puller[V]{stop: func() {}}
	}
	p := &puller[V]{}
	p.next, p.stop = iter.Pull2(seq)
	p.advance()
	return p
}

func (p *puller[V]) advance() { p.value, p.err, p.valid = p.next() }

// seek goes on to the first value whose key is not below key and says whether
// it is that key's.
func (p *puller[V]) seek(key string, keyOf func(V) string) (bool, error) {
	for p.valid {
		at := keyOf(p.value)
		if at >= key {
			return at == key, p.err
		}
		if p.err != nil && at == "" {
			return false, p.err // the stream itself failed
		}
		p.advance()
	}
	return false, nil
}

// listing yields the objects below prefix in key order. Pages are fetched
// through the pool, one ahead of what is consumed.
func (j *job) listing(ctx context.Context, bucket *oss.Bucket, prefix string) iter.Seq2[oss.ObjectSummary, error] {
	type page struct {
		objects []oss.ObjectSummary
		err     error
	}
	return func(yield func(oss.ObjectSummary, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan page)
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer close(pages)
			token, last := "", ""
			for {
				result, err := j.listPage(ctx, bucket, prefix, token)
				p := page{err: err}
				if err == nil {
					p.objects = result.Objects
					p.err = inOrder(p.objects, &last, result)
				}
				select {
				case pages <- p:
				case <-ctx.Done():
					return
				}
				if p.err != nil || !result.IsTruncated {
					return
				}
				token = result.NextContinuationToken
			}
		}()
		defer func() { cancel(); <-done }()
		for p := range pages {
			for _, o := range p.objects {
				if !yield(o, nil) {
					return
				}
			}
			if p.err != nil {
				yield(oss.ObjectSummary{}, p.err)
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(oss.ObjectSummary{}, err)
		}
	}
}

func (j *job) listPage(ctx context.Context, bucket *oss.Bucket, prefix, token string) (*oss.ListObjectsV2Result, error) {
	var result *oss.ListObjectsV2Result
	err := j.do(ctx, "list "+prefix, priorityList, func(ctx context.Context, _ int) (err error) {
		result, err = bucket.ListObjectsV2(ctx, &oss.ListObjectsV2Options{
			Prefix: prefix, ContinuationToken: token, MaxKeys: 1000,
		})
		return err
	})
	return result, err
}

// inOrder refuses a listing that repeats itself or is out of order: a merge
// that believed it would overwrite or miss objects.
func inOrder(objects []oss.ObjectSummary, last *string, result *oss.ListObjectsV2Result) error {
	for _, o := range objects {
		if o.Key <= *last && *last != "" {
			return &ListingError{Key: o.Key, After: *last}
		}
		*last = o.Key
	}
	if result.IsTruncated && (len(objects) == 0 || result.NextContinuationToken == "") {
		return &ListingError{After: *last}
	}
	return nil
}
