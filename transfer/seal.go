package transfer

import (
	"context"
	"io"
	"maps"

	"github.com/osssync/osssync/oss"
	"github.com/osssync/osssync/oss/crypto"
)

// seal is what one object is encrypted with on its way; nil if it is not. A
// file and the object made of it have the same length, and byte n of one is
// byte n of the other, enciphered: so whatever reads a file through its seal
// sees the object, sums of the wire hold for files, and no step of the engine
// knows about encryption but those that move bytes.
type seal struct {
	material *crypto.Material
	stream   *crypto.Stream
}

// newSeal makes a content key for one object; nil if there are no keys.
func newSeal(ctx context.Context, keys crypto.Provider) (*seal, error) {
	if keys == nil {
		return nil, nil
	}
	material, stream, err := keys.NewMaterial(ctx)
	if err != nil {
		return nil, err
	}
	return &seal{material, stream}, nil
}

// openSeal unwraps the content key in an object's metadata. Without keys, and
// of a plain object, bytes are taken as they are.
func openSeal(ctx context.Context, keys crypto.Provider, meta *oss.ObjectMeta) (*seal, error) {
	if keys == nil {
		return nil, nil
	}
	material, encrypted, err := crypto.MaterialFromMeta(meta.Meta)
	if err != nil || !encrypted {
		return nil, err
	}
	stream, err := keys.Open(ctx, material)
	if err != nil {
		return nil, err
	}
	return &seal{material, stream}, nil
}

// reopenSeal unwraps what a checkpoint has.
func reopenSeal(ctx context.Context, keys crypto.Provider, text string) (*seal, error) {
	material := new(crypto.Material)
	if err := material.UnmarshalText([]byte(text)); err != nil {
		return nil, err
	}
	stream, err := keys.Open(ctx, material)
	if err != nil {
		return nil, err
	}
	return &seal{material, stream}, nil
}

// apply turns bytes from offset off of a file into those of the object, or
// back, in place.
func (s *seal) apply(p []byte, off int64) {
	if s != nil {
		s.stream.XORKeyStreamAt(p, off)
	}
}

// view is a file as the object has it.
func (s *seal) view(file io.ReaderAt) io.ReaderAt {
	if s == nil {
		return file
	}
	return sealedView{file, s}
}

type sealedView struct {
	file io.ReaderAt
	seal *seal
}

func (v sealedView) ReadAt(p []byte, off int64) (int, error) {
	n, err := v.file.ReadAt(p, off)
	v.seal.apply(p[:n], off)
	return n, err
}

// envelope adds to h what whoever has the master key needs to read the object.
func (s *seal) envelope(h oss.ObjectHeaders) oss.ObjectHeaders {
	if s == nil {
		return h
	}
	meta := maps.Clone(h.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	maps.Copy(meta, s.material.Meta())
	h.Meta = meta
	return h
}

// sealBlock is what a part's length must be a multiple of.
const sealBlock = crypto.BlockSize
