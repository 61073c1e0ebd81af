package oss

import (
	"context"
	"net/http"
)

// PutBucketPolicy sets the bucket's policy, a JSON text.
func (b *Bucket) PutBucketPolicy(ctx context.Context, policy string) (*Response, error) {
	return b.config("PutBucketPolicy", http.MethodPut, "policy").jsonBody(policy).send(ctx)
}

// GetBucketPolicyResult is the answer to GetBucketPolicy.
type GetBucketPolicyResult struct {
	Response

	// Policy is the JSON text as it was set.
	Policy string
}

// GetBucketPolicy gives the bucket's policy. errors.Is: ErrNoSuchBucketPolicy.
func (b *Bucket) GetBucketPolicy(ctx context.Context) (*GetBucketPolicyResult, error) {
	resp, text, err := b.config("GetBucketPolicy", http.MethodGet, "policy").text(ctx)
	if err != nil {
		return nil, err
	}
	return &GetBucketPolicyResult{resp, text}, nil
}

// DeleteBucketPolicy removes the bucket's policy.
func (b *Bucket) DeleteBucketPolicy(ctx context.Context) (*Response, error) {
	return b.config("DeleteBucketPolicy", http.MethodDelete, "policy").send(ctx)
}

// jsonBody makes a JSON text the call's body.
func (c *config) jsonBody(text string) *config {
	c.need("policy", text)
	c.setXMLBody([]byte(text))
	c.header.Set("Content-Type", "application/json")
	return c
}

// CallbackPolicies is the callbacks that uploads may name instead of spelling
// them out.
type CallbackPolicies struct {
	Policies []CallbackPolicy `xml:"PolicyItem"`
}

func (p *CallbackPolicies) document() (string, []byte, error) {
	return marshalDocument("BucketCallbackPolicy", p)
}

// CallbackPolicy is a callback by name. Callback and CallbackVar are what the
// headers x-oss-callback and x-oss-callback-var would hold: base64 of JSON.
type CallbackPolicy struct {
	PolicyName  string
	Callback    string
	CallbackVar string
}

// PutBucketCallbackPolicy replaces the bucket's callbacks by a
// *CallbackPolicies.
func (b *Bucket) PutBucketCallbackPolicy(ctx context.Context, policies Document, opts *ConfigOptions) (*Response, error) {
	return b.callbackPolicy("PutBucketCallbackPolicy", http.MethodPut).body("BucketCallbackPolicy", policies, opts).send(ctx)
}

// GetBucketCallbackPolicyResult is the answer to GetBucketCallbackPolicy.
type GetBucketCallbackPolicyResult struct {
	Response `xml:"-"`
	CallbackPolicies
}

// GetBucketCallbackPolicy gives the bucket's callbacks.
func (b *Bucket) GetBucketCallbackPolicy(ctx context.Context) (*GetBucketCallbackPolicyResult, error) {
	return get[GetBucketCallbackPolicyResult](ctx, b.callbackPolicy("GetBucketCallbackPolicy", http.MethodGet), "BucketCallbackPolicy")
}

// DeleteBucketCallbackPolicy removes the bucket's callbacks.
func (b *Bucket) DeleteBucketCallbackPolicy(ctx context.Context) (*Response, error) {
	return b.callbackPolicy("DeleteBucketCallbackPolicy", http.MethodDelete).send(ctx)
}

func (b *Bucket) callbackPolicy(op, method string) *config {
	return b.config(op, method, "policy").with("comp", "callback")
}
