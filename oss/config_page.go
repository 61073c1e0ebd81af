package oss

import "iter"

// PageOptions tunes a listing that goes on by token. The zero value lists from
// the beginning.
type PageOptions struct {
	// ContinuationToken is NextContinuationToken of the page before.
	ContinuationToken string

	// MaxKeys bounds a page, 1 to 1000. 0 leaves it to the service, which
	// takes 100.
	MaxKeys int
}

// Page is where a listing goes on.
type Page struct {
	IsTruncated bool

	// NextContinuationToken is "" on the last page.
	NextContinuationToken string
}

// listing is one page as pages sees it.
type listing[E any] struct {
	entries   []E
	truncated bool
	next      string // where the next page begins
}

// pages gives the entries of all pages, list being the call for one of them. A
// listing that does not get on (a token comes again) is an error, not a loop.
func pages[E any](op, bucket, token string, list func(token string) (listing[E], *Response, error)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		var none E
		seen, at := map[string]bool{token: true}, token
		for {
			page, resp, err := list(at)
			if err != nil {
				yield(none, err)
				return
			}
			for _, e := range page.entries {
				if !yield(e, nil) {
					return
				}
			}
			if !page.truncated {
				return
			}
			if at = page.next; at == "" || seen[at] {
				yield(none, &AnswerError{
					Operation: op, Bucket: bucket, RequestID: resp.RequestID,
					Reason: "a truncated page without a new token",
				})
				return
			}
			seen[at] = true
		}
	}
}

// tokenPages is pages for the calls that take PageOptions.
func tokenPages[R, E any](op, bucket string, opts *PageOptions, list func(*PageOptions) (*R, error), read func(*R) ([]E, Page, *Response)) iter.Seq2[E, error] {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	return pages(op, bucket, o.ContinuationToken, func(token string) (listing[E], *Response, error) {
		r, err := list(&PageOptions{ContinuationToken: token, MaxKeys: o.MaxKeys})
		if err != nil {
			return listing[E]{}, nil, err
		}
		entries, page, resp := read(r)
		return listing[E]{entries, page.IsTruncated, page.NextContinuationToken}, resp, nil
	})
}
