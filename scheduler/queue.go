package scheduler

import (
	"cmp"
	"container/heap"
)

// waiter is one attempt that waits for a worker and memory.
type waiter struct {
	priority int
	arrival  uint64
	bytes    int64
	index    int           // in the queue, -1 once granted or removed
	epoch    uint64        // set with the grant
	ready    chan struct{} // closed by the grant
}

// queue is a heap (container/heap) with the next waiter to be granted at 0.
type queue []*waiter

func (q *queue) add(w *waiter)    { heap.Push(q, w) }
func (q *queue) remove(w *waiter) { heap.Remove(q, w.index) }

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.arrival, b.arrival)) < 0
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for container/heap; use add.
func (q *queue) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

// Pop is for container/heap; use remove.
func (q *queue) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil // do not keep it alive
	*q = (*q)[:last]
	w.index = -1
	return w
}
