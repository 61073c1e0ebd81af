package transfer

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/osssync/osssync/checkpoint"
	"github.com/osssync/osssync/internal/crc64"
	"github.com/osssync/osssync/oss"
	"golang.org/x/sync/errgroup"
)

// errStartOver says that a multipart upload is of no more use: the service has
// forgotten it, or holds other parts than we sent.
var errStartOver = errors.New("multipart upload is gone")

// multipart sends a large file in parts. It goes on with an earlier run's
// upload where that is still this file's, and starts over once if the service
// no longer has it.
func (u *upload) multipart(ctx context.Context, rec checkpoint.Object, found bool) error {
	partSize, err := partSizeFor(u.id.Size, u.Engine.opts.PartSize)
	if err != nil {
		return err
	}
	if found && (rec.UploadID == "" || rec.Source != sourceIdentity(u.id) || rec.PartSize != partSize) {
		if err := u.giveUp(ctx, rec); err != nil {
			return err
		}
		found = false
	}
	for startsLeft := 1; ; startsLeft-- {
		m := &multipart{upload: u, rec: rec, partSize: partSize}
		err := m.run(ctx, found)
		again := errors.Is(err, errStartOver) || errors.Is(err, ErrCorrupt)
		if err == nil || !(again || errors.Is(err, ErrChanged)) {
			return err
		}
		if dropErr := u.giveUp(ctx, m.rec); dropErr != nil || !again || startsLeft == 0 || ctx.Err() != nil {
			return errors.Join(err, dropErr)
		}
		u.log.Info("starting over", "key", u.key, "err", err)
		u.warn(fmt.Sprintf("%s was sent from the start again: %v", printable(u.key), err))
		u.tracker.restart(u.id.Size)
		found = false
	}
}

// multipart is one multipart upload of one file.
type multipart struct {
	*upload
	rec      checkpoint.Object
	partSize int64
	listed   map[int]oss.Part // what the server has from an earlier run, unproven
	parts    []oss.Part       // by number, less one
}

func (m *multipart) run(ctx context.Context, found bool) error {
	m.parts = make([]oss.Part, (m.id.Size+m.partSize-1)/m.partSize)
	if found {
		settled, err := m.recall(ctx)
		if err != nil || settled {
			return err
		}
	} else if err := m.initiate(ctx); err != nil {
		return err
	}
	if err := m.sendParts(ctx); err != nil {
		return err
	}
	if err := m.unchanged(); err != nil {
		return err
	}
	whole := uint64(0)
	for _, p := range m.parts {
		whole = crc64.Combine(whole, p.CRC64, p.Size)
	}
	m.rec.State, m.rec.CRC64 = checkpoint.StateCompleting, whole
	if err := m.journal.PutObject(ctx, m.rec); err != nil {
		return err
	}
	return m.complete(ctx)
}

// initiate begins an upload: first the intent is durable, then the service is
// asked, then its answer is durable, and only then a part is sent.
func (m *multipart) initiate(ctx context.Context) error {
	m.rec = checkpoint.Object{
		Key: m.name, State: checkpoint.StateIntent, Source: sourceIdentity(m.id),
		PartSize: m.partSize, Nonce: rand.Text(), Started: time.Now(),
	}
	if err := m.journal.PutObject(ctx, m.rec); err != nil {
		return err
	}
	var result *oss.InitMultipartResult
	err := m.do(ctx, "initiate "+m.key, priorityObject, func(ctx context.Context, _ int) (err error) {
		// A stop waits for the answer: without its id the upload would stay.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), initiateTimeout)
		defer cancel()
		result, err = m.bucket.InitMultipartUpload(ctx, m.key, &oss.InitMultipartOptions{
			ObjectHeaders: m.objectHeaders(),
		})
		return err
	})
	if err != nil {
		return err
	}
	m.rec.UploadID, m.rec.State = result.UploadID, checkpoint.StateActive
	return m.journal.PutObject(context.WithoutCancel(ctx), m.rec)
}

// initiateTimeout bounds how long a stop can wait for an InitiateMultipartUpload.
const initiateTimeout = 4 * time.Second

// recall asks the server what it has of an earlier run's upload. settled is
// true if that run had completed it and only its own books were behind.
func (m *multipart) recall(ctx context.Context) (settled bool, err error) {
	m.listed = map[int]oss.Part{}
	var marker int
	for {
		var page *oss.ListPartsResult
		err := m.do(ctx, "list parts of "+m.key, priorityList, func(ctx context.Context, _ int) (err error) {
			page, err = m.bucket.ListParts(ctx, m.key, m.rec.UploadID, &oss.ListPartsOptions{Marker: marker})
			return err
		})
		if errors.Is(err, oss.ErrNoSuchUpload) {
			return m.completedBefore(ctx)
		}
		if err != nil {
			return false, err
		}
		for _, p := range page.Parts {
			m.listed[p.Number] = p
		}
		if !page.IsTruncated {
			return false, nil
		}
		marker = page.NextMarker
	}
}

// completedBefore decides after NoSuchUpload: either the object is there with
// the bytes we would send, or the upload is lost.
func (m *multipart) completedBefore(ctx context.Context) (bool, error) {
	if m.rec.State != checkpoint.StateCompleting {
		return false, errStartOver
	}
	meta, same := m.holds(ctx, m.rec.CRC64)
	if !same {
		return false, errStartOver
	}
	m.tracker.resumed(m.id.Size)
	return true, m.settle(meta.ETag, m.rec.CRC64, true)
}

// sendParts brings every part to the server, several at a time.
func (m *multipart) sendParts(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(m.Engine.opts.Parallel)
	for i := range m.parts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return m.part(gctx, i+1) })
	}
	if err := g.Wait(); err != nil {
		if errors.Is(err, oss.ErrNoSuchUpload) {
			return fmt.Errorf("%w: %w", errStartOver, err)
		}
		return err
	}
	return context.Cause(ctx)
}

// part proves that the server has part number, or sends it.
func (m *multipart) part(ctx context.Context, number int) error {
	off := int64(number-1) * m.partSize
	length := min(m.partSize, m.id.Size-off)
	if listed, ok := m.listed[number]; ok && listed.Size == length {
		proven, err := m.prove(ctx, &listed, off)
		if err != nil {
			return err
		}
		if proven {
			m.parts[number-1] = listed
			m.tracker.resumed(length)
			return nil
		}
		m.log.Info("part differs and is sent again", "key", m.key, "part", number)
	}
	return m.sendPart(ctx, number, off, length)
}

// sendPart sends one part and records it. The client has compared its CRC-64
// with the server's by the time UploadPart returns.
func (m *multipart) sendPart(ctx context.Context, number int, off, length int64) error {
	var result *oss.UploadPartResult
	err := m.do(ctx, fmt.Sprintf("part %d of %s", number, m.key), priorityPiece, func(ctx context.Context, _ int) (err error) {
		try := attempt{tracker: m.tracker}
		result, err = m.bucket.UploadPart(ctx, m.key, m.rec.UploadID, number, m.section(off, length, &try), nil)
		if err != nil {
			try.undo()
		}
		return err
	})
	if err != nil {
		return err
	}
	m.parts[number-1] = result.Part
	return m.journal.AddPart(m.name, checkpoint.Part{
		Number: number, Size: length, CRC64: result.CRC64, ETag: result.ETag,
	})
}

// complete makes the object of its parts. An answer that is lost needs no
// guess: asked again, the service either completes, or no longer knows the
// upload, and then the object itself tells.
func (m *multipart) complete(ctx context.Context) error {
	var (
		etag      string
		confirmed bool
	)
	err := m.do(ctx, "complete "+m.key, priorityPiece, func(ctx context.Context, _ int) error {
		result, err := m.bucket.CompleteMultipartUpload(ctx, m.key, m.rec.UploadID, slices.Clone(m.parts), nil)
		switch {
		case err == nil:
			etag, confirmed = result.ETag, result.HasCRC64
			return nil
		case errors.Is(err, oss.ErrNoSuchUpload), errors.Is(err, oss.ErrFileAlreadyExists), errors.Is(err, oss.ErrIntegrity):
			meta, same := m.holds(ctx, m.rec.CRC64)
			if same {
				etag, confirmed = meta.ETag, true
				return nil
			}
			return m.incomplete(err, meta)
		case errors.Is(err, oss.ErrInvalidPart):
			return fmt.Errorf("%w: %w", errStartOver, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	return m.settle(etag, m.rec.CRC64, confirmed)
}

// incomplete is the verdict when Complete failed for good and the key does not
// hold our bytes.
func (m *multipart) incomplete(err error, meta *oss.ObjectMeta) error {
	switch {
	case errors.Is(err, oss.ErrNoSuchUpload):
		return fmt.Errorf("%w: %w", errStartOver, err)
	case errors.Is(err, oss.ErrIntegrity) && meta != nil:
		return &CorruptError{Name: m.key, Expected: m.rec.CRC64, Have: meta.CRC64}
	}
	return err
}

// prove says whether a part that the server lists has the bytes that the file
// has there now. A server that lists no CRC-64 has the MD5 in the ETag.
func (m *multipart) prove(ctx context.Context, listed *oss.Part, off int64) (proven bool, err error) {
	err = m.do(ctx, "prove "+m.name, priorityPiece, func(context.Context, int) error {
		var sum hash.Hash
		if !listed.HasCRC64 {
			sum = md5.New()
		}
		crc, err := hashRange(m.file, off, listed.Size, sum)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &ChangedError{Name: m.name, What: "it became shorter"}
		case err != nil:
			return err
		case sum != nil:
			proven = strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), listed.ETag)
			listed.CRC64, listed.HasCRC64 = crc, true
		default:
			proven = crc == listed.CRC64
		}
		return nil
	})
	return proven, err
}

// giveUp aborts an earlier upload of this file and forgets it.
func (u *upload) giveUp(ctx context.Context, rec checkpoint.Object) error {
	return u.abandon(ctx, u.bucket, u.key, rec)
}

// partSizeFor is the part size for an object of size bytes: want, or as much
// more as the limit of 10,000 parts takes, in whole MiB.
func partSizeFor(size, want int64) (int64, error) {
	if need := (size + maxParts - 1) / maxParts; need > want {
		const mib = 1 << 20
		want = (need + mib - 1) / mib * mib
	}
	if want > maxPartSize {
		return 0, usagef("%d bytes are more than %d parts of %d bytes hold; OSS has no larger objects", size, maxParts, maxPartSize)
	}
	return want, nil
}
