package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A record on disk: version, CRC-32C (4 bytes, over bucket, key and all that
// follows), length of the payload (uvarint), payload. Fields of the payload
// stand in a fixed order; a change of that order is a new version.
const (
	recordVersion = 1
	sumOffset     = 1
	payloadOffset = sumOffset + 4

	// maxPayload bounds a record, in bytes. bbolt keeps a value in one run of
	// pages, and a commit rewrites each page it touches.
	maxPayload = 64 << 10

	// maxKey bounds keys, in bytes: an object's have at most 1,023, a path
	// of the local system 4,096.
	maxKey = 4096
)

var errRecord = errors.New("damaged record")

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// frame wraps a payload for the place it will be stored at.
func frame(b bucketID, key string, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("checkpoint: record of %d bytes, at most %d allowed", len(payload), maxPayload)
	}
	rec := make([]byte, payloadOffset, payloadOffset+binary.MaxVarintLen32+len(payload))
	rec[0] = recordVersion
	rec = binary.AppendUvarint(rec, uint64(len(payload)))
	rec = append(rec, payload...)
	binary.LittleEndian.PutUint32(rec[sumOffset:], checksum(b, key, rec))
	return rec, nil
}

// unframe returns the payload of a record found under b and key.
func unframe(b bucketID, key string, rec []byte) ([]byte, error) {
	if len(rec) <= payloadOffset || rec[0] != recordVersion {
		return nil, errRecord
	}
	if recordSum(rec) != checksum(b, key, rec) {
		return nil, errRecord
	}
	n, width := binary.Uvarint(rec[payloadOffset:])
	payload := rec[payloadOffset:]
	if width <= 0 || n > maxPayload || uint64(len(payload)-width) != n {
		return nil, errRecord
	}
	return payload[width:], nil
}

// recordSum returns the checksum a record carries; the record may be damaged.
func recordSum(rec []byte) uint32 {
	if len(rec) < payloadOffset {
		return 0
	}
	return binary.LittleEndian.Uint32(rec[sumOffset:])
}

func checksum(b bucketID, key string, rec []byte) uint32 {
	var head [2 + binary.MaxVarintLen64]byte
	table := castagnoli()
	place := binary.AppendUvarint(append(head[:0], byte(b), rec[0]), uint64(len(key)))
	sum := crc32.Update(0, table, place)
	sum = crc32.Update(sum, table, []byte(key))
	return crc32.Update(sum, table, rec[payloadOffset:])
}

// framed checks the key and frames a payload.
func framed(bucket bucketID, key string, payload []byte) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return frame(bucket, key, payload)
}

func checkKey(key string) error {
	if len(key) == 0 || len(key) > maxKey {
		return fmt.Errorf("checkpoint: key of %d bytes, 1 to %d allowed", len(key), maxKey)
	}
	return nil
}

// blockKey is where a block of an object's parts is stored. The length in
// front keeps the blocks of one key together and apart from all others'.
func blockKey(key string, block uint32) string {
	return string(binary.BigEndian.AppendUint32(blockPrefix(key), block))
}

func blockPrefix(key string) []byte {
	b := make([]byte, 0, 2+len(key)+4)
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	return append(b, key...)
}

// splitBlockKey undoes blockKey.
func splitBlockKey(b []byte) (key string, block uint32, ok bool) {
	if len(b) < 6 || int(binary.BigEndian.Uint16(b)) != len(b)-6 {
		return "", 0, false
	}
	return string(b[2 : len(b)-4]), binary.BigEndian.Uint32(b[len(b)-4:]), true
}
