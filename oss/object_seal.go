package oss

import (
	"context"
	"net/http"
	"time"
)

// SealAppendObjectResult is the answer to SealAppendObject.
type SealAppendObjectResult struct {
	Response

	// SealedTime is when the object was first sealed.
	SealedTime time.Time
}

// SealAppendObject ends an appendable object, which must be position bytes
// long: nothing more can be appended to it. To seal it again is no error.
// errors.Is: ErrPositionNotEqualToLength, ErrObjectNotAppendable.
func (b *Bucket) SealAppendObject(ctx context.Context, key string, position int64) (*SealAppendObjectResult, error) {
	r := b.attribute("SealAppendObject", http.MethodPost, key, "seal", nil)
	if position < 0 {
		return nil, usageError(r.op, "position", "is negative")
	}
	r.setInt("position", position)
	resp, err := b.doPlain(ctx, r)
	if err != nil {
		return nil, err
	}
	return &SealAppendObjectResult{Response: *resp, SealedTime: parseHTTPTime(resp.Header.Get("X-Oss-Sealed-Time"))}, nil
}
