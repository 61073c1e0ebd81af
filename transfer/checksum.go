package transfer

import (
	"context"
	"time"

	"github.com/osssync/osssync/checkpoint"
)

// exactly says whether the entry is what the checkpoint has seen, in all that
// changes when its content does.
func (e entry) exactly(seen checkpoint.Identity) bool {
	if e.etag != "" {
		return e.size == seen.Size && e.etag == seen.ETag
	}
	now := sourceIdentity(e.id)
	return now.Size == seen.Size && now.ModTime == seen.ModTime && now.ChangeTime == seen.ChangeTime &&
		now.Device == seen.Device && now.Inode == seen.Inode
}

// rewritten says whether the object was written since the checkpoint has seen it,
// be it with the same bytes and other metadata.
func (e entry) rewritten(seen checkpoint.Identity) bool {
	return e.etag != "" && seen.ModTime != 0 && e.modTime.Unix() != time.Unix(0, seen.ModTime).Unix()
}

// provenSame says whether both sides were found to have the same bytes, and not
// only the same time.
func provenSame(s checkpoint.Settled) bool { return s.Source.HasCRC64 || s.Dest.HasCRC64 }

// sameContent compares the CRC-64 of both sides, and remembers it if they are
// the same.
func (t *tree) sameContent(ctx context.Context, a action) (bool, error) {
	settled, known, err := t.journal.Settled(a.name)
	if err != nil {
		return false, err
	}
	known = known && provenSame(settled)
	sum := settled.Dest.CRC64
	if settled.Source.HasCRC64 {
		sum = settled.Source.CRC64
	}
	from, ok, err := t.sumOf(ctx, t.src, a.name, a.src, known && a.src.exactly(settled.Source), sum)
	if err != nil || !ok {
		return false, err
	}
	to, ok, err := t.sumOf(ctx, t.dst, a.name, a.dst, known && a.dst.exactly(settled.Dest), sum)
	if err != nil || !ok || from != to || t.options.DryRun {
		return ok && from == to, err
	}
	record := checkpoint.Settled{Key: a.name, Source: a.src.identity(), Dest: a.dst.identity(), At: time.Now()}
	record.Dest.CRC64, record.Dest.HasCRC64 = to, true
	return true, t.journal.Settle(record)
}

// sumOf is the CRC-64 of one side: as it was, if that is known to hold, else by
// asking for the object or reading the file. What is encrypted on its way is
// read as it would be sent. ok is false if there is none.
func (t *tree) sumOf(ctx context.Context, l Location, name string, e entry, holds bool, sum uint64) (crc uint64, ok bool, err error) {
	if holds {
		return sum, true, nil
	}
	if l.Bucket != nil {
		meta, err := t.metaOf(ctx, l, name)
		if err != nil || meta == nil {
			return 0, false, err
		}
		return meta.CRC64, meta.HasCRC64 && meta.ETag == e.etag, nil
	}
	seal, err := t.sealOf(ctx, name)
	if err != nil {
		return 0, false, err
	}
	file, id, err := t.root.Open(name)
	if err != nil {
		return 0, false, err
	}
	defer file.Close()
	err = t.do(ctx, "hash", name, priorityPiece, func(ctx context.Context, _ int) error {
		crc, err = hashRange(seal.view(file), 0, id.Size, nil)
		return err
	})
	// The record will speak of the file as it was seen.
	return crc, sourceIdentity(id) == sourceIdentity(e.id), err
}

// sealOf is the cipher of the object at the other side of a file, nil if it is
// plain.
func (t *tree) sealOf(ctx context.Context, name string) (*seal, error) {
	object := t.dst
	if t.direction == down {
		object = t.src
	}
	if object.Keys == nil {
		return nil, nil
	}
	meta, err := t.metaOf(ctx, object, name)
	if err != nil || meta == nil {
		return nil, err
	}
	return openSeal(ctx, object.Keys, meta)
}
