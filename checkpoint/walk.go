package checkpoint

import (
	"bytes"
	"encoding/binary"
)

// walk goes through one tree in key order.
type walk struct {
	*survey
	entry func(flags uint32, key, value []byte) error
	last  []byte // key; the next must be above
	low   []byte // the next must not be below; from the branch above
	high  []byte // the next must be below; nil = no bound
}

func (w *walk) page(id uint64, depth int) error {
	b, err := w.survey.page(id)
	if err != nil {
		return err
	}
	switch flags := binary.NativeEndian.Uint16(b[8:]); {
	case flags == leafPage:
		return w.leaf(b)
	case flags == branchPage && depth < maxDepth:
		return w.branch(id, b, depth)
	default:
		return damaged("page %d has flags %#x at depth %d", id, flags, depth)
	}
}

func (w *walk) branch(id uint64, b []byte, depth int) error {
	n := int(binary.NativeEndian.Uint16(b[10:]))
	if n == 0 {
		return damaged("branch page %d is empty", id)
	}
	low, high := w.low, w.high
	keys, children := make([][]byte, n), make([]uint64, n)
	for i := range n {
		at := pageHeader + i*branchElement
		if at+branchElement > len(b) {
			return damaged("branch page %d is cut", id)
		}
		e := b[at:]
		key, ok := slice(e, binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]))
		if !ok || (i > 1 && bytes.Compare(keys[i-1], key) >= 0) {
			return damaged("branch page %d: key %d", id, i)
		}
		keys[i], children[i] = key, binary.NativeEndian.Uint64(e[8:])
	}
	for i := range n {
		// bbolt sends whatever is below the second key to the first child.
		w.low, w.high = low, high
		if i > 0 {
			w.low = keys[i]
		}
		if i+1 < n {
			w.high = keys[i+1]
		}
		if err := w.page(children[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(b []byte) error {
	if len(b) < pageHeader || binary.NativeEndian.Uint16(b[8:]) != leafPage {
		return damaged("leaf page without a header")
	}
	for i := range int(binary.NativeEndian.Uint16(b[10:])) {
		at := pageHeader + i*leafElement
		if at+leafElement > len(b) {
			return damaged("leaf page is cut")
		}
		e, order := b[at:], binary.NativeEndian
		pos, keySize, valueSize := order.Uint32(e[4:]), order.Uint32(e[8:]), order.Uint32(e[12:])
		key, ok := slice(e, pos, keySize)
		if !ok || keySize == 0 {
			return damaged("leaf page: key %d", i)
		}
		value, ok := slice(e[pos:], keySize, valueSize)
		if !ok {
			return damaged("leaf page: value %d", i)
		}
		if (w.last != nil && bytes.Compare(key, w.last) <= 0) || bytes.Compare(key, w.low) < 0 ||
			(w.high != nil && bytes.Compare(key, w.high) >= 0) {
			return damaged("key %q is out of order", key)
		}
		w.last = key
		if err := w.entry(order.Uint32(e), key, value); err != nil {
			return err
		}
	}
	return nil
}

// slice returns size bytes of b from pos on.
func slice(b []byte, pos, size uint32) ([]byte, bool) {
	end := uint64(pos) + uint64(size)
	if end > uint64(len(b)) {
		return nil, false
	}
	return b[pos:end:end], true
}
