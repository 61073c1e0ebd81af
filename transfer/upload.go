package transfer

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// UploadOptions tunes one upload. The zero value is ready to use.
type UploadOptions struct {
	JobOptions

	// Headers are stored with the object. The file's modification time is
	// added as x-oss-meta-mtime where Headers.Meta has none.
	Headers oss.ObjectHeaders

	// Preserve is that of FileOptions. A stream has no permissions.
	Preserve bool

	// RemoveSource moves: the file is removed once the object is complete and
	// has its CRC-64, if it is still the file that was sent. UploadStream
	// refuses it.
	RemoveSource bool
}

// MetaModTime is the user metadata that keeps a file's modification time, in
// seconds since the epoch with nine decimals: the name and form that rclone
// uses, so that either tool understands the other's objects.
const MetaModTime = "mtime"

// Upload sends the file at path to the key dst.Path and returns once the
// object is complete and its CRC-64 equals that of the bytes read.
//
// Finished parts survive any error, ctx's included: the same call sends only
// the rest. The error matches ErrChanged if the file changed since it was
// opened, in which case nothing of it is visible under the key.
func (e *Engine) Upload(ctx context.Context, path string, dst Location, opts *UploadOptions) (*Report, error) {
	var o UploadOptions
	if opts != nil {
		o = *opts
	}
	if dst.Bucket == nil || dst.Path == "" {
		return nil, usagef("upload needs a bucket and a key as its destination")
	}
	open := openNamed
	if o.RemoveSource {
		open = openMoved
	}
	root, name, abs, err := open(path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s := spec{
		kind: "upload", source: abs, destination: o.location(dst), options: shape(o.Headers, dst),
		call: call{
			Method: "upload", Source: where{Path: abs}, Destination: place(dst), Headers: o.Headers, RemoveSource: o.RemoveSource,
			Files: FileOptions{Preserve: o.Preserve},
		}.text(o.JobOptions),
	}
	FileOptions{Preserve: o.Preserve}.shape(s.options)
	if o.RemoveSource {
		s = s.moved()
		if _, err := root.Stat(name); errors.Is(err, fs.ErrNotExist) && !e.begun(s) {
			return nil, err
		}
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
	u := &upload{
		target: target{job: j, operation: "upload", bucket: dst.Bucket, key: dst.Path, name: name},
		root:   root, stored: o.Headers, preserve: o.Preserve, keys: dst.Keys,
	}
	if o.RemoveSource {
		err = u.move(ctx)
	} else {
		err = u.single(ctx)
	}
	return j.end(ctx, err, false)
}

// openNamed opens the folder of the file that the user named, and says where
// it is. A link is followed: what it leads to is meant.
func openNamed(path string) (root *localfs.Root, name, abs string, err error) {
	if abs, err = filepath.EvalSymlinks(path); err != nil {
		return nil, "", "", err
	}
	if abs, err = filepath.Abs(abs); err != nil {
		return nil, "", "", err
	}
	dir, name := localfs.SplitRoot(abs)
	root, err = localfs.OpenRoot(dir)
	return root, name, abs, err
}

// upload is the task that sends one file. The target's name is the file's,
// below root.
type upload struct {
	target
	root     *localfs.Root
	stored   oss.ObjectHeaders
	planned  int64 // bytes that the totals have for it
	keys     crypto.Provider
	preserve bool // permissions and owner, too
	seal     *seal
	pinned   *entry // the file that is meant; nil is the one that is there

	file *os.File
	id   localfs.Identity
}

// single runs the upload as a job of its own.
func (u *upload) single(ctx context.Context) error {
	id, err := u.root.Stat(u.name)
	if err != nil {
		return err
	}
	u.id, u.planned = id, id.Size
	u.seen(true, u.planned)
	u.meter.totalsKnown.Store(true)
	u.meter.setPhase(PhaseTransferring)
	before, err := u.doneBefore(u.name, func(s checkpoint.Settled) (bool, error) {
		if s.Source != sourceIdentity(id) {
			return false, nil
		}
		return u.stands(ctx, s)
	})
	if before || err != nil {
		return err
	}
	if err := u.run(ctx); err != nil {
		u.blame(ctx, u.key, "upload", err)
		return err
	}
	return nil
}

// run sends the file and settles it. A file that has changed in between is sent
// anew, unless a plan means the one that it has seen.
func (u *upload) run(ctx context.Context) error {
	stored := u.stored
	defer func() {
		if u.tracker != nil {
			u.tracker.end()
		}
	}()
	for startsLeft := u.Engine.opts.Restarts; ; startsLeft-- {
		err := u.once(ctx)
		changed, isChanged := errors.AsType[*ChangedError](err)
		if !isChanged || changed.Destination || u.pinned != nil || startsLeft <= 0 || ctx.Err() != nil {
			return err
		}
		if _, gone := u.root.Stat(u.name); gone != nil {
			return err
		}
		u.log.Info("starting over", "key", u.key, "err", err)
		u.stored = stored
	}
}

// once sends the file as it is now, whole or in parts.
func (u *upload) once(ctx context.Context) error {
	var err error
	u.file, u.id, err = u.root.Open(u.name)
	if err != nil {
		return err
	}
	defer u.file.Close()
	if u.preserve {
		attributes, err := attributes(u.file, u.id.Mode)
		if err != nil {
			return err
		}
		u.stored = withAttributes(u.stored, attributes)
	}
	if u.pinned != nil {
		if what := sinceSeen(u.pinned.id, u.id); what != "" {
			return &ChangedError{Name: u.name, What: what}
		}
	}
	u.size, u.sealed = u.id.Size, u.keys != nil
	if u.tracker == nil {
		u.meter.bytesTotal.Add(u.size - u.planned)
		u.tracker = u.meter.track(u.key, u.size)
	} else {
		u.tracker.restart(u.size)
	}

	rec, found, err := u.journal.Object(u.name)
	if err != nil {
		return err
	}
	if u.size <= u.Engine.opts.MultipartThreshold {
		if found {
			if err := u.giveUp(ctx, rec); err != nil {
				return err
			}
		}
		return u.put(ctx)
	}
	localfs.NoticeMapped(u.file)
	partSize := u.Engine.opts.PartSize
	if u.sealed {
		partSize = (partSize + sealBlock - 1) / sealBlock * sealBlock
	}
	return u.multipart(ctx, u, partSize, rec, found)
}

// reallyEmpty refuses a file that has content though its size says none, as
// files of /proc have.
func (u *upload) reallyEmpty() error {
	if n, _ := u.file.ReadAt(make([]byte, 1), 0); n > 0 {
		return &fs.PathError{
			Op: "read", Path: filePath(u.root, u.name),
			Err: errors.New("has content but no size; send it as a stream"),
		}
	}
	return nil
}

// put sends a small file in one request.
func (u *upload) put(ctx context.Context) error {
	if u.size == 0 {
		if err := u.reallyEmpty(); err != nil {
			return err
		}
	}
	var err error
	if u.seal, err = newSeal(ctx, u.keys); err != nil {
		return err
	}
	if u.guard.strict {
		if err := u.undisturbed(ctx); err != nil {
			return err
		}
	}
	if err := u.guard.keep(ctx, u.name, u.content); err != nil {
		return err
	}
	headers := u.headers()
	headers.ForbidOverwrite = headers.ForbidOverwrite || u.guard.strict && u.fresh()
	var (
		etag      string
		crc       uint64
		confirmed bool // by a CRC-64 of the server's
	)
	q := &request{bucket: u.bucket, key: u.key, size: u.size, headers: headers}
	there := func(meta *oss.ObjectMeta) {
		if meta != nil {
			etag, crc, confirmed = meta.ETag, meta.CRC64, true
			u.tracker.add(u.size)
		}
	}
	err = u.do(ctx, "put", u.key, priorityObject, func(ctx context.Context, n int) error {
		if meta, err := u.made(ctx, q); meta != nil || err != nil {
			there(meta)
			return err
		}
		digest, err := contentMD5(u.bucket, u.seal.view(u.file), u.size)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = &ChangedError{Name: u.name, What: "it became shorter"}
		}
		if err != nil {
			return err
		}
		try := attempt{tracker: u.tracker}
		result, err := u.bucket.PutObject(ctx, u.key, u.section(0, u.size, &try), &oss.PutObjectOptions{
			ObjectHeaders: headers, ContentMD5: digest,
		})
		if err != nil {
			try.undo()
			q.open, q.crc = u.arrived(err)
			meta, err := u.met(ctx, q, n, err)
			there(meta)
			return err
		}
		etag, crc, confirmed = result.ETag, result.CRC64, result.HasCRC64
		return nil
	})
	if err != nil {
		return u.disturbed(err)
	}
	return u.settle(u.identity(), etag, crc, confirmed)
}

// content is what a put of the file leaves under the key.
func (u *upload) content() (checkpoint.Identity, error) {
	sum := md5.New()
	crc, err := hashRange(u.seal.view(u.file), 0, u.size, sum)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = &ChangedError{Name: u.name, What: "it became shorter"}
	}
	etag := strings.ToUpper(hex.EncodeToString(sum.Sum(nil)))
	return checkpoint.Identity{Size: u.size, ETag: etag, CRC64: crc, HasCRC64: true}, err
}

// arrived says whether a PutObject that failed with err may have been done, and
// the CRC-64 of its bytes.
func (u *upload) arrived(err error) (open bool, crc uint64) {
	open = undecided(err)
	if lost, ok := errors.AsType[*oss.TransportError](err); ok {
		return open && lost.Sent == u.size, lost.SentCRC64
	}
	if !open && !errors.Is(err, oss.ErrFileAlreadyExists) {
		return false, 0
	}
	crc, err = hashRange(u.seal.view(u.file), 0, u.size, nil)
	return open && err == nil, crc
}

// contentMD5 lets the server refuse a damaged body before it takes the place of
// a good object: the CRC-64 in its answer comes too late for that. TLS does as
// much and more, so over TLS it is "". Parts need none, for nobody sees them.
func contentMD5(bucket *oss.Bucket, body io.ReaderAt, size int64) (string, error) {
	if strings.HasPrefix(bucket.Client().Endpoint(), "https:") {
		return "", nil
	}
	sum := md5.New()
	if _, err := hashRange(body, 0, size, sum); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}

// send is one try of one part.
func (u *upload) send(ctx context.Context, uploadID string, number int, off, length int64) (oss.Part, error) {
	try := attempt{tracker: u.tracker}
	var o oss.UploadPartOptions
	if u.seal != nil {
		o.Header = u.seal.material.Header()
	}
	result, err := u.bucket.UploadPart(ctx, u.key, uploadID, number, u.section(off, length, &try), &o)
	if err != nil {
		try.undo()
		return oss.Part{}, err
	}
	return result.Part, nil
}

// prove hashes what the file has at a part's place now. A server that lists no
// CRC-64 has the MD5 in the ETag.
func (u *upload) prove(listed *oss.Part, off int64) (bool, error) {
	var sum hash.Hash
	if !listed.HasCRC64 {
		sum = md5.New()
	}
	crc, err := hashRange(u.seal.view(u.file), off, listed.Size, sum)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return false, &ChangedError{Name: u.name, What: "it became shorter"}
	case err != nil:
		return false, err
	case sum != nil:
		listed.CRC64, listed.HasCRC64 = crc, true
		return strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), listed.ETag), nil
	}
	return crc == listed.CRC64, nil
}

// ready refuses to make an object of a file that is no longer the one that was
// opened.
func (u *upload) ready(context.Context, uint64) error { return u.unchanged() }

func (u *upload) identity() checkpoint.Identity { return sourceIdentity(u.id) }

// unchanged says whether the file is still the one that was opened, and has its
// name.
func (u *upload) unchanged() error {
	now, err := localfs.Identify(u.file)
	if err != nil {
		return err
	}
	what := u.unlinked.difference(u.id, now)
	if what == "" {
		now, err = u.root.Stat(u.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			what = "it was deleted"
		case err != nil:
			return err
		default:
			what = u.unlinked.difference(u.id, now)
		}
	}
	if what != "" {
		return &ChangedError{Name: filePath(u.root, u.name), What: what}
	}
	return nil
}

// headers are those to store, with the file's time among them.
func (u *upload) headers() oss.ObjectHeaders {
	h := u.stored
	if _, set := h.Meta[MetaModTime]; !set {
		h.Meta = maps.Clone(h.Meta)
		if h.Meta == nil {
			h.Meta = map[string]string{}
		}
		h.Meta[MetaModTime] = formatModTime(u.id.ModTime)
	}
	return u.seal.envelope(h)
}

// begin makes a content key for a new upload.
func (u *upload) begin(ctx context.Context, partSize int64) (string, error) {
	var err error
	if u.seal, err = newSeal(ctx, u.keys); err != nil || u.seal == nil {
		return "", err
	}
	u.seal.material.DataSize, u.seal.material.PartSize = u.size, partSize
	text, err := u.seal.material.MarshalText()
	return string(text), err
}

// resume goes on with the content key of an earlier run.
func (u *upload) resume(ctx context.Context, material string) (err error) {
	if u.keys == nil {
		return nil
	}
	u.seal, err = reopenSeal(ctx, u.keys, material)
	return err
}

// section reads length bytes of the file from off, for one try of one piece.
// The last bytes are handed out only if the file is still the one that was
// opened, so that no mixture of two versions is ever sent whole.
func (u *upload) section(off, length int64, try *attempt) io.ReadSeeker {
	return &section{
		SectionReader: io.NewSectionReader(u.seal.view(u.file), off, length), left: length,
		check: u.unchanged, count: try.add, name: u.name,
	}
}

type section struct {
	*io.SectionReader
	left  int64
	name  string
	check func() error
	count func(int)
}

func (s *section) Read(p []byte) (int, error) {
	n, err := s.SectionReader.Read(p)
	s.left -= int64(n)
	if err == io.EOF && s.left > 0 {
		return 0, &ChangedError{Name: s.name, What: "it became shorter"}
	}
	if n > 0 && s.left == 0 {
		if err := s.check(); err != nil {
			return 0, err
		}
	}
	s.count(n)
	return n, err
}

// Seek is only used to learn the length; it keeps the count of what is left.
func (s *section) Seek(offset int64, whence int) (int64, error) {
	pos, err := s.SectionReader.Seek(offset, whence)
	s.left = s.Size() - pos
	return pos, err
}

// WriteTo would bypass Read; hiding it keeps the one way of the bytes.
func (s *section) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{s})
}

// sourceIdentity is a file's identity as the checkpoint keeps it.
func sourceIdentity(id localfs.Identity) checkpoint.Identity {
	return checkpoint.Identity{
		Size: id.Size, ModTime: id.ModTime, ChangeTime: id.ChangeTime, Device: id.Device, Inode: id.Inode,
	}
}

// difference names what makes b another file than a; "" if nothing.
func difference(a, b localfs.Identity) string {
	switch {
	case a.Size != b.Size:
		return fmt.Sprintf("size was %d, is %d bytes", a.Size, b.Size)
	case a.ModTime != b.ModTime:
		return "modification time differs"
	case a.Device != b.Device || a.Inode != b.Inode:
		return "it is another file now"
	case a.ChangeTime != b.ChangeTime:
		return "change time differs"
	}
	return ""
}
