package emulator

import (
	"cmp"
	"crypto/md5"
	"fmt"
	"net/http"
	"net/url"

	"github.com/osssync/osssync/oss/emulator/internal/sign"
	"github.com/osssync/osssync/oss/emulator/internal/store"
)

// writeACL answers GetBucketAcl and GetObjectAcl.
func (rq *request) writeACL(acl string) {
	var d document
	d.open("AccessControlPolicy")
	d.owner()
	d.grant(acl)
	d.close("AccessControlPolicy")
	rq.writeDocument(http.StatusOK, &d)
}

func (rq *request) getBucketACL() error {
	b, err := rq.thisBucket()
	if err != nil {
		return err
	}
	rq.writeACL(b.ACL)
	return nil
}

// putBucketACL makes the bucket if there is none. Without an ACL it changes
// nothing else.
func (rq *request) putBucketACL() error {
	acl := rq.header("x-oss-acl")
	if acl != "" && !validBucketACL(acl) {
		return failArgument("x-oss-acl", acl, "The bucket ACL is not valid.")
	}
	err := rq.s.store.Update(func(tx *store.Tx) error {
		b, err := tx.Bucket(rq.bucket)
		if err != nil {
			return err
		}
		if b == nil {
			b = rq.s.newBucket(rq.bucket)
			if err := mayAddBucket(tx); err != nil {
				return err
			}
		}
		b.ACL = cmp.Or(acl, b.ACL)
		if b.ACL != aclPrivate && b.ACL != aclAuthenticatedRead {
			if err := rq.mayBePublic(tx); err != nil {
				return err
			}
		}
		return tx.PutBucket(b)
	})
	if err == nil {
		rq.set("Location", "/"+rq.bucket)
	}
	return err
}

// thisObject reads the request's object itself.
func (rq *request) thisObject() (o *store.Object, err error) {
	err = rq.s.store.View(func(tx *store.Tx) error {
		o, err = rq.findOne(tx)
		return err
	})
	if err == nil {
		rq.setVersion(o)
	}
	return o, err
}

// changeObject rewrites the record of the request's object, in the version it
// asks for.
func (rq *request) changeObject(change func(*store.Object) error) error {
	return rq.s.store.Update(func(tx *store.Tx) error {
		o, err := rq.findOne(tx)
		if err != nil {
			return err
		}
		if err := change(o); err != nil {
			return err
		}
		rq.setVersion(o)
		return tx.ChangeVersion(rq.bucket, o)
	})
}

func (rq *request) getObjectACL() error {
	o, err := rq.thisObject()
	if err != nil {
		return err
	}
	rq.writeACL(o.ACL)
	return nil
}

func (rq *request) putObjectACL() error {
	acl := rq.header("x-oss-object-acl")
	if !validObjectACL(acl) {
		return failArgument("x-oss-object-acl", acl, "The object ACL is not valid.")
	}
	return rq.changeObject(func(o *store.Object) error {
		o.ACL = acl
		return nil
	})
}

func (rq *request) getTagging() error {
	o, err := rq.thisObject()
	if err != nil {
		return err
	}
	tags, err := splitTags(o.Tags)
	if err != nil {
		return err
	}
	var d document
	d.open("Tagging")
	d.open("TagSet")
	for _, t := range tags {
		d.open("Tag")
		d.text("Key", t.key)
		d.text("Value", t.value)
		d.close("Tag")
	}
	d.close("TagSet")
	d.close("Tagging")
	rq.writeDocument(http.StatusOK, &d)
	return nil
}

func (rq *request) putTagging() error {
	body, err := rq.readDocument()
	if err != nil {
		return err
	}
	tags, err := parseTagging(body)
	if err != nil {
		return err
	}
	return rq.changeObject(func(o *store.Object) error {
		o.Tags = tags
		return nil
	})
}

func parseTagging(body []byte) (string, error) {
	root, err := parseDocument(body, "Tagging")
	if err != nil || len(root.children) != 1 || root.children[0].name != "TagSet" {
		return "", fail("MalformedXML")
	}
	var tags []tag
	for _, e := range root.children[0].children {
		key, ok := e.child("Key")
		value, _ := e.child("Value")
		if e.name != "Tag" || !ok {
			return "", fail("MalformedXML")
		}
		tags = append(tags, tag{key, value})
	}
	return encodeTags(tags)
}

func (rq *request) deleteTagging() error {
	if err := rq.changeObject(func(o *store.Object) error {
		o.Tags = ""
		return nil
	}); err != nil {
		return err
	}
	rq.w.WriteHeader(http.StatusNoContent)
	return nil
}

// putSymlink does not look at the target, which may be missing or a symlink
// itself: that is for a reader to find.
func (rq *request) putSymlink() error {
	v := rq.header("x-oss-symlink-target")
	target, err := url.PathUnescape(v)
	if err != nil || !validKey(target) {
		return failArgument("x-oss-symlink-target", v, "The symlink target is not valid.")
	}
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	o := &store.Object{
		Key: rq.key, Type: store.Symlink, ETag: fmt.Sprintf("%X", md5.Sum([]byte(target))), Target: target,
		Class: a.class, ACL: a.acl, Tags: a.tags, Headers: a.headers,
	}
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if err := rq.mayWrite(tx, a.forbid); err != nil {
			return err
		}
		return rq.addVersion(tx, o)
	})
	if err != nil {
		return err
	}
	rq.setVersion(o)
	rq.set("ETag", `"`+o.ETag+`"`)
	return nil
}

func (rq *request) getSymlink() error {
	o, err := rq.thisObject()
	if err != nil {
		return err
	}
	if o.Type != store.Symlink {
		return fail("NotSymlink").with("Key", rq.key)
	}
	rq.setObjectHeaders(&found{o, o})
	rq.set("ETag", `"`+o.ETag+`"`)
	rq.set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	rq.set("x-oss-symlink-target", sign.Escape(o.Target, false))
	rq.set("Content-Length", "0")
	return nil
}
