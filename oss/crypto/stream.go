package crypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"math/bits"
	"strconv"
)

const (
	// KeySize is the length of a content key in bytes: AES-256.
	KeySize = 32

	// BlockSize is the length of a counter block in bytes. Parts of an
	// encrypted multipart upload are multiples of it.
	BlockSize = aes.BlockSize
)

// Stream is the key stream of one object: the content key and the counter block
// of its first byte. It is never changed and safe for concurrent use. The zero
// value is not usable.
type Stream struct {
	block  cipher.Block
	hi, lo uint64 // the counter block as a big-endian integer
}

// NewStream makes the key stream of a content key of KeySize bytes and the first
// counter block of BlockSize bytes. Providers call it.
func NewStream(key, iv []byte) (*Stream, error) {
	if len(key) != KeySize {
		return nil, materialError(fieldKey, "content key has "+strconv.Itoa(len(key))+" bytes, not "+strconv.Itoa(KeySize), nil)
	}
	if len(iv) != BlockSize {
		return nil, materialError(fieldStart, "counter has "+strconv.Itoa(len(iv))+" bytes, not "+strconv.Itoa(BlockSize), nil)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, materialError(fieldKey, "content key", err)
	}
	return &Stream{block: block, hi: binary.BigEndian.Uint64(iv), lo: binary.BigEndian.Uint64(iv[8:])}, nil
}

// XORKeyStreamAt enciphers or deciphers p in place; p is what the object holds
// from byte off on. off is not negative and needs no alignment.
func (s *Stream) XORKeyStreamAt(p []byte, off int64) {
	if len(p) > 0 {
		s.from(off).XORKeyStream(p, p)
	}
}

// from is the key stream from byte off on.
func (s *Stream) from(off int64) cipher.Stream {
	var iv [BlockSize]byte
	lo, carry := bits.Add64(s.lo, uint64(off)/BlockSize, 0)
	binary.BigEndian.PutUint64(iv[:8], s.hi+carry)
	binary.BigEndian.PutUint64(iv[8:], lo)
	at := cipher.NewCTR(s.block, iv[:])
	if n := uint64(off) % BlockSize; n > 0 {
		var used [BlockSize]byte
		at.XORKeyStream(used[:n], used[:n])
	}
	return at
}

// newSecrets makes a content key and the first counter block. Four zero bytes
// in the middle of it keep the low half from overflowing, which some readers
// get wrong.
func newSecrets() (key, iv []byte) {
	key, iv = make([]byte, KeySize), make([]byte, BlockSize)
	_, _ = rand.Read(key) // never fails
	_, _ = rand.Read(iv)
	clear(iv[8:12])
	return key, iv
}
