package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/localfs"
	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// DownloadOptions tunes one download. The zero value is ready to use.
type DownloadOptions struct {
	JobOptions

	// VersionID names a version of the object; "" is the current one.
	VersionID string

	// Range limits DownloadTo to a part of the object, whose bytes can then
	// be checked against their length only. Download refuses it.
	Range oss.Range

	// RemoveSource moves: the object is removed once the file is durable and
	// has its CRC-64, if it is still the object that was fetched. It goes with
	// no VersionID, and only Download takes it.
	RemoveSource bool

	// Preserve and Sparse are those of FileOptions, for a file.
	Preserve, Sparse bool
}

// Download brings the object src.Path into the file at path and returns once
// the file has its name, its bytes are on disk and their CRC-64 equals the
// server's.
//
// Until then nothing is visible at path but what was there before. Ranges that
// have arrived survive any error, ctx's included: the same call fetches only
// the rest.
func (e *Engine) Download(ctx context.Context, src Location, path string, opts *DownloadOptions) (*Report, error) {
	var o DownloadOptions
	if opts != nil {
		o = *opts
	}
	if src.Bucket == nil || src.Path == "" {
		return nil, usagef("download needs a bucket and a key as its source")
	}
	if o.Range != (oss.Range{}) {
		return nil, usagef("a range cannot be downloaded into a file; write it to a stream")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, usagef("download to %s: %v", printable(path), err)
	}
	dir, name := localfs.SplitRoot(abs)
	if err := localfs.CheckKey(name); err != nil {
		return nil, usagef("download to %s: %v", printable(path), err)
	}
	s := spec{
		kind: "download", source: o.location(src), destination: abs, claim: abs,
		options: downloadShape(src, o.VersionID),
		call: call{
			Method: "download", Source: place(src), Destination: where{Path: abs}, VersionID: o.VersionID, RemoveSource: o.RemoveSource,
			Files: FileOptions{Preserve: o.Preserve, Sparse: o.Sparse},
		}.text(o.JobOptions),
	}
	FileOptions{Preserve: o.Preserve}.shape(s.options)
	if o.RemoveSource {
		if s = s.moved(); o.VersionID != "" {
			return nil, usagef("an old version cannot be moved")
		}
	}
	j, err := e.begin(ctx, s, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.seen(true, 0)
	j.meter.setPhase(PhaseTransferring)
	if o.RemoveSource {
		err = j.moveDown(ctx, src, dir, name, o)
	} else {
		_, err = j.downloadOne(ctx, src, dir, name, o)
		j.blame(ctx, src.Path, "download", err)
	}
	return j.end(ctx, err, false)
}

// downloadShape is the shape of a download.
func downloadShape(src Location, versionID string) map[string]string {
	m := shape(oss.ObjectHeaders{}, src)
	m["version"] = versionID
	return m
}

// downloadOne is the one object of Download.
func (j *job) downloadOne(ctx context.Context, src Location, dir, name string, o DownloadOptions) (*download, error) {
	d := &download{job: j, bucket: src.Bucket, key: src.Path, name: name, versionID: o.VersionID, keys: src.Keys, preserve: o.Preserve, sparse: o.Sparse}
	if err := d.head(ctx); err != nil { // before anything is made here
		return nil, err
	}
	root, err := localfs.CreateRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	j.watchFiles(root)
	if id, err := root.Stat(name); err == nil && !id.Mode.IsRegular() && id.Mode&fs.ModeSymlink == 0 {
		return nil, &fs.PathError{Op: "replace", Path: filepath.Join(dir, name), Err: localfs.ErrNotRegular}
	}
	if o.NoResume {
		if err := j.dropAll(ctx, leftovers{root: root, keyOf: func(string) string { return src.Path }}); err != nil {
			return nil, err
		}
	}
	j.meter.bytesTotal.Add(d.size)
	j.meter.totalsKnown.Store(true)
	before, err := j.doneBefore(name, func(s checkpoint.Settled) (bool, error) {
		id, err := root.Stat(name)
		return err == nil && s.Dest == sourceIdentity(id) && s.Source.Size == d.size && s.Source.ETag == d.etag, nil
	})
	if err != nil {
		return nil, err
	}
	if before {
		j.fetchedBefore(d.key, d.size)
		return d, nil
	}
	p := startPublisher(j, root)
	defer p.stop()
	d.root, d.publisher = root, p
	return d, d.run(ctx)
}

// fetchedBefore counts an object that an earlier run has fetched.
func (j *job) fetchedBefore(key string, size int64) {
	j.meter.bytesDone.Add(size)
	j.meter.bytesResumed.Add(size)
	j.done("download", key, reasonBefore, size)
}

// download is the task that fetches one object.
type download struct {
	*job
	bucket    *oss.Bucket
	key       string
	root      *localfs.Root
	name      string // of the file below root, and of its record in the checkpoint
	publisher *publisher
	versionID string
	keys      crypto.Provider
	seal      *seal
	guard     guard
	preserve  bool
	sparse    bool
	pinned    *entry // the object that is meant; nil is the one that is there

	// What is known of the object: from a listing, and from head if pinned.
	size    int64
	etag    string
	modTime time.Time
	meta    *oss.ObjectMeta // nil until head

	uploaded time.Time // the object whose bytes came
	tracker  *tracker
	unproven bool // it could only be checked by its length
}

// unconfirmed is the job's, and remembers of which object it was said.
func (d *download) unconfirmed(has bool) {
	d.unproven = d.unproven || !has
	d.job.unconfirmed(has)
}

// head pins the object: its size, ETag, CRC-64 and version.
func (d *download) head(ctx context.Context) error {
	return d.do(ctx, "head", d.key, priorityObject, func(ctx context.Context, _ int) error {
		meta, err := d.bucket.HeadObject(ctx, d.key, &oss.HeadObjectOptions{VersionID: d.versionID})
		if err != nil {
			return err
		}
		if d.pinned != nil && meta.ETag != d.pinned.etag {
			return &ChangedError{Name: d.key, What: "the object was overwritten"}
		}
		d.meta, d.size, d.etag, d.modTime = meta, meta.Size, meta.ETag, meta.LastModified
		d.seal, err = openSeal(ctx, d.keys, meta)
		return err
	})
}

// run fetches the object, whole or in ranges, publishes and settles it. An
// object that was overwritten in between is fetched anew.
func (d *download) run(ctx context.Context) error {
	if strings.HasSuffix(d.key, "/") && d.size == 0 {
		return d.folder()
	}
	if err := d.root.Check(d.name); err != nil {
		return err
	}
	d.tracker = d.meter.track(d.key, d.size)
	defer d.tracker.end()
	for startsLeft := d.Engine.opts.Restarts; ; startsLeft-- {
		err := d.once(ctx)
		changed := oss.Classify(err) == oss.ClassIdentity || gone(err)
		if err == nil || !(changed || errors.Is(err, ErrCorrupt)) || ctx.Err() != nil {
			return err
		}
		if startsLeft <= 0 || gone(err) {
			if changed {
				err = changedObject(d.key, err)
			}
			return errors.Join(err, d.drop(ctx)) // nothing of it is worth going on with
		}
		d.log.Info("starting over", "key", d.key, "err", err)
		if err := d.restart(ctx); gone(err) {
			return changedObject(d.key, err)
		} else if err != nil {
			return err
		}
	}
}

// gone says that an object that was seen is not there any more.
func gone(err error) bool {
	return errors.Is(err, oss.ErrNotFound) && !errors.Is(err, oss.ErrNoSuchBucket) && !errors.Is(err, oss.ErrNoSuchUpload)
}

// changedObject says what became of an object that is not the one that was
// seen.
func changedObject(key string, err error) error {
	what := "the object was overwritten"
	if gone(err) {
		what = "the object was deleted"
	}
	return fmt.Errorf("%w: %w", &ChangedError{Name: key, What: what}, err)
}

// restart drops what was fetched and looks at the object again.
func (d *download) restart(ctx context.Context) error {
	if err := d.drop(ctx); err != nil {
		return err
	}
	if err := d.head(ctx); err != nil {
		return err
	}
	d.tracker.restart(d.size)
	return nil
}

// drop removes the temporary file and the record of the object.
func (d *download) drop(ctx context.Context) error {
	if err := d.root.RemoveTemp(d.name, d.tempName(d.name)); err != nil {
		return err
	}
	return d.journal.Forget(context.WithoutCancel(ctx), d.name)
}

// folder stands for a key that ends in "/": consoles make such empty objects
// to show a folder.
func (d *download) folder() error {
	if err := d.root.MkdirAll(d.name); err != nil {
		return err
	}
	d.job.done("download", d.key, "folder", 0)
	return nil
}

func (d *download) once(ctx context.Context) error {
	rec, found, err := d.journal.Object(d.name)
	if err != nil {
		return err
	}
	if d.size > d.Engine.opts.MultipartThreshold {
		return d.ranged(ctx, rec, found)
	}
	if found {
		if err := d.drop(ctx); err != nil {
			return err
		}
	}
	return d.whole(ctx)
}

// whole fetches a small object in one request. Up to one buffer of it is
// proven in memory before there is a file at all, and synced together with
// its neighbours.
func (d *download) whole(ctx context.Context) error {
	var (
		result *oss.GetObjectResult
		temp   *localfs.Temp
	)
	err := d.do(ctx, "get", d.key, priorityObject, func(ctx context.Context, _ int) (err error) {
		try := attempt{tracker: d.tracker}
		result, err = d.bucket.GetObject(ctx, d.key, &oss.GetObjectOptions{IfMatch: d.etag, VersionID: d.versionID})
		if err != nil {
			return err
		}
		defer result.Body.Close()
		if d.seal, err = openSeal(ctx, d.keys, &result.ObjectMeta); err != nil {
			return err
		}
		if temp, err = d.wholeBody(result, &try); err != nil {
			try.undo()
		}
		return err
	})
	if err != nil {
		return err
	}
	d.unconfirmed(result.HasCRC64)
	return d.publish(ctx, result.CRC64(), temp)
}

// wholeBody writes a body of unproven bytes to the temporary file. It is
// not sealed where the publisher is to sync it with its neighbours. The body's
// own error at its end is the proof: package oss compares the CRC-64 before it
// says io.EOF.
func (d *download) wholeBody(result *oss.GetObjectResult, try *attempt) (_ *localfs.Temp, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	n, err := fill(result.Body, buf[:])
	if err != nil && err != io.EOF {
		return nil, err
	}
	proven := err == io.EOF
	temp, err := d.createTemp(0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			temp.Close()
			d.discardTemp()
		}
	}()
	var off int64
	for {
		d.seal.apply(buf[:n], off)
		if _, err := temp.WriteAt(buf[:n], off); err != nil {
			return nil, err
		}
		off += int64(n)
		try.add(n)
		if proven {
			break
		}
		n, err = fill(result.Body, buf[:])
		if err != nil && err != io.EOF {
			return nil, err
		}
		proven = err == io.EOF
	}
	if off != d.size {
		return nil, &ChangedError{Name: d.key, What: fmt.Sprintf("size was %d, is %d bytes", d.size, off)}
	}
	d.uploaded, d.modTime = cmp.Or(result.LastModified, d.modTime), fileTime(&result.ObjectMeta, d.modTime)
	mode, err := d.restore(temp, result.Meta)
	if err != nil {
		return nil, err
	}
	if off > bufferSize {
		return temp, temp.Finish(off, d.modTime, mode)
	}
	return temp, temp.Complete(off, d.modTime, mode)
}

// createTemp makes the temporary file, in place of one that a killed run left.
// That of a file with holes reserves no space, which they would take.
func (d *download) createTemp(size int64) (*localfs.Temp, error) {
	tempName := d.tempName(d.name)
	if d.sparse {
		size = 0
	}
	temp, err := d.root.CreateTemp(d.name, tempName, size)
	if errors.Is(err, fs.ErrExist) {
		if err := d.root.RemoveTemp(d.name, tempName); err != nil {
			return nil, err
		}
		temp, err = d.root.CreateTemp(d.name, tempName, size)
	}
	if err != nil {
		return nil, err
	}
	return temp, d.keepHoles(temp)
}

// keepHoles prepares a temporary file, and closes it if that fails.
func (d *download) keepHoles(temp *localfs.Temp) error {
	if !d.sparse {
		return nil
	}
	err := temp.KeepHoles(d.size)
	if err != nil {
		err = errors.Join(err, temp.Close())
	}
	return err
}

// discardTemp removes the temporary file of a try that failed. If it cannot,
// the next try does, or the next run.
func (d *download) discardTemp() {
	if err := d.root.RemoveTemp(d.name, d.tempName(d.name)); err != nil {
		d.log.Warn("temporary file not removed", "key", d.key, "err", err)
	}
}

// fill reads until buf is full or the body ends; io.EOF comes with the last
// bytes.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var k int
		k, err = r.Read(buf[n:])
		n += k
	}
	return n, err
}

// fileMode is the mode of a downloaded file: what the umask leaves of 0666. A
// mode in the object's metadata is not applied: whoever may write to a bucket
// must not make programs here.
const fileMode = localfs.DefaultMode

// publish gives the finished temporary file its name and settles the object.
func (d *download) publish(ctx context.Context, crc uint64, temp *localfs.Temp) error {
	err := d.guard.keepFile(ctx, d.root, d.name, func() (checkpoint.Identity, error) {
		temp, err := d.root.StatTemp(d.name, d.tempName(d.name))
		id := sourceIdentity(temp)
		if d.keys == nil {
			id.CRC64, id.HasCRC64 = crc, true
		}
		return id, err
	})
	if err != nil {
		if !temp.Sealed() {
			err = errors.Join(err, temp.Close())
		}
		return err
	}
	err = d.publisher.publish(ctx, finished{
		name: d.name, temp: d.tempName(d.name), file: temp, guard: d.guard,
		settled: checkpoint.Settled{
			Key:    d.name,
			Source: checkpoint.Identity{Size: d.size, ETag: d.etag, VersionID: d.versionID, ModTime: d.uploaded.UnixNano(), CRC64: crc, HasCRC64: true},
		},
	})
	if err != nil {
		return err
	}
	d.job.done("download", d.key, "", d.size)
	return nil
}

// fileTime is the modification time a file made of the object gets: that of
// the file it was made of, where the metadata has it.
func fileTime(meta *oss.ObjectMeta, listed time.Time) time.Time {
	if t, ok := parseModTime(meta.Meta[MetaModTime]); ok {
		return t
	}
	if !meta.LastModified.IsZero() {
		return meta.LastModified
	}
	return listed
}
