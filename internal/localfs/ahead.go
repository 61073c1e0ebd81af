package localfs

import (
	"slices"
	"strings"
	"sync"
)

const (
	// groupSize is how many files of a folder are looked at in one go: enough
	// that handing them over costs little beside the system calls.
	groupSize = 64

	// maxSteps is how many groups and folders a walk has read ahead at most: so
	// many groups are 4,096 files.
	maxSteps = 64

	// maxNamesAhead is the size of a folder that is read before its turn. Names
	// must be sorted, so all of a folder are in memory at once; that of a larger
	// one waits for its turn.
	maxNamesAhead = 4096
)

// ahead is the part of a walk between what is yielded and how far it has been
// read, as steps in key order. Fields below mu are guarded by it, the contents of
// a step that is being read belong to its reader.
type ahead struct {
	walker   *walker
	parallel int
	readers  sync.WaitGroup
	lister   lister // the caller's

	mu      sync.Mutex
	wake    *sync.Cond // a step was read
	steps   []*step
	running int       // readers, and the caller while it reads
	listers []*lister // of readers that have ended
	stopped bool      // no reader begins another step
}

// step is a piece of a walk: a folder to read, some of its files, or what is left
// of a folder that was read, to make steps of.
type step struct {
	kind   kind
	state  state
	parent *openFolder // what the names are in
	prefix string      // the key of parent, or of the folder to read
	names  []string    // that of the folder to read, nil for the root; or those of the files, or of what is left

	found []finding
	below *step // what a folder turned out to have, nil if nothing
}

type kind int

const (
	ofFolder kind = iota
	ofFiles
	ofRest
)

type state int

const (
	fresh state = iota
	large       // a folder that waits for its turn
	busy
	done
)

func newAhead(w *walker, parallel int, top *openFolder) *ahead {
	a := &ahead{walker: w, parallel: parallel}
	a.wake = sync.NewCond(&a.mu)
	top.hold()
	a.steps = []*step{{kind: ofFolder, state: large, parent: top}}
	return a
}

// stop waits for all that was begun, and closes what is open.
func (a *ahead) stop() {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.readers.Wait()
	for _, s := range a.steps {
		if s.below != nil {
			s.below.release()
		}
		s.release()
	}
}

// release gives up the folder that the step reads in.
func (s *step) release() {
	if s.parent != nil {
		s.parent.leave()
		s.parent = nil
	}
}

// next returns what comes next, nil at the end. What is not being read already
// the caller reads itself.
func (a *ahead) next() []finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.steps) > 0 {
		s := a.steps[0]
		switch {
		case s.kind == ofRest:
			a.split(0)
		case s.state == done:
			a.spread(0)
			a.steps = slices.Delete(a.steps, 0, 1)
			a.dispatch()
			if len(s.found) > 0 {
				return s.found
			}
		case s.state == busy:
			a.wake.Wait()
		default:
			s.state = busy
			a.running++
			a.dispatch()
			a.mu.Unlock()
			state := s.read(a.walker, &a.lister, 0)
			a.mu.Lock()
			a.running--
			s.state = state
		}
	}
	return nil
}

// spread puts what is left of the folder of a step that is done behind it.
func (a *ahead) spread(i int) {
	if s := a.steps[i]; s.below != nil {
		a.steps = slices.Insert(a.steps, i+1, s.below)
		s.below = nil
	}
}

// split makes a step of the first names that are left of a folder, in front of
// the rest.
func (a *ahead) split(i int) *step {
	rest := a.steps[i]
	n := 0
	for n < min(len(rest.names), groupSize) && !strings.HasSuffix(rest.names[n], "/") {
		n++
	}
	s := &step{kind: ofFiles, parent: rest.parent, prefix: rest.prefix, names: rest.names[:n]}
	if n == 0 {
		n = 1
		s.kind, s.names, s.prefix = ofFolder, rest.names[:1], rest.prefix+rest.names[0]
	}
	if rest.names = rest.names[n:]; len(rest.names) == 0 {
		a.steps[i] = s // with the rest's hold on the folder
	} else {
		s.parent.hold()
		a.steps = slices.Insert(a.steps, i, s)
	}
	return s
}

// choose finds the first step that can be read before its turn, nil if there is
// none.
func (a *ahead) choose() *step {
	for i := 0; i < len(a.steps) && i < maxSteps; i++ {
		s := a.steps[i]
		for s.state == done {
			a.spread(i)
			if len(s.found) > 0 {
				break
			}
			if a.steps = slices.Delete(a.steps, i, i+1); i == len(a.steps) {
				return nil
			}
			s = a.steps[i]
		}
		if s.kind == ofRest {
			s = a.split(i)
		}
		if s.state == fresh {
			return s
		}
	}
	return nil
}

// dispatch starts readers while there is something to read.
func (a *ahead) dispatch() {
	for !a.stopped && a.parallel > 1 && a.running < a.parallel {
		s := a.choose()
		if s == nil {
			return
		}
		s.state = busy
		a.running++
		var l *lister
		if n := len(a.listers); n > 0 {
			l, a.listers = a.listers[n-1], a.listers[:n-1]
		} else {
			l = &lister{}
		}
		a.readers.Go(func() { a.work(s, l) })
	}
}

// work reads one step after the other while there are any.
func (a *ahead) work(s *step, l *lister) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for s != nil {
		a.mu.Unlock()
		state := s.read(a.walker, l, maxNamesAhead)
		a.mu.Lock()
		s.state = state
		a.wake.Signal()
		if s = nil; !a.stopped {
			s = a.choose()
		}
		if s != nil {
			s.state = busy
			a.dispatch()
		}
	}
	a.running--
	a.listers = append(a.listers, l)
}

// read does what the step is for. A folder of more names than most, if that is
// above 0, turns out to be large.
func (s *step) read(w *walker, l *lister, most int) state {
	if s.kind == ofFiles {
		s.found = make([]finding, 0, len(s.names))
		for _, name := range s.names {
			s.found = w.file(s.found, s.parent.folder, s.parent.localName(name), s.prefix+name)
		}
		s.release()
		return done
	}
	sub := s.parent
	var found []finding
	if s.names != nil { // not the root
		sub, found = w.open(s.parent, s.parent.localName(s.names[0]), s.prefix)
		if sub == nil {
			s.found = found
			s.release()
			return done
		}
	}
	sub.hold()
	names, full, failed := w.list(l, sub, s.prefix, most)
	s.found = append(found, failed...)
	if len(names) > 0 {
		s.below = &step{kind: ofRest, parent: sub, prefix: s.prefix, names: names}
	} else {
		sub.leave()
	}
	if !full {
		return large
	}
	s.release()
	return done
}
