package emulator

import (
	"crypto/md5"
	"fmt"
	"strconv"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

func (rq *request) appendObject() error {
	text, ok := rq.lookup("position")
	if !ok || text == "" {
		return fail("MissingArgument").with("ArgumentName", "position")
	}
	position, ok := parseOffset(text)
	if !ok {
		return failArgument("position", text, "Position must be a number that is not negative.")
	}
	if position > 0 {
		rq.r.Header.Del("x-oss-tagging") // as all of an object's headers, it counts only when it is made
	}
	a, err := rq.readAttributes()
	if err != nil {
		return err
	}
	check := func(tx *store.Tx) (*store.Object, error) { return rq.appendable(tx, position, a.forbid) }
	err = rq.s.store.View(func(tx *store.Tx) error { // spare the body; the transaction asks again
		_, err := check(tx)
		return err
	})
	if err != nil {
		return err
	}
	c, err := rq.receive(0)
	if err != nil {
		return err
	}
	var o *store.Object
	err = rq.s.store.Update(func(tx *store.Tx) error {
		if o, err = check(tx); err != nil {
			return err
		}
		fresh := o == nil
		if fresh {
			o = &store.Object{
				Key: rq.key, Type: store.Appendable, Class: a.class, ACL: a.acl, Tags: a.tags, Headers: a.headers,
			}
		} else if rq.header("x-oss-object-acl") != "" {
			o.ACL = a.acl
		}
		if o.Size+c.size > maxObject {
			return fail("EntityTooLarge").with("Key", rq.key)
		}
		o.CRC64 = combineCRC64(o.CRC64, c.crc, c.size)
		o.Size += c.size
		o.Segments = append(o.Segments, c.segments...)
		o.ETag = appendETag(o)
		return rq.putAppended(tx, o, fresh)
	})
	if err != nil {
		rq.s.store.Forget(c.segments)
		return err
	}
	rq.limit.announce(c.size)
	rq.setVersion(o)
	rq.setDigests(o.ETag, c.base64MD5(), o.CRC64)
	rq.set("x-oss-next-append-position", strconv.FormatInt(o.Size, 10))
	rq.echoEncryption(o.Headers)
	return nil
}

// appendable returns the object to append to, nil if there is none yet.
func (rq *request) appendable(tx *store.Tx, position int64, forbid bool) (*store.Object, error) {
	if err := rq.needVersioning(tx); err != nil {
		return nil, err
	}
	o, err := tx.Object(rq.bucket, rq.key)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	if o != nil {
		size = o.Size
	}
	refuse := func(code string) error {
		return fail(code).with("Key", rq.key).withHeader("x-oss-next-append-position", strconv.FormatInt(size, 10))
	}
	switch {
	case o != nil && o.Type != store.Appendable:
		return nil, refuse("ObjectNotAppendable")
	case forbid && o != nil && position == 0:
		return nil, fail("FileAlreadyExists").with("Key", rq.key)
	case o != nil && !o.Sealed.IsZero():
		return nil, refuse("ObjectIsSealed")
	case position != size:
		return nil, refuse("PositionNotEqualToLength")
	}
	return o, nil
}

// appendETag has the shape of the service's: 24 digits that change with the
// content, and 8 zeros. It is no MD5 of the content.
func appendETag(o *store.Object) string {
	sum := md5.Sum(fmt.Appendf(nil, "%d %d", o.Size, o.CRC64))
	return fmt.Sprintf("%X00000000", sum[:12])
}

// putAppended stores an appendable object. A first append makes a version as a
// put does; what is appended to it later makes no new one.
func (rq *request) putAppended(tx *store.Tx, o *store.Object, fresh bool) error {
	if fresh {
		return rq.addVersion(tx, o)
	}
	o.Modified = rq.s.opts.Now()
	return tx.PutObject(rq.bucket, o)
}
