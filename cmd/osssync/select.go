package main

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/transfer"
	"github.com/osssync/osssync/transfer/filter"
)

// requester is a service and the engine that gives requests to it their
// retries.
type requester struct {
	*service
	engine *transfer.Engine
}

// withEngine runs fn against the service and closes it after.
func (a *app) withEngine(cmd *cobra.Command, buckets []string, fn func(*requester) error) error {
	engine, err := a.engine()
	if err != nil {
		return err
	}
	return a.with(cmd, buckets, func(s *service) error { return fn(&requester{service: s, engine: engine}) })
}

// content is what a bucket can be asked for.
type content int

const (
	objects content = iota
	versions
	uploads
)

// selection is what one remote name of a command line stands for: the keys
// that begin with prefix and for which match is true.
type selection struct {
	bucket, prefix string
	match          func(key string) bool // nil takes all
	pattern        string                // "" for a literal name
	filter         *filter.Set           // nil takes all
}

// has reports whether sel takes the key of something about which that is known.
func (sel *selection) has(key string, info filter.Info) bool {
	return (sel.match == nil || sel.match(key)) && sel.filter.Match(sel.name(key), info).In
}

// hasFolder reports whether sel may take something in the folder.
func (sel *selection) hasFolder(key string) bool {
	return (sel.match == nil || sel.match(key)) && sel.filter.Dir(sel.name(key))
}

// enters reports whether the filters may let in something below the folder, of
// which nothing need be listed else.
func (sel *selection) enters(folder string) bool { return sel.filter.Dir(sel.name(folder)) }

// name is the key's for filters: relative to what sel stands for, as if that
// were a folder, and for other keys that begin with its name to the folder that
// it lies in.
func (sel *selection) name(key string) string {
	if sel.match == nil && sel.prefix != "" && !strings.HasSuffix(sel.prefix, "/") {
		if name, below := strings.CutPrefix(key, sel.prefix+"/"); below {
			return name
		}
	}
	return strings.TrimPrefix(key, sel.prefix[:strings.LastIndexByte(sel.prefix, '/')+1])
}

// objectInfo is what a listing says of an object.
func objectInfo(o oss.ObjectSummary) filter.Info {
	return filter.Info{Size: o.Size, ModTime: o.LastModified, StorageClass: o.StorageClass}
}

// uploadInfo is what a listing says of an upload.
func uploadInfo(u oss.MultipartUpload) filter.Info {
	return filter.Info{Size: -1, ModTime: u.Initiated}
}

// selectTree is what p stands for where names are prefixes. A pattern takes
// what lies below what it matches as well.
func (r *requester) selectTree(ctx context.Context, p place, what content, raw bool, set *filter.Set) (*selection, error) {
	sel := &selection{bucket: p.bucket, prefix: p.key, filter: set}
	if raw || !isPattern(p.key) {
		return sel, nil
	}
	for _, err := range r.keys(ctx, p.bucket, p.key, what, 1) {
		return sel, err // it is there as it stands
	}
	sel.pattern, sel.prefix = p.key, literalPrefix(p.key)
	sel.match = func(key string) bool { return covers(sel.pattern, key) }
	return sel, nil
}

// selectKeys is what p stands for where names are keys.
func (r *requester) selectKeys(ctx context.Context, p place, what content, raw bool) (*selection, error) {
	sel := &selection{bucket: p.bucket, prefix: p.key, match: func(key string) bool { return key == p.key }}
	if raw || !isPattern(p.key) {
		return sel, nil
	}
	for key, err := range r.keys(ctx, p.bucket, p.key, what, 1) {
		if err != nil || key == p.key {
			return sel, err // it is there as it stands
		}
		break // a key comes before those that begin with it
	}
	sel.pattern, sel.prefix = p.key, literalPrefix(p.key)
	sel.match = func(key string) bool { return matches(sel.pattern, key) }
	return sel, nil
}

// keys lists the keys that begin with prefix, in pages of that size; 0 is the
// service's.
func (r *requester) keys(ctx context.Context, bucket, prefix string, what content, page int) iter.Seq2[string, error] {
	b := r.bucket(place{bucket: bucket})
	return func(yield func(string, error) bool) {
		switch what {
		case versions:
			for v, err := range r.engine.ObjectVersions(ctx, b, &oss.ListObjectVersionsOptions{Prefix: prefix, MaxKeys: page}) {
				if !yield(v.Key, err) {
					return
				}
			}
		case uploads:
			for u, err := range r.engine.MultipartUploads(ctx, b, &oss.ListMultipartUploadsOptions{Prefix: prefix, MaxUploads: page}) {
				if !yield(u.Key, err) {
					return
				}
			}
		default:
			for o, err := range r.engine.Objects(ctx, b, &oss.ListObjectsV2Options{Prefix: prefix, MaxKeys: page}) {
				if !yield(o.Key, err) {
					return
				}
			}
		}
	}
}

// each calls fn for what p stands for: for p itself, or for every object that
// a pattern matches, in the order of keys. It stops at fn's first error. That
// nothing matches is an error.
func (r *requester) each(ctx context.Context, p place, raw bool, fn func(place) error) error {
	if raw || !p.remote() || !isPattern(p.key) {
		return fn(p)
	}
	sel, err := r.selectKeys(ctx, p, objects, raw)
	if err != nil {
		return err
	}
	if sel.pattern == "" {
		return fn(p)
	}
	n := 0
	for key, err := range r.keys(ctx, sel.bucket, sel.prefix, objects, 0) {
		if err != nil {
			return err
		}
		if !sel.match(key) {
			continue
		}
		n++
		if err := fn(place{bucket: p.bucket, key: key}); err != nil {
			return err
		}
	}
	if n == 0 {
		return &noMatchError{p}
	}
	return nil
}

// noMatchError says that a pattern matches no object. It matches
// transfer.ErrNoMatch.
type noMatchError struct{ place place }

func (e *noMatchError) Error() string { return fmt.Sprintf("nothing matches %s", e.place) }

// Is makes errors.Is(err, transfer.ErrNoMatch) true.
func (e *noMatchError) Is(target error) bool { return target == transfer.ErrNoMatch }

// several calls fn for each of the places, and says which failed. The others
// are done all the same. A single one keeps its error.
func (a *app) several(ctx context.Context, r *requester, places []place, raw bool, fn func(place) error) error {
	var failed, total int64
	for _, p := range places {
		var last error
		err := r.each(ctx, p, raw, func(one place) error {
			total++
			if last = fn(one); last == nil || ctx.Err() != nil || quietPipe(last) || len(places) == 1 && one == p {
				return last
			}
			failed++
			a.failedName(one, last)
			return nil
		})
		switch {
		case err == nil:
		case len(places) == 1 || ctx.Err() != nil || quietPipe(err):
			return err
		default:
			failed, total = failed+1, total+1
			a.failedName(p, err)
		}
	}
	if failed > 0 {
		return &partlyError{failed: failed, total: total}
	}
	return nil
}

// failedName says that one of several names failed.
func (a *app) failedName(p place, err error) {
	a.printf("error: %s: %s", pasteable(p.url()), oneLine(err.Error()))
	a.log.Error("failed", "bucket", p.bucket, "key", p.key, "err", err)
	if a.flags.json {
		a.emit(errorLine{V: jsonVersion, Type: "error", URL: p.url(), Error: err.Error(), ExitCode: exitCode(err)})
	}
}
