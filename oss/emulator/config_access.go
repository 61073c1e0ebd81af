package emulator

import (
	"net/url"
	"slices"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

const (
	noAccessBlock = "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess></PublicAccessBlockConfiguration>"

	accessBlockShape = `PublicAccessBlockConfiguration{BlockPublicAccess:bool}`
)

// accessBlocked reports whether the account or a bucket blocks public access.
func accessBlocked(tx *store.Tx, bucket string) (bool, error) {
	for _, scope := range []string{"", bucket} {
		doc, err := configDoc(tx, scope, "publicAccessBlock", "")
		if err != nil {
			return false, err
		}
		if doc != nil && doc.get("BlockPublicAccess") == "true" {
			return true, nil
		}
	}
	return false, nil
}

// mayBePublic refuses to make something of the request's bucket public where
// that is blocked.
func (rq *request) mayBePublic(tx *store.Tx) error {
	blocked, err := accessBlocked(tx, rq.bucket)
	if err == nil && blocked {
		e := fail("AccessDenied").withEC("0003-00000801")
		e.msg = "Public access is blocked."
		return e
	}
	return err
}

// anonymousVerdict is what a bucket's configuration says of a request without
// a signature, before ACLs are asked: an error, "yes", or "ask them".
func (rq *request) anonymousVerdict(tx *store.Tx) (allow bool, err error) {
	blocked, err := accessBlocked(tx, rq.bucket)
	if err != nil {
		return false, err
	}
	if blocked {
		return false, fail("AccessDenied")
	}
	payer, err := configDoc(tx, rq.bucket, "requestPayment", "")
	if err != nil {
		return false, err
	}
	if payer != nil && payer.get("Payer") == "Requester" {
		e := fail("AccessDenied").withEC("0003-00000703")
		e.msg = "Anonymous requests are not allowed where the requester pays."
		return false, e
	}
	allow, deny, err := rq.policyVerdict(tx)
	if deny {
		e := fail("AccessDenied")
		e.msg = "The bucket's policy denies this."
		return false, e
	}
	return allow, err
}

// linked reports whether a request could come from a link on a page: one
// without a signature in its headers.
func (rq *request) linked() bool {
	return !rq.signed || rq.header("Authorization") == ""
}

// checkReferer is hotlink protection: it concerns objects read without a
// signature or through a signed URL, not signed headers.
func (rq *request) checkReferer(tx *store.Tx) error {
	doc, err := configDoc(tx, rq.bucket, "referer", "")
	if err != nil || doc == nil || refererAllowed(doc, rq.header("Referer")) {
		return err
	}
	e := fail("AccessDenied").withEC("0003-00000503").with("BucketName", rq.bucket)
	e.msg = "You are denied by bucket referer policy."
	return e
}

func refererAllowed(doc *element, referer string) bool {
	var white, black []string
	if l := doc.find("RefererList"); l != nil {
		white = slices.DeleteFunc(l.texts("Referer"), func(s string) bool { return s == "" })
	}
	if l := doc.find("RefererBlacklist"); l != nil {
		black = slices.DeleteFunc(l.texts("Referer"), func(s string) bool { return s == "" })
	}
	if referer == "" {
		return doc.get("AllowEmptyReferer") == "true" || len(white) == 0 && len(black) == 0
	}
	if doc.get("AllowTruncateQueryString") != "false" {
		referer, _, _ = strings.Cut(referer, "?")
	}
	if doc.get("TruncatePath") == "true" {
		if u, err := url.Parse(referer); err == nil {
			referer = u.Scheme + "://" + u.Host
		}
	}
	match := func(pattern string) bool { return wildcard(pattern, referer) }
	return !slices.ContainsFunc(black, match) && (len(white) == 0 || slices.ContainsFunc(white, match))
}

// corsRule returns the first rule of the request's bucket that allows an
// origin, a method and headers, or nil.
func (rq *request) corsRule(tx *store.Tx, method string, headers []string) (rule *element, vary bool, err error) {
	doc, err := configDoc(tx, rq.bucket, "cors", "")
	if err != nil || doc == nil {
		return nil, false, err
	}
	origin := rq.header("Origin")
	for _, r := range doc.all("CORSRule") {
		matches := func(name, value string) bool {
			return slices.ContainsFunc(r.texts(name), func(p string) bool {
				return wildcard(strings.ToLower(p), strings.ToLower(value))
			})
		}
		ok := matches("AllowedOrigin", origin) && slices.Contains(r.texts("AllowedMethod"), method)
		for _, h := range headers {
			ok = ok && matches("AllowedHeader", h)
		}
		if ok {
			return r, doc.get("ResponseVary") == "true", nil
		}
	}
	return nil, doc.get("ResponseVary") == "true", nil
}

// setCORS sets the headers that let a browser see the answer.
func (rq *request) setCORS(rule *element, preflight bool) {
	h := rq.w.Header()
	if slices.Contains(rule.texts("AllowedOrigin"), "*") {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Set("Access-Control-Allow-Origin", rq.header("Origin"))
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.texts("AllowedMethod"), ", "))
	if preflight && rq.header("Access-Control-Request-Headers") != "" {
		h.Set("Access-Control-Allow-Headers", rq.header("Access-Control-Request-Headers"))
	}
	if e := rule.texts("ExposeHeader"); len(e) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(e, ", "))
	}
	if age := rule.get("MaxAgeSeconds"); age != "" {
		h.Set("Access-Control-Max-Age", age)
	}
}

// answerCORS prepares the answer to an actual request from a browser. No rule
// refuses such a request: the browser does.
func (rq *request) answerCORS() error {
	return rq.s.store.View(func(tx *store.Tx) error {
		rule, vary, err := rq.corsRule(tx, rq.r.Method, nil)
		if vary {
			rq.w.Header().Add("Vary", "Origin")
		}
		if rule != nil {
			rq.setCORS(rule, false)
		}
		return err
	})
}

// preflight answers OptionObject, which needs no signature.
func (rq *request) preflight() error {
	method := rq.header("Access-Control-Request-Method")
	if rq.header("Origin") == "" || method == "" {
		return failArgument("Origin", rq.header("Origin"), "A preflight needs Origin and Access-Control-Request-Method.")
	}
	var headers []string
	for h := range strings.SplitSeq(rq.header("Access-Control-Request-Headers"), ",") {
		if h = strings.TrimSpace(h); h != "" {
			headers = append(headers, h)
		}
	}
	var rule *element
	err := rq.viewConfig(func(tx *store.Tx) (err error) {
		rule, _, err = rq.corsRule(tx, method, headers)
		return err
	})
	if err != nil {
		return err
	}
	rq.w.Header().Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	if rule == nil {
		return fail("AccessForbidden").with("Method", method).with("ResourceType", "OBJECT").with("Origin", rq.header("Origin"))
	}
	rq.setCORS(rule, true)
	return nil
}
