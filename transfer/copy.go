package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/oss"
)

// CopyOptions tunes one Copy. The zero value is ready to use: the copy has the
// content, the metadata and the tags of its source.
type CopyOptions struct {
	JobOptions

	// VersionID names a version of the source; "" is the current one.
	VersionID string

	// Headers are the copy's own. One of Content-*, Cache-Control, Expires or
	// Meta takes the place of all the source's metadata; Tagging that of its
	// tags. ACL, StorageClass and encryption are never the source's.
	Headers oss.ObjectHeaders

	// KeepACL gives the copy the ACL of its source, at the cost of a request
	// for each object.
	KeepACL bool

	// Relay moves the bytes through this machine even where the service could
	// copy them itself. Between two services it is the only way.
	Relay bool

	// RemoveSource moves: the source is removed once the copy is proven, if it
	// is still the object that was copied. It goes with no VersionID.
	RemoveSource bool

	keepClass bool // the copy has the storage class of its source
}

// copyFactor is how much larger a part is that the service copies itself: no
// byte of it passes here, and none is lost when it is broken off.
const copyFactor = 8

// Copy copies the object src.Path to dst.Path and returns once the copy is
// complete and equal to its source: by the CRC-64 of both, or, for an object
// that was copied in one request, by an ETag that is the MD5 of its content.
//
// The service copies it, in parts where it is large, if both clients have the
// same endpoint; else its bytes go through this machine's memory, not its disk,
// and so do those of the object that a link leads to: the copy is no link.
// Finished parts survive any error, ctx's included. The error matches
// ErrChanged if the source was overwritten again and again meanwhile.
func (e *Engine) Copy(ctx context.Context, src, dst Location, opts *CopyOptions) (*Report, error) {
	var o CopyOptions
	if opts != nil {
		o = *opts
	}
	if src.Bucket == nil || src.Path == "" || dst.Bucket == nil || dst.Path == "" {
		return nil, usagef("copy needs a bucket and a key on both sides")
	}
	if src.Keys != nil || dst.Keys != nil {
		return nil, usagef("a copy keeps the encryption of its source and takes no keys")
	}
	if sameService(src.Bucket, dst.Bucket) && src.Bucket.Name() == dst.Bucket.Name() && src.Path == dst.Path && !replacesMeta(o.Headers) && o.VersionID == "" {
		return nil, usagef("%s would be copied onto itself", src)
	}
	if o.RemoveSource {
		if err := checkMove(src, dst, false); err != nil {
			return nil, err
		}
		if o.VersionID != "" {
			return nil, usagef("an old version cannot be moved")
		}
	}
	options := shape(o.Headers, dst)
	options["object"] = "single" // not the tree below a key that ends in a slash
	options["version"] = o.VersionID
	s := spec{
		kind: "copy", source: o.location(src), destination: o.location(dst), options: options,
		call: call{
			Method: "copy", Source: place(src), Destination: place(dst), Headers: o.Headers,
			VersionID: o.VersionID, KeepACL: o.KeepACL, Relay: o.Relay, RemoveSource: o.RemoveSource,
		}.text(o.JobOptions),
	}
	if o.RemoveSource {
		s = s.moved()
	}
	j, err := e.begin(ctx, s, o.JobOptions)
	if err != nil {
		return nil, err
	}
	if o.NoResume {
		if err := j.dropAll(ctx, leftovers{bucket: dst.Bucket, keyOf: func(string) string { return dst.Path }}); err != nil {
			return j.end(ctx, err, false)
		}
	}
	c := &objectCopy{
		target: target{job: j, operation: "copy", bucket: dst.Bucket, key: dst.Path, name: dst.Path},
		from:   src, options: o,
	}
	if o.RemoveSource {
		return j.end(ctx, c.move(ctx), false)
	}
	return j.end(ctx, c.alone(ctx), false)
}

// copying is what of a Sync's options concerns each object.
func (o SyncOptions) copying() CopyOptions {
	return CopyOptions{Headers: o.Headers, KeepACL: o.KeepACL, Relay: o.Relay}
}

// sameService says whether one client's service can read what the other's has.
func sameService(a, b *oss.Bucket) bool { return a.Client().Endpoint() == b.Client().Endpoint() }

// objectCopy is the task that copies one object.
type objectCopy struct {
	target
	from    Location
	options CopyOptions
	pinned  *entry // the source that is meant; nil is the one that is there

	// What is known of the source: from a listing, and from head if pinned.
	etag   string
	meta   *oss.ObjectMeta // nil until head
	link   bool            // as head has found: the service would copy it, not what it leads to
	stored oss.ObjectHeaders
}

// alone runs the copy as a job of its own.
func (c *objectCopy) alone(ctx context.Context) error {
	c.meter.setPhase(PhaseTransferring)
	err := c.head(ctx)
	c.seen(true, c.size)
	c.meter.totalsKnown.Store(true)
	var before bool
	if err == nil {
		before, err = c.doneBefore(c.name, func(s checkpoint.Settled) (bool, error) {
			if s.Source.Size != c.size || s.Source.ETag != c.etag {
				return false, nil
			}
			return c.stands(ctx, s)
		})
	}
	if err == nil && !before {
		err = c.run(ctx)
	}
	c.blame(ctx, c.key, "copy", err)
	return err
}

// relayed says whether the bytes must pass here.
func (c *objectCopy) relayed() bool {
	return c.options.Relay || c.link || !sameService(c.from.Bucket, c.bucket)
}

// head pins the source: its size, ETag, CRC-64, version and metadata.
func (c *objectCopy) head(ctx context.Context) error {
	return c.do(ctx, "head", c.from.Path, priorityObject, func(ctx context.Context, _ int) error {
		meta, err := c.from.Bucket.HeadObject(ctx, c.from.Path, &oss.HeadObjectOptions{VersionID: c.options.VersionID})
		if err != nil {
			return err
		}
		if c.pinned != nil && meta.ETag != c.pinned.etag {
			return &ChangedError{Name: c.from.Path, What: "the object was overwritten"}
		}
		if c.aside && meta.Type == typeLink {
			return errLinkKept
		}
		if c.tracker != nil && meta.Size != c.size {
			c.tracker.restart(meta.Size)
		}
		c.meta, c.size, c.etag, c.link = meta, meta.Size, meta.ETag, meta.Type == typeLink
		return nil
	})
}

// run copies the object and settles it. A source that was overwritten in
// between is copied anew.
func (c *objectCopy) run(ctx context.Context) error {
	c.tracker = c.meter.track(c.key, c.size)
	defer c.tracker.end()
	for startsLeft := c.Engine.opts.Restarts; ; startsLeft-- {
		err := c.once(ctx)
		if gone(err) && ctx.Err() == nil {
			return changedObject(c.from.Path, err)
		}
		if oss.Classify(err) != oss.ClassIdentity && !errors.Is(err, ErrChanged) || ctx.Err() != nil {
			return err
		}
		if changed, ok := errors.AsType[*ChangedError](err); ok && changed.Destination {
			return err
		}
		if startsLeft <= 0 {
			return errors.Join(err, &ChangedError{Name: c.from.Path, What: "the object was overwritten"})
		}
		c.log.Info("starting over", "key", c.key, "err", err)
		if err := c.head(ctx); gone(err) {
			return changedObject(c.from.Path, err)
		} else if err != nil {
			return err
		}
		c.tracker.restart(c.size)
	}
}

func (c *objectCopy) once(ctx context.Context) error {
	rec, found, err := c.journal.Object(c.name)
	if err != nil {
		return err
	}
	threshold, partSize := c.Engine.opts.MultipartThreshold, c.Engine.opts.PartSize
	if !c.relayed() {
		partSize = min(partSize*copyFactor, maxPartSize)
		threshold = max(threshold, partSize)
	}
	if c.size > threshold {
		if err := c.prepare(ctx); err != nil {
			return err
		}
		return c.multipart(ctx, c, partSize, rec, found)
	}
	if found {
		if err := c.giveUp(ctx, rec); err != nil {
			return err
		}
	}
	if c.relayed() || c.options.KeepACL || c.options.keepClass {
		if err := c.prepare(ctx); err != nil {
			return err
		}
	}
	if c.guard.strict {
		if err := c.undisturbed(ctx); err != nil {
			return err
		}
	}
	err = c.guard.keep(ctx, c.name, func() (id checkpoint.Identity, err error) {
		if c.meta == nil {
			err = c.head(ctx) // a copy's ETag may be another than its source's
		}
		return c.identity(), err
	})
	if err != nil {
		return err
	}
	if c.relayed() {
		return c.disturbed(c.relayWhole(ctx))
	}
	return c.disturbed(c.copyWhole(ctx))
}

// copyWhole lets the service copy the object in one request.
func (c *objectCopy) copyWhole(ctx context.Context) error {
	o := &oss.CopyObjectOptions{ObjectHeaders: c.options.Headers, IfMatch: c.etag, SourceVersionID: c.options.VersionID}
	if replacesMeta(c.options.Headers) {
		o.MetadataDirective = "REPLACE"
	}
	if c.options.Headers.Tagging != "" {
		o.TaggingDirective = "Replace"
	}
	o.ACL, o.StorageClass = cmp.Or(o.ACL, c.stored.ACL), cmp.Or(o.StorageClass, c.stored.StorageClass)
	o.ForbidOverwrite = o.ForbidOverwrite || c.guard.strict && c.fresh()
	var result *oss.CopyObjectResult
	there := func(meta *oss.ObjectMeta) {
		if meta != nil {
			result = &oss.CopyObjectResult{ETag: meta.ETag, CRC64: meta.CRC64, HasCRC64: true, VersionID: meta.VersionID}
		}
	}
	q := &request{bucket: c.bucket, key: c.key}
	err := c.do(ctx, "copy", c.key, priorityObject, func(ctx context.Context, n int) error {
		if q.open {
			if err := c.expect(ctx, q); err != nil {
				return err
			}
		}
		if meta, err := c.made(ctx, q); meta != nil || err != nil {
			there(meta)
			return err
		}
		var err error
		result, err = c.bucket.CopyObject(ctx, c.from.Bucket.Name(), c.from.Path, c.key, o)
		q.open = undecided(err)
		if n == 1 || !errors.Is(err, oss.ErrFileAlreadyExists) {
			return err
		}
		if err := c.expect(ctx, q); err != nil {
			return err
		}
		meta, err := c.met(ctx, q, n, err)
		there(meta)
		return err
	})
	if err != nil {
		return err
	}
	confirmed, err := c.verify(ctx, result)
	if err != nil {
		return err
	}
	c.tracker.add(c.size)
	return c.settle(c.identity(), result.ETag, result.CRC64, confirmed)
}

// expect has q know what a copy in one request makes: the source's bytes, with
// the headers they should have. A source that has no CRC-64, or is another one
// now, leaves that open.
func (c *objectCopy) expect(ctx context.Context, q *request) error {
	source := c.meta
	if source == nil {
		var err error
		source, err = c.from.Bucket.HeadObject(ctx, c.from.Path, &oss.HeadObjectOptions{VersionID: c.options.VersionID})
		if err != nil {
			return err
		}
	}
	q.headers, q.size, q.crc = inherit(c.options.Headers, source), source.Size, source.CRC64
	q.headers.ACL = cmp.Or(q.headers.ACL, c.stored.ACL)
	if !source.HasCRC64 || source.ETag != c.etag {
		q.open, q.size = false, -1
	}
	return nil
}

// verify compares a copy with its source. The ETag of an object that was put
// whole is the MD5 of its content, so equal ones are proof enough and save a
// request.
func (c *objectCopy) verify(ctx context.Context, result *oss.CopyObjectResult) (confirmed bool, err error) {
	if len(c.etag) == md5HexSize && c.etag == result.ETag {
		return true, nil
	}
	if c.meta == nil {
		if err := c.head(ctx); err != nil {
			return false, err
		}
	}
	if !c.meta.HasCRC64 || !result.HasCRC64 {
		return false, nil
	}
	if c.meta.CRC64 != result.CRC64 {
		// Before the copy is called damaged the source is asked again.
		if err := c.head(ctx); err != nil {
			return false, err
		}
	}
	if c.meta.CRC64 != result.CRC64 {
		return false, &CorruptError{Name: c.key, Expected: c.meta.CRC64, Have: result.CRC64}
	}
	return true, nil
}

const md5HexSize = 32

// relayWhole reads the object and writes it, in one go.
func (c *objectCopy) relayWhole(ctx context.Context) error {
	headers := c.stored
	headers.ForbidOverwrite = headers.ForbidOverwrite || c.guard.strict && c.fresh()
	var result *oss.PutObjectResult
	there := func(meta *oss.ObjectMeta) {
		if meta != nil {
			result = &oss.PutObjectResult{ETag: meta.ETag, CRC64: meta.CRC64, HasCRC64: true}
			c.tracker.add(c.size)
		}
	}
	q := &request{bucket: c.bucket, key: c.key, size: c.size, headers: headers}
	err := c.do(ctx, "copy", c.key, priorityObject, func(ctx context.Context, n int) error {
		if meta, err := c.made(ctx, q); meta != nil || err != nil {
			there(meta)
			return err
		}
		err := c.read(ctx, oss.Range{}, c.size, func(body io.Reader) (err error) {
			result, err = c.bucket.PutObject(ctx, c.key, body, &oss.PutObjectOptions{ObjectHeaders: headers})
			return err
		})
		q.open, q.crc = undecided(err) && c.meta.HasCRC64, c.meta.CRC64
		if lost, ok := errors.AsType[*oss.TransportError](err); ok {
			q.open, q.crc = undecided(err) && lost.Sent == c.size, lost.SentCRC64
		}
		meta, err := c.met(ctx, q, n, err)
		there(meta)
		return err
	})
	if err != nil {
		return err
	}
	c.unconfirmed(c.meta.HasCRC64)
	return c.settle(c.identity(), result.ETag, result.CRC64, result.HasCRC64)
}

// read is one try of reading size bytes of the source and handing them on.
func (c *objectCopy) read(ctx context.Context, rng oss.Range, size int64, send func(io.Reader) error) error {
	try := attempt{tracker: c.tracker}
	result, err := c.from.Bucket.GetObject(ctx, c.from.Path, &oss.GetObjectOptions{Range: rng, IfMatch: c.etag, VersionID: c.options.VersionID})
	if err != nil {
		return err
	}
	defer result.Body.Close()
	if result.Length != size {
		return &ChangedError{Name: c.from.Path, What: fmt.Sprintf("size was %d, is %d bytes", size, result.Length)}
	}
	if err := send(&relayBody{body: result.Body, left: size, count: try.add}); err != nil {
		try.undo()
		return err
	}
	return nil
}

// relayBody passes a body on, and its last byte only once the body has ended as
// it should: what was damaged on its way here is never sent whole.
type relayBody struct {
	body  io.Reader
	left  int64
	count func(int)
}

// Len makes the length of the request known.
func (r *relayBody) Len() int { return int(r.left) }

func (r *relayBody) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.left == 0 && err == nil {
		_, err = r.body.Read(make([]byte, 1)) // the body compares its CRC-64 at its end
	}
	switch {
	case err == io.EOF && r.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF:
		err = nil
	}
	if err != nil {
		return 0, err
	}
	r.count(n)
	return n, nil
}

// send is one try of one part.
func (c *objectCopy) send(ctx context.Context, uploadID string, number int, off, length int64) (part oss.Part, err error) {
	rng := oss.RangeBetween(off, off+length-1)
	if c.relayed() {
		err = c.read(ctx, rng, length, func(body io.Reader) error {
			result, err := c.bucket.UploadPart(ctx, c.key, uploadID, number, body, nil)
			if err == nil {
				part = result.Part
			}
			return err
		})
		return part, err
	}
	result, err := c.bucket.UploadPartCopy(ctx, c.from.Bucket.Name(), c.from.Path, rng, c.key, uploadID, number,
		&oss.UploadPartCopyOptions{IfMatch: c.etag, SourceVersionID: c.options.VersionID})
	if err != nil {
		return part, err
	}
	c.tracker.add(length)
	return result.Part, nil
}

// prove takes what the server lists for a part for the source's bytes: the
// upload is of this ETag, and whether all parts together are the source is
// known by CRC-64 before they become an object. A source without one proves
// nothing.
func (c *objectCopy) prove(listed *oss.Part, _ int64) (bool, error) {
	return listed.HasCRC64 && c.meta.HasCRC64, nil
}

// ready compares the parts with the source before they replace anything. The
// source is asked about once more before it is said to be damaged.
func (c *objectCopy) ready(ctx context.Context, whole uint64) error {
	c.unconfirmed(c.meta.HasCRC64)
	if c.meta.HasCRC64 && whole != c.meta.CRC64 {
		etag := c.etag
		if err := c.head(ctx); err != nil {
			return err
		}
		if c.etag != etag {
			return &ChangedError{Name: c.from.Path, What: "the object was overwritten"}
		}
	}
	if c.meta.HasCRC64 && whole != c.meta.CRC64 {
		return &CorruptError{Name: c.key, Expected: c.meta.CRC64, Have: whole}
	}
	return nil
}

// identity pins the source in the checkpoint.
func (c *objectCopy) identity() checkpoint.Identity {
	id := checkpoint.Identity{Size: c.size, ETag: c.etag, VersionID: c.options.VersionID}
	if c.meta != nil {
		id.CRC64, id.HasCRC64 = c.meta.CRC64, c.meta.HasCRC64
	}
	return id
}

// begin and resume have nothing to do: a copy keeps the encryption of its source.
func (c *objectCopy) begin(context.Context, int64) (string, error) { return "", nil }
func (c *objectCopy) resume(context.Context, string) error         { return nil }

func (c *objectCopy) headers() oss.ObjectHeaders { return c.stored }

// prepare works out what is stored with a copy that the service does not make
// of its own: the source's metadata, tags and ACL, where none were asked for.
func (c *objectCopy) prepare(ctx context.Context) error {
	if c.meta == nil {
		if err := c.head(ctx); err != nil {
			return err
		}
	}
	h := inherit(c.options.Headers, c.meta)
	version := &oss.VersionOptions{VersionID: c.options.VersionID}
	if n, _ := strconv.Atoi(c.meta.Header.Get("X-Oss-Tagging-Count")); n > 0 && h.Tagging == "" {
		err := c.do(ctx, "tags", c.from.Path, priorityObject, func(ctx context.Context, _ int) error {
			tags, err := c.from.Bucket.GetObjectTagging(ctx, c.from.Path, version)
			h.Tagging = encodeTags(tags)
			return err
		})
		if err != nil {
			return err
		}
	}
	if c.options.KeepACL && h.ACL == "" {
		err := c.do(ctx, "acl", c.from.Path, priorityObject, func(ctx context.Context, _ int) error {
			acl, err := c.from.Bucket.GetObjectACL(ctx, c.from.Path, version)
			h.ACL = acl
			return err
		})
		if c.aside && errors.Is(err, oss.ErrAccessDenied) {
			c.noACL.Do(func() {
				c.warn("the ACLs of objects may not be asked for: what is kept of them, and what an undo puts back, has that of its bucket")
			})
		} else if err != nil {
			return err
		}
	}
	if c.options.keepClass && h.StorageClass == "" {
		h.StorageClass = c.meta.StorageClass
	}
	c.stored = h
	return nil
}

// inherit is h with the metadata of a source, unless it takes its place.
func inherit(h oss.ObjectHeaders, source *oss.ObjectMeta) oss.ObjectHeaders {
	if replacesMeta(h) {
		return h
	}
	get := source.Header.Get
	h.ContentType, h.Meta = source.ContentType, source.Meta
	h.CacheControl, h.Expires = get("Cache-Control"), get("Expires")
	h.ContentDisposition, h.ContentEncoding, h.ContentLanguage = get("Content-Disposition"), get("Content-Encoding"), get("Content-Language")
	return h
}

// encodeTags is tags as the x-oss-tagging header has them.
func encodeTags(tags []oss.Tag) string {
	pairs := make([]string, len(tags))
	for i, t := range tags {
		pairs[i] = url.QueryEscape(t.Key) + "=" + url.QueryEscape(t.Value)
	}
	return strings.Join(pairs, "&")
}

// replacesMeta says whether h takes the place of a source's metadata.
func replacesMeta(h oss.ObjectHeaders) bool {
	return len(h.Meta) > 0 || h.ContentType != "" || h.CacheControl != "" || h.ContentDisposition != "" ||
		h.ContentEncoding != "" || h.ContentLanguage != "" || h.Expires != ""
}
