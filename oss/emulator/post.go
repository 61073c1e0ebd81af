package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// postObject is PutObject by a form, as browsers send one. The form itself is
// signed; signatures of the request do not count.
func (rq *request) postObject() error {
	if err := rq.checkFormLength(); err != nil {
		return err
	}
	f, err := rq.readForm()
	if err != nil {
		return err
	}
	if rq.key, err = f.key(); err != nil {
		return err
	}
	policy, err := rq.authenticateForm(f)
	if err != nil {
		return err
	}
	if err := rq.authorize(&route{access: writeAccess}); err != nil {
		return err
	}
	put := *rq.r // what the form says, as PutObject would have it
	put.Header = f.header()
	rq.r = &put
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	cb, err := rq.readCallback()
	if err != nil {
		return err
	}
	if cb != nil {
		cb.vars = f.callbackVars()
	}
	if a.forbid { // spare the file; the transaction asks again
		if err := rq.s.store.View(func(tx *store.Tx) error { return rq.mayWrite(tx, true) }); err != nil {
			return err
		}
	}
	c, err := rq.receiveFile(f, policy)
	if err != nil {
		return err
	}
	o, err := rq.commit(a, c)
	if err != nil {
		return err
	}
	if cb != nil {
		return rq.call(cb, o)
	}
	return rq.answerForm(f, o)
}

// checkFormLength is checkLength for a file with a form around it.
func (rq *request) checkFormLength() error {
	r := rq.r
	onWire := r.Context().Value(http.ServerContextKey) != nil
	switch {
	case onWire && r.ContentLength == 0 && len(r.TransferEncoding) == 0 && r.Header.Get("Content-Length") == "":
		return fail("MissingContentLength")
	case r.ContentLength > maxObject+maxForm:
		return fail("EntityTooLarge").with("MaxSizeAllowed", fmt.Sprint(int64(maxObject))).with("ProposedSize", fmt.Sprint(r.ContentLength))
	}
	return nil
}

// authenticateForm finds out who made the form, and holds the form against
// its policy. A form without a signature is anybody's, and has no policy.
func (rq *request) authenticateForm(f *postForm) (*postPolicy, error) {
	claim, err := sign.ParseForm(f.field)
	if err != nil {
		return nil, err
	}
	if claim == nil {
		return &postPolicy{max: maxObject}, nil
	}
	key, err := rq.credential(claim.AccessKeyID, f.fields["x-oss-security-token"])
	if err != nil {
		return nil, err
	}
	if err := claim.CheckFormTime(rq.now); err != nil {
		return nil, err
	}
	if err := claim.CheckScope(rq.s.opts.Region); err != nil {
		return nil, err
	}
	text := f.fields["policy"]
	if err := rq.s.verifier.VerifyForm(claim, text, key.AccessKeySecret); err != nil {
		return nil, err
	}
	policy, err := parsePostPolicy(text)
	if err != nil {
		return nil, err
	}
	if err := policy.check(f.field, rq.now); err != nil {
		return nil, err
	}
	if claim.Version == sign.V4 {
		for _, name := range []string{"x-oss-signature-version", "x-oss-credential", "x-oss-date"} {
			if !policy.names(name) {
				return nil, failedPolicy("0006-00000228", "Extra input fields: "+name)
			}
		}
	}
	rq.signed = true
	return policy, nil
}

// receiveFile stores the file of a form, once the form has proven whole and
// the file is as large as the policy wants.
func (rq *request) receiveFile(f *postForm, policy *postPolicy) (*content, error) {
	c, err := rq.receiveFrom(&intake{rq: rq, src: f, length: -1, max: policy.max, tooLarge: policy.tooLarge, failed: f.failed}, maxInline)
	if err != nil {
		return nil, err
	}
	if err = f.finish(); err == nil && c.size < policy.min {
		err = policy.tooSmall(c.size)
	}
	if err != nil {
		rq.s.store.Forget(c.segments)
		return nil, err
	}
	return c, nil
}

// callbackVars are a form's own variables of a callback: the fields x:*.
func (f *postForm) callbackVars() map[string]string {
	vars := make(map[string]string)
	for name, v := range f.fields {
		if strings.HasPrefix(name, "x:") {
			vars[name] = v
		}
	}
	return vars
}

// answerForm answers as the form wants: by a redirection, a document, or a
// status alone.
func (rq *request) answerForm(f *postForm, o *store.Object) error {
	if u, err := url.Parse(f.fields["success_action_redirect"]); err == nil && u.IsAbs() && u.Host != "" {
		q := "bucket=" + url.QueryEscape(rq.bucket) + "&key=" + url.QueryEscape(rq.key) + "&etag=" + url.QueryEscape(`"`+o.ETag+`"`)
		if u.RawQuery != "" {
			q = u.RawQuery + "&" + q
		}
		u.RawQuery = q
		rq.set("Location", u.String())
		rq.set("Content-Length", "0")
		rq.w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	switch f.fields["success_action_status"] {
	case "200":
		rq.set("Content-Length", "0")
		rq.w.WriteHeader(http.StatusOK)
	case "201":
		var d document
		d.open("PostResponse")
		d.text("Bucket", rq.bucket)
		d.text("Location", rq.formLocation())
		d.text("Key", rq.key)
		d.etag(o.ETag)
		d.close("PostResponse")
		rq.writeDocument(http.StatusCreated, &d)
	default:
		rq.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// formLocation is the URL of the object, at the address the form was sent to.
func (rq *request) formLocation() string {
	scheme := "http"
	if rq.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + rq.r.Host + strings.TrimRight(rq.r.URL.EscapedPath(), "/") + "/" + sign.Escape(rq.key, true)
}
