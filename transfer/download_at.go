package transfer

import (
	"context"
	"fmt"
	"io"

	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// DownloadAt writes the object src.Path to w, several ranges at once, and
// returns once all is written and the CRC-64 of all equals the server's. w is
// called by many goroutines, each for its own bytes, from 0 on; none after
// DownloadAt has returned. Its type must mean it: a file opened for appending,
// or a pipe, cannot be written at offsets.
//
// Nothing is recorded: how durable w is nobody knows here. After an error w has
// any of the bytes. The error matches ErrChanged if the object was overwritten
// or removed meanwhile.
func (e *Engine) DownloadAt(ctx context.Context, src Location, w io.WriterAt, opts *DownloadOptions) (*Report, error) {
	var o DownloadOptions
	if opts != nil {
		o = *opts
	}
	if src.Bucket == nil || src.Path == "" {
		return nil, usagef("download needs a bucket and a key as its source")
	}
	if o.RemoveSource {
		return nil, usagef("what goes to a writer is copied, not moved")
	}
	if !o.Range.IsZero() {
		return nil, usagef("a range cannot be downloaded at offsets; write it to a stream")
	}
	j, err := e.withoutState().begin(ctx, spec{kind: "download", source: o.location(src), destination: "-"}, o.JobOptions)
	if err != nil {
		return nil, err
	}
	j.report.Resumable = false
	j.seen(true, 0)
	j.meter.setPhase(PhaseTransferring)
	d := &download{job: j, bucket: src.Bucket, key: src.Path, name: src.Path, versionID: o.VersionID, keys: src.Keys}
	err = d.at(ctx, callersAt{w})
	err = changedMeanwhile(d.key, err, d.meta != nil)
	j.blame(ctx, src.Path, "download", err)
	return j.end(ctx, err, false)
}

// at fetches the whole object into w.
func (d *download) at(ctx context.Context, w io.WriterAt) error {
	if err := d.head(ctx); err != nil {
		return err
	}
	partSize, err := partSizeFor(d.size, d.Engine.opts.PartSize)
	if err != nil {
		return err
	}
	d.meter.bytesTotal.Add(d.size)
	d.meter.totalsKnown.Store(true)
	d.tracker = d.meter.track(d.key, d.size)
	defer d.tracker.end()
	sums := make([]uint64, (d.size+partSize-1)/partSize)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(d.Engine.opts.Parallel)
	for i := range sums {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() (err error) {
			off := int64(i) * partSize
			sums[i], err = d.fetchRange(gctx, w, i+1, off, min(partSize, d.size-off))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	whole := uint64(0)
	for i, sum := range sums {
		whole = crc64.Combine(whole, sum, min(partSize, d.size-int64(i)*partSize))
	}
	d.unconfirmed(d.meta.HasCRC64)
	if d.meta.HasCRC64 && whole != d.meta.CRC64 {
		return &CorruptError{Name: d.key, Expected: d.meta.CRC64, Have: whole}
	}
	d.done("download", d.key, "", d.size)
	return nil
}

// fetchRange brings range number of the object, length bytes from off on, from
// the server into w, to the same place. Its CRC-64 is that of the bytes as they
// arrived.
func (d *download) fetchRange(ctx context.Context, w io.WriterAt, number int, off, length int64) (crc uint64, err error) {
	err = d.do(ctx, "range", fmt.Sprintf("%d of %s", number, d.key), priorityPiece, func(ctx context.Context, _ int) error {
		try := attempt{tracker: d.tracker}
		result, err := d.bucket.GetObject(ctx, d.key, &oss.GetObjectOptions{
			Range: oss.RangeBetween(off, off+length-1), IfMatch: d.etag, VersionID: d.versionID,
		})
		if err != nil {
			return err
		}
		defer result.Body.Close()
		if err := d.writeRange(w, result.Body, off, &try); err != nil {
			try.undo()
			return err
		}
		crc = result.CRC64()
		return nil
	})
	return crc, err
}

func (d *download) writeRange(w io.WriterAt, body io.Reader, off int64, try *attempt) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := fill(body, buf[:])
		if n > 0 {
			d.seal.apply(buf[:n], off)
			if _, err := w.WriteAt(buf[:n], off); err != nil {
				return err
			}
			off += int64(n)
			try.add(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
