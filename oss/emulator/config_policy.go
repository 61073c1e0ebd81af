package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const maxPolicy = 16 << 10

// policy is a bucket's policy as far as this server understands it.
type policy struct {
	Version   string
	Statement []policyStatement
}

// policyStatement allows or denies. Conditions are stored, but not evaluated:
// see matches.
type policyStatement struct {
	Effect    string
	Action    policyWords
	Principal policyWords
	Resource  policyWords
	Condition json.RawMessage
}

// policyWords is a string or a list of them.
type policyWords []string

func (w *policyWords) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*w = policyWords{s}
		return err
	}
	var list []string
	err := json.Unmarshal(b, &list)
	*w = list
	return err
}

func parsePolicy(doc []byte) (*policy, error) {
	bad := func(detail string) error { return fail("InvalidPolicyDocument").with("ErrorDetail", detail) }
	if len(doc) > maxPolicy {
		return nil, bad("the document is too long")
	}
	p := &policy{}
	d := json.NewDecoder(bytes.NewReader(doc))
	if err := d.Decode(p); err != nil {
		return nil, bad("the document is not well formed")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, bad("something follows the document")
	}
	if p.Version != "1" {
		return nil, bad("the version must be 1")
	}
	if len(p.Statement) == 0 {
		return nil, bad("there is no statement")
	}
	for _, s := range p.Statement {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return nil, bad("the effect must be Allow or Deny")
		case len(s.Action) == 0:
			return nil, bad("a statement has no action")
		case len(s.Resource) == 0:
			return nil, bad("a statement has no resource")
		}
	}
	return p, nil
}

// checkPolicyText checks the policies of access points.
func checkPolicyText(_ *request, doc []byte) error {
	_, err := parsePolicy(doc)
	return err
}

// checkPolicy also refuses a public policy where public access is blocked.
func checkPolicy(rq *request, doc []byte) error {
	p, err := parsePolicy(doc)
	if err != nil || !p.public() {
		return err
	}
	return rq.s.store.View(func(tx *store.Tx) error { return rq.mayBePublic(tx) })
}

// everyone reports whether a statement is about anonymous requests, too. One
// that names nobody is.
func (s *policyStatement) everyone() bool {
	return len(s.Principal) == 0 || s.Principal.match("*")
}

// public reports whether a policy lets just anyone do something.
func (p *policy) public() bool {
	for _, s := range p.Statement {
		if s.Effect == "Allow" && len(s.Condition) == 0 && s.everyone() {
			return true
		}
	}
	return false
}

// match reports whether one of the words, which may hold "*" and "?", matches.
func (w policyWords) match(s string) bool {
	for _, pattern := range w {
		if wildcard(pattern, s) {
			return true
		}
	}
	return false
}

// wildcard reports whether a pattern matches: "*" any bytes, "?" any one. It
// takes time proportional to the product of the lengths, at most.
func wildcard(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// policyActions are the actions of operations that have none of their own name.
var policyActions = map[string]string{
	"HeadObject": "GetObject", "GetObjectMeta": "GetObject", "GetSymlink": "GetObject",
	"AppendObject": "PutObject", "CopyObject": "PutObject", "PutSymlink": "PutObject", "PostObject": "PutObject",
	"SealAppendObject": "PutObject", "InitiateMultipartUpload": "PutObject", "UploadPart": "PutObject",
	"UploadPartCopy": "PutObject", "CompleteMultipartUpload": "PutObject",
	"DeleteMultipleObjects": "DeleteObject", "ListObjectsV2": "ListObjects", "HeadBucket": "GetBucketInfo",
}

// matches reports whether a statement is about an anonymous request. One with
// conditions is taken at its strictest: it denies always and allows never.
func (s *policyStatement) matches(rq *request) bool {
	if !s.everyone() || s.Effect == "Allow" && len(s.Condition) > 0 {
		return false
	}
	action := rq.op
	if a, ok := policyActions[action]; ok {
		action = a
	}
	if !s.Action.match("oss:" + action) {
		return false
	}
	resource := rq.bucket
	if rq.key != "" {
		resource += "/" + rq.key
	}
	for _, r := range s.Resource {
		part := strings.SplitN(r, ":", 5) // acs:oss:REGION:ACCOUNT:RESOURCE
		if len(part) == 5 && wildcard(part[3], ownerID) && wildcard(part[4], resource) {
			return true
		}
	}
	return false
}

// policyVerdict is what a bucket's policy says of an anonymous request: an
// explicit denial wins over everything, an explicit permission over ACLs.
func (rq *request) policyVerdict(tx *store.Tx) (allow, deny bool, err error) {
	c, err := tx.Config(rq.bucket, "policy", "")
	if err != nil || c == nil {
		return false, false, err
	}
	p, err := parsePolicy(c.Doc)
	if err != nil {
		return false, false, err
	}
	for _, s := range p.Statement {
		if s.matches(rq) {
			allow, deny = allow || s.Effect == "Allow", deny || s.Effect == "Deny"
		}
	}
	return allow && !deny, deny, nil
}

// policyStatus answers GetBucketPolicyStatus.
func (rq *request) policyStatus() error {
	public := false
	err := rq.viewConfig(func(tx *store.Tx) error {
		c, err := tx.Config(rq.bucket, "policy", "")
		if err != nil || c == nil { // without a policy none is public
			return err
		}
		p, err := parsePolicy(c.Doc)
		public = err == nil && p.public()
		return err
	})
	if err != nil {
		return err
	}
	rq.writeElement(node("PolicyStatus", leaf("IsPublic", strconv.FormatBool(public))))
	return nil
}
