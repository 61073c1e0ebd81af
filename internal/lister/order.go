package lister

import (
	"fmt"
	"strings"

	"github.com/osssync/osssync/oss"
)

// OrderError says that a listing cannot be right: it repeats itself, is out of
// order or does not end. A merge that believed it would miss objects or
// take others for missing.
type OrderError struct {
	// Key came where it must not, after the key After or without the prefix
	// asked for. "" means that the listing does not go on.
	Key, After string
}

func (e *OrderError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("the listing does not go on after %q", e.After)
	}
	return fmt.Sprintf("the listing has %q after %q", e.Key, e.After)
}

// maxEmptyPages bounds pages without keys in a row: a service may give some
// while it passes over what was deleted.
const maxEmptyPages = 1000

// check refuses a page that cannot be what follows what r has.
func (r *keyRange) check(page *oss.ListObjectsV2Result, prefix string) error {
	after := r.after
	for _, o := range page.Objects {
		if o.Key <= after || !strings.HasPrefix(o.Key, prefix) {
			return &OrderError{Key: o.Key, After: after}
		}
		after = o.Key
	}
	if r.empty++; len(page.Objects) > 0 {
		r.empty = 0
	}
	next := page.NextContinuationToken
	if page.IsTruncated && (next == "" || next == r.token || r.empty == maxEmptyPages) {
		return &OrderError{After: after}
	}
	return nil
}
