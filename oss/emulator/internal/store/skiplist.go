package store

import (
	"bytes"
	"math/rand/v2"
)

// skipLevels suits some four billion entries at one level in four.
const skipLevels = 16

// skipList is an ordered map from bytes to bytes. Readers may run at once,
// writers alone.
type skipList struct {
	head skipNode
}

type skipNode struct {
	key, value []byte
	next       []*skipNode
}

func newSkipList() *skipList {
	return &skipList{head: skipNode{next: make([]*skipNode, skipLevels)}}
}

// find returns the first node with a key >= key. With path not nil it also
// records, per level, the last node before that place.
func (l *skipList) find(key []byte, path *[skipLevels]*skipNode) *skipNode {
	n := &l.head
	for level := skipLevels - 1; level >= 0; level-- {
		for n.next[level] != nil && bytes.Compare(n.next[level].key, key) < 0 {
			n = n.next[level]
		}
		if path != nil {
			path[level] = n
		}
	}
	return n.next[0]
}

func (l *skipList) get(key []byte) []byte {
	if n := l.find(key, nil); n != nil && bytes.Equal(n.key, key) {
		return n.value
	}
	return nil
}

func (l *skipList) put(key, value []byte) {
	var path [skipLevels]*skipNode
	if n := l.find(key, &path); n != nil && bytes.Equal(n.key, key) {
		n.value = value
		return
	}
	height := 1
	for height < skipLevels && rand.Uint32()&3 == 0 {
		height++
	}
	n := &skipNode{key: key, value: value, next: make([]*skipNode, height)}
	for level := range height {
		n.next[level] = path[level].next[level]
		path[level].next[level] = n
	}
}

func (l *skipList) del(key []byte) {
	var path [skipLevels]*skipNode
	n := l.find(key, &path)
	if n == nil || !bytes.Equal(n.key, key) {
		return
	}
	for level := range n.next {
		path[level].next[level] = n.next[level]
	}
}

func (l *skipList) scan(from []byte, yield func(key, value []byte) bool) {
	for n := l.find(from, nil); n != nil; n = n.next[0] {
		if !yield(n.key, n.value) {
			return
		}
	}
}
