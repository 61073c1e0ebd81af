package emulator

import (
	"strings"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// authenticate finds out who asks. As with the service, a missing bucket is
// reported before the key is looked at.
func (rq *request) authenticate(route *route) error {
	if route != nil && (route.access == formAccess || route.op == "OptionObject") { // a preflight request is never signed
		return rq.needRoutedBucket(route)
	}
	sr := &sign.Request{
		Method: rq.r.Method, Bucket: rq.bucket, Key: rq.key, Query: rq.query, Header: rq.r.Header,
		Host: rq.r.Host, ContentLength: rq.r.ContentLength,
	}
	claim, err := sign.Parse(sr)
	if err != nil {
		return err
	}
	if err := rq.needRoutedBucket(route); err != nil || claim == nil {
		return err
	}
	key, err := rq.credential(claim.AccessKeyID, rq.securityToken(claim))
	if err != nil {
		return err
	}
	if err := claim.CheckTime(rq.now); err != nil {
		return err
	}
	if err := claim.CheckScope(rq.s.opts.Region); err != nil {
		return err
	}
	if err := rq.s.verifier.Verify(claim, sr, key.AccessKeySecret); err != nil {
		return err
	}
	rq.signed = true
	if h := rq.header("x-oss-content-sha256"); claim.Version == sign.V4 && !claim.Presigned && len(h) == 64 {
		rq.body.expectSHA256(h)
	}
	return nil
}

// needRoutedBucket is NoSuchBucket if the operation needs a bucket and it is
// not there.
func (rq *request) needRoutedBucket(route *route) error {
	if rq.bucket == "" || route != nil && route.access == createBucket {
		return nil
	}
	_, err := rq.thisBucket()
	return err
}

// authorize lets the owner do everything, and anonymous users what the ACLs
// of bucket and object allow.
func (rq *request) authorize(route *route) error {
	if route.access == anyAccess || route.access == formAccess {
		return nil
	}
	if rq.key != "" && route.access == readAccess && rq.linked() {
		if err := rq.s.store.View(rq.checkReferer); err != nil {
			return err
		}
	}
	if rq.signed {
		return nil
	}
	if err := rq.s.store.View(func(tx *store.Tx) error { return rq.anonymousMay(tx, route.access) }); err != nil {
		return err
	}
	for _, p := range rq.query {
		if strings.HasPrefix(p.Name, "response-") {
			return fail("InvalidRequest").with("ArgumentName", p.Name)
		}
	}
	return nil
}

// anonymousMay is AccessDenied unless everyone may do to the request's bucket,
// or to its object in the version it names, what the access is about.
func (rq *request) anonymousMay(tx *store.Tx, what access) error {
	denied := fail("AccessDenied")
	b, err := tx.Bucket(rq.bucket)
	switch {
	case err != nil:
		return err
	case b == nil:
		return denied
	}
	if ok, err := rq.anonymousVerdict(tx); err != nil || ok {
		return err
	}
	acl := b.ACL
	if rq.key != "" {
		id, byID, err := rq.versionID()
		if err != nil {
			return err
		}
		o, err := findAny(tx, rq.bucket, rq.key, id, byID)
		if err != nil {
			return err
		}
		if o != nil && !o.Marker && o.ACL != aclDefault {
			acl = o.ACL
		}
	}
	switch {
	case acl == aclPublicReadWrite && (what == readAccess || what == writeAccess):
		return nil
	case acl == aclPublicRead && what == readAccess:
		return nil
	}
	return denied
}
